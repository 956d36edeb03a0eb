/** Nobody waits for nothing: reminders, the second list, the end, and what a pause does to all of them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';
import { execution } from './documents.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };

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
  await app.models.settings.updateMany({}, { $set: { paused: null, resuming: null } });
  await app.models.outbox.deleteMany({});
});

const reminded = async () =>
  (await app.models.outbox.find({ workspaceId: 'T0TEST', view: 'reminder' }).lean()).map(({ to, wanted }) => [
    to,
    wanted,
  ]);

const aMinuteLater = () =>
  app.models.outbox.updateMany(
    { view: 'reminder' },
    { $set: { askedAt: new Date(Date.now() - MINUTE - 1) } },
  );

describe('a reminder', () => {
  it('is one DM for three requests, and none before its time', async () => {
    const desk = await app.desk();
    const three = [await app.ask(desk), await app.ask(desk), await app.ask(desk)];
    await app.pass(29, ...three);
    await app.services.reminders.remind();
    expect(await reminded()).toEqual([]);
    await app.pass(2, ...three);
    await Promise.all([app.services.reminders.remind(), app.services.reminders.remind()]);
    expect(await reminded()).toEqual([['U0BEN', 1]]);
    await app.services.reminders.remind();
    expect(await reminded()).toEqual([['U0BEN', 1]]);
  });

  it('comes again at nine tenths, to those who have not decided', async () => {
    const execution = await app.ask(
      await app.desk({ approvers: { ...NOBODY, users: ['U0BEN', 'U0DANA'] }, quorum: 2 }),
    );
    await app.decide(execution, 'U0BEN');
    await app.pass(31, execution);
    await app.services.reminders.remind();
    expect(await reminded()).toEqual([['U0DANA', 1]]);
    await aMinuteLater();
    await app.pass(24, execution);
    await app.services.reminders.remind();
    expect(await reminded()).toEqual([['U0DANA', 2]]);
    expect(await app.approvalOf(execution)).toMatchObject({ nextReminderAt: null, remindersLeft: [] });
  });

  it('waits for a Slack that does not say who decides', async () => {
    const execution = await app.ask(await app.desk());
    await app.pass(31, execution);
    app.directory.away = true;
    await app.services.reminders.remind();
    app.directory.away = false;
    expect(await reminded()).toEqual([]);
    await app.services.reminders.remind();
    expect(await reminded()).toHaveLength(1);
  });

  it('is not lost with a process that dies before it is on its way, nor sent twice by one that dies after', async () => {
    const execution = await app.ask(await app.desk());
    await app.pass(31, execution);
    vi.spyOn(app.models.outbox, 'updateOne').mockRejectedValueOnce(new Error('dead'));
    await app.services.reminders.remind().catch(() => undefined);
    expect(await reminded()).toEqual([]);
    expect((await app.approvalOf(execution)).nextReminderAt?.getTime()).toBeLessThan(Date.now());

    vi.spyOn(app.models.approvals, 'updateOne').mockRejectedValueOnce(new Error('dead'));
    await app.services.reminders.remind().catch(() => undefined);
    expect(await reminded()).toEqual([['U0BEN', 1]]);
    await Promise.all([app.services.reminders.remind(), app.services.reminders.remind()]);
    expect(await reminded()).toEqual([['U0BEN', 1]]);
    expect((await app.approvalOf(execution)).nextReminderAt?.getTime()).toBeGreaterThan(Date.now());
  });
});

describe('the second list', () => {
  it('decides from its time on, gets the card, and that is on record', async () => {
    const escalation = { approvers: { ...NOBODY, users: ['U0DANA'] }, afterMinutes: 20 };
    const execution = await app.ask(await app.desk({ escalation }));
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('refused');
    expect(await app.copies(execution)).toEqual(['U0BEN']);
    await app.pass(21, execution);
    await Promise.all([app.services.reminders.escalate(), app.services.reminders.escalate()]);
    expect(await app.copies(execution)).toEqual(['U0BEN', 'U0DANA']);
    expect(await app.audited('approval.escalated', execution._id)).toBe(1);
    expect((await app.decide(execution, 'U0DANA')).kind).toBe('recorded');
  });
});

describe('the end', () => {
  it('of three requests is one DM to the requester, and a clear one to the caller', async () => {
    const desk = await app.desk();
    const [denied, first, second] = [await app.ask(desk), await app.ask(desk), await app.ask(desk)];
    await app.decide(denied, 'U0BEN', 'denied');
    await app.pass(61, first, second);
    await app.services.recovery.settleApprovals();
    expect(await app.services.executions.record(first._id)).toMatchObject({
      status: 'expired',
      error: { code: 'expired' },
    });
    await Promise.allSettled([app.services.reminders.tell(), app.services.reminders.tell()]);
    await app.services.reminders.tell();
    const told = await app.outcomesTold('U0CLEO');
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('*Denied* by <@U0BEN>');
    expect(told[0]?.match(/\*Expired\*/g)).toHaveLength(2);
    await app.models.throttles.deleteMany({});
    await app.services.reminders.tell();
    expect(await app.outcomesTold('U0CLEO')).toHaveLength(1);
  });

  it('that she brought about herself is no news to her', async () => {
    const desk = await app.desk();
    const execution = await app.ask(desk);
    await app.services.executions.cancel(execution, 'Never mind.');
    await app.services.reminders.tell();
    expect(await app.outcomesTold('U0CLEO')).toEqual([]);
    expect((await app.approvalOf(execution)).told).toBe(true);
  });
});

