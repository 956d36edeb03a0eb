/** Arguments and card lines that several Jira functions share. Limits: shared/CONNECTORS.md, 4.5. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { long, oneLine, plainCard, short } from '../fields.js';
import type {
  CallContext,
  CardField,
  FunctionDefinition,
  JsonValue,
  Observation,
  ObservedField,
} from '../framework.js';
import { type JsonObject, objectOf } from '../json.js';
import { readableLines } from '../lines.js';
import { isConvertible, markdownToDocument } from './adf.js';
import { callJira, SCOPES } from './api.js';
import { issueLine } from './issue.js';

export const issueKey = z
  .string()
  .regex(/^(?:[A-Za-z]\w{0,63}-)?\d{1,18}$/, 'is not the key (HELP-12) or id of an issue');
export const projectKey = z
  .string()
  .regex(/^(?:[A-Za-z]\w{0,63}|\d{1,18})$/, 'is not the key (HELP) or id of a project');
export const numericId = z.string().regex(/^\d{1,18}$/, 'is not an id');
export const accountId = z.string().regex(/^[\w:.-]{1,128}$/, 'is not an account id; search_users finds it');
export const jql = z
  .string()
  .max(10_000)
  .refine(
    (text) => text.trim() !== '' && !/^\s*order\s+by\b/i.test(text),
    'must restrict the search, for example by project or date; Jira refuses a search over everything',
  )
  .describe('Must restrict the search: project = HELP AND created >= -7d ORDER BY created DESC');
export const textMax = z
  .int()
  .min(1)
  .max(100_000)
  .default(20_000)
  .describe('Longer texts are cut after so many characters.');
/** Lists that count from an offset; `next_page_token` carries it. */
export const offsetToken = z
  .string()
  .regex(/^\d{1,9}$/, 'is not a page token')
  .describe('next_page_token of the page before.');

/** Jira's limit for one text; the error it answers with names it. (R) */
const LONGEST_TEXT = 32_767;
export const markdown = z
  .string()
  .min(1)
  // The length first, and alone: a conversion takes long on a long text.
  .max(LONGEST_TEXT, { error: `must have at most ${LONGEST_TEXT} characters`, abort: true })
  .refine((text) => isConvertible([text]), 'is markdown that takes too long to read')
  .describe(
    `Markdown, at most ${LONGEST_TEXT} characters. No HTML, pictures become links, nobody is mentioned.`,
  );

export const visibility = z
  .strictObject({ type: z.enum(['role', 'group']), name: oneLine(255) })
  .describe('Only this project role or group sees it.');

const fieldName = z.string().regex(/^[A-Za-z][\w.]{0,99}$/, 'is not the id of a field');
const MOST_FIELDS = 50;
const LONGEST_FIELDS = 64 * 1_024;

/** A raw ADF document could mention people or hold macros, and its card would not be readable. */
function holdsDocument(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some(holdsDocument);
  if (typeof value !== 'object' || value === null) return false;
  return value.type === 'doc' || Object.values(value).some(holdsDocument);
}

function isMarkdown(value: JsonValue): value is { markdown: string } {
  const members = objectOf(value);
  return Object.keys(members).length === 1 && typeof members.markdown === 'string';
}

function markdownIn(fields: Readonly<Record<string, JsonValue>>): string[] {
  return Object.values(fields).flatMap((value) => (isMarkdown(value) ? [value.markdown] : []));
}

/** @param own fields that have an argument of their own */
export function fieldValues(own: readonly string[]) {
  return z
    .record(fieldName, z.json())
    .refine((fields) => Object.keys(fields).length <= MOST_FIELDS, `holds more than ${MOST_FIELDS} fields`)
    .refine((fields) => JSON.stringify(fields).length <= LONGEST_FIELDS, {
      error: 'is too long',
      abort: true,
    })
    .refine((fields) => !own.some((name) => name in fields), `must not hold ${own.join(', ')}`)
    .refine(
      (fields) => !Object.values(fields).some(holdsDocument),
      'must not hold raw documents; use {"markdown": "…"}',
    )
    .refine((fields) => markdownIn(fields).every((text) => text.length <= LONGEST_TEXT), {
      error: `holds markdown of more than ${LONGEST_TEXT} characters`,
      abort: true,
    })
    .refine((fields) => isConvertible(markdownIn(fields)), 'holds markdown that takes too long to read')
    .describe(
      'Other fields by id, as get_create_fields names them: {"priority": {"name": "High"}, "labels": ["urgent"]}. {"markdown": "…"} becomes rich text.',
    );
}

/** The fields as the API takes them. @throws UpstreamError `invalid_arguments` */
export function fieldsBody(fields: Readonly<Record<string, JsonValue>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isMarkdown(value) ? documentOf(value.markdown) : value,
    ]),
  );
}

/** @throws UpstreamError `invalid_arguments`, definite; the input schema refuses such a text before */
export function documentOf(text: string): JsonObject {
  const document = markdownToDocument(text);
  if (document) return document;
  throw new UpstreamError('invalid_arguments', 'The markdown takes too long to read.', { definite: true });
}

export function visibilityBody(value: { type: string; name: string } | undefined): JsonObject {
  return value === undefined ? {} : { visibility: { type: value.type, value: value.name } };
}

export function visibilityCard(value: { type: string; name: string } | undefined): CardField[] {
  return value === undefined ? [] : short('Only for', `${value.type} ${value.name}`);
}

export function fieldsCard(fields: Readonly<Record<string, JsonValue>>): CardField[] {
  return Object.keys(fields).length === 0 ? [] : long('Fields', readableLines(fields).join('\n'));
}

/** The next offset as a token; null at the end. */
export function nextOffset(start: string | undefined, count: number, more: boolean): string | null {
  return more && count > 0 ? String(Number(start ?? 0) + count) : null;
}

/** What an approver should know of the issue that a call is about: which one it is. */
export async function observeIssue(
  context: CallContext,
  key: string,
  fields: readonly ObservedField[] = [],
): Promise<Observation> {
  const issue = await callJira(context, 'GET', ['issue', key], { query: { fields: 'summary' } });
  return { fields: [...short('Issue', issueLine(issue)), ...fields], version: '' };
}

export const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.read],
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

/** A write also reads: what it is about is shown to the approver. */
export const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.read, SCOPES.write],
} as const satisfies Partial<FunctionDefinition>;

/** Gone for good: off until an admin turns it on, and then asked about every time. */
export const DELETE = {
  risk: 'destructive',
  approval: 'off',
  askEveryTime: true,
  scopes: [SCOPES.read, SCOPES.write],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
