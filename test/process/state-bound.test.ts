/**
 * State-bound approval (issue "Approvals that people can live with"): what the approver saw is still true when the call
 * runs, or nothing is sent and it asks again. Through a real app process, against a system whose writes take a
 * condition, and one whose writes do not.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import { type AppProcess, call, createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';
import { approve, eachOf, ends } from '../harness/writes.js';

/** Of each: changed and unchanged, with a condition and without. `STATE_BOUND_TARGETS=200` for the long form. */
const TARGETS = Number(process.env.STATE_BOUND_TARGETS ?? 15);

let world: World;
let looking: Connected;
let app: AppProcess;
let ben: Person;
let tagged: Records;
let plain: Records;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  [tagged, plain] = await Promise.all([startRecords(true), startRecords(false)]);
  world.allowPrivate.push(new URL(tagged.origin).host, new URL(plain.origin).host);
  looking = await world.services();
  app = await world.start();
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
  await Promise.all([tagged.close(), plain.close()]);
});

async function ask({ key, token }: SeededRecords, id: string): Promise<string> {
  const body = { connection: key, function: 'change_record', arguments: { id, title: 'after' } };
  const asked = await call(app.origin, token, '/v1/executions', body);
  expect(asked.body.status, JSON.stringify(asked.body)).toBe('pending_approval');
  return asked.body.id;
}

const findAll = (ids: readonly string[]): Promise<ExecutionDocument[]> =>
  looking.deps.models.executions
    .find({ workspaceId: looking.deps.workspaceId, _id: { $in: [...ids] } })
    .lean();

/** Asks for a change of every record; what each points at is read; `between` happens; a person's yes; the runs. */
async function approvedAll(
  seeded: SeededRecords,
  records: Records,
  names: readonly string[],
  between: (id: string) => void,
) {
  for (const id of names) records.put({ id, title: 'before', state: 'open' });
  const ids = await eachOf(names, (id) => ask(seeded, id));
  await until(async () => {
    const approvals = await looking.services.approvals.forExecutions(ids);
    return approvals.length === ids.length && approvals.every(({ target }) => target === 'best_effort');
  }, 20_000);
  for (const id of names) between(id);
  await eachOf(await findAll(ids), (execution) => approve(looking, execution));
  return ends(looking, ids, 25_000);
}

const namesOf = (group: string): string[] => Array.from({ length: TARGETS }, (_, n) => `${group}-${n}`);
const count = (ended: readonly ExecutionDocument[], fits: (each: ExecutionDocument) => boolean): number =>
  ended.filter(fits).length;

it('the card shows what changes; what moved meanwhile is not written over, and the next card says so', async () => {
  const seeded = await seedRecords(looking, tagged, 'Seen records');
  tagged.put({ id: 'seen', title: 'before', state: 'open' });
  const id = await ask(seeded, 'seen');
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

describe.each([
  ['takes a condition', () => tagged, 'condition'],
  ['takes none', () => plain, 'read_again'],
] as const)('where the system %s', (what, of, held) => {
  it(`${TARGETS} changed targets: nothing is written over them`, { timeout: 60_000 }, async () => {
    const records = of();
    const seeded = await seedRecords(looking, records, `Changed, ${what}`);
    const names = namesOf('changed');
    const ended = await approvedAll(seeded, records, names, (id) =>
      records.put({ id, title: 'somebody else’s', state: 'open' }),
    );
    expect(records.writes.filter(({ id }) => names.includes(id))).toEqual([]);
    expect(count(ended, ({ status, error }) => status === 'failed' && error?.code === 'target_changed')).toBe(
      TARGETS,
    );
    expect(new Set(ended.map(({ targetHeld }) => targetHeld))).toEqual(new Set([held]));
    const successors = ended.map(({ replacedBy }) => replacedBy ?? '');
    await until(async () => (await findAll(successors)).length === TARGETS, 15_000);
    const asking = await findAll(successors);
    expect(count(asking, ({ status }) => status === 'pending_approval')).toBe(TARGETS);
  });

  it(`${TARGETS} unchanged targets: no false alarm`, { timeout: 60_000 }, async () => {
    const records = of();
    const seeded = await seedRecords(looking, records, `Unchanged, ${what}`);
    const names = namesOf('unchanged');
    const ended = await approvedAll(seeded, records, names, () => {});
    expect(count(ended, ({ status }) => status === 'succeeded')).toBe(TARGETS);
    expect(new Set(ended.map(({ targetHeld }) => targetHeld))).toEqual(new Set([held]));
    expect(records.writes.filter(({ id }) => names.includes(id))).toHaveLength(TARGETS);
  });
});

it('without a condition a window is left, and it is short', () => {
  const windows = plain.times
    .filter(({ method }) => method === 'PATCH')
    .map(({ id, at }) => {
      const reads = plain.times.filter((each) => each.id === id && each.method === 'GET' && each.at <= at);
      return at - (reads.at(-1)?.at ?? 0);
    })
    .sort((a, b) => a - b);
  const part = (share: number): string => (windows[Math.floor((windows.length - 1) * share)] ?? 0).toFixed(1);
  console.info(
    `from the last read to the write, ${windows.length} calls: median ${part(0.5)} ms, 95 % ${part(0.95)} ms, longest ${part(1)} ms`,
  );
  expect(windows.length).toBeGreaterThanOrEqual(TARGETS);
  // The budget after which nothing is sent any more.
  expect(windows.at(-1)).toBeLessThan(5_000);
});