describe('the end that nobody decided, or that went well', () => {
  it('of what a pause or a new policy cancelled is told', async () => {
    const desk = await app.desk();
    const execution = await app.ask(desk);
    await app.services.approvals.end(await app.approvalOf(execution), 'cancelled', 'The policy changed.');
    await app.services.reminders.tell();
    expect(await app.outcomesTold('U0CLEO')).toEqual([
      expect.stringMatching(/\*Cancelled\*.*The policy changed\./),
    ]);
  });

  it('of what was approved and done is told in the same DM, but not to whoever approved it', async () => {
    const desk = await app.desk();
    const [done, hers] = [await app.ask(desk), await app.ask(desk)];
    await app.decide(done, 'U0BEN');
    await app.decide(hers, 'U0BEN');
    await app.models.executions.updateMany(
      { _id: { $in: [done._id, hers._id] } },
      { $set: { status: 'succeeded' } },
    );
    await app.models.executions.updateOne({ _id: hers._id }, { $set: { requesterId: 'U0BEN' } });
    await app.services.reminders.tell();
    const [told, ...more] = await app.outcomesTold('U0CLEO');
    expect(more).toEqual([]);
    expect(told?.match(/\*Done\*/g)).toHaveLength(2);
    expect(await app.outcomesTold('U0BEN')).toEqual([]);
  });

  it('while it waited for a member is told, once', async () => {
    const { caller, connectionId } = await app.desk();
    const long = new Date(Date.now() - MINUTE);
    const waiting = {
      status: 'pending_authorization' as const,
      callerId: caller._id,
      connectionId,
      onBehalfOf: 'U0BEN',
      requesterId: 'U0BEN',
      callerOwnerId: 'U0CLEO',
      approvalId: null,
    };
    await app.models.executions.create([
      execution({ ...waiting, _id: 'ex_late', idempotencyKey: 'late', expiresAt: long, nextActionAt: long }),
    ]);
    await app.services.recovery.announcePending();
    await app.models.executions.create([execution({ ...waiting, _id: 'ex_no', idempotencyKey: 'no' })]);
    await app.services.executions.refuseMember('U0BEN', connectionId, caller._id);
    await Promise.allSettled([app.services.reminders.tell(), app.services.reminders.tell()]);
    await app.models.throttles.deleteMany({});
    await app.services.reminders.tell();
    const owner = await app.outcomesTold('U0CLEO');
    expect(owner).toEqual([
      expect.stringMatching(/\*Expired\*.*neither allowed nor refused.*\*Denied\* by <@U0BEN>/),
    ]);
    const member = await app.outcomesTold('U0BEN');
    expect(member).toEqual([expect.stringContaining('*Expired*')]);
    // Her own no is no news to her.
    expect(member[0]).not.toContain('*Denied*');
  });

  it('that the caller brought about itself is no news while it waited for a member either', async () => {
    const { caller, connectionId } = await app.desk();
    const waiting = execution({ status: 'pending_authorization', callerId: caller._id, connectionId });
    await app.models.executions.create([waiting]);
    await app.services.executions.cancel(waiting, 'Never mind.');
    await app.services.reminders.tell();
    expect(await app.models.outbox.countDocuments({ view: 'notice' })).toBe(0);
  });
});

