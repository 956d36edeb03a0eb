/** A request is stored just before the call that it is about: where that call never comes to be, nobody waits for it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { ApprovalDocument } from '../../models/types.js';
import type { CallRequest } from '../../src/services/examination.js';
import { until } from '../harness/app-process.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';
import { approval } from './documents.js';

let app: DecidersApp;
let made = 0;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(() => void vi.restoreAllMocks());
beforeEach(async () => {
  await app.models.throttles.deleteMany({});
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.payloads.deleteMany({});
  await app.models.outbox.deleteMany({});
});

type Desk = Awaited<ReturnType<DecidersApp['desk']>>;

function submit({ connectionId, caller }: Desk, given: Partial<CallRequest> = {}) {
  made += 1;
  return app.services.submissions.submit(caller, {
    connection: connectionId,
    function: 'create_ticket',
    arguments: {},
    onBehalfOf: null,
    reason: null,
    idempotencyKey: `unrecorded-${made}`,
    ...given,
  });
}

/** The moment at which its request is there, and its arguments are not. */
function beforeArguments(work: () => Promise<unknown>): void {
  const { payloads } = app.services;
  const store = payloads.storeArguments.bind(payloads);
  vi.spyOn(payloads, 'storeArguments').mockImplementationOnce(async (...given) => {
    expect(await app.models.approvals.countDocuments({})).toBe(1);
    await work();
    await store(...given);
  });
}

const nothingIsLeft = () =>
  until(async () => {
    const { approvals, payloads, executions } = app.models;
    const left = await Promise.all([
      approvals.countDocuments({}),
      payloads.countDocuments({}),
      executions.countDocuments({}),
    ]);
    return left.every((count) => count === 0);
  }, 3_000);

it('leaves no request behind where its arguments could not be stored', async () => {
  const desk = await app.desk();
  beforeArguments(() => Promise.reject(new Error('the database is away')));
  await expect(submit(desk)).rejects.toThrow('the database is away');
  await nothingIsLeft();
});

it('leaves none behind when its caller was told meanwhile that nothing was executed', async () => {
  const desk = await app.desk();
  const deadline = new AbortController();
  beforeArguments(async () => deadline.abort(new Error('too late')));
  await expect(submit(desk, { tooLate: deadline.signal })).rejects.toThrow('too late');
  await nothingIsLeft();
});

it('leaves none behind where the acknowledgement of the request itself was lost', async () => {
  const desk = await app.desk();
  const { approvals } = app.models;
  vi.spyOn(approvals, 'create').mockImplementationOnce(async (requests: unknown) => {
    await approvals.insertMany(requests as ApprovalDocument[]);
    throw new Error('no acknowledgement');
  });
  await expect(submit(desk)).rejects.toThrow('no acknowledgement');
  await nothingIsLeft();
});

it('leaves none behind where the key was used meanwhile for another call', async () => {
  const desk = await app.desk();
  const key = 'the same key';
  beforeArguments(() => submit(desk, { idempotencyKey: key, reason: 'another call' }));
  await expect(submit(desk, { idempotencyKey: key })).rejects.toMatchObject({ code: 'idempotency_conflict' });
  const [recorded, ...more] = await app.models.executions.find({}).lean();
  expect(more).toEqual([]);
  await until(async () => (await app.models.approvals.countDocuments({})) === 1, 3_000);
  expect(await app.models.approvals.findOne({}).lean()).toMatchObject({ executionId: recorded?._id });
});

it('hides no end from anybody, however many requests a crash has left behind', async () => {
  const long = new Date(Date.now() - 90 * MINUTE);
  const left = { status: 'expired' as const, decisions: [], told: false, createdAt: long, endedAt: long };
  await app.models.approvals.insertMany(
    Array.from({ length: 200 }, (_, n) =>
      approval({ ...left, _id: `ap_left_${n}`, executionId: `ex_left_${n}` }),
    ),
  );
  const execution = await app.ask(await app.desk());
  await app.decide(execution, 'U0BEN', 'denied');
  await app.services.reminders.tell();
  await app.services.reminders.tell();
  expect(await app.outcomesTold('U0CLEO')).toEqual([expect.stringContaining('*Denied* by <@U0BEN>')]);
  expect(await app.models.approvals.countDocuments({ told: false })).toBe(0);
});

it('tells of an end that came while its call was still being recorded', async () => {
  const desk = await app.desk();
  beforeArguments(async () => {
    const [asked] = await app.models.approvals.find({}).lean();
    if (!asked) throw new Error('nobody was asked');
    await app.services.approvals.end(asked, 'cancelled', 'Cancelled by a pause: migration');
    await app.services.reminders.tell();
  });
  const { execution } = await submit(desk);
  await app.services.approvals.announce(execution);
  expect((await app.services.executions.record(execution._id)).status).toBe('cancelled');
  await app.services.reminders.tell();
  expect(await app.outcomesTold('U0CLEO')).toEqual([expect.stringContaining('*Cancelled*')]);
});
