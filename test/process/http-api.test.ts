/** shared/CONTRACT.md, "HTTP, for callers", word for word, against two processes of the real app. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { person } from '../../playground/slack/person.js';
import { until } from '../harness/app-process.js';
import {
  type Api,
  createApi,
  expectExecution,
  expectProblem,
  READ,
  TICKET,
  WRITE,
} from '../harness/http-api.js';

let api: Api;
beforeAll(async () => {
  api = await createApi(inject('mongoUri'));
});
afterAll(async () => api.close());

describe('GET /v1/functions', () => {
  it('lists what the caller may use, with what it takes', async () => {
    const { status, body } = await api.get('/v1/functions');
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
    expect((await api.get('/v1/functions', api.tokens.stranger)).body).toEqual({ functions: [] });
    expect((await api.get('/v1/functions', api.tokens.production)).body).toEqual({ functions: [] });
  });
});

describe('POST /v1/executions', () => {
  it('answers 200 with the result of a read', async () => {
    const found = expectExecution(await api.post(READ), 'succeeded');
    expect(found).toMatchObject({
      requirement: 'none',
      approval: { status: 'not_required' },
      outcome_recorded: true,
    });
    expect(JSON.stringify(found.result)).toContain('T-101');
    expect(found.error).toBeUndefined();
    expectExecution(await api.get(`/v1/executions/${found.id}`), 'succeeded');
    expect(new URL(found.url).pathname).toBe(`/v1/executions/${found.id}`);
  });

  it('answers 202 with Location and Retry-After for a write, which waits for a person', async () => {
    const found = expectExecution(await api.post(WRITE), 'pending_approval');
    expect(found).toMatchObject({ requirement: 'required', approval: { status: 'pending' } });
    const left = Date.parse(found.approval.expires_at ?? '') - Date.now();
    expect(left).toBeGreaterThan(59 * 60_000);
    expect(left).toBeLessThanOrEqual(60 * 60_000);
    expect(found.result).toBeUndefined();
  });

  it('takes the id of a connection as well as its key', async () => {
    const connection = (await api.connected.services.connections.list('U0ADA')).find(
      ({ key }) => key === 'helpdesk',
    );
    expectExecution(await api.post({ ...READ, connection: connection?._id }), 'succeeded');
  });

  it('says in a refused execution what the other side said', async () => {
    const found = expectExecution(
      await api.post({ connection: 'helpdesk', function: 'get_ticket', arguments: { id: 'T-999' } }),
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
      const found = expectProblem(await api.post(body, key), 403, code);
      expect(found.execution).toMatchObject({ status: 'denied', requirement, error: { code } });
      expect(found.execution?.finished_at).toBeDefined();
      const again = expectProblem(await api.post(body, key, api.tokens.agent, 1), 403, code);
      expect(again.execution?.id).toBe(found.execution?.id);
      const looked = await api.get(`/v1/executions/${found.execution?.id}`);
      expect(expectProblem(looked, 403, code).execution).toEqual(found.execution);
    },
  );

  it('answers 403 not_ready for a draft and a caller in production', async () => {
    const found = expectProblem(await api.post(READ, {}, api.tokens.production), 403, 'not_ready');
    expect(found.execution).toMatchObject({ status: 'denied', error: { code: 'not_ready' } });
  });
});

describe('Idempotency-Key', () => {
  it('gives the same execution for the same request, through any process', async () => {
    const key = { 'idempotency-key': 'same-1' };
    const first = expectExecution(await api.post(WRITE, key), 'pending_approval');
    const reordered = {
      arguments: Object.fromEntries(Object.entries(TICKET).reverse()),
      function: 'create_ticket',
      connection: 'helpdesk',
    };
    expect((await api.post(reordered, key, api.tokens.agent, 1)).body.id).toBe(first.id);
    expect((await api.post(WRITE, key, api.tokens.crowd)).body.id).not.toBe(first.id);
  });

  it('answers 409 for another request', async () => {
    const key = { 'idempotency-key': 'other-1' };
    await api.post(WRITE, key);
    const other = { ...WRITE, arguments: { ...TICKET, subject: 'Another' } };
    expectProblem(await api.post(other, key, api.tokens.agent, 1), 409, 'idempotency_conflict');
    expectProblem(await api.post({ ...WRITE, reason: 'because' }, key), 409, 'idempotency_conflict');
  });

  it.each([
    ['with a blank', 'a b'],
    ['too long', 'x'.repeat(256)],
    ['empty', ''],
  ])('%s is refused', async (_what, key) => {
    expectProblem(
      await api.post(READ, { 'idempotency-key': key }),
      400,
      'invalid_arguments',
      '/Idempotency-Key',
    );
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
      const answer = await api.raw(`${path}?access_token=${api.tokens.agent}`, {
        method,
        headers: { ...given, 'content-type': 'application/json' },
        body,
      });
      expectProblem(answer, 401, 'unauthenticated');
    }
  });

  it('401, in the same words, for a token that was revoked, and one with a letter changed', async () => {
    const changed = `${api.tokens.agent.slice(0, -1)}${api.tokens.agent.endsWith('a') ? 'b' : 'a'}`;
    const details = [];
    for (const token of [api.tokens.revoked, changed, 'fake']) {
      details.push(expectProblem(await api.get('/v1/functions', token), 401, 'unauthenticated').detail);
    }
    expect(new Set(details).size).toBe(1);
  });
});

describe('what a caller may not see is not there', () => {
  it('another caller’s execution, for reading and for cancelling', async () => {
    const { id } = (await api.post(WRITE)).body;
    const made = await api.get('/v1/executions/ex_00000000000000000000');
    for (const answer of [
      await api.get(`/v1/executions/${id}`, api.tokens.stranger),
      await api.cancel(id, api.tokens.stranger),
      made,
    ]) {
      expect(expectProblem(answer, 404, 'not_found').detail).toBe(made.body.detail);
    }
    expectExecution(await api.get(`/v1/executions/${id}`), 'pending_approval');
  });

  it.each([
    ['a connection without access', { ...READ, connection: 'helpdesk' }, '/connection', 'stranger'],
    ['an unknown connection', { ...READ, connection: 'nowhere' }, '/connection', 'agent'],
    ['an operator in place of a name', { ...READ, connection: '$ne' }, '/connection', 'agent'],
    ['a function that is turned off', { ...READ, function: 'search_tickets' }, '/function', 'agent'],
    ['an unknown function', { ...READ, function: 'constructor' }, '/function', 'agent'],
    ['a function that the access leaves out', { ...WRITE, connection: 'narrow-desk' }, '/function', 'agent'],
  ])('%s', async (_what, body, path, who) => {
    expectProblem(
      await api.post(body, {}, who === 'agent' ? api.tokens.agent : api.tokens.stranger),
      404,
      'not_found',
      path,
    );
  });
});

describe('on_behalf_of', () => {
  it('names a member by id or email; she is asked in her DM, and nothing runs', async () => {
    const before = api.world.helpdesk.requests.length;
    for (const member of ['U0CLEO', api.world.slack.workspace.user('U0CLEO').email.toUpperCase()]) {
      const found = expectExecution(
        await api.post({ ...READ, on_behalf_of: member }),
        'pending_authorization',
      );
      const { models, workspaceId } = api.connected.deps;
      const stored = await models.executions.findOne({ _id: found.id, workspaceId }).lean();
      expect(stored).toMatchObject({ onBehalfOf: 'U0CLEO', requesterId: 'U0CLEO' });
    }
    const cleo = person(api.world.slack, 'U0CLEO');
    const dm = await cleo.waitForMessage(/wants to act for you/);
    expect(api.world.helpdesk.requests).toHaveLength(before);
    await cleo.click(dm, 'Refuse');
    const { models, workspaceId } = api.connected.deps;
    await until(
      async () =>
        (await models.executions.countDocuments({ workspaceId, status: 'pending_authorization' })) === 0,
      5_000,
    );
    const latest = await models.executions
      .findOne({ workspaceId, onBehalfOf: 'U0CLEO', status: 'denied' })
      .lean();
    const found = expectExecution(await api.get(`/v1/executions/${latest?._id}`), 'denied');
    expect(found.error?.code).toBe('needs_authorization');
  });
});

describe('everything else', () => {
  it('404 for an unknown path, 405 with Allow for another method, as problem documents', async () => {
    expectProblem(await api.get('/v1/nothing'), 404, 'not_found');
    expectProblem(await api.get('/nothing'), 404, 'not_found');
    for (const [path, method, allow] of [
      ['/v1/executions', 'PUT', 'POST'],
      ['/v1/executions', 'GET', 'POST'],
      ['/v1/functions', 'POST', 'GET, HEAD'],
      ['/v1/executions/ex_00000000000000000000', 'DELETE', 'GET, HEAD'],
      ['/v1/executions/ex_00000000000000000000/cancel', 'GET', 'POST'],
    ] as const) {
      const answer = await api.raw(`${path}`, {
        method,
        headers: { authorization: `Bearer ${api.tokens.agent}` },
      });
      expectProblem(answer, 405, 'invalid_arguments');
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  it('health without a token', async () => {
    for (const app of api.apps) {
      expect(await (await fetch(`${app.origin}/healthz`)).json()).toEqual({ status: 'ok' });
      const ready = await fetch(`${app.origin}/readyz`);
      expect({ status: ready.status, body: await ready.json() }).toEqual({
        status: 200,
        body: { ready: true, problems: [] },
      });
    }
  });
});

// Last: the cards of so many requests go out at one a second.
describe('a hundred requests', () => {
  it('of a caller that wait for people are all it may have: 429', async () => {
    const { models, workspaceId } = api.connected.deps;
    await models.executions.deleteMany({ workspaceId, callerName: 'Crowd' });
    let accepted = 0;
    while (accepted < 100) {
      const some = Math.min(10, 100 - accepted);
      const answers = await Promise.all(
        Array.from({ length: some }, () => api.post(WRITE, {}, api.tokens.crowd)),
      );
      // On a machine that is busy with other tests the database may be too slow; then it is asked again.
      expect(answers.filter(({ status }) => status !== 202 && status !== 503)).toEqual([]);
      accepted += answers.filter(({ status }) => status === 202).length;
    }
    const full = await api.post(WRITE, {}, api.tokens.crowd);
    expectProblem(full, 429, 'too_many_pending');
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    expectExecution(await api.post(READ, {}, api.tokens.crowd), 'succeeded');
    expectExecution(await api.post(WRITE), 'pending_approval');
  }, 60_000);
});
