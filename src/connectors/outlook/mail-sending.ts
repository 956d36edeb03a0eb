/** Outlook functions that send mails. A mail that left cannot be called back, so none is ever sent twice. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, short } from '../fields.js';
import {
  type CallContext,
  type CardField,
  defineFunction,
  type FunctionDefinition,
  type Observation,
  type Reconciled,
} from '../framework.js';
import { type JsonObject, objectsIn, textOf } from '../json.js';
import { at } from '../microsoft/graph.js';
import { mailAddress } from '../mime.js';
import { callOutlook, SCOPES } from './api.js';
import { type Composed, dropDraft, recipientsOf, writeDraft } from './compose.js';
import { comment, fewRecipients, id, mailCard, mailFields, TOO_MANY } from './fields.js';
import { findMarked } from './marker.js';
import { draftFields, fetchMessage, peopleOf, summaryFields, WHOLE } from './message.js';

const outgoing = input(
  z.strictObject({ ...mailFields, to: mailFields.to.min(1) }).refine(fewRecipients, TOO_MANY),
);
const sentDraft = input(z.strictObject({ id: id.describe('id of the draft.') }));
const answer = input(z.strictObject({ id: id.describe('id of the mail that is answered.'), comment }));
const passedOn = input(
  z.strictObject({
    id: id.describe('id of the mail that is passed on.'),
    to: z.array(mailAddress).min(1).max(500).describe('Bare addresses: cleo@example.com'),
    comment: z.exactOptional(comment),
  }),
);

/** What `Mail.ReadBasic` shows of a mail, and who an answer goes to. */
const ENVELOPE = 'id,subject,from,replyTo,toRecipients,ccRecipients,receivedDateTime,hasAttachments';

async function observeDraft(context: CallContext, draftId: string): Promise<Observation> {
  const draft = await fetchMessage(context, draftId, WHOLE);
  if (draft.isDraft !== true) {
    throw new UpstreamError('upstream_rejected', 'That is not a draft, or it was sent already.', {
      definite: true,
    });
  }
  const path = at`/messages/${draftId}/attachments`;
  const query = { $select: 'id,name', $top: '100' };
  const attachments =
    draft.hasAttachments === true ? objectsIn((await callOutlook(context, { path, query })).value) : [];
  return { fields: draftFields(draft, attachments), version: textOf(draft.changeKey) };
}

async function observeAnswer(context: CallContext, messageId: string, all: boolean): Promise<Observation> {
  const original = await fetchMessage(context, messageId, ENVELOPE);
  const named = peopleOf(original.replyTo);
  const to = named.length > 0 ? named : peopleOf([original.from ?? null]);
  const others: CardField[] = [
    ...short('And to', peopleOf(original.toRecipients)),
    ...short('Cc', peopleOf(original.ccRecipients)),
  ];
  return { fields: [...short('To', to), ...(all ? others : []), ...summaryFields(original)], version: '' };
}

/** Without its draft nothing was sent, however the writing of the draft ended. */
async function writeUnsent(context: CallContext, mail: Composed): Promise<JsonObject> {
  try {
    return await writeDraft(context, mail);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.definite) throw error;
    const message = `The mail was not sent; a draft of it may have been left. ${error.message}`;
    throw new UpstreamError(error.code, message, { definite: true, cause: error });
  }
}

/**
 * Writes a draft and sends it, rather than in one step (sendMail): that has no id, and nothing would tell afterwards
 * whether it went.
 */
async function sendMarked(context: CallContext, mail: Composed): Promise<JsonObject> {
  const draft = await writeUnsent(context, mail);
  const draftId = textOf(draft.id);
  try {
    await callOutlook(context, { method: 'POST', path: at`/messages/${draftId}/send` });
  } catch (error) {
    if (error instanceof UpstreamError && error.definite) await dropDraft(context, draftId);
    throw error;
  }
  return sentResult(draft);
}

/**
 * That nothing is found says nothing: the draft may never have been written, or the mail left and no copy of it was
 * kept, or somebody deleted it.
 */
async function lookForSent(context: CallContext): Promise<Reconciled> {
  const found = await findMarked(context, '/messages', 'id,conversationId,internetMessageId,isDraft');
  const sent = found.find((message) => message.isDraft === false);
  if (sent) return { status: 'applied', result: sentResult(sent) };
  return {
    status: 'unknown',
    reason:
      found.length === 0
        ? 'The mailbox holds neither the mail nor its draft: it was not written, or it was sent and no copy is left.'
        : 'The mail stands in the drafts: it was not sent, or is just being sent.',
  };
}

