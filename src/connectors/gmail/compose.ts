/** A mail from arguments to the request that carries it. */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest } from '../framework.js';
import { callGoogle } from '../google/api.js';
import { type JsonObject, objectOf, textOf } from '../json.js';
import { buildMime, isMessageId, type Mail } from '../mime.js';
import { relatedBody } from '../multipart.js';
import { callGmail } from './api.js';
import { MOST_RECIPIENTS } from './fields.js';
import { addressesOf, headerOf } from './message.js';

/** Of the whole mail as bytes: the limit of Gmail's upload (shared/CONNECTORS.md, 4.1). */
const LARGEST_MAIL = 36_700_160;
/** Above it a mail goes as bytes and not as base64 inside JSON, which would be a third larger. */
const LARGEST_IN_JSON = 4 * 1_024 * 1_024;

export const UPLOAD_PATH = '/upload/gmail/v1/users/me/';

export interface MailArguments {
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly subject: string;
  readonly body_text: string;
  readonly body_html?: string;
  readonly in_reply_to?: string;
  readonly attachments?: readonly string[];
}

/** The bytes of the mail. @throws UpstreamError `invalid_arguments`, definite, when a file is gone or all is too large */
export async function mimeOf(context: CallContext, mail: MailArguments): Promise<Buffer> {
  return limited({
    to: mail.to,
    cc: mail.cc,
    bcc: mail.bcc,
    subject: mail.subject,
    bodyText: mail.body_text,
    bodyHtml: mail.body_html,
    inReplyTo: mail.in_reply_to,
    references: mail.in_reply_to === undefined ? undefined : [mail.in_reply_to],
    attachments: await Promise.all((mail.attachments ?? []).map((file) => context.files.read(file))),
    executionId: context.executionId,
  });
}

/** @throws UpstreamError `invalid_arguments`, definite, above Gmail's limit */
export async function limited(mail: Mail): Promise<Buffer> {
  const size = (mail.attachments ?? []).reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  // Base64 makes four bytes of three; what surely is too large is not encoded first.
  const bytes = (size * 4) / 3 > LARGEST_MAIL ? undefined : await buildMime(mail);
  if (bytes !== undefined && bytes.byteLength <= LARGEST_MAIL) return bytes;
  throw new UpstreamError('invalid_arguments', 'The mail is too large: encoded, it may hold 35 MiB.', {
    definite: true,
    path: '/arguments/attachments',
  });
}

/**
 * One request that carries a mail: `raw` inside JSON, or a multipart upload where it is large.
 * @param wrap puts the message (`{threadId}`, and `raw` in JSON) where the call expects it
 * @throws UpstreamError
 */
export function sendMail(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  mail: { readonly bytes: Buffer; readonly threadId: string | undefined },
  wrap: (message: JsonObject) => JsonObject,
): Promise<JsonObject> {
  const thread: JsonObject = mail.threadId === undefined ? {} : { threadId: mail.threadId };
  if (mail.bytes.byteLength <= LARGEST_IN_JSON) {
    const raw = mail.bytes.toString('base64url');
    return callGmail(context, method, path, { json: wrap({ ...thread, raw }) });
  }
  return callGoogle(context, 'Gmail', {
    method,
    url: `${context.baseUrl}${UPLOAD_PATH}${path.map(encodeURIComponent).join('/')}`,
    query: { uploadType: 'multipart' },
    ...relatedBody(wrap(thread), { type: 'message/rfc822', bytes: mail.bytes }),
  });
}

export interface ReplyTarget {
  readonly to: string[];
  readonly cc: string[];
  readonly subject: string;
  readonly threadId: string;
  readonly inReplyTo: string | undefined;
  readonly references: string[];
}

/**
 * Who is answered and how, from the headers of the original. A Gmail message never changes, so what a card shows of
 * it is what is sent.
 * @throws UpstreamError `upstream_rejected` (nothing was sent) when the original names nobody to answer, or too many
 */
export async function replyTarget(
  context: CallContext,
  messageId: string,
  all: boolean,
): Promise<ReplyTarget> {
  const metadataHeaders = ['From', 'Reply-To', 'To', 'Cc', 'Subject', 'Message-ID', 'References'];
  const original = await callGmail(context, 'GET', ['messages', messageId], {
    query: { format: 'metadata', metadataHeaders },
  });
  const to = addressesOf(original, headerOf(original, 'Reply-To') === '' ? 'From' : 'Reply-To');
  if (to.length === 0) throw unanswerable('The mail names no address that can be answered.');
  const self = all ? textOf((await callGmail(context, 'GET', ['profile'])).emailAddress).toLowerCase() : '';
  const others = all ? addressesOf(original, 'To', 'Cc') : [];
  const known = new Set([self, ...to.map((address) => address.toLowerCase())]);
  const cc = others.filter(
    (address) => !known.has(address.toLowerCase()) && known.add(address.toLowerCase()),
  );
  if (to.length + cc.length > MOST_RECIPIENTS)
    throw unanswerable(`The answer would go to more than ${MOST_RECIPIENTS} addresses.`);
  const subject = headerOf(original, 'Subject');
  const originalId = headerOf(original, 'Message-ID');
  const inReplyTo = isMessageId(originalId) ? originalId : undefined;
  return {
    to,
    cc,
    subject: (/^re:/i.test(subject) ? subject : `Re: ${subject}`).slice(0, 998),
    threadId: textOf(original.threadId),
    inReplyTo,
    references: [...headerOf(original, 'References').split(' '), inReplyTo ?? '']
      .filter(isMessageId)
      .slice(-50),
  };
}

function unanswerable(message: string): UpstreamError {
  return new UpstreamError('upstream_rejected', message, { definite: true });
}

/** `{id, message_id, thread_id}` */
export function draftResult(answered: JsonObject): JsonObject {
  const message = objectOf(answered.message);
  return { id: textOf(answered.id), message_id: textOf(message.id), thread_id: textOf(message.threadId) };
}

/** `{id, thread_id}` */
export function sentResult(answered: JsonObject): JsonObject {
  return { id: textOf(answered.id), thread_id: textOf(answered.threadId) };
}
