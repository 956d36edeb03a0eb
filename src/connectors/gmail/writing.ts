/** Gmail functions that write, change and send mails. None of them is ever repeated by itself. */
import { z } from 'zod';
import { canonicalHash } from '../../canonical.js';
import { UpstreamError } from '../../errors.js';
import { type CallContext, type CardField, defineFunction, type FunctionDefinition } from '../framework.js';
import { addressesIn, buildMime, isMessageId } from '../mime.js';
import { callGmail, type JsonObject, objectOf, SCOPES, textOf } from './api.js';
import {
  bodyHtml,
  bodyText,
  fewRecipients,
  id,
  input,
  long,
  mailCard,
  mailFields,
  short,
  TOO_MANY,
} from './fields.js';
import { headerOf, messageOf } from './message.js';

const draft = input(z.strictObject(mailFields).refine(fewRecipients, TOO_MANY));
const changedDraft = input(z.strictObject({ id, ...mailFields }).refine(fewRecipients, TOO_MANY));
const outgoing = input(
  z.strictObject({ ...mailFields, to: mailFields.to.min(1) }).refine(fewRecipients, TOO_MANY),
);
const sentDraft = input(
  z.strictObject({
    draft_id: id,
    message_id: z
      .exactOptional(id)
      .describe('The message.id that get_draft showed: a draft changed since is not sent.'),
  }),
);
const answer = input(
  z.strictObject({
    message_id: id.describe('id of the mail that is answered.'),
    reply_all: z.boolean().default(false),
    body_text: bodyText,
    body_html: z.exactOptional(bodyHtml),
  }),
);

type DraftArguments = ReturnType<typeof draft.read>;

/** `{threadId?, raw}` as the API takes it. */
async function messageBody(context: CallContext, mail: DraftArguments): Promise<JsonObject> {
  const bytes = await buildMime({
    to: mail.to,
    cc: mail.cc,
    bcc: mail.bcc,
    subject: mail.subject,
    bodyText: mail.body_text,
    bodyHtml: mail.body_html,
    inReplyTo: mail.in_reply_to,
    references: mail.in_reply_to === undefined ? undefined : [mail.in_reply_to],
    executionId: context.executionId,
  });
  return {
    raw: bytes.toString('base64url'),
    ...(mail.thread_id !== undefined && { threadId: mail.thread_id }),
  };
}

function draftResult(answered: JsonObject): JsonObject {
  const message = objectOf(answered.message);
  return { id: textOf(answered.id), message_id: textOf(message.id), thread_id: textOf(message.threadId) };
}

function sentResult(answered: JsonObject): JsonObject {
  return { id: textOf(answered.id), thread_id: textOf(answered.threadId) };
}

interface ReplyTarget {
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
 * @throws UpstreamError `upstream_rejected` (nothing was sent) when the original names nobody to answer
 */
async function replyTarget(context: CallContext, messageId: string, all: boolean): Promise<ReplyTarget> {
  const metadataHeaders = ['From', 'Reply-To', 'To', 'Cc', 'Subject', 'Message-ID', 'References'];
  const original = await callGmail(context, 'GET', ['messages', messageId], {
    query: { format: 'metadata', metadataHeaders },
  });
  const to = addressesIn(headerOf(original, 'Reply-To') || headerOf(original, 'From'));
  if (to.length === 0) {
    throw new UpstreamError('upstream_rejected', 'The mail names no address that can be answered.', {
      definite: true,
    });
  }
  const self = all ? textOf((await callGmail(context, 'GET', ['profile'])).emailAddress).toLowerCase() : '';
  const others = all ? addressesIn(`${headerOf(original, 'To')}, ${headerOf(original, 'Cc')}`) : [];
  const known = new Set([self, ...to.map((address) => address.toLowerCase())]);
  const subject = headerOf(original, 'Subject');
  const original_id = headerOf(original, 'Message-ID');
  const inReplyTo = isMessageId(original_id) ? original_id : undefined;
  return {
    to,
    cc: others
      .filter((address) => !known.has(address.toLowerCase()) && known.add(address.toLowerCase()))
      .slice(0, 99),
    subject: (/^re:/i.test(subject) ? subject : `Re: ${subject}`).slice(0, 998),
    threadId: textOf(original.threadId),
    inReplyTo,
    references: [...headerOf(original, 'References').split(' '), inReplyTo ?? '']
      .filter(isMessageId)
      .slice(-50),
  };
}

async function fetchDraft(context: CallContext, draftId: string): Promise<JsonObject> {
  return objectOf(
    (await callGmail(context, 'GET', ['drafts', draftId], { query: { format: 'full' } })).message,
  );
}

/** A draft as a card shows it; the text whole, because all of it is sent. */
function draftFields(message: JsonObject): CardField[] {
  const read = messageOf(message, 1_000_000);
  const names = Array.isArray(read.attachments)
    ? read.attachments.map((one) => textOf(objectOf(one).filename))
    : [];
  return [
    ...short('To', textOf(read.to)),
    ...short('Cc', textOf(read.cc) || undefined),
    ...short('Bcc', textOf(read.bcc) || undefined),
    ...short('Subject', textOf(read.subject)),
    ...long('Text', textOf(read.body_text)),
    ...short('Attachments', names),
  ];
}

const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.compose],
} as const satisfies Partial<FunctionDefinition>;
/** A mail that left cannot be called back. Gmail drops no repeats and writes a Message-ID of its own. */
const SEND = {
  risk: 'destructive',
  approval: 'ask',
  idempotency: 'none',
} as const satisfies Partial<FunctionDefinition>;

