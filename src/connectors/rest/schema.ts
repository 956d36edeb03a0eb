/**
 * Turns a schema of an OpenAPI document into a self-contained JSON Schema (2020-12), following `$ref` only as far
 * as one operation needs it. A full dereference gives circular objects that cannot be written as JSON.
 * Limits of shared/CONNECTORS.md, 4.13: depth 8, 32 KB a schema.
 */
import type { JsonValue } from '../framework.js';

export type JsonObject = { [key: string]: JsonValue };

export const DEEPEST = 8;
export const LARGEST_SCHEMA = 32 * 1024;
/** More nodes than this cannot fit in 32 KB; stop building and try again with less depth. */
const MOST_NODES = 3_000;
const LONGEST_DESCRIPTION = 500;

export class SchemaTooLarge extends Error {}
/** A reference leads nowhere, or out of the document. The message says where. */
export class UnresolvedReference extends Error {}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws UnresolvedReference */
export function lookUp(document: JsonObject, reference: string): JsonValue {
  if (!reference.startsWith('#/')) throw new UnresolvedReference(`"${reference}" is not in this document`);
  let node: JsonValue | undefined = document;
  for (const token of reference.slice(2).split('/')) {
    const key = decodePointer(token);
    if (Array.isArray(node)) node = node[Number(key)];
    else node = isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
    if (node === undefined) throw new UnresolvedReference(`"${reference}" does not exist in the document`);
  }
  return node;
}

function decodePointer(token: string): string {
  let decoded = token;
  try {
    decoded = decodeURIComponent(token);
  } catch {
    // A raw percent sign: the token is meant as it stands.
  }
  return decoded.replace(/~1/g, '/').replace(/~0/g, '~');
}

/**
 * Follows `$ref`s of objects that are not schemas (parameters, bodies, path items).
 * @throws UnresolvedReference also when the chain is circular
 */
export function follow(document: JsonObject, value: JsonValue | undefined): JsonObject {
  let node = value;
  for (let hops = 0; hops < 20; hops++) {
    if (!isObject(node)) return {};
    if (typeof node.$ref !== 'string') return node;
    node = lookUp(document, node.$ref);
  }
  throw new UnresolvedReference('references lead in a circle');
}

const STRINGS = ['title', 'format'] as const;
const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const;
const COUNTS = [
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'minContains',
  'maxContains',
] as const;
const SCHEMAS = ['not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const;
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);

interface Walk {
  readonly document: JsonObject;
  readonly deepest: number;
  /** References on the way from the root to here. */
  readonly trail: readonly string[];
  readonly budget: { nodes: number };
}

/**
 * The schema of one argument, without references. Cycles and what lies too deep become `{}` with a description.
 * @param deepest levels that are described; the rest accepts anything
 * @throws UnresolvedReference, SchemaTooLarge
 */
export function resolveSchema(
  document: JsonObject,
  schema: JsonValue | undefined,
  deepest = DEEPEST,
): JsonObject {
  return walk(schema, 0, { document, deepest, trail: [], budget: { nodes: MOST_NODES } });
}

function walk(schema: JsonValue | undefined, depth: number, at: Walk): JsonObject {
  if (--at.budget.nodes < 0) throw new SchemaTooLarge();
  if (schema === false) return { not: {} };
  if (!isObject(schema)) return {};
  if (typeof schema.$ref === 'string') return walkReference(schema, schema.$ref, depth, at);
  if (depth > at.deepest) return beyond(schema);
  return walkKeywords(schema, depth, at);
}

function walkReference(schema: JsonObject, reference: string, depth: number, at: Walk): JsonObject {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  if (at.trail.includes(reference)) return { description: `Another ${name}, nested.` };
  const target = walk(lookUp(at.document, reference), depth, { ...at, trail: [...at.trail, reference] });
  const { $ref: _, ...beside } = schema;
  const own = walkKeywords(beside, depth, at);
  const { description, title, ...constraints } = own;
  if (Object.keys(constraints).length > 0) return { ...own, allOf: [...listOf(own.allOf), target] };
  return {
    ...target,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
  };
}

