/** Slack functions that say something. None of them is ever repeated: Slack drops no repeats. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { beforeWriting } from '../upstream.js';
import { callSlack } from './api.js';
import { channelId, contentCard, messageFields, plain, timestamp, userId } from './fields.js';
import { findOwnMessage, markOf, sentResult } from './own-messages.js';
import { dateOf } from './shapes.js';
import { channelFields, channelNow, messageObservation, observed, personFields } from './targets.js';

const threadTs = timestamp.describe('ts of the message that the thread begins with.');
const broadcast = z.boolean().default(false).describe('true: the answer is also shown in the channel.');

const message = input(z.strictObject({ channel: channelId, ...messageFields, mrkdwn: plain }));
const reply = input(
  z.strictObject({
    channel: channelId,
    thread_ts: threadTs,
    ...messageFields,
    mrkdwn: plain,
    reply_broadcast: broadcast,
  }),
);
const direct = input(
  z.strictObject({
    users: z
      .array(userId)
      .min(1)
      .max(8)
      .refine((ids) => new Set(ids).size === ids.length, 'names somebody twice')
      .describe('One person, or up to eight who then share one conversation.'),
    ...messageFields,
    mrkdwn: plain,
  }),
);
const ephemeral = input(
  z.strictObject({
    channel: channelId,
    user: userId,
    thread_ts: z.exactOptional(threadTs),
    ...messageFields,
  }),
);
const later = input(
  z
    .strictObject({
      channel: channelId,
      post_at: z.int().min(1).max(99_999_999_999).describe('Seconds since 1970; at most 120 days away.'),
      thread_ts: z.exactOptional(threadTs),
      reply_broadcast: broadcast,
      ...messageFields,
    })
    .refine((given) => given.thread_ts !== undefined || !given.reply_broadcast, {
      path: ['reply_broadcast'],
      message: 'is for answers in a thread',
    }),
);
const scheduled = input(
  z.strictObject({
    channel: channelId,
    scheduled_message_id: z.string().regex(/^Q[A-Z0-9]{2,30}$/, 'is not the id of a scheduled message (Q…)'),
  }),
);

/** Names stay text and links show no preview: what is sent is what the card showed. */
const AS_SHOWN = { link_names: false, unfurl_links: false, unfurl_media: false } as const;

interface Message {
  readonly text: string;
  readonly blocks?: JsonObject[];
  readonly mrkdwn?: boolean;
  readonly thread_ts?: string;
  readonly reply_broadcast?: boolean;
}

async function post(context: CallContext, channel: string, content: Message): Promise<JsonObject> {
  const args = { channel, ...content, ...AS_SHOWN, metadata: markOf(context.executionId) };
  return sentResult(await callSlack(context, 'chat.postMessage', args));
}

/** Opening is invisible to the others until something is said, and gives the same conversation every time. */
function openConversation(context: CallContext, users: readonly string[]): Promise<string> {
  return beforeWriting(async () => {
    const { channel } = await callSlack(context, 'conversations.open', { users: users.join(',') });
    const id = textOf(objectOf(channel).id);
    if (id !== '') return id;
    throw new UpstreamError('upstream_rejected', 'Slack opened no conversation.', { definite: true });
  });
}

/** Looks at the next thousand. @throws UpstreamError `upstream_rejected` when it is not among them */
async function findScheduled(context: CallContext, channel: string, id: string): Promise<JsonObject> {
  let cursor: string | null = null;
  for (let page = 0; page < 10; page += 1) {
    const query = { channel, limit: 100, cursor };
    const answer: JsonObject = await callSlack(context, 'chat.scheduledMessages.list', query);
    const found = objectsIn(answer.scheduled_messages).find((one) => one.id === id);
    if (found) return found;
    cursor = textOrNull(objectOf(answer.response_metadata).next_cursor);
    if (cursor === null) break;
  }
  throw new UpstreamError('upstream_rejected', 'Slack has no such scheduled message (any more).', {
    definite: true,
  });
}

const threadCard = (thread: string | undefined, alsoInChannel = false) => [
  ...short('Thread', thread),
  ...(alsoInChannel ? short('Shown', 'In the thread and in the channel') : []),
];
const timeCard = (seconds: number) => short('When', dateOf(seconds) ?? String(seconds));

const channelObserved = observed(async (context, args) => {
  const channel = textOf(args.channel);
  return channelFields(await channelNow(context, channel), channel);
});

const SEND = {
  risk: 'destructive',
  approval: 'ask',
  scopes: ['chat:write'],
} as const satisfies Partial<FunctionDefinition>;

