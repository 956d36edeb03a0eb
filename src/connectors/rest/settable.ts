/**
 * Which fields of a target are somebody's doing and which the system keeps by itself. "Counters and last opened" void
 * no approval, and an API without ETags has nothing but its fields to tell a change by: so what a PUT or PATCH of the
 * same path can set is held to, and where the document does not say what that is, all but what is named like a counter.
 */
import type { JsonValue } from '../framework.js';
import type { ImportedOperation } from './operation.js';
import { isObject, listOf } from './schema.js';

/** As many as one operation may have arguments. */
const MOST_FIELDS = 500;
const LONGEST_NAME = 256;

/**
 * By path: the top-level fields that its PUT and PATCH can set, without what is `readOnly` (an import leaves that out).
 * A path is missing where one of them takes a body of any fields, or none does.
 */
export function settableByPath(
  operations: readonly Omit<ImportedOperation, 'name'>[],
): ReadonlyMap<string, readonly string[]> {
  const setting = operations.filter(({ method, body }) => /^(PUT|PATCH)$/.test(method) && body !== undefined);
  const paths = [...new Set(setting.map(({ path }) => path))];
  return new Map(
    paths.flatMap((path): [string, readonly string[]][] => {
      const each = setting.filter((one) => one.path === path).map(bodyFields);
      const known = [...new Set(each.flatMap((names) => names ?? []))].filter(isNameable);
      return each.includes(null) || known.length === 0 || known.length > MOST_FIELDS ? [] : [[path, known]];
    }),
  );
}

const isNameable = (name: string): boolean => name !== '' && name.length <= LONGEST_NAME;

function bodyFields({ body, inputSchema }: Omit<ImportedOperation, 'name'>): readonly string[] | null {
  if (body === undefined) return [];
  if (body.kind === 'fields') return body.arguments;
  return fieldsOf(isObject(inputSchema.properties) ? inputSchema.properties[body.argument] : undefined);
}

/** Null where it may have any. */
function fieldsOf(schema: JsonValue | undefined): readonly string[] | null {
  if (!isObject(schema) || schema.additionalProperties === true || isObject(schema.additionalProperties))
    return null;
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => listOf(schema[key]).map(fieldsOf));
  const own = isObject(schema.properties) ? Object.keys(schema.properties) : [];
  const all = [...own, ...parts.flatMap((names) => names ?? [])];
  return parts.includes(null) || all.length === 0 ? null : all;
}

const SEEN = '(opened|viewed|accessed|visited|seen|read|played|downloaded|used)';
const LAST = new RegExp(
  `^last_?${SEEN}|^${SEEN}_(at|on|by|time|date)$|^last_(access|visit|view|open|use)(_|$)`,
);
const COUNTER =
  /(^|_)(views|hits|visits|downloads|clicks|impressions|plays|(view|hit|visit|download|click|open|read|play|access|impression)s?_(count|counter|total))$/;

/** A counter of visits or the time of the last one, by its name: `viewCount`, `downloads`, `last_opened_at`. */
export function isFootprint(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-\s.]/g, '_')
    .toLowerCase();
  return LAST.test(words) || COUNTER.test(words);
}
