/** What a PUT, PATCH or DELETE points at, read with the GET that the document has for the same path. */
import { canonicalHash } from '../../canonical.js';
import type {
  Arguments,
  FunctionDefinition,
  JsonValue,
  Observation,
  ObservedField,
  UpstreamResponse,
} from '../framework.js';
import { readableLines } from '../lines.js';
import { expectOk } from '../upstream.js';
import { askingForJson, isJson } from './answer.js';
import type { ImportedOperation } from './operation.js';
import { buildRequest } from './request.js';
import { isFootprint } from './settable.js';

/** A card that shows more is not read. */
const MOST_FIELDS = 20;
const SHORT = 80;

export function observeTarget(
  operation: ImportedOperation,
  { baseUrl }: { readonly baseUrl: string },
): NonNullable<FunctionDefinition['observe']> {
  if (operation.method === 'POST') return { none: 'A POST names nothing that could be read first.' };
  if (operation.readable !== true) return { none: 'The document has no GET for what it changes.' };
  const read: ImportedOperation = {
    ...withoutBody(operation),
    method: 'GET',
    parameters: operation.parameters.filter((parameter) => parameter.in === 'path'),
  };
  const { host } = new URL(baseUrl);
  return {
    condition: 'If-Match',
    read: async (context, args) => {
      const response = expectOk(await context.fetch(askingForJson(buildRequest(read, baseUrl, args))), host);
      const { condition, ...seen } = observation(response, changesOf(operation, args), operation);
      // A condition of the caller's own goes out as it was approved, so ours cannot (`If-Match: *` would hold to nothing).
      return condition === undefined || setsCondition(operation, args) ? seen : { ...seen, condition };
    },
  };
}

function setsCondition({ parameters }: ImportedOperation, args: Arguments): boolean {
  return parameters.some(
    ({ in: place, name, argument }) =>
      place === 'header' && name.toLowerCase() === 'if-match' && args[argument] !== undefined,
  );
}

function withoutBody({ body: _, ...operation }: ImportedOperation): ImportedOperation {
  return operation;
}

/** What the call says about the target, by field. */
function changesOf({ body }: ImportedOperation, args: Arguments): Arguments {
  if (body === undefined) return {};
  if (body.kind === 'fields') {
    return Object.fromEntries(
      body.arguments.flatMap((name): [string, JsonValue][] =>
        args[name] === undefined ? [] : [[name, args[name]]],
      ),
    );
  }
  const whole = args[body.argument];
  return isObject(whole) ? whole : {};
}

/**
 * Fields that the call changes come first, then the others as the system answers them. A strong ETag is the version. A
 * weak one is none where the document tells what can be set: frameworks make it from the whole answer, counters
 * included, and no write can be made conditional on it (RFC 9110, 13.1.1).
 */
function observation(
  response: UpstreamResponse,
  changes: Arguments,
  { method, settable }: ImportedOperation,
): Observation {
  const tag = /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.exec(response.headers.etag?.trim() ?? '');
  const content = contentOf(response);
  const fields = fieldsOf(content, changes, settable);
  if (tag !== null && tag[1] === undefined) return { fields, version: tag[0], condition: tag[0] };
  if (settable === undefined || !isObject(content)) return { fields, version: tag?.[0] ?? '' };
  // What a PATCH does not name, it leaves alone.
  return { fields, version: method === 'PATCH' ? '' : unshown(content, settable, fields) };
}

function contentOf(response: UpstreamResponse): JsonValue {
  return isJson(response) ? response.json() : response.text();
}

function fieldsOf(
  content: JsonValue,
  changes: Arguments,
  settable: readonly string[] | undefined,
): ObservedField[] {
  if (!isObject(content)) {
    const lines = readableLines(content).slice(0, MOST_FIELDS);
    return content === '' ? [] : [{ label: 'Now', value: lines.join('\n'), kind: 'long' }];
  }
  const changed = Object.keys(changes).filter((name) => Object.hasOwn(content, name));
  const rest = Object.keys(content).filter((name) => !changed.includes(name) && isTold(content[name]));
  const footprint = (name: string): boolean =>
    !changed.includes(name) && (settable ? !settable.includes(name) : isFootprint(name));
  return [...changed, ...rest].slice(0, MOST_FIELDS).map((name) => {
    const value = shown(content[name] ?? null);
    const after = changes[name] === undefined ? value : shown(changes[name]);
    return {
      label: name,
      value,
      kind: kindOf(value),
      ...(after !== value && { after }),
      ...(footprint(name) && { footprint: true as const }),
    };
  });
}

/** A digest of what can be set and stands on no card, nested or too much; `''` where there is nothing of the kind. */
function unshown(content: Arguments, settable: readonly string[], fields: readonly ObservedField[]): string {
  const labels = new Set(fields.map(({ label }) => label));
  const left = settable.filter((name) => Object.hasOwn(content, name) && !labels.has(name));
  return left.length === 0 ? '' : canonicalHash(left.sort().map((name) => [name, content[name] ?? null]));
}

/** Nested objects and addresses of other things say little about this one. */
function isTold(value: JsonValue | undefined): boolean {
  return typeof value === 'object' ? value === null : !/^https?:\/\//.test(String(value));
}

function shown(value: JsonValue): string {
  return readableLines(value).join('\n');
}

function kindOf(value: string): ObservedField['kind'] {
  return value.includes('\n') || value.length > SHORT ? 'long' : 'short';
}

function isObject(value: JsonValue | undefined): value is Arguments {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
