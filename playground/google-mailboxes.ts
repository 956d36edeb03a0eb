/** The mailboxes, read and filled through the stand-in's own API. */
import { z } from 'zod';
import { addressesIn, decodeWords } from '../src/connectors/mime.js';

export interface PlaygroundMail {
  readonly id: string;
  readonly thread_id: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  readonly bcc: string;
  readonly subject: string;
  readonly message_id: string;
  /** ISO 8601, of the mailbox's own clock. */
  readonly date: string;
  readonly body_text: string;
}

/** A call below `/gmail/v1/users/me/` as one account. */
type CallAs = (
  email: string,
  method: string,
  path: string,
  body?: unknown,
) => Promise<Record<string, unknown>>;

interface Part {
  readonly mimeType?: string | undefined;
  readonly body?: { readonly data?: string | undefined } | undefined;
  readonly parts?: readonly Part[] | undefined;
}
const part: z.ZodType<Part> = z.object({
  mimeType: z.string().optional(),
  body: z.object({ data: z.string().optional() }).optional(),
  get parts() {
    return z.array(part).optional();
  },
});
const message = z.object({
  id: z.string(),
  threadId: z.string(),
  internalDate: z.string(),
  historyId: z.string(),
  payload: z.intersection(
    part,
    z.object({ headers: z.array(z.object({ name: z.string(), value: z.string() })) }),
  ),
});
const listed = z.object({ messages: z.array(z.object({ id: z.string() })).default([]) });

export class Mailboxes {
  constructor(
    private readonly accounts: readonly string[],
    private readonly as: CallAs,
  ) {}

  /** Newest first. */
  async list(email: string, label: 'SENT' | 'INBOX' | 'DRAFT'): Promise<PlaygroundMail[]> {
    const { messages } = listed.parse(await this.as(email, 'GET', `messages?labelIds=${label}`));
    const mails = await Promise.all(messages.map(({ id }) => this.read(email, id)));
    // A mail's date has whole seconds; within one, its place in the mailbox's history tells.
    return mails.sort((a, b) => b.date - a.date || (a.history < b.history ? 1 : -1)).map(({ mail }) => mail);
  }

  /** `users.getProfile`, which the stand-in lacks. */
  async profile(email: string): Promise<object> {
    const messages = await this.as(email, 'GET', 'messages?maxResults=1&includeSpamTrash=true');
    const threads = await this.as(email, 'GET', 'threads?maxResults=1&includeSpamTrash=true');
    const { resultSizeEstimate: messagesTotal } = messages;
    const { resultSizeEstimate: threadsTotal } = threads;
    return { emailAddress: email, messagesTotal, threadsTotal, historyId: '1' };
  }

  /** Puts a mail that was sent into the mailboxes it went to; the stand-in keeps it with its sender only. */
  async deliver(sender: string, messageId: string): Promise<void> {
    const { to, cc, bcc } = (await this.read(sender, messageId)).mail;
    const { raw } = await this.as(sender, 'GET', `messages/${messageId}?format=raw`);
    const addressed = addressesIn(`${to}, ${cc}, ${bcc}`.toLowerCase());
    const copy = { raw: withoutBcc(String(raw)), from: sender, labelIds: ['INBOX', 'UNREAD'] };
    for (const email of this.accounts) {
      if (addressed.includes(email)) await this.as(email, 'POST', 'messages/import', copy);
    }
  }

  private async read(
    email: string,
    messageId: string,
  ): Promise<{ mail: PlaygroundMail; date: number; history: bigint }> {
    const { id, threadId, payload, internalDate, historyId } = message.parse(
      await this.as(email, 'GET', `messages/${messageId}?format=full`),
    );
    const header = (name: string): string =>
      decodeWords(payload.headers.find((one) => one.name.toLowerCase() === name)?.value ?? '');
    const mail = {
      id,
      thread_id: threadId,
      from: header('from'),
      to: header('to'),
      cc: header('cc'),
      bcc: header('bcc'),
      subject: header('subject'),
      message_id: header('message-id'),
      date: new Date(Number(internalDate)).toISOString(),
      body_text: plainText(payload),
    };
    return { mail, date: Math.floor(Number(internalDate) / 1_000), history: BigInt(historyId) };
  }
}

function plainText({ mimeType, body, parts = [] }: Part): string {
  if (mimeType === 'text/plain') return Buffer.from(body?.data ?? '', 'base64url').toString('utf8');
  return parts.map(plainText).find((text) => text !== '') ?? '';
}

/** Recipients do not see who else got a blind copy. */
function withoutBcc(raw: string): string {
  const text = Buffer.from(raw, 'base64url').toString('utf8');
  const end = text.search(/\r?\n\r?\n/);
  const head = text.slice(0, end).replace(/^bcc:.*(\r?\n[ \t].*)*\r?\n?/im, '');
  return Buffer.from(head + text.slice(end)).toString('base64url');
}
