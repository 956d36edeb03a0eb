/** What the approver saw is still true, or the call does not run; it asks again, once, and says so. */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { isTerminal } from '../../models/state-machines.js';
import type { ApprovalDocument, ExecutionDocument, PolicyRule } from '../../models/types.js';
import { json } from '../../playground/loopback.js';
import { shortHash } from '../../src/services/binding.js';
import { isTighter } from '../../src/services/policy.js';
import { fingerprintOf, movedBetween, targetQuestion } from '../../src/services/targets.js';
import { createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';
import { connection, fn, rule } from './documents.js';

const observed = fn({ observe: { read: async () => ({ fields: [], version: '' }), condition: null } });
const field = (label: string, value: string, after?: string) => ({
  label,
  value,
  kind: 'short' as const,
  ...(after === undefined ? {} : { after }),
});

describe('what the policy asks of a target', () => {
  const asks = (risk: 'write' | 'destructive', given: Partial<PolicyRule> = {}, on = observed) =>
    targetQuestion(on, { risk, rule: rule(given) });

  it('is required for what destroys, best effort otherwise, and what the rule says before either', () => {
    expect(asks('destructive')).toMatchObject({ targetCheck: 'required', target: null });
    expect(asks('write')).toMatchObject({ targetCheck: 'best_effort', target: null });
    expect(asks('write', { targetCheck: 'required' })).toMatchObject({ targetCheck: 'required' });
    expect(asks('destructive', { targetCheck: 'off' })).toMatchObject({ target: 'unchecked' });
  });

  it('says why nothing is checked where a function has no way to read its target', () => {
    const without = fn({ observe: { none: 'A POST names nothing that could be read first.' } });
    expect(asks('destructive', {}, without)).toMatchObject({
      target: 'unchecked',
      targetNote: 'A POST names nothing that could be read first.',
    });
    expect(asks('write', {}, fn())).toMatchObject({ target: 'unchecked' });
  });

  it('may be made stricter by an owner, not laxer', () => {
    const functions = [fn()];
    const mayMake = (before: PolicyRule['targetCheck'], after: PolicyRule['targetCheck']) =>
      isTighter(
        connection({ policy: { version: 1, rules: [rule(before ? { targetCheck: before } : {})] } }),
        [rule(after ? { targetCheck: after } : {})],
        functions,
      );
    expect(mayMake(undefined, 'required')).toBe(true);
    expect(mayMake('required', 'best_effort')).toBe(false);
    expect(mayMake(undefined, 'off')).toBe(false);
  });
});

describe('a fingerprint', () => {
  it('is of the values and the version, whatever their order and whatever the call makes of them', () => {
    const one = { fields: [field('a', '1', '2'), field('b', '2')], version: 'v1' };
    expect(fingerprintOf({ ...one, fields: [field('b', '2'), field('a', '1')] })).toBe(fingerprintOf(one));
    expect(fingerprintOf({ ...one, version: 'v2' })).not.toBe(fingerprintOf(one));
    expect(fingerprintOf({ ...one, fields: [field('a', '1'), field('b', '3')] })).not.toBe(
      fingerprintOf(one),
    );
    expect(fingerprintOf({ fields: [field('a', '1,b')], version: '' })).not.toBe(
      fingerprintOf({ fields: [field('a', '1'), field('b', '')], version: '' }),
    );
  });

  it('of two looks tells what moved', () => {
    const before = { fields: [field('a', '1'), field('b', '2')], version: 'v1' };
    const after = { fields: [field('a', '1'), field('b', '3'), field('c', '4')], version: 'v2' };
    expect(movedBetween(before, after)).toEqual([
      { label: 'b', was: '2', now: '3' },
      { label: 'c', was: null, now: '4' },
    ]);
    expect(movedBetween(before, before)).toEqual([]);
  });
});

let world: World;
let app: Awaited<ReturnType<World['services']>>;
let tagged: Records;
let plain: Records;
const seeds = new Map<Records, SeededRecords>();
let count = 0;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  tagged = await startRecords(true);
  plain = await startRecords(false);
  world.allowPrivate.push(new URL(tagged.origin).host, new URL(plain.origin).host);
  app = await world.services();
  seeds.set(tagged, await seedRecords(app, tagged, 'Tagged records'));
  seeds.set(plain, await seedRecords(app, plain, 'Plain records'));
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const records of [tagged, plain]) {
    records.between(null);
    records.answering(null);
    records.faults.delay = 0;
  }
});
afterAll(async () => {
  await app.close();
  await tagged.close();
  await plain.close();
  await world.close();
});

