/**
 * Slack functions against emulate's Slack, with strict scopes: every function runs with exactly the scopes it names.
 * What that stand-in lacks: search.messages, and `oldest`/`latest` of histories.
 */
import { readFileSync } from 'node:fs';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { objectOf, objectsIn, textOf } from '../../src/connectors/json.js';
import { slackConnector } from '../../src/connectors/slack/index.js';
import { call, callContext, functionNamed, MemoryFiles } from './call-context.js';

const functions = slackConnector.functions({});
const fn = (name: string) => functionNamed(functions, name);
const everyScope = [...new Set(functions.flatMap(({ scopes }) => scopes))];
const ran = new Set<string>();
const files = new MemoryFiles();

let slack: Emulator;
let general: string;
let ben: string;
let cleo: string;

beforeAll(async () => {
  slack = await createEmulator({
    service: 'slack',
    port: 0,
    seed: {
      slack: {
        strict_scopes: true,
        users: [
          { name: 'ben', real_name: 'Ben Okafor', email: 'ben@siesta.example' },
          { name: 'cleo', real_name: 'Cleo Marchetti', email: 'cleo@siesta.example' },
        ],
        tokens: [
          { token: 'xoxb-fake-all', scopes: everyScope },
          ...functions.map(({ name, scopes }) => ({ token: `xoxb-fake-${name}`, scopes: [...scopes] })),
        ],
      },
    },
  });
  const channels = objectsIn((await run('list_channels')).channels);
  general = textOf(channels.find(({ name }) => name === 'general')?.id);
  const users = objectsIn((await run('list_users')).users);
  const idOf = (name: string) => textOf(users.find((user) => user.name === name)?.id);
  [ben, cleo] = [idOf('ben'), idOf('cleo')];
});
afterAll(() => slack.close());