function sentResult(message: JsonObject): JsonObject {
  return {
    id: textOf(message.id),
    conversation_id: textOf(message.conversationId),
    message_id: textOf(message.internetMessageId),
  };
}

const SEND = {
  risk: 'destructive',
  approval: 'ask',
  idempotency: 'none',
} as const satisfies Partial<FunctionDefinition>;
/** Those who approve see who an answer goes to, so the function may read that much. */
const ANSWER = [SCOPES.sendMail, SCOPES.readBasicMail] as const;

/** `reply` and `replyAll` differ in who gets it. */
function replyFunction(all: boolean): FunctionDefinition {
  return defineFunction({
    ...SEND,
    name: all ? 'reply_all' : 'reply',
    title: all ? 'Answer everybody' : 'Answer a mail',
    description: all
      ? 'Answers a mail: its sender and everybody it went to, with the original below.'
      : 'Answers the sender of a mail, with the original below.',
    reachesUnnamed: true,
    scopes: ANSWER,
    input: answer.schema,
    output: '{sent}: true once Outlook has taken it',
    card: (args) => {
      const { id: messageId, comment: text } = answer.read(args);
      return [
        ...short('Answer to', messageId),
        ...short('Goes to', all ? 'The sender and everybody it went to' : 'The sender'),
        ...long('Text', text),
      ];
    },
    observe: { condition: null, read: (context, args) => observeAnswer(context, answer.read(args).id, all) },
    async run(context, args) {
      const { id: messageId, comment: text } = answer.read(args);
      const path = all ? at`/messages/${messageId}/replyAll` : at`/messages/${messageId}/reply`;
      await callOutlook(context, { method: 'POST', path, json: { comment: text } });
      return { sent: true };
    },
  });
}

export const mailSendingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...SEND,
    name: 'send_draft',
    title: 'Send a draft',
    description: 'Sends a draft to its recipients, as it is when it is sent.',
    reachesUnnamed: true,
    scopes: [SCOPES.sendMail, SCOPES.readMail],
    input: sentDraft.schema,
    output: '{id, sent}',
    card: (args) => short('Draft', sentDraft.read(args).id),
    observe: { condition: null, read: (context, args) => observeDraft(context, sentDraft.read(args).id) },
    async run(context, args) {
      const { id: draftId } = sentDraft.read(args);
      await callOutlook(context, { method: 'POST', path: at`/messages/${draftId}/send` });
      return { id: draftId, sent: true };
    },
  }),
  defineFunction({
    ...SEND,
    name: 'send_message',
    title: 'Send a mail',
    description: 'Writes and sends a mail from this mailbox.',
    idempotency: 'reconcile',
    scopes: [SCOPES.writeMail, SCOPES.sendMail],
    input: outgoing.schema,
    output: '{id, conversation_id, message_id} of the sent mail',
    files: (args) => outgoing.read(args).attachments ?? [],
    card: (args) => mailCard(outgoing.read(args)),
    observe: { none: 'It creates something new; there is no target yet.' },
    reconcile: lookForSent,
    run: (context, args) => sendMarked(context, outgoing.read(args)),
  }),
  replyFunction(false),
  replyFunction(true),
  defineFunction({
    ...SEND,
    name: 'forward',
    title: 'Pass a mail on',
    description: 'Sends a mail on to others, with its attachments.',
    scopes: ANSWER,
    input: passedOn.schema,
    output: '{sent}: true once Outlook has taken it',
    card: (args) => {
      const { id: messageId, to, comment: text } = passedOn.read(args);
      return [...short('Mail', messageId), ...short('To', to), ...long('Text', text)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const original = await fetchMessage(context, passedOn.read(args).id, ENVELOPE);
        const attached = original.hasAttachments === true ? 'Yes' : 'No';
        return { fields: [...summaryFields(original), ...short('With attachments', attached)], version: '' };
      },
    },
    async run(context, args) {
      const { id: messageId, to, comment: text = '' } = passedOn.read(args);
      const json = { comment: text, toRecipients: recipientsOf(to) };
      await callOutlook(context, { method: 'POST', path: at`/messages/${messageId}/forward`, json });
      return { sent: true };
    },
  }),
];