const approvalOf = (id: string): Promise<ApprovalDocument | null> => app.services.approvals.ofExecution(id);
const record = (id: string): Promise<ExecutionDocument> => app.services.executions.record(id);

async function ask(records: Records, call: 'change_record' | 'delete_record', title = 'after') {
  count += 1;
  const id = `r${count}`;
  records.put({ id, title: 'before', state: 'open' });
  const seeded = seeds.get(records);
  const caller = await app.services.callers.get(seeded?.callerId ?? '');
  if (!caller || !seeded) throw new Error('not seeded');
  const { execution } = await app.services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: call,
    arguments: call === 'change_record' ? { id, title } : { id },
    onBehalfOf: null,
    reason: null,
    idempotencyKey: id,
  });
  return { id, execution };
}

const looked = (executionId: string) =>
  until(async () => {
    const approval = await approvalOf(executionId);
    return Boolean(approval?.target ?? approval?.targetNote);
  }, 8_000);

async function decide(execution: ExecutionDocument) {
  const { models, workspaceId, clock } = app.deps;
  // Nobody reads what is destroyed in less than a second.
  const aWhileAgo = new Date(clock.now().getTime() - 5_000);
  await models.approvals.updateOne(
    { workspaceId, executionId: execution._id },
    { $set: { createdAt: aWhileAgo } },
  );
  return app.services.decisions.decide({
    executionId: execution._id,
    hash: shortHash((await approvalOf(execution._id))?.bindingHash ?? ''),
    userId: 'U0BEN',
    decision: 'approved',
    reason: null,
  });
}

/** A person's yes, and the run. How it ended. */
async function approveAndRun(execution: ExecutionDocument): Promise<ExecutionDocument> {
  const outcome = await decide(execution);
  if (outcome.kind !== 'recorded') throw new Error(JSON.stringify(outcome));
  await app.services.approvals.settle(outcome.approval);
  app.services.runner.take(execution._id);
  await until(async () => isTerminal((await record(execution._id)).status), 10_000);
  return record(execution._id);
}

async function replacementOf(old: ExecutionDocument): Promise<ExecutionDocument> {
  let found: ExecutionDocument | null = null;
  await until(async () => {
    found = await app.deps.models.executions
      .findOne({ _id: old.replacedBy ?? '', workspaceId: app.deps.workspaceId })
      .lean();
    return found !== null;
  }, 5_000);
  if (!found) throw new Error('nothing asks again');
  return found;
}

