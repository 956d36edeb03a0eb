/** A mail of a caller's as Graph takes it. */
import { UpstreamError } from '../../errors.js';
import type { CallContext } from '../framework.js';
import { type JsonObject, textOf } from '../json.js';
import { at } from '../microsoft/graph.js';
import { callOutlook } from './api.js';
import type { Recipients } from './fields.js';
import { markerOf } from './marker.js';

/** "Attach files to Outlook messages": under 3 MB in one request, which may have 4 MB, and base64 adds a third. */
const MOST_ATTACHED = 3 * 1_024 * 1_024;

export interface Composed extends Recipients {
  readonly subject: string;
  readonly body: string;
  readonly body_type: 'text' | 'html';
  readonly attachments?: readonly string[];
}

export function recipientsOf(addresses: readonly string[]): JsonObject[] {
  return addresses.map((address) => ({ emailAddress: { address } }));
}

/** Puts a mail into the drafts, marked as this execution's. @throws UpstreamError */
export async function writeDraft(context: CallContext, mail: Composed): Promise<JsonObject> {
  const attachments = await attach(context, mail.attachments ?? []);
  const { to, cc = [], bcc = [] } = mail;
  const json = {
    subject: mail.subject,
    body: { contentType: mail.body_type, content: mail.body },
    toRecipients: recipientsOf(to),
    ccRecipients: recipientsOf(cc),
    bccRecipients: recipientsOf(bcc),
    ...(attachments.length > 0 && { attachments }),
    ...markerOf(context.executionId),
  };
  return callOutlook(context, { method: 'POST', path: '/messages', json });
}

async function attach(context: CallContext, references: readonly string[]): Promise<JsonObject[]> {
  const files = await Promise.all(references.map((reference) => context.files.read(reference)));
  const size = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (size > MOST_ATTACHED) {
    throw new UpstreamError(
      'invalid_arguments',
      `The attachments have ${size} bytes; Outlook takes at most ${MOST_ATTACHED} with a mail.`,
      { definite: true, path: '/attachments' },
    );
  }
  return files.map(({ name, type, bytes }) => ({
    '@odata.type': '#microsoft.graph.fileAttachment',
    name,
    contentType: type,
    contentBytes: Buffer.from(bytes).toString('base64'),
  }));
}

/** `{id, conversation_id, url}` */
export function draftResult(draft: JsonObject): JsonObject {
  return {
    id: textOf(draft.id),
    conversation_id: textOf(draft.conversationId),
    url: textOf(draft.webLink),
  };
}

/** Takes back a draft that will not be sent. That it stays is a nuisance and no reason to hide the refusal. */
export async function dropDraft(context: CallContext, draftId: string): Promise<void> {
  try {
    await callOutlook(context, { method: 'DELETE', path: at`/messages/${draftId}` });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
  }
}
