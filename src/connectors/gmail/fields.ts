/** Arguments and card lines that several Gmail functions share. Limits: shared/CONNECTORS.md, 4.1. */
import { z } from 'zod';
import type { Arguments, CardField, InputSchema, JsonValue } from '../framework.js';
import { zodInput } from '../framework.js';
import { hasControls, isMessageId, mailAddress } from '../mime.js';

/** Ids of messages, threads, drafts and labels; nothing in them could change a path. */
export const id = z.string().regex(/^[\w-]{1,512}$/, 'is not a Gmail id');
export const pageToken = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[\x21-\x7e]+$/, 'is not a page token');
export const maxResults = z.int().min(1).max(100).default(25).describe('How many, at most 100.');
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

const MOST_RECIPIENTS = 100;
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
const messageId = z.string().refine(isMessageId, 'is not a Message-ID such as <abc@mail.example.com>');

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

/** The schema of a function twice: for callers, and typed for its own code. */
export function input<Output extends Arguments>(
  schema: z.ZodType<Output>,
): { readonly schema: InputSchema; readonly read: (args: Arguments) => Output } {
  return { schema: zodInput(schema), read: (args) => schema.parse(args) };
}

export function short(label: string, value: JsonValue | undefined): CardField[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  return [{ label, value: [value].flat().join(', '), kind: 'short' }];
}

export function long(label: string, value: string | undefined): CardField[] {
  return value === undefined ? [] : [{ label, value, kind: 'long' }];
}

/** One layout for every mail that a person is asked about. */
export function mailCard(
  mail: Recipients & {
    subject: string;
    body_text: string;
    body_html?: string;
    thread_id?: string;
    in_reply_to?: string;
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
  ];
}
