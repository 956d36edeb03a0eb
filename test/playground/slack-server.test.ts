import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebClient } from '@slack/web-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { smallManifest } from '../../playground/slack/manifest.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Fields, Message } from '../../playground/slack/protocol.js';
import { user } from '../../playground/slack/seed.js';
import { listenSlackServer } from '../../playground/slack/server.js';
import type { Snapshot } from '../../playground/slack/snapshot.js';
import { card, form, startToy, type ToyWorkspace, type TransportName } from './toy-app.js';

const OPEN = smallManifest({ commands: [] });

/** The data of Slack's answer to a call that it refused. */
async function refusal(call: Promise<unknown>): Promise<Record<string, unknown>> {
  return call.then(
    () => ({ error: 'none' }),
    (error: { data?: Record<string, unknown> }) => error.data ?? { error: String(error) },
  );
}

describe.each<TransportName>(['socket', 'http'])('a Bolt app over %s', (transport) => {
  let toy: ToyWorkspace;
  let cleo: Person;
  let ben: Person;

  beforeAll(async () => {
    toy = await startToy(transport);
    cleo = person(toy.slack, 'U0CLEO');
    ben = person(toy.slack, 'U0BEN');
  });
  afterAll(() => toy.stop());
  beforeEach(() => {
    toy.seen.payloads.length = 0;
    toy.seen.errors.length = 0;
    toy.slack.workspace.stacks.clear();
  });
  afterEach(() => toy.slack.faults.clear());

  const postCard = async (name: string): Promise<Message> => {
    await cleo.command('/toy');
    await cleo.waitForView(/= Add =/);
    expect(await cleo.submit({ Name: name })).toBeNull();
    return ben.waitForMessage(new RegExp(`Cleo: ${name}`));
  };

  it('answers a command in its ack, for that person only', async () => {
    expect(await cleo.command('/toy text')).toMatchObject({ ok: true });
    const message = await cleo.waitForMessage(/Nothing here yet/);
    expect(message).toMatchObject({ ephemeral: true, channel: 'C0GENERAL' });
    expect(ben.messages('C0GENERAL').map(({ ts }) => ts)).not.toContain(message.ts);
  });

  it('knows no command that the manifest does not name', async () => {
    expect(await cleo.command('/other')).toEqual({ ok: false, error: 'invalid_command' });
    expect(cleo.lastError()).toContain('/other is not a valid command');
    expect(toy.seen.payloads).toEqual([]);
  });

  it('sends complete payloads', async () => {
    await postCard('complete');
    const [command, submission] = toy.seen.payloads;
    expect(command).toMatchObject({
      team_id: 'T0SIESTA',
      api_app_id: 'A0SIESTA',
      user_id: 'U0CLEO',
      channel_id: 'C0GENERAL',
      command: '/toy',
      text: '',
      response_url: expect.stringContaining(`${toy.slack.origin}/playground/response/`),
    });
    expect(submission).toMatchObject({
      type: 'view_submission',
      user: { id: 'U0CLEO', username: 'cleo', name: 'cleo', team_id: 'T0SIESTA' },
      team: { id: 'T0SIESTA', domain: 'siesta-playground' },
      is_enterprise_install: false,
      view: {
        callback_id: 'toy.form',
        private_metadata: 'kept',
        state: {
          values: {
            name: { value: { type: 'plain_text_input', value: 'complete' } },
            kind: { value: { selected_option: { value: 'shared' } } },
            system: { 'toy.system': { type: 'external_select', selected_option: null } },
            owners: { value: { type: 'multi_users_select', selected_users: [] } },
          },
        },
      },
    });
  });

  it('lets an app answer a submission with errors, update, push and clear', async () => {
    await cleo.command('/toy');
    const first = await cleo.waitForView();
    expect(await cleo.submit({ Name: 'wrong' })).toEqual({ name: 'Taken already' });
    expect(await cleo.submit({ Name: 'again', Kind: 'Private' })).toBeNull();
    const updated = cleo.view();
    expect(updated?.id).toBe(first.id);
    expect(updated?.hash).not.toBe(first.hash);
    expect(cleo.text()).toContain('= Updated =\nName: again\nKind: Private');
    expect(await cleo.submit({ Name: 'more' })).toBeNull();
    expect(cleo.views()).toHaveLength(2);
    expect(cleo.view()).toMatchObject({ root_view_id: first.id, previous_view_id: first.id });
    expect(await cleo.submit({ Name: 'done' })).toBeNull();
    expect(cleo.views()).toEqual([]);
  });

  it('checks required inputs and lengths before the app hears of a submission', async () => {
    await cleo.command('/toy');
    await cleo.waitForView();
    toy.seen.payloads.length = 0;
    expect(await cleo.submit()).toEqual({ name: 'Please complete this required field.' });
    expect(await cleo.submit({ Name: 'x'.repeat(21) })).toEqual({ name: 'Must be at most 20 characters.' });
    expect(toy.seen.payloads).toEqual([]);
  });

  it('refuses errors for a block that is no input, and writes that down', async () => {
    await cleo.command('/toy');
    await cleo.waitForView();
    await expect(cleo.submit({ Name: 'nonsense' })).rejects.toThrow('dispatch_failed');
    expect(cleo.lastError()).toContain('trouble connecting');
    expect(toy.slack.workspace.violations.at(-1)).toMatchObject({
      where: 'ack:view_submission',
      message: expect.stringContaining('nowhere'),
    });
  });

  it('stacks three views and no more', async () => {
    await cleo.command('/toy');
    await cleo.waitForView();
    await cleo.click('modal', 'Go deeper');
    await cleo.waitForView(/= Deeper =/);
    await cleo.click('modal', 'toy.deeper');
    await vi.waitFor(() => expect(cleo.views()).toHaveLength(3));
    await cleo.click('modal', 'toy.deeper');
    await vi.waitFor(() => expect(toy.seen.errors).toEqual(['push_limit_reached']));
    await cleo.close();
    expect(cleo.views()).toHaveLength(2);
    await cleo.close(true);
    expect(cleo.views()).toEqual([]);
    expect(toy.seen.payloads.filter(({ type }) => type === 'view_closed')).toHaveLength(3);
  });

  it('asks the app for the options of an external menu', async () => {
    await cleo.command('/toy');
    await cleo.waitForView();
    expect((await cleo.options('System', 'Jira')).map(({ value }) => value)).toEqual(['cloud', 'local']);
    await cleo.fill({ System: 'Jira', Owners: ['Ben', 'U0DANA'] });
    expect(cleo.text()).toMatch(/System \(optional\): Jira Cloud\nOwners \(optional\): Ben, Dana/);
  });

  it('updates a card for everybody and refuses a button that is gone', async () => {
    const message = await postCard('a card');
    await ben.click(message, 'Approve');
    const approved = await cleo.waitForMessage(/approved & open/);
    expect(approved.ts).toBe(message.ts);
    expect(approved.text).toBe('Approved by <@U0BEN>');
    expect(toy.seen.payloads.at(-1)).toMatchObject({
      container: { type: 'message', message_ts: message.ts, channel_id: 'C0APPROVALS', is_ephemeral: false },
      message: { ts: message.ts, bot_id: 'B0SIESTA' },
      actions: [{ action_id: 'toy.approve', block_id: 'decide', value: 'e1', type: 'button' }],
    });
    await expect(ben.click(approved, 'Approve')).rejects.toThrow('there is no "Approve"');
    expect(await ben.click(message, 'Approve', { stale: true })).toMatchObject({ ok: true });
  });

  it('keeps what is sent to a response_url between the app and one person', async () => {
    const message = await postCard('quiet');
    await ben.click(message, 'Whisper');
    const whispered = await ben.waitForMessage(/whispered/);
    expect(whispered.ephemeral).toBe(true);
    expect(cleo.messages('C0APPROVALS').map(({ ts }) => ts)).not.toContain(whispered.ts);
    await ben.click(whispered, 'Approve');
    expect(await ben.waitForMessage(/between us/)).toMatchObject({ ts: whispered.ts, ephemeral: true });
  });

  it('takes five uses of a response_url in thirty minutes', async () => {
    await cleo.command('/toy text');
    const url = String(toy.seen.payloads[0]?.response_url);
    const post = (): Promise<number> =>
      fetch(url, { method: 'POST', body: JSON.stringify({ text: 'more' }) }).then(({ status }) => status);
    expect([await post(), await post(), await post(), await post(), await post()]).toEqual([
      200, 200, 200, 200, 200,
    ]);
    expect(await post()).toBe(404);
  });

  it('takes a trigger id once', async () => {
    await ben.click(await postCard('twice'), 'Open twice');
    await vi.waitFor(() => expect(toy.seen.errors).toEqual(['exchanged_trigger_id']));
    expect(ben.text()).toContain('= Once =');
  });

  it('opens App Home and hears messages', async () => {
    await cleo.openHome();
    expect(cleo.text(await cleo.waitForHome(/Welcome U0CLEO/))).toBe('Welcome U0CLEO');
    await cleo.say('D0CLEO', 'good morning');
    expect((await cleo.waitForMessage(/You said good morning/)).channel).toBe('D0CLEO');
    expect(ben.dm()).toEqual([]);
  });

  it('serves the page: a command, a form and a click through the client API', async () => {
    const post = async (gesture: string, body: object): Promise<Record<string, unknown>> => {
      const response = await fetch(`${toy.slack.origin}/playground/client/${gesture}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user: 'U0CLEO', ...body }),
      });
      return (await response.json()) as Record<string, unknown>;
    };
    expect(await post('command', { channel: 'C0GENERAL', text: '/toy' })).toMatchObject({ ok: true });
    const { id: view_id } = await cleo.waitForView();
    const container = { type: 'view', view_id };
    expect(
      await post('options', { container, block_id: 'system', action_id: 'toy.system', value: 'Git' }),
    ).toMatchObject({ options: [{ value: 'cloud' }, { value: 'local' }] });
    const values = (name: string) => ({ name: { value: { type: 'plain_text_input', value: name } } });
    expect(await post('submit', { view_id, values: values('wrong') })).toMatchObject({
      ok: true,
      errors: { name: 'Taken already' },
    });
    const invented = { kind: { value: { type: 'static_select', selected_option: { value: 'secret' } } } };
    expect(await post('submit', { view_id, values: invented })).toMatchObject({ error: 'option_not_found' });
    expect(await post('submit', { view_id, values: values('page') })).toMatchObject({
      ok: true,
    });
    const { channel, ts } = await ben.waitForMessage(/Cleo: page/);
    const click = { container: { type: 'message', channel, ts }, block_id: 'decide' };
    expect(
      await post('action', { ...click, action: { action_id: 'toy.approve', value: 'forged' } }),
    ).toMatchObject({
      ok: true,
    });
    expect(toy.seen.payloads.at(-1)).toMatchObject({ actions: [{ value: 'e1' }] });
    expect(await post('action', { ...click, action: { action_id: 'toy.invented' } })).toMatchObject({
      ok: false,
      error: 'action_not_found',
    });
  });

  it('delivers a command twice when told to, and uses the first answer', async () => {
    toy.slack.faults.add({ kind: 'duplicate_delivery', method: 'slash_commands' });
    await cleo.command('/toy text');
    await vi.waitFor(() => expect(toy.seen.payloads).toHaveLength(2));
    const [first, second] = toy.seen.payloads;
    expect(second).toEqual(first);
    expect(toy.slack.workspace.deliveries.slice(-2).map(({ duplicate }) => duplicate)).toEqual([false, true]);
  });
});

describe.each<TransportName>(['socket', 'http'])('time over %s', (transport) => {
  it('gives up on a silent app, repeats events and expires trigger ids', async () => {
    let skew = 0;
    const toy = await startToy(transport, { clock: () => Date.now() + skew, ackLimitMs: 300 });
    try {
      const cleo = person(toy.slack, 'U0CLEO');
      expect(await cleo.command('/toy silent')).toEqual({ ok: false, error: 'operation_timeout' });
      expect(cleo.lastError()).toBe('/toy failed with the error "operation_timeout"');

      toy.slack.faults.add({ kind: 'slow', method: 'views.open', delay_ms: 50 });
      const typed = cleo.command('/toy');
      await vi.waitFor(() => expect(toy.slack.workspace.triggers.size).toBe(2));
      skew = 3_001;
      await typed;
      await vi.waitFor(() => expect(toy.seen.errors).toEqual(['expired_trigger_id']));

      if (transport === 'socket') toy.slack.dropSockets('cut');
      else toy.slack.deliverTo({ mode: 'http', url: 'http://127.0.0.1:9/slack/events' });
      expect(await cleo.openHome()).toEqual({ ok: false, error: 'dispatch_failed' });
      const { deliveries } = toy.slack.workspace;
      const events = () => deliveries.filter(({ kind }) => kind === 'events_api');
      await vi.waitFor(() => expect(events().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]));
      expect(new Set(events().map(({ id }) => id)).size).toBe(1);
    } finally {
      await toy.stop();
    }
  });
});

describe('repeated events', () => {
  it('carry retry headers over HTTP', async () => {
    const toy = await startToy('http', { eventRetryDelaysMs: [100] });
    try {
      const cleo = person(toy.slack, 'U0CLEO');
      toy.slack.deliverTo({ mode: 'http', url: `${toy.slack.origin}/nowhere` });
      expect(await cleo.openHome()).toMatchObject({ ok: false });
      toy.slack.deliverTo({ mode: 'http', url: toy.url });
      await cleo.waitForHome();
      expect(toy.seen.retries).toEqual([1]);
    } finally {
      await toy.stop();
    }
  });

  it('carry retry_attempt over Socket Mode, in a new envelope with the same event', async () => {
    const slack = await listenSlackServer({ ackLimitMs: 50, eventRetryDelaysMs: [0], manifest: OPEN });
    const client = new WebClient(slack.tokens.app, { slackApiUrl: slack.apiUrl });
    const { url } = await client.apps.connections.open();
    const socket = new WebSocket(String(url));
    const envelopes: Fields[] = [];
    socket.on('message', (data) => envelopes.push(JSON.parse(String(data))));
    try {
      await slack.connected();
      await slack.event({ type: 'user_change', user: { id: 'U0BEN' } });
      await slack.workspace.until(
        () => slack.workspace.deliveries[1]?.error,
        2_000,
        () => 'no retry',
      );
      const [hello, first, again] = envelopes;
      expect(hello).toMatchObject({ type: 'hello', connection_info: { app_id: 'A0SIESTA' } });
      expect(first).toMatchObject({ type: 'events_api', retry_attempt: 0, accepts_response_payload: false });
      expect(again).toMatchObject({ retry_attempt: 1, retry_reason: 'timeout', payload: first?.payload });
      expect(again?.envelope_id).not.toBe(first?.envelope_id);
    } finally {
      socket.terminate();
      await slack.close();
    }
  });
});

describe('several processes of one app', () => {
  it('take turns over HTTP, unless one is chosen', async () => {
    const heard: string[] = [];
    const processes = ['one', 'two'].map((name) =>
      createServer((req, res) => {
        heard.push(`${name} ${req.headers['content-type']}`);
        res.end();
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(processes.map((server) => once(server, 'listening')));
    const url = processes.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const manifest = smallManifest({ commands: [{ command: '/toy', description: '', usage_hint: '' }] });
    const slack = await listenSlackServer({ manifest, delivery: { mode: 'http', url } });
    try {
      await person(slack, 'U0BEN').command('/toy');
      await person(slack, 'U0BEN').command('/toy');
      await person(slack, 'U0BEN', { via: 1 }).command('/toy');
      await person(slack, 'U0BEN', { via: 1 }).shortcut('anything');
      expect(heard).toEqual(
        ['one', 'two', 'two', 'two'].map((name) => `${name} application/x-www-form-urlencoded`),
      );
    } finally {
      for (const server of processes) server.close();
      await slack.close();
    }
  });

  it('take turns over Socket Mode', async () => {
    const slack = await listenSlackServer({ manifest: OPEN, ackLimitMs: 500 });
    const client = new WebClient(slack.tokens.app, { slackApiUrl: slack.apiUrl });
    const heard: string[] = [];
    const connect = async (name: string): Promise<void> => {
      const { url } = await client.apps.connections.open();
      const socket = new WebSocket(String(url));
      socket.on('message', (data) => {
        const { envelope_id } = JSON.parse(String(data)) as { envelope_id?: string };
        if (!envelope_id) return;
        heard.push(name);
        socket.send(JSON.stringify({ envelope_id }));
      });
    };
    try {
      await connect('one');
      await slack.connected(1);
      await connect('two');
      await slack.connected(2);
      for (const id of ['a', 'b', 'c']) {
        expect(await slack.event({ type: 'user_change', user: { id } })).toMatchObject({ ok: true });
      }
      expect(heard).toEqual(['one', 'two', 'one']);
      const { url } = await client.apps.connections.open();
      const used = new WebSocket(String(url).replace(/ticket=\w+/, 'ticket=forged'));
      await expect(new Promise((_, reject) => used.on('error', reject))).rejects.toThrow('401');
    } finally {
      await slack.close();
    }
  });
});

describe('the Web API', () => {
  let slack: Awaited<ReturnType<typeof listenSlackServer>>;
  let client: WebClient;

  beforeAll(async () => {
    slack = await listenSlackServer({ manifest: OPEN });
    client = new WebClient(slack.tokens.bot, {
      slackApiUrl: slack.apiUrl,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
    });
  });
  afterAll(() => slack.close());

  it('refuses wrong tokens, unknown arguments and unknown methods', async () => {
    const stranger = new WebClient('xoxb-fake-stranger', { slackApiUrl: slack.apiUrl });
    expect(await refusal(stranger.auth.test())).toMatchObject({ error: 'invalid_auth' });
    const misplaced = new WebClient(slack.tokens.app, { slackApiUrl: slack.apiUrl });
    expect(await refusal(misplaced.auth.test())).toMatchObject({ error: 'not_allowed_token_type' });
    expect(await refusal(client.apiCall('users.info', { user: 'U0ADA', colour: 1 }))).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] unknown argument [json-pointer:/colour]'] },
    });
    expect(await client.users.info({ user: 'U0ADA', team_id: 'T0SIESTA' } as { user: string })).toMatchObject(
      {
        ok: true,
      },
    );
    expect(await refusal(client.apiCall('chat.meMessage'))).toMatchObject({ error: 'unknown_method' });
  });

  it('knows who may be written to', async () => {
    const say = (channel: string): Promise<unknown> => client.chat.postMessage({ channel, text: 'hello' });
    expect(await refusal(say('C0RANDOM'))).toMatchObject({ error: 'not_in_channel' });
    expect(await refusal(say('C0NOWHERE'))).toMatchObject({ error: 'channel_not_found' });
    expect(await say('U0BEN')).toMatchObject({ channel: 'D0BEN' });
    slack.workspace.users.set('U0GONE', user({ id: 'U0GONE', name: 'gone', deleted: true }));
    expect(await refusal(client.conversations.open({ users: 'U0GONE' }))).toMatchObject({
      error: 'user_disabled',
    });
    const whisper = { channel: 'C0GENERAL', user: 'U0GONE', text: 'psst' };
    expect(await refusal(client.chat.postEphemeral(whisper))).toMatchObject({ error: 'user_not_in_channel' });
  });

  it('refuses blocks that Slack refuses, names the pointer and remembers', async () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3_001) } }];
    const post = client.chat.postMessage({ channel: 'C0GENERAL', text: 'long', blocks });
    expect(await refusal(post)).toMatchObject({
      error: 'invalid_blocks',
      response_metadata: { messages: [expect.stringContaining('[json-pointer:/blocks/0/text')] },
    });
    expect(slack.workspace.violations.at(-1)).toMatchObject({ where: 'chat.postMessage', refused: true });
    expect(slack.workspace.messages.get('C0GENERAL') ?? []).toEqual([]);

    const silent = JSON.stringify(card('without text'));
    expect(await client.apiCall('chat.postMessage', { channel: 'C0GENERAL', blocks: silent })).toMatchObject({
      ok: true,
    });
    expect(slack.workspace.violations.at(-1)).toMatchObject({
      refused: false,
      constraint: 'message.text.required',
    });
    const told = await fetch(`${slack.origin}/playground/client/violations`);
    const violations = (await told.json()) as object[];
    expect(violations.at(-1)).toMatchObject({
      where: 'chat.postMessage',
      constraint: 'message.text.required',
    });
    // They hold what only some people may see.
    expect(violations.flatMap(Object.keys)).not.toContain('payload');
  });

  it('refuses a home view with a wrong hash, a view that is too large and a modal for Home', async () => {
    const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'Hello' } } as const];
    const publish = (given: object): Promise<Record<string, unknown>> =>
      refusal(
        client.apiCall('views.publish', { user_id: 'U0ADA', view: { type: 'home', blocks }, ...given }),
      );
    expect(await publish({})).toEqual({ error: 'none' });
    const { hash } = slack.workspace.homes.get('U0ADA') ?? {};
    expect(await publish({ hash })).toEqual({ error: 'none' });
    expect(await publish({ hash })).toMatchObject({ error: 'hash_conflict' });
    expect(await publish({ hash: '' })).toMatchObject({ error: 'hash_conflict' });
    expect(await publish({ view: form('Add') })).toMatchObject({ error: 'invalid_arguments' });
    const huge = { type: 'home', blocks, private_metadata: 'x'.repeat(250_000) };
    expect(await publish({ view: huge })).toMatchObject({ error: 'view_too_large' });
  });

  it('answers 429 until Retry-After has passed and marks calls that came too early', async () => {
    slack.faults.add({ kind: 'rate_limited', method: 'chat.postMessage', retry_after: 1 });
    const say = (): Promise<unknown> => client.chat.postMessage({ channel: 'U0ADA', text: 'hello' });
    await expect(say()).rejects.toMatchObject({ retryAfter: 1 });
    await expect(say()).rejects.toMatchObject({ retryAfter: 1 });
    expect(await client.users.info({ user: 'U0ADA' })).toMatchObject({ ok: true });
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await say()).toMatchObject({ ok: true });
    const calls = slack.workspace.requests.filter(({ method }) => method === 'chat.postMessage').slice(-3);
    expect(calls.map(({ status, too_early }) => [status, too_early ?? false])).toEqual([
      [429, false],
      [429, true],
      [200, false],
    ]);
  });

  it('can fail, drop a call, and lose an answer after the effect', async () => {
    const count = (): number => slack.workspace.messages.get('D0DANA')?.length ?? 0;
    const say = (): Promise<unknown> => client.chat.postMessage({ channel: 'U0DANA', text: 'hello' });
    for (const [kind, after] of [
      ['server_error', 0],
      ['drop', 0],
      ['error', 0],
      ['lost_answer', 1],
    ] as const) {
      slack.faults.add({ kind, method: 'chat.postMessage' });
      await expect(say()).rejects.toThrow();
      expect([kind, count()]).toEqual([kind, after]);
    }
    expect(await say()).toMatchObject({ ok: true });
  });

  it('pages lists and reads user groups', async () => {
    const first = await client.users.list({ limit: 2 });
    expect(first.members?.map(({ id }) => id)).toEqual(['U0ADA', 'U0BEN']);
    const cursor = first.response_metadata?.next_cursor ?? '';
    const second = await client.users.list({ limit: 2, cursor });
    expect(second.members?.map(({ id }) => id)).toEqual(['U0CLEO', 'U0DANA']);
    expect(await refusal(client.users.list({ cursor: 'made up' }))).toMatchObject({
      error: 'invalid_cursor',
    });
    expect(await client.usergroups.users.list({ usergroup: 'S0FINANCE' })).toMatchObject({
      users: ['U0BEN', 'U0DANA'],
    });
    expect(await client.users.lookupByEmail({ email: 'Cleo@siesta.example' })).toMatchObject({
      user: { id: 'U0CLEO', tz: 'Europe/Berlin' },
    });
  });

  it('grants only the scopes of the manifest and delivers only subscribed events', async () => {
    const scopes = ['chat:write'];
    const narrow = await listenSlackServer({ manifest: smallManifest({ commands: [], scopes, events: [] }) });
    try {
      const limited = new WebClient(narrow.tokens.bot, { slackApiUrl: narrow.apiUrl });
      expect(await refusal(limited.users.info({ user: 'U0ADA' }))).toMatchObject({
        error: 'missing_scope',
        needed: 'users:read',
        provided: 'chat:write',
      });
      await narrow.event({ type: 'user_change', user: {} });
      expect(narrow.workspace.deliveries).toEqual([]);
      await narrow.event({ type: 'app_uninstalled' });
      expect(await refusal(limited.auth.test())).toMatchObject({ error: 'account_inactive' });
    } finally {
      await narrow.close();
    }
  });

  it('shows each page only what its person may see, and takes their clicks from this site only', async () => {
    const client = `${slack.origin}/playground/client`;
    const state = async (id: string): Promise<Snapshot> =>
      (await fetch(`${client}/state?user=${id}`)).json() as Promise<Snapshot>;
    await slack.interactions.message('U0BEN', 'D0BEN', 'just for me').catch(() => {});
    const ada = await state('U0ADA');
    expect(ada.me).toMatchObject({ id: 'U0ADA', role: 'admin' });
    expect(ada.channels.map(({ id }) => id).sort()).toEqual([
      'C0APPROVALS',
      'C0GENERAL',
      'C0RANDOM',
      'D0ADA',
    ]);
    const send = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${client}/read`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ user: 'U0ADA', channel: 'C0GENERAL' }),
      });
    expect((await send({})).status).toBe(200);
    expect((await send({ origin: 'https://elsewhere.example' })).status).toBe(400);

    const events = await fetch(`${client}/events?user=U0ADA`);
    const reader = events.body?.getReader();
    const next = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? '').toString();
    expect(await next()).toMatch(/^data: \{"team"/);
    slack.workspace.addMessage({ channel: 'D0ADA', user: 'U0SIESTABOT', text: 'news for ada' });
    expect(await next()).toContain('news for ada');
    await reader?.cancel();
  });
});
