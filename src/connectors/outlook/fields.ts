/** Arguments and card lines that several Outlook functions share. Limits: shared/CONNECTORS.md, 4.8. */
import { z } from 'zod';
import { hasControls, long, manyLines, short } from '../fields.js';
import { type CardField, fileReference } from '../framework.js';
import { mailAddress } from '../mime.js';

/** Ids of messages, folders, events and calendars: base64, safe in a path; also well-known folder names. */
export const id = z.string().regex(/^[\w=-]{1,512}$/, 'is not an Outlook id');

export const oneSubject = z
  .string()
  .max(255)
  .refine((text) => !hasControls(text), 'must be one line without control characters')
  .describe('One line, at most 255 characters.');
export const body = manyLines().describe('The text.');
export const bodyType = z.enum(['text', 'html']).default('text').describe('What body is written in.');
export const comment = manyLines().describe('Text that stands above the original.');
export const eventComment = manyLines(8_192).describe('Goes to the others with the mail about it.');

/** Exchange's own name ("Pacific Standard Time") or an IANA one; it goes into a header between quotes. */
export const timeZone = z
  .string()
  .regex(/^[A-Za-z0-9][\w+\-/ ().]{0,63}$/, 'is not a time zone such as Europe/Berlin')
  .default('UTC')
  .describe('For example Europe/Berlin.');
/** A wall-clock time; `time_zone` says whose. */
export const localTime = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/, {
    error: 'is not a local time such as 2026-05-04T09:30:00; the zone goes into time_zone',
  })
  .describe('Local time, for example 2026-05-04T09:30:00.');
/** A moment, with its offset. */
export const moment = z.iso.datetime({ offset: true }).describe('For example 2026-05-04T09:30:00+02:00.');

/** Exchange Online: at most 500 recipients a mail unless the admin says otherwise. */
const MOST_RECIPIENTS = 500;
const addresses = z.array(mailAddress).max(MOST_RECIPIENTS);

/** What a mail consists of, for a draft (recipients may be missing) and for sending. */
export const mailFields = {
  to: addresses.describe('Bare addresses: cleo@example.com'),
  cc: z.exactOptional(addresses),
  bcc: z.exactOptional(addresses),
  subject: oneSubject,
  body,
  body_type: bodyType,
  attachments: z
    .exactOptional(z.array(fileReference).max(10))
    .describe('Files from POST /v1/files; together at most 3 MB.'),
};

export interface Recipients {
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
  mail: Recipients & { subject: string; body: string; body_type: 'text' | 'html'; attachments?: string[] },
): CardField[] {
  return [
    ...short('To', [...mail.to]),
    ...short('Cc', [...(mail.cc ?? [])]),
    ...short('Bcc', [...(mail.bcc ?? [])]),
    ...short('Subject', mail.subject),
    ...long(mail.body_type === 'html' ? 'HTML' : 'Text', mail.body),
    ...short('Attachments', mail.attachments),
  ];
}
