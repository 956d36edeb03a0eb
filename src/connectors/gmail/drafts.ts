/** Gmail functions that write and send drafts. None of them is ever repeated by itself. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, short } from '../fields.js';
import {
  type CallContext,
  type CardField,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { addressesIn } from '../mime.js';
import { callGmail, SCOPES } from './api.js';
import { draftResult, type MailArguments, mimeOf, sendMail, sentResult } from './compose.js';
import { fewRecipients, id, mailCard, mailFields, TOO_MANY } from './fields.js';
import { htmlOf, messageOf } from './message.js';
import { reconcileDraft, reconcileSentDraft } from './reconcile.js';

const draft = input(z.strictObject(mailFields).refine(fewRecipients, TOO_MANY));
const changedDraft = input(z.strictObject({ id, ...mailFields }).refine(fewRecipients, TOO_MANY));
const sentDraft = input(
  z.strictObject({
    draft_id: id,
    message_id: z
      .exactOptional(id)
      .describe('The message.id that get_draft showed: a draft changed since is not sent.'),
  }),
);

async function writeDraft(
  context: CallContext,
  method: 'POST' | 'PUT',
  path: readonly string[],
  mail: ReturnType<typeof draft.read>,
): Promise<JsonObject> {
  const message = { bytes: await mimeOf(context, mail), threadId: mail.thread_id };
  return draftResult(await sendMail(context, method, path, message, (wrapped) => ({ message: wrapped })));
}

async function fetchDraft(context: CallContext, draftId: string): Promise<JsonObject> {
  return objectOf(
    (await callGmail(context, 'GET', ['drafts', draftId], { query: { format: 'full' } })).message,
  );
}

/** A draft as a card shows it; the text whole, because all of it is sent. */
function draftFields(message: JsonObject): CardField[] {
  const read = messageOf(message, 1_000_000);
  const files = objectsIn(read.attachments).map(
    ({ filename, size }) => `${textOf(filename)} (${Number(size)} bytes)`,
  );
  return [
    ...short('To', textOf(read.to)),
    ...short('Cc', textOf(read.cc) || undefined),
    ...short('Bcc', textOf(read.bcc) || undefined),
    ...short('Subject', textOf(read.subject)),
    ...long('Text', textOf(read.body_text)),
    ...long('HTML', htmlOf(message) || undefined),
    ...short('Attachments', files),
  ];
}

/** Each field of the draft with what the call makes of it. */
function changes(message: JsonObject, mail: MailArguments): ObservedField[] {
  const before = new Map(draftFields(message).map((field) => [field.label, field]));
  const after = new Map<string, readonly [string, CardField['kind']]>([
    ['To', [mail.to.join(', '), 'short']],
    ['Cc', [(mail.cc ?? []).join(', '), 'short']],
    ['Bcc', [(mail.bcc ?? []).join(', '), 'short']],
    ['Subject', [mail.subject, 'short']],
    ['Text', [mail.body_text, 'long']],
    ['HTML', [mail.body_html ?? '', 'long']],
    ['Attachments', [(mail.attachments ?? []).join(', '), 'short']],
  ]);
  const plain = (label: string, value: string): string =>
    /^(To|Cc|Bcc)$/.test(label) ? addressesIn(value).join(', ') : value.trim();
  return [...after].flatMap(([label, [next, kind]]) => {
    const value = before.get(label)?.value ?? '';
    if (plain(label, value) !== plain(label, next)) return [{ label, value, kind, after: next }];
    return value === '' ? [] : [{ label, value, kind }];
  });
}

const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.compose],
} as const satisfies Partial<FunctionDefinition>;

export const draftFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_draft',
    title: 'Write a draft',
    description: 'Puts a mail into the drafts. Nothing is sent.',
    idempotency: 'reconcile',
    input: draft.schema,
    output: '{id, message_id, thread_id} of the draft',
    card: (args) => mailCard(draft.read(args)),
    files: (args) => draft.read(args).attachments ?? [],
    observe: { none: 'It creates something new; there is no target yet.' },
    reconcile: (context) => reconcileDraft(context),
    run: (context, args) => writeDraft(context, 'POST', ['drafts'], draft.read(args)),
  }),
  defineFunction({
    ...WRITE,
    name: 'update_draft',
    title: 'Replace a draft',
    description: 'Replaces everything in a draft with a new mail, its attachments too. Nothing is sent.',
    idempotency: 'natural',
    input: changedDraft.schema,
    output: '{id, message_id, thread_id} of the draft',
    card: (args) => [...short('Draft', changedDraft.read(args).id), ...mailCard(changedDraft.read(args))],
    files: (args) => changedDraft.read(args).attachments ?? [],
    observe: {
      async read(context, args) {
        const { id: draftId, ...mail } = changedDraft.read(args);
        const message = await fetchDraft(context, draftId);
        // Gmail gives a draft a new message whenever it changes.
        return { fields: changes(message, mail), version: textOf(message.id) };
      },
      condition: null,
    },
    async run(context, args) {
      const { id: draftId, ...mail } = changedDraft.read(args);
      return writeDraft(context, 'PUT', ['drafts', draftId], mail);
    },
  }),
  defineFunction({
    // A mail that left cannot be called back.
    risk: 'destructive',
    approval: 'ask',
    idempotency: 'reconcile',
    name: 'send_draft',
    title: 'Send a draft',
    description: 'Sends a draft to its recipients, as it is when it is sent.',
    reachesUnnamed: true,
    scopes: [SCOPES.compose],
    input: sentDraft.schema,
    output: '{id, thread_id} of the sent mail',
    card: (args) => {
      const { draft_id: draftId, message_id: messageId } = sentDraft.read(args);
      return [...short('Draft', draftId), ...short('Version', messageId)];
    },
    observe: {
      async read(context, args) {
        const message = await fetchDraft(context, sentDraft.read(args).draft_id);
        return { fields: draftFields(message), version: textOf(message.id) };
      },
      condition: null,
    },
    reconcile: (context, args) => reconcileSentDraft(context, sentDraft.read(args).draft_id),
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
];
