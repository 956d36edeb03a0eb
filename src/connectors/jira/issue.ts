/** Jira's answers in our own shapes: issues, people, comments, and field values as a person reads them. Pure. */
import type { JsonValue } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { readableLines } from '../lines.js';
import { documentToMarkdown, isDocument } from './adf-reading.js';

const DEEPEST = 6;
/** Members that say nothing to a reader, or lead to where only a signed-in browser gets. */
const NOISE = new Set([
  'self',
  'avatarUrls',
  'avatarId',
  'iconUrl',
  'entityId',
  'expand',
  'colorName',
  'content',
  'thumbnail',
]);

export interface Cut {
  /** Texts of several lines end after so many characters. */
  readonly most: number;
  /** Set once something was cut. */
  truncated: boolean;
}

function cutText(text: string, cut: Cut): string {
  if (text.length <= cut.most) return text;
  cut.truncated = true;
  return text.slice(0, cut.most);
}

/** One field of an issue: documents as markdown, people and options as little as names them, the rest as it is. */
export function fieldValue(value: JsonValue | undefined, cut: Cut, depth = 0): JsonValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return cutText(value, cut);
  if (typeof value !== 'object') return value;
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => fieldValue(item, cut, depth + 1));
  if (isDocument(value)) return cutText(documentToMarkdown(value), cut);
  if (typeof value.accountId === 'string') return userOf(value);
  const members = Object.entries(value).filter(([name]) => !NOISE.has(name));
  return Object.fromEntries(members.map(([name, item]) => [name, fieldValue(item, cut, depth + 1)]));
}

/** `{id, key, fields}`; `fields` under Jira's own names, because a site makes up its own. */
export function issueOf(issue: JsonObject, cut: Cut): JsonObject {
  const fields = Object.entries(objectOf(issue.fields)).map(([name, value]) => [
    name,
    fieldValue(value, cut),
  ]);
  return { id: textOf(issue.id), key: textOf(issue.key), fields: Object.fromEntries(fields) as JsonObject };
}

export function userOf(value: JsonValue | undefined): JsonObject {
  const user = objectOf(value);
  return compact({
    account_id: textOf(user.accountId),
    display_name: textOf(user.displayName),
    email: typeof user.emailAddress === 'string' ? user.emailAddress : undefined,
    active: typeof user.active === 'boolean' ? user.active : undefined,
  });
}

export function commentOf(comment: JsonObject, cut: Cut): JsonObject {
  return {
    id: textOf(comment.id),
    author: textOf(objectOf(comment.author).displayName),
    body: cutText(documentToMarkdown(comment.body), cut),
    created: textOrNull(comment.created),
    updated: textOrNull(comment.updated),
    visible_to: visibilityText(comment.visibility) || null,
    ...(typeof comment.jsdPublic === 'boolean' && { shown_to_customer: comment.jsdPublic }),
  };
}

/** `role Administrators`; empty for a comment that everybody sees. */
export function visibilityText(value: JsonValue | undefined): string {
  const { type, value: name } = objectOf(value);
  return textOf(type) === '' ? '' : `${textOf(type)} ${textOf(name)}`;
}

export function attachmentOf(value: JsonObject): JsonObject {
  return {
    id: textOf(value.id) || String(numberOf(value.id) ?? ''),
    name: textOf(value.filename),
    type: textOf(value.mimeType),
    size: numberOf(value.size) ?? 0,
    created: textOrNull(value.created),
  };
}

/** A field value in the words of a card: names instead of objects, one entry a line. */
export function readableField(value: JsonValue | undefined): string {
  const shown = named(fieldValue(value, { most: Number.POSITIVE_INFINITY, truncated: false }));
  return shown === null ? '' : typeof shown === 'string' ? shown : readableLines(shown).join('\n');
}

function named(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const items = value.map(named);
    return items.every((item) => typeof item === 'string') ? items.join(', ') : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  for (const name of ['display_name', 'name', 'value', 'key', 'markdown', 'account_id', 'accountId', 'id']) {
    if (typeof value[name] === 'string' && value[name] !== '') return value[name];
  }
  return value;
}

/** `HELP-12: Printer on fire`. */
export function issueLine(issue: JsonObject): string {
  return `${textOf(issue.key)}: ${textOf(objectOf(issue.fields).summary)}`;
}

export function fieldsMeta(value: JsonValue | undefined): JsonObject[] {
  return objectsIn(value).map((field) => ({
    id: textOf(field.fieldId) || textOf(field.key),
    name: textOf(field.name),
    required: field.required === true,
    type: textOf(objectOf(field.schema).type),
    allowed_values: allowedValues(field.allowedValues),
  }));
}

/** At most 100 of them; a caller that needs a rarer one looks it up in Jira. */
function allowedValues(value: JsonValue | undefined): JsonObject[] {
  return objectsIn(value)
    .slice(0, 100)
    .map((option) => ({
      id: textOf(option.id),
      name: textOf(option.name) || textOf(option.value) || textOf(option.key),
    }));
}
