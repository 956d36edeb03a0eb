import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CardField } from '../../src/connectors/framework.js';
import { objectOf, objectsIn } from '../../src/connectors/json.js';
import { slackConnector } from '../../src/connectors/slack/index.js';
import { type Answer, type Recorded, type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed, MemoryFiles } from './call-context.js';

const functions = slackConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const channel = 'C0GENERAL';
const ts = '1700000000.000100';

let slack: Recorder;
const files = new MemoryFiles();

beforeAll(async () => {
  slack = await startRecorder();
});
afterAll(() => slack.close());
beforeEach(() => {
  slack.requests.length = 0;
});

const context = () => callContext({ baseUrl: slack.origin, executionId: 'exe_slack', files });

/** Answers by method; any other method is a surprise. */
function answering(answers: Readonly<Record<string, Answer | ((request: Recorded) => Answer)>>): void {
  slack.answer = (request) => {
    const answer = answers[request.path.replace('/api/', '')];
    if (answer === undefined) return { body: { ok: false, error: 'unknown_method' } };
    return typeof answer === 'function' ? answer(request) : answer;
  };
}

const ok = (members: object): Answer => ({ body: { ok: true, ...members } });
const no = (error: string, members: object = {}): Answer => ({ body: { ok: false, error, ...members } });
const said = { channel, text: 'Hello' };

describe('what Slack refuses', () => {
  it.each<[string, Answer, object]>([
    ['a revoked token', no('token_revoked'), { code: 'needs_reauth', definite: true }],
    ['an unknown token', no('invalid_auth'), { code: 'needs_reauth', definite: true }],
    ['a deactivated account', no('account_inactive'), { code: 'needs_reauth', definite: true }],
    [
      'a missing scope, which is named',
      no('missing_scope', { needed: 'chat:write', provided: 'users:read' }),
      { code: 'needs_more_scopes', definite: true, message: expect.stringContaining('chat:write') },
    ],
    [
      'too many calls',
      { status: 429, headers: { 'retry-after': '30' }, body: { ok: false, error: 'ratelimited' } },
      { code: 'rate_limited', definite: true, retryAfter: 30 },
    ],
    [
      'too many calls, said with 200',
      { ...no('ratelimited'), headers: { 'retry-after': '7' } },
      { code: 'rate_limited', definite: true, retryAfter: 7 },
    ],
    [
      'a channel it is not in',
      no('not_in_channel'),
      { code: 'upstream_rejected', definite: true, message: expect.stringContaining('not a member') },
    ],
    [
      'arguments, with Slack’s own words',
      no('invalid_blocks', { response_metadata: { messages: ['[ERROR] must be more than 0\ncharacters'] } }),
      {
        code: 'upstream_rejected',
        message: 'Slack refused the call: invalid_blocks (must be more than 0 characters).',
      },
    ],
    [
      'an error that Slack itself does not know',
      no('unknown_error'),
      { code: 'upstream_unavailable', definite: false },
    ],
    [
      'a fatal error: some of it may have happened',
      no('fatal_error'),
      { code: 'upstream_unavailable', definite: false },
    ],
    ['an internal error', no('internal_error'), { code: 'upstream_unavailable', definite: false }],
    ['a service that is down', no('service_unavailable'), { code: 'upstream_unavailable', definite: false }],
    ['a 503', { status: 503, body: 'down' }, { code: 'upstream_unavailable', definite: false }],
    ['neither yes nor no', { body: {} }, { code: 'upstream_unavailable', definite: false }],
    [
      'an error that is no error code',
      no('<script>\n'),
      { code: 'upstream_rejected', message: 'Slack refused the call: unknown_error.' },
    ],
  ])('%s', async (_what, answer, error) => {
    answering({ 'chat.postMessage': answer });
    await expect(call(fn('send_message'), context(), said)).rejects.toMatchObject(error);
    expect(slack.requests).toHaveLength(1);
  });

  it('names as surely undone what fails before anything is said', async () => {
    answering({ 'conversations.open': { status: 503 } });
    await expect(
      call(fn('send_direct_message'), context(), { users: ['U0BEN'], text: 'Hello' }),
    ).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
    answering({
      'conversations.open': ok({ channel: { id: 'D0BEN' } }),
      'chat.postMessage': { status: 503 },
    });
    await expect(
      call(fn('send_direct_message'), context(), { users: ['U0BEN'], text: 'Hello' }),
    ).rejects.toMatchObject({ code: 'upstream_unavailable', definite: false });
  });

  it('takes "it already is so" for done, and only that', async () => {
    const reaction = { channel, ts, name: 'tada' };
    answering({ 'reactions.add': no('already_reacted') });
    expect(await call(fn('add_reaction'), context(), reaction)).toMatchObject({ changed: false });
    answering({ 'reactions.add': no('too_many_reactions') });
    await expect(call(fn('add_reaction'), context(), reaction)).rejects.toMatchObject({ definite: true });
    answering({ 'conversations.join': ok({ channel: { id: channel }, warning: 'already_in_channel' }) });
    expect(await call(fn('join_channel'), context(), { channel })).toEqual({ channel, changed: false });
  });

  it('does not call it an invitation when Slack invited nobody', async () => {
    const users = ['U0BEN', 'U0CLEO'];
    const member = (user: string) => ({ user, ok: false, error: 'already_in_channel' });
    answering({ 'conversations.invite': no('already_in_channel', { errors: [member('U0BEN')] }) });
    await expect(call(fn('invite_to_channel'), context(), { channel, users })).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
    answering({ 'conversations.invite': no('already_in_channel', { errors: users.map(member) }) });
    expect(await call(fn('invite_to_channel'), context(), { channel, users })).toMatchObject({
      changed: false,
    });
  });
});

