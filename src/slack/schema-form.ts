/** Makes forms of `blocks/parts/schema-form.ts` and reads them back into arguments. What nobody touched stays exactly as it was. */
import type { ViewOutput, ViewStateValue } from '@slack/bolt';
import { plain } from '../../blocks/inert.js';
import {
  type FormField,
  membersIn,
  readableName,
  type SchemaForm,
  schemaForm,
  withTyped,
} from '../../blocks/parts/schema-fields.js';
import { NOT_SET } from '../../blocks/parts/schema-form.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';
import type { Directory } from '../services/directory.js';

export interface FormReading {
  readonly args: Record<string, JsonValue>;
  /** Block id → what is wrong with what was typed there. */
  readonly problems: Record<string, string>;
}

type Entries = ViewOutput['state']['values'];
type Value = JsonValue | undefined;
type Parsed = { readonly value: Value } | { readonly problem: string };

/** Longer sentences do not fit under an input. */
const PROBLEM_ROOM = 280;
const PLACE_ROOM = 100;

/** What the input holds, as text; null when it is empty. */
function entryOf({ kind, block }: FormField, entries: Entries): string | null {
  const entry: ViewStateValue | undefined = Object.values(entries[block] ?? {})[0];
  if (!entry) return null;
  switch (kind) {
    case 'choice': {
      const chosen = entry.selected_option?.value ?? null;
      return chosen === NOT_SET ? null : chosen;
    }
    case 'date':
      return entry.selected_date ?? null;
    case 'moment':
      return typeof entry.selected_date_time === 'number' ? String(entry.selected_date_time) : null;
    default: {
      // Chosen or typed: whether somebody is a member may have been seen differently when the form was drawn.
      const text = entry.value ?? entry.selected_user ?? entry.selected_users?.join('\n') ?? '';
      return text === '' ? null : text;
    }
  }
}

/** Slack sends line ends as line feeds, and some clients drop blanks at the end. */
const comparable = (text: string | null): string | null =>
  text === null ? null : text.replaceAll('\r\n', '\n').trimEnd();

/** A menu of several people has no order of its own. */
const inAnyOrder = (ids: string | null): string | null => ids?.split('\n').sort().join('\n') ?? null;

function parsed(field: FormField, entry: string): Parsed {
  switch (field.kind) {
    case 'choice': {
      const choice = field.choices[Number(entry)];
      return choice ? { value: choice.value } : { problem: 'Choose one of the list.' };
    }
    case 'number': {
      const number = entry.trim() === '' ? Number.NaN : Number(entry);
      if (!Number.isFinite(number)) return { problem: 'This has to be a number.' };
      return field.whole && !Number.isInteger(number)
        ? { problem: 'This has to be a whole number.' }
        : { value: number };
    }
    case 'lines':
    case 'members':
      return {
        value: entry
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== ''),
      };
    case 'moment':
      return { value: new Date(Number(entry) * 1_000).toISOString().replace('.000Z', 'Z') };
    case 'json':
      try {
        return { value: JSON.parse(entry) as JsonValue };
      } catch {
        return { problem: 'This is not valid JSON.' };
      }
    default:
      return { value: entry };
  }
}

/** An input that was emptied takes the argument away, or leaves null or an empty list where one has to be. */
function emptied({ kind, required, nullable }: FormField): Value {
  if ((kind === 'lines' || kind === 'members') && required) return [];
  return nullable ? null : undefined;
}

function readingOf(field: FormField, entries: Entries): Parsed {
  const entry = entryOf(field, entries);
  const untouched = field.kind === 'members' ? inAnyOrder : comparable;
  if (untouched(entry) === untouched(field.initial)) return { value: field.value };
  return entry === null ? { value: emptied(field) } : parsed(field, entry);
}

