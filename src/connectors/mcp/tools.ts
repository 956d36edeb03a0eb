/**
 * Tools as an admin reviewed them: what a server says of a tool, made fit for people and agents, with the hash of what
 * it said. A tool whose hash is another one is another tool (shared/CONNECTORS.md, 4.14: rug-pull). Pure.
 */
import { z } from 'zod';
import { canonicalHash } from '../../canonical.js';
import type { JsonValue, Risk } from '../framework.js';
import { type JsonObject, objectOf } from '../json.js';
import {
  DEEPEST,
  isObject,
  LARGEST_SCHEMA,
  resolveSchema,
  SchemaTooLarge,
  UnresolvedReference,
} from '../rest/schema.js';
import { cleanLine, cleanText, isPlain } from './clean.js';

/** More than that nobody reviews; models choose badly among fewer. */
export const MOST_TOOLS = 200;
const MOST_LEFT_OUT = 50;
/** SEP-986 of the specification (2025-11-25, "Tool Names"): 1 to 128 characters. */
const LONGEST_TOOL_NAME = 128;
const LONGEST_TITLE = 100;
const LONGEST_DESCRIPTION = 2_000;

/** What the server claims about a tool (specification 2025-06-18, "ToolAnnotations"): hints, no proof. */
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const;
const hint = z.exactOptional(z.boolean());

export const storedTool = z.strictObject({
  /** As the server calls it. */
  name: z.string().min(1).max(LONGEST_TOOL_NAME),
  title: z.string().min(1).max(LONGEST_TOOL_NAME),
  description: z.string().max(LONGEST_DESCRIPTION),
  /** Without references, at most 32 KB and 8 levels deep. */
  input_schema: z.record(z.string(), z.json()),
  annotations: z.strictObject({
    readOnlyHint: hint,
    destructiveHint: hint,
    idempotentHint: hint,
    openWorldHint: hint,
  }),
  /** `toolHash` of what the server said. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StoredTool = z.infer<typeof storedTool>;

/** A tool that cannot become a function. */
export const leftOutTool = z.strictObject({ name: z.string().max(200), reason: z.string().max(200) });
export type LeftOutTool = z.infer<typeof leftOutTool>;

class Unusable extends Error {}

/** @param said what `tools/list` answered, page after page; of more than 200 tools the first 200 are taken */
export function reviewable(said: readonly unknown[]): { tools: StoredTool[]; leftOut: LeftOutTool[] } {
  const tools = new Map<string, StoredTool>();
  const leftOut: LeftOutTool[] = [];
  for (const one of said.slice(0, MOST_TOOLS)) {
    try {
      const tool = stored(one);
      if (tools.has(tool.name)) throw new Unusable('The server has another tool of that name.');
      tools.set(tool.name, tool);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      leftOut.push({
        name: cleanLine(isObject(one) ? one.name : '', LONGEST_TOOL_NAME) || '(no name)',
        reason: error.message,
      });
    }
  }
  if (said.length > MOST_TOOLS) {
    leftOut.unshift({
      name: 'All others',
      reason: `Only the first ${MOST_TOOLS} tools of a server can be used.`,
    });
  }
  return { tools: [...tools.values()], leftOut: leftOut.slice(0, MOST_LEFT_OUT) };
}

/** @throws Unusable */
function stored(said: unknown): StoredTool {
  if (!isObject(said)) throw new Unusable('It is not a tool.');
  const { name, description } = said;
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_TOOL_NAME || !isPlain(name))
    throw new Unusable(`Its name is not a line of at most ${LONGEST_TOOL_NAME} visible characters.`);
  const claims = objectOf(said.annotations);
  const hash = toolHash(said);
  if (hash === undefined) throw new Unusable('Its definition is nested too deeply.');
  return {
    name,
    title: cleanLine(said.title, LONGEST_TITLE) || cleanLine(claims.title, LONGEST_TITLE) || name,
    description: cleanText(description, LONGEST_DESCRIPTION),
    input_schema: inputSchema(said.inputSchema),
    annotations: Object.fromEntries(
      HINTS.flatMap((key) => (typeof claims[key] === 'boolean' ? [[key, claims[key]]] : [])),
    ),
    hash,
  };
}

/**
 * Of everything that decides what a call is taken for, as the server says it and before anything is cut.
 * @returns sha256, hex; undefined for what is nested too deeply to be written down
 */
export function toolHash(said: JsonObject): string | undefined {
  const { name = null, title = null, description = null, inputSchema = null, annotations = null } = said;
  try {
    return canonicalHash({ name, title, description, input_schema: inputSchema, annotations });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** As deep as 32 KB allow. @throws Unusable */
function inputSchema(said: JsonValue | undefined): JsonObject {
  if (!isObject(said)) throw new Unusable('It has no schema for its arguments.');
  for (let deepest = DEEPEST; deepest >= 0; deepest--) {
    const schema = resolved(said, deepest);
    if (schema === undefined || Buffer.byteLength(JSON.stringify(schema)) > LARGEST_SCHEMA) continue;
    if (JSON.stringify(schema).includes('"__proto__":'))
      throw new Unusable('An argument has a reserved name.');
    if (schema.type !== 'object') throw new Unusable('Its arguments are not an object.');
    return schema;
  }
  throw new Unusable('Its arguments take more than 32 KB to describe.');
}

/** Undefined when it is too large with so many levels. @throws Unusable */
function resolved(said: JsonObject, deepest: number): JsonObject | undefined {
  try {
    return cleanWords(resolveSchema(said, said, deepest));
  } catch (error) {
    if (error instanceof SchemaTooLarge) return undefined;
    if (error instanceof UnresolvedReference)
      throw new Unusable(`Its schema cannot be read: ${cleanLine(error.message, 120)}.`);
    throw error;
  }
}

/** Words for people, wherever they stand in a schema; a property may be called `description` too. */
function cleanWords(schema: JsonObject): JsonObject {
  const inner = (value: JsonValue): JsonValue =>
    Array.isArray(value) ? value.map(inner) : isObject(value) ? cleanWords(value) : value;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if ((key === 'title' || key === 'description') && typeof value === 'string')
        return [key, cleanText(value, 500)];
      if (key === 'enum' || key === 'const' || key === 'default') return [key, value];
      return [key, inner(value)];
    }),
  );
}

