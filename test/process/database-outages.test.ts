/**
 * G10, in short: the database freezes, is gone, or is slow under the real process. Every call is answered within three
 * seconds, nothing is executed, a click is not lost in silence, and all works again without a restart.
 */
import { describe, expect, inject, test } from 'vitest';
import { person } from '../../playground/slack/person.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { type Condition, type DatabaseProxy, startDatabaseProxy } from '../harness/database-proxy.js';
import { inTurn } from '../harness/in-turn.js';

const READ = { connection: 'helpdesk', function: 'list_tickets', arguments: {} };
const write = (subject: string) => ({
  connection: 'helpdesk',
  function: 'create_ticket',
  arguments: { subject, body: 'Floor 3', requester: 'sam@example.com' },
});
/** G10. */
const ANSWER_LIMIT_MS = 3_000;
const RECOVERY_LIMIT_MS = 10_000;
const OUTAGE_MS = 6_000;

/** A product of its own for each test: what takes the database away from one leaves it to the others. */
interface Site {
  readonly world: World;
  readonly proxy: DatabaseProxy;
  readonly app: AppProcess;
  readonly seeded: Seeded;
  readonly post: (body: object) => Promise<Timed>;
}

const it = test.extend<{ site: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see what a fixture needs, and this one needs none
  site: async ({}, use) => {
    const proxy = await startDatabaseProxy(inject('mongoUri'));
    const world = await createWorld({ mongoUri: proxy.uri });
    const services = await world.services();
    const seeded = await seedHelpdesk(services, world.helpdesk);
    await services.close();
    const app = await inTurn(() => world.start());
    const post = (body: object) => timed(call(app.origin, seeded.token, '/v1/executions', body));
    await use({ world, proxy, app, seeded, post });
    proxy.set('open');
    await world.close();
    await proxy.close();
  },
});

interface Timed extends Answer {
  readonly ms: number;
}

async function timed(asking: Promise<Answer>): Promise<Timed> {
  const started = performance.now();
  const answer = await asking;
  return { ...answer, ms: performance.now() - started };
}

/** What reached the helpdesk of calls that were asked during the outage. */
const inVain = ({ world }: Site) =>
  world.helpdesk.requests.filter(({ body }) => body.includes('Asked in vain'));

