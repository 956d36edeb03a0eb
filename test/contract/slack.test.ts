/** Our requests beside those of @slack/web-api, the vendor's own client, for the same calls. */
import { readFileSync } from 'node:fs';
import { LogLevel, WebClient } from '@slack/web-api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments, AuthMethod } from '../../src/connectors/framework.js';
import { slackConnector } from '../../src/connectors/slack/index.js';
import { call, callContext, functionNamed, MemoryFiles, withSecret } from '../connectors/call-context.js';
import { type Answer, essence, type Recorded, type Recorder, startRecorder } from './recorder.js';

const TOKEN = 'xoxb-fake-secret-canary-1';
const functions = slackConnector.functions({});
const bearer = slackConnector.auth.find(({ id }) => id === 'bearer') as AuthMethod;

let recorder: Recorder;
let client: WebClient;
const files = new MemoryFiles();
const bytes = Buffer.from([0, 1, 2, 250, 251, 252, 13, 10]);
const file = files.add({ name: 'Übersicht.bin', type: 'application/octet-stream', bytes });

beforeAll(async () => {
  recorder = await startRecorder();
  client = new WebClient(TOKEN, {
    slackApiUrl: `${recorder.origin}/api/`,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
  });
});
afterAll(() => recorder.close());
beforeEach(() => {
  recorder.answer = ({ path }): Answer => {
    if (path === '/api/conversations.open') return { body: { ok: true, channel: { id: 'D0000BEN' } } };
    if (path === '/api/files.getUploadURLExternal')
      return { body: { ok: true, upload_url: `${recorder.origin}/upload/v1/abc`, file_id: 'F0FILE' } };
    if (path.startsWith('/upload/')) return { body: 'OK - 8' };
    return { body: { ok: true } };
  };
});

/** The arguments as Slack reads them: members of a form, JSON in some of them. */
function decodedForm(request: Recorded): unknown {
  const members = [...new URLSearchParams(request.body.toString('utf8'))];
  const parsed = members.map(([name, value]) => [name, /^[[{]/.test(value) ? JSON.parse(value) : value]);
  return Object.fromEntries(parsed);
}

const comparison = { headers: ['authorization', 'content-type'], body: decodedForm };
const essences = (requests: readonly Recorded[]) => requests.map((each) => essence(each, comparison));

const context = () =>
  callContext({
    executionId: 'exe_contract',
    baseUrl: recorder.origin,
    files,
    authorize: withSecret(bearer, { token: TOKEN }, {}),
  });

const channel = 'C0GENERAL';
const ts = '1700000000.000100';
const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '*Lunch* & “tea”' } }];
const asShown = { link_names: false, unfurl_links: false, unfurl_media: false };
const metadata = { event_type: 'siesta_execution', event_payload: { execution_id: 'exe_contract' } };

type Case = readonly [name: string, args: Arguments, theirs: (client: WebClient) => Promise<unknown>];

