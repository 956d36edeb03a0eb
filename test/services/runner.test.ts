/** What the runner does when the database fails it at an awkward moment, or has more to do than it can take. */
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest';
import type { Connected } from '../../src/bootstrap.js';
import { SEND_BUDGET_MS } from '../../src/services/lease.js';
import { createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { approve, ask, eachOf, ends, sent } from '../harness/writes.js';

let world: World;
let app: Connected;
let seeded: Seeded;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  app = await world.services();
  seeded = await seedHelpdesk(app, world.helpdesk);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await app.close();
  await world.close();
});

async function approved(subject: string): Promise<string> {
  const execution = await ask(app, seeded, subject);
  await approve(app, execution);
  return execution._id;
}

const away = () => new Error('Timed out while checking out a connection from connection pool');

it('an approved call is not lost because its arguments could not be read just then', async () => {
  const id = await approved('Read-again');
  const read = vi.spyOn(app.services.payloads, 'arguments').mockRejectedValueOnce(away());
  app.services.runner.take(id);
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(1));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await app.services.executions.record(id)).status).toBe('queued');
  app.services.runner.take(id);
  expect((await ends(app, [id], 10_000))[0]?.status).toBe('succeeded');
  expect(sent(world.helpdesk, 'Read-again')).toHaveLength(1);
});

it('trouble between the claim and the request is known to have sent nothing', async () => {
  const id = await approved('Nothing-sent');
  vi.spyOn(app.services.tokens, 'usable').mockRejectedValueOnce(away());
  app.services.runner.take(id);
  const [end] = await ends(app, [id], 10_000);
  expect(end).toMatchObject({ status: 'failed', error: { code: 'upstream_unavailable' } });
  expect(end?.error?.message).toMatch(/Nothing was sent/);
  expect(sent(world.helpdesk, 'Nothing-sent')).toEqual([]);
});

/** What the claim asks of the database is answered as given; everything after it, as usual. */
function answerOfClaim(answer: (claim: () => Promise<unknown>) => Promise<unknown>): void {
  const { executions } = app.deps.models;
  const change = executions.findOneAndUpdate.bind(executions) as (...given: unknown[]) => {
    lean(): Promise<unknown>;
  };
  vi.spyOn(executions, 'findOneAndUpdate').mockImplementationOnce(((...given: unknown[]) => ({
    // Awaited here, because a query is not sent before.
    lean: () => answer(async () => await change(...given).lean()),
  })) as never);
}

it('a claim whose acknowledgement is lost is gone on with, and sent once', async () => {
  const id = await approved('Claimed-after-all');
  answerOfClaim(async (claim) => {
    await claim();
    throw away();
  });
  app.services.runner.take(id);
  expect((await ends(app, [id], 10_000))[0]?.status).toBe('succeeded');
  expect(sent(world.helpdesk, 'Claimed-after-all')).toHaveLength(1);
});

it('a claim that was lost to another process is left to it', async () => {
  const id = await approved('Claimed-elsewhere');
  const other = await world.services();
  answerOfClaim(async () => {
    other.services.runner.take(id);
    await ends(app, [id], 10_000);
    throw away();
  });
  app.services.runner.take(id);
  expect((await ends(app, [id], 10_000))[0]?.status).toBe('succeeded');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(sent(world.helpdesk, 'Claimed-elsewhere')).toHaveLength(1);
  await other.close();
});

it('a claim that arrives when it is too late to send is known to have sent nothing', {
  timeout: 20_000,
}, async () => {
  const id = await approved('Claimed-late');
  answerOfClaim(async (claim) => {
    setTimeout(() => void claim(), SEND_BUDGET_MS + 1_000);
    throw away();
  });
  app.services.runner.take(id);
  const [end] = await ends(app, [id], 12_000);
  expect(end).toMatchObject({ status: 'failed', error: { code: 'upstream_unavailable' } });
  expect(end?.error?.message).toMatch(/^Nothing was sent/);
  expect(end?.attempt).not.toBeNull();
  expect(sent(world.helpdesk, 'Claimed-late')).toEqual([]);
});

it('an answer is recorded even when what follows from it cannot be', async () => {
  const desk = await seedHelpdesk(app, world.helpdesk, { name: 'Desk with a wrong key' });
  const { connectionId } = desk;
  const fields = { api_key: 'fake-wrong-key' };
  const owner = { connectionId, subject: 'shared', kind: 'secret', createdBy: 'U0ADA' } as const;
  await app.services.credentials.store({ ...owner, fields });
  const execution = await ask(app, desk, 'Refused-there');
  await approve(app, execution);
  vi.spyOn(app.services.tokens, 'rejected').mockRejectedValueOnce(away());
  app.services.runner.take(execution._id);
  const [end] = await ends(app, [execution._id], 10_000);
  expect(end).toMatchObject({ status: 'failed', error: { code: 'needs_reauth' } });
});

it('a backlog is worked off a few at a time', async () => {
  const ids = await eachOf(
    Array.from({ length: 60 }, (_, n) => `Backlog-${n}-end`),
    approved,
  );
  const { payloads } = app.services;
  const read = payloads.arguments.bind(payloads);
  let reading = 0;
  let most = 0;
  vi.spyOn(payloads, 'arguments').mockImplementation(async (execution) => {
    reading += 1;
    most = Math.max(most, reading);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return read(execution).finally(() => {
      reading -= 1;
    });
  });
  for (const id of [...ids, ...ids]) app.services.runner.take(id);
  const done = await ends(app, ids, 20_000);
  expect(new Set(done.map(({ status }) => status))).toEqual(new Set(['succeeded']));
  expect(most).toBeLessThanOrEqual(8);
  for (const [n] of ids.entries()) expect(sent(world.helpdesk, `Backlog-${n}-end`)).toHaveLength(1);
});

it('nothing waits in line once it was told to drain', async () => {
  const ids = await eachOf(
    Array.from({ length: 20 }, (_, n) => `Drained-${n}-end`),
    approved,
  );
  const other = await world.services();
  for (const id of ids) other.services.runner.take(id);
  await other.services.runner.drain(10_000);
  const { models, workspaceId } = app.deps;
  const found = await models.executions.find({ workspaceId, _id: { $in: ids } }).lean();
  expect(found.filter(({ status }) => status === 'executing')).toEqual([]);
  expect(found.filter(({ status }) => status === 'queued').length).toBeGreaterThan(0);
  await other.close();
});