function contextFor(name: string, executionId = 'exe_live') {
  return callContext({
    executionId,
    baseUrl: slack.url,
    files,
    authorize: (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer xoxb-fake-${name}` },
    }),
  });
}

async function run(
  name: string,
  args: Arguments = {},
  executionId?: string,
): Promise<Record<string, JsonValue>> {
  const result = objectOf(await call(fn(name), contextFor(name, executionId), args));
  ran.add(name);
  return result;
}

async function observe(name: string, args: Arguments, token = name) {
  const how = fn(name).observe;
  if (how === undefined || 'none' in how) throw new Error(`${name} observes nothing`);
  return how.read(contextFor(token), args);
}

const texts = (value: JsonValue | undefined) => objectsIn(value).map(({ text }) => text);

describe('Slack, with the scopes each function says it needs', () => {
  it('tells whose account it is', async () => {
    expect(await slackConnector.account?.(contextFor('get_permalink'))).toBe('admin (Emulate)');
  });

  it('finds people and channels', async () => {
    expect(await run('get_user', { user: ben })).toMatchObject({
      name: 'ben',
      real_name: 'Ben Okafor',
      is_bot: false,
    });
    expect(await run('find_user_by_email', { email: 'cleo@siesta.example' })).toMatchObject({ id: cleo });
    expect(await run('get_channel', { channel: general })).toMatchObject({
      name: 'general',
      is_private: false,
      topic: 'General discussion',
    });
    expect((await run('list_members', { channel: general })).members).toHaveLength(1);
    const first = await run('list_channels', { limit: 1 });
    const second = await run('list_channels', { limit: 1, page_token: textOf(first.next_page_token) });
    expect(objectsIn(second.channels)[0]?.id).not.toBe(objectsIn(first.channels)[0]?.id);
    expect(second.next_page_token).toBeNull();
  });

  it('says something, answers in the thread, and finds both again by our mark', async () => {
    const said = { channel: general, text: 'Lunch & <https://example.com|menu>?' };
    const sent = await run('send_message', said, 'exe_lunch');
    expect(objectsIn((await run('read_channel_history', { channel: general })).messages)[0]).toMatchObject({
      ts: sent.ts,
      text: said.text,
      truncated: false,
      reply_count: 0,
    });
    const answer = { channel: general, thread_ts: textOf(sent.ts), text: 'At noon' };
    const answered = await run('reply_in_thread', answer, 'exe_answer');
    expect(
      texts((await run('read_thread', { channel: general, thread_ts: textOf(sent.ts) })).messages),
    ).toEqual([said.text, 'At noon']);
    const reconcile = (name: string, args: Arguments, executionId: string, token = 'all') =>
      fn(name).reconcile?.(contextFor(token, executionId), args);
    expect(await reconcile('send_message', said, 'exe_lunch')).toEqual({ status: 'applied', result: sent });
    expect(await reconcile('reply_in_thread', answer, 'exe_answer')).toEqual({
      status: 'applied',
      result: answered,
    });
    expect(await reconcile('send_message', said, 'exe_other')).toEqual({ status: 'not_applied' });
    expect(await reconcile('send_message', said, 'exe_lunch', 'send_message')).toMatchObject({
      status: 'unknown',
      reason: expect.stringContaining('channels:history'),
    });
    expect(
      textOf((await run('get_permalink', { channel: general, ts: textOf(sent.ts) })).permalink),
    ).toContain(general);
  });

  it('writes to one person, and to two', async () => {
    const one = await run('send_direct_message', { users: [ben], text: 'Hello Ben' });
    const again = await run('send_direct_message', { users: [ben], text: 'Again' }, 'exe_again');
    expect(again.channel).toBe(one.channel);
    const both = await run('send_direct_message', { users: [ben, cleo], text: 'Hello both' }, 'exe_both');
    expect(both.channel).not.toBe(one.channel);
    expect(
      await fn('send_direct_message').reconcile?.(contextFor('all', 'exe_again'), {
        users: [ben],
        text: 'Again',
      }),
    ).toEqual({ status: 'applied', result: again });
  });

  it('shows an approver the channel and the message, as far as scopes go', async () => {
    const { ts } = await run('send_message', { channel: general, text: 'Before' }, 'exe_before');
    const change = { channel: general, ts: textOf(ts), text: 'After' };
    const seen = await observe('update_message', change, 'all');
    expect(seen.fields).toEqual([
      { label: 'Channel', value: `#general (${general})`, kind: 'short' },
      { label: 'By', value: expect.stringContaining('Admin User'), kind: 'short' },
      { label: 'Message', value: 'Before', kind: 'long', after: 'After' },
    ]);
    const dim = await observe('update_message', change);
    expect(dim.fields).toEqual([
      { label: 'Channel', value: general, kind: 'short' },
      { label: 'Message', value: expect.stringContaining(general), kind: 'link' },
    ]);
    await run('update_message', change);
    const after = await observe('delete_message', { channel: general, ts: textOf(ts) }, 'all');
    expect(after.fields).toContainEqual({ label: 'Message', value: 'After', kind: 'long' });
    expect(after.version).not.toBe(seen.version);
    expect(await run('delete_message', { channel: general, ts: textOf(ts) })).toMatchObject({
      changed: true,
    });
    expect(await run('delete_message', { channel: general, ts: textOf(ts) })).toMatchObject({
      changed: false,
    });
    await expect(
      observe('delete_message', { channel: general, ts: textOf(ts) }, 'all'),
    ).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
    });
  });

  it('reacts once, whatever is repeated', async () => {
    const { ts } = await run('send_message', { channel: general, text: 'Cake in the kitchen' }, 'exe_cake');
    const reaction = { channel: general, ts: textOf(ts), name: 'cake' };
    expect(await run('add_reaction', reaction)).toEqual({ ...reaction, changed: true });
    expect(await run('add_reaction', reaction)).toEqual({ ...reaction, changed: false });
    expect(
      objectsIn((await run('read_channel_history', { channel: general, limit: 1 })).messages)[0]?.reactions,
    ).toEqual([{ name: 'cake', users: ['U000000001'] }]);
    expect(await run('remove_reaction', reaction)).toEqual({ ...reaction, changed: true });
    expect(await run('remove_reaction', reaction)).toEqual({ ...reaction, changed: false });
  });

  it('schedules a message and takes it back', async () => {
    const inAnHour = Math.floor(Date.now() / 1_000) + 3_600;
    const planned = { channel: general, post_at: inAnHour, text: 'Good morning' };
    const { scheduled_message_id: id } = await run('schedule_message', planned);
    const named = { channel: general, scheduled_message_id: textOf(id) };
    expect((await observe('cancel_scheduled_message', named)).fields).toEqual([
      { label: 'Channel', value: general, kind: 'short' },
      { label: 'When', value: new Date(inAnHour * 1_000).toISOString(), kind: 'short' },
      { label: 'Text', value: 'Good morning', kind: 'long' },
    ]);
    expect(await run('cancel_scheduled_message', named)).toEqual({ cancelled: id });
    await expect(run('cancel_scheduled_message', named)).rejects.toMatchObject({ definite: true });
    await expect(run('schedule_message', { ...planned, post_at: 1 })).rejects.toThrow('in the past');
  });

  it('makes a channel, fills it, empties it and closes it', async () => {
    const created = await run('create_channel', { name: 'lunch' });
    const channel = textOf(created.id);
    await expect(run('create_channel', { name: 'lunch' })).rejects.toThrow('name_taken');
    expect(await run('invite_to_channel', { channel, users: [ben, cleo] })).toMatchObject({ changed: true });
    expect(await run('invite_to_channel', { channel, users: [ben] })).toMatchObject({ changed: false });
    expect((await observe('set_topic', { channel, topic: 'Noon' }, 'all')).fields).toContainEqual({
      label: 'Topic',
      value: '(none)',
      kind: 'long',
      after: 'Noon',
    });
    await run('set_topic', { channel, topic: 'Noon' });
    expect(await run('get_channel', { channel })).toMatchObject({ topic: 'Noon', is_archived: false });
    expect(await run('send_ephemeral', { channel, user: ben, text: 'Psst' })).toMatchObject({ channel });
    await run('kick_member', { channel, user: cleo });
    expect((await run('list_members', { channel })).members).not.toContain(cleo);
    expect(await run('join_channel', { channel })).toMatchObject({ channel });
    expect(await run('archive_channel', { channel })).toEqual({ archived: channel, changed: true });
    expect(await run('archive_channel', { channel })).toEqual({ archived: channel, changed: false });
    await expect(run('send_message', { channel, text: 'Too late' })).rejects.toThrow('archived');
  });

  it('shares a file and deletes it', async () => {
    const bytes = Buffer.from('Grüße,\u0000 und \r\n binary');
    const file = files.add({ name: 'menü.txt', type: 'text/plain', bytes });
    const shared = await run('upload_file', {
      file,
      channel: general,
      title: 'Menu',
      initial_comment: 'For today',
    });
    expect(shared).toMatchObject({
      name: 'menü.txt',
      title: 'Menu',
      size: bytes.byteLength,
      channels: [general],
    });
    const id = textOf(shared.id);
    expect(await run('get_file', { file: id })).toEqual(shared);
    expect(objectsIn((await run('list_files', { channel: general })).files)).toEqual([shared]);
    const seen = await observe('delete_file', { file: id }, 'all');
    expect(seen.fields).toContainEqual({ label: 'File', value: `menü.txt (${id})`, kind: 'short' });
    expect(await run('delete_file', { file: id })).toEqual({ deleted: id, changed: true });
    expect(await run('delete_file', { file: id })).toEqual({ deleted: id, changed: false });
  });

  it('ran every function that the record calls live', () => {
    const record = JSON.parse(
      readFileSync(new URL('../contract/verified/slack.json', import.meta.url), 'utf8'),
    );
    expect([...ran].sort()).toEqual(record.live.functions);
  });
});
