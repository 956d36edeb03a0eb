/**
 * The state machine: the table itself, and then random interleavings of everything that may happen to one call, from
 * two processes' services on one database (shared/RELIABILITY.md T16, short form).
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  APPROVAL_TRANSITIONS,
  assertTransition,
  EXECUTION_STARTS,
  EXECUTION_TRANSITIONS,
  initialApprovalStatus,
  isTerminal,
} from '../../models/state-machines.js';
import type { ExecutionDocument, ExecutionStatus } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { shortHash } from '../../src/services/binding.js';
import { createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { ask, sent } from '../harness/writes.js';

const STATUSES = Object.keys(EXECUTION_TRANSITIONS) as ExecutionStatus[];

/** Everything that can be reached, the state itself included. */
function reachable(from: ExecutionStatus): Set<ExecutionStatus> {
  const seen = new Set([from]);
  for (const status of seen) for (const next of EXECUTION_TRANSITIONS[status]) seen.add(next);
  return seen;
}

describe('the table', () => {
  it('ends in exactly the states that PRODUCT.md calls ends', () => {
    const ends = ['succeeded', 'failed', 'outcome_unknown', 'denied', 'expired', 'cancelled'];
    expect(STATUSES.filter(isTerminal).sort()).toEqual(ends.sort());
  });

  it('reaches every state from the starts, an end from every state, and never itself', () => {
    const all = new Set(EXECUTION_STARTS.flatMap((start) => [...reachable(start)]));
    expect([...all].sort()).toEqual([...STATUSES].sort());
    for (const status of STATUSES) {
      expect([...reachable(status)].some(isTerminal), status).toBe(true);
      expect(EXECUTION_TRANSITIONS[status]).not.toContain(status);
    }
  });

  it('sends only from one state, which is entered only from the queue', () => {
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('executing'))).toEqual([
      'queued',
    ]);
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('succeeded'))).toEqual([
      'executing',
    ]);
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('outcome_unknown'))).toEqual([
      'executing',
    ]);
  });

  it('refuses every change that it does not name', () => {
    for (const from of STATUSES) {
      for (const to of STATUSES) {
        const change = () => assertTransition(from, to);
        if (EXECUTION_TRANSITIONS[from].includes(to)) expect(change).not.toThrow();
        else expect(change, `${from} → ${to}`).toThrow(`cannot go from ${from} to ${to}`);
      }
    }
  });

  it('decides an approval once', () => {
    for (const [status, next] of Object.entries(APPROVAL_TRANSITIONS)) {
      expect(next.length > 0, status).toBe(status === 'pending');
    }
    expect(initialApprovalStatus('required')).toBe('pending');
    for (const other of ['none', 'granted', 'blocked'] as const) {
      expect(initialApprovalStatus(other)).toBe('not_required');
    }
  });
});