/** Calls of every kind, a batch every 700 ms, for as long as the outage lasts. */
async function callAllTheWhile(
  { app, seeded, post }: Site,
  executionId: string,
): Promise<{ answers: Timed[]; subjects: string[] }> {
  const pending: Promise<Timed>[] = [];
  const subjects: string[] = [];
  for (const end = performance.now() + OUTAGE_MS; performance.now() < end; ) {
    const subject = `Asked in vain ${subjects.length}.`;
    subjects.push(subject);
    pending.push(
      post(READ),
      post({ ...write(subject), wait: 20 }),
      timed(call(app.origin, seeded.token, '/v1/functions')),
      timed(call(app.origin, seeded.token, `/v1/executions/${executionId}?wait=20`)),
      timed(call(app.origin, seeded.token, `/v1/executions/${executionId}/cancel`, {})),
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  return { answers: await Promise.all(pending), subjects };
}

/** What it logged of errors that it did not know how to answer. */
const unexpected = (app: AppProcess): string =>
  app
    .output()
    .split('\n')
    .filter((line) => line.includes('unexpected error'))
    .join('\n');

/** Most calls get through, some do not: several questions in a row take too long. */
const slow: Condition = { delayMs: 500 };
const outages: readonly (readonly [string, Condition])[] = [
  ['frozen', 'freeze'],
  ['gone', 'refuse'],
  ['slow, two seconds an answer', { delayMs: 2_000 }],
  ['slow, half a second an answer', slow],
];

describe.concurrent.each(outages)('the database is %s', (_what, condition) => {
  it('says so in time, executes nothing, and goes on by itself', { timeout: 90_000 }, async ({ site }) => {
    const { world, proxy, app, seeded, post } = site;
    const ended = await post(READ);
    expect(ended.body.status).toBe('succeeded');
    const asked = await post(write('Asked before.'));
    const ben = person(world.slack, 'U0BEN');
    const card = await ben.waitForMessage(
      (message) => message.channel === 'C0APPROVALS' && ben.text(message).includes('Asked before.'),
    );

    proxy.set(condition);
    const calling = callAllTheWhile(site, ended.body.id);
    const clicking = ben.click(card, 'approval.approve');
    const click = await clicking;
    const { answers, subjects } = await calling;
    const refused = answers.filter(({ status }) => status === 503);
    const slowest = Math.max(...refused.map(({ ms }) => ms));
    const vain = new Set(subjects);
    for (const answer of answers) {
      // A database that is slow but answers in time is no outage; what was accepted may then be waited for.
      if (answer.status === 200 || answer.status === 202) continue;
      expect(answer, unexpected(app)).toMatchObject({
        status: 503,
        body: { code: 'unavailable', executed: false, retryable: true },
      });
      expect(answer.ms).toBeLessThan(ANSWER_LIMIT_MS);
      expect(answer.headers.get('content-type')).toMatch(/problem\+json/);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(refused.length).toBeGreaterThan(10);
    if (condition !== slow) expect(refused).toHaveLength(answers.length);
    expect(inVain(site)).toEqual([]);

    // Acked in time, and either it counts or the person knows that it does not.
    expect(click.ok, JSON.stringify(click)).toBe(true);
    expect(world.slack.workspace.deliveries.at(-1)?.ack_ms).toBeLessThan(2_700);
    const shown = (): string =>
      ben
        .messages('C0APPROVALS')
        .map((message) => ben.text(message))
        .join('\n');
    if (condition !== slow) await until(() => /not recorded.*Press again/s.test(shown()), 2_000, shown);

    proxy.set('open');
    const opened = performance.now();
    await until(async () => (await post(READ)).status === 200, RECOVERY_LIMIT_MS);
    const recovered = performance.now() - opened;
    await until(async () => (await fetch(`${app.origin}/readyz`)).status === 200, RECOVERY_LIMIT_MS);
    console.info(`slowest answer ${Math.round(slowest)} ms, works again after ${Math.round(recovered)} ms`);

    // What was refused stays refused: no card asks for it, no ticket comes of it.
    const { deps, close } = await world.services();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const left = await deps.models.executions
      .find({ workspaceId: deps.workspaceId, function: 'create_ticket', _id: { $ne: asked.body.id } })
      .lean();
    await close();
    expect(left.filter(({ status }) => !['cancelled', 'failed', 'denied'].includes(status))).toEqual([]);
    const cards = ben.messages('C0APPROVALS').map((message) => ben.text(message));
    expect([...vain].filter((subject) => cards.some((text) => text.includes(subject)))).toEqual([]);
    expect(inVain(site)).toEqual([]);

    // The click that was not recorded counts when it is made again, once.
    const status = (await call(app.origin, seeded.token, `/v1/executions/${asked.body.id}`)).body.status;
    if (status === 'pending_approval') await ben.click(card, 'approval.approve');
    const done = await call(app.origin, seeded.token, `/v1/executions/${asked.body.id}?wait=10`);
    expect(done.body.status, JSON.stringify(done.body)).toBe('succeeded');
    expect(world.helpdesk.tickets().filter(({ subject }) => subject === 'Asked before.')).toHaveLength(1);
    expect(app.child.exitCode).toBeNull();
  });
});

describe.concurrent('a call that is being recorded when the database freezes', () => {
  it.for(['request', 'answer'] as const)(
    'is taken back, and its key is free again (the %s is held up)',
    { timeout: 60_000 },
    async (lost, { site: { world, proxy, app, seeded } }) => {
      const { deps, close } = await world.services();
      const send = (key: string) =>
        timed(
          call(app.origin, seeded.token, '/v1/executions', write(`Asked as ${key}.`), {
            'idempotency-key': key,
          }),
        );
      const stored = () => deps.models.executions.find({ workspaceId: deps.workspaceId }).lean();
      proxy.freezeAtInsert('executions', lost);
      const answer = await send('one');
      expect(answer).toMatchObject({
        status: 503,
        body: { code: 'unavailable', executed: false, retryable: true },
      });
      expect(answer.ms).toBeLessThan(ANSWER_LIMIT_MS);

      proxy.set('open');
      await until(
        async () => (await stored().catch(() => [])).some(({ finishedAt }) => finishedAt !== null),
        RECOVERY_LIMIT_MS,
      );
      // Longer than the sweepers take to ask for what is pending.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      expect(
        (await stored()).map(({ status, error, idempotencyKey }) => [status, error?.code, idempotencyKey]),
      ).toEqual([['cancelled', 'unavailable', expect.stringMatching(/^withdrawn:ex_/)]]);
      const ben = person(world.slack, 'U0BEN');
      expect(ben.messages('C0APPROVALS')).toEqual([]);

      const again = await send('one');
      expect(again.body.status).toBe('pending_approval');
      const card = await ben.waitForMessage(/Asked as one/);
      await ben.click(card, 'approval.approve');
      await until(() => world.helpdesk.tickets().some(({ subject }) => subject === 'Asked as one.'), 5_000);
      await close();
    },
  );

  it('does not run when it was to run at once', { timeout: 60_000 }, async ({ site }) => {
    const { world, proxy, app, post } = site;
    proxy.freezeAtInsert('executions', 'answer');
    const requests = world.helpdesk.requests.length;
    expect((await post(READ)).status).toBe(503);
    proxy.set('open');
    await until(async () => (await fetch(`${app.origin}/readyz`)).status === 200, RECOVERY_LIMIT_MS);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(world.helpdesk.requests).toHaveLength(requests);
  });
});

describe('a call that was accepted', () => {
  it('is never said to be refused, even when its end cannot be read', { timeout: 60_000 }, async ({
    site,
  }) => {
    const { world, proxy, app, seeded, post } = site;
    world.helpdesk.delay = 300;
    const calling = post({ ...READ, wait: 20 });
    await until(() => world.helpdesk.requests.length > 0, 5_000);
    proxy.set('freeze');
    const answer = await calling;
    expect(answer.status).toBe(202);
    proxy.set('open');
    const done = await call(app.origin, seeded.token, `/v1/executions/${answer.body.id}?wait=30`);
    expect(done.body).toMatchObject({ status: 'succeeded', outcome_recorded: true });
    expect(world.helpdesk.requests).toHaveLength(1);
  });
});
