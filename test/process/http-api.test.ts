/** shared/CONTRACT.md, "HTTP, for callers", word for word, against two processes of the real app. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import type { ConnectionDocument, PolicyRule } from '../../models/types.js';
import { person } from '../../playground/slack/person.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import {
  type Answer,
  API_KEY,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const TICKET = { subject: 'Printer on fire', body: 'Floor 3', requester: 'sam@example.com' };
const READ = { connection: 'helpdesk', function: 'list_tickets', arguments: {} };
const WRITE = { connection: 'helpdesk', function: 'create_ticket', arguments: TICKET };

let world: World;
let connected: Awaited<ReturnType<World['services']>>;
let apps: [AppProcess, AppProcess];
/** Tokens of callers. */
let agent: string;
let stranger: string;
let production: string;
let revoked: string;
let crowd: string;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  connected = await world.services();
  const { callers, connections } = connected.services;
  const caller = async (name: string, stage: 'test' | 'production' = 'test') =>
    callers.create(ADA, { name, kind: 'agent', ownerId: 'U0ADA', stage });
  const [one, two, live, gone, many] = [
    await caller('Agent'),
    await caller('Stranger'),
    await caller('Live agent', 'production'),
    await caller('Old agent'),
    await caller('Crowd'),
  ];
  [agent, stranger, production, revoked, crowd] = [one.token, two.token, live.token, gone.token, many.token];
  await callers.revoke(ADA, gone.caller._id);
  const users = [one, live, gone, many].map(({ caller: { _id } }) => ({ callerId: _id, functions: null }));
  await connections.setAccess(ADA, await helpdesk('Helpdesk'), users);
  const paused = await connections.setAccess(ADA, await helpdesk('Paused desk'), users);
  await connections.pause(ADA, paused, { by: 'U0ADA', at: new Date(), reason: 'moving house' });
  await connections.setAccess(ADA, await helpdesk('Narrow desk'), [
    { callerId: one.caller._id, functions: ['list_tickets'] },
  ]);
  apps = await Promise.all([world.start(), world.start()]);
  await world.slack.connected(2);
});

afterAll(async () => {
  await connected.close();
  await world.close();
});

/** Reads run, writes ask Ben, deleting is blocked, and one function is turned off. */
async function helpdesk(name: string): Promise<ConnectionDocument> {
  const { operations } = await importOpenApi(await (await fetch(world.helpdesk.openapiUrl)).text());
  const rule = (id: string, effect: PolicyRule['effect'], risks: PolicyRule['risks']): PolicyRule => ({
    id,
    functions: null,
    risks,
    effect,
    approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
    quorum: 1,
    route: null,
    expiresInMinutes: 60,
  });
  const connection = await connected.services.connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name,
    purpose: 'Agents file tickets',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: world.helpdesk.origin,
      operations: operations.map((operation) => ({ ...operation })),
    },
    enabledFunctions: operations.map((operation) => operation.name).filter((fn) => fn !== 'search_tickets'),
    rules: [rule('never', 'deny', ['destructive']), rule('writes', 'ask', ['write'])],
  });
  await connected.services.credentials.store({
    connectionId: connection._id,
    subject: 'shared',
    kind: 'secret',
    fields: { api_key: API_KEY },
    createdBy: 'U0ADA',
  });
  return connection;
}

const post = (body: unknown, headers: Record<string, string> = {}, token = agent, via: 0 | 1 = 0) =>
  call(apps[via].origin, token, '/v1/executions', body, headers);
const get = (path: string, token = agent, via: 0 | 1 = 0) => call(apps[via].origin, token, path);
const cancel = (id: string, token = agent) => call(apps[0].origin, token, `/v1/executions/${id}/cancel`, {});

const timestamp = z.iso.datetime();
const execution = z.strictObject({
  id: z.string().regex(/^ex_[a-z0-9]{20}$/),
  status: z.string(),
  connection: z.string(),
  function: z.string(),
  requirement: z.enum(['none', 'required', 'granted', 'blocked']),
  approval: z.strictObject({
    status: z.enum(['not_required', 'pending', 'approved', 'denied', 'expired', 'cancelled']),
    decided_at: timestamp.optional(),
    expires_at: timestamp.optional(),
    note: z.string().optional(),
  }),
  result: z.json().optional(),
  truncated: z.boolean().optional(),
  error: z
    .strictObject({ code: z.string(), message: z.string().min(10), retry_after: z.number().optional() })
    .optional(),
  outcome_recorded: z.boolean(),
  created_at: timestamp,
  finished_at: timestamp.optional(),
  url: z.url(),
});

