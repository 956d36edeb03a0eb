/**
 * The fields of a form from a function's JSON Schema, made with zod or imported. Pure: the same schema and arguments
 * give the same fields, so whoever reads a submitted form makes it again and needs nothing but what was typed.
 * What an input cannot hold stays as it is, and the form says so.
 */
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { visible } from '../inert.js';
import { isNode, type Node, resolve } from './resolved-schema.js';

/** shared/SLACK.md §1c: what an input holds, in code points. */
const INPUT_CHARACTERS = 3_000;
/** A view has a hundred blocks; the rest is for what stands around the form. */
const MOST_FIELDS = 80;
/** Two code points of four bytes each still fit into a view (250 kB). */
const FORM_CHARACTERS = 40_000;
/** A menu has a hundred options, one of them for "not set". */
const MENU_CHOICES = 99;
/** Text of this length wants more than one line. */
const LONG_TEXT = 150;
/** Text that may be longer than this does, too: subjects, titles and names end here or before. */
const LONGEST_LINE = 255;
const LONG_NAMES = /^(?:body|text|content|message|description|comment|notes?|html|markdown|query|jql)$/i;
/** `format` of a text that is the id of a member of the workspace (`src/connectors/slack/fields.ts`). */
const MEMBER = 'slack-member';
/** What a menu of members can start with. */
const MEMBER_ID = /^[UW][A-Z0-9]{2,30}$/;
const ADDRESS = /^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/;

type Values = Readonly<Record<string, JsonValue>>;

export interface FieldChoice {
  readonly value: JsonValue;
  readonly label: string;
}

export interface FormField {
  readonly block: string;
  /** Property names from the arguments down; two at most. */
  readonly path: readonly string[];
  readonly label: string;
  readonly hint: string | null;
  readonly kind:
    | 'text'
    | 'email'
    | 'number'
    | 'choice'
    | 'lines'
    | 'member'
    | 'members'
    | 'date'
    | 'moment'
    | 'json';
  readonly multiline: boolean;
  /** Slack insists on an entry. */
  readonly required: boolean;
  readonly nullable: boolean;
  readonly whole: boolean;
  readonly min: number | null;
  /** Of a number; for members, how many there may be. */
  readonly max: number | null;
  readonly maxLength: number;
  /** The argument as it is; undefined when it is not given. */
  readonly value: JsonValue | undefined;
  /** As the input shows it; for a choice its index, for a moment Unix seconds, members one per line. Null for an empty input. */
  readonly initial: string | null;
  readonly choices: readonly FieldChoice[];
  /** Why it has no input; null when it has one. */
  readonly fixed: string | null;
}

export interface SchemaForm {
  readonly fields: readonly FormField[];
  /** Arguments that the form has no room for; they stay as they are. */
  readonly left: readonly string[];
}

const isObject = (value: JsonValue | undefined): value is Values => isNode(value);
const sizeOf = (text: string): number => [...text].length;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** `due_date` as a person reads it. */
export function readableName(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[_-]+/g, ' ')
    .trim();
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1);
}

type Shape = Pick<FormField, 'kind' | 'initial' | 'choices'>;
const shape = (
  kind: FormField['kind'],
  initial: string | null,
  choices: readonly FieldChoice[] = [],
): Shape => ({
  kind,
  initial,
  choices,
});

function choiceShape(values: readonly unknown[], value: JsonValue | undefined): Shape | null {
  const some = values.filter((each) => each !== null) as JsonValue[];
  if (some.length === 0 || some.length > MENU_CHOICES) return null;
  const choices = some.map((each) => ({
    value: each,
    label:
      typeof each === 'string'
        ? each
        : typeof each === 'boolean'
          ? each
            ? 'Yes'
            : 'No'
          : JSON.stringify(each),
  }));
  if (value === undefined || value === null) return shape('choice', null, choices);
  const at = some.findIndex((each) => same(each, value));
  return at < 0 ? null : shape('choice', String(at), choices);
}

/** Unix seconds that a picker takes: ten digits. A time without an offset is nobody's moment. */
function secondsOf(text: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/i.test(text)) return null;
  const seconds = Math.floor(Date.parse(text) / 1_000);
  return seconds >= 1_000_000_000 && seconds <= 9_999_999_999 ? String(seconds) : null;
}

function stringShape({ format }: Node, value: JsonValue | undefined): Shape | null {
  const kinds: Record<string, FormField['kind']> = {
    date: 'date',
    'date-time': 'moment',
    email: 'email',
    [MEMBER]: 'member',
  };
  if (value === undefined || value === null)
    return shape((typeof format === 'string' && kinds[format]) || 'text', null);
  if (typeof value !== 'string') return null;
  if (format === MEMBER && MEMBER_ID.test(value)) return shape('member', value);
  if (format === 'email' && ADDRESS.test(value)) return shape('email', value);
  if (format === 'date' && /^\d{4}-\d\d-\d\d$/.test(value)) return shape('date', value);
  const seconds = format === 'date-time' ? secondsOf(value) : null;
  return seconds === null ? shape('text', value) : shape('moment', seconds);
}

