/** Waiting for an execution, and taking one back, over the callers' API and two processes. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { person } from '../../playground/slack/person.js';
import { call } from '../harness/app-process.js';
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

describe('waiting', () => {
  it('ends when somebody decides, through another process too', async () => {
    const asked = await api.post({ ...WRITE, arguments: { ...TICKET, subject: 'Wait for me' } });
    const ben = person(api.world.slack, 'U0BEN', { via: 0 });
    const card = await ben.waitForMessage(/Wait for me/, 20_000);
    const here = api.get(`/v1/executions/${asked.body.id}?wait=30`, api.tokens.agent, 0);
    const there = api.get(`/v1/executions/${asked.body.id}?wait=30`, api.tokens.agent, 1);
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
    const asked = await api.post({ ...WRITE, arguments: { ...TICKET, subject: 'Deny me' } });
    const ben = person(api.world.slack, 'U0BEN');
    await ben.click(await ben.waitForMessage(/Deny me/, 20_000), 'approval.deny');
    await ben.waitForView();
    const waiting = api.get(`/v1/executions/${asked.body.id}?wait=10`, api.tokens.agent, 1);
    expect(await ben.submit({ reason: 'Not today' })).toBeNull();
    const found = expectExecution(await waiting, 'denied');
    expect(found).toMatchObject({
      approval: { status: 'denied', note: 'Not today' },
      error: { code: 'denied' },
    });
  }, 60_000);

  it('lasts as long as was asked for, and no longer', async () => {
    const { id } = (await api.post(WRITE)).body;
    const started = performance.now();
    expectExecution(await api.get(`/v1/executions/${id}?wait=1`), 'pending_approval');
    expect(performance.now() - started).toBeGreaterThan(950);
    expect(performance.now() - started).toBeLessThan(2_000);
    expectExecution(await api.get(`/v1/executions/${id}`), 'pending_approval');
  });
});

describe('cancel', () => {
  it('ends a call that waits for approval, once', async () => {
    const { id } = (await api.post(WRITE)).body;
    const found = expectExecution(await api.cancel(id), 'cancelled');
    expect(found).toMatchObject({ approval: { status: 'cancelled' }, error: { code: 'cancelled' } });
    expect(expectExecution(await api.cancel(id), 'cancelled').finished_at).toBe(found.finished_at);
  });

  it('ends a call that waits for a member', async () => {
    const { id } = (await api.post({ ...WRITE, on_behalf_of: 'U0CLEO' })).body;
    expectExecution(await api.cancel(id), 'cancelled');
  });

  it('ends a call that was approved and is not under way yet', async () => {
    const { id } = (await api.post(WRITE)).body;
    const { approvals, decisions } = api.connected.services;
    const hash = (await approvals.ofExecution(id))?.bindingHash.slice(0, 8) ?? '';
    const decision = { executionId: id, hash, userId: 'U0BEN', decision: 'approved', reason: null } as const;
    const outcome = await decisions.decide(decision);
    if (outcome.kind !== 'recorded') throw new Error(outcome.kind);
    await approvals.settle(outcome.approval);
    const before = api.world.helpdesk.tickets().length;
    const found = expectExecution(await api.cancel(id), 'cancelled');
    expect(found.approval.status).toBe('approved');
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(api.world.helpdesk.tickets()).toHaveLength(before);
    expectExecution(await api.get(`/v1/executions/${id}`), 'cancelled');
  });

  it('leaves alone what runs and what has ended', async () => {
    api.world.helpdesk.delay = 1_500;
    try {
      const running = expectExecution(await api.post({ ...READ, wait: 0 }), 'executing');
      expectExecution(await api.cancel(running.id), 'executing');
      expectExecution(await api.get(`/v1/executions/${running.id}?wait=10`), 'succeeded');
      expectExecution(await api.cancel(running.id), 'succeeded');
    } finally {
      api.world.helpdesk.delay = 0;
    }
    const refused = expectProblem(
      await api.post({ connection: 'helpdesk', function: 'delete_ticket', arguments: { id: 'T-101' } }),
      403,
      'policy_blocked',
    );
    expectProblem(await api.cancel(refused.execution?.id ?? ''), 403, 'policy_blocked');
  });

  it('takes no body, or an empty one', async () => {
    const { id } = (await api.post(WRITE)).body;
    const path = `/v1/executions/${id}/cancel`;
    expectProblem(
      await call(api.apps[0].origin, api.tokens.agent, path, { status: 'approved' }),
      400,
      'invalid_arguments',
      '/status',
    );
    expectExecution(await call(api.apps[0].origin, api.tokens.agent, path, ''), 'cancelled');
  });
});