/** An answer that is an execution of the contract's shape, with the status that goes with its own. */
function expectExecution(answer: Answer, status: string) {
  const found = execution.parse(answer.body);
  expect(found.status).toBe(status);
  const waits = ['pending_authorization', 'pending_approval', 'queued', 'executing'].includes(status);
  expect(answer.status).toBe(waits ? 202 : 200);
  expect(answer.headers.get('location')).toBe(waits ? found.url : null);
  expect(answer.headers.get('retry-after')).toEqual(waits ? expect.stringMatching(/^\d+$/) : null);
  expect(found.finished_at !== undefined).toBe(!waits);
  return found;
}

const problem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.number(),
  code: z.string(),
  detail: z.string().min(5),
  path: z.string().optional(),
  execution: execution.optional(),
});

function expectProblem(answer: Answer, status: number, code: string, path?: string) {
  expect(
    { status: answer.status, code: answer.body?.code, path: answer.body?.path },
    answer.body?.detail,
  ).toEqual({
    status,
    code,
    path,
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
  const found = problem.parse(answer.body);
  expect(found.status).toBe(status);
  return found;
}

describe('GET /v1/functions', () => {
  it('lists what the caller may use, with what it takes', async () => {
    const { status, body } = await get('/v1/functions');
    expect(status).toBe(200);
    const listed = z
      .strictObject({
        functions: z.array(
          z.strictObject({
            name: z.string().max(64),
            connection: z.string(),
            function: z.string(),
            title: z.string().min(1),
            description: z.string(),
            risk: z.enum(['read', 'write', 'destructive']),
            requirement: z.enum(['none', 'required', 'blocked']),
            input_schema: z.record(z.string(), z.unknown()),
          }),
        ),
      })
      .parse(body).functions;
    const of = (name: string) => listed.find((each) => each.name === name);
    expect(of('helpdesk__list_tickets')).toMatchObject({ risk: 'read', requirement: 'none' });
    expect(of('helpdesk__create_ticket')).toMatchObject({
      risk: 'write',
      requirement: 'required',
      input_schema: { type: 'object' },
    });
    expect(of('helpdesk__delete_ticket')).toMatchObject({ risk: 'destructive', requirement: 'blocked' });
    expect(of('helpdesk__search_tickets')).toBeUndefined();
    expect(listed.filter((each) => each.connection === 'narrow-desk').map((each) => each.function)).toEqual([
      'list_tickets',
    ]);
  });

  it('is empty for a caller without access, and without drafts for one in production', async () => {
    expect((await get('/v1/functions', stranger)).body).toEqual({ functions: [] });
    expect((await get('/v1/functions', production)).body).toEqual({ functions: [] });
  });
});

describe('POST /v1/executions', () => {
  it('answers 200 with the result of a read', async () => {
    const found = expectExecution(await post(READ), 'succeeded');
    expect(found).toMatchObject({
      requirement: 'none',
      approval: { status: 'not_required' },
      outcome_recorded: true,
    });
    expect(JSON.stringify(found.result)).toContain('T-101');
    expect(found.error).toBeUndefined();
    expectExecution(await get(`/v1/executions/${found.id}`), 'succeeded');
    expect(new URL(found.url).pathname).toBe(`/v1/executions/${found.id}`);
  });

  it('answers 202 with Location and Retry-After for a write, which waits for a person', async () => {
    const found = expectExecution(await post(WRITE), 'pending_approval');
    expect(found).toMatchObject({ requirement: 'required', approval: { status: 'pending' } });
    const left = Date.parse(found.approval.expires_at ?? '') - Date.now();
    expect(left).toBeGreaterThan(59 * 60_000);
    expect(left).toBeLessThanOrEqual(60 * 60_000);
    expect(found.result).toBeUndefined();
  });

  it('takes the id of a connection as well as its key', async () => {
    const connection = (await connected.services.connections.list('U0ADA')).find(
      ({ key }) => key === 'helpdesk',
    );
    expectExecution(await post({ ...READ, connection: connection?._id }), 'succeeded');
  });

  it('says in a refused execution what the other side said', async () => {
    const found = expectExecution(
      await post({ connection: 'helpdesk', function: 'get_ticket', arguments: { id: 'T-999' } }),
      'failed',
    );
    expect(found.error).toMatchObject({
      code: 'upstream_rejected',
      message: expect.stringContaining('T-999'),
    });
  });

  it.each([
    ['policy_blocked', 'helpdesk', 'delete_ticket', { id: 'T-101' }, 'blocked'],
    ['paused', 'paused-desk', 'list_tickets', {}, 'none'],
  ])(
    'answers 403 %s with the execution that was recorded',
    async (code, connection, fn, args, requirement) => {
      const key = { 'idempotency-key': `refused-${code}` };
      const body = { connection, function: fn, arguments: args };
      const found = expectProblem(await post(body, key), 403, code);
      expect(found.execution).toMatchObject({ status: 'denied', requirement, error: { code } });
      expect(found.execution?.finished_at).toBeDefined();
      const again = expectProblem(await post(body, key, agent, 1), 403, code);
      expect(again.execution?.id).toBe(found.execution?.id);
      const looked = await get(`/v1/executions/${found.execution?.id}`);
      expect(expectProblem(looked, 403, code).execution).toEqual(found.execution);
    },
  );

  it('answers 403 not_ready for a draft and a caller in production', async () => {
    const found = expectProblem(await post(READ, {}, production), 403, 'not_ready');
    expect(found.execution).toMatchObject({ status: 'denied', error: { code: 'not_ready' } });
  });

  it('answers 429 when a hundred requests of a caller wait for people', async () => {
    for (let batch = 0; batch < 10; batch++) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(WRITE, {}, crowd)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202));
    }
    const full = await post(WRITE, {}, crowd);
    expectProblem(full, 429, 'too_many_pending');
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    expectExecution(await post(READ, {}, crowd), 'succeeded');
    expectExecution(await post(WRITE), 'pending_approval');
  }, 60_000);
});