describe('random interleavings', () => {
  const RUNS = 100;
  const STEPS = [
    'ask again',
    'approve',
    'approve by another',
    'deny',
    'cancel',
    'expire',
    'settle',
    'take here',
    'take there',
    'sweep',
    'the process that runs it dies',
    'change the policy',
  ] as const;
  type Step = (typeof STEPS)[number];
  /** More often than the rest, or hardly any round would get as far as a send. */
  const ONWARD: readonly Step[] = [
    'approve',
    'approve by another',
    'settle',
    'settle',
    'take here',
    'take there',
  ];

  let world: World;
  let here: Connected;
  let there: Connected;
  let seeded: Seeded;
  let round = 0;
  const reached = new Map<ExecutionStatus, number>();

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    here = await world.services();
    there = await world.services();
    seeded = await seedHelpdesk(here, world.helpdesk, { approvers: ['U0BEN', 'U0CLEO'] });
  });
  afterAll(async () => {
    await here.close();
    await there.close();
    await world.close();
  });

  const now = async (id: string): Promise<ExecutionDocument> => here.services.executions.record(id);

  async function decide(app: Connected, id: string, userId: string, decision: 'approved' | 'denied') {
    const { bindingHash } = await now(id);
    const click = { executionId: id, hash: shortHash(bindingHash ?? ''), userId, decision, reason: null };
    return app.services.decisions.decide(click);
  }

  /** A claim whose process is gone, as it looks once its lease is over. */
  async function claimAndDie(id: string): Promise<void> {
    const past = new Date(here.deps.clock.now().getTime() - 1_000);
    const attempt = { id: 'at_dead', process: 'dead', claimedAt: past, leaseUntil: past };
    await here.deps.models.executions.updateOne(
      { _id: id, workspaceId: here.deps.workspaceId, status: 'queued' },
      { $set: { status: 'executing', attempt, nextActionAt: past }, $inc: { rev: 1 } },
    );
  }

  async function settleAll(app: Connected): Promise<void> {
    await app.services.recovery.settleApprovals();
    await app.services.recovery.endAbandoned();
  }

  function perform(step: Step, id: string, subject: string): Promise<unknown> {
    const { models, workspaceId, clock } = here.deps;
    const past = new Date(clock.now().getTime() - 1_000);
    switch (step) {
      case 'ask again':
        return ask(there, seeded, subject);
      case 'approve':
        return decide(here, id, 'U0BEN', 'approved');
      case 'approve by another':
        return decide(there, id, 'U0CLEO', 'approved');
      case 'deny':
        return decide(there, id, 'U0BEN', 'denied');
      case 'cancel':
        return now(id).then((execution) => here.services.executions.cancel(execution, 'Never mind.'));
      case 'expire':
        return models.approvals.updateOne({ workspaceId, executionId: id }, { $set: { expiresAt: past } });
      case 'settle':
        return settleAll(there);
      case 'take here':
        here.services.runner.take(id);
        return Promise.resolve();
      case 'take there':
        there.services.runner.take(id);
        return Promise.resolve();
      case 'sweep':
        return models.executions
          .updateOne({ _id: id, workspaceId, status: 'queued' }, { $set: { nextActionAt: past } })
          .then(() => there.services.recovery.claimQueued());
      case 'the process that runs it dies':
        return claimAndDie(id);
      case 'change the policy':
        return here.services.connections.find(seeded.connectionId).then((connection) => {
          if (!connection) throw new Error('the connection is gone');
          const ada = { kind: 'user', id: 'U0ADA' } as const;
          return here.services.connections.setPolicy(ada, connection, connection.policy.rules);
        });
    }
  }

  /** Two who change the policy at once: one is told that the other was first. */
  const lostRace = (error: unknown): boolean =>
    /changed this connection at the same time/.test(String(error));

  async function holds(groups: readonly (readonly Step[])[]): Promise<void> {
    round += 1;
    const subject = `round-${round}-end`;
    const { _id: id } = await ask(here, seeded, subject);
    let last = await now(id);
    const look = async (): Promise<void> => {
      const current = await now(id);
      expect(reachable(last.status), `${last.status} → ${current.status}`).toContain(current.status);
      if (isTerminal(last.status)) expect(current).toEqual(last);
      last = current;
    };
    for (const group of groups) {
      const results = await Promise.allSettled(group.map((step) => perform(step, id, subject)));
      for (const result of results)
        if (result.status === 'rejected' && !lostRace(result.reason)) throw result.reason;
      await look();
    }
    await Promise.all([settleAll(here), settleAll(there)]);
    here.services.runner.take(id);
    there.services.runner.take(id);
    const underWay = async () => ['queued', 'executing'].includes((await now(id)).status);
    await expect.poll(underWay, { timeout: 5_000 }).toBe(false);
    await look();

    const { models, workspaceId } = here.deps;
    const approval = await models.approvals.findOne({ workspaceId, executionId: id }).lean();
    const times = sent(world.helpdesk, subject).length;
    expect(times).toBeLessThanOrEqual(1);
    expect(approval?.decisions.length).toBeLessThanOrEqual(1);
    if (times === 1) expect(approval).toMatchObject({ status: 'approved', bindingHash: last.bindingHash });
    expect(times === 1).toBe(last.status === 'succeeded');
    expect(await models.executions.countDocuments({ workspaceId, idempotencyKey: subject })).toBe(1);
    reached.set(last.status, (reached.get(last.status) ?? 0) + 1);
    // What still waits would count against the caller in the rounds to come.
    await here.services.executions.cancel(last, 'The round is over.');
  }

  it(`hold for ${RUNS} rounds: one send at most, only when approved and bound, and an end is final`, {
    timeout: 120_000,
  }, async () => {
    const group = fc.array(fc.constantFrom(...STEPS, ...ONWARD), { minLength: 1, maxLength: 4 });
    await fc.assert(fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 6 }), holds), {
      numRuns: RUNS,
    });
    // The rounds are of use only if some of them get to a send.
    expect(reached.get('succeeded')).toBeGreaterThan(10);
  });

  it('the usual way through them sends once', async () => {
    await holds([['approve'], ['settle'], ['take here', 'take there', 'sweep']]);
    expect(sent(world.helpdesk, `round-${round}-end`)).toHaveLength(1);
  });
});