const cases: readonly Case[] = [
  [
    'list_channels',
    { types: ['private_channel'], exclude_archived: false, limit: 3, page_token: 'dGVhbQ==' },
    (slack) =>
      slack.conversations.list({
        types: 'private_channel',
        exclude_archived: false,
        limit: 3,
        cursor: 'dGVhbQ==',
      }),
  ],
  ['get_channel', { channel }, (slack) => slack.conversations.info({ channel, include_num_members: true })],
  ['list_members', { channel, limit: 200 }, (slack) => slack.conversations.members({ channel, limit: 200 })],
  [
    'read_channel_history',
    { channel, oldest: '1700000000', latest: ts, limit: 15, page_token: 'bmV4dA==' },
    (slack) =>
      slack.conversations.history({
        channel,
        oldest: '1700000000',
        latest: ts,
        limit: 15,
        cursor: 'bmV4dA==',
      }),
  ],
  [
    'read_thread',
    { channel, thread_ts: ts, limit: 15 },
    (slack) => slack.conversations.replies({ channel, ts, limit: 15 }),
  ],
  [
    'search_messages',
    { query: 'in:#general budget', sort: 'timestamp', limit: 100, page_token: '2' },
    (slack) => slack.search.messages({ query: 'in:#general budget', sort: 'timestamp', count: 100, page: 2 }),
  ],
  ['get_permalink', { channel, ts }, (slack) => slack.chat.getPermalink({ channel, message_ts: ts })],
  [
    'list_users',
    { limit: 2, page_token: 'dXNlcg==' },
    (slack) => slack.users.list({ limit: 2, cursor: 'dXNlcg==' }),
  ],
  ['get_user', { user: 'U0BEN' }, (slack) => slack.users.info({ user: 'U0BEN' })],
  [
    'find_user_by_email',
    { email: 'ben+lunch@example.com' },
    (slack) => slack.users.lookupByEmail({ email: 'ben+lunch@example.com' }),
  ],
  [
    'list_files',
    {
      channel,
      user: 'U0BEN',
      types: ['images', 'pdfs'],
      ts_from: '1',
      ts_to: '2',
      limit: 10,
      page_token: '3',
    },
    (slack) =>
      slack.files.list({
        channel,
        user: 'U0BEN',
        types: 'images,pdfs',
        ts_from: '1',
        ts_to: '2',
        count: 10,
        page: 3,
      }),
  ],
  ['get_file', { file: 'F0FILE' }, (slack) => slack.files.info({ file: 'F0FILE' })],
  [
    'send_message',
    { channel, text: 'Grüße & <https://example.com|link> + 1 = 2', blocks, mrkdwn: false },
    (slack) =>
      slack.chat.postMessage({
        channel,
        text: 'Grüße & <https://example.com|link> + 1 = 2',
        blocks,
        mrkdwn: false,
        ...asShown,
        metadata,
      }),
  ],
  [
    'reply_in_thread',
    { channel, thread_ts: ts, text: 'Yes', reply_broadcast: true },
    (slack) =>
      slack.chat.postMessage({
        channel,
        thread_ts: ts,
        text: 'Yes',
        reply_broadcast: true,
        mrkdwn: true,
        ...asShown,
        metadata,
      }),
  ],
  [
    'send_direct_message',
    { users: ['U0BEN', 'W0CLEO'], text: 'Hello' },
    async (slack) => {
      const opened = await slack.conversations.open({ users: 'U0BEN,W0CLEO' });
      const to = opened.channel?.id ?? '';
      await slack.chat.postMessage({ channel: to, text: 'Hello', mrkdwn: true, ...asShown, metadata });
    },
  ],
  [
    'send_ephemeral',
    { channel, user: 'U0BEN', thread_ts: ts, text: 'Psst', blocks },
    (slack) =>
      slack.chat.postEphemeral({
        channel,
        user: 'U0BEN',
        thread_ts: ts,
        text: 'Psst',
        blocks,
        link_names: false,
      }),
  ],
  [
    'schedule_message',
    { channel, post_at: 1_700_000_600, thread_ts: ts, reply_broadcast: true, text: 'Later' },
    (slack) =>
      slack.chat.scheduleMessage({
        channel,
        post_at: 1_700_000_600,
        thread_ts: ts,
        reply_broadcast: true,
        text: 'Later',
        ...asShown,
        metadata,
      }),
  ],
  [
    'cancel_scheduled_message',
    { channel, scheduled_message_id: 'Q1298393284' },
    (slack) => slack.chat.deleteScheduledMessage({ channel, scheduled_message_id: 'Q1298393284' }),
  ],
  [
    'update_message',
    { channel, ts, text: 'Better' },
    (slack) => slack.chat.update({ channel, ts, text: 'Better', blocks: [], link_names: false }),
  ],
  ['delete_message', { channel, ts }, (slack) => slack.chat.delete({ channel, ts })],
  [
    'add_reaction',
    { channel, ts, name: '+1::skin-tone-3' },
    (slack) => slack.reactions.add({ channel, timestamp: ts, name: '+1::skin-tone-3' }),
  ],
  [
    'remove_reaction',
    { channel, ts, name: 'thumbsup' },
    (slack) => slack.reactions.remove({ channel, timestamp: ts, name: 'thumbsup' }),
  ],
  [
    'create_channel',
    { name: 'lunch-2026', is_private: true },
    (slack) => slack.conversations.create({ name: 'lunch-2026', is_private: true }),
  ],
  [
    'invite_to_channel',
    { channel, users: ['U0BEN', 'U0CLEO'] },
    (slack) => slack.conversations.invite({ channel, users: 'U0BEN,U0CLEO' }),
  ],
  [
    'set_topic',
    { channel, topic: 'Noon & later' },
    (slack) => slack.conversations.setTopic({ channel, topic: 'Noon & later' }),
  ],
  ['join_channel', { channel }, (slack) => slack.conversations.join({ channel })],
  ['archive_channel', { channel }, (slack) => slack.conversations.archive({ channel })],
  [
    'kick_member',
    { channel, user: 'U0BEN' },
    (slack) => slack.conversations.kick({ channel, user: 'U0BEN' }),
  ],
  ['delete_file', { file: 'F0FILE' }, (slack) => slack.files.delete({ file: 'F0FILE' })],
];

