/** A request is stored just before the call that it is about: whatever ends it in between, the call ends too. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { testDatabase } from '../setup/database.js';
import { run } from './interleavings/play.js';
import { CALLS } from './interleavings/script.js';
import { ADA, type Ground, openGround, SECOND, World } from './interleavings/world.js';

const SETTING = { quorum: 1, target: 'condition', targetCheck: 'best_effort', choices: [0] } as const;

let ground: Ground;

beforeAll(async () => {
  ground = await openGround((await testDatabase()).database);
});
afterAll(() => ground.journal.close());

it('a call that is being recorded while its request is cancelled by a pause ends as cancelled', async () => {
  const world = new World(ground, SETTING);
  await world.begin();
  const [slow, other] = world.processes;
  const caller = await ground.models.callers.findOne({ _id: world.callerId }).lean();
  if (!slow || !other || !caller) throw new Error('the workspace is incomplete');
  const { onBehalfOf, ...args } = CALLS.a;
  const submitted = slow.services.submissions.submit(caller, {
    connection: world.connectionId,
    function: 'change_record',
    arguments: args,
    onBehalfOf,
    reason: null,
    idempotencyKey: 'a',
  });
  // Its request is there, and the record of the call is not yet.
  while ((await world.approvals()).length === 0) await world.stage.next();
  expect(await world.executions()).toEqual([]);
  slow.life.state = 'sleeps';
  await run(world, () =>
    other.services.pauses.pause(ADA, { kind: 'connection', id: world.connectionId }, 'stop', 'cancel'),
  );
  slow.life.wake();
  await world.stage.play();
  const { execution } = await submitted;
  await world.pass(20 * SECOND);
  await run(world, () => world.sweep(other));
  const now = (await world.executions()).find(({ _id }) => _id === execution._id);
  expect(now).toMatchObject({
    status: 'cancelled',
    approvalStatus: 'cancelled',
  } satisfies Partial<ExecutionDocument>);
  await world.end();
});