describe('a call whose target is as the approver saw it', () => {
  it('runs under the condition of the system where it takes one', async () => {
    const { id, execution } = await ask(tagged, 'change_record');
    await looked(execution._id);
    expect(await approvalOf(execution._id)).toMatchObject({ target: 'best_effort', targetNote: null });
    const reads = tagged.requests.length;
    expect(await approveAndRun(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'condition' });
    expect(tagged.writes.at(-1)).toMatchObject({ id, ifMatch: '"v1"' });
    expect(tagged.requests.length - reads).toBe(1);
  });

  it('is read again just before where it takes none', async () => {
    const { id, execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    const reads = plain.requests.length;
    expect(await approveAndRun(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'read_again' });
    expect(plain.requests.slice(reads).map(({ method }) => method)).toEqual(['GET', 'PATCH']);
    expect(plain.writes.at(-1)).toMatchObject({ id, over: { title: 'before' } });
  });
});

describe.each([
  ['under a condition', () => tagged, 'condition'],
  ['read again', () => plain, 'read_again'],
] as const)('a call whose target changed, %s', (_how, of, held) => {
  it('does not run, and asks again under its own name', async () => {
    const { id, execution } = await ask(of(), 'change_record');
    await looked(execution._id);
    of().put({ id, title: 'somebody else’s', state: 'open' });
    const ended = await approveAndRun(execution);
    expect(ended).toMatchObject({
      status: 'failed',
      error: { code: 'target_changed' },
      targetHeld: held,
      replacedBy: expect.stringMatching(/^ex_/),
    });
    expect(ended.error?.message).toContain(ended.replacedBy);
    expect(of().writes.filter((write) => write.id === id)).toEqual([]);

    const next = await replacementOf(ended);
    expect(next).toMatchObject({
      status: 'pending_approval',
      replaces: execution._id,
      callerId: execution.callerId,
      onBehalfOf: null,
      requirement: 'required',
      attempt: null,
    });
    expect(await app.services.payloads.arguments(next)).toEqual({ id, title: 'after' });
    const view = await app.services.executions.view(ended);
    expect(view).toMatchObject({ status: 'failed', replaced_by: next._id });
    await looked(next._id);
    expect((await app.services.targets.seen(next)).moved).toEqual([
      { label: 'title', was: 'before', now: 'somebody else’s' },
    ]);
    // The chain goes on: a person is asked each time, and runs what she then saw.
    of().put({ id, title: 'a third one’s', state: 'open' });
    const again = await approveAndRun(next);
    expect(again).toMatchObject({ status: 'failed', error: { code: 'target_changed' } });
    const last = await replacementOf(again);
    await looked(last._id);
    expect(await approveAndRun(last)).toMatchObject({ status: 'succeeded', replaces: next._id });
    expect(of().writes.filter((write) => write.id === id)).toMatchObject([
      { over: { title: 'a third one’s' } },
    ]);
  });
});

describe('a target that has to be read', () => {
  it('and cannot be: nobody can approve until it can', async () => {
    const { id, execution } = await ask(tagged, 'delete_record');
    await looked(execution._id);
    const gone = await ask(plain, 'delete_record');
    await looked(gone.execution._id);
    expect(await approvalOf(execution._id)).toMatchObject({ target: 'bound' });

    const { models, workspaceId } = app.deps;
    const unread = { target: null, targetNote: 'It did not answer.', fingerprint: null };
    await models.approvals.updateOne({ workspaceId, executionId: execution._id }, { $set: unread });
    await models.payloads.deleteOne({ workspaceId, _id: `${execution._id}:observation` });
    expect(await decide(execution)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('It did not answer.'),
    });
    await app.services.targets.look(execution);
    expect(await approvalOf(execution._id)).toMatchObject({ target: null });
    await app.services.targets.look(execution, true);
    expect(await approvalOf(execution._id)).toMatchObject({ target: 'bound', targetNote: null });
    expect(await approveAndRun(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'condition' });
    expect(tagged.get(id)).toBeUndefined();
  });

  it('and is away when the call would run: nothing is sent, and it asks again', async () => {
    const { id, execution } = await ask(plain, 'delete_record');
    await looked(execution._id);
    vi.spyOn(app.services.calls, 'look').mockRejectedValueOnce(new Error('away'));
    const ended = await approveAndRun(execution);
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'target_changed' } });
    expect(plain.get(id)).toBeDefined();
    await looked((await replacementOf(ended))._id);
  });

  it('where it need not be: the call runs, and the record says that it was not checked', async () => {
    const { execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    vi.spyOn(app.services.calls, 'look').mockRejectedValueOnce(new Error('away'));
    expect(await approveAndRun(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'unchecked' });
  });

  it('holds up a card for a few seconds at most', async () => {
    plain.faults.delay = 9_000;
    const { execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    plain.faults.delay = 0;
    expect(await approvalOf(execution._id)).toMatchObject({
      target: 'unchecked',
      targetNote: expect.stringContaining('in time'),
    });
    expect(await approveAndRun(execution)).toMatchObject({ status: 'succeeded', targetHeld: 'unchecked' });
  });
});

