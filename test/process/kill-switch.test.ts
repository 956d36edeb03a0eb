/**
 * The kill switch over two processes: after "confirmed by all", and at most 2 s after the pause, no process begins a
 * call; what waited has its time back; what ran is named.
 */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { ticketRequest } from '../harness/writes.js';

const READ = { connection: 'helpdesk', function: 'list_tickets', arguments: {}, wait: 5 };

let world: World;
let looking: Connected;
let seeded: Seeded;
let apps: AppProcess[];
let ada: Person;
let ben: Person;

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk);
  apps = await Promise.all([world.start(), world.start()]);
  ada = person(world.slack, 'U0ADA', { via: 0 });
  ben = person(world.slack, 'U0BEN', { via: 1 });
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const ask = (process: number, body: unknown) =>
  call(apps[process]?.origin ?? '', seeded.token, '/v1/executions', body);
const approvalOf = async (id: string) => looking.services.approvals.ofExecution(id);
const cardOf = (who: Person, subject: string, fits: RegExp) =>
  who.waitForMessage(({ channel, blocks }) => {
    const drawn = JSON.stringify(blocks);
    return channel === 'C0APPROVALS' && drawn.includes(subject) && fits.test(drawn);
  });

it('stops both processes, says so apart from the request, and names what runs', {
  timeout: 60_000,
}, async () => {
  const waiting = await ask(0, ticketRequest('Waits through the pause'));
  expect(waiting.status).toBe(202);
  await cardOf(ben, 'Waits through the pause', /Waiting for/);
  const before = await approvalOf(waiting.body.id);
  if (!before) throw new Error('nobody was asked');

  // Both processes call without a break, so that claims are on their way whenever the pause comes.
  let calling = true;
  const callers = [0, 1, 0, 1].map(async (process) => {
    while (calling) await ask(process, READ).catch(() => (calling = false));
  });
  await until(() => world.helpdesk.requests.length > 10, 10_000);
  await ada.command('/connections pause all');
  await ada.waitForView(/Reason/);
  const pausedAt = performance.now();
  expect(await ada.submit({ Reason: 'An agent runs wild' })).toBeNull();
  await ada.waitForView(/Requested/);
  const { paused } = await looking.services.settings.get();
  const holdsFrom = (paused?.at.getTime() ?? 0) + 2_000;
  await until(() => looking.deps.clock.now().getTime() >= holdsFrom, 3_000);
  const sentSoFar = world.helpdesk.requests.length;
  await ada.waitForView(/Confirmed by all processes\* \(2 of 2\)/);
  expect(performance.now() - pausedAt).toBeLessThan(5_000);
  expect(ada.text()).toContain('Requests that wait for people: 1; their time stands still');

  await new Promise((resolve) => setTimeout(resolve, 2_000));
  calling = false;
  await Promise.all(callers);
  expect(world.helpdesk.requests.length, 'later than 2 s after the pause').toBe(sentSoFar);
  expect((await ask(1, READ)).body.code).toBe('paused');
  await ada.close(true);
  expect((await approvalOf(waiting.body.id))?.frozenAt).toEqual(expect.any(Date));
  await cardOf(ben, 'Waits through the pause', /Its time stands still/);
  expect(before.expiresAt).toEqual((await approvalOf(waiting.body.id))?.expiresAt);
});

it('is lifted in steps, and gives the time back', { timeout: 60_000 }, async () => {
  const [waiting] = await looking.deps.models.approvals.find({ status: 'pending' }).lean();
  if (!waiting?.frozenAt) throw new Error('nothing stands still');
  const shown = (fits: RegExp) =>
    ada.waitForMessage((message) => message.ephemeral === true && fits.test(ada.text(message)));
  const stands = async (fits: RegExp) => {
    await ada.command('/connections resume all');
    return shown(fits);
  };
  const paused = await stands(/Everything is paused/);
  expect((await ask(1, READ)).body).toMatchObject({ code: 'paused' });
  await ada.click(paused, 'Resume reads');
  const message = await shown(/Step 1 of 3/);
  expect((await ask(1, READ)).body.status).toBe('succeeded');
  const another = await ask(0, ticketRequest('Too early'));
  expect(another.body).toMatchObject({ code: 'paused' });

  await ada.click(message, 'Next: what needs approval');
  await until(async () => (await approvalOf(waiting.executionId))?.frozenAt === null, 5_000);
  const thawed = await approvalOf(waiting.executionId);
  const given = (thawed?.expiresAt.getTime() ?? 0) - waiting.expiresAt.getTime();
  const stood = looking.deps.clock.now().getTime() - waiting.frozenAt.getTime();
  expect(given).toBeGreaterThan(2_000);
  expect(Math.abs(given - stood)).toBeLessThan(2_000);
  const card = await cardOf(ben, 'Waits through the pause', /Waiting for.*expires/);
  await ben.click(card, 'approval.approve');
  const ended = await call(
    apps[0]?.origin ?? '',
    seeded.token,
    `/v1/executions/${waiting.executionId}?wait=10`,
  );
  expect(ended.body.status).toBe('succeeded');

  await ada.click(await stands(/Step 2 of 3/), 'Next: the rest');
  await shown(/Everything runs again/);
  const actions = await looking.deps.models.auditEvents.distinct('action', { 'subject.kind': 'workspace' });
  expect(actions).toEqual(
    expect.arrayContaining(['workspace.paused', 'workspace.resuming', 'workspace.resumed']),
  );
  expect(world.slack.workspace.violations).toEqual([]);
});