describe('the same call as @slack/web-api makes', () => {
  it.each(cases)('%s', async (name, args, theirs) => {
    const ours = await recorder.during(() => call(functionNamed(functions, name), context(), args));
    const vendors = await recorder.during(() => theirs(client));
    expect(ours.length).toBeGreaterThan(0);
    expect(essences(ours)).toEqual(essences(vendors));
  });

  it('upload_file: three steps, with the bytes as they are', async () => {
    const comment = { thread_ts: ts, title: 'Overview', initial_comment: 'Here it is' };
    const ours = await recorder.during(() =>
      call(functionNamed(functions, 'upload_file'), context(), { file, channel, ...comment }),
    );
    const theirs = await recorder.during(() =>
      client.filesUploadV2({ file: bytes, filename: 'Übersicht.bin', channel_id: channel, ...comment }),
    );
    expect(ours.map(({ path }) => path)).toEqual(theirs.map(({ path }) => path));
    expect(essences([ours[0] as Recorded, ours[2] as Recorded])).toEqual(
      essences([theirs[0] as Recorded, theirs[2] as Recorded]),
    );
    // The client wraps them as multipart/form-data, which Slack takes too.
    expect(await multipartFile(theirs[1] as Recorded)).toEqual(bytes);
    expect(ours[1]?.body).toEqual(bytes);
    expect(ours[1]?.headers['content-type']).toBe('application/octet-stream');
  });

  it.each<[string, Arguments, (slack: WebClient) => Promise<unknown>]>([
    [
      'update_message',
      { channel, ts, text: 'Better' },
      async (slack) => {
        await slack.conversations.info({ channel });
        await slack.conversations.replies({ channel, ts, oldest: ts, latest: ts, inclusive: true, limit: 2 });
        await slack.users.info({ user: 'U0BEN' });
      },
    ],
    [
      'cancel_scheduled_message',
      { channel, scheduled_message_id: 'Q0PLAN' },
      async (slack) => {
        await slack.chat.scheduledMessages.list({ channel, limit: 100 });
        await slack.conversations.info({ channel });
      },
    ],
    ['delete_file', { file: 'F0FILE' }, (slack) => slack.files.info({ file: 'F0FILE' })],
  ])('%s, before it is approved', async (name, args, theirs) => {
    const messages = [{ ts, user: 'U0BEN', text: 'Good' }];
    recorder.answer = () => ({
      body: { ok: true, messages, scheduled_messages: [{ id: 'Q0PLAN', post_at: 1 }] },
    });
    const { observe } = functionNamed(functions, name);
    if (observe === undefined || 'none' in observe) throw new Error('nothing observed');
    const ours = await recorder.during(() => observe.read(context(), args));
    const vendors = await recorder.during(() => theirs(client));
    const ordered = (requests: readonly Recorded[]) =>
      essences([...requests].sort((a, b) => a.path.localeCompare(b.path)));
    expect(ordered(ours)).toEqual(ordered(vendors));
  });

  it('is checked for exactly the functions that the record names', () => {
    const record = JSON.parse(readFileSync(new URL('verified/slack.json', import.meta.url), 'utf8'));
    const compared = [...cases.map(([name]) => name), 'upload_file'].sort();
    expect(record.checked).toEqual(compared);
    const all = functions.map(({ name }) => name).sort();
    expect([...record.checked, ...Object.keys(record.unchecked)].sort()).toEqual(all);
  });
});

async function multipartFile({ headers, body }: Recorded): Promise<Buffer> {
  const answer = new Response(new Uint8Array(body), {
    headers: { 'content-type': headers['content-type'] ?? '' },
  });
  const [part] = [...(await answer.formData()).values()];
  if (!(part instanceof File)) throw new Error('no file in the form');
  return Buffer.from(await part.arrayBuffer());
}