describe('what is kept of a target', () => {
  it('is sealed, and no other record passes for it', async () => {
    const { execution } = await ask(plain, 'change_record', 'a title that is nobody’s business');
    const other = await ask(plain, 'change_record');
    await looked(execution._id);
    await looked(other.execution._id);
    const { models, workspaceId } = app.deps;
    const stored = await models.payloads.findOne({ workspaceId, _id: `${execution._id}:observation` }).lean();
    expect(JSON.stringify(stored)).not.toContain('before');
    const theirs = await models.payloads
      .findOne({ workspaceId, _id: `${other.execution._id}:observation` })
      .lean();
    await models.payloads.updateOne(
      { _id: `${execution._id}:observation` },
      { $set: { record: theirs?.record } },
    );
    const writes = plain.writes.length;
    expect(await approveAndRun(execution)).toMatchObject({
      status: 'failed',
      error: { code: 'target_changed' },
    });
    expect(plain.writes.length).toBe(writes);
  });
});

describe('a 412', () => {
  it('is never an unknown outcome', async () => {
    const { execution } = await ask(tagged, 'change_record');
    await looked(execution._id);
    tagged.answering(() => json(412, { message: 'no' }));
    expect(await approveAndRun(execution)).toMatchObject({
      status: 'failed',
      error: { code: 'target_changed' },
      targetHeld: 'condition',
    });
  });
});

describe('the one that asks again', () => {
  it('is made by the sweeper where the process died, and only once', async () => {
    const { id, execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    plain.put({ id, title: 'moved', state: 'open' });
    const { models, workspaceId } = app.deps;
    const create = vi.spyOn(models.executions, 'create').mockRejectedValueOnce(new Error('dead'));
    const ended = await approveAndRun(execution);
    expect(ended.replacedBy).toBeTruthy();
    await until(() => create.mock.calls.length > 0, 5_000);
    expect(await models.executions.findOne({ _id: ended.replacedBy ?? '', workspaceId })).toBeNull();

    await models.executions.updateOne(
      { _id: ended._id, workspaceId },
      { $set: { nextActionAt: new Date(0) } },
    );
    const other = await world.services();
    await Promise.all([
      app.services.recovery.announcePending(),
      other.services.recovery.announcePending(),
      app.services.recovery.announcePending(),
    ]);
    await other.close();
    const made = await models.executions.find({ workspaceId, replaces: ended._id }).lean();
    expect(made.map(({ _id }) => _id)).toEqual([ended.replacedBy]);
    expect((await record(ended._id)).nextActionAt).toBeNull();
    const approval = await approvalOf(ended.replacedBy ?? '');
    expect(approval?.bindingHash).toBe(made[0]?.bindingHash);
  });

  it('falls under the rule for its caller, as the first one did', async () => {
    const seeded = seeds.get(plain);
    const actor = { kind: 'user', id: 'U0ADA' } as const;
    const before = await app.services.connections.find(seeded?.connectionId ?? '');
    if (!before) throw new Error('not seeded');
    const others = { field: 'caller', op: '=', value: 'Somebody else' } as const;
    const refuses = rule({ id: 'others', effect: 'deny', when: { all: true, comparisons: [others] } });
    await app.services.connections.setPolicy(actor, before, [refuses, ...before.policy.rules]);
    const { id, execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    plain.put({ id, title: 'moved', state: 'open' });
    const next = await replacementOf(await approveAndRun(execution));
    expect(next).toMatchObject({ status: 'pending_approval', error: null });
    const after = await app.services.connections.find(before._id);
    if (after) await app.services.connections.setPolicy(actor, after, before.policy.rules);
  });

  it('has a key that no caller can send, so that none can take it first', async () => {
    const { id, execution } = await ask(plain, 'change_record');
    await looked(execution._id);
    plain.put({ id, title: 'moved', state: 'open' });
    const next = await replacementOf(await approveAndRun(execution));
    // src/http/v1.ts takes visible ASCII characters only.
    expect(next.idempotencyKey).not.toMatch(/^[\x21-\x7e]{1,255}$/);
  });
});
