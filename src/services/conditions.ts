/**
 * Conditions of policy rules: "only when a recipient is outside the company". A fixed set of fields, each described
 * once (docs/conditions.md is made of the table), and comparisons of them, evaluated in `condition-truth.ts`. Pure: the clock and who is who come in.
 *
 * A field may be unknown: no arguments yet (a listing), a look-up that failed, an amount that is no number, recipients
 * that cannot be told. Then the rule may hold or not, and whoever asks has to be ready for the strictest of what may be.
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
  /** It reaches people whom the arguments do not name (`FunctionDefinition.reachesUnnamed`). */
  readonly reachesUnnamed?: boolean | undefined;
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
/** Other characters that mail systems may take for an at-sign, as Unicode does (NFKC). */
const AT_SIGN = /[@＠﹫]/;
/**
 * An address by itself, with nothing next to it that could be a part of it. Quotes, comments, literals and spaces may
 * stand inside of one (RFC 5322, 3.4.1): `"x@corp.example"@evil.example` goes to `evil.example`.
 */
const PLAIN_ADDRESS =
  /(?<=^|[\s,;:<'])[^\s@＠﹫<>,;:"'()[\]\\]+(?:@[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*\.?)+(?=[\s,;<>']|$)(?!\s+[.([@])/gu;
const INSIDE_ADDRESS = /["()[\]\\＠﹫]|\s@|@\s/;
const AMOUNT_NAME = /(?:^|_)(?:amount|total|price|sum|cost|subtotal|fee|payment)s?\d*(?:$|_)/i;

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

/** Quoted parts as a word, and neither comments nor spaces before a domain. In linear time. */
function asMailReads(value: string): string {
  return value
    .replace(/[＠﹫]/g, '@')
    .replace(/"[^"]*"/g, 'q')
    .replace(/\([^()]*\)/g, '')
    .replace(/(\S)\s*@\s*(?=[^\s@]+\.[^\s@])/g, '$1@');
}

/**
 * An at-sign is left once the plain addresses are taken out: some mail system reads an address there, and nobody can say
 * which. Under other names than a recipient's only where the whole value is meant as addresses: a text may hold anything.
 */
function hidesAddress(value: string, name: string): boolean {
  if (!AT_SIGN.test(value)) return false;
  const isLeft = AT_SIGN.test(value.replace(PLAIN_ADDRESS, ''));
  if (RECIPIENT_NAME.test(name)) return isLeft;
  if (!isOnlyAddresses(asMailReads(value))) return false;
  return !isOnlyAddresses(value) || (isLeft && INSIDE_ADDRESS.test(value));
}

/** There may be more recipients than `recipientsOf` finds: in how an address is written, or as names of members. */
function hidesRecipients(value: JsonValue, name = ''): boolean {
  if (typeof value === 'string') return hidesAddress(value, name);
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some((each) => hidesRecipients(each, name));
  return Object.entries(value).some(
    ([key, each]) =>
      (RECIPIENT_NAME.test(name) && AT_SIGN.test(key.slice(1))) || hidesRecipients(each, plainName(key)),
  );
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

/**
 * The largest under an amount's name or anywhere below it, whatever its sign; null where nothing is called so. Unknown
 * when something is and no number can be read, or a text beside the number may be the amount.
 */
function largestAmount(value: JsonValue, name = '', below = false): number | Unknown | null {
  const named = AMOUNT_NAME.test(name);
  if (value === null || typeof value === 'boolean') return null;
  if (typeof value !== 'object') {
    if (!named && !below) return null;
    const amount = numberIn(value);
    if (amount !== UNKNOWN) return Math.abs(amount);
    return named || /\p{N}/u.test(String(value)) ? UNKNOWN : null;
  }
  const inside = Array.isArray(value)
    ? value.map((each) => largestAmount(each, name, below))
    : Object.entries(value).map(([key, each]) => largestAmount(each, plainName(key), below || named));
  if (inside.includes(UNKNOWN)) return UNKNOWN;
  const known = inside.filter((each) => typeof each === 'number');
  if (known.length > 0) return known.reduce((one, other) => Math.max(one, other));
  return named && inside.length > 0 ? UNKNOWN : null;
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

/** Unknown where not every recipient can be told from the arguments. */
const withRecipients = (value: (recipients: readonly string[], facts: Facts) => number | Unknown) =>
  withArguments((args, facts) =>
    facts.reachesUnnamed || hidesRecipients(args) ? UNKNOWN : value(recipientsOf(args), facts),
  );

/** The fields there are. `argument.<pointer>` is the last: any argument by its place. */
export const FIELDS: readonly Field[] = [
  {
    name: 'outside_recipients',
    kind: 'number',
    about:
      'How many mail addresses among the arguments are outside the company’s domains (those of the settings; without any, those of the mail addresses of admins and owners, public mail services left out).',
    value: withRecipients((recipients, { companyDomains }) =>
      companyDomains ? recipients.filter((each) => isOutside(each, companyDomains)).length : UNKNOWN,
    ),
  },
  {
    name: 'recipients',
    kind: 'number',
    about: 'How many different mail addresses are recipients, attendees or members in the arguments.',
    value: withRecipients((recipients) => recipients.length),
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
      'The largest number under a name like amount, total, prices or cost1, or below it (`amount.value`), whatever its sign; 0 where there is none.',
    value: withArguments((args) => largestAmount(args) ?? 0),
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
