/** An approver who edits may change what happens to the target that her card shows, and never which target it is. */
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { shortHash } from '../../src/services/binding.js';
import { createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';
import { ends } from '../harness/writes.js';

let world: World;
let app: Awaited<ReturnType<World['services']>>;
let records: Records;
let seeded: SeededRecords;
let strict: SeededRecords;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  records = await startRecords(false);
  world.allowPrivate.push(new URL(records.origin).host);
  app = await world.services();
  seeded = await seedRecords(app, records, 'Records');
  strict = await seedRecords(app, records, 'Strict records', { targetCheck: 'required' });
});
afterEach(() => {
  records.faults.delay = 0;
});
afterAll(async () => {
  await app.close();
  await records.close();
  await world.close();
});

const approvalOf = async (execution: ExecutionDocument) => {
  const approval = await app.services.approvals.ofExecution(execution._id);
  if (!approval) throw new Error('there is no request');
  return approval;
};

/** A change of a record of its own, asked for by an agent. `name` is a record that need not be there. */
async function ask(on = seeded, name = `r${++count}`, exists = true): Promise<ExecutionDocument> {
  if (exists) records.put({ id: name, title: 'before', state: 'open' });
  const caller = await app.services.callers.get(on.callerId);
  if (!caller) throw new Error('not seeded');
  const { execution } = await app.services.submissions.submit(caller, {
    connection: on.connectionId,
    function: 'change_record',
    arguments: { id: name, title: 'after' },
    onBehalfOf: null,
    reason: null,
    idempotencyKey: `edited-${name}`,
  });
  await until(async () => {
    const { target, targetNote } = await approvalOf(execution);
    return Boolean(target ?? targetNote);
  }, 8_000);
  return execution;
}

const nameOf = (execution: ExecutionDocument): string => execution.idempotencyKey.replace('edited-', '');

async function edit(execution: ExecutionDocument, changes: Record<string, string>) {
  const { bindingHash } = await approvalOf(execution);
  const target = { executionId: execution._id, hash: shortHash(bindingHash), userId: 'U0BEN' };
  const args = { id: nameOf(execution), title: 'after', ...changes };
  return app.services.edits.submit(target, args);
}

async function run(execution: ExecutionDocument) {
  await app.services.recovery.settleApprovals();
  app.services.runner.take(execution._id);
  return (await ends(app, [execution._id], 5_000))[0];
}

const writesOf = (execution: ExecutionDocument) =>
  records.writes.filter(({ id }) => id === nameOf(execution));

/** Refused, on record, and nothing else happened. */
async function expectRefused(execution: ExecutionDocument, changes: Record<string, string>, because: RegExp) {
  const { models } = app.deps;
  const before = await approvalOf(execution);
  const edited = () => models.payloads.countDocuments({ executionId: execution._id, kind: 'edited' });
  const kept = await edited();
  expect(await edit(execution, changes)).toMatchObject({
    kind: 'refused',
    reason: expect.stringMatching(because),
  });
  expect(await approvalOf(execution)).toEqual(before);
  expect(await edited()).toBe(kept);
  const refusals = { 'subject.id': execution._id, action: 'approval.refused_edit' };
  expect(await models.auditEvents.countDocuments(refusals)).toBe(1);
}

it('another value for the same target is approved, and runs', async () => {
  const execution = await ask();
  expect(await edit(execution, { title: 'better' })).toMatchObject({
    kind: 'recorded',
    approval: { status: 'approved' },
  });
  expect(await run(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'read_again' });
  expect(records.get(nameOf(execution))).toMatchObject({ title: 'better' });
});

it('another target is refused, also one that is there and looks the same', async () => {
  const execution = await ask();
  records.put({ id: 'twin', title: 'before', state: 'open' });
  await expectRefused(execution, { id: 'twin' }, /something else than the card shows/);
  expect(writesOf(execution)).toEqual([]);
});

it('a target that moved since the card was drawn is refused', async () => {
  const execution = await ask();
  records.put({ id: nameOf(execution), title: 'somebody else’s', state: 'open' });
  await expectRefused(execution, { title: 'better' }, /has moved meanwhile/);
});

it('a target that cannot be read in time is refused, and the click is answered in time', async () => {
  const execution = await ask();
  records.faults.delay = 4_000;
  const began = performance.now();
  await expectRefused(execution, { title: 'better' }, /something else than the card shows/);
  expect(performance.now() - began).toBeLessThan(3_000);
});

it('a target that nobody has looked at yet is refused', async () => {
  const execution = await ask();
  const { models } = app.deps;
  const unseen = { target: null, targetNote: null, fingerprint: null };
  await models.approvals.updateOne({ executionId: execution._id }, { $set: unseen });
  await expectRefused(execution, { title: 'better' }, /something else than the card shows/);
});

it('where it has to be read and could not be, no edit gets round that', async () => {
  const execution = await ask(strict, 'nowhere', false);
  expect(await approvalOf(execution)).toMatchObject({ target: null, targetNote: expect.any(String) });
  records.put({ id: 'elsewhere', title: 'before', state: 'open' });
  for (const changes of [{ title: 'better' }, { id: 'elsewhere' }]) {
    expect(await edit(execution, changes)).toMatchObject({ kind: 'refused' });
  }
  expect(await approvalOf(execution)).toMatchObject({ status: 'pending', decisions: [], edited: null });
});

it('where it need not be read and could not be, an edit is approved, and the record says so', async () => {
  const execution = await ask(seeded, 'nobody', false);
  expect(await approvalOf(execution)).toMatchObject({ target: 'unchecked' });
  records.put({ id: 'nobody', title: 'made meanwhile', state: 'open' });
  expect(await edit(execution, { title: 'better' })).toMatchObject({ kind: 'recorded' });
  expect(await run(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'unchecked' });
});
