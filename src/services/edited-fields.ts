/** What an edit changed, field by field. Pure. */
import { canonicalHash } from '../canonical.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';

export interface ChangedField {
  /** Property names with a dot between; two at most. */
  readonly path: string;
  /** Undefined where it was not there, or is no longer. */
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

type Values = Readonly<Record<string, JsonValue>>;

const isObject = (value: JsonValue | undefined): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (values: Values, name: string): JsonValue | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalHash({ value: a }) === canonicalHash({ value: b });
}

/** In the order in which the arguments came; what was added follows. */
export function changedFields(before: Arguments, after: Arguments, under = ''): ChangedField[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): ChangedField[] => {
    const [old, now] = [own(before, name), own(after, name)];
    if (same(old, now)) return [];
    const path = `${under}${name}`;
    if (under === '' && isObject(old) && isObject(now)) return changedFields(old, now, `${name}.`);
    return [{ path, before: old, after: now }];
  });
}