/**
 * A claim counts at once where it makes us more careful, and only from a trusted server where it makes us less so
 * (shared/RELIABILITY.md, abuse 40: unknown means write).
 */
export function toolRisk({ annotations }: StoredTool, trusted: boolean): Risk {
  if (annotations.destructiveHint === true) return 'destructive';
  return trusted && annotations.readOnlyHint === true ? 'read' : 'write';
}

/** `unseen`: only in what is cut off, or in characters that are not shown. */
export type ToolPart = 'title' | 'description' | 'arguments' | 'annotations' | 'unseen';

export interface ToolDifference {
  readonly added: readonly StoredTool[];
  readonly changed: readonly { readonly name: string; readonly what: readonly ToolPart[] }[];
  readonly removed: readonly StoredTool[];
}

/** What a server says now, against what was reviewed. Tools are the same by the name that the server gives them. */
export function diffTools(before: readonly StoredTool[], now: readonly StoredTool[]): ToolDifference {
  const known = new Map(before.map((tool) => [tool.name, tool]));
  const names = new Set(now.map(({ name }) => name));
  return {
    added: now.filter(({ name }) => !known.has(name)),
    changed: now.flatMap((tool) => {
      const old = known.get(tool.name);
      return old === undefined || old.hash === tool.hash
        ? []
        : [{ name: tool.name, what: changes(old, tool) }];
    }),
    removed: before.filter(({ name }) => !names.has(name)),
  };
}

function changes(old: StoredTool, tool: StoredTool): ToolPart[] {
  const differ = (a: JsonValue, b: JsonValue): boolean => canonicalHash(a) !== canonicalHash(b);
  const parts: ToolPart[] = [
    ...(old.title === tool.title ? [] : ['title' as const]),
    ...(old.description === tool.description ? [] : ['description' as const]),
    ...(differ(old.input_schema, tool.input_schema) ? ['arguments' as const] : []),
    ...(differ(old.annotations, tool.annotations) ? ['annotations' as const] : []),
  ];
  return parts.length > 0 ? parts : ['unseen'];
}
