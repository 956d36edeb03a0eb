import { LIMITS, type Limit, type LimitId, type Surface } from './limits.js';

/**
 * One refusal, in the shape of Slack's `blocks.validate`: where (a JSON pointer, RFC 6901), what a person can do
 * about it, and which constraint: a leaf of `LIMITS` (`button.text.max_length`), a rule across fields
 * (`image.source`), or one of `type`, `required`, `unknown_property`, `format`.
 */
export interface ValidationError {
  readonly pointer: string;
  readonly message: string;
  readonly constraint: string;
}

/** What one validation collects while it walks a payload. */
export interface Run {
  readonly surface: Surface;
  readonly errors: ValidationError[];
  readonly blockIds: Set<string>;
  /** Of the block being walked. */
  actionIds: Set<string>;
  focused: number;
  markdownLength: number;
  tables: number;
  charts: number;
}

export const newRun = (surface: Surface): Run => ({
  surface,
  errors: [],
  blockIds: new Set(),
  actionIds: new Set(),
  focused: 0,
  markdownLength: 0,
  tables: 0,
  charts: 0,
});

/** Looks at one value at one place and reports into the run. */
export type Rule = (value: unknown, at: string, run: Run) => void;

/** The value as parsed from JSON: an object that is not an array. */
export type Fields = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const refuse = (run: Run, pointer: string, constraint: string, message: string): void => {
  run.errors.push({ pointer, message, constraint });
};

/** Unicode code points, as Slack counts; UTF-16 units are never fewer, so short strings need no walk. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

const noun = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

export function checkLength(text: string, id: LimitId, at: string, run: Run): void {
  const { min_length: min, max_length: max }: Limit = LIMITS[id];
  if (min !== undefined && text.length < min) {
    refuse(run, at, `${id}.min_length`, `must be at least ${noun(min, 'character')}`);
  }
  if (max !== undefined && text.length > max && codePoints(text) > max) {
    refuse(run, at, `${id}.max_length`, `must be at most ${noun(max, 'character')}`);
  }
}

export function checkCount(count: number, id: LimitId, at: string, run: Run): void {
  const { min_items: min, max_items: max }: Limit = LIMITS[id];
  if (min !== undefined && count < min) {
    refuse(run, at, `${id}.min_items`, `must have at least ${noun(min, 'item')}`);
  }
  if (max !== undefined && count > max) {
    refuse(run, at, `${id}.max_items`, `must have at most ${noun(max, 'item')}`);
  }
}

export const anything: Rule = () => {};

export const boolean: Rule = (value, at, run) => {
  if (typeof value !== 'boolean') refuse(run, at, 'type', 'must be true or false');
};

/** A string, within a row of the table if one is named. */
export const string =
  (id?: LimitId): Rule =>
  (value, at, run) => {
    if (typeof value !== 'string') refuse(run, at, 'type', 'must be a string');
    else if (id !== undefined) checkLength(value, id, at, run);
  };

/** A string of a given form; `form` says it in words, for the message. */
export const matching =
  (pattern: RegExp, form: string): Rule =>
  (value, at, run) => {
    if (typeof value !== 'string') refuse(run, at, 'type', 'must be a string');
    else if (!pattern.test(value)) refuse(run, at, 'format', `must be ${form}`);
  };

export const oneOf = (...allowed: readonly (string | number)[]): Rule => {
  const known = new Set<unknown>(allowed);
  return (value, at, run) => {
    if (!known.has(value)) refuse(run, at, 'format', `must be one of: ${allowed.join(', ')}`);
  };
};

const inRange = (value: number, id: LimitId, at: string, run: Run): void => {
  const { min, max, exclusive_min: above }: Limit = LIMITS[id];
  if (min !== undefined && value < min) refuse(run, at, `${id}.min`, `must be at least ${min}`);
  if (max !== undefined && value > max) refuse(run, at, `${id}.max`, `must be at most ${max}`);
  if (above !== undefined && value <= above) {
    refuse(run, at, `${id}.exclusive_min`, `must be greater than ${above}`);
  }
};

export const number =
  (id?: LimitId): Rule =>
  (value, at, run) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) refuse(run, at, 'type', 'must be a number');
    else if (id !== undefined) inRange(value, id, at, run);
  };

export const integer =
  (id?: LimitId): Rule =>
  (value, at, run) => {
    if (!Number.isSafeInteger(value)) refuse(run, at, 'type', 'must be a whole number');
    else number(id)(value, at, run);
  };

export const list =
  (item: Rule, id?: LimitId): Rule =>
  (value, at, run) => {
    if (!Array.isArray(value)) {
      refuse(run, at, 'type', 'must be an array');
      return;
    }
    if (id !== undefined) checkCount(value.length, id, at, run);
    for (let index = 0; index < value.length; index += 1) item(value[index], `${at}/${index}`, run);
  };

/** A check across the fields of an object; runs after each field was looked at by itself. */
export type Across = (fields: Fields, at: string, run: Run) => void;

const REQUIRED = Symbol('required');
type Field = Rule | { readonly [REQUIRED]: Rule };

export const required = (rule: Rule): Field => ({ [REQUIRED]: rule });

const pointerToken = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** An object with these fields and no others. A field that is `undefined` counts as absent: JSON drops it. */
export function object(fields: Readonly<Record<string, Field>>, ...across: readonly Across[]): Rule {
  const rules = new Map<string, Rule>();
  const needed: string[] = [];
  for (const [key, field] of Object.entries(fields)) {
    rules.set(key, typeof field === 'function' ? field : field[REQUIRED]);
    if (typeof field !== 'function') needed.push(key);
  }
  return (value, at, run) => {
    if (!isObject(value)) {
      refuse(run, at, 'type', 'must be an object');
      return;
    }
    for (const key of needed) {
      if (value[key] === undefined) refuse(run, `${at}/${key}`, 'required', 'is required');
    }
    for (const key of Object.keys(value)) {
      const field = value[key];
      if (field === undefined) continue;
      const rule = rules.get(key);
      if (rule) rule(field, `${at}/${key}`, run);
      else refuse(run, `${at}/${pointerToken(key)}`, 'unknown_property', 'is not a known property');
    }
    for (const check of across) check(value, at, run);
  };
}

/** Objects told apart by their `type`; any other type is refused with `constraint`. */
export function union(constraint: string, kinds: Readonly<Record<string, Rule>>): Rule {
  const rules = new Map(Object.entries(kinds));
  const names = [...rules.keys()].join(', ');
  return (value, at, run) => {
    if (!isObject(value)) {
      refuse(run, at, 'type', 'must be an object');
      return;
    }
    const rule = typeof value.type === 'string' ? rules.get(value.type) : undefined;
    if (rule) rule(value, at, run);
    else refuse(run, `${at}/type`, constraint, `must be one of: ${names}`);
  };
}

/** Exactly one of the fields must be there. */
export const exactlyOne =
  (constraint: string, ...names: readonly string[]): Across =>
  (fields, at, run) => {
    const given = names.filter((name) => fields[name] !== undefined).length;
    if (given !== 1) refuse(run, at, constraint, `must have exactly one of: ${names.join(', ')}`);
  };

/** At least one of the fields must be there. */
export const someOf =
  (constraint: string, ...names: readonly string[]): Across =>
  (fields, at, run) => {
    if (names.every((name) => fields[name] === undefined)) {
      refuse(run, at, constraint, `must have at least one of: ${names.join(', ')}`);
    }
  };

/** Equality of two JSON values, whatever the order of their keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => sameJson(a[key], b[key]));
  }
  return a === b;
}