describe('what comes back', () => {
  it('reads a search of the person who signed in', async () => {
    const match = {
      channel: { id: channel, name: 'general' },
      ts,
      user: 'U0BEN',
      text: 'Budget '.repeat(2_000),
      permalink: 'https://siesta.slack.com/archives/C0GENERAL/p1700000000000100',
    };
    answering({
      'search.messages': ok({ messages: { total: 41, paging: { page: 1, pages: 3 }, matches: [match] } }),
    });
    const found = await call(fn('search_messages'), context(), { query: 'budget' });
    expect(found).toEqual({
      messages: [
        {
          channel,
          channel_name: 'general',
          ts,
          user: 'U0BEN',
          text: match.text.slice(0, 8_000),
          truncated: true,
          permalink: match.permalink,
        },
      ],
      total: 41,
      next_page_token: '2',
    });
    expect(fn('search_messages').auth).toEqual(['oauth_user']);
  });

  it('reads what an app said in attachments or blocks alone', async () => {
    const alert = {
      attachments: [
        { fallback: 'CPU high', title: 'CPU high on web-1', text: 'Load is 12' },
        { fallback: 'Disk full' },
      ],
    };
    const words = { type: 'section', text: { type: 'mrkdwn', text: 'Deployed *v7*' } };
    const facts = { type: 'context', elements: [{ type: 'plain_text', text: 'by Ada' }] };
    const rich = { type: 'rich_text', elements: [{ elements: [{ type: 'text', text: 'Done' }] }] };
    const texts = async (...messages: object[]) => {
      answering({ 'conversations.history': ok({ messages }) });
      const read = await call(fn('read_channel_history'), context(), { channel });
      return objectsIn(objectOf(read).messages).map(({ text }) => text);
    };
    expect(
      await texts({ text: '', ...alert }, { blocks: [words, facts, rich] }, { text: 'Look:', ...alert }),
    ).toEqual([
      'CPU high on web-1\nLoad is 12\nDisk full',
      'Deployed *v7*\nby Ada\nDone',
      'Look:\nCPU high on web-1\nLoad is 12\nDisk full',
    ]);
    const link = { from_url: 'https://docs.example', title: 'A page', text: 'Of somebody else' };
    expect(await texts({ text: 'Read <https://docs.example>', attachments: [link] })).toEqual([
      'Read <https://docs.example>',
    ]);
  });

  it('makes little of answers that are not what they should be', async () => {
    answering({ 'conversations.history': ok({ messages: [{ text: 5 }, null], response_metadata: [] }) });
    expect(await call(fn('read_channel_history'), context(), { channel })).toEqual({
      messages: [
        expect.objectContaining({ ts: '', text: '', user: null }),
        expect.objectContaining({ ts: '', files: [] }),
      ],
      next_page_token: null,
    });
  });
});

