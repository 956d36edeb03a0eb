/** Arguments and card lines that several Slack functions share. Limits: shared/CONNECTORS.md, 4.4. */
import { z } from 'zod';
import { long, short } from '../fields.js';
import type { CardField, JsonValue } from '../framework.js';
import { objectOf, objectsIn } from '../json.js';
import { readableLines } from '../lines.js';

/** Ids only: a name could come to mean another channel or person between the card and the call. */
export const channelId = z
  .string()
  .regex(/^[CGD][A-Z0-9]{2,30}$/, 'is not the id of a conversation, such as C0123456789')
  .describe('Id of a channel (C…, G…) or direct message (D…), not its name.');
export const userId = z
  .string()
  .regex(/^[UW][A-Z0-9]{2,30}$/, 'is not the id of a user, such as U0123456789')
  // Forms offer a menu of people for it (`blocks/parts/schema-fields.ts`).
  .meta({ format: 'slack-member' })
  .describe('Id of a user (U…, W…), not the name.');
export const fileId = z.string().regex(/^F[A-Z0-9]{2,30}$/, 'is not the id of a file, such as F0123456789');
export const timestamp = z
  .string()
  .regex(/^\d{1,12}\.\d{6}$/, 'is not the ts of a message, such as 1700000000.000100')
  .describe('ts of the message; it names the message inside its conversation.');
export const timeBound = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,6})?$/, 'is not a time in seconds, such as 1700000000 or 1700000000.000100')
  .describe('Seconds since 1970, or the ts of a message.');
/** Pages of the older methods are counted from 1. */
export const pageNumber = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, 'is not a page token')
  .describe('next_page_token of the page before.');

/** Blocks that only show something: nobody would answer a button or an input of a message sent from here. */
const SHOWING = ['section', 'header', 'divider', 'context', 'image', 'rich_text', 'markdown', 'table'];
const LONGEST_BLOCKS = 64 * 1_024;

const blocks = z
  .array(z.record(z.string(), z.json()))
  .min(1)
  .max(50)
  .refine(
    (given) => given.every(({ type }) => typeof type === 'string' && SHOWING.includes(type)),
    `may only have blocks of the types ${SHOWING.join(', ')}`,
  )
  .refine(
    (given) => JSON.stringify(given).length <= LONGEST_BLOCKS,
    `must not be longer than ${LONGEST_BLOCKS} characters`,
  )
  .describe(`Block Kit (${SHOWING.join(', ')}); the text is then only shown in notifications.`);

/** What every message consists of. */
export const messageFields = {
  text: z.string().min(1).max(4_000).describe('Slack mrkdwn, sent as it is: <@U…> names a person.'),
  blocks: z.exactOptional(blocks),
};
export const plain = z
  .boolean()
  .default(true)
  .describe('false: the text is shown as it is, without formatting.');

interface Content {
  readonly text: string;
  readonly blocks?: readonly { readonly [key: string]: JsonValue }[];
}

/** The content of a message on a card; who is disturbed by it is said in words. */
export function contentCard({ text, blocks: given = [] }: Content): CardField[] {
  return [
    ...(notifiesAll(text) || given.some(notifiesAll) ? short('Notifies', 'Everybody in the channel') : []),
    ...long('Text', text),
    ...(given.length > 0 ? long('Blocks', readableLines([...given]).join('\n')) : []),
  ];
}

function notifiesAll(value: JsonValue): boolean {
  if (typeof value === 'string') return /<!(channel|here|everyone)\b/.test(value);
  if (Array.isArray(value)) return value.some(notifiesAll);
  const object = objectOf(value);
  return object.type === 'broadcast' || Object.values(object).some(notifiesAll);
}

/** Names of the files that a message carries. */
export function fileNames(value: JsonValue | undefined): string[] {
  return objectsIn(value).map(({ name, title, id }) => String(name ?? title ?? id ?? 'a file'));
}
