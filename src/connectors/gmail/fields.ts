/** Arguments and card lines that several Gmail functions share. Limits: shared/CONNECTORS.md, 4.1. */
import { z } from 'zod';
import { hasControls, long, pageSize, short } from '../fields.js';
import { type CardField, fileReference } from '../framework.js';
import { isMessageId, mailAddress } from '../mime.js';

/** Ids of messages, threads, drafts and labels; nothing in them could change a path. */
export const id = z.string().regex(/^[\w-]{1,512}$/, 'is not a Gmail id');
export const maxResults = pageSize(100);
export const bodyMaxChars = z
  .int()
  .min(1)
  .max(100_000)
  .default(20_000)
  .describe('The text of a mail is cut after so many characters.');
export const searchQuery = z
  .string()
  .max(1_024)
  .describe('A Gmail search, for example: from:ben@example.com newer_than:7d');

export const MOST_RECIPIENTS = 100;
/** The common cap of shared/CONNECTORS.md. */
const LONGEST_BODY = 64 * 1_024;

const addresses = z.array(mailAddress).max(MOST_RECIPIENTS);
const subject = z
  .string()
  .max(998)
  .refine((text) => !hasControls(text), 'must be one line without control characters')
  .describe('One line, at most 998 characters.');
export const bodyText = z.string().min(1).max(LONGEST_BODY).describe('The mail as plain text.');
export const bodyHtml = z
  .string()
  .min(1)
  .max(LONGEST_BODY)
  .describe('The same mail as HTML, shown instead of the text.');
const messageId = z
  .string()
  .max(998)
  .refine(isMessageId, 'is not a Message-ID such as <abc@mail.example.com>');

const attachments = z
  .array(fileReference)
  .max(25)
  .describe('File references (file_…). Encoded, the whole mail holds at most 35 MiB.');

/** What a mail consists of, for a draft (recipients may be missing) and for sending. */
export const mailFields = {
  to: addresses.describe('Bare addresses: cleo@example.com'),
  cc: z.exactOptional(addresses),
  bcc: z.exactOptional(addresses),
  subject,
  body_text: bodyText,
  body_html: z.exactOptional(bodyHtml),
  thread_id: z.exactOptional(id).describe('Puts the mail into this conversation.'),
  in_reply_to: z.exactOptional(messageId).describe('message_id of the mail that is answered.'),
  attachments: z.exactOptional(attachments),
};

interface Recipients {
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
}

export function fewRecipients({ to, cc = [], bcc = [] }: Recipients): boolean {
  return to.length + cc.length + bcc.length <= MOST_RECIPIENTS;
}
export const TOO_MANY = `to, cc and bcc together hold at most ${MOST_RECIPIENTS} addresses`;

/** One layout for every mail that a person is asked about. */
export function mailCard(
  mail: Recipients & {
    subject: string;
    body_text: string;
    body_html?: string;
    thread_id?: string;
    in_reply_to?: string;
    attachments?: readonly string[];
  },
): CardField[] {
  return [
    ...short('To', [...mail.to]),
    ...short('Cc', [...(mail.cc ?? [])]),
    ...short('Bcc', [...(mail.bcc ?? [])]),
    ...short('Subject', mail.subject),
    ...long('Text', mail.body_text),
    ...long('HTML', mail.body_html),
    ...short('Thread', mail.thread_id),
    ...short('In reply to', mail.in_reply_to),
    ...short('Attachments', [...(mail.attachments ?? [])]),
  ];
}
