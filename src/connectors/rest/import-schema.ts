/** The body of an operation, and the one flat schema of all its arguments. */
import type { JsonValue } from '../framework.js';
import { argumentName } from './names.js';
import { isMethodOverride } from './operation.js';
import {
  DEEPEST,
  follow,
  isObject,
  type JsonObject,
  LARGEST_SCHEMA,
  listOf,
  resolveSchema,
  SchemaTooLarge,
} from './schema.js';
import { text, Unsupported } from './unsupported.js';

interface JsonBody {
  readonly schema: JsonValue | undefined;
  readonly required: boolean;
  readonly contentType: string;
  readonly description: string;
}

export function jsonBody(document: JsonObject, operation: JsonObject): JsonBody | undefined {
  if (operation.requestBody === undefined) return undefined;
  const body = follow(document, operation.requestBody);
  const required = body.required === true;
  const content = isObject(body.content) ? body.content : {};
  const types = Object.keys(content);
  const isJson = (type: string): boolean => /^application\/json\s*(;|$)/i.test(type);
  const type =
    types.find(isJson) ??
    types.find((one) => /^application\/[\w.+-]*\+json$/i.test(one)) ??
    types.find((one) => one === '*/*');
  if (type === undefined) {
    if (types.length === 0) return undefined;
    throw new Unsupported(`It sends ${types.join(', ')}; only JSON bodies are supported.`);
  }
  const media = content[type];
  return {
    schema: isObject(media) ? media.schema : undefined,
    required,
    contentType: type === '*/*' || isJson(type) ? 'application/json' : type,
    description: text(body.description, 500),
  };
}

interface NamedParameter {
  readonly parameter: JsonObject;
  readonly argument: string;
}
type BodyShape = { kind: 'fields'; arguments: string[] } | { kind: 'whole'; argument: string };

/** One flat object for all arguments, as deep as 32 KB allow. */
export function buildSchema(
  document: JsonObject,
  parameters: readonly NamedParameter[],
  body: JsonBody | undefined,
): { schema: JsonObject; body: BodyShape | undefined } {
  for (let deepest = DEEPEST; deepest >= 0; deepest--) {
    try {
      const built = flatSchema(document, parameters, body, deepest);
      if (Buffer.byteLength(JSON.stringify(built.schema)) <= LARGEST_SCHEMA) return built;
    } catch (error) {
      if (!(error instanceof SchemaTooLarge)) throw error;
    }
  }
  throw new Unsupported('Its arguments take more than 32 KB to describe.');
}

function flatSchema(
  document: JsonObject,
  parameters: readonly NamedParameter[],
  body: JsonBody | undefined,
  deepest: number,
): { schema: JsonObject; body: BodyShape | undefined } {
  const properties = new Map<string, JsonObject>();
  const required: string[] = [];
  for (const { parameter, argument } of parameters) {
    const content = isObject(parameter.content) ? parameter.content['application/json'] : undefined;
    const schema = resolveSchema(document, isObject(content) ? content.schema : parameter.schema, deepest);
    const description = text(parameter.description, 500);
    properties.set(argument, description === '' ? schema : { ...schema, description });
    if (parameter.required === true || parameter.in === 'path') required.push(argument);
  }
  let shape: BodyShape | undefined;
  if (body !== undefined) {
    const schema = resolveSchema(document, body.schema, deepest);
    const fields = fieldsOf(schema, body.required, properties);
    if (fields === undefined) {
      const argument = properties.has('body') ? 'request_body' : 'body';
      properties.set(
        argument,
        body.description === '' ? schema : { ...schema, description: body.description },
      );
      if (body.required) required.push(argument);
      shape = { kind: 'whole', argument };
    } else {
      for (const [name, value] of fields) properties.set(name, value);
      required.push(...listOf(schema.required).filter((name) => typeof name === 'string'));
      shape = { kind: 'fields', arguments: fields.map(([name]) => name) };
    }
  }
  const schema: JsonObject = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { schema, body: shape };
}

const FLAT_KEYWORDS = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'title',
  'description',
  'default',
]);

/** The body's properties, if callers can be given them one by one without losing a rule of the body. */
function fieldsOf(
  schema: JsonObject,
  bodyRequired: boolean,
  taken: ReadonlyMap<string, JsonObject>,
): [string, JsonObject][] | undefined {
  if (!isObject(schema.properties) || (schema.type !== undefined && schema.type !== 'object'))
    return undefined;
  if (Object.keys(schema).some((keyword) => !FLAT_KEYWORDS.has(keyword))) return undefined;
  if (isObject(schema.additionalProperties)) return undefined;
  const names = Object.keys(schema.properties);
  const required = listOf(schema.required);
  if (names.length === 0 || (!bodyRequired && required.length > 0)) return undefined;
  if (required.some((name) => typeof name !== 'string' || !names.includes(name))) return undefined;
  if (names.some((name) => taken.has(name) || argumentName(name) !== name || isMethodOverride(name)))
    return undefined;
  return Object.entries(schema.properties).map(([name, value]) => [name, isObject(value) ? value : {}]);
}
