/** Gmail functions that take mails away, and bring them back. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition, type Observe } from '../framework.js';
import { objectsIn, textOf } from '../json.js';
import { callGmail, SCOPES } from './api.js';
import { id } from './fields.js';
import { summaryOf } from './message.js';
import { fetchSummary, mailField } from './summary.js';

const mailOrThread = input(
  z
    .strictObject({
      id: z.exactOptional(id).describe('id of one mail.'),
      thread_id: z.exactOptional(id).describe('Instead: id of a whole conversation.'),
    })
    .refine((args) => (args.id === undefined) !== (args.thread_id === undefined), 'takes id or thread_id'),
);
const oneMail = input(z.strictObject({ id }));

/** So many mails of a conversation are shown. */
const MOST_SHOWN = 10;

const observeMail = async (context: CallContext, messageId: string) => ({
  fields: [mailField(await fetchSummary(context, messageId))],
  // What a mail says never changes.
  version: '',
});

const observe: Observe = {
  async read(context, args) {
    const { id: messageId, thread_id: threadId = '' } = mailOrThread.read(args);
    if (messageId !== undefined) return observeMail(context, messageId);
    const thread = await callGmail(context, 'GET', ['threads', threadId], { query: { format: 'metadata' } });
    const mails = objectsIn(thread.messages);
    const more = mails.length - MOST_SHOWN;
    return {
      fields: [
        ...mails.slice(0, MOST_SHOWN).map((mail) => mailField(summaryOf(mail))),
        ...short('And', more > 0 ? `${more} more` : undefined),
      ],
      // A mail that came in since belongs to what is moved: the newest one tells.
      version: textOf(mails.at(-1)?.id),
    };
  },
  condition: null,
};

function moving(action: 'trash' | 'untrash'): Pick<FunctionDefinition, 'run'> {
  return {
    async run(context, args) {
      const { id: messageId, thread_id: threadId = '' } = mailOrThread.read(args);
      const path = messageId === undefined ? ['threads', threadId] : ['messages', messageId];
      const moved = await callGmail(context, 'POST', [...path, action]);
      const name = messageId === undefined ? 'thread_id' : 'id';
      return { [name]: textOf(moved.id), in_trash: action === 'trash' };
    },
  };
}

const MOVE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.modify],
  idempotency: 'natural',
  input: mailOrThread.schema,
  card: (args) => {
    const { id: messageId, thread_id: threadId } = mailOrThread.read(args);
    return [...short('Mail', messageId), ...short('Conversation', threadId)];
  },
  observe,
} as const satisfies Partial<FunctionDefinition>;

export const removingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...MOVE,
    name: 'trash_message',
    title: 'Move to the trash',
    description: 'Moves a mail, or a whole conversation, to the trash. Gmail deletes it there after 30 days.',
    output: '{id or thread_id, in_trash: true}',
    ...moving('trash'),
  }),
  defineFunction({
    ...MOVE,
    name: 'untrash_message',
    title: 'Take out of the trash',
    description: 'Takes a mail, or a whole conversation, out of the trash.',
    output: '{id or thread_id, in_trash: false}',
    ...moving('untrash'),
  }),
  defineFunction({
    name: 'delete_message_permanently',
    title: 'Delete a mail for good',
    description: 'Deletes a mail at once and for good, not into the trash. Nobody can bring it back.',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: [SCOPES.all],
    idempotency: 'natural',
    input: oneMail.schema,
    output: '{deleted}: the id',
    card: (args) => short('Mail', oneMail.read(args).id),
    observe: {
      read: (context, args) => observeMail(context, oneMail.read(args).id),
      condition: null,
    },
    async run(context, args) {
      const { id: messageId } = oneMail.read(args);
      await callGmail(context, 'DELETE', ['messages', messageId]);
      return { deleted: messageId };
    },
  }),
];