describe('Idempotency-Key', () => {
  it('gives the same execution for the same request, through any process', async () => {
    const key = { 'idempotency-key': 'same-1' };
    const first = expectExecution(await post(WRITE, key), 'pending_approval');
    const reordered = {
      arguments: Object.fromEntries(Object.entries(TICKET).reverse()),
      function: 'create_ticket',
      connection: 'helpdesk',
    };
    expect((await post(reordered, key, agent, 1)).body.id).toBe(first.id);
    expect((await post(WRITE, key, crowd)).body?.code).toBe('too_many_pending');
  });

  it('answers 409 for another request', async () => {
    const key = { 'idempotency-key': 'other-1' };
    await post(WRITE, key);
    const other = { ...WRITE, arguments: { ...TICKET, subject: 'Another' } };
    expectProblem(await post(other, key, agent, 1), 409, 'idempotency_conflict');
    expectProblem(await post({ ...WRITE, reason: 'because' }, key), 409, 'idempotency_conflict');
  });

  it.each([
    ['with a blank', 'a b'],
    ['too long', 'x'.repeat(256)],
    ['empty', ''],
  ])('%s is refused', async (_what, key) => {
    expectProblem(await post(READ, { 'idempotency-key': key }), 400, 'invalid_arguments', '/Idempotency-Key');
  });
});

describe('who asks', () => {
  const headers: Record<string, Record<string, string>> = {
    'no header': {},
    'another scheme': { authorization: 'Basic dXNlcjpmYWtl' },
    'no token': { authorization: 'Bearer ' },
    garbage: { authorization: 'Bearer fake' },
    'a Slack token': { authorization: 'Bearer xoxb-fake-1234567890' },
  };
  it.each(Object.entries(headers))('401 for %s, whatever is asked', async (_what, given) => {
    for (const [method, path, body] of [
      ['GET', '/v1/functions', null],
      ['GET', '/v1/executions/ex_00000000000000000000', null],
      ['POST', '/v1/executions', '{"connection":'],
      ['POST', '/v1/executions', 'x'.repeat(300_000)],
      ['POST', '/v1/executions/ex_00000000000000000000/cancel', '{}'],
    ] as const) {
      const response = await fetch(`${apps[0].origin}${path}?access_token=${agent}`, {
        method,
        headers: { ...given, 'content-type': 'application/json' },
        body,
      });
      const answer = { status: response.status, body: await response.json(), headers: response.headers };
      expectProblem(answer, 401, 'unauthenticated');
    }
  });

  it('401, in the same words, for a token that was revoked, and one with a letter changed', async () => {
    const changed = `${agent.slice(0, -1)}${agent.endsWith('a') ? 'b' : 'a'}`;
    const details = [];
    for (const token of [revoked, changed, 'fake']) {
      details.push(expectProblem(await get('/v1/functions', token), 401, 'unauthenticated').detail);
    }
    expect(new Set(details).size).toBe(1);
  });
});

