/** A dry run says what a submission then does, for random calls under random policies; and leaves nothing behind. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { ExecutionDocument, PolicyRule } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { AppError } from '../../src/errors.js';
import { shortHash } from '../../src/services/binding.js';
import type { Simulated } from '../../src/services/simulation.js';
import { createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { approve } from '../harness/writes.js';

const CALLS = 100;
let world: World;
let here: Connected;
let seeded: Seeded;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  here = await world.services();
  seeded = await seedHelpdesk(here, world.helpdesk, { approvers: ['U0BEN'] });
});
afterAll(async () => {
  await here.services.runner.drain(5_000);
  await here.close();
  await world.close();
});

/** What a submission came to, in the dry run's words. */
function became({
  status,
  error,
  requirement,
}: ExecutionDocument): Pick<Simulated, 'outcome' | 'requirement'> {
  if (status === 'pending_authorization')
    return { outcome: 'authorize', requirement: requirement as 'required' };
  if (error?.code === 'paused' || error?.code === 'not_ready' || error?.code === 'needs_more_scopes')
    return { outcome: 'refused', requirement };
  if (requirement === 'blocked') return { outcome: 'blocked', requirement };
  return { outcome: status === 'pending_approval' ? 'ask' : 'run', requirement };
}

async function setRules(rules: readonly PolicyRule[]): Promise<void> {
  const connection = await here.services.connections.find(seeded.connectionId);
  if (connection) await here.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, rules);
}

async function pause(paused: boolean): Promise<void> {
  const connection = await here.services.connections.find(seeded.connectionId);
  if (!connection || (connection.paused !== null) === paused) return;
  const by = paused ? { by: 'U0ADA', at: new Date(), reason: 'moving' } : null;
  await here.services.connections.pause({ kind: 'user', id: 'U0ADA' }, connection, by);
}

const base: Omit<PolicyRule, 'id' | 'functions' | 'effect'> = {
  risks: null,
  approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
  quorum: 1,
  route: null,
  expiresInMinutes: 60,
};

const ruleArbitrary = fc.record({
  functions: fc.constantFrom<string[] | null>(null, ['create_ticket'], ['list_tickets']),
  effect: fc.constantFrom('allow' as const, 'ask' as const, 'deny' as const),
  when: fc.constantFrom<PolicyRule['when'] & (object | null)>(
    null,
    { all: true, comparisons: [{ field: 'outside_recipients', op: '>=', value: 1 }] },
    { all: true, comparisons: [{ field: 'argument.subject', op: 'contains', value: 'a' }] },
    { all: true, comparisons: [{ field: 'caller', op: '=', value: 'nobody' }] },
  ),
  limitPerHour: fc.constantFrom(null, null, 2),
  rememberable: fc.boolean(),
});

const callArbitrary = fc.record({
  rules: fc.array(ruleArbitrary, { maxLength: 3 }),
  fn: fc.constantFrom('create_ticket', 'create_ticket', 'list_tickets', 'no_such_function'),
  requester: fc.constantFrom('sam@example.com', 'ada@siesta.example', 'nonsense'),
  subject: fc.constantFrom('a', 'b'),
  paused: fc.constantFrom(false, false, false, false, true),
  remembered: fc.boolean(),
});

it(`is what the submission then does, ${CALLS} times`, async () => {
  const seen = new Map<string, number>();
  const caller = await here.services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  const { models, workspaceId } = here.deps;
  const traces = async () => [
    await models.executions.countDocuments({ workspaceId }),
    await models.payloads.countDocuments({ workspaceId }),
    await models.approvals.countDocuments({ workspaceId }),
    await models.outbox.countDocuments({ workspaceId }),
    (await models.grants.find({ workspaceId }).lean()).map(({ usesLeft }) => usesLeft),
    world.helpdesk.requests.length,
  ];
  await fc.assert(
    fc.asyncProperty(callArbitrary, async ({ rules, fn, requester, subject, paused, remembered }) => {
      await pause(false);
      const last = { ...base, id: 'last', functions: ['create_ticket'], effect: 'ask' as const };
      await setRules([...rules.map((each, index) => ({ ...base, ...each, id: `r${index}` })), last]);
      const args = fn === 'create_ticket' ? { subject, body: 'x', requester } : {};
      const request = {
        connection: seeded.connectionId,
        function: fn,
        arguments: args,
        onBehalfOf: null,
        reason: null,
      };
      const submit = async () =>
        (await here.services.submissions.submit(caller, { ...request, idempotencyKey: randomUUID() }))
          .execution;
      if (remembered) await remember(submit);
      await pause(paused);
      await here.services.runner.drain(5_000);
      const before = await traces();
      const said = await here.services.simulation.simulate(caller, request).catch((error: unknown) => error);
      expect(await traces()).toEqual(before);
      const done = await submit().catch((error: unknown) => error);
      if (said instanceof AppError || done instanceof AppError) {
        expect((done as AppError).code).toBe((said as AppError).code);
        seen.set('error', (seen.get('error') ?? 0) + 1);
        return;
      }
      const execution = done as ExecutionDocument;
      const simulated = said as Simulated;
      expect({ outcome: simulated.outcome, requirement: simulated.requirement }).toEqual(became(execution));
      expect(simulated.grant?.id ?? null).toBe(execution.grantId ?? null);
      expect(simulated.risk).toBe(execution.risk);
      const key = `${simulated.outcome} ${simulated.requirement}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      // Nobody answers here: what waits would fill the caller's limit.
      if (execution.status === 'pending_approval')
        await here.services.executions.cancel(execution, 'The test is done with it.');
    }),
    { numRuns: CALLS },
  );
  for (const outcome of ['run none', 'run granted', 'ask required', 'blocked blocked', 'error'])
    expect(seen.get(outcome), JSON.stringify([...seen])).toBeGreaterThan(0);
}, 120_000);

/** A grant of two uses from the same call, where policy asks and lets people answer for the next. */
async function remember(submit: () => Promise<ExecutionDocument>): Promise<void> {
  try {
    const first = await submit();
    if (first.status !== 'pending_approval') return;
    await approve(here, first);
    const card = { executionId: first._id, hash: shortHash(first.bindingHash ?? '') };
    const chosen = (await here.services.grants.offer('U0BEN', card)).choices.map((_, index) => index);
    await here.services.grants.make('U0BEN', card, { kind: 'uses', uses: 2, chosen });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}
