/** An approver who edits may change what happens to the target that her card shows, and never which target it is. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ExecutionDocument, Risk } from '../../models/types.js';
import type { Arguments, ConnectorDefinition } from '../../src/connectors/framework.js';
import { bindingHash, shortHash } from '../../src/services/binding.js';
import { createServices } from '../../src/services/index.js';
import { approvalCard } from '../../src/slack/approval-view.js';
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
  const opened = await world.services();
  // As in Google Calendar: one of its arguments reaches people, and makes more of it than a write.
  const connector = async (id: string): Promise<ConnectorDefinition> => {
    const found = await opened.deps.connector(id);
    const risks = { risk: 'destructive', riskOf: risky } as const;
    return {
      ...found,
      functions: (config) =>
        found.functions(config).map((fn) => (fn.name === 'change_record' ? { ...fn, ...risks } : fn)),
    };
  };
  app = { ...opened, services: createServices({ ...opened.deps, connector }) };
  seeded = await seedRecords(app, records, 'Records');
  strict = await seedRecords(app, records, 'Strict records', { targetCheck: 'required' });
});
afterEach(() => {
  records.faults.delay = 0;
  vi.restoreAllMocks();
});
afterAll(async () => {
  await app.services.runner.drain(5_000);
  await app.close();
  await records.close();
  await world.close();
});

const risky = ({ state }: Arguments): Risk => (state === 'public' ? 'destructive' : 'write');

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

/** Nobody reads what is destroyed in less than a second. */
async function readFor5s({ _id }: ExecutionDocument): Promise<void> {
  const { models, workspaceId, clock } = app.deps;
  const createdAt = new Date(clock.now().getTime() - 5_000);
  await models.approvals.updateOne({ workspaceId, executionId: _id }, { $set: { createdAt } });
}

it('where the changed call has to be read and the card does not show it, the edit is refused', async () => {
  const execution = await ask(seeded, 'unseen', false);
  expect(await approvalOf(execution)).toMatchObject({ targetCheck: 'best_effort', target: 'unchecked' });
  records.put({ id: 'unseen', title: 'made meanwhile', state: 'open' });
  await readFor5s(execution);
  await expectRefused(execution, { state: 'public' }, /has to be seen first/);
  expect(writesOf(execution)).toEqual([]);
});

it('so it is where the rule did not ask for it and another one does', async () => {
  const conditional = await seedRecords(app, records, 'Conditional records', { targetCheck: 'off' });
  const connection = await app.services.connections.find(conditional.connectionId);
  const [rule] = connection?.policy.rules ?? [];
  if (!connection || !rule) throw new Error('not seeded');
  const closes = { field: 'argument.state', op: '=', value: 'closed' } as const;
  const when = { all: true, comparisons: [closes] };
  await app.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, [
    { ...rule, id: 'closing', when, targetCheck: 'required' },
    rule,
  ]);
  const execution = await ask(conditional);
  expect(await approvalOf(execution)).toMatchObject({ targetCheck: 'off', target: 'unchecked' });
  await expectRefused(execution, { state: 'closed' }, /has to be seen first/);
  expect(await edit(execution, { title: 'better' })).toMatchObject({ kind: 'recorded' });
});

it('where it was read, the changed call is held to it like one that was asked for so', async () => {
  const execution = await ask();
  expect(await approvalOf(execution)).toMatchObject({ targetCheck: 'best_effort', target: 'best_effort' });
  await readFor5s(execution);
  expect(await edit(execution, { state: 'public' })).toMatchObject({
    kind: 'recorded',
    approval: { status: 'approved', targetCheck: 'required', target: 'bound' },
  });
  vi.spyOn(app.services.calls, 'look').mockRejectedValueOnce(new Error('away'));
  expect(await run(execution)).toMatchObject({ status: 'failed', error: { code: 'target_changed' } });
  expect(writesOf(execution)).toEqual([]);
});