function beyond(schema: JsonObject): JsonObject {
  const type = typeof schema.type === 'string' && TYPES.has(schema.type) ? schema.type : undefined;
  if (type === 'object' || type === 'array')
    return { type, description: 'Nested deeper than is described here.' };
  return type === undefined ? { description: 'Nested deeper than is described here.' } : { type };
}

/** Copies the keywords we know, in the shape they must have; a malformed keyword is left out, not passed to ajv. */
function walkKeywords(schema: JsonObject, depth: number, at: Walk): JsonObject {
  const out: JsonObject = {};
  const inner = (value: JsonValue | undefined): JsonObject => walk(value, depth + 1, at);
  const types = [...new Set([schema.type].flat())].filter(
    (type): type is string => typeof type === 'string' && TYPES.has(type),
  );
  const nullable = schema.nullable === true && types.length > 0 && !types.includes('null');
  if (nullable) types.push('null');
  if (types.length > 0) out.type = types.length === 1 && types[0] !== undefined ? types[0] : types;
  for (const key of STRINGS) if (typeof schema[key] === 'string') out[key] = schema[key].slice(0, 200);
  const description = describe(schema);
  if (description !== '') out.description = description;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) {
    out.enum = nullable && !schema.enum.includes(null) ? [...schema.enum, null] : schema.enum;
  }
  if (schema.const !== undefined) out.const = schema.const;
  if (schema.default !== undefined) out.default = schema.default;
  for (const key of NUMBERS) {
    if (typeof schema[key] === 'number' && (key !== 'multipleOf' || schema[key] > 0)) out[key] = schema[key];
  }
  // OpenAPI 3.0 wrote the exclusive bound as a flag beside the bound.
  for (const [bound, flag] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (schema[flag] !== true || typeof schema[bound] !== 'number') continue;
    out[flag] = schema[bound];
    delete out[bound];
  }
  for (const key of COUNTS) {
    const count = schema[key];
    if (typeof count === 'number' && Number.isInteger(count) && count >= 0) out[key] = count;
  }
  if (schema.uniqueItems === true) out.uniqueItems = true;
  for (const key of SCHEMAS) if (isSchema(schema[key])) out[key] = inner(schema[key]);
  for (const key of LISTS) {
    const list = schema[key];
    if (Array.isArray(list) && list.length > 0) out[key] = list.map(inner);
  }
  if (isSchema(schema.items)) out.items = inner(schema.items);
  walkProperties(schema, out, inner, at);
  return out;
}

function walkProperties(
  schema: JsonObject,
  out: JsonObject,
  inner: (value: JsonValue | undefined) => JsonObject,
  at: Walk,
): void {
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  // A caller cannot set what the document says only the server sets.
  const settable = properties.filter(([, value]) => !isReadOnly(value, at.document));
  if (properties.length > 0) {
    out.properties = Object.fromEntries(settable.map(([name, value]) => [name, inner(value)]));
  }
  const names = new Set(settable.map(([name]) => name));
  const declared = new Set(properties.map(([name]) => name));
  const required = listOf(schema.required).filter(
    (name): name is string => typeof name === 'string' && (names.has(name) || !declared.has(name)),
  );
  if (required.length > 0) out.required = [...new Set(required)];
  // Patterns are not run (below), so names they would have allowed cannot be told from others.
  if (isObject(schema.patternProperties)) return;
  if (schema.additionalProperties === false) out.additionalProperties = false;
  else if (isObject(schema.additionalProperties))
    out.additionalProperties = inner(schema.additionalProperties);
}

function isReadOnly(value: JsonValue, document: JsonObject): boolean {
  if (!isObject(value)) return false;
  if (value.readOnly === true) return true;
  return typeof value.$ref === 'string' && follow(document, value).readOnly === true;
}

/** A pattern is told, not run: a regular expression of a stranger can take minutes on a short text. */
function describe(schema: JsonObject): string {
  const text = typeof schema.description === 'string' ? schema.description.trim() : '';
  const short = text.length > LONGEST_DESCRIPTION ? `${text.slice(0, LONGEST_DESCRIPTION - 1)}…` : text;
  if (typeof schema.pattern !== 'string' || schema.pattern.length > 200) return short;
  return `${short}${short === '' ? '' : ' '}Pattern: ${schema.pattern}`;
}

function isSchema(value: JsonValue | undefined): boolean {
  return typeof value === 'boolean' || isObject(value);
}

export function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}
