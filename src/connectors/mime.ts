/** Writes and reads the MIME of mails. Pure: no file, no network; nothing an argument holds can become a header. */
import addressParser from 'nodemailer/lib/addressparser';
import MailComposer from 'nodemailer/lib/mail-composer';
import { z } from 'zod';
import { hasControls } from './fields.js';
import type { FileContent } from './framework.js';

/**
 * A bare address. "Name <address>" is refused on purpose: a display name can claim to be someone else, and what an
 * approver reads should be what the mail server reads. 254: RFC 5321, 4.5.3.1.3.
 */
export const mailAddress = z
  .string()
  // The length first, and alone: the pattern of an address takes long on a long text.
  .max(254, { error: 'must have at most 254 characters', abort: true })
  .check(z.email('must be a bare address such as cleo@example.com'));

export interface Mail {
  readonly to: readonly string[];
  readonly cc?: readonly string[] | undefined;
  readonly bcc?: readonly string[] | undefined;
  readonly subject: string;
  readonly bodyText: string;
  readonly bodyHtml?: string | undefined;
  /** Message-ID of the mail that is answered, with its angle brackets. */
  readonly inReplyTo?: string | undefined;
  readonly references?: readonly string[] | undefined;
  readonly attachments?: readonly FileContent[] | undefined;
  /** The execution this mail belongs to; becomes the Message-ID and a header of our own. */
  readonly executionId: string;
}

/** The header by which a mail is found again where the mail system writes a Message-ID of its own (Gmail does). */
export const EXECUTION_HEADER = 'X-Siesta-Execution';

/** `<exe_1@siesta-connections.local>`. @throws Error for an id that is not plain */
export function messageIdOf(executionId: string): string {
  if (!/^[\w.-]{1,128}$/.test(executionId)) throw new Error('execution id');
  return `<${executionId}@siesta-connections.local>`;
}

/** A Message-ID as it stands in a header. */
export function isMessageId(text: string): boolean {
  return /^<[\x21-\x3b\x3d\x3f-\x7e]{1,990}>$/.test(text);
}

/**
 * The mail as RFC 5322 bytes, UTF-8 text encoded as the standard asks. There is no From: the mail system puts the
 * account's own. Bcc is kept, because the mail system reads the recipients from the headers and removes it.
 * @throws Error when an address, the subject, a reference or a file's name could break out of its header
 */
export async function buildMime(mail: Mail): Promise<Buffer> {
  const addresses = (list: readonly string[] | undefined) =>
    (list ?? []).map((address) => ({ name: '', address: mailAddress.parse(address) }));
  if (hasControls(mail.subject)) throw new Error('subject with control characters');
  const references = [mail.inReplyTo ?? [], mail.references ?? []].flat();
  if (!references.every(isMessageId)) throw new Error('broken message id');
  const composer = new MailComposer({
    to: addresses(mail.to),
    cc: addresses(mail.cc),
    bcc: addresses(mail.bcc),
    subject: mail.subject,
    text: mail.bodyText,
    html: mail.bodyHtml,
    inReplyTo: mail.inReplyTo,
    references: mail.references === undefined ? undefined : [...mail.references],
    attachments: (mail.attachments ?? []).map(attachmentOf),
    messageId: messageIdOf(mail.executionId),
    headers: { [EXECUTION_HEADER]: mail.executionId },
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'win',
  });
  const node = composer.compile();
  node.keepBcc = true;
  return await node.build();
}

/** A type with parameters could say something else than the bytes; it is not passed on. */
function attachmentOf({ name, type, bytes }: FileContent) {
  if (hasControls(name)) throw new Error('file name with control characters');
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const contentType = /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream';
  return { filename: name, content, contentType, contentDisposition: 'attachment' as const };
}

/** The bare addresses of a header of a received mail; what is not an address is left out. */
export function addressesIn(header: string): string[] {
  return addressParser(header, { flatten: true }).flatMap((entry) => {
    const parsed = mailAddress.safeParse(entry.address?.trim());
    return parsed.success ? [parsed.data] : [];
  });
}

/** RFC 2047 encoded words (`=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=`) as text. An unknown charset leaves the word as it is. */
export function decodeWords(header: string): string {
  return header
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(
      /=\?([\w.-]{1,40})(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=/gi,
      (word, charset: string, encoding: string, data: string) => {
        const bytes = encoding.toLowerCase() === 'b' ? Buffer.from(data, 'base64') : decodeQ(data);
        try {
          return new TextDecoder(charset).decode(bytes);
        } catch {
          return word;
        }
      },
    );
}

function decodeQ(data: string): Buffer {
  const latin1 = data
    .replace(/_/g, ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}
