/** The weekly report by itself: two processes sweep, one of them writes it, and the outbox brings it to who wants it. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import type { Connected } from '../../src/bootstrap.js';
import { createWorld, type Seeded, seedHelpdesk, until, type World } from '../harness/app-process.js';
import { approve, ask } from '../harness/writes.js';

const TITLE = /Approvals of the last seven days/;

let world: World;
let looking: Connected;
let seeded: Seeded;
let ada: Person;
let ben: Person;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { approvers: ['U0BEN'], route: null });
  ada = person(world.slack, 'U0ADA');
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const reports = (who: Person): readonly Message[] => who.dm().filter((each) => TITLE.test(who.text(each)));
const weekIsOver = () =>
  looking.deps.models.throttles.updateOne(
    { _id: /^report:/ },
    { $set: { until: new Date(Date.now() - 1_000) } },
  );
/** Agenda looks every second; the sweeper's own turn is every ten minutes. */
const sweepNow = () =>
  looking.deps.models.throttles.db
    .collection('agenda_jobs')
    .updateOne({ name: 'sweep:report' }, { $set: { nextRunAt: new Date() } });

it('comes by DM when its week is over, once from two processes, to who wants it', async () => {
  const [first] = [await ask(looking, seeded, 'Toner'), await ask(looking, seeded, 'Ink')];
  await approve(looking, first);
  await looking.services.loadReports.subscribe('U0ADA', true);
  await weekIsOver();
  await Promise.all([world.start(), world.start()]);
  const report = await ada.waitForMessage((message) => TITLE.test(ada.text(message)), 15_000);
  expect(ada.text(report)).toMatch(/2\W+requests: 1 approved/);
  // Not before the week is over, however often it is looked at.
  const lastRun = async (): Promise<number> => {
    const jobs = looking.deps.models.throttles.db.collection('agenda_jobs');
    const job = await jobs.findOne({ name: 'sweep:report' });
    return job?.lastFinishedAt instanceof Date ? job.lastFinishedAt.getTime() : 0;
  };
  const before = await lastRun();
  await sweepNow();
  await until(async () => (await lastRun()) > before, 10_000);
  expect(reports(ada)).toHaveLength(1);

  await weekIsOver();
  await sweepNow();
  await until(async () => reports(ada).length === 2, 15_000);
  expect(reports(ben)).toEqual([]);
  const notices = await looking.deps.models.outbox.find({ view: 'notice' }).lean();
  const written = notices.filter(({ message }) => message?.kind === 'load_report');
  expect(written.map(({ to }) => to)).toEqual(['U0ADA', 'U0ADA']);
  expect(world.slack.workspace.violations).toEqual([]);
});
