/** "At most n an hour" and "at most n that wait for people" are exact: however many calls come at once, and through however many processes. */
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import type { ExecutionDocument, PolicyRule } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { PENDING_LIMIT } from '../../src/services/fate.js';
import { createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { eachOf, ends, ticketArguments } from '../harness/writes.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const LIMIT = 5;

let world: World;
let one: Connected;
let other: Connected;
let seeded: Seeded;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  [one, other] = [await world.services(), await world.services()];
  seeded = await seedHelpdesk(one, world.helpdesk, { route: null });
});
afterAll(async () => {
  await one.close();
  await other.close();
  await world.close();
});
beforeEach(async () => {
  await one.deps.models.callLimits.deleteMany({});
});

async function policy(given: Partial<PolicyRule>): Promise<void> {
  const connection = await one.services.connections.find(seeded.connectionId);
  if (!connection) throw new Error('the connection is gone');
  const rules = connection.policy.rules.map((rule) => ({ ...rule, ...given }));
  await one.services.connections.setPolicy(ADA, connection, rules);
}

async function submit(app: Connected, subject: string, key = subject): Promise<ExecutionDocument> {
  const caller = await app.services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  const { execution } = await app.services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: 'create_ticket',
    arguments: ticketArguments(subject),
    onBehalfOf: null,
    reason: null,
    idempotencyKey: key,
  });
  return execution;
}

/** So many calls, eight at a time, through two processes. */
async function burst(calls: number): Promise<{ direct: ExecutionDocument[]; asked: ExecutionDocument[] }> {
  count += 1;
  const subjects = Array.from({ length: calls }, (_, n) => `burst-${count}-${n}`);
  const made = await eachOf(subjects, (subject, n) => submit(n % 2 === 0 ? one : other, subject));
  return {
    direct: made.filter(({ requirement }) => requirement === 'none'),
    asked: made.filter(({ status }) => status === 'pending_approval'),
  };
}

it('of twenty calls at once as many run directly as the limit says, and the others ask', async () => {
  await policy({ effect: 'allow', limitPerHour: LIMIT });
  const { direct, asked } = await burst(20);
  expect([direct.length, asked.length]).toEqual([LIMIT, 20 - LIMIT]);
  await ends(
    one,
    direct.map(({ _id }) => _id),
    10_000,
  );
  const arrived = world.helpdesk.requests.filter(({ body }) => body.includes(`burst-${count}-`));
  expect(arrived.length).toBeLessThanOrEqual(LIMIT);
  // Nothing is left of the hour, and it comes back once it is over.
  expect((await burst(3)).direct).toEqual([]);
  const takenBefore = (minutes: number) => {
    const at = Math.floor(Date.now() / 60_000) - minutes;
    return one.deps.models.callLimits.updateMany({}, { $set: { 'minutes.$[].at': at } });
  };
  await takenBefore(58);
  expect((await burst(3)).direct).toEqual([]);
  await takenBefore(61);
  expect((await burst(LIMIT + 3)).direct).toHaveLength(LIMIT);
});

it('a request that is repeated takes one place, and a dry run none', async () => {
  await policy({ effect: 'allow', limitPerHour: LIMIT });
  const same = await Promise.all(
    Array.from({ length: 4 }, (_, n) => submit(n % 2 === 0 ? one : other, 'the same', 'the same')),
  );
  expect(new Set(same.map(({ _id }) => _id)).size).toBe(1);
  const caller = await one.services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  const request = {
    connection: seeded.connectionId,
    function: 'create_ticket',
    arguments: ticketArguments('only simulated'),
    onBehalfOf: null,
    reason: null,
  };
  for (let n = 0; n < LIMIT; n += 1)
    expect(await one.services.simulation.simulate(caller, request)).toMatchObject({ outcome: 'run' });
  expect((await burst(LIMIT)).direct).toHaveLength(LIMIT - 1);
  expect(await one.services.simulation.simulate(caller, request)).toMatchObject({ outcome: 'ask' });
});

it('where there is no limit, nothing is counted', async () => {
  await policy({ effect: 'allow', limitPerHour: null });
  expect((await burst(10)).direct).toHaveLength(10);
  expect(await one.deps.models.callLimits.countDocuments({})).toBe(0);
});

it('of twenty requests at once as many wait for people as there are places left', async () => {
  await policy({ effect: 'ask' });
  const { executions } = one.deps.models;
  const waiting = { callerId: seeded.callerId, status: 'pending_approval' as const };
  await executions.deleteMany({ callerId: seeded.callerId });
  const { _id, rev: _rev, ...asked } = await submit(one, 'the first one');
  const others = Array.from({ length: PENDING_LIMIT - 6 }, (_, n) => ({
    ...asked,
    rev: 1,
    _id: `${_id}-${n}`,
    idempotencyKey: `crowd-${n}`,
  }));
  await executions.insertMany(others);
  const subjects = Array.from({ length: 20 }, (_, n) => `crowd-at-once-${n}`);
  const ends = await Promise.all(
    subjects.map((subject, n) =>
      submit(n % 2 === 0 ? one : other, subject).then(
        ({ status }) => status as string,
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(ends.filter((end) => end === 'pending_approval')).toHaveLength(5);
  expect(ends.filter((end) => end === 'too_many_pending')).toHaveLength(15);
  expect(await executions.countDocuments(waiting)).toBe(PENDING_LIMIT);
  // Nothing of a refused one is left, and an end makes room for one.
  await expect(submit(one, 'one more')).rejects.toMatchObject({ code: 'too_many_pending' });
  await executions.deleteOne({ _id: `${_id}-0` });
  expect((await submit(one, 'one more')).status).toBe('pending_approval');
  expect(await one.deps.models.approvals.countDocuments({ status: 'pending' })).toBeLessThanOrEqual(
    PENDING_LIMIT,
  );
});