describe('what a caller may not see is not there', () => {
  it('another caller’s execution, for reading and for cancelling', async () => {
    const { id } = (await post(WRITE)).body;
    const made = await get('/v1/executions/ex_00000000000000000000');
    for (const answer of [await get(`/v1/executions/${id}`, stranger), await cancel(id, stranger), made]) {
      expect(expectProblem(answer, 404, 'not_found').detail).toBe(made.body.detail);
    }
    expectExecution(await get(`/v1/executions/${id}`), 'pending_approval');
  });

  it.each([
    ['a connection without access', { ...READ, connection: 'helpdesk' }, '/connection', 'stranger'],
    ['an unknown connection', { ...READ, connection: 'nowhere' }, '/connection', 'agent'],
    ['an operator in place of a name', { ...READ, connection: '$ne' }, '/connection', 'agent'],
    ['a function that is turned off', { ...READ, function: 'search_tickets' }, '/function', 'agent'],
    ['an unknown function', { ...READ, function: 'constructor' }, '/function', 'agent'],
    ['a function that the access leaves out', { ...WRITE, connection: 'narrow-desk' }, '/function', 'agent'],
  ])('%s', async (_what, body, path, who) => {
    expectProblem(await post(body, {}, who === 'agent' ? agent : stranger), 404, 'not_found', path);
  });
});

