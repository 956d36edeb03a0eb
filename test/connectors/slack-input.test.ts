import { describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { slackConnector } from '../../src/connectors/slack/index.js';
import { functionNamed } from './call-context.js';

const functions = slackConnector.functions({});
const channel = 'C0GENERAL';
const ts = '1700000000.000100';

describe('what is refused before anything is sent', () => {
  it.each<[string, string, Arguments, string]>([
    ['the name of a channel', 'send_message', { channel: '#general', text: 'x' }, '/channel'],
    ['a person as a channel', 'send_message', { channel: 'U0BEN', text: 'x' }, '/channel'],
    ['4,001 characters', 'send_message', { channel, text: 'x'.repeat(4_001) }, '/text'],
    ['no text', 'send_message', { channel, text: '' }, '/text'],
    ['buttons', 'send_message', { channel, text: 'x', blocks: [{ type: 'actions' }] }, '/blocks'],
    [
      '51 blocks',
      'send_message',
      { channel, text: 'x', blocks: Array(51).fill({ type: 'divider' }) },
      '/blocks',
    ],
    [
      'blocks of more than 64 KiB',
      'send_message',
      { channel, text: 'x', blocks: [{ type: 'markdown', text: 'x'.repeat(65_536) }] },
      '/blocks',
    ],
    ['an author', 'send_message', { channel, text: 'x', username: 'CEO' }, ''],
    ['a ts that is none', 'update_message', { channel, ts: '1700000000', text: 'x' }, '/ts'],
    [
      'nine people',
      'send_direct_message',
      { users: 'ABCDEFGHI'.split('').map((c) => `U0${c}`), text: 'x' },
      '/users',
    ],
    ['somebody twice', 'send_direct_message', { users: ['U0BEN', 'U0BEN'], text: 'x' }, '/users'],
    ['an emoji with colons', 'add_reaction', { channel, ts, name: ':tada:' }, '/name'],
    ['capitals in a name', 'create_channel', { name: 'Lunch' }, '/name'],
    [
      '101 guests',
      'invite_to_channel',
      { channel, users: Array.from({ length: 101 }, (_, n) => `U0${n}`) },
      '/users',
    ],
    ['201 messages', 'read_channel_history', { channel, limit: 201 }, '/limit'],
    ['a query of 501 characters', 'search_messages', { query: 'x'.repeat(501) }, '/query'],
    [
      'a message in the channel that is in no thread',
      'schedule_message',
      { channel, post_at: 1, text: 'x', reply_broadcast: true },
      '/reply_broadcast',
    ],
  ])('%s', (_what, name, args, path) => {
    expect(functionNamed(functions, name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('signing in', () => {
  it('keeps what people do as themselves apart from what the bot does', () => {
    const methods = slackConnector.auth.map(({ id, identities }) => [id, identities]);
    expect(methods).toEqual([
      ['oauth', ['shared']],
      ['oauth_user', ['private']],
      ['bearer', ['shared']],
    ]);
    const ids = new Set(slackConnector.auth.map(({ id }) => id));
    for (const { name, auth = [] } of functions)
      expect(
        auth.filter((id) => !ids.has(id)),
        name,
      ).toEqual([]);
  });

  it('takes bot tokens only', () => {
    const bearer = slackConnector.auth.find(({ id }) => id === 'bearer');
    if (bearer?.kind !== 'secret') throw new Error('no secret');
    expect(bearer.check?.({ token: 'xoxb-fake-secret-canary-1' }, {})).toBeUndefined();
    expect(bearer.check?.({ token: 'xoxp-fake-secret-canary-1' }, {})).toContain('xoxb-');
    const request = { method: 'POST', url: 'https://slack.com/api/auth.test' } as const;
    expect(bearer.apply(request, { token: 'xoxb-fake' }, {}, new Date(0)).headers).toEqual({
      authorization: 'Bearer xoxb-fake',
    });
  });
});
