/**
 * State-bound approval (issue "Approvals that people can live with"): what the approver saw is still true when the call
 * runs, or nothing is sent and it asks again. Through a real app process, against systems whose writes take a
 * condition (ETags of a REST API, Google Calendar, Azure Storage) and one whose writes do not.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import { type AppProcess, call, createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { seedRecords } from '../harness/seed-records.js';
import { submit } from '../harness/submit.js';
import { callersOf, connectSystem, startTargets, type TargetSystem } from '../harness/targets.js';
import { approve, eachOf, ends } from '../harness/writes.js';

/** Of each system, changed and unchanged. `STATE_BOUND_TARGETS=200` for the long form. */
const TARGETS = Number(process.env.STATE_BOUND_TARGETS ?? 6);
/** The long form takes the systems one after another: its window is the product's and not the queue's. */
const SYSTEMS_AT_ONCE = TARGETS > 20 ? 1 : 4;
const CALLS_AT_ONCE = 8 / SYSTEMS_AT_ONCE;
/** What one caller asks for: it may have a hundred requests waiting, those that ask again included. */
const EACH_CALLER = 40;
const PATIENCE_MS = 20_000 + TARGETS * 1_000;

const SYSTEMS = [
  'a REST API with ETags',
  'a REST API without ETags',
  'Google Calendar',
  'Azure Storage',
] as const;

let world: World;
let looking: Connected;
let app: AppProcess;
let ben: Person;
let tagged: Records;
let plain: Records;
let systems: readonly TargetSystem[];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  [tagged, plain] = await Promise.all([startRecords(true), startRecords(false)]);
  systems = await startTargets(plain);
  const origins = [tagged.origin, ...systems.map(({ origin }) => origin)];
  world.allowPrivate.push(...origins.map((origin) => new URL(origin).host));
  looking = await world.services();
  const endpoints = Object.assign({}, ...systems.map(({ endpoint }) => endpoint));
  app = await world.start({ CONNECTOR_ENDPOINTS: JSON.stringify(endpoints) });
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
  await Promise.all([tagged, ...(systems ?? [])].map((each) => each.close()));
});

let asks = 0;
async function ask(token: string, request: object): Promise<string> {
  asks += 1;
  const asked = await submit(app.origin, token, request, `target-${asks}`);
  expect(asked.body.status, JSON.stringify(asked.body)).toBe('pending_approval');
  return asked.body.id;
}

it('the card shows what changes; what moved meanwhile is not written over, and the next card says so', async () => {
  const seeded = await seedRecords(looking, tagged, 'Seen records');
  tagged.put({ id: 'seen', title: 'before', state: 'open' });
  const request = { connection: seeded.key, function: 'change_record' };
  const id = await ask(seeded.token, { ...request, arguments: { id: 'seen', title: 'after' } });
  const card = await ben.waitForMessage((message) => JSON.stringify(message.blocks).includes(id));
  expect(ben.text(card)).toMatch(/title.*before.*→.*after/);
  tagged.put({ id: 'seen', title: 'somebody else’s', state: 'open' });
  await ben.click(card, 'approval.approve');
  const answer = await call(app.origin, seeded.token, `/v1/executions/${id}?wait=20`);
  expect(answer.body).toMatchObject({
    status: 'failed',
    error: { code: 'target_changed' },
    approval: { status: 'approved' },
    replaced_by: expect.stringMatching(/^ex_/),
  });
  const next: string = answer.body.replaced_by;
  const again = await ben.waitForMessage(
    (message) =>
      JSON.stringify(message.blocks).includes(`${next} ·`) && /Approve/.test(JSON.stringify(message.blocks)),
  );
  expect(ben.text(again)).toMatch(/Asked again/);
  expect(ben.text(again)).toMatch(/title.*before.*→.*somebody else’s/);
  expect(tagged.writes).toEqual([]);
  const waiting = await call(app.origin, seeded.token, `/v1/executions/${next}`);
  expect(waiting).toMatchObject({ status: 202, body: { status: 'pending_approval', replaces: id } });
  await ben.click(again, 'approval.approve');
  const done = await call(app.origin, seeded.token, `/v1/executions/${next}?wait=20`);
  expect(done.body).toMatchObject({ status: 'succeeded' });
  expect(tagged.writes).toMatchObject([{ over: { title: 'somebody else’s' }, ifMatch: '"v2"' }]);
  expect(world.slack.workspace.violations).toEqual([]);
});

interface Ended {
  readonly changed: readonly ExecutionDocument[];
  readonly unchanged: readonly ExecutionDocument[];
}
const namesOf = (group: string): string[] => Array.from({ length: TARGETS }, (_, n) => `${group}-${n}`);
const CHANGED = namesOf('changed');
const UNCHANGED = namesOf('unchanged');
const ANOTHER = 'of somebody else';

const findAll = (ids: readonly string[]): Promise<ExecutionDocument[]> =>
  looking.deps.models.executions
    .find({ workspaceId: looking.deps.workspaceId, _id: { $in: [...ids] } })
    .lean();

