/** An unknown outcome is found out, said by a person once, and asked again once; nothing of it repeats a call. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import type { ConnectorDefinition, Reconciled } from '../../src/connectors/framework.js';
import { createServices, type Services } from '../../src/services/index.js';
import { createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';

let world: World;
let app: Awaited<ReturnType<World['services']>>;
let services: Services;
let records: Records;
let seeded: SeededRecords;
let count = 0;
/** What the outside system says of our marker. */
let reconcile: () => Promise<Reconciled>;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  records = await startRecords(false);
  world.allowPrivate.push(new URL(records.origin).host);
  app = await world.services();
  // A REST function has no marker of ours; this one has.
  const connector = async (id: string): Promise<ConnectorDefinition> => {
    const found = await app.deps.connector(id);
    return {
      ...found,
      functions: (config) => found.functions(config).map((fn) => ({ ...fn, reconcile: () => reconcile() })),
    };
  };
  services = createServices({ ...app.deps, connector });
  seeded = await seedRecords({ services }, records, 'Records that lose answers');
});
afterAll(async () => {
  await services.runner.drain(5_000);
  await app.close();
  await records.close();
  await world.close();
});

const record = (id: string): Promise<ExecutionDocument> => services.executions.record(id);

/** A call of which nobody knows what became. `over`: whoever sent it is surely done. */
async function lost(over = true): Promise<ExecutionDocument> {
  count += 1;
  const id = `r${count}`;
  records.put({ id, title: 'before', state: 'open' });
  const caller = await services.callers.get(seeded.callerId);
  if (!caller) throw new Error('not seeded');
  const { execution } = await services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: 'change_record',
    arguments: { id, title: 'after' },
    onBehalfOf: null,
    reason: null,
    idempotencyKey: id,
  });
  const { models, workspaceId } = app.deps;
  await until(async () => Boolean((await services.approvals.ofExecution(execution._id))?.target), 8_000);
  const leaseUntil = new Date(Date.now() + (over ? -60_000 : 10_000));
  const attempt = { id: 'at_lost', process: 'gone', claimedAt: new Date(), leaseUntil };
  await models.executions.updateOne(
    { _id: execution._id, workspaceId },
    { $set: { status: 'outcome_unknown', attempt, nextActionAt: null } },
  );
  await models.approvals.updateOne(
    { executionId: execution._id, workspaceId },
    { $set: { status: 'approved', settled: true } },
  );
  return record(execution._id);
}

const audited = (action: string, id: string): Promise<number> =>
  app.deps.models.auditEvents.countDocuments({
    workspaceId: app.deps.workspaceId,
    action,
    'subject.id': id,
  });

describe('finding out', () => {
  it.each([
    [{ status: 'applied', result: { secret: 'is not shown' } }, { status: 'applied' }],
    [{ status: 'not_applied' }, { status: 'not_applied' }],
    [
      { status: 'unknown', reason: 'The search is behind.' },
      { status: 'unknown', reason: 'The search is behind.' },
    ],
  ] as const)('says what the outside system says: %j', async (said, told) => {
    reconcile = async () => said;
    const execution = await lost();
    const writes = records.writes.length;
    expect(await services.outcomes.findOut('U0BEN', execution._id)).toEqual(told);
    expect(records.writes.length).toBe(writes);
    expect(await audited('outcome.looked_up', execution._id)).toBe(1);
    // What a system says settles nothing: a person does.
    expect((await record(execution._id)).resolution ?? null).toBeNull();
  });

  it('cannot tell where the look-up fails', async () => {
    reconcile = async () => Promise.reject(new Error('boom'));
    const execution = await lost();
    expect(await services.outcomes.findOut('U0BEN', execution._id)).toMatchObject({ status: 'unknown' });
  });

  it('is for those who may see the payloads, and for unknown outcomes alone', async () => {
    const execution = await lost();
    await expect(services.outcomes.findOut('U0CLEO', execution._id)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(services.outcomes.resolve('U0CLEO', execution._id, 'applied', null)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(services.outcomes.askAgain('U0CLEO', execution._id)).rejects.toMatchObject({
      code: 'forbidden',
    });
    const { models, workspaceId } = app.deps;
    await models.executions.updateOne({ _id: execution._id, workspaceId }, { $set: { status: 'succeeded' } });
    await expect(services.outcomes.findOut('U0BEN', execution._id)).rejects.toMatchObject({
      code: 'invalid_arguments',
    });
  });

  it('waits until whoever sent the call is surely done', async () => {
    const execution = await lost(false);
    const tooEarly = { message: expect.stringContaining('still be on its way') };
    await expect(services.outcomes.findOut('U0BEN', execution._id)).rejects.toMatchObject(tooEarly);
    await expect(services.outcomes.askAgain('U0BEN', execution._id)).rejects.toMatchObject(tooEarly);
  });
});

describe('what a person says', () => {
  it('counts once: the first of ten', async () => {
    const execution = await lost();
    const said = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) =>
        services.outcomes.resolve('U0BEN', execution._id, n % 2 ? 'applied' : 'not_applied', `note ${n}`),
      ),
    );
    expect(said.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await audited('outcome.resolved', execution._id)).toBe(1);
    const { resolution } = await record(execution._id);
    expect(resolution).toMatchObject({ by: 'U0BEN' });
    const view = await services.executions.view(await record(execution._id));
    expect(view).toMatchObject({
      status: 'outcome_unknown',
      resolution: { outcome: resolution?.outcome, note: resolution?.note },
    });
    expect(JSON.stringify(view)).not.toContain('U0BEN');
  });
});

describe('asking again', () => {
  it('makes one new request, that a person has to approve', async () => {
    const execution = await lost();
    await services.outcomes.resolve('U0BEN', execution._id, 'not_applied', null);
    const asked = await Promise.allSettled(
      Array.from({ length: 5 }, () => services.outcomes.askAgain('U0BEN', execution._id)),
    );
    const [id, ...more] = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(more).toEqual([]);
    expect(await audited('outcome.asked_again', execution._id)).toBe(1);
    const old = await record(execution._id);
    expect(old).toMatchObject({ status: 'outcome_unknown', replacedBy: id, nextActionAt: null });
    const next = await record(id ?? '');
    expect(next).toMatchObject({ status: 'pending_approval', replaces: old._id, requirement: 'required' });
    expect(await services.payloads.arguments(next)).toEqual(await services.payloads.arguments(old));
    expect(await services.executions.view(old)).toMatchObject({ replaced_by: id });
    expect(records.writes).toEqual([]);
  });

  it('is refused for what happened', async () => {
    const execution = await lost();
    await services.outcomes.resolve('U0BEN', execution._id, 'applied', null);
    await expect(services.outcomes.askAgain('U0BEN', execution._id)).rejects.toMatchObject({
      message: expect.stringContaining('second time'),
    });
    expect((await record(execution._id)).replacedBy ?? null).toBeNull();
  });
});