describe('an unknown outcome', () => {
  const over = new Date(Date.now() - MINUTE);
  const attempt = { id: 'at_gone', process: 'gone', claimedAt: over, leaseUntil: over };
  const running = { status: 'executing' as const, attempt, startedAt: over, nextActionAt: over };

  it.each(['none', 'granted'] as const)(
    'of a write that nobody was asked about (requirement: %s) is told, once',
    async (requirement) => {
      const { caller, connectionId } = await app.desk();
      const people = { requesterId: 'U0BEN', callerOwnerId: 'U0CLEO', callerId: caller._id };
      const unasked = { requirement, approvalStatus: 'not_required' as const, approvalId: null };
      await app.models.executions.create([execution({ ...running, ...unasked, ...people, connectionId })]);
      await app.services.recovery.endAbandoned();
      await Promise.allSettled([app.services.reminders.tell(), app.services.reminders.tell()]);
      await app.models.throttles.deleteMany({});
      await app.services.reminders.tell();
      for (const userId of ['U0BEN', 'U0CLEO']) {
        expect(await app.outcomesTold(userId), userId).toEqual([
          expect.stringMatching(/\*Outcome unknown\*.*took effect is unknown.* · ex_1.*executions show ID/),
        ]);
      }
    },
  );

  it('of a write that somebody approved is told with its request, and not twice', async () => {
    const asked = await app.ask(await app.desk());
    await app.decide(asked, 'U0BEN');
    await app.models.executions.updateOne({ _id: asked._id }, { $set: running });
    await app.services.recovery.endAbandoned();
    await app.services.reminders.tell();
    const [told, ...more] = await app.outcomesTold('U0CLEO');
    expect(more).toEqual([]);
    expect(told?.match(/\*Outcome unknown\*/g)).toHaveLength(1);
  });

  it('of a read is none: it failed, and its caller asks again', async () => {
    const { caller, connectionId } = await app.desk();
    const read = { risk: 'read' as const, requirement: 'none' as const, approvalId: null };
    await app.models.executions.create([
      execution({ ...running, ...read, callerId: caller._id, connectionId }),
    ]);
    await app.services.recovery.endAbandoned();
    await app.services.reminders.tell();
    expect(await app.models.outbox.countDocuments({ view: 'notice' })).toBe(0);
  });
});

