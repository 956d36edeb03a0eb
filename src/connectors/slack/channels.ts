/** Slack functions that make and change channels. For bots: the scopes of people have other names (channels:write). */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, short } from '../fields.js';
import { type CardField, defineFunction, type FunctionDefinition, type ObservedField } from '../framework.js';
import { objectOf, objectsIn, textOf } from '../json.js';
import { callSlack, SCOPES } from './api.js';
import { channelId, userId } from './fields.js';
import { channelOf } from './shapes.js';
import { channelFields, channelNow, observed, personFields } from './targets.js';

const created = input(
  z.strictObject({
    name: z
      .string()
      .regex(/^[\p{Ll}\p{Lo}\p{N}_-]{1,80}$/u, 'may have lower-case letters, digits, hyphens and underscores')
      .describe('Without #, at most 80 characters.'),
    is_private: z.boolean().default(false),
  }),
);
const invited = input(
  z.strictObject({
    channel: channelId,
    users: z
      .array(userId)
      .min(1)
      .max(100)
      .refine((ids) => new Set(ids).size === ids.length, 'names somebody twice'),
  }),
);
const titled = input(
  z.strictObject({
    channel: channelId,
    topic: z.string().max(250).describe('Shown as it is; empty takes the topic away.'),
  }),
);
const named = input(z.strictObject({ channel: channelId }));
const kicked = input(z.strictObject({ channel: channelId, user: userId }));

const WRITE = {
  risk: 'write',
  approval: 'ask',
  idempotency: 'natural',
  scopes: SCOPES.manage,
  auth: ['oauth', 'bearer'],
} as const satisfies Partial<FunctionDefinition>;
const OFF = {
  ...WRITE,
  risk: 'destructive',
  approval: 'off',
  scopes: ['channels:manage'],
} as const satisfies Partial<FunctionDefinition>;

const channelObserved = observed(async (context, args) => {
  const channel = textOf(args.channel);
  return channelFields(await channelNow(context, channel), channel);
});

function topicFields(now: string, after: string): ObservedField[] {
  const shown = (topic: string): string => (topic === '' ? '(none)' : topic);
  return [{ label: 'Topic', value: shown(now), kind: 'long', after: shown(after) }];
}

const peopleCard = (channel: string, label: string, people: readonly string[]): CardField[] => [
  ...short('Channel', channel),
  ...short(label, [...people]),
];

export const channelFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_channel',
    title: 'Create a channel',
    description: 'Creates a channel, public or private. A name that exists is refused.',
    input: created.schema,
    output: '{id, name, is_private, is_archived, is_member, topic, purpose, members, created}',
    card: (args) => {
      const { name, is_private: isPrivate } = created.read(args);
      return [
        ...short('Name', `#${name}`),
        ...short('Who can see it', isPrivate ? 'Its members' : 'Everybody'),
      ];
    },
    observe: { none: 'It creates something new; there is no target yet.' },
    run: async (context, args) =>
      channelOf(objectOf((await callSlack(context, 'conversations.create', created.read(args))).channel)),
  }),
  defineFunction({
    ...WRITE,
    name: 'invite_to_channel',
    title: 'Invite to a channel',
    description: 'Makes people members of a channel: all of them, or nobody if one cannot be.',
    reachesUnnamed: true,
    input: invited.schema,
    output: '{channel, users, changed}; changed is false when all of them were members already',
    card: (args) => peopleCard(invited.read(args).channel, 'Invite', invited.read(args).users),
    observe: observed(async (context, args) => {
      const { channel, users } = invited.read(args);
      return [
        ...channelFields(await channelNow(context, channel), channel),
        ...(await personFields(context, 'Invite', users)),
      ];
    }),
    async run(context, args) {
      const { channel, users } = invited.read(args);
      const given = { channel, users: users.join(',') };
      const answer = await callSlack(context, 'conversations.invite', given, ['already_in_channel']);
      const members = objectsIn(answer.errors).filter(({ error }) => error === 'already_in_channel').length;
      if (answer.ok !== true && users.length > 1 && members < users.length) {
        throw new UpstreamError(
          'upstream_rejected',
          'Slack invited nobody: some of them are members already (already_in_channel).',
          { definite: true },
        );
      }
      return { channel, users, changed: answer.ok === true };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'set_topic',
    title: 'Set the topic of a channel',
    description: 'Replaces the topic of a channel.',
    input: titled.schema,
    output: '{channel, topic}',
    card: (args) => {
      const { channel, topic } = titled.read(args);
      return [...short('Channel', channel), { label: 'Topic', value: topic || '(none)', kind: 'long' }];
    },
    observe: observed(async (context, args) => {
      const { channel, topic } = titled.read(args);
      const now = await channelNow(context, channel);
      const fields = channelFields(now, channel);
      if (now.id === undefined) return fields;
      return [...fields, ...topicFields(textOf(objectOf(now.topic).value), topic)];
    }),
    async run(context, args) {
      const given = titled.read(args);
      await callSlack(context, 'conversations.setTopic', given);
      return given;
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'join_channel',
    title: 'Join a channel',
    description: 'Makes this account a member of a public channel.',
    scopes: ['channels:join'],
    input: named.schema,
    output: '{channel, changed}; changed is false when it was a member already',
    card: (args) => short('Channel', named.read(args).channel),
    observe: channelObserved,
    async run(context, args) {
      const { channel } = named.read(args);
      const answer = await callSlack(context, 'conversations.join', { channel });
      return { channel, changed: answer.warning !== 'already_in_channel' };
    },
  }),
  defineFunction({
    ...OFF,
    name: 'archive_channel',
    title: 'Archive a channel',
    description: 'Closes a channel for everybody. What was said stays readable.',
    input: named.schema,
    output: '{archived, changed}: the id; changed is false when it already was',
    card: (args) => short('Channel', named.read(args).channel),
    observe: channelObserved,
    async run(context, args) {
      const { channel } = named.read(args);
      const answer = await callSlack(context, 'conversations.archive', { channel }, ['already_archived']);
      return { archived: channel, changed: answer.ok === true };
    },
  }),
  defineFunction({
    ...OFF,
    name: 'kick_member',
    title: 'Remove from a channel',
    description: 'Takes a person out of a channel. Of a private channel she then sees nothing more.',
    askEveryTime: true,
    input: kicked.schema,
    output: '{channel, user}',
    card: (args) => peopleCard(kicked.read(args).channel, 'Remove', [kicked.read(args).user]),
    observe: observed(async (context, args) => {
      const { channel, user } = kicked.read(args);
      return [
        ...channelFields(await channelNow(context, channel), channel),
        ...(await personFields(context, 'Remove', [user])),
      ];
    }),
    async run(context, args) {
      const given = kicked.read(args);
      await callSlack(context, 'conversations.kick', given);
      return given;
    },
  }),
];
