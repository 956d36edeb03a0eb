/** One interleaving from its beginning to its judgement. */
import { inspect } from 'node:util';
import { isTerminal } from '../../../models/state-machines.js';
import type { Services } from '../../../src/services/index.js';
import { Actions } from './actions.js';
import { faultsOf, Holds, recordsOf } from './invariants.js';
import type { Interleaving } from './script.js';
import { ADA, type Ground, HOUR, MINUTE, SECOND, World } from './world.js';

/** After so many looks of every sweeper nothing may be under way any more. */
const ROUNDS = 8;

export type Tally = (what: string) => void;

/** @throws Error with everything that was wrong */
export async function play(ground: Ground, { setting, groups }: Interleaving, count: Tally): Promise<void> {
  const world = new World(ground, setting);
  const { stage } = world;
  await world.begin();
  const holds = new Holds(world);
  const actions = new Actions(world, count);
  try {
    for (const group of groups) {
      let open = group.length;
      for (const step of group) {
        void actions.perform(step).finally(() => {
          open -= 1;
        });
      }
      await stage.play(() => open === 0);
      if (world.happened.paused) await holds.look();
    }
    holds.end();
    await letGo(world);
    const records = await recordsOf(world);
    for (const { status, requirement } of records.executions) count(`ended: ${status} (${requirement})`);
    for (const { applied } of world.outside.writes)
      count(`a write ${applied ? 'took effect' : 'did not take effect'}`);
    for (let at = 0; at < holds.confirmed; at += 1) count('a pause was confirmed');
    const journal = await ground.journal.upTo(world.workspaceId);
    const faults = [
      ...world.violations,
      ...journal,
      ...faultsOf(records, world.outside.writes, actions.told),
    ];
    if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${inspect(records, { depth: 6 })}`);
  } finally {
    await world.end();
  }
}

/** Nobody is away, nothing is paused, no process is dead: what was begun ends, by itself or with its time. */
async function letGo(world: World): Promise<void> {
  const { stage, people, outside } = world;
  for (const { life } of world.processes) life.wake();
  await stage.play();
  people.silent = false;
  people.left.clear();
  outside.mood = 'answers';
  for (const place of [0, 1] as const)
    if (world.processes[place]?.life.state !== 'runs') await world.start(place);
  for (const { life } of world.processes) life.stopAfter(Number.POSITIVE_INFINITY, 'dead');
  if (world.happened.paused) await resume(world);
  await until(world, 20 * SECOND, ({ status }) => !['queued', 'executing'].includes(status));
  await until(
    world,
    25 * HOUR,
    ({ status, replacedBy }, ids) => isTerminal(status) && (!replacedBy || ids.has(replacedBy)),
  );
}

/** Lifts every pause. Requests that stood still have the time that was left to them. */
async function resume(world: World): Promise<void> {
  const before = await world.approvals();
  await run(world, async ({ pauses }) => {
    await pauses.resume(ADA, { kind: 'connection', id: world.connectionId });
    await pauses.resume(ADA, { kind: 'caller', id: world.callerId });
    for (let seen = await pauses.ofAll(); seen; seen = await pauses.ofAll())
      await pauses.resume(ADA, { kind: 'all', seen });
  });
  const after = new Map((await world.approvals()).map((each) => [each._id, each]));
  const now = world.ground.clock.now().getTime();
  for (const { _id, status, frozenAt, expiresAt } of before) {
    const resumed = after.get(_id);
    // One that a crash had kept from being cancelled by its pause is cancelled now.
    if (status !== 'pending' || !frozenAt || resumed?.status === 'cancelled') continue;
    const left = expiresAt.getTime() - frozenAt.getTime();
    const kept = (resumed?.expiresAt.getTime() ?? 0) - now;
    // What the resuming itself took is gone.
    if (kept < left - MINUTE)
      world.violations.push(`${_id} stood still with ${left} ms left and went on with ${kept}`);
  }
}

type Ended = (
  execution: Awaited<ReturnType<World['executions']>>[number],
  ids: ReadonlySet<string>,
) => boolean;

/** Lets so much time pass and the sweepers work, until all have ended. What has not, is found to be stuck. */
async function until(world: World, milliseconds: number, ended: Ended): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = await world.executions();
    const ids = new Set(all.map(({ _id }) => _id));
    const open = all.filter((each) => !ended(each, ids));
    const asked = milliseconds < HOUR ? [] : (await world.approvals()).filter(({ settled }) => !settled);
    if (open.length + asked.length === 0) return;
    await world.pass(milliseconds);
    const process = world.at(round % 2 === 0 ? 0 : 1);
    if (process) await run(world, () => world.sweep(process));
  }
}

/** In one process; whatever that begins is played to its end too. */
export async function run(world: World, work: (services: Services) => Promise<unknown>): Promise<void> {
  const [process] = world.running();
  if (!process) throw new Error('no process runs');
  const done = work(process.services);
  const over = done.then(
    () => true,
    () => true,
  );
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await world.stage.play();
    // Something waits for its own timer, as a repeat of an outcome that was not stored does.
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await world.stage.play();
  await done;
}