describe('bad input is refused with its path', () => {
  const text = (args: string, rest = ''): string =>
    `{"connection":"helpdesk","function":"create_ticket","arguments":{${args}}${rest}}`;
  const fields = '"subject":"a","body":"b","requester":"sam@example.com"';
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const cases: [string, string | Buffer, string | undefined][] = [
    ['no JSON', '{', ''],
    ['something after the end', `${text(fields)} {}`, ''],
    ['a byte order mark', `\ufeff${text(fields)}`, ''],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"connection":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      '',
    ],
    ['a duplicate key', text(`${fields},"subject":"c"`), '/arguments/subject'],
    ['a duplicate key at the top', `{"connection":"a","connection":"b"}`, '/connection'],
    ['an unsafe integer', text(`${fields},"n":12345678901234567890`), '/arguments/n'],
    ['a number that overflows', text(`${fields},"n":1e400`), '/arguments/n'],
    ['NUL', text('"subject":"a\\u0000b"'), '/arguments/subject'],
    ['a lone surrogate', text('"subject":"\\ud800"'), '/arguments/subject'],
    ['__proto__', text(`${fields},"__proto__":{"x":1}`), '/arguments/__proto__'],
    ['nesting beyond 32', text(`"subject":${nested(40)}`), `/arguments/subject${'/0'.repeat(30)}`],
    ['nesting by the thousand', text(`"subject":${nested(1_000)}`), `/arguments/subject${'/0'.repeat(30)}`],
    ['an unknown field', text(fields, ',"status":"approved"'), '/status'],
    ['a policy of one’s own', text(fields, ',"policy":{"effect":"allow"}'), '/policy'],
    ['approvers of one’s own', text(fields, ',"approverIds":["U0ADA"]'), '/approverIds'],
    ['an unknown argument', text(`${fields},"admin":true`), '/arguments/admin'],
    ['a missing argument', text('"subject":"a"'), undefined],
    [
      'an argument of another type',
      text('"subject":7,"body":"b","requester":"sam@example.com"'),
      '/arguments/subject',
    ],
    [
      'an operator in place of a text',
      '{"connection":{"$ne":null},"function":"list_tickets"}',
      '/connection',
    ],
    [
      'arguments that are no object',
      '{"connection":"helpdesk","function":"list_tickets","arguments":[]}',
      '/arguments',
    ],
    ['no connection', '{"function":"list_tickets"}', '/connection'],
    ['a list', '[]', '/'],
    ['null', 'null', '/'],
    ['nothing', '', '/'],
    ['waiting too long', text(fields, ',"wait":61'), '/wait'],
    ['waiting backwards', text(fields, ',"wait":-1'), '/wait'],
    ['waiting for a word', text(fields, ',"wait":"long"'), '/wait'],
    ['waiting for true', text(fields, ',"wait":true'), '/wait'],
    ['an endless reason', text(fields, `,"reason":"${'x'.repeat(2_001)}"`), '/reason'],
    ['a member nobody knows', text(fields, ',"on_behalf_of":"U0NOBODY"'), '/on_behalf_of'],
    ['an email nobody has', text(fields, ',"on_behalf_of":"nobody@example.com"'), '/on_behalf_of'],
    ['a bot as member', text(fields, ',"on_behalf_of":"U0SIESTABOT"'), '/on_behalf_of'],
  ];

  it.each(cases)('%s', async (_what, body, path) => {
    const response = await fetch(`${apps[0].origin}/v1/executions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agent}`, 'content-type': 'application/json' },
      body,
    });
    const answer = { status: response.status, body: await response.json(), headers: response.headers };
    expectProblem(answer, 400, 'invalid_arguments', path ?? answer.body.path);
    if (path === undefined) expect(answer.body.path).toMatch(/^\/arguments/);
  });

  it('more than 256 KiB, and other content types', async () => {
    const large = await post({ ...WRITE, arguments: { ...TICKET, body: 'x'.repeat(257 * 1024) } });
    expectProblem(large, 413, 'invalid_arguments');
    expectProblem(
      await post('connection=helpdesk', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'invalid_arguments',
    );
    expectProblem(
      await post(JSON.stringify(READ), { 'content-type': 'text/plain' }),
      415,
      'invalid_arguments',
    );
  });

  it('bad waits in the query', async () => {
    const { id } = (await post(READ)).body;
    for (const wait of ['61', '-1', 'abc', 'Infinity', '1e9', '0x10', '']) {
      expectProblem(await get(`/v1/executions/${id}?wait=${wait}`), 400, 'invalid_arguments', '/wait');
    }
  });

  it('nothing of all that was recorded or sent', async () => {
    const { models, workspaceId } = connected.deps;
    expect(await models.executions.countDocuments({ workspaceId, reason: { $ne: null } })).toBe(0);
    expect(world.helpdesk.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

describe('waiting', () => {
  it('ends when somebody decides, through another process too', async () => {
    const asked = await post({ ...WRITE, arguments: { ...TICKET, subject: 'Wait for me' } });
    const ben = person(world.slack, 'U0BEN', { via: 0 });
    const card = await ben.waitForMessage(/Wait for me/, 20_000);
    const here = get(`/v1/executions/${asked.body.id}?wait=30`, agent, 0);
    const there = get(`/v1/executions/${asked.body.id}?wait=30`, agent, 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const clicked = performance.now();
    await ben.click(card, 'approval.approve');
    for (const waiting of [here, there]) {
      const found = expectExecution(await waiting, 'succeeded');
      expect(found.approval).toMatchObject({ status: 'approved', decided_at: expect.any(String) });
    }
    expect(performance.now() - clicked).toBeLessThan(2_000);
  }, 60_000);

  it('carries the reason of a denial', async () => {
    const asked = await post({ ...WRITE, arguments: { ...TICKET, subject: 'Deny me' } });
    const ben = person(world.slack, 'U0BEN');
    await ben.click(await ben.waitForMessage(/Deny me/, 20_000), 'approval.deny');
    await ben.waitForView();
    const waiting = get(`/v1/executions/${asked.body.id}?wait=10`, agent, 1);
    expect(await ben.submit({ Reason: 'Not today' })).toBeNull();
    const found = expectExecution(await waiting, 'denied');
    expect(found).toMatchObject({
      approval: { status: 'denied', note: 'Not today' },
      error: { code: 'denied' },
    });
  }, 60_000);

  it('lasts as long as was asked for, and no longer', async () => {
    const { id } = (await post(WRITE)).body;
    const started = performance.now();
    expectExecution(await get(`/v1/executions/${id}?wait=1`), 'pending_approval');
    expect(performance.now() - started).toBeGreaterThan(950);
    expect(performance.now() - started).toBeLessThan(2_000);
    expectExecution(await get(`/v1/executions/${id}`), 'pending_approval');
  });
});

describe('cancel', () => {
  it('ends a call that waits for approval, once', async () => {
    const { id } = (await post(WRITE)).body;
    const found = expectExecution(await cancel(id), 'cancelled');
    expect(found).toMatchObject({ approval: { status: 'cancelled' }, error: { code: 'cancelled' } });
    expect(expectExecution(await cancel(id), 'cancelled').finished_at).toBe(found.finished_at);
  });

  it('ends a call that waits for a member', async () => {
    const { id } = (await post({ ...WRITE, on_behalf_of: 'U0CLEO' })).body;
    expectExecution(await cancel(id), 'cancelled');
  });

  it('ends a call that was approved and is not under way yet', async () => {
    const { id } = (await post(WRITE)).body;
    const { approvals } = connected.services;
    const hash = (await approvals.ofExecution(id))?.bindingHash.slice(0, 8) ?? '';
    const decision = { executionId: id, hash, userId: 'U0BEN', decision: 'approved', reason: null } as const;
    const outcome = await approvals.decide(decision);
    if (outcome.kind !== 'recorded') throw new Error(outcome.kind);
    await approvals.settle(outcome.approval);
    const before = world.helpdesk.tickets().length;
    const found = expectExecution(await cancel(id), 'cancelled');
    expect(found.approval.status).toBe('approved');
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(world.helpdesk.tickets()).toHaveLength(before);
    expectExecution(await get(`/v1/executions/${id}`), 'cancelled');
  });

  it('leaves alone what runs and what has ended', async () => {
    world.helpdesk.delay = 1_500;
    try {
      const running = expectExecution(await post({ ...READ, wait: 0 }), 'executing');
      expectExecution(await cancel(running.id), 'executing');
      expectExecution(await get(`/v1/executions/${running.id}?wait=10`), 'succeeded');
      expectExecution(await cancel(running.id), 'succeeded');
    } finally {
      world.helpdesk.delay = 0;
    }
    const refused = expectProblem(
      await post({ connection: 'helpdesk', function: 'delete_ticket', arguments: { id: 'T-101' } }),
      403,
      'policy_blocked',
    );
    expectProblem(await cancel(refused.execution?.id ?? ''), 403, 'policy_blocked');
  });

  it('takes no body, or an empty one', async () => {
    const { id } = (await post(WRITE)).body;
    const path = `/v1/executions/${id}/cancel`;
    expectProblem(
      await call(apps[0].origin, agent, path, { status: 'approved' }),
      400,
      'invalid_arguments',
      '/status',
    );
    expectExecution(await call(apps[0].origin, agent, path, ''), 'cancelled');
  });
});

describe('on_behalf_of', () => {
  it('names a member by id or email; she is asked in her DM, and nothing runs', async () => {
    const before = world.helpdesk.requests.length;
    for (const member of ['U0CLEO', world.slack.workspace.user('U0CLEO').email.toUpperCase()]) {
      const found = expectExecution(await post({ ...READ, on_behalf_of: member }), 'pending_authorization');
      const { models, workspaceId } = connected.deps;
      const stored = await models.executions.findOne({ _id: found.id, workspaceId }).lean();
      expect(stored).toMatchObject({ onBehalfOf: 'U0CLEO', requesterId: 'U0CLEO' });
    }
    const cleo = person(world.slack, 'U0CLEO');
    const dm = await cleo.waitForMessage(/wants to act for you/);
    expect(world.helpdesk.requests).toHaveLength(before);
    await cleo.click(dm, 'Refuse');
    const { models, workspaceId } = connected.deps;
    await until(
      async () =>
        (await models.executions.countDocuments({ workspaceId, status: 'pending_authorization' })) === 0,
      5_000,
    );
    const latest = await models.executions
      .findOne({ workspaceId, onBehalfOf: 'U0CLEO', status: 'denied' })
      .lean();
    const found = expectExecution(await get(`/v1/executions/${latest?._id}`), 'denied');
    expect(found.error?.code).toBe('needs_authorization');
  });
});

describe('everything else', () => {
  it('404 for an unknown path, 405 with Allow for another method, as problem documents', async () => {
    expectProblem(await get('/v1/nothing'), 404, 'not_found');
    expectProblem(await get('/nothing'), 404, 'not_found');
    for (const [path, method, allow] of [
      ['/v1/executions', 'PUT', 'POST'],
      ['/v1/executions', 'GET', 'POST'],
      ['/v1/functions', 'POST', 'GET, HEAD'],
      ['/v1/executions/ex_00000000000000000000', 'DELETE', 'GET, HEAD'],
      ['/v1/executions/ex_00000000000000000000/cancel', 'GET', 'POST'],
    ] as const) {
      const response = await fetch(`${apps[0].origin}${path}`, {
        method,
        headers: { authorization: `Bearer ${agent}` },
      });
      const answer = { status: response.status, body: await response.json(), headers: response.headers };
      expectProblem(answer, 405, 'invalid_arguments');
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  it('health without a token', async () => {
    for (const app of apps) {
      expect(await (await fetch(`${app.origin}/healthz`)).json()).toEqual({ status: 'ok' });
      const ready = await fetch(`${app.origin}/readyz`);
      expect({ status: ready.status, body: await ready.json() }).toEqual({
        status: 200,
        body: { ready: true, problems: [] },
      });
    }
  });
});
