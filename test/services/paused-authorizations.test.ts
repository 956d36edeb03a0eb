/** The kill switch and calls that wait for a member's consent: they stand still and have their time back, or are cancelled. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { authorizationMessage } from '../../blocks/authorization.js';
import type { ExecutionDocument } from '../../models/types.js';
import { authorizationSubject } from '../../src/services/members.js';
import type { PauseTarget } from '../../src/services/pauses.js';
import { authorizationDm } from '../../src/slack/authorization-view.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const HOUR = 3_600_000;
const ALL: PauseTarget = { kind: 'all' };

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.consents.deleteMany({});
  await app.models.outbox.deleteMany({});
  await app.models.settings.updateMany({}, { $set: { paused: null, resuming: null } });
});

const now = (execution: ExecutionDocument) => app.services.executions.record(execution._id);

/** A call in Dana's name; she has not said yet whether this caller may. */
async function asked(given: Parameters<DecidersApp['desk']>[0] = {}) {
  const desk = await app.desk(given);
  const execution = await app.ask(desk, 'U0DANA');
  expect(execution.status).toBe('pending_authorization');
  const subject = authorizationSubject(desk.connectionId, 'U0DANA', desk.caller._id);
  await app.services.outbox.show('authorization', subject, 'U0DANA', null);
  return { desk, execution, subject };
}

/** The clock of these calls moves: every moment of theirs is so much earlier. */
async function pass(hours: number, ...executions: readonly ExecutionDocument[]): Promise<void> {
  const earlier = (moment: string) => ({ $subtract: [moment, hours * HOUR] });
  const frozenAt = { $cond: [{ $ifNull: ['$frozenAt', false] }, earlier('$frozenAt'), null] };
  const moments = { createdAt: earlier('$createdAt'), expiresAt: earlier('$expiresAt'), frozenAt };
  await app.models.executions.updateMany(
    { _id: { $in: executions.map(({ _id }) => _id) } },
    [{ $set: { ...moments, nextActionAt: earlier('$nextActionAt') } }],
    { updatePipeline: true },
  );
}

async function allow({ desk }: Awaited<ReturnType<typeof asked>>): Promise<void> {
  await app.services.members.decideConsent('U0DANA', desk.caller._id, desk.connectionId, 'allowed');
  await app.services.authorizationFlow.resume('U0DANA', desk.connectionId);
}

async function shown({ subject }: Pick<Awaited<ReturnType<typeof asked>>, 'subject'>): Promise<string> {
  const dm = await authorizationDm(subject, app.services, app.deps);
  if (!dm) throw new Error('there is no DM');
  return JSON.stringify(authorizationMessage(dm));
}

const drawingsWanted = async (subjectId: string): Promise<number> =>
  (await app.models.outbox.findOne({ view: 'authorization', subjectId }).lean())?.wanted ?? 0;

const pause = (target: PauseTarget, pending: 'freeze' | 'cancel') =>
  app.services.pauses.pause(ADA, target, 'migration', pending);
const resume = (target: PauseTarget) =>
  target.kind === 'all' ? app.liftAll() : app.services.pauses.resume(ADA, target);

it('stops the time of what waits for a member, says so in her DM, and gives it back', async () => {
  const waiting = await asked();
  const before = await now(waiting.execution);
  const wanted = await drawingsWanted(waiting.subject);
  expect(await pause(ALL, 'freeze')).toMatchObject({ waiting: 1 });
  expect(await now(waiting.execution)).toMatchObject({ frozenAt: expect.any(Date) });
  expect(await drawingsWanted(waiting.subject)).toBeGreaterThan(wanted);
  const dm = await shown(waiting);
  expect(dm).toContain('*Paused* by <@U0ADA>: migration');
  expect(dm).toContain('time stands still');

  await pass(30, waiting.execution);
  await app.services.recovery.announcePending();
  expect((await now(waiting.execution)).status).toBe('pending_authorization');

  expect(await resume(ALL)).toBe('reads');
  expect((await now(waiting.execution)).frozenAt).toEqual(expect.any(Date));
  expect(await resume(ALL)).toBe('asks');
  const after = await now(waiting.execution);
  expect(after).toMatchObject({ status: 'pending_authorization', frozenAt: null });
  const gained = Math.abs((after.expiresAt?.getTime() ?? 0) - (before.expiresAt?.getTime() ?? 0));
  expect(gained).toBeLessThan(5_000);
  expect(await shown(waiting)).not.toContain('Paused');
  await allow(waiting);
  expect((await now(waiting.execution)).status).toBe('pending_approval');
});

it('takes her answer meanwhile, and goes on with it only once it is resumed', async () => {
  const waiting = await asked({ effect: 'allow' });
  const target = { kind: 'connection', id: waiting.desk.connectionId } as const;
  await pause(target, 'freeze');
  await allow(waiting);
  expect((await now(waiting.execution)).status).toBe('pending_authorization');
  expect(await shown(waiting)).toContain('Paused');
  await resume(target);
  await app.services.recovery.announcePending();
  expect((await now(waiting.execution)).status).toBe('queued');
});

it('does not go on between the record of a pause and the sweep that follows it', async () => {
  const waiting = await asked();
  const connection = await app.services.connections.find(waiting.desk.key);
  if (!connection) throw new Error('the connection is gone');
  const paused = { by: 'U0ADA', at: new Date(), reason: 'migration' };
  await app.services.connections.pause(ADA, connection, paused);
  await allow(waiting);
  expect((await now(waiting.execution)).status).toBe('pending_authorization');
  await app.services.pauses.reconcile();
  expect((await now(waiting.execution)).frozenAt).toEqual(expect.any(Date));
});

it('lets her refuse what stands still', async () => {
  const waiting = await asked();
  await pause(ALL, 'freeze');
  const { desk, execution } = waiting;
  await app.services.executions.refuseMember('U0DANA', desk.connectionId, desk.caller._id);
  expect(await now(execution)).toMatchObject({ status: 'denied', error: { code: 'needs_authorization' } });
});

it.each(['all', 'connection', 'caller'] as const)(
  'cancels what waits for a member, when that was chosen for %s, with the reason in her DM',
  async (kind) => {
    const [hers, other] = [await asked(), await asked()];
    const { connectionId, caller } = hers.desk;
    const target = kind === 'all' ? ALL : { kind, id: kind === 'caller' ? caller._id : connectionId };
    expect(await pause(target, 'cancel')).toMatchObject({ waiting: kind === 'all' ? 2 : 1 });
    expect(await now(hers.execution)).toMatchObject({
      status: 'cancelled',
      error: { code: 'cancelled', message: 'Cancelled by a pause: migration' },
    });
    expect(await shown(hers)).toContain('Cancelled by a pause: migration');
    expect((await now(other.execution)).status).toBe(kind === 'all' ? 'cancelled' : 'pending_authorization');
    expect((await now(other.execution)).frozenAt ?? null).toBeNull();
  },
);

it('of one caller leaves the others alone, and one within another holds on', async () => {
  const [hers, other] = [await asked(), await asked()];
  const caller = { kind: 'caller', id: hers.desk.caller._id } as const;
  const connection = { kind: 'connection', id: hers.desk.connectionId } as const;
  await pause(caller, 'freeze');
  await pause(connection, 'freeze');
  expect((await now(other.execution)).frozenAt ?? null).toBeNull();
  await resume(caller);
  expect((await now(hers.execution)).frozenAt).toEqual(expect.any(Date));
  await resume(connection);
  expect((await now(hers.execution)).frozenAt).toBeNull();
});
