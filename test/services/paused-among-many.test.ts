/** A pause, and its end, reach what they are about also where thousands of other requests wait. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ApprovalDocument, ExecutionDocument } from '../../models/types.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';
import { approval, execution } from './documents.js';

/** More than one look took at a time. */
const MANY = 2_001;

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(async () => {
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.connections.updateMany({}, { $set: { paused: null } });
  await app.models.callers.updateMany({}, { $set: { paused: null } });
  await app.models.settings.updateMany({}, { $set: { paused: null } });
});

type Desk = Awaited<ReturnType<DecidersApp['desk']>>;

/** Calls that wait at this desk. Whatever order they are looked at in, they come before what is asked later. */
async function crowd({ connectionId, caller }: Desk, frozenAt: Date | null = null): Promise<void> {
  const createdAt = new Date(Date.now() + MINUTE);
  const expiresAt = new Date(Date.now() + 10 * MINUTE);
  const of = {
    connectionId,
    createdAt,
    expiresAt,
    status: 'pending' as const,
    settled: false,
    decisions: [],
  };
  const calls: ExecutionDocument[] = [];
  const requests: ApprovalDocument[] = [];
  for (let n = 0; n < MANY; n += 1) {
    const executionId = `ex_crowd_${n}`;
    requests.push(approval({ ...of, frozenAt, _id: `ap_crowd_${n}`, executionId, endedAt: null }));
    const call = { connectionId, callerId: caller._id, createdAt, expiresAt, idempotencyKey: `crowd-${n}` };
    calls.push(execution({ ...call, _id: executionId, status: 'pending_approval' }));
  }
  await app.models.approvals.collection.insertMany(requests as never[]);
  await app.models.executions.collection.insertMany(calls as never[]);
}

/** The same of calls that wait for a member. */
async function crowdOfMembers(desk: Desk, frozenAt: Date | null = null): Promise<void> {
  await crowd(desk);
  await app.models.approvals.deleteMany({});
  const status = 'pending_authorization';
  await app.models.executions.updateMany({}, { $set: { status, frozenAt, onBehalfOf: 'U0BEN' } });
}

const pause = { by: 'U0ADA', at: new Date(Date.now() - MINUTE), reason: 'migration' };
const now = (call: ExecutionDocument) => app.services.executions.record(call._id);

/** Only the record of it, as if its process had died then. */
async function recordPause({ key }: Desk): Promise<void> {
  const connection = await app.services.connections.find(key);
  if (connection) await app.services.connections.pause(ADA, connection, pause);
}

it.each(['connection', 'caller'] as const)('of a %s freezes, thaws and cancels its own', async (kind) => {
  const [busy, desk] = [await app.desk(), await app.desk()];
  await crowd(busy);
  const mine = await app.ask(desk);
  const target = { kind, id: kind === 'caller' ? desk.caller._id : desk.connectionId };
  await app.services.pauses.pause(ADA, target, 'migration', 'freeze');
  expect((await app.approvalOf(mine)).frozenAt).toEqual(expect.any(Date));
  expect(await app.models.approvals.countDocuments({ frozenAt: { $ne: null } })).toBe(1);
  await app.services.pauses.resume(ADA, target);
  expect((await app.approvalOf(mine)).frozenAt).toBeNull();
  await app.services.pauses.pause(ADA, target, 'migration', 'cancel');
  expect((await app.approvalOf(mine)).status).toBe('cancelled');
  expect(await app.models.approvals.countDocuments({ status: 'cancelled' })).toBe(1);
});

it('is lifted for its own also while another holds thousands', async () => {
  const [busy, desk] = [await app.desk(), await app.desk()];
  await crowd(busy, pause.at);
  await recordPause(busy);
  const mine = await app.ask(desk);
  const target = { kind: 'connection', id: desk.connectionId } as const;
  await app.services.pauses.pause(ADA, target, 'migration', 'freeze');
  await app.services.pauses.resume(ADA, target);
  expect((await app.approvalOf(mine)).frozenAt).toBeNull();
  expect(await app.models.approvals.countDocuments({ frozenAt: { $ne: null } })).toBe(MANY);
});

it('of everything takes all of them at one look', async () => {
  const desk = await app.desk();
  await crowd(desk);
  await app.services.settings.pause(ADA, pause);
  await app.services.pauses.reconcile();
  expect(await app.models.approvals.countDocuments({ frozenAt: null })).toBe(0);
});

it.each(['connection', 'caller'] as const)(
  'of a %s freezes and cancels its own that wait for a member',
  async (kind) => {
    const [busy, desk] = [await app.desk(), await app.desk()];
    await crowdOfMembers(busy);
    const mine = await app.ask(desk, 'U0DANA');
    const target = { kind, id: kind === 'caller' ? desk.caller._id : desk.connectionId };
    await app.services.pauses.pause(ADA, target, 'migration', 'freeze');
    expect((await now(mine)).frozenAt).toEqual(expect.any(Date));
    await app.services.pauses.pause(ADA, target, 'migration', 'cancel');
    expect((await now(mine)).status).toBe('cancelled');
    expect(await app.models.executions.countDocuments({ status: 'cancelled' })).toBe(1);
  },
);

it('is lifted for its own that wait for a member also while another holds thousands', async () => {
  const [busy, desk] = [await app.desk(), await app.desk()];
  await crowdOfMembers(busy, pause.at);
  await recordPause(busy);
  const mine = await app.ask(desk, 'U0DANA');
  const target = { kind: 'connection', id: desk.connectionId } as const;
  await app.services.pauses.pause(ADA, target, 'migration', 'freeze');
  await app.services.pauses.resume(ADA, target);
  expect((await now(mine)).frozenAt).toBeNull();
  expect(await app.models.executions.countDocuments({ frozenAt: { $ne: null } })).toBe(MANY);
});

it('of its caller keeps a request from being approved that no sweep has frozen yet', async () => {
  const desk = await app.desk();
  const mine = await app.ask(desk);
  await app.services.callers.pause(ADA, desk.caller._id, pause);
  expect(await app.decide(mine, 'U0BEN')).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('paused'),
  });
  expect((await app.decide(mine, 'U0BEN', 'denied')).kind).toBe('recorded');
});
