/**
 * Whether a mail of ours was written although the answer was lost. Our marks: the Message-ID, which Gmail may have
 * replaced, and a header of our own, which it keeps but cannot search; so the newest mails are looked through.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, Reconciled } from '../framework.js';
import { type JsonObject, mapTen, objectOf, objectsIn, textOf } from '../json.js';
import { EXECUTION_HEADER, messageIdOf } from '../mime.js';
import { callGmail } from './api.js';
import { draftResult } from './compose.js';
import { headerOf } from './message.js';

/** So many of the newest mails are read, headers only. */
const MOST_READ = 25;

/** @param resultOf what the call would have answered, from the message found */
export function reconcileSent(
  context: CallContext,
  resultOf: (message: JsonObject) => JsonValue,
): Promise<Reconciled> {
  const metadataHeaders = ['Message-ID', EXECUTION_HEADER, 'To', 'Cc'];
  return lookThrough(context, 'sent mails', {
    list: async (query) => {
      const found = await callGmail(context, 'GET', ['messages'], {
        query: { ...query, labelIds: ['SENT'], includeSpamTrash: 'true' },
      });
      return { ...found, items: found.messages ?? [] };
    },
    read: (id) =>
      callGmail(context, 'GET', ['messages', id], { query: { format: 'metadata', metadataHeaders } }),
    messageOf: (message) => message,
    resultOf,
  });
}

export function reconcileDraft(context: CallContext): Promise<Reconciled> {
  return lookThrough(context, 'drafts', {
    list: async (query) => {
      const found = await callGmail(context, 'GET', ['drafts'], { query });
      return { ...found, items: found.drafts ?? [] };
    },
    read: (id) => callGmail(context, 'GET', ['drafts', id], { query: { format: 'metadata' } }),
    messageOf: (draft) => objectOf(draft.message),
    resultOf: draftResult,
  });
}

/** A draft is sent once at most: while it is there it was not, and once it is gone nothing tells why. */
export async function reconcileSentDraft(context: CallContext, draftId: string): Promise<Reconciled> {
  try {
    await callGmail(context, 'GET', ['drafts', draftId], { query: { format: 'minimal' } });
    return { status: 'not_applied' };
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.status !== 404) throw error;
    return { status: 'unknown', reason: 'The draft is gone: it was sent, or somebody deleted it.' };
  }
}

interface Shelf {
  list(query: Record<string, string>): Promise<JsonObject>;
  read(id: string): Promise<JsonObject>;
  messageOf(item: JsonObject): JsonObject;
  resultOf(item: JsonObject): JsonValue;
}

async function lookThrough(context: CallContext, what: string, shelf: Shelf): Promise<Reconciled> {
  const messageId = messageIdOf(context.executionId);
  const isOurs = (item: JsonObject): boolean => {
    const message = shelf.messageOf(item);
    return (
      headerOf(message, EXECUTION_HEADER) === context.executionId ||
      headerOf(message, 'Message-ID') === messageId
    );
  };
  const ours = async (page: JsonObject): Promise<JsonObject | undefined> =>
    (await mapTen(objectsIn(page.items), ({ id }) => shelf.read(textOf(id)))).find(isOurs);
  try {
    const searched = await shelf.list({ q: `rfc822msgid:${messageId.slice(1, -1)}`, maxResults: '5' });
    const newest = await shelf.list({ maxResults: String(MOST_READ) });
    const found = (await ours(searched)) ?? (await ours(newest));
    if (found !== undefined) return { status: 'applied', result: shelf.resultOf(found) };
    if (textOf(newest.nextPageToken) === '') return { status: 'not_applied' };
    return {
      status: 'unknown',
      reason: `It is not among the ${MOST_READ} newest ${what}, and there are more.`,
    };
  } catch (error) {
    // A credential that may only send cannot look.
    if (!(error instanceof UpstreamError) || error.code !== 'needs_more_scopes') throw error;
    return { status: 'unknown', reason: `The credential may not look through the ${what}.` };
  }
}
