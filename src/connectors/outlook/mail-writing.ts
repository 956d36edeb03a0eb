/** Outlook functions that write drafts and sort mails. None of them sends anything. */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type Observation,
  type ObservedField,
} from '../framework.js';
import { compact, textOf } from '../json.js';
import { at } from '../microsoft/graph.js';
import { callOutlook, SCOPES } from './api.js';
import { draftResult, writeDraft } from './compose.js';
import { comment, fewRecipients, id, mailCard, mailFields, TOO_MANY } from './fields.js';
import { findMarked } from './marker.js';
import { fetchMessage, SUMMARY, summaryFields, summaryOf } from './message.js';

const draft = input(z.strictObject(mailFields).refine(fewRecipients, TOO_MANY));
const replyDraft = input(
  z.strictObject({
    id: id.describe('id of the mail that is answered.'),
    reply_all: z.boolean().default(false),
    comment,
  }),
);
const changed = input(
  z
    .strictObject({
      id,
      is_read: z.exactOptional(z.boolean()),
      flag: z.exactOptional(z.enum(['notFlagged', 'flagged', 'complete'])),
      importance: z.exactOptional(z.enum(['low', 'normal', 'high'])),
      categories: z.exactOptional(z.array(oneLine(255)).max(25)).describe('Replaces the categories.'),
    })
    .refine((args) => Object.keys(args).length > 1, 'names nothing to change'),
);
const moved = input(
  z.strictObject({
    id,
    folder_id: id.describe('id of the folder, or inbox, archive, junkemail, deleteditems …'),
  }),
);
const oldMessage = input(z.strictObject({ id }));

type ChangedArguments = ReturnType<typeof changed.read>;

async function observeMessage(context: CallContext, { id: messageId }: { id: string }): Promise<Observation> {
  return { fields: summaryFields(await fetchMessage(context, messageId, SUMMARY)), version: '' };
}

/** Only what the call changes: everything else about a mail may change meanwhile, and nobody minds. */
async function observeChange(context: CallContext, args: ChangedArguments): Promise<Observation> {
  const found = await fetchMessage(context, args.id, SUMMARY);
  const now = summaryOf(found);
  const before = {
    is_read: now.is_read,
    flag: now.flag,
    importance: now.importance,
    categories: now.categories,
  };
  const fields = changes(args).map(
    ([name, label, after]): ObservedField => ({
      label,
      value: [before[name] ?? ''].flat().join(', '),
      after: [after].flat().join(', '),
      kind: 'short',
    }),
  );
  return { fields: [...summaryFields(found), ...fields], version: '' };
}

const LABELS = { is_read: 'Read', flag: 'Flag', importance: 'Importance', categories: 'Categories' } as const;

function changes(args: ChangedArguments) {
  return (['is_read', 'flag', 'importance', 'categories'] as const).flatMap((name) => {
    const after = args[name];
    return after === undefined ? [] : [[name, LABELS[name], after] as const];
  });
}

async function fetchFolderName(context: CallContext, folderId: string): Promise<string> {
  const path = at`/mailFolders/${folderId}`;
  return textOf((await callOutlook(context, { path, query: { $select: 'displayName' } })).displayName);
}

async function observeMove(context: CallContext, args: ReturnType<typeof moved.read>): Promise<Observation> {
  const found = await fetchMessage(context, args.id, SUMMARY);
  const value = await fetchFolderName(context, textOf(found.parentFolderId));
  const after = await fetchFolderName(context, args.folder_id);
  return { fields: [...summaryFields(found), { label: 'Folder', value, after, kind: 'short' }], version: '' };
}

const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.writeMail],
} as const satisfies Partial<FunctionDefinition>;