/** Asks for a change of each; what each points at is read; somebody changes it, or opens it; a person's yes; the runs. */
async function approvedAll(
  { call: changeOf, put, open }: TargetSystem,
  token: string,
  connection: string,
  names: readonly string[],
): Promise<ExecutionDocument[]> {
  await eachOf(names, async (id) => put(id, 'before'));
  const ids = await eachOf(names, (id) => ask(token, { connection, ...changeOf(id) }), CALLS_AT_ONCE);
  await until(async () => {
    const approvals = await looking.services.approvals.forExecutions(ids);
    return approvals.length === ids.length && approvals.every(({ target }) => target === 'best_effort');
  }, PATIENCE_MS);
  await eachOf(names, async (id) => (CHANGED.includes(id) ? put(id, ANOTHER) : open(id)));
  await eachOf(await findAll(ids), (execution) => approve(looking, execution), CALLS_AT_ONCE);
  return ends(looking, ids, PATIENCE_MS);
}

async function runAll(system: TargetSystem): Promise<Ended> {
  // Both kinds in each batch.
  const names = CHANGED.flatMap((name, n) => [name, UNCHANGED[n] ?? '']);
  const batches = Array.from({ length: Math.ceil(names.length / EACH_CALLER) }, (_, n) =>
    names.slice(n * EACH_CALLER, (n + 1) * EACH_CALLER),
  );
  const connection = await connectSystem(looking, system);
  const tokens = await callersOf(looking, connection, batches.length);
  const ended: ExecutionDocument[] = [];
  for (const [n, batch] of batches.entries())
    ended.push(...(await approvedAll(system, tokens[n] ?? '', connection.key, batch)));
  return {
    changed: ended.filter((_, n) => n % 2 === 0),
    unchanged: ended.filter((_, n) => n % 2 === 1),
  };
}

describe(`${TARGETS} targets that changed since they were seen, and ${TARGETS} that did not`, () => {
  const runs = new Map<string, Ended>();
  const of = (name: string): { ended: Ended; system: TargetSystem } => {
    const system = systems.find((each) => each.name === name);
    const ended = runs.get(name);
    if (!system || !ended) throw new Error(`there is no ${name}`);
    return { ended, system };
  };
  const titles = async (name: string, ids: readonly string[]): Promise<unknown> =>
    new Set(await eachOf(ids, async (id) => of(name).system.titleOf(id)));

  beforeAll(async () => {
    await eachOf(systems, async (system) => runs.set(system.name, await runAll(system)), SYSTEMS_AT_ONCE);
  }, 10 * PATIENCE_MS);

  it.each(SYSTEMS)(
    'of %s: nothing is written over a change, and no 412 is an unknown outcome',
    async (name) => {
      const { ended, system } = of(name);
      expect(await titles(name, CHANGED)).toEqual(new Set([ANOTHER]));
      expect(ended.changed).toHaveLength(TARGETS);
      expect(new Set(ended.changed.map(({ status, error }) => `${status}: ${error?.code}`))).toEqual(
        new Set(['failed: target_changed']),
      );
      expect(new Set(ended.changed.map(({ targetHeld }) => targetHeld))).toEqual(new Set([system.held]));
      const successors = ended.changed.map(({ replacedBy }) => replacedBy ?? '');
      await until(async () => (await findAll(successors)).length === TARGETS, PATIENCE_MS);
      expect(new Set((await findAll(successors)).map(({ status }) => status))).toEqual(
        new Set(['pending_approval']),
      );
    },
  );

  it.each(SYSTEMS)('of %s: no false alarm, whatever counters and “last opened” say', async (name) => {
    const { ended, system } = of(name);
    expect(ended.unchanged).toHaveLength(TARGETS);
    expect(new Set(ended.unchanged.map(({ status, error }) => `${status}: ${error?.code}`))).toEqual(
      new Set(['succeeded: undefined']),
    );
    expect(new Set(ended.unchanged.map(({ targetHeld }) => targetHeld))).toEqual(new Set([system.held]));
    expect(await titles(name, UNCHANGED)).toEqual(new Set(['after']));
  });

  it('of what takes no condition: a window is left between the last read and the write, and it is short', () => {
    expect(plain.writes.filter(({ id }) => CHANGED.includes(id))).toEqual([]);
    expect(plain.writes.filter(({ id }) => UNCHANGED.includes(id))).toHaveLength(TARGETS);
    const windows = plain.times
      .filter(({ method }) => method === 'PATCH')
      .map(({ id, at }) => {
        const reads = plain.times.filter((each) => each.id === id && each.method === 'GET' && each.at <= at);
        return at - (reads.at(-1)?.at ?? 0);
      })
      .sort((a, b) => a - b);
    const part = (share: number): string =>
      (windows[Math.floor((windows.length - 1) * share)] ?? 0).toFixed(1);
    console.info(
      `from the last read to the write, ${windows.length} calls: median ${part(0.5)} ms, 95 % ${part(0.95)} ms, longest ${part(1)} ms`,
    );
    expect(windows).toHaveLength(TARGETS);
    // The budget after which nothing is sent any more.
    expect(windows.at(-1)).toBeLessThan(5_000);
  });
});