export const sendingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...SEND,
    name: 'send_message',
    title: 'Send a message',
    description: 'Posts a message in a channel or direct message. Links get no preview.',
    reachesUnnamed: true,
    idempotency: 'reconcile',
    input: message.schema,
    output: '{channel, ts}',
    card: (args) => [...short('Channel', message.read(args).channel), ...contentCard(message.read(args))],
    observe: channelObserved,
    reconcile: (context, args) => findOwnMessage(context, message.read(args).channel),
    async run(context, args) {
      const { channel, ...content } = message.read(args);
      return post(context, channel, content);
    },
  }),
  defineFunction({
    ...SEND,
    name: 'reply_in_thread',
    title: 'Answer in a thread',
    description: 'Answers a message in its thread, on request also visible in the channel.',
    reachesUnnamed: true,
    idempotency: 'reconcile',
    input: reply.schema,
    output: '{channel, ts}',
    card: (args) => {
      const given = reply.read(args);
      const where = [
        ...short('Channel', given.channel),
        ...threadCard(given.thread_ts, given.reply_broadcast),
      ];
      return [...where, ...contentCard(given)];
    },
    observe: observed((context, args) => {
      const { channel, thread_ts: ts } = reply.read(args);
      return messageObservation(context, channel, ts, { label: 'Answer to' });
    }),
    reconcile: (context, args) => {
      const { channel, thread_ts: ts } = reply.read(args);
      return findOwnMessage(context, channel, ts);
    },
    async run(context, args) {
      const { channel, ...content } = reply.read(args);
      return post(context, channel, content);
    },
  }),
  defineFunction({
    ...SEND,
    name: 'send_direct_message',
    title: 'Send a direct message',
    description: 'Writes to one person, or to up to eight who then share one conversation.',
    reachesUnnamed: true,
    // Opening a conversation with several people takes a scope of its own (mpim:write).
    scopes: ['im:write', 'mpim:write', 'chat:write'],
    idempotency: 'reconcile',
    input: direct.schema,
    output: '{channel, ts}; channel is the conversation',
    card: (args) => [...short('To', direct.read(args).users), ...contentCard(direct.read(args))],
    observe: observed((context, args) => personFields(context, 'To', direct.read(args).users)),
    async reconcile(context, args) {
      return findOwnMessage(context, await openConversation(context, direct.read(args).users));
    },
    async run(context, args) {
      const { users, ...content } = direct.read(args);
      return post(context, await openConversation(context, users), content);
    },
  }),
  defineFunction({
    ...SEND,
    name: 'send_ephemeral',
    title: 'Whisper to a person',
    description: 'Shows a message in a channel to one of its members only, until she reloads Slack.',
    reachesUnnamed: true,
    risk: 'write',
    idempotency: 'none',
    input: ephemeral.schema,
    output: '{channel, ts}',
    card: (args) => {
      const given = ephemeral.read(args);
      const where = [...short('Channel', given.channel), ...short('Visible to', given.user)];
      return [...where, ...threadCard(given.thread_ts), ...contentCard(given)];
    },
    observe: observed(async (context, args) => {
      const { channel, user } = ephemeral.read(args);
      return [
        ...channelFields(await channelNow(context, channel), channel),
        ...(await personFields(context, 'Visible to', [user])),
      ];
    }),
    async run(context, args) {
      const given = { ...ephemeral.read(args), link_names: false };
      const { message_ts: ts } = await callSlack(context, 'chat.postEphemeral', given);
      return { channel: given.channel, ts: textOf(ts) };
    },
  }),
  defineFunction({
    ...SEND,
    name: 'schedule_message',
    title: 'Schedule a message',
    description: 'Has Slack post a message at a later time, at most 120 days away.',
    reachesUnnamed: true,
    idempotency: 'none',
    input: later.schema,
    output: '{channel, scheduled_message_id, post_at}',
    card: (args) => {
      const given = later.read(args);
      const where = [...short('Channel', given.channel), ...timeCard(given.post_at)];
      return [...where, ...threadCard(given.thread_ts, given.reply_broadcast), ...contentCard(given)];
    },
    observe: channelObserved,
    async run(context, args) {
      const { reply_broadcast: alsoInChannel, ...given } = later.read(args);
      const answer = await callSlack(context, 'chat.scheduleMessage', {
        ...given,
        reply_broadcast: alsoInChannel || undefined,
        ...AS_SHOWN,
        metadata: markOf(context.executionId),
      });
      return {
        channel: textOf(answer.channel),
        scheduled_message_id: textOf(answer.scheduled_message_id),
        post_at: numberOf(answer.post_at),
      };
    },
  }),
  defineFunction({
    ...SEND,
    name: 'cancel_scheduled_message',
    title: 'Cancel a scheduled message',
    description: 'Takes back a message that was scheduled and has not been posted yet.',
    risk: 'write',
    idempotency: 'natural',
    input: scheduled.schema,
    output: '{cancelled}: the id',
    card: (args) => {
      const { channel, scheduled_message_id: id } = scheduled.read(args);
      return [...short('Channel', channel), ...short('Scheduled message', id)];
    },
    observe: observed(async (context, args) => {
      const { channel, scheduled_message_id: id } = scheduled.read(args);
      const found = await findScheduled(context, channel, id);
      return [
        ...channelFields(await channelNow(context, channel), channel),
        ...timeCard(numberOf(found.post_at) ?? 0),
        ...long('Text', textOf(found.text)),
      ];
    }),
    async run(context, args) {
      const { channel, scheduled_message_id: id } = scheduled.read(args);
      await callSlack(context, 'chat.deleteScheduledMessage', { channel, scheduled_message_id: id });
      return { cancelled: id };
    },
  }),
];
