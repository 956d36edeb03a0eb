/**
 * Random interleavings of everything that may happen to a call (shared/RELIABILITY.md, T16), at the grain of single
 * operations on the database, in two processes that die, fall asleep and are replaced.
 *
 * `STATE_MACHINE_RUNS=10000` plays so many. `STATE_MACHINE_SEED` and `STATE_MACHINE_PATH` play one again, with the
 * seed and the path that its failure names.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXECUTION_TRANSITIONS } from '../../models/state-machines.js';
import { testDatabase } from '../setup/database.js';
import { play } from './interleavings/play.js';
import { interleaving, WHATS } from './interleavings/script.js';
import { type Ground, openGround } from './interleavings/world.js';

/** What takes about 20 s on two idle cores. */
const SHORT = 144;
const RUNS = Number(process.env.STATE_MACHINE_RUNS ?? SHORT);
const { STATE_MACHINE_SEED, STATE_MACHINE_PATH: path } = process.env;
const SEED = Number(STATE_MACHINE_SEED ?? Math.floor(Math.random() * 2 ** 30));
/** An interleaving makes one move at a time; meanwhile the others make theirs. */
const AT_ONCE = path ? 1 : 48;
const EACH = Math.ceil(RUNS / AT_ONCE);

let ground: Ground;
const tally = new Map<string, number>();
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

beforeAll(async () => {
  ground = await openGround((await testDatabase()).database);
});
afterAll(() => ground.journal.close());

const table = (numbers: ReadonlyMap<string, number>): string =>
  [...numbers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${String(times).padStart(8)}  ${what}`)
    .join('\n');

it('the usual way sends once: asked, approved, followed, and taken by both', async () => {
  const ended: string[] = [];
  const step = { call: 'a', by: 'U0BEN', n: 0 } as const;
  const taken = [0, 1].map((at) => ({ ...step, do: 'take', at: at === 0 ? 0 : 1 }) as const);
  const groups = [
    [{ ...step, do: 'submit', at: 0 }],
    [{ ...step, do: 'sweep', at: 0 }],
    [{ ...step, do: 'approve', at: 1 }],
    [{ ...step, do: 'settle', at: 0 }],
    [...taken, ...taken],
  ] as const;
  const setting = { quorum: 1, target: 'condition', targetCheck: 'required', choices: [0, 1, 2] } as const;
  await play(ground, { setting, groups }, (what) => ended.push(what));
  expect(ended.filter((what) => /^(ended|a write)/.test(what))).toEqual([
    'ended: succeeded (required)',
    'a write took effect',
  ]);
});

it(`of ${EACH * AT_ONCE} random interleavings none sends twice, sends what was not allowed, or changes an end (all: STATE_MACHINE_RUNS=10000)`, {
  timeout: 60_000 + RUNS * 2_000,
}, async () => {
  const property = fc.asyncProperty(interleaving, (each) => play(ground, each, count));
  const begun = performance.now();
  const played = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, (_, at) =>
      fc.assert(property, { seed: SEED + at, numRuns: EACH, ...(path ? { path } : {}) }),
    ),
  );
  if (RUNS > SHORT) {
    const seconds = Math.round((performance.now() - begun) / 1_000);
    console.log(`${EACH * AT_ONCE} interleavings in ${seconds} s, seeds ${SEED} to ${SEED + AT_ONCE - 1}`);
    console.log(`${table(tally)}\n\n${table(ground.journal.seen)}`);
  }
  const failures = played.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n\n'));
  if (path) return;

  // Of use only if they get anywhere; a great many of them to each change that the table allows, and to each step.
  const { seen } = ground.journal;
  expect(seen.get('executing → succeeded')).toBeGreaterThan(RUNS / 10);
  if (RUNS < 2_000) return;
  const begins = ['pending_authorization', 'pending_approval', 'queued', 'executing', 'denied'].map(
    (status) => `(new) → ${status}`,
  );
  const changes = Object.entries(EXECUTION_TRANSITIONS).flatMap(([from, all]) =>
    all.map((to) => `${from} → ${to}`),
  );
  expect([...begins, ...changes].filter((change) => (seen.get(change) ?? 0) < RUNS / 1_000)).toEqual([]);
  const steps = WHATS.filter((what) => ![...tally].some(([step]) => step.startsWith(`${what}: `)));
  expect(steps).toEqual([]);
});