describe('looking for a message whose answer was lost', () => {
  const own = {
    ts,
    metadata: { event_type: 'siesta_execution', event_payload: { execution_id: 'exe_slack' } },
  };
  const page = (cursor: string, messages: object[] = []) =>
    ok({ messages, response_metadata: { next_cursor: cursor } });

  it('turns pages until it finds it', async () => {
    answering({
      'conversations.history': ({ body }) =>
        new URLSearchParams(body.toString()).get('cursor') === 'two' ? page('', [own]) : page('two'),
    });
    expect(await fn('send_message').reconcile?.(context(), said)).toEqual({
      status: 'applied',
      result: { channel, ts },
    });
  });

  it('does not say no before it has seen all', async () => {
    answering({ 'conversations.history': page('more') });
    expect(await fn('send_message').reconcile?.(context(), said)).toMatchObject({ status: 'unknown' });
    expect(slack.requests).toHaveLength(5);
    answering({
      'conversations.history': page('', [{ ...own, metadata: { event_type: 'siesta_execution' } }]),
    });
    expect(await fn('send_message').reconcile?.(context(), said)).toEqual({ status: 'not_applied' });
  });

  it('does not know where it may not read, and says so; a busy Slack is asked again later', async () => {
    answering({ 'conversations.replies': no('not_in_channel') });
    const answer = { channel, thread_ts: ts, text: 'Yes' };
    expect(await fn('reply_in_thread').reconcile?.(context(), answer)).toMatchObject({ status: 'unknown' });
    answering({ 'conversations.replies': { status: 429 } });
    await expect(fn('reply_in_thread').reconcile?.(context(), answer)).rejects.toMatchObject({
      code: 'rate_limited',
    });
  });
});

describe('files', () => {
  const file = files.add({ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') });
  const place = (url: string) =>
    answering({
      'files.getUploadURLExternal': ok({ upload_url: url, file_id: 'F0FILE' }),
      'files.completeUploadExternal': ok({ files: [{ id: 'F0FILE' }] }),
    });

  it.each([
    'https://files.slack.com.evil.example/upload/v1/x',
    'https://evilslack.com/upload/v1/x',
    'http://files.slack.com/upload/v1/x',
    'https://files.slack.com:8443/upload/v1/x',
    'not an address',
  ])('gives no bytes to %s', async (url) => {
    place(url);
    await expect(call(fn('upload_file'), context(), { file, channel })).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
      message: expect.stringContaining('outside slack.com'),
    });
    expect(slack.requests).toHaveLength(1);
  });

  it('sends none above 20 MB', async () => {
    const bytes = Buffer.alloc(20 * 1_024 * 1_024 + 1);
    const large = files.add({ name: 'large.bin', type: 'application/octet-stream', bytes });
    await expect(call(fn('upload_file'), context(), { file: large, channel })).rejects.toMatchObject({
      code: 'invalid_arguments',
      definite: true,
    });
    expect(slack.requests).toHaveLength(0);
  });

  it('knows that a lost deposit shares nothing, and that a lost completion may', async () => {
    place(`${slack.origin}/lost`);
    const inner = slack.answer;
    slack.answer = (request) => (request.path === '/lost' ? { status: 502 } : inner(request));
    await expect(call(fn('upload_file'), context(), { file, channel })).rejects.toMatchObject({
      definite: true,
    });
    slack.answer = (request) => {
      if (request.path === '/lost') return { body: 'OK' };
      return request.path.endsWith('completeUploadExternal') ? { status: 502 } : inner(request);
    };
    await expect(call(fn('upload_file'), context(), { file, channel })).rejects.toMatchObject({
      definite: false,
    });
  });

  it('reaches the API and the place for uploads, nothing else', () => {
    expect(slackConnector.egress({}, 'https://slack.com')).toEqual([
      { origin: 'https://slack.com', pathPrefix: '/api/' },
      { origin: 'https://files.slack.com', pathPrefix: '/upload/' },
    ]);
  });
});

