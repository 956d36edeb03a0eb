/**
 * Slack over HTTP, with requests signed by hand, against the real process: abuse cases 1–8 and 22 of
 * shared/RELIABILITY.md. What is refused has no effect: the request stays pending, and the helpdesk hears nothing.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { listen, type ReceivedRequest } from '../../playground/loopback.js';
import { sign } from '../../playground/slack/http-push.js';
import { person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';

const FORM = 'application/x-www-form-urlencoded';
const CREATE = {
  connection: 'helpdesk',
  function: 'create_ticket',
  arguments: { subject: 'Printer on fire', body: 'Floor 3', requester: 'sam@example.com' },
};

let world: World;
let apps: AppProcess[];
let services: Awaited<ReturnType<World['services']>>;
let seeded: Seeded;
let elsewhere: { origin: string; close(): Promise<void> };
const strays: ReceivedRequest[] = [];

beforeAll(async () => {
  elsewhere = await listen(
    0,
    (request) => {
      strays.push(request);
      return { status: 200 };
    },
    { delay: 0, fail: undefined },
    () => true,
  );
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  services = await world.services();
  seeded = await seedHelpdesk(services, world.helpdesk);
  apps = [await world.start(), await world.start()];
});

afterAll(async () => {
  await services.close();
  await world.close();
  await elsewhere.close();
});

interface Asked {
  readonly id: string;
  readonly card: Message;
  /** What the Approve button carries. */
  readonly value: string;
}
let subjects = 0;

async function ask(): Promise<Asked> {
  const subject = `Ticket number ${++subjects}.`;
  const answer = await call(origin(), seeded.token, '/v1/executions', {
    ...CREATE,
    arguments: { ...CREATE.arguments, subject },
  });
  const ben = person(world.slack, 'U0BEN');
  const card = await ben.waitForMessage(
    (message) => message.channel === 'C0APPROVALS' && ben.text(message).includes(subject),
  );
  const value = /"value":"(ex_[a-z0-9]+:[0-9a-f]{8})"/.exec(JSON.stringify(card.blocks))?.[1];
  if (!value) throw new Error('the card has no button');
  return { id: answer.body.id, card, value };
}

const origin = (index = 0): string => apps[index]?.origin ?? '';
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