describe('what asks again for an edited call', () => {
  /** Approved as Ben made it, and not sent: somebody else was faster. What asks again. */
  async function askedAgain(): Promise<{ execution: ExecutionDocument; next: ExecutionDocument }> {
    const execution = await ask();
    expect(await edit(execution, { title: 'better' })).toMatchObject({ kind: 'recorded' });
    records.put({ id: nameOf(execution), title: 'somebody else’s', state: 'open' });
    const old = await run(execution);
    expect(old).toMatchObject({ status: 'failed', error: { code: 'target_changed' }, editedBy: 'U0BEN' });
    const next = await successorOf(old?.replacedBy ?? '');
    await until(async () => Boolean((await approvalOf(next)).target), 8_000);
    return { execution, next };
  }

  async function successorOf(id: string): Promise<ExecutionDocument> {
    const { models, workspaceId } = app.deps;
    let found: ExecutionDocument | null = null;
    await until(async () => {
      found = await models.executions.findOne({ _id: id, workspaceId }).lean();
      return found !== null;
    }, 5_000);
    return found ?? Promise.reject(new Error('nothing asks again'));
  }

  it('tells the edit on its card, in its record and to its caller, and binds it', async () => {
    const { execution, next } = await askedAgain();
    const asked = { id: nameOf(execution), title: 'after' };
    const edited = { ...asked, title: 'better' };
    const { payloads, executions } = app.services;
    expect(await payloads.originalArguments(next)).toEqual(asked);
    expect(await payloads.arguments(next)).toEqual(edited);
    expect(next).toMatchObject({ status: 'pending_approval', editedBy: 'U0BEN' });
    expect(next.bindingHash).toBe(bindingHash(next, edited));
    const approval = await approvalOf(next);
    const before = await approvalOf(execution);
    expect(approval).toMatchObject({ status: 'pending', bindingHash: next.bindingHash, decisions: [] });
    expect(approval.edited).toEqual({ ...before.edited, voided: [] });

    expect(await executions.view(next)).toMatchObject({ edited_arguments: edited });
    expect(await executions.payloadsFor('U0BEN', next)).toMatchObject({ arguments: edited, original: asked });
    const shown = await approvalCard(next._id, app.services, app.deps);
    expect(shown?.card.edited).toMatchObject({
      by: 'U0BEN',
      changes: [{ label: 'Title', before: 'after', after: 'better' }],
    });
    // What the system makes of it was read for the edited call, so the card tells it.
    expect(shown?.card.target?.fields).toContainEqual({
      label: 'title',
      value: 'somebody else’s',
      after: 'better',
    });
  });

  it('runs as edited once somebody approves it, and as edited anew where she changes it', async () => {
    const { next } = await askedAgain();
    const { bindingHash: digest } = await approvalOf(next);
    const target = { executionId: next._id, hash: shortHash(digest), userId: 'U0BEN' };
    expect(
      await app.services.decisions.decide({ ...target, decision: 'approved', reason: null }),
    ).toMatchObject({ kind: 'recorded' });
    expect(await run(next)).toMatchObject({ status: 'succeeded', editedBy: 'U0BEN' });

    const other = (await askedAgain()).next;
    const hash = shortHash((await approvalOf(other)).bindingHash);
    const args: Arguments = { ...(await app.services.payloads.arguments(other)), title: 'best' };
    const outcome = await app.services.edits.submit({ ...target, executionId: other._id, hash }, args);
    expect(outcome).toMatchObject({ kind: 'recorded' });
    expect(await run(other)).toMatchObject({ status: 'succeeded' });
    expect(await app.services.payloads.originalArguments(other)).toMatchObject({ title: 'after' });
    expect(records.get(String(args.id))).toMatchObject({ title: 'best' });
    const shown = await approvalCard(other._id, app.services, app.deps);
    expect(shown?.card.edited?.changes).toMatchObject([{ before: 'after', after: 'best' }]);
    expect(shown?.card.target?.fields.filter(({ after }) => after !== undefined)).toEqual([]);
  });

  it('tells it also where the policy blocks it by then', async () => {
    const execution = await ask();
    await edit(execution, { title: 'better' });
    records.put({ id: nameOf(execution), title: 'somebody else’s', state: 'open' });
    await app.services.recovery.settleApprovals();
    const replacements = vi
      .spyOn(app.deps.models.executions, 'create')
      .mockRejectedValueOnce(new Error('dead'));
    app.services.runner.take(execution._id);
    const [old] = await ends(app, [execution._id], 5_000);
    await until(() => replacements.mock.calls.length > 0, 5_000);
    const connection = await app.services.connections.find(seeded.connectionId);
    if (!connection || !old) throw new Error('not seeded');
    const { rules } = connection.policy;
    const ada = { kind: 'user', id: 'U0ADA' } as const;
    await app.services.connections.setPolicy(
      ada,
      connection,
      rules.map((rule) => ({ ...rule, effect: 'deny' })),
    );
    const { models, workspaceId } = app.deps;
    const due = { $set: { nextActionAt: new Date(0) } };
    await models.executions.updateOne({ _id: old._id, workspaceId }, due);
    await app.services.recovery.announcePending();
    const next = await successorOf(old.replacedBy ?? '');
    expect(next).toMatchObject({ status: 'denied', requirement: 'blocked', editedBy: 'U0BEN' });
    expect(await app.services.executions.view(next)).toMatchObject({ edited_arguments: { title: 'better' } });
    const after = await app.services.connections.find(connection._id);
    if (after) await app.services.connections.setPolicy(ada, after, rules);
  });
});