describe('what an approver reads', () => {
  const values = (fields: readonly CardField[]) => fields.map(({ label, value }) => [label, value]);

  it('is the message as it will be sent, and whom it disturbs', () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'Cake\nfor all' } }];
    expect(values(fn('send_message').card({ channel, text: 'Hi <!here|all>', blocks }))).toEqual([
      ['Channel', channel],
      ['Notifies', 'Everybody in the channel'],
      ['Text', 'Hi <!here|all>'],
      ['Blocks', expect.stringContaining('Cake\n    for all')],
    ]);
    const rich = [{ type: 'rich_text', elements: [{ type: 'broadcast', range: 'channel' }] }];
    expect(values(fn('send_message').card({ channel, text: 'Hi', blocks: rich }))).toContainEqual([
      'Notifies',
      'Everybody in the channel',
    ]);
  });

  it('says whom the words beside a file disturb', () => {
    const given = { file: 'file_test_000001', channel, initial_comment: 'Read this <!channel>' };
    expect(values(fn('upload_file').card(given))).toContainEqual(['Notifies', 'Everybody in the channel']);
  });

  it('says when and where', () => {
    expect(
      values(
        fn('schedule_message').card({
          channel,
          post_at: 1_700_000_000,
          thread_ts: ts,
          reply_broadcast: true,
          text: 'x',
        }),
      ),
    ).toEqual([
      ['Channel', channel],
      ['When', '2023-11-14T22:13:20.000Z'],
      ['Thread', ts],
      ['Shown', 'In the thread and in the channel'],
      ['Text', 'x'],
    ]);
  });

  it('names the kind of channel', async () => {
    const observe = fn('join_channel').observe;
    if (observe === undefined || 'none' in observe) throw new Error('nothing observed');
    const seen = async (info: object) => {
      answering({ 'conversations.info': ok({ channel: { id: channel, name: 'plans', ...info } }) });
      return (await observe.read(context(), { channel })).fields[0]?.value;
    };
    expect(await seen({})).toBe(`#plans (${channel})`);
    expect(await seen({ is_private: true, is_ext_shared: true })).toBe(
      `#plans [private, shared with other companies] (${channel})`,
    );
    expect(await seen({ is_im: true, user: 'U0BEN' })).toBe(`Direct message with U0BEN (${channel})`);
    answering({ 'conversations.info': no('channel_not_found') });
    await expect(observe.read(context(), { channel })).rejects.toMatchObject({ code: 'upstream_rejected' });
  });

  it('is read for every write, unless there is nothing to read', () => {
    for (const { name, risk, observe } of functions) {
      if (risk === 'read') expect(observe, name).toBeUndefined();
      else expect(observe, name).toBeDefined();
    }
    const asked = functions.filter(({ askEveryTime }) => askEveryTime).map(({ name }) => name);
    expect(asked.sort()).toEqual(['delete_file', 'delete_message', 'kick_member']);
    const off = functions.filter(({ approval }) => approval === 'off').map(({ name }) => name);
    expect(off.sort()).toEqual(['archive_channel', 'delete_file', 'kick_member']);
  });
});