function click({ card, value }: Asked, change: Record<string, unknown> = {}): string {
  const { team, app } = world.slack.workspace;
  const payload = {
    type: 'block_actions',
    team: { id: team.id, domain: team.domain },
    user: { id: 'U0BEN', username: 'ben', name: 'ben', team_id: team.id },
    api_app_id: app.id,
    token: 'fake',
    enterprise: null,
    is_enterprise_install: false,
    container: { type: 'message', message_ts: card.ts, channel_id: card.channel, is_ephemeral: false },
    trigger_id: '1.2.fake',
    channel: { id: card.channel, name: 'approvals' },
    message: { type: 'message', ts: card.ts, text: '', blocks: [] },
    response_url: `${world.slack.origin}/playground/response/fake`,
    actions: [{ type: 'button', action_id: 'approval.approve', block_id: 'b', value, action_ts: card.ts }],
    ...change,
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

interface Sent {
  readonly timestamp?: number;
  readonly signature?: string | null;
  readonly withTimestamp?: boolean;
  readonly contentType?: string | null;
  readonly to?: number;
}

async function post(body: string, sent: Sent = {}): Promise<{ status: number; text: string }> {
  const timestamp = sent.timestamp ?? nowSeconds();
  const signature =
    sent.signature === undefined ? sign(world.slack.signingSecret, timestamp, body) : sent.signature;
  const response = await fetch(`${origin(sent.to)}/slack/events`, {
    method: 'POST',
    headers: {
      ...(sent.contentType === null ? {} : { 'content-type': sent.contentType ?? FORM }),
      ...(signature === null ? {} : { 'x-slack-signature': signature }),
      ...(sent.withTimestamp === false ? {} : { 'x-slack-request-timestamp': String(timestamp) }),
    },
    // Bytes, so that fetch adds no content type of its own.
    body: Buffer.from(body),
  });
  return { status: response.status, text: await response.text() };
}

async function statusOf({ id }: Asked): Promise<string> {
  return (await call(origin(), seeded.token, `/v1/executions/${id}`)).body.status;
}

async function decisionsOn({ id }: Asked): Promise<number> {
  return (await services.services.approvals.ofExecution(id))?.decisions.length ?? -1;
}

const writes = (): number => world.helpdesk.requests.filter((request) => request.method === 'POST').length;

describe('what Slack did not sign', () => {
  let asked: Asked;
  let before: number;
  beforeAll(async () => {
    asked = await ask();
    before = writes();
  });

  const refused: Record<string, () => Promise<{ status: number; text: string }>> = {
    'a wrong signature': () => post(click(asked), { signature: `v0=${'0'.repeat(64)}` }),
    'a signature of another length': () => post(click(asked), { signature: 'v0=00' }),
    'a signature under another secret': () => {
      const body = click(asked);
      return post(body, { signature: sign('another-fake-secret', nowSeconds(), body) });
    },
    'no signature': () => post(click(asked), { signature: null }),
    'no timestamp': () => post(click(asked), { withTimestamp: false }),
    'a timestamp six minutes old': () => post(click(asked), { timestamp: nowSeconds() - 360 }),
    'a timestamp ten minutes ahead': () => post(click(asked), { timestamp: nowSeconds() + 600 }),
    'a timestamp that is no number': () => {
      const body = click(asked);
      const timestamp = Number.NaN;
      return post(body, { timestamp, signature: sign(world.slack.signingSecret, timestamp, body) });
    },
    'a body encoded again (+ as %20)': () => {
      const body = click(asked, { note: 'two words' });
      expect(body).toContain('+words');
      const signature = sign(world.slack.signingSecret, nowSeconds(), body);
      return post(body.replaceAll('+', '%20'), { signature });
    },
    'a body with one byte more': () => {
      const body = click(asked);
      return post(`${body}&`, { signature: sign(world.slack.signingSecret, nowSeconds(), body) });
    },
  };

  it.each(Object.entries(refused))('is refused: %s', async (_what, send) => {
    expect(await send()).toEqual({ status: 401, text: '' });
    expect(await statusOf(asked)).toBe('pending_approval');
    expect(await decisionsOn(asked)).toBe(0);
    expect(writes()).toBe(before);
  });

  it('is noted in the log', async () => {
    const lines = apps[0]?.output().match(/Slack request refused/g) ?? [];
    expect(lines.length).toBeGreaterThanOrEqual(Object.keys(refused).length);
  });

  it('while the very same click, signed, counts', async () => {
    expect((await post(click(asked))).status).toBe(200);
    await until(async () => (await statusOf(asked)) === 'succeeded', 5_000);
    expect(writes()).toBe(before + 1);
  });
});

describe('a request that is larger than any of Slack', () => {
  const huge = `payload=${'a'.repeat(2 * 1024 * 1024)}`;

  it('gets 413, signed or not', async () => {
    expect((await post(huge)).status).toBe(413);
    expect((await post(huge, { signature: null })).status).toBe(413);
  });

  it('gets it before its body has come, so nothing of it is hashed', async () => {
    const { hostname, port } = new URL(origin());
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-type: ${FORM}\r\ncontent-length: ${huge.length}\r\n\r\npayload=`,
        );
      });
      socket.once('data', (data) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('the same request again', () => {
  it('is acked by any process and has no second effect', async () => {
    const asked = await ask();
    const before = writes();
    const body = click(asked);
    const timestamp = nowSeconds();
    expect(await post(body, { timestamp })).toEqual({ status: 200, text: '' });
    await until(async () => (await statusOf(asked)) === 'succeeded', 5_000);
    const told = person(world.slack, 'U0BEN').messages('C0APPROVALS').length;
    for (const to of [0, 1, 0, 1]) expect((await post(body, { timestamp, to })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await decisionsOn(asked)).toBe(1);
    expect(writes()).toBe(before + 1);
    // A replay is not a late click: nobody is told anything.
    expect(person(world.slack, 'U0BEN').messages('C0APPROVALS')).toHaveLength(told);
  });

  it('at the same moment through both processes counts once', async () => {
    const asked = await ask();
    const before = writes();
    const body = click(asked);
    const timestamp = nowSeconds();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => post(body, { timestamp, to: index % 2 })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    await until(async () => (await statusOf(asked)) === 'succeeded', 5_000);
    expect(await decisionsOn(asked)).toBe(1);
    expect(writes()).toBe(before + 1);
  });
});

describe('a signed request of another workspace', () => {
  it('is refused and noted', async () => {
    const asked = await ask();
    const started = performance.now();
    const answer = await post(click(asked, { team: { id: 'T0OTHER', domain: 'other' } }));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await statusOf(asked)).toBe('pending_approval');
    expect(await decisionsOn(asked)).toBe(0);
    expect(apps[0]?.output()).toMatch(/T0OTHER.*payload of another workspace refused/);
  });
});

describe('addresses in a payload', () => {
  beforeEach(() => {
    strays.length = 0;
  });

  it('are not called when they are not of Slack: response_url of a command', async () => {
    const { team, app } = world.slack.workspace;
    const command = {
      token: 'fake',
      team_id: team.id,
      team_domain: team.domain,
      channel_id: 'C0GENERAL',
      channel_name: 'general',
      user_id: 'U0ADA',
      user_name: 'ada',
      command: '/executions',
      text: 'help',
      api_app_id: app.id,
      is_enterprise_install: 'false',
      trigger_id: '1.2.fake',
    };
    for (const url of [
      `${elsewhere.origin}/steal`,
      `${elsewhere.origin}/hooks.slack.com/`,
      'https://hooks.slack.com.evil.example/x',
    ]) {
      const answer = await post(new URLSearchParams({ ...command, response_url: url }).toString());
      expect(answer.status).toBe(200);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(strays).toEqual([]);
    expect(apps[0]?.output()).toContain('response_url dropped');
  });

  it('are not called when they are not of Slack: response_url of a click and of a form', async () => {
    const asked = await ask();
    const url = `${elsewhere.origin}/steal`;
    const stranger = { user: { id: 'U0CLEO', name: 'cleo', team_id: world.slack.workspace.team.id } };
    await post(click(asked, { ...stranger, response_url: url }));
    await post(
      click(asked, { ...stranger, response_urls: [{ response_url: url, channel_id: 'C0GENERAL' }] }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(strays).toEqual([]);
    expect(await statusOf(asked)).toBe('pending_approval');
  });

  it('are not trusted: a click that names another channel puts no card there', async () => {
    const asked = await ask();
    const ben = person(world.slack, 'U0BEN');
    const before = ben.messages('C0GENERAL').length;
    const place = {
      channel: { id: 'C0GENERAL', name: 'general' },
      message: { type: 'message', ts: '1700000000.000100' },
    };
    expect((await post(click(asked, place))).status).toBe(200);
    await until(async () => (await statusOf(asked)) === 'succeeded', 5_000);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(ben.messages('C0GENERAL')).toHaveLength(before);
  });
});

describe('odd requests', () => {
  it.each([
    ['JSON that is none', '{"type":', 'application/json', 400],
    ['JSON that is no object', '[1]', 'application/json', 400],
    ['a payload that is none', 'payload=%7B', FORM, 400],
    ['a payload that is null', 'payload=null', FORM, 400],
    ['an empty body', '', FORM, 400],
    ['bytes that are no text', '\u0000\u0001', 'application/octet-stream', 400],
  ])('%s', async (_what, body, contentType, status) => {
    const started = performance.now();
    expect((await post(body, { contentType })).status).toBe(status);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('a form with a charset, and one in capitals, are forms', async () => {
    for (const contentType of [`${FORM}; charset=utf-8`, 'Application/X-WWW-Form-Urlencoded']) {
      const asked = await ask();
      expect((await post(click(asked), { contentType })).status).toBe(200);
      await until(async () => (await statusOf(asked)) === 'succeeded', 5_000);
    }
  });

  it('a type that nobody handles is answered at once', async () => {
    const started = performance.now();
    const { team } = world.slack.workspace;
    const body = new URLSearchParams({
      payload: JSON.stringify({ type: 'future_thing', team: { id: team.id } }),
    });
    expect((await post(body.toString())).status).toBe(404);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('other methods have nothing to see, and the signed handshake is answered', async () => {
    expect((await fetch(`${origin()}/slack/events`)).status).toBe(404);
    const body = JSON.stringify({ type: 'url_verification', challenge: 'fake-challenge', token: 'fake' });
    expect(await post(body, { contentType: 'application/json' })).toEqual({
      status: 200,
      text: '{"challenge":"fake-challenge"}',
    });
    expect((await post(body, { contentType: 'application/json', signature: null })).status).toBe(401);
  });

  it('and none of them ended the process', () => {
    expect(apps.map(({ child }) => child.exitCode)).toEqual([null, null]);
  });
});
