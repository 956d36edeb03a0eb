/**
 * Gmail functions that send mails. A mail that left cannot be called back, Gmail drops no repeats, and it may write a
 * Message-ID of its own: after a lost answer the sent mails are looked through.
 */
import { z } from 'zod';
import { input, long, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { SCOPES } from './api.js';
import { limited, mimeOf, replyTarget, sendMail, sentResult } from './compose.js';
import { bodyHtml, bodyText, fewRecipients, id, mailCard, mailFields, TOO_MANY } from './fields.js';
import { addressesOf } from './message.js';
import { reconcileSent } from './reconcile.js';

const outgoing = input(
  z.strictObject({ ...mailFields, to: mailFields.to.min(1) }).refine(fewRecipients, TOO_MANY),
);
const answer = input(
  z.strictObject({
    message_id: id.describe('id of the mail that is answered.'),
    reply_all: z.boolean().default(false),
    body_text: bodyText,
    body_html: z.exactOptional(bodyHtml),
  }),
);

const SEND = {
  risk: 'destructive',
  approval: 'ask',
  idempotency: 'reconcile',
} as const satisfies Partial<FunctionDefinition>;

export const sendingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...SEND,
    name: 'send_message',
    title: 'Send a mail',
    description: 'Writes and sends a mail from this account.',
    scopes: [SCOPES.send],
    input: outgoing.schema,
    output: '{id, thread_id} of the sent mail',
    card: (args) => mailCard(outgoing.read(args)),
    files: (args) => outgoing.read(args).attachments ?? [],
    observe: { none: 'It sends a new mail; there is no target yet.' },
    reconcile: (context) => reconcileSent(context, sentResult),
    async run(context, args) {
      const mail = outgoing.read(args);
      const message = { bytes: await mimeOf(context, mail), threadId: mail.thread_id };
      return sentResult(await sendMail(context, 'POST', ['messages', 'send'], message, (wrapped) => wrapped));
    },
  }),
  defineFunction({
    ...SEND,
    name: 'reply',
    title: 'Answer a mail',
    description: 'Answers a mail in its conversation: its sender, or everybody it went to.',
    reachesUnnamed: true,
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
    observe: {
      async read(context, args) {
        const { message_id: messageId, reply_all: all } = answer.read(args);
        const { to, cc, subject } = await replyTarget(context, messageId, all);
        return {
          fields: [...short('To', to), ...short('Cc', cc), ...short('Subject', subject)],
          version: messageId,
        };
      },
      condition: null,
    },
    reconcile: (context) =>
      reconcileSent(context, (message) => ({
        ...sentResult(message),
        to: addressesOf(message, 'To'),
        cc: addressesOf(message, 'Cc'),
      })),
    async run(context, args) {
      const { message_id: messageId, reply_all: all, body_text: text, body_html: html } = answer.read(args);
      const target = await replyTarget(context, messageId, all);
      const { to, cc, threadId } = target;
      const mail = { ...target, bodyText: text, bodyHtml: html, executionId: context.executionId };
      const message = { bytes: await limited(mail), threadId };
      const sent = await sendMail(context, 'POST', ['messages', 'send'], message, (wrapped) => wrapped);
      return { ...sentResult(sent), to, cc };
    },
  }),
];
