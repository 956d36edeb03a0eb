/** Slack functions that change messages that are there, and react to them. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { textOf } from '../json.js';
import { callSlack } from './api.js';
import { channelId, contentCard, messageFields, timestamp } from './fields.js';
import { messageObservation, observed } from './targets.js';

const changed = input(z.strictObject({ channel: channelId, ts: timestamp, ...messageFields }));
const named = input(z.strictObject({ channel: channelId, ts: timestamp }));
const reaction = input(
  z.strictObject({
    channel: channelId,
    ts: timestamp,
    name: z
      .string()
      .regex(/^[\p{L}\p{N}_+'-]{1,100}(::skin-tone-[2-6])?$/u, 'is not the name of an emoji')
      .describe('Name of the emoji without colons: thumbsup.'),
  }),
);

type Named = ReturnType<typeof named.read>;
type Reaction = ReturnType<typeof reaction.read>;

const messageCard = ({ channel, ts }: Named) => [...short('Channel', channel), ...short('Message', ts)];
const reactionCard = (given: Reaction) => [...messageCard(given), ...short('Emoji', `:${given.name}:`)];
const reactionArguments = ({ channel, ts: timestamp, name }: Reaction) => ({ channel, timestamp, name });

const WRITE = {
  risk: 'write',
  approval: 'ask',
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const REACT = {
  ...WRITE,
  scopes: ['reactions:write'],
  input: reaction.schema,
  output: '{channel, ts, name, changed}; changed is false when it already was so',
  card: (args) => reactionCard(reaction.read(args)),
  observe: observed((context, args) => {
    const { channel, ts } = reaction.read(args);
    return messageObservation(context, channel, ts);
  }),
} as const satisfies Partial<FunctionDefinition>;

export const changingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'update_message',
    title: 'Change a message',
    description: 'Replaces the text (and the blocks) of a message of this account.',
    reachesUnnamed: true,
    scopes: ['chat:write'],
    input: changed.schema,
    output: '{channel, ts}',
    card: (args) => [...messageCard(changed.read(args)), ...contentCard(changed.read(args))],
    observe: observed((context, args) => {
      const { channel, ts, text } = changed.read(args);
      return messageObservation(context, channel, ts, { after: text });
    }),
    async run(context, args) {
      const { channel, ts, text, blocks = [] } = changed.read(args);
      // Without this member Slack would keep the old blocks, and show them instead of the new text.
      const given = { channel, ts, text, blocks, link_names: false };
      const answer = await callSlack(context, 'chat.update', given);
      return { channel: textOf(answer.channel), ts: textOf(answer.ts) };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_message',
    title: 'Delete a message',
    description: 'Deletes a message of this account, for good.',
    risk: 'destructive',
    askEveryTime: true,
    scopes: ['chat:write'],
    input: named.schema,
    output: '{deleted, changed}: the ts; changed is false when it was gone already',
    card: (args) => messageCard(named.read(args)),
    observe: observed((context, args) => {
      const { channel, ts } = named.read(args);
      return messageObservation(context, channel, ts);
    }),
    async run(context, args) {
      const { channel, ts } = named.read(args);
      const answer = await callSlack(context, 'chat.delete', { channel, ts }, ['message_not_found']);
      return { deleted: ts, changed: answer.ok === true };
    },
  }),
  defineFunction({
    ...REACT,
    name: 'add_reaction',
    title: 'React to a message',
    description: 'Puts an emoji under a message.',
    async run(context, args) {
      const given = reaction.read(args);
      const fine = ['already_reacted'];
      const answer = await callSlack(context, 'reactions.add', reactionArguments(given), fine);
      return { ...given, changed: answer.ok === true };
    },
  }),
  defineFunction({
    ...REACT,
    name: 'remove_reaction',
    title: 'Take a reaction back',
    description: 'Takes an emoji of this account away from a message.',
    async run(context, args) {
      const given = reaction.read(args);
      const fine = ['no_reaction'];
      const answer = await callSlack(context, 'reactions.remove', reactionArguments(given), fine);
      return { ...given, changed: answer.ok === true };
    },
  }),
];
