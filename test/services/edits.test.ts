/** Edit, then approve: what an approver makes of the arguments is checked like a call, and is what runs. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { ExecutionDocument, PolicyRule } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { bindingHash, shortHash } from '../../src/services/binding.js';
import { changedFields } from '../../src/services/edited-fields.js';
import { createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { ask, ends, sent, ticketArguments } from '../harness/writes.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

let world: World;
let app: Connected;
let seeded: Seeded;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  app = await world.services();
  seeded = await seedHelpdesk(app, world.helpdesk, { approvers: ['U0BEN', 'U0CLEO'], route: null });
});
afterAll(async () => {
  await app.close();
  await world.close();
});

const writes = (given: Partial<PolicyRule> = {}): PolicyRule => ({
  id: 'writes',
  functions: null,
  risks: ['write', 'destructive'],
  effect: 'ask',
  approvers: { users: ['U0BEN', 'U0CLEO'], usergroups: [], connectionOwner: false },
  quorum: 1,
  route: null,
  expiresInMinutes: 60,
  ...given,
});
const HIGH = { all: true, comparisons: [{ field: 'argument.priority', op: '=', value: 'high' }] };

async function policy(...rules: PolicyRule[]): Promise<void> {
  const connection = await app.services.connections.find(seeded.connectionId);
  if (!connection) throw new Error('the connection is gone');
  await app.services.connections.setPolicy(ADA, connection, rules);
}

const asked = (): Promise<ExecutionDocument> => ask(app, seeded, `edit-${++count}`);
const request = async ({ _id }: ExecutionDocument) => {
  const approval = await app.services.approvals.ofExecution(_id);
  if (!approval) throw new Error('there is no request');
  return approval;
};
const hashOf = async (execution: ExecutionDocument) => shortHash((await request(execution)).bindingHash);

async function edit(
  execution: ExecutionDocument,
  changes: Record<string, string>,
  userId = 'U0BEN',
  hash?: string,
) {
  const target = { executionId: execution._id, hash: hash ?? (await hashOf(execution)), userId };
  return app.services.edits.submit(target, { ...ticketArguments(execution.idempotencyKey), ...changes });
}

async function decide(
  execution: ExecutionDocument,
  userId: string,
  decision: 'approved' | 'denied',
  hash?: string,
) {
  return app.services.decisions.decide({
    executionId: execution._id,
    hash: hash ?? (await hashOf(execution)),
    userId,
    decision,
    reason: null,
  });
}

async function run(execution: ExecutionDocument): Promise<ExecutionDocument | undefined> {
  await app.services.recovery.settleApprovals();
  app.services.runner.take(execution._id);
  return (await ends(app, [execution._id], 5_000))[0];
}

const audited = (execution: ExecutionDocument, action: string) =>
  app.deps.models.auditEvents.find({ 'subject.id': execution._id, action }).lean();

describe('an edit', () => {
  beforeEach(() => policy(writes()));

  it('is what runs, once, and the caller is told what changed', async () => {
    const execution = await asked();
    const outcome = await edit(execution, { body: 'Floor 4' });
    expect(outcome).toMatchObject({
      kind: 'recorded',
      approval: { status: 'approved', edited: { by: 'U0BEN', voided: [] } },
    });
    const done = await run(execution);
    expect(done).toMatchObject({ status: 'succeeded', editedBy: 'U0BEN' });
    const [body] = sent(world.helpdesk, execution.idempotencyKey);
    expect(body).toContain('Floor 4');
    expect(body).not.toContain('Floor 3');
    const view = done && (await app.services.executions.view(done));
    expect(view?.edited_arguments).toEqual({ ...ticketArguments(execution.idempotencyKey), body: 'Floor 4' });
    const payloads = done && (await app.services.executions.payloadsFor('U0BEN', done));
    expect(payloads?.original).toEqual(ticketArguments(execution.idempotencyKey));
    const [event] = await audited(execution, 'approval.edited');
    expect(event?.details).toMatchObject({ fields: ['body'], voided: [] });
    expect(JSON.stringify(event)).not.toContain('Floor');
  });

  it('makes every card with the old arguments out of date', async () => {
    await policy(writes({ quorum: 2 }));
    const execution = await asked();
    const old = await hashOf(execution);
    await edit(execution, { body: 'Floor 4' });
    for (const decision of ['approved', 'denied'] as const) {
      expect(await decide(execution, 'U0CLEO', decision, old)).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('out of date'),
      });
    }
    expect(await edit(execution, { body: 'Floor 5' }, 'U0CLEO', old)).toMatchObject({ kind: 'refused' });
    expect(await request(execution)).toMatchObject({ status: 'pending', decisions: [{ userId: 'U0BEN' }] });
  });

  it('ends the approvals of others, who approved something else, and is the first of the new ones', async () => {
    await policy(writes({ quorum: 2 }));
    const execution = await asked();
    await decide(execution, 'U0CLEO', 'approved');
    expect(await edit(execution, { body: 'Floor 4' })).toMatchObject({
      kind: 'recorded',
      approval: { status: 'pending', edited: { voided: ['U0CLEO'] }, decisions: [{ userId: 'U0BEN' }] },
    });
    const told = await app.deps.models.outbox.find({ to: 'U0CLEO', view: 'notice' }).lean();
    expect(told.map(({ message }) => message)).toContainEqual(
      expect.objectContaining({ kind: 'approval_voided', executionId: execution._id, by: 'U0BEN' }),
    );
    expect(await decide(execution, 'U0CLEO', 'approved')).toMatchObject({ approval: { status: 'approved' } });
    expect(await run(execution)).toMatchObject({ status: 'succeeded' });
    expect(sent(world.helpdesk, execution.idempotencyKey)[0]).toContain('Floor 4');
  });

  it('may be denied by another approver, and is on record as what was denied', async () => {
    await policy(writes({ quorum: 2 }));
    const execution = await asked();
    await edit(execution, { body: 'Floor 4' });
    await decide(execution, 'U0CLEO', 'denied');
    const done = await run(execution);
    expect(done).toMatchObject({ status: 'denied', editedBy: 'U0BEN' });
    expect(sent(world.helpdesk, execution.idempotencyKey)).toEqual([]);
  });

  it.each([
    ['the caller’s owner', 'U0ADA'],
    ['somebody who is not on the list', 'U0DANA'],
  ])('is not for %s', async (_, userId) => {
    const execution = await asked();
    const before = await request(execution);
    await expect(edit(execution, { body: 'Floor 4' }, userId)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      app.services.edits.open({ executionId: execution._id, hash: shortHash(before.bindingHash), userId }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    expect(await request(execution)).toEqual(before);
  });

  it('has to be what the function takes, and has to change something', async () => {
    const execution = await asked();
    const before = await request(execution);
    const target = { executionId: execution._id, hash: shortHash(before.bindingHash), userId: 'U0BEN' };
    expect(await app.services.edits.submit(target, { subject: 5 })).toMatchObject({
      kind: 'invalid',
      issues: expect.arrayContaining([expect.objectContaining({ path: '/subject' })]),
    });
    expect(await edit(execution, {})).toMatchObject({ kind: 'invalid' });
    expect(await request(execution)).toEqual(before);
  });

  it('is refused while everything is paused', async () => {
    const execution = await asked();
    const connection = await app.services.connections.find(seeded.connectionId);
    if (!connection) throw new Error('the connection is gone');
    const pause = { by: 'U0ADA', at: new Date(), reason: 'moving' };
    const paused = await app.services.connections.pause(ADA, connection, pause);
    const outcome = await edit(execution, { body: 'Floor 4' });
    await app.services.connections.pause(ADA, paused, null);
    expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringContaining('paused') });
  });

  it('leaves the old arguments where the process dies before the decision is stored', async () => {
    const execution = await asked();
    const args = { ...ticketArguments(execution.idempotencyKey), body: 'Floor 4' };
    await app.services.payloads.storeEdited(execution, bindingHash(execution, args), args);
    expect(await app.services.payloads.arguments(execution)).toEqual(
      ticketArguments(execution.idempotencyKey),
    );
    await decide(execution, 'U0BEN', 'approved');
    expect(await run(execution)).toMatchObject({ status: 'succeeded' });
    expect(sent(world.helpdesk, execution.idempotencyKey)[0]).toContain('Floor 3');
  });

  it('does not run when its arguments do not fit the digest', async () => {
    const execution = await asked();
    await edit(execution, { body: 'Floor 4' });
    const { models, workspaceId } = app.deps;
    await models.payloads.deleteOne({ workspaceId, executionId: execution._id, kind: 'edited' });
    expect(await run(execution)).toMatchObject({ status: 'failed', error: { code: 'refused_binding' } });
    expect(sent(world.helpdesk, execution.idempotencyKey)).toEqual([]);
  });
});

describe('the policy of the changed call', () => {
  it('may block it', async () => {
    await policy({ ...writes({ id: 'high', when: HIGH }), effect: 'deny' }, writes());
    const execution = await asked();
    expect(await edit(execution, { priority: 'high' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('blocks the call'),
    });
    expect((await audited(execution, 'approval.refused_edit')).length).toBe(1);
    expect(await request(execution)).toMatchObject({ status: 'pending', decisions: [], edited: null });
  });

  const danaToo = (users: string[], quorum = 1) =>
    writes({
      id: 'high',
      when: HIGH,
      quorum,
      approvers: { users, usergroups: [], connectionOwner: false },
    });

  it('may name others to decide', async () => {
    await policy(danaToo(['U0DANA']), writes());
    const execution = await asked();
    expect(await edit(execution, { priority: 'high' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('another rule'),
    });
    expect(await request(execution)).toMatchObject({ status: 'pending', decisions: [] });
  });

  it('is the one that counts from then on, where she is among those whom it names', async () => {
    await policy(danaToo(['U0BEN', 'U0DANA'], 2), writes());
    const execution = await asked();
    expect(await edit(execution, { priority: 'high' })).toMatchObject({
      kind: 'recorded',
      approval: { status: 'pending', quorum: 2, approvers: { users: ['U0BEN', 'U0DANA'] } },
    });
    expect(await decide(execution, 'U0CLEO', 'approved')).toMatchObject({ kind: 'refused' });
    expect(await decide(execution, 'U0DANA', 'approved')).toMatchObject({ approval: { status: 'approved' } });
    expect(await run(execution)).toMatchObject({ status: 'succeeded' });
  });
});

describe('what the changed call’s rule asks', () => {
  const list = (...users: string[]) => ({ users, usergroups: [], connectionOwner: false });
  const second = (afterMinutes: number, ...users: string[]) => ({ approvers: list(...users), afterMinutes });
  const high = (given: Partial<PolicyRule>) =>
    writes({ id: 'high', when: HIGH, approvers: list('U0BEN', 'U0CLEO'), quorum: 2, ...given });
  const approvals = () => app.deps.models.approvals;
  const inMinutes = (at: Date | null | undefined) => Math.round(((at?.getTime() ?? 0) - Date.now()) / 60_000);

  it('is all that is asked: nobody of the old rule’s second list decides', async () => {
    await policy(high({ rememberable: false }), writes({ escalation: second(20, 'U0DANA') }));
    const execution = await asked();
    await approvals().updateOne({ executionId: execution._id }, { $set: { escalatedAt: new Date() } });
    expect(await request(execution)).toMatchObject({ escalateTo: list('U0DANA'), rememberable: true });
    await edit(execution, { priority: 'high' });
    expect(await request(execution)).toMatchObject({
      quorum: 2,
      escalateTo: null,
      escalateAt: null,
      escalatedAt: null,
      rememberable: false,
    });
    expect(await decide(execution, 'U0DANA', 'approved')).toMatchObject({ kind: 'refused' });
    expect(await decide(execution, 'U0CLEO', 'approved')).toMatchObject({ approval: { status: 'approved' } });
  });

  it('is asked anew: its second list and its reminders count from the edit, within the time that is left', async () => {
    await policy(
      high({ escalation: second(30, 'U0DANA'), expiresInMinutes: 600, reminders: [0.5] }),
      writes({ escalation: second(20, 'U0DANA') }),
    );
    const execution = await asked();
    const late = { escalatedAt: new Date(), expiresAt: new Date(Date.now() + 40 * 60_000) };
    await approvals().updateOne({ executionId: execution._id }, { $set: late });
    await edit(execution, { priority: 'high' });
    const anew = await request(execution);
    expect(anew).toMatchObject({ expiresAt: late.expiresAt, escalatedAt: null, remindersLeft: [] });
    expect(inMinutes(anew.escalateAt)).toBe(30);
    expect(inMinutes(anew.nextReminderAt)).toBe(20);
    expect(await decide(execution, 'U0DANA', 'approved')).toMatchObject({ kind: 'refused' });
    await approvals().updateOne(
      { executionId: execution._id },
      { $set: { escalateAt: new Date(Date.now() - 1_000) } },
    );
    await app.services.reminders.escalate();
    expect(await decide(execution, 'U0DANA', 'approved')).toMatchObject({ approval: { status: 'approved' } });
  });

  it('ends the request when its own time is over, and the caller is told so', async () => {
    await policy(high({ expiresInMinutes: 10, escalation: second(5, 'U0DANA') }), writes());
    const execution = await asked();
    await edit(execution, { priority: 'high' });
    const anew = await request(execution);
    expect(inMinutes(anew.expiresAt)).toBe(10);
    expect(inMinutes(anew.escalateAt)).toBe(5);
    expect((await app.services.executions.record(execution._id)).expiresAt).toEqual(anew.expiresAt);
  });

  it('is not what was due when the sweeper looked at the old question', async () => {
    await policy(high({ escalation: second(30, 'U0DANA') }), writes({ escalation: second(20, 'U0DANA') }));
    const execution = await asked();
    await approvals().updateOne(
      { executionId: execution._id },
      { $set: { escalateAt: new Date(Date.now() - 1_000) } },
    );
    const { eligibility, reminders } = app.services;
    const deciders = eligibility.deciders.bind(eligibility);
    let edits = 0;
    vi.spyOn(eligibility, 'deciders').mockImplementation(async (...given) => {
      // Not the look-up for the cards of the first list, which may still be on its way.
      if (given[0].approvers.users.includes('U0DANA') && edits++ === 0)
        await edit(execution, { priority: 'high' });
      return deciders(...given);
    });
    await reminders.escalate();
    vi.restoreAllMocks();
    expect(edits).toBe(1);
    expect(await request(execution)).toMatchObject({ quorum: 2, escalatedAt: null });
  });
});

describe('what changed', () => {
  it('is told field by field, one level down', () => {
    const before = { a: 1, b: { c: 'x', d: 'y' }, e: [1, 2], gone: null };
    const after = { a: 1, b: { c: 'z', d: 'y' }, e: [2, 1], more: true };
    expect(changedFields(before, after)).toEqual([
      { path: 'b.c', before: 'x', after: 'z' },
      { path: 'e', before: [1, 2], after: [2, 1] },
      { path: 'gone', before: null, after: undefined },
      { path: 'more', before: undefined, after: true },
    ]);
    expect(changedFields({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } })).toEqual([]);
  });
});