function put(into: Record<string, JsonValue>, [name = '', inner]: readonly string[], value: Value): void {
  if (inner === undefined) {
    if (value === undefined) delete into[name];
    else define(into, name, value);
    return;
  }
  const before = Object.hasOwn(into, name) ? into[name] : undefined;
  const isObject = typeof before === 'object' && before !== null && !Array.isArray(before);
  if (!isObject && value === undefined) return;
  const object: Record<string, JsonValue> = isObject ? { ...before } : {};
  put(object, [inner], value);
  define(into, name, object);
}

/** As an own property, whatever its name. */
function define(into: Record<string, JsonValue>, name: string, value: JsonValue): void {
  Object.defineProperty(into, name, { value, enumerable: true, writable: true, configurable: true });
}

/**
 * The form of a function. Made again, with the same arguments, to read what was submitted.
 * @param isMember whether Slack knows this id as an active member, so that a menu may start with it
 */
export async function formFor(
  schema: Readonly<Record<string, unknown>>,
  args: Arguments,
  name: string,
  isMember: (id: string) => Promise<boolean>,
): Promise<SchemaForm> {
  const form = schemaForm(schema, args, name);
  const found = await Promise.all(membersIn(form).map(async (id) => ({ id, known: await isMember(id) })));
  const strangers = found.filter(({ known }) => !known).map(({ id }) => id);
  return strangers.length === 0 ? form : withTyped(form, new Set(strangers));
}

/** For `formFor`. Who cannot be looked up is typed. */
export function memberOf(directory: Directory): (id: string) => Promise<boolean> {
  return async (id) => (await directory.person(id).catch(() => null))?.active === true;
}

/** @param original the arguments that the form was filled with */
export function readSchemaForm(
  form: SchemaForm,
  original: Arguments,
  view: Pick<ViewOutput, 'state'>,
): FormReading {
  const args: Record<string, JsonValue> = { ...original };
  const problems: Record<string, string> = {};
  const emptiedObjects = new Set<string>();
  for (const field of form.fields) {
    if (field.fixed !== null) continue;
    const read = readingOf(field, view.state.values);
    if ('problem' in read) problems[field.block] = read.problem;
    else put(args, field.path, read.value);
    const [parent = '', inner] = field.path;
    if (inner !== undefined && field.value !== undefined) emptiedObjects.add(parent);
  }
  // An object is gone once everything that was in it is.
  for (const name of emptiedObjects) {
    const object = args[name];
    if (typeof object === 'object' && object !== null && Object.keys(object).length === 0) delete args[name];
  }
  return { args, problems };
}

/** The deepest of these fields that holds what is at this place. */
function holderOf(fields: readonly FormField[], parts: readonly string[]): FormField | undefined {
  return fields
    .filter(({ path }) => path.every((name, at) => parts[at] === name))
    .sort((a, b) => b.path.length - a.path.length)[0];
}

/** A place by the names that the form has for it, such as “To, entry 1”; empty for the whole. */
function placeIn(fields: readonly FormField[], parts: readonly string[]): string {
  const holder = holderOf(fields, parts);
  const inside = parts
    .slice(holder?.path.length ?? 0)
    .map((part) => (/^\d+$/.test(part) ? `entry ${Number(part) + 1}` : readableName(part)));
  const names = [...(holder ? [holder.label] : []), ...inside].filter((name) => name !== '');
  return names.length === 0 ? '' : plain(names.join(', '), PLACE_ROOM, 'ellipsis').text;
}

/** Where each problem that the function found is shown: at the input that it is about, else at the first. */
export function fieldProblems(
  form: SchemaForm,
  issues: readonly { readonly path: string; readonly message: string }[],
): Record<string, string> {
  const inputs = form.fields.filter(({ fixed }) => fixed === null);
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) {
    const parts = path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const fits = holderOf(inputs, parts);
    const block = (fits ?? inputs[0])?.block;
    if (block === undefined) continue;
    const place = fits?.path.length === parts.length ? '' : placeIn(form.fields, parts);
    const sentence = place === '' ? message : `${place}: ${message}`;
    const before = problems[block];
    problems[block] = [...(before ? `${before} ${sentence}` : sentence)].slice(0, PROBLEM_ROOM).join('');
  }
  return problems;
}
