/**
 * Random interleavings of everything that may happen to a call (shared/RELIABILITY.md, T16), at the grain of single
 * operations on the database, in two processes that die, fall asleep and are replaced.
 *
 * `STATE_MACHINE_RUNS=10000` plays so many; `STATE_MACHINE_SEED` and `STATE_MACHINE_PATH` play one again.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testDatabase } from '../setup/database.js';
import { play } from './interleavings/play.js';
import { interleaving, WHATS } from './interleavings/steps.js';
import { type Ground, openGround } from './interleavings/world.js';

const RUNS = Number(process.env.STATE_MACHINE_RUNS ?? 300);
const SEED = Number(process.env.STATE_MACHINE_SEED ?? Math.floor(Math.random() * 1_000_000_000));
const PATH = process.env.STATE_MACHINE_PATH;
/** Most of an interleaving's time is spent waiting for the database. */
const AT_ONCE = PATH ? 1 : 24;

let ground: Ground;
const tally = new Map<string, number>();
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

beforeAll(async () => {
  ground = await openGround((await testDatabase()).database);
});
afterAll(() => ground.journal.close());

it(`${RUNS} random interleavings`, { timeout: 3_600_000 }, async () => {
  const property = fc.asyncProperty(interleaving, (each) => play(ground, each, count));
  const one = (at: number) =>
    fc.assert(property, {
      seed: SEED + at,
      numRuns: Math.ceil(RUNS / AT_ONCE),
      ...(PATH ? { path: PATH } : {}),
    });
  await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => one(at)));
  console.log(
    (globalThis as any).moves,
    performance.now(),
    process.cpuUsage(),
    new Map([...tally].sort()),
    new Map([...ground.journal.seen].sort()),
  );
  expect(WHATS.length).toBeGreaterThan(0);
});
