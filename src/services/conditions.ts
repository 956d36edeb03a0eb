/**
 * Conditions of policy rules: "only when a recipient is outside the company". A fixed set of fields, each described
 * once (docs/conditions.md is made of the table), and comparisons of them, evaluated in `condition-truth.ts`. Pure: the clock and who is who come in.
 *
 * A field may be unknown: no arguments yet (a listing), a look-up that failed, an amount that is no number. Then the
 * rule may hold or not, and whoever asks has to be ready for the strictest of what may be.
 */
import type { PolicyRule, Risk } from '../../models/types.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';

export type Condition = NonNullable<PolicyRule['when']>;
export type Truth = boolean | 'unknown';
export type Value = string | number | boolean | null;

/** What is known about a call besides its arguments; what is left out is unknown. */
export interface Known {
  readonly now?: Date | undefined;
  /** IANA name. */
  readonly timeZone?: string | undefined;
  /** Lower case; null when they could not be looked up. */
  readonly companyDomains?: readonly string[] | null | undefined;
  readonly callerName?: string | undefined;
}

export interface Facts extends Known {
  readonly function: string;
  readonly risk: Risk;
  readonly args?: Arguments | undefined;
}

export interface Field {
  readonly name: string;
  readonly kind: 'number' | 'text' | 'any';
  readonly about: string;
  readonly value: (facts: Facts, name: string) => Value | Unknown;
}

/** Told apart from the text “unknown”, which an argument may well be. */
export const UNKNOWN = Symbol('unknown');
export type Unknown = typeof UNKNOWN;

const BETWEEN_ADDRESSES = /[\s<>,;:"'()[\]]+/;
/** With a name, it stands in angle brackets. */
const ONE_ADDRESS = /^(?:[^@<>]*<[^\s@<>]+@[^\s<>]+>|[^\s@<>]+@[^\s<>]+)$/;
const RECIPIENT_NAME =
  /^(?:to|cc|bcc|recipients?|attendees?|invitees?|guests?|members?|e?mails?|(?:e?mail|to|cc|bcc|recipient|attendee|user|member|grantee)_?(?:address(?:es)?|e?mails?))$/i;
const AMOUNT_NAME = /(?:^|_)(?:amount|total|price|sum|cost|subtotal|fee|payment)(?:$|_)/i;

/** Names as `to_addresses`, however the system writes them. */
const plainName = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-\s.]+/g, '_')
    .toLowerCase();

/** Every leaf of the arguments, with the nearest name above it. */
export function* leaves(value: JsonValue, name = ''): Generator<{ name: string; value: JsonValue }> {
  if (Array.isArray(value)) for (const each of value) yield* leaves(each, name);
  else if (value !== null && typeof value === 'object')
    for (const [key, each] of Object.entries(value)) yield* leaves(each, plainName(key));
  else yield { name, value };
}

