/** Slack functions that read channels, messages and people. */
import { z } from 'zod';
import { input, pageSize, pageToken } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textsIn } from '../json.js';
import { callSlack, nextCounted, nextPage, SCOPES } from './api.js';
import { channelId, pageNumber, timeBound, timestamp, userId } from './fields.js';
import { channelOf, messageOf, userOf } from './shapes.js';

const page = { limit: pageSize(200), page_token: z.exactOptional(pageToken) };
const period = {
  oldest: z.exactOptional(timeBound),
  latest: z.exactOptional(timeBound),
  ...page,
};

const channels = input(
  z.strictObject({
    types: z
      .array(z.enum(['public_channel', 'private_channel']))
      .min(1)
      .max(2)
      .default(['public_channel', 'private_channel']),
    exclude_archived: z.boolean().default(true),
    ...page,
  }),
);
const oneChannel = input(z.strictObject({ channel: channelId }));
const members = input(z.strictObject({ channel: channelId, ...page }));
const history = input(z.strictObject({ channel: channelId, ...period }));
const thread = input(
  z.strictObject({
    channel: channelId,
    thread_ts: timestamp.describe('ts of the message that the thread begins with.'),
    ...period,
  }),
);
const search = input(
  z.strictObject({
    query: z.string().min(1).max(500).describe('A Slack search, for example: from:@ada in:#general budget'),
    sort: z.enum(['score', 'timestamp']).default('score').describe('Best or newest first.'),
    limit: pageSize(100),
    page_token: z.exactOptional(pageNumber),
  }),
);
const oneMessage = input(z.strictObject({ channel: channelId, ts: timestamp }));
const people = input(z.strictObject(page));
const person = input(z.strictObject({ user: userId }));
const address = input(z.strictObject({ email: z.email('is not a mail address').max(254) }));

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;
const MESSAGE = '{ts, thread_ts, user, text, truncated, edited, reply_count, reactions, files}';
const USER =
  '{id, name, real_name, display_name, title, email, time_zone, is_bot, deleted}; email is null without users:read.email';

function matchOf(match: JsonObject): JsonObject {
  const { id, name } = objectOf(match.channel);
  const { ts, user, text, truncated } = messageOf(match);
  return {
    channel: textOf(id),
    channel_name: textOf(name),
    ...compact({ ts, user, text, truncated }),
    permalink: textOf(match.permalink),
  };
}

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_channels',
    title: 'List channels',
    description: 'Lists the channels that this account can see, with their ids.',
    scopes: SCOPES.channels,
    input: channels.schema,
    output:
      '{channels: [{id, name, is_private, is_archived, is_member, topic, purpose, members, created}], next_page_token}',
    async run(context, args) {
      const { types, exclude_archived, limit, page_token: cursor } = channels.read(args);
      const query = { types: types.join(','), exclude_archived, limit, cursor };
      const answer = await callSlack(context, 'conversations.list', query);
      return { channels: objectsIn(answer.channels).map(channelOf), ...nextPage(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_channel',
    title: 'Look at a channel',
    description: 'Tells the name, topic and purpose of a channel and how many members it has.',
    scopes: SCOPES.channels,
    input: oneChannel.schema,
    output: '{id, name, is_private, is_archived, is_member, topic, purpose, members, created}',
    async run(context, args) {
      const query = { ...oneChannel.read(args), include_num_members: true };
      return channelOf(objectOf((await callSlack(context, 'conversations.info', query)).channel));
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_members',
    title: 'List members of a channel',
    description: 'Lists the ids of the members of a channel.',
    scopes: SCOPES.channels,
    input: members.schema,
    output: '{members: [ids], next_page_token}',
    async run(context, args) {
      const { channel, limit, page_token: cursor } = members.read(args);
      const answer = await callSlack(context, 'conversations.members', { channel, limit, cursor });
      return { members: textsIn(answer.members), ...nextPage(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'read_channel_history',
    title: 'Read a channel',
    description:
      'Reads the messages of a channel or direct message, newest first, without the answers in threads. ' +
      'Slack gives some apps no more than 15 at a time.',
    scopes: SCOPES.history,
    input: history.schema,
    output: `{messages: [${MESSAGE}], next_page_token}`,
    async run(context, args) {
      const { page_token: cursor, ...query } = history.read(args);
      const answer = await callSlack(context, 'conversations.history', { ...query, cursor });
      return { messages: objectsIn(answer.messages).map(messageOf), ...nextPage(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'read_thread',
    title: 'Read a thread',
    description:
      'Reads a message and the answers in its thread, oldest first. Slack gives some apps no more than 15 at a time.',
    scopes: SCOPES.history,
    input: thread.schema,
    output: `{messages: [${MESSAGE}], next_page_token}`,
    async run(context, args) {
      const { page_token: cursor, thread_ts: ts, ...query } = thread.read(args);
      const answer = await callSlack(context, 'conversations.replies', { ...query, ts, cursor });
      return { messages: objectsIn(answer.messages).map(messageOf), ...nextPage(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_messages',
    title: 'Search messages',
    description: 'Searches everything that the signed-in person can read.',
    scopes: ['search:read'],
    // Slack has no search for bots.
    auth: ['oauth_user'],
    input: search.schema,
    output:
      '{messages: [{channel, channel_name, ts, user, text, truncated, permalink}], total, next_page_token}',
    async run(context, args) {
      const { query, sort, limit: count, page_token: page } = search.read(args);
      const answer = await callSlack(context, 'search.messages', { query, sort, count, page });
      const found = objectOf(answer.messages);
      return {
        messages: objectsIn(found.matches).map(matchOf),
        total: numberOf(found.total),
        ...nextCounted(objectOf(found.paging)),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_permalink',
    title: 'Link to a message',
    description: 'Gives the address at which people open a message.',
    scopes: [],
    input: oneMessage.schema,
    output: '{permalink}',
    async run(context, args) {
      const { channel, ts } = oneMessage.read(args);
      const { permalink } = await callSlack(context, 'chat.getPermalink', { channel, message_ts: ts });
      return { permalink: textOf(permalink) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_users',
    title: 'List people',
    description: 'Lists the people and bots of the workspace with their ids.',
    scopes: SCOPES.users,
    input: people.schema,
    output: `{users: [${USER}], next_page_token}`,
    async run(context, args) {
      const { limit, page_token: cursor } = people.read(args);
      const answer = await callSlack(context, 'users.list', { limit, cursor });
      return { users: objectsIn(answer.members).map(userOf), ...nextPage(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_user',
    title: 'Look up a person',
    description: 'Tells who a user id is.',
    scopes: SCOPES.users,
    input: person.schema,
    output: USER,
    run: async (context, args) =>
      userOf(objectOf((await callSlack(context, 'users.info', person.read(args))).user)),
  }),
  defineFunction({
    ...READ,
    name: 'find_user_by_email',
    title: 'Find a person by address',
    description: 'Finds the person of the workspace with a mail address.',
    scopes: [...SCOPES.users, 'users:read.email'],
    input: address.schema,
    output: USER,
    run: async (context, args) =>
      userOf(objectOf((await callSlack(context, 'users.lookupByEmail', address.read(args))).user)),
  }),
];
