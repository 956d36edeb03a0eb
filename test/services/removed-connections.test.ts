/** A connection that is removed takes what waits for people on it along: cancelled, and everybody concerned is told why. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { approvalMessage } from '../../blocks/approval-card.js';
import { authorizationMessage } from '../../blocks/authorization.js';
import type { ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import { authorizationSubject } from '../../src/services/members.js';
import { approvalCard } from '../../src/slack/approval-view.js';
import { authorizationDm } from '../../src/slack/authorization-view.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const DAY_MINUTES = 24 * 60;
const CANCELLED = {
  status: 'cancelled',
  error: { code: 'cancelled', message: 'The connection was removed.' },
};

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(() => void vi.restoreAllMocks());
beforeEach(async () => {
  await app.models.throttles.deleteMany({});
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.outbox.deleteMany({});
});

type Desk = Awaited<ReturnType<DecidersApp['desk']>>;

const now = (execution: ExecutionDocument) => app.services.executions.record(execution._id);

async function connectionOf({ key }: Desk): Promise<ConnectionDocument> {
  const connection = await app.services.connections.find(key);
  if (!connection) throw new Error(`${key} is gone`);
  return connection;
}

/** One call that waits for Ben, and one that waits for Dana. */
async function waiting(desk: Desk) {
  const [asked, hers] = [await app.ask(desk), await app.ask(desk, 'U0DANA')];
  expect([asked.status, hers.status]).toEqual(['pending_approval', 'pending_authorization']);
  const subject = authorizationSubject(desk.connectionId, 'U0DANA', desk.caller._id);
  await app.services.outbox.show('authorization', subject, 'U0DANA', null);
  return { asked, hers, subject };
}

const drawingsWanted = async (subjectId: string): Promise<number> =>
  (await app.models.outbox.findOne({ subjectId }).lean())?.wanted ?? 0;

it('ends what waits at once; cards, the member, the caller and the requester see why', async () => {
  const [desk, other] = [await app.desk(), await app.desk()];
  const { asked, hers, subject } = await waiting(desk);
  const elsewhere = await waiting(other);
  const answer = app.services.executions.wait(asked, 5_000);
  const began = performance.now();
  const drawn = { card: await drawingsWanted(asked._id), dm: await drawingsWanted(subject) };

  await app.services.disconnect.connection(ADA, await connectionOf(desk));

  expect(await answer).toMatchObject(CANCELLED);
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(await app.approvalOf(asked)).toMatchObject({ status: 'cancelled', settled: true });
  expect(await now(hers)).toMatchObject(CANCELLED);
  expect(await drawingsWanted(asked._id)).toBeGreaterThan(drawn.card);
  expect(await drawingsWanted(subject)).toBeGreaterThan(drawn.dm);
  const found = await approvalCard(asked._id, app.services, app.deps);
  const card = found ? JSON.stringify(approvalMessage(found.card)) : '';
  expect(card).toContain('The connection was removed.');
  expect(card).not.toContain('approval.approve');
  const dm = await authorizationDm(subject, app.services, app.deps);
  const told = dm ? JSON.stringify(authorizationMessage(dm)) : '';
  expect(told).toContain('The connection was removed.');
  expect(told).not.toContain('authorization.allow');

  await app.services.reminders.tell();
  const [outcomes, ...more] = await app.outcomesTold('U0CLEO');
  expect(more).toEqual([]);
  expect(outcomes?.match(/The connection was removed\./g)).toHaveLength(2);
  expect((await now(elsewhere.asked)).status).toBe('pending_approval');
  expect((await now(elsewhere.hers)).status).toBe('pending_authorization');
});

it('is followed by the sweepers after a crash, also where the time of what waits is over by then', async () => {
  const desk = await app.desk();
  const { asked, hers } = await waiting(desk);
  await app.services.connections.remove(ADA, await connectionOf(desk));
  await app.pass(DAY_MINUTES, asked);
  const long = new Date(Date.now() - 1_000);
  await app.models.executions.updateOne({ _id: hers._id }, { $set: { expiresAt: long, nextActionAt: long } });
  await Promise.all([app.services.recovery.settleApprovals(), app.services.recovery.announcePending()]);
  expect(await now(asked)).toMatchObject(CANCELLED);
  expect(await now(hers)).toMatchObject(CANCELLED);
});

it('takes along what stands still under a pause', async () => {
  const desk = await app.desk();
  const { asked, hers } = await waiting(desk);
  const target = { kind: 'connection', id: desk.connectionId } as const;
  await app.services.pauses.pause(ADA, target, 'migration', 'freeze');
  await app.services.disconnect.connection(ADA, await connectionOf(desk));
  expect(await now(asked)).toMatchObject(CANCELLED);
  expect(await now(hers)).toMatchObject(CANCELLED);
});

it('takes along what was being recorded while it went', async () => {
  const desk = await app.desk();
  const { executions } = app.models;
  const create = executions.create.bind(executions);
  vi.spyOn(executions, 'create').mockImplementationOnce(async (documents: unknown) => {
    await app.services.disconnect.connection(ADA, await connectionOf(desk));
    return create(documents as ExecutionDocument[]);
  });
  const asked = await app.ask(desk);
  await app.services.recovery.settleApprovals();
  expect(await now(asked)).toMatchObject(CANCELLED);
});

it('is removed also where the end of what waits cannot be stored just then', async () => {
  const desk = await app.desk();
  const { asked } = await waiting(desk);
  vi.spyOn(app.services.approvals, 'end').mockRejectedValueOnce(new Error('away'));
  await app.services.disconnect.connection(ADA, await connectionOf(desk));
  expect(await app.services.connections.find(desk.key)).toBeNull();
  await app.services.recovery.settleApprovals();
  expect(await now(asked)).toMatchObject(CANCELLED);
});