export const mailWritingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_draft',
    title: 'Write a draft',
    description: 'Puts a mail into the drafts. Nothing is sent.',
    idempotency: 'reconcile',
    input: draft.schema,
    output: '{id, conversation_id, url} of the draft',
    files: (args) => draft.read(args).attachments ?? [],
    card: (args) => mailCard(draft.read(args)),
    observe: { none: 'It creates something new; there is no target yet.' },
    async reconcile(context) {
      const [found] = await findMarked(context, '/messages', 'id,conversationId,webLink');
      return found ? { status: 'applied', result: draftResult(found) } : { status: 'not_applied' };
    },
    run: async (context, args) => draftResult(await writeDraft(context, draft.read(args))),
  }),
  defineFunction({
    ...WRITE,
    name: 'create_reply_draft',
    title: 'Write a draft of an answer',
    description:
      'Puts an answer to a mail into the drafts, with its recipients and the original below. Nothing is sent.',
    idempotency: 'none',
    input: replyDraft.schema,
    output: '{id, conversation_id, url} of the draft',
    card: (args) => {
      const { id: messageId, reply_all: all, comment: text } = replyDraft.read(args);
      return [
        ...short('Answer to', messageId),
        ...short('Goes to', all ? 'The sender and everybody it went to' : 'The sender'),
        ...long('Text', text),
      ];
    },
    observe: { condition: null, read: (context, args) => observeMessage(context, replyDraft.read(args)) },
    async run(context, args) {
      const { id: messageId, reply_all: all, comment: text } = replyDraft.read(args);
      const path = all ? at`/messages/${messageId}/createReplyAll` : at`/messages/${messageId}/createReply`;
      return draftResult(await callOutlook(context, { method: 'POST', path, json: { comment: text } }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_message',
    title: 'Mark a mail',
    description: 'Marks a mail as read or unread, flags it, or sets its importance or categories.',
    idempotency: 'natural',
    input: changed.schema,
    output: '{id, is_read, flag, importance, categories} as they are now',
    card: (args) => [
      ...short('Mail', changed.read(args).id),
      ...changes(changed.read(args)).map(
        ([, label, after]): ObservedField => ({ label, value: [after].flat().join(', '), kind: 'short' }),
      ),
    ],
    observe: { condition: null, read: (context, args) => observeChange(context, changed.read(args)) },
    async run(context, args) {
      const { id: messageId, is_read: isRead, flag: flagStatus, importance, categories } = changed.read(args);
      const flag = flagStatus === undefined ? undefined : { flagStatus };
      const json = compact({ isRead, flag, importance, categories });
      const path = at`/messages/${messageId}`;
      const now = summaryOf(await callOutlook(context, { method: 'PATCH', path, json }));
      return compact({
        id: messageId,
        is_read: now.is_read,
        flag: now.flag,
        importance: now.importance,
        categories: now.categories,
      });
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'move_message',
    title: 'Move a mail',
    description: 'Moves a mail to another folder of the mailbox.',
    idempotency: 'natural',
    input: moved.schema,
    output: '{id, folder_id}',
    card: (args) => {
      const { id: messageId, folder_id: folder } = moved.read(args);
      return [...short('Mail', messageId), ...short('To folder', folder)];
    },
    observe: { condition: null, read: (context, args) => observeMove(context, moved.read(args)) },
    async run(context, args) {
      const { id: messageId, folder_id: destinationId } = moved.read(args);
      const path = at`/messages/${messageId}/move`;
      const found = await callOutlook(context, { method: 'POST', path, json: { destinationId } });
      return { id: textOf(found.id), folder_id: textOf(found.parentFolderId) };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_message',
    title: 'Delete a mail',
    description: 'Deletes a mail or a draft: it goes to Deleted Items, and from there out of sight.',
    risk: 'destructive',
    idempotency: 'natural',
    input: oldMessage.schema,
    output: '{deleted}: the id',
    card: (args) => short('Mail', oldMessage.read(args).id),
    observe: { condition: null, read: (context, args) => observeMessage(context, oldMessage.read(args)) },
    async run(context, args) {
      const { id: messageId } = oldMessage.read(args);
      await callOutlook(context, { method: 'DELETE', path: at`/messages/${messageId}` });
      return { deleted: messageId };
    },
  }),
];