export const writingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_draft',
    title: 'Write a draft',
    description: 'Puts a mail into the drafts. Nothing is sent.',
    idempotency: 'reconcile',
    input: draft.schema,
    output: '{id, message_id, thread_id} of the draft',
    card: (args) => mailCard(draft.read(args)),
    async run(context, args) {
      const message = await messageBody(context, draft.read(args));
      return draftResult(await callGmail(context, 'POST', ['drafts'], { json: { message } }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_draft',
    title: 'Replace a draft',
    description: 'Replaces everything in a draft with a new mail. Nothing is sent.',
    idempotency: 'natural',
    input: changedDraft.schema,
    output: '{id, message_id, thread_id} of the draft',
    card: (args) => [...short('Draft', changedDraft.read(args).id), ...mailCard(changedDraft.read(args))],
    async run(context, args) {
      const { id: draftId, ...mail } = changedDraft.read(args);
      const message = await messageBody(context, mail);
      return draftResult(await callGmail(context, 'PUT', ['drafts', draftId], { json: { message } }));
    },
  }),
  defineFunction({
    ...SEND,
    name: 'send_draft',
    title: 'Send a draft',
    description: 'Sends a draft to its recipients, as it is when it is sent.',
    scopes: [SCOPES.compose],
    input: sentDraft.schema,
    output: '{id, thread_id} of the sent mail',
    card: (args) => {
      const { draft_id: draftId, message_id: messageId } = sentDraft.read(args);
      return [...short('Draft', draftId), ...short('Version', messageId)];
    },
    async preview(context, args) {
      const message = await fetchDraft(context, sentDraft.read(args).draft_id);
      const fields = draftFields(message);
      return { fields, version: canonicalHash([textOf(message.id), ...fields.map(({ value }) => value)]) };
    },
    async run(context, args) {
      const { draft_id: draftId, message_id: expected } = sentDraft.read(args);
      if (expected !== undefined && textOf((await fetchDraft(context, draftId)).id) !== expected) {
        throw new UpstreamError('target_changed', 'The draft was changed since it was read.', {
          definite: true,
        });
      }
      return sentResult(await callGmail(context, 'POST', ['drafts', 'send'], { json: { id: draftId } }));
    },
  }),
  defineFunction({
    ...SEND,
    name: 'send_message',
    title: 'Send a mail',
    description: 'Writes and sends a mail from this account.',
    scopes: [SCOPES.send],
    input: outgoing.schema,
    output: '{id, thread_id} of the sent mail',
    card: (args) => mailCard(outgoing.read(args)),
    async run(context, args) {
      const message = await messageBody(context, outgoing.read(args));
      return sentResult(await callGmail(context, 'POST', ['messages', 'send'], { json: message }));
    },
  }),
  defineFunction({
    ...SEND,
    name: 'reply',
    title: 'Answer a mail',
    description: 'Answers a mail in its conversation: its sender, or everybody it went to.',
    scopes: [SCOPES.send, SCOPES.readonly],
    input: answer.schema,
    output: '{id, thread_id, to, cc} of the sent mail',
    card: (args) => {
      const { message_id: messageId, reply_all: all, body_text: text, body_html: html } = answer.read(args);
      return [
        ...short('Answer to', messageId),
        ...short('Goes to', all ? 'The sender and everybody it went to' : 'The sender'),
        ...long('Text', text),
        ...long('HTML', html),
      ];
    },
    async preview(context, args) {
      const { message_id: messageId, reply_all: all } = answer.read(args);
      const { to, cc, subject } = await replyTarget(context, messageId, all);
      return {
        fields: [...short('To', to), ...short('Cc', cc), ...short('Subject', subject)],
        version: messageId,
      };
    },
    async run(context, args) {
      const { message_id: messageId, reply_all: all, body_text: text, body_html: html } = answer.read(args);
      const target = await replyTarget(context, messageId, all);
      const { to, cc, threadId } = target;
      const mail = { ...target, bodyText: text, bodyHtml: html, executionId: context.executionId };
      const raw = (await buildMime(mail)).toString('base64url');
      const sent = await callGmail(context, 'POST', ['messages', 'send'], { json: { raw, threadId } });
      return { ...sentResult(sent), to, cc };
    },
  }),
];