/** One address, or several with commas or semicolons between. In linear time: callers choose the text. */
function isOnlyAddresses(value: string): boolean {
  if (!value.includes('@')) return false;
  const parts = value.split(/[,;]/).map((part) => part.trim());
  if (parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts.every((part) => ONE_ADDRESS.test(part));
}

/** Addresses under a recipient's name, and whatever consists of nothing but addresses. Lower case, each once. */
export function recipientsOf(args: Arguments): readonly string[] {
  const found = new Set<string>();
  for (const { name, value } of leaves(args)) {
    if (typeof value !== 'string' || !(RECIPIENT_NAME.test(name) || isOnlyAddresses(value))) continue;
    for (const word of value.split(BETWEEN_ADDRESSES)) {
      if (word.slice(1, -1).includes('@')) found.add(word.toLowerCase());
    }
  }
  return [...found];
}

/** An address of the company ends in one of its domains, or in a part of one. Two `@` are nobody's. */
export function isOutside(address: string, domains: readonly string[]): boolean {
  const parts = address.toLowerCase().split('@');
  const domain = parts[1] ?? '';
  if (parts.length !== 2 || domain === '') return true;
  return !domains.some((own) => domain === own || domain.endsWith(`.${own}`));
}

function longestList(value: JsonValue): number {
  if (Array.isArray(value)) return Math.max(value.length, ...value.map(longestList));
  if (value === null || typeof value !== 'object') return 0;
  return Math.max(0, ...Object.values(value).map(longestList));
}

/** The largest, whatever its sign; unknown when something that is called an amount is no number. */
function largestAmount(args: Arguments): number | Unknown {
  let largest = 0;
  for (const { name, value } of leaves(args)) {
    if (!AMOUNT_NAME.test(name) || value === null || typeof value === 'boolean') continue;
    const amount = numberIn(value);
    if (amount === UNKNOWN) return UNKNOWN;
    largest = Math.max(largest, Math.abs(amount));
  }
  return largest;
}

export function numberIn(value: JsonValue): number | Unknown {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return UNKNOWN;
  const number = Number(value);
  return Number.isFinite(number) ? number : UNKNOWN;
}

/** JSON pointer, RFC 6901, without or with its first slash. Null where nothing is. */
export function at(args: Arguments, pointer: string): JsonValue {
  const path = pointer.startsWith('/') ? pointer.slice(1) : pointer;
  let value: JsonValue = args;
  for (const step of path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return null;
    value = (value as Record<string, JsonValue>)[step] ?? null;
  }
  return value;
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function localTime({ now, timeZone }: Facts, part: 'hour' | 'weekday'): number | Unknown {
  if (!now || timeZone === undefined) return UNKNOWN;
  try {
    const options = part === 'hour' ? { hour: '2-digit', hourCycle: 'h23' } : { weekday: 'short' };
    const text = new Intl.DateTimeFormat('en-US', {
      timeZone,
      ...(options as Intl.DateTimeFormatOptions),
    }).format(now);
    return part === 'hour' ? Number(text) : WEEKDAYS.indexOf(text) + 1;
  } catch {
    return UNKNOWN;
  }
}

const withArguments =
  (value: (args: Arguments, facts: Facts) => Value | Unknown) =>
  (facts: Facts): Value | Unknown =>
    facts.args ? value(facts.args, facts) : UNKNOWN;

/** The fields there are. `argument.<pointer>` is the last: any argument by its place. */
export const FIELDS: readonly Field[] = [
  {
    name: 'outside_recipients',
    kind: 'number',
    about:
      'How many mail addresses among the arguments are outside the company’s domains (those of the settings; without any, those of the mail addresses of admins and owners, public mail services left out).',
    value: withArguments((args, { companyDomains }) =>
      companyDomains ? recipientsOf(args).filter((each) => isOutside(each, companyDomains)).length : UNKNOWN,
    ),
  },
  {
    name: 'recipients',
    kind: 'number',
    about: 'How many different mail addresses are recipients, attendees or members in the arguments.',
    value: withArguments((args) => recipientsOf(args).length),
  },
  {
    name: 'rows',
    kind: 'number',
    about: 'The length of the longest list in the arguments: rows, ids, items.',
    value: withArguments((args) => longestList(args)),
  },
  {
    name: 'amount',
    kind: 'number',
    about:
      'The largest number under a name like amount, total, price or cost, whatever its sign; 0 where there is none.',
    value: withArguments((args) => largestAmount(args)),
  },
  {
    name: 'hour',
    kind: 'number',
    about: 'The hour of the day, 0 to 23, in the time zone of the connection’s owner.',
    value: (facts) => localTime(facts, 'hour'),
  },
  {
    name: 'weekday',
    kind: 'number',
    about: 'The day of the week, 1 (Monday) to 7 (Sunday), in the time zone of the connection’s owner.',
    value: (facts) => localTime(facts, 'weekday'),
  },
  {
    name: 'risk',
    kind: 'text',
    about: '`read`, `write` or `destructive`, for these arguments.',
    value: ({ risk }) => risk,
  },
  {
    name: 'caller',
    kind: 'text',
    about: 'The name of the caller.',
    value: ({ callerName }) => callerName ?? UNKNOWN,
  },
  { name: 'function', kind: 'text', about: 'The name of the function.', value: (facts) => facts.function },
  {
    name: 'argument.<pointer>',
    kind: 'any',
    about:
      'One argument, by its JSON pointer without the first slash: `argument.project`, `argument.event/summary`. Nothing where there is none; a list or an object as its JSON text.',
    value: (facts, name) => {
      if (!facts.args) return UNKNOWN;
      const found = at(facts.args, name.slice(ARGUMENT.length));
      return found !== null && typeof found === 'object' ? JSON.stringify(found) : found;
    },
  },
];

export const ARGUMENT = 'argument.';

export const OPERATORS = {
  '=': 'is',
  '!=': 'is not',
  '>': 'more than',
  '>=': 'at least',
  '<': 'less than',
  '<=': 'at most',
  in: 'one of',
  'not in': 'none of',
  contains: 'contains',
} as const;
export type Operator = keyof typeof OPERATORS;

export function isOperator(op: string): op is Operator {
  return Object.hasOwn(OPERATORS, op);
}

/** Null when there is no such field. */
export function fieldNamed(name: string): Field | null {
  const own = name.startsWith(ARGUMENT) && name.length > ARGUMENT.length ? 'argument.<pointer>' : name;
  return FIELDS.find((field) => field.name === own) ?? null;
}

/** A sentence about the first problem; null when it can be evaluated. */
export function conditionProblem({ comparisons }: Condition): string | null {
  if (comparisons.length === 0) return 'a condition has at least one comparison';
  if (comparisons.length > 20) return 'a condition has at most 20 comparisons';
  for (const { field, op, value } of comparisons) {
    const known = fieldNamed(field);
    if (!known) return `there is no field “${field}”`;
    if (!isOperator(op)) return `there is no operator “${op}”`;
    if ((op === 'in' || op === 'not in') !== Array.isArray(value)) return `“${op}” and its value do not fit`;
    const numeric = known.kind === 'number' || ['>', '>=', '<', '<='].includes(op);
    const values = Array.isArray(value) ? value : [value];
    if (numeric && values.some((each) => each === '' || !Number.isFinite(Number(each))))
      return `“${field} ${op}” wants a number`;
    if (known.kind === 'number' && op === 'contains') return `“${field}” is a number`;
  }
  return null;
}

/** Which facts have to be gathered for it. */
export function uses(condition: Condition, ...names: readonly string[]): boolean {
  return condition.comparisons.some(({ field }) => names.includes(field));
}