const isMember = (item: unknown): boolean => typeof item === 'string' && MEMBER_ID.test(item);

const isLine = (item: unknown): item is string =>
  typeof item === 'string' && item !== '' && item === item.trim() && !/[\r\n]/.test(item);

const repeats = (items: readonly unknown[]): boolean => new Set(items).size < items.length;

/** JSON in which what cannot be seen is written as `\u202e`: it means the same, and can be edited. */
function readableJson(value: JsonValue, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  if (visible(json) === json) return json;
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return [...json]
    .map((character) =>
      visible(character) === character ? character : character.split('').map(escaped).join(''),
    )
    .join('');
}

function jsonShape(value: JsonValue | undefined): Shape {
  if (value === undefined || value === null) return shape('json', null);
  const pretty = readableJson(value, 2);
  return shape('json', sizeOf(pretty) <= INPUT_CHARACTERS ? pretty : readableJson(value));
}

/** The input that fits the schema and the value; JSON text where none does. */
function shapeOf(node: Node, value: JsonValue | undefined, root: Node): Shape {
  const given = value === null ? undefined : value;
  if (Array.isArray(node.enum))
    return (
      choiceShape(node.enum, value) ?? (typeof given === 'string' ? shape('text', given) : jsonShape(value))
    );
  switch (node.type) {
    case 'boolean':
      return choiceShape([true, false], value) ?? jsonShape(value);
    case 'string':
      return stringShape(node, value) ?? jsonShape(value);
    case 'integer':
    case 'number':
      if (given === undefined) return shape('number', null);
      return typeof given === 'number' && /^-?\d{1,15}(?:\.\d{1,9})?$/.test(String(given))
        ? shape('number', String(given))
        : jsonShape(value);
    case 'array': {
      const items = resolve(node.items, root).node;
      if (items.type !== 'string') return jsonShape(value);
      const kind = items.format === MEMBER ? 'members' : 'lines';
      if (given === undefined) return shape(kind, null);
      if (kind === 'members' && Array.isArray(given) && given.every(isMember) && !repeats(given))
        return shape(kind, given.length === 0 ? null : given.join('\n'));
      return Array.isArray(given) && given.every(isLine)
        ? shape('lines', given.length === 0 ? null : given.join('\n'))
        : jsonShape(value);
    }
    default:
      return node.type === undefined && typeof given === 'string' ? shape('text', given) : jsonShape(value);
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
const boundOf = (value: unknown): number | null =>
  typeof value === 'number' && Math.abs(value) < 1e15 ? value : null;

const ONE_PER_LINE = 'One per line.';

/** As JSON, which hides nothing; a text in typographic quotes, as everywhere. */
const inWords = (value: unknown): string => JSON.stringify(value).replace(/^"(.*)"$/, '“$1”');

function hintOf(node: Node, { kind, initial }: Shape): string | null {
  const hidden =
    initial !== null &&
    (kind === 'text' || kind === 'lines') &&
    visible(initial) !== initial.replaceAll('\r', '');
  const parts = [
    textOf(node.description),
    ...(kind === 'lines' ? [ONE_PER_LINE] : []),
    ...(kind === 'json' ? ['JSON.'] : []),
    ...(node.default === undefined ? [] : [`If empty: ${inWords(node.default)}.`]),
    ...(hidden ? ['It holds characters that cannot be seen; Details shows them.'] : []),
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : parts.join(' ');
}

interface Place {
  readonly path: readonly string[];
  readonly labels: readonly string[];
  readonly required: boolean;
  readonly value: JsonValue | undefined;
}

/** Everything of a field but its block, which depends on its place among the others. */
type Draft = Omit<FormField, 'block' | 'fixed'>;

function draftsOf(schema: unknown, root: Node, at: Place): Draft[] {
  const { node, nullable } = resolve(schema, root);
  const { properties } = node;
  const inside = at.value === undefined || at.value === null ? {} : at.value;
  const nests =
    at.path.length === 1 &&
    isNode(properties) &&
    Object.keys(properties).length > 0 &&
    isObject(inside) &&
    Object.keys(inside).every((name) => Object.hasOwn(properties, name));
  if (nests) {
    const needed = at.required || at.value !== undefined ? requiredOf(node) : new Set<string>();
    return Object.entries(properties).flatMap(([name, each]) =>
      draftsOf(each, root, {
        path: [...at.path, name],
        labels: [...at.labels, labelOf(name, each, root)],
        required: needed.has(name),
        value: Object.hasOwn(inside, name) ? inside[name] : undefined,
      }),
    );
  }
  const found = shapeOf(node, at.value, root);
  const length = found.initial === null ? 0 : sizeOf(found.initial);
  const allowed = found.kind === 'text' ? (boundOf(node.maxLength) ?? INPUT_CHARACTERS) : INPUT_CHARACTERS;
  const name = at.path.at(-1) ?? '';
  const multiline =
    found.kind === 'lines' ||
    found.kind === 'json' ||
    (found.kind === 'text' &&
      (length > LONG_TEXT ||
        (found.initial?.includes('\n') ?? false) ||
        (boundOf(node.maxLength) ?? 0) > LONGEST_LINE ||
        LONG_NAMES.test(name)));
  const empty = at.value !== undefined && found.initial === null;
  return [
    {
      ...found,
      // An empty text is a value, and Slack would insist on another.
      initial: found.initial === '' ? null : found.initial,
      path: at.path,
      label: at.labels.join(' · '),
      hint: hintOf(node, found),
      multiline,
      required: at.required && !nullable && !empty && found.initial !== '',
      nullable,
      whole: node.type === 'integer',
      min: boundOf(node.minimum),
      max: boundOf(found.kind === 'members' ? node.maxItems : node.maximum),
      maxLength: Math.min(INPUT_CHARACTERS, Math.max(1, allowed, length)),
      value: at.value,
    },
  ];
}

function requiredOf(node: Node): Set<string> {
  return new Set(Array.isArray(node.required) ? node.required.map(String) : []);
}

function labelOf(name: string, schema: unknown, root: Node): string {
  return textOf(resolve(schema, root).node.title) || readableName(name);
}

/** Arguments that the schema does not name, such as a free-form object has. */
function unnamed(properties: Node, args: Values): Draft[] {
  return Object.entries(args)
    .filter(([name]) => !Object.hasOwn(properties, name))
    .flatMap(([name, value]) =>
      draftsOf({}, {}, { path: [name], labels: [readableName(name)], required: false, value }),
    );
}

/**
 * @param schema of the function's input
 * @param args that the form is filled with; `{}` for an empty form
 * @param name keeps what was typed into another form out of this one: Slack remembers entries by block id
 */
export function schemaForm(schema: Node, args: Arguments, name: string): SchemaForm {
  const { node } = resolve(schema, schema);
  const properties = isNode(node.properties) ? node.properties : {};
  const needed = requiredOf(node);
  const all = [
    ...Object.entries(properties).flatMap(([key, each]) =>
      draftsOf(each, schema, {
        path: [key],
        labels: [labelOf(key, each, schema)],
        required: needed.has(key),
        value: Object.hasOwn(args, key) ? args[key] : undefined,
      }),
    ),
    ...unnamed(properties, args),
  ];
  const urgent = (draft: Draft): number => (draft.required || draft.value !== undefined ? 0 : 1);
  const ordered = all.length > MOST_FIELDS ? [...all].sort((a, b) => urgent(a) - urgent(b)) : all;
  let room = FORM_CHARACTERS;
  const fields = ordered.slice(0, MOST_FIELDS).map((draft, index): FormField => {
    const length = draft.initial === null ? 0 : sizeOf(draft.initial);
    const tooLong = length > INPUT_CHARACTERS;
    const fixed = tooLong
      ? `${length.toLocaleString('en')} characters, more than an input holds (${INPUT_CHARACTERS.toLocaleString('en')})`
      : length > room
        ? 'this form has no more room'
        : null;
    if (fixed === null) room -= length;
    return { ...draft, block: `arg:${name}:${index}`, fixed };
  });
  return { fields, left: ordered.slice(MOST_FIELDS).map(({ label }) => label) };
}

/** Ids that menus of members would start with. */
export function membersIn({ fields }: SchemaForm): string[] {
  const named = fields.filter(({ kind }) => kind === 'member' || kind === 'members');
  return [...new Set(named.flatMap(({ initial }) => initial?.split('\n') ?? []))];
}

/** The same form with ids typed instead of chosen where one is a stranger's: Slack shows no menu that starts with one. */
export function withTyped({ fields, left }: SchemaForm, strangers: ReadonlySet<string>): SchemaForm {
  const isStrange = ({ initial }: FormField): boolean =>
    initial?.split('\n').some((id) => strangers.has(id)) ?? false;
  const typed = (field: FormField): FormField => {
    if (field.kind === 'member' && isStrange(field)) return { ...field, kind: 'text' };
    if (field.kind !== 'members' || !isStrange(field)) return field;
    const hint = field.hint === null ? ONE_PER_LINE : `${field.hint} ${ONE_PER_LINE}`;
    return { ...field, kind: 'lines', multiline: true, hint };
  };
  return { fields: fields.map(typed), left };
}
