/**
 * What Slack would make of a payload: which of its texts it parses, what it would load or link, what nobody would see.
 * For tests of text that other people's programs wrote; it knows nothing of how `blocks/` makes it inert.
 */

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every object in the payload, itself included. */
export function* objectsIn(value: unknown): Generator<Fields> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  if (!isFields(value)) return;
  yield value;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

/** Written as ranges, on purpose not as the property classes that the code uses. */
export const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each of them by itself
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00a0\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0000}-\u{e0fff}]/u;

/** Mentions and dates as the product writes them: ids of Slack's own, and a fallback without markup. */
const OURS = /<@[UW][A-Z0-9]+>|<#C[A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<!date\^\d+\^[^<>|]+\|[^<>|]+>/g;

/** The texts of a payload that Slack parses: mrkdwn, and the `text` of a message. */
export function parsedTexts(payload: Fields): string[] {
  const mrkdwn = [...objectsIn(payload)].flatMap(({ type, text }) =>
    type === 'mrkdwn' && typeof text === 'string' ? [text] : [],
  );
  return typeof payload.text === 'string' && !('type' in payload && payload.type === 'mrkdwn')
    ? [payload.text, ...mrkdwn]
    : mrkdwn;
}

/** What people read of a payload, in order, a line each: everything but ids, values of buttons and metadata. */
export function readTexts(payload: unknown): string[] {
  return [...objectsIn(payload)].flatMap(({ type, text, initial_value: typed }) => [
    ...(typeof text === 'string' && type !== undefined ? [text] : []),
    ...(typeof typed === 'string' ? [typed] : []),
  ]);
}

/** In rich text everything but text and a moment is parsed, linked, coloured or notified. */
const RICH = new Set([
  'rich_text',
  'rich_text_section',
  'rich_text_preformatted',
  'rich_text_quote',
  'text',
  'date',
]);
const LOADED = new Set(['image', 'video', 'file', 'markdown', 'markdown_text', 'link', 'emoji', 'broadcast']);

function problemsOf(each: Fields, inRich: boolean): string[] {
  const { type, text } = each;
  const problems: string[] = [];
  if (typeof type === 'string' && LOADED.has(type)) problems.push(`a ${type}`);
  if (inRich && typeof type === 'string' && !RICH.has(type)) problems.push(`${type} in rich text`);
  for (const key of ['image_url', 'thumb_url', 'attachments', 'url']) {
    if (key in each) problems.push(`${key}: ${JSON.stringify(each[key])}`);
  }
  if (type === 'plain_text' && each.emoji !== false) problems.push(`emoji in ${JSON.stringify(text)}`);
  if (type === 'mrkdwn' && each.verbatim !== true) problems.push(`links made of ${JSON.stringify(text)}`);
  for (const [key, value] of Object.entries(each)) {
    // What is typed into an input is the value itself.
    if (typeof value !== 'string' || key === 'initial_value') continue;
    if (HIDDEN.test(value)) problems.push(`unseen in ${key}: ${JSON.stringify(value)}`);
    if (/\p{Cs}/u.test(value)) problems.push(`half a character in ${key}`);
  }
  return problems;
}

/**
 * Everything in a message or view that hostile text could have got into it; empty when it is inert.
 * @param theirs matches what callers wrote and nobody else; it may stand in no text that Slack parses
 */
export function notInert(payload: Fields, theirs?: RegExp): string[] {
  const rich = new Set<Fields>();
  for (const each of objectsIn(payload))
    if (each.type === 'rich_text') for (const inner of objectsIn(each)) rich.add(inner);
  const found = [...objectsIn(payload)].flatMap((each) => problemsOf(each, rich.has(each)));
  for (const text of parsedTexts(payload)) {
    const rest = text.replaceAll(OURS, '');
    if (/[<>]|&(?!amp;|lt;|gt;)/.test(rest)) found.push(`markup in ${JSON.stringify(text)}`);
    if (theirs?.test(text)) found.push(`a caller’s words in ${JSON.stringify(text)}`);
  }
  return found;
}
