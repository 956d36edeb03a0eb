/**
 * kill -9 between two writes of which the second follows from the first: whoever is told of the first gets the second
 * too, once, from the next process.
 */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import type { FollowUp } from '../../src/kill-points.js';
import { type AppProcess, call, createWorld, until, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';

/** G8: after that long with one healthy process everything has gone on. */
const RECOVERY_MS = 30_000;

let world: World;
let looking: Connected;
let records: Records;
let seeded: SeededRecords;
let app: AppProcess;
let ben: Person;

const start = (point?: FollowUp): Promise<AppProcess> => world.start(point ? { CRASH_AT: point } : {});

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  records = await startRecords(false);
  world.allowPrivate.push(new URL(records.origin).host);
  looking = await world.services();
  seeded = await seedRecords(looking, records, 'Records');
  ben = person(world.slack, 'U0BEN', { patienceMs: 20_000 });
  app = await start('after_target_changed');
});
afterAll(async () => {
  await looking.close();
  await world.close();
  await records.close();
});

async function ask(id: string): Promise<string> {
  records.put({ id, title: 'before', state: 'open' });
  const body = { connection: seeded.key, function: 'change_record', arguments: { id, title: 'after' } };
  const asked = await call(app.origin, seeded.token, '/v1/executions', body);
  expect(asked.body.status, JSON.stringify(asked.body)).toBe('pending_approval');
  return asked.body.id;
}
const cardOf = (id: string) =>
  ben.waitForMessage((message) => {
    const blocks = JSON.stringify(message.blocks ?? []);
    return blocks.includes(`approval:${id}`) && blocks.includes('approval.approve');
  });

/** The process ends at its point; another takes over, which does not find the first one's locks. */
async function died(next?: FollowUp): Promise<void> {
  await until(() => app.child.signalCode !== null, 20_000, app.output);
  expect(app.child.signalCode).toBe('SIGKILL');
  const jobs = looking.deps.models.executions.db.collection('agenda_jobs');
  await jobs.updateMany({ type: 'single' }, { $set: { lockedAt: looking.deps.clock.now() } });
  app = await start(next);
}

it('a call whose target changed is asked again, though the process died when only its end was stored', async () => {
  const { models, workspaceId } = looking.deps;
  const id = await ask('moved');
  const card = await cardOf(id);
  records.put({ id: 'moved', title: 'somebody else’s', state: 'open' });
  await ben.click(card, 'approval.approve').catch(() => undefined);
  const findOld = () => models.executions.findOne({ _id: id, workspaceId }).lean();
  await until(async () => (await findOld())?.status === 'failed', 20_000, app.output);
  const old = await findOld();
  expect(old).toMatchObject({ error: { code: 'target_changed' }, replacedBy: expect.stringMatching(/^ex_/) });
  const successors = () => models.executions.find({ workspaceId, replaces: id }).lean();
  await until(() => app.child.signalCode !== null, 20_000, app.output);
  expect(await successors()).toEqual([]);
  await died('after_reminder');

  await until(async () => (await successors()).length > 0, RECOVERY_MS, app.output);
  const next = old?.replacedBy ?? '';
  expect(await call(app.origin, seeded.token, `/v1/executions/${id}`)).toMatchObject({
    body: { status: 'failed', replaced_by: next },
  });
  const again = await cardOf(next);
  expect(ben.text(again)).toMatch(/Asked again/);
  expect(records.writes).toEqual([]);
  await ben.click(again, 'approval.approve');
  const done = await call(app.origin, seeded.token, `/v1/executions/${next}?wait=20`);
  expect(done.body).toMatchObject({ status: 'succeeded', replaces: id });
  expect((await successors()).map(({ _id }) => _id)).toEqual([next]);
  expect(records.writes).toHaveLength(1);
}, 90_000);

it('who has not decided is reminded, once, though the process died before it noted that', async () => {
  const { models, workspaceId, clock } = looking.deps;
  const id = await ask('waiting');
  await cardOf(id);
  const half = clock.now();
  await models.approvals.updateOne({ workspaceId, executionId: id }, { $set: { nextReminderAt: half } });
  await died();
  const noted = () => models.approvals.findOne({ workspaceId, executionId: id }).lean();
  await until(
    async () => (await noted())?.nextReminderAt?.getTime() !== half.getTime(),
    RECOVERY_MS,
    app.output,
  );
  await ben.waitForMessage(/wait(s|ing) for you/i);
  const due = { workspaceId, view: 'reminder' as const, notBefore: { $ne: null } };
  await until(async () => (await models.outbox.countDocuments(due)) === 0, RECOVERY_MS, app.output);
  expect(ben.dm().filter((message) => /wait(s|ing) for you/i.test(ben.text(message)))).toHaveLength(1);
  expect(world.slack.workspace.violations).toEqual([]);
}, 90_000);