describe('a pause', () => {
  const actor = ADA;
  const pauseAll = (pending: 'freeze' | 'cancel') =>
    app.services.pauses.pause(actor, { kind: 'all' }, 'migration', pending);
  const resumeAll = async () => {
    while ((await app.liftAll()) !== 'done');
  };

  it('stops the time of what waits, and gives it back', async () => {
    const escalation = { approvers: { ...NOBODY, users: ['U0DANA'] }, afterMinutes: 20 };
    const execution = await app.ask(await app.desk({ escalation }));
    const before = await app.approvalOf(execution);
    expect(await pauseAll('freeze')).toMatchObject({ waiting: 1, running: [] });
    const frozen = await app.approvalOf(execution);
    expect(frozen).toMatchObject({ status: 'pending', frozenAt: expect.any(Date) });
    expect(await app.decide(execution, 'U0BEN')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('paused'),
    });
    await app.pass(90, execution);
    await app.services.recovery.settleApprovals();
    await app.services.reminders.sweep();
    expect(await app.approvalOf(execution)).toMatchObject({ status: 'pending', escalatedAt: null });
    expect(await reminded()).toEqual([]);

    expect(await app.liftAll()).toBe('reads');
    expect((await app.approvalOf(execution)).frozenAt).toEqual(expect.any(Date));
    expect(await app.liftAll()).toBe('asks');
    const after = await app.approvalOf(execution);
    expect(after.frozenAt).toBeNull();
    // 90 minutes passed and were given back: as much is left as was when the pause began.
    for (const field of ['expiresAt', 'nextReminderAt', 'escalateAt'] as const) {
      expect(Math.abs((after[field]?.getTime() ?? 0) - (before[field]?.getTime() ?? 0)), field).toBeLessThan(
        5_000,
      );
    }
    expect((await app.services.executions.record(execution._id)).expiresAt).toEqual(after.expiresAt);
    expect((await app.decide(execution, 'U0BEN')).kind).toBe('recorded');
    await resumeAll();
    for (const stage of ['workspace.paused', 'workspace.resuming', 'workspace.resumed']) {
      expect(await app.audited(stage, 'T0TEST'), stage).toBeGreaterThan(0);
    }
  });

  it('lets a frozen request be denied, and not run out', async () => {
    const execution = await app.ask(await app.desk());
    await pauseAll('freeze');
    await app.pass(200, execution);
    expect((await app.decide(execution, 'U0BEN', 'denied')).kind).toBe('recorded');
    expect((await app.services.executions.record(execution._id)).status).toBe('denied');
    await resumeAll();
  });

  it('cancels what waits, when that was chosen, with its reason', async () => {
    const execution = await app.ask(await app.desk());
    await pauseAll('cancel');
    expect(await app.services.executions.record(execution._id)).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled', message: expect.stringContaining('migration') },
    });
    await resumeAll();
  });

  it('of one caller or connection leaves the others alone, and one within another holds on', async () => {
    const [one, other] = [await app.desk(), await app.desk()];
    const [hers, theirs] = [await app.ask(one), await app.ask(other)];
    await app.services.pauses.pause(actor, { kind: 'caller', id: one.caller._id }, 'loops', 'freeze');
    await app.services.pauses.pause(
      actor,
      { kind: 'connection', id: one.connectionId },
      'migration',
      'freeze',
    );
    expect((await app.approvalOf(theirs)).frozenAt ?? null).toBeNull();
    await app.services.pauses.resume(actor, { kind: 'caller', id: one.caller._id });
    expect((await app.approvalOf(hers)).frozenAt).toEqual(expect.any(Date));
    await app.services.pauses.resume(actor, { kind: 'connection', id: one.connectionId });
    expect((await app.approvalOf(hers)).frozenAt).toBeNull();
  });

  it('that only the record of survived a crash is followed by the sweeper', async () => {
    const desk = await app.desk();
    const waiting = await app.ask(desk);
    const connection = await app.services.connections.find(desk.key);
    if (!connection) throw new Error(`${desk.key} is gone`);
    await app.services.connections.pause(actor, connection, {
      by: 'U0ADA',
      at: new Date(),
      reason: 'migration',
    });
    expect((await app.approvalOf(waiting)).frozenAt ?? null).toBeNull();
    await app.services.pauses.reconcile();
    expect((await app.approvalOf(waiting)).frozenAt).toEqual(expect.any(Date));
  });

  it('is confirmed by every living process, once its claims from before are over', async () => {
    const { processes } = app.services;
    await processes.beat();
    await app.models.processes.create([
      { _id: 'another', workspaceId: 'T0TEST', pauseVersion: 0, at: new Date() },
      { _id: 'long gone', workspaceId: 'T0TEST', pauseVersion: 0, at: new Date(Date.now() - MINUTE) },
    ]);
    const { version } = await pauseAll('freeze');
    expect(await processes.confirmation(version)).toEqual({ processes: 2, confirmed: 0, all: false });
    await processes.beat();
    expect(await processes.confirmation(version)).toEqual({ processes: 2, confirmed: 1, all: false });
    await app.models.processes.updateOne({ _id: 'another' }, { $set: { pauseVersion: version } });
    expect((await processes.confirmation(version)).all).toBe(true);
    await resumeAll();
  });
});
