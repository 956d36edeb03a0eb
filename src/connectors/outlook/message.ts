/** A message of Graph as the stable, small JSON that callers get, and as a card shows it. */
import { long, short } from '../fields.js';
import type { CallContext, CardField } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull, textsIn } from '../json.js';
import { at } from '../microsoft/graph.js';
import { callOutlook } from './api.js';

/** Members that `Mail.ReadBasic` shows: neither body nor preview. */
export const SUMMARY =
  'id,conversationId,parentFolderId,from,toRecipients,ccRecipients,subject,receivedDateTime,isRead,isDraft,hasAttachments,importance,flag,categories';
export const WHOLE = `${SUMMARY},bccRecipients,replyTo,internetMessageId,webLink,body,changeKey`;

/** `Cleo Marchetti <cleo@siesta.example>`; the bare address where the name says nothing else. */
export function personOf(recipient: JsonObject[string] | undefined): string {
  const { name, address } = objectOf(objectOf(recipient).emailAddress);
  const mail = textOf(address);
  return textOf(name) === '' || name === address ? mail : `${textOf(name)} <${mail}>`;
}

export function peopleOf(recipients: JsonObject[string] | undefined): string[] {
  return objectsIn(recipients).map(personOf);
}

/** `{id, conversation_id, folder_id, from, to, cc, subject, date, is_read, is_draft, has_attachments, importance, flag, categories}` */
export function summaryOf(message: JsonObject): JsonObject {
  return {
    id: textOf(message.id),
    conversation_id: textOf(message.conversationId),
    folder_id: textOf(message.parentFolderId),
    from: personOf(message.from),
    to: peopleOf(message.toRecipients),
    cc: peopleOf(message.ccRecipients),
    subject: textOf(message.subject),
    date: textOrNull(message.receivedDateTime),
    is_read: message.isRead === true,
    is_draft: message.isDraft === true,
    has_attachments: message.hasAttachments === true,
    importance: textOf(message.importance),
    flag: textOf(objectOf(message.flag).flagStatus),
    categories: textsIn(message.categories),
  };
}

/** The summary, and `{bcc, reply_to, message_id, url, body_text, truncated}`. */
export function messageOf(message: JsonObject, bodyMaxChars: number): JsonObject {
  const text = textOf(objectOf(message.body).content);
  return {
    ...summaryOf(message),
    bcc: peopleOf(message.bccRecipients),
    reply_to: peopleOf(message.replyTo),
    message_id: textOf(message.internetMessageId),
    url: textOf(message.webLink),
    body_text: text.slice(0, bodyMaxChars),
    truncated: text.length > bodyMaxChars,
  };
}

/** `{id, name, mime_type, size, is_inline, kind}`; `kind` is file, item (a mail in a mail) or reference (a link). */
export function attachmentOf(attachment: JsonObject): JsonObject {
  return {
    id: textOf(attachment.id),
    name: textOf(attachment.name),
    mime_type: textOrNull(attachment.contentType),
    size: numberOf(attachment.size),
    is_inline: attachment.isInline === true,
    kind: textOf(attachment['@odata.type'])
      .replace('#microsoft.graph.', '')
      .replace(/Attachment$/, ''),
  };
}

/** @throws UpstreamError */
export function fetchMessage(context: CallContext, messageId: string, select: string): Promise<JsonObject> {
  const path = at`/messages/${messageId}`;
  return callOutlook(context, { path, query: { $select: select } }, { bodyAsText: true });
}

/** What a mail is, in lines that stay true while it is read, flagged and answered. */
export function summaryFields(message: JsonObject): CardField[] {
  return [
    ...short('Subject', textOf(message.subject) || '(no subject)'),
    ...short('From', personOf(message.from) || undefined),
    ...short('Date', textOf(message.receivedDateTime) || undefined),
  ];
}

/** A draft as it would be sent; the text whole, because all of it is sent. */
export function draftFields(draft: JsonObject, attachments: readonly JsonObject[]): CardField[] {
  return [
    ...short('To', peopleOf(draft.toRecipients)),
    ...short('Cc', peopleOf(draft.ccRecipients)),
    ...short('Bcc', peopleOf(draft.bccRecipients)),
    ...short('Subject', textOf(draft.subject)),
    ...long('Text', textOf(objectOf(draft.body).content)),
    ...short(
      'Attachments',
      attachments.map(({ name }) => textOf(name)),
    ),
  ];
}
