/** A process may die after a change and before it asks for the card to be drawn: no card stays behind for that. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { cardVersion } from '../../src/services/card-repair.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };
const TWO = {
  approvers: { ...NOBODY, users: ['U0BEN', 'U0DANA'] },
  quorum: 2,
  escalation: { approvers: { ...NOBODY, users: ['U0ADA'] }, afterMinutes: 20 },
};

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(() => void vi.restoreAllMocks());
beforeEach(async () => {
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.outbox.deleteMany({});
  await app.models.settings.updateMany({}, { $set: { paused: null, resuming: null } });
});

const rows = (execution: ExecutionDocument) =>
  app.models.outbox.find({ workspaceId: 'T0TEST', view: 'approval', subjectId: execution._id }).lean();
const due = async (execution: ExecutionDocument) =>
  (await rows(execution)).filter(({ notBefore }) => notBefore !== null).map(({ to }) => to);

/** Every copy shows the request as it is now. */
async function drawn(execution: ExecutionDocument): Promise<void> {
  const [approval, current] = [
    await app.approvalOf(execution),
    await app.services.executions.record(execution._id),
  ];
  await app.models.outbox.updateMany(
    { view: 'approval', subjectId: execution._id },
    { $set: { notBefore: null, ts: '1.1', drawn: cardVersion({ approval, execution: current }) } },
  );
  await app.services.cardRepair.sweep();
  expect(await due(execution)).toEqual([]);
}

const dies = () => vi.spyOn(app.services.outbox, 'refresh').mockRejectedValueOnce(new Error('dead'));

describe('a card is drawn anew by the sweeper, though the process died after', () => {
  it.each<[string, (execution: ExecutionDocument) => Promise<unknown>]>([
    [
      'one approval of two',
      async (execution) => {
        dies();
        await app.decide(execution, 'U0BEN');
      },
    ],
    [
      '“I have it”',
      async ({ _id }) => {
        dies();
        await app.services.attention.toggle(_id, 'U0BEN');
      },
    ],
    [
      'the second list was asked',
      async (execution) => {
        await app.pass(21, execution);
        dies();
        await app.services.reminders.escalate();
        expect((await app.approvalOf(execution)).escalatedAt).toEqual(expect.any(Date));
      },
    ],
    [
      'its target was read again',
      async (execution) => {
        await app.models.approvals.updateMany(
          {},
          { $set: { target: null, targetCheck: 'required', targetNote: 'away' } },
        );
        await app.services.targets.look(execution, true);
        expect((await app.approvalOf(execution)).targetNote).not.toBe('away');
      },
    ],
  ])('%s', async (_what, change) => {
    const execution = await app.ask(await app.desk(TWO));
    await drawn(execution);
    await change(execution).catch((error: unknown) => expect(String(error)).toContain('dead'));
    expect(await due(execution)).not.toContain('U0BEN');
    await app.services.cardRepair.sweep();
    expect(await due(execution)).toEqual(expect.arrayContaining(['U0BEN', 'U0DANA']));
  });
});

it('of more requests than are compared at once, no card stays behind', async () => {
  const first = await app.ask(await app.desk());
  const approval = await app.approvalOf(first);
  const [row] = await rows(first);
  if (!row) throw new Error('there is no card');
  const ids = Array.from({ length: 1_010 }, (_, n) => `ex_${n}`);
  const { executions, approvals, outbox } = app.models;
  // Past the schemas, which take ten times as long.
  const insert = (into: string, documents: { _id: string }[]) =>
    outbox.db.collection<{ _id: string }>(into).insertMany(documents);
  await outbox.deleteMany({});
  await insert(
    executions.collection.name,
    ids.map((_id) => ({ ...first, _id, idempotencyKey: _id, updatedAt: new Date(0) })),
  );
  await insert(
    approvals.collection.name,
    ids.map((executionId) => ({ ...approval, _id: `ap_${executionId}`, executionId })),
  );
  await insert(
    outbox.collection.name,
    ids.map((subjectId) => ({ ...row, _id: subjectId, subjectId, notBefore: null, drawn: 1 })),
  );
  await app.services.cardRepair.sweep();
  expect(await app.models.outbox.countDocuments({ notBefore: null })).toBe(0);
});

describe('a crash in the middle', () => {
  it('of asking the second list leaves no escalation without its record', async () => {
    const escalation = { approvers: { ...NOBODY, users: ['U0DANA'] }, afterMinutes: 20 };
    const execution = await app.ask(await app.desk({ escalation }));
    await app.pass(21, execution);
    vi.spyOn(app.models.auditEvents, 'create').mockRejectedValueOnce(new Error('dead'));
    await app.services.reminders.escalate();
    expect((await app.approvalOf(execution)).escalatedAt).toBeNull();
    await app.services.reminders.escalate();
    expect((await app.approvalOf(execution)).escalatedAt).toEqual(expect.any(Date));
    expect(await app.audited('approval.escalated', execution._id)).toBe(1);
  });

  it('of a pause or its end leaves no card with another deadline than its request', async () => {
    const execution = await app.ask(await app.desk());
    const deadlines = async () => (await rows(execution)).map(({ deadline }) => deadline);
    const pause = () => app.services.pauses.pause(ADA, { kind: 'all' }, 'migration', 'freeze');
    vi.spyOn(app.models.outbox, 'updateMany').mockRejectedValueOnce(new Error('dead'));
    await expect(pause()).rejects.toThrow('dead');
    await app.services.pauses.reconcile();
    expect((await app.approvalOf(execution)).frozenAt).toEqual(expect.any(Date));
    expect(await deadlines()).toEqual([null]);

    await app.models.settings.updateMany({}, { $set: { paused: null, resuming: null } });
    await app.pass(30, execution);
    vi.spyOn(app.models.executions, 'updateOne').mockRejectedValueOnce(new Error('dead'));
    await expect(app.services.pauses.reconcile()).rejects.toThrow('dead');
    await app.services.pauses.reconcile();
    const { expiresAt, frozenAt } = await app.approvalOf(execution);
    expect(frozenAt).toBeNull();
    expect((await app.services.executions.record(execution._id)).expiresAt).toEqual(expiresAt);
    expect(await deadlines()).toEqual([expiresAt]);
  });
});
