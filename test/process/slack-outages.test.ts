/**
 * G11 (shared/RELIABILITY.md T9): Slack limits everything, then fails, then drops connections while approvals wait.
 * Every card arrives, none inside a Retry-After, one message a second and channel, or its request expires; none is
 * ever approved by itself. A short form; the long one and what it found are in docs/measurements.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Fault } from '../../playground/slack/faults.js';
import { person } from '../../playground/slack/person.js';
import type { ApiRequest } from '../../playground/slack/protocol.js';
import type { Connected } from '../../src/bootstrap.js';
import { PENDING_LIMIT } from '../../src/services/fate.js';
import {
  type AppProcess,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { eachOf, sent, submitted } from '../harness/writes.js';

const PENDING = Number(process.env.SLACK_OUTAGE_PENDING ?? 6);
const RETRY_AFTER_SECONDS = Number(process.env.SLACK_OUTAGE_RETRY_AFTER ?? 2);
/** How long Slack limits, fails and drops. */
const [LIMITED = 3, FAILING = 2, DROPPING = 2] = (process.env.SLACK_OUTAGE_SECONDS ?? '3,2,2')
  .split(',')
  .map(Number);
/** What Slack takes no better meanwhile; `*` is everything, and then people cannot be looked up either. */
const METHODS = (process.env.SLACK_OUTAGE_METHODS ?? 'chat.postMessage,chat.update').split(',');
/** Of requests that left together, one may be told to wait while the others are on their way. */
const ON_THE_WAY_MS = 400;
const PLACES = ['C0APPROVALS', 'D0BEN'];
const CARDS_BY = ['chat.postMessage', 'chat.update', 'conversations.open'];

interface Asked {
  readonly id: string;
  readonly subject: string;
}

let world: World;
let looking: Connected;
let callers: Seeded[];
let apps: AppProcess[];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  looking = await world.services();
  callers = [];
  while (callers.length < PENDING / PENDING_LIMIT) {
    callers.push(await seedHelpdesk(looking, world.helpdesk, { name: `Helpdesk ${callers.length + 1}` }));
  }
  apps = [await world.start(), await world.start()];
});

afterAll(async () => {
  await looking.close();
  await world.close();
});

async function ask(n: number): Promise<Asked> {
  const app = apps[n % 2];
  const caller = callers[n % callers.length];
  if (!app || !caller) throw new Error('nothing is set up');
  const subject = `Card number ${n}.`;
  return { id: await submitted(app.origin, caller, subject), subject };
}

const requests = (...methods: readonly string[]): ApiRequest[] =>
  world.slack.workspace.requests.filter(({ method }) => methods.includes(method));
const posts = (): ApiRequest[] => requests('chat.postMessage');

/** Slack is like that for so long, has shown it, and stays so until the other work is done. */
async function phase(
  seconds: number,
  fault: Fault,
  status: number,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  // Whatever comes first: a person may have to be looked up, or a DM to be opened, before a post.
  const struck = (): number => world.slack.workspace.requests.filter((each) => each.status === status).length;
  const before = struck();
  const lifts = METHODS.map((method) =>
    world.slack.faults.add({ ...fault, method, times: Number.POSITIVE_INFINITY }),
  );
  const end = performance.now() + seconds * 1_000;
  await Promise.all([meanwhile(), until(() => struck() > before, 120_000), watch(end)]);
  for (const lift of lifts) lift();
}

/** How long the slowest process took to answer while Slack was away: a busy machine has other milliseconds. */
let slowestMs = 0;

async function watch(end: number): Promise<void> {
  while (performance.now() < end) {
    const asked = performance.now();
    await Promise.all(apps.map(({ origin }) => fetch(`${origin}/readyz`)));
    slowestMs = Math.max(slowestMs, performance.now() - asked);
    await sleep(100);
  }
}

/** The time of these requests is over, as if it had passed. */
async function letExpire(asked: readonly Asked[]): Promise<void> {
  const { models, workspaceId } = looking.deps;
  const ids = { $in: asked.map(({ id }) => id) };
  const expiresAt = new Date(Date.now() - 1_000);
  await models.approvals.updateMany({ executionId: ids, workspaceId }, { $set: { expiresAt } });
  await models.executions.updateMany({ _id: ids, workspaceId }, { $set: { expiresAt } });
  await models.outbox.updateMany({ subjectId: ids, workspaceId }, { $set: { deadline: expiresAt } });
}

const ben = () => person(world.slack, 'U0BEN');
const shown = (place: string): string[] =>
  ben()
    .messages(place)
    .map((message) => ben().text(message));
const byStatus = async (): Promise<Map<string, string>> => {
  const { models, workspaceId } = looking.deps;
  const all = await models.executions.find({ workspaceId }, { status: 1 }).lean();
  return new Map(all.map(({ _id, status }) => [_id, status]));
};

/**
 * Calls of a method inside a window of its own, by how many milliseconds, but those that were on their way when it was
 * announced.
 */
function early(method: string): number[] {
  const all = requests(method);
  const windows = all.filter(({ status, too_early }) => status === 429 && !too_early);
  return all
    .filter(({ too_early }) => too_early)
    .map(({ at }) => at - Math.max(...windows.map((window) => window.at).filter((begun) => begun <= at)))
    .filter((late) => late >= Math.max(ON_THE_WAY_MS, 3 * slowestMs));
}

it(
  `delivers ${PENDING} cards through limits, failures and lost connections, or their requests expire`,
  async () => {
    // A few are on their way when it begins; the others are asked for meanwhile.
    const numbers = Array.from({ length: PENDING }, (_, n) => n);
    const asked = await eachOf(numbers.slice(0, PENDING / 2), ask, 4);
    const limits: Fault = { kind: 'rate_limited', retry_after: RETRY_AFTER_SECONDS };
    await phase(LIMITED, limits, 429, async () => {
      asked.push(...(await eachOf(numbers.slice(PENDING / 2), ask, 4)));
    });

    const doomed = asked.slice(-Math.ceil(PENDING / 10));
    const alive = asked.filter((each) => !doomed.includes(each));
    await phase(FAILING, { kind: 'server_error' }, 500, () => letExpire(doomed));
    await phase(DROPPING, { kind: 'drop' }, 0);

    const recovered = performance.now();
    const inTime = 60_000 + alive.length * 1_500;
    const count = (place: string): number => ben().messages(place).length;
    await until(
      () => PLACES.every((place) => count(place) >= alive.length),
      inTime,
      () => PLACES.map((place) => `${place}: ${count(place)} of ${alive.length}`).join('\n'),
    );
    const deliveredMs = performance.now() - recovered;
    // Each card once: a message that Slack never took was not there twice; and none of what expired before.
    for (const place of PLACES) {
      const texts = shown(place);
      expect(texts).toHaveLength(alive.length);
      for (const { subject } of alive) expect(texts.filter((text) => text.includes(subject))).toHaveLength(1);
    }

    for (const method of CARDS_BY) expect(early(method), method).toEqual([]);
    const gaps = PLACES.flatMap((place) => {
      const times = ben()
        .messages(place)
        .map(({ ts }) => Number(ts) * 1_000);
      return times.slice(1).map((time, index) => time - (times[index] ?? 0));
    });
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);

    // Nobody decided anything: what was in time waits, what was not has expired, and nothing was sent.
    const status = await byStatus();
    expect(alive.map(({ id }) => status.get(id))).toEqual(alive.map(() => 'pending_approval'));
    expect(doomed.map(({ id }) => status.get(id))).toEqual(doomed.map(() => 'expired'));
    expect(world.helpdesk.requests).toEqual([]);
    const undelivered = await looking.services.executions.record(doomed[0]?.id ?? '');
    expect(undelivered).toMatchObject({
      approvalStatus: 'expired',
      error: { code: 'expired', message: expect.stringContaining('undeliverable') },
    });

    // And the cards work.
    const wanted = alive.filter((_, n) => n % 10 === 1);
    for (const { subject } of wanted) {
      const card = ben()
        .messages('D0BEN')
        .find((message) => ben().text(message).includes(subject));
      if (!card) throw new Error(`there is no card for ${subject}`);
      await ben().click(card, 'approval.approve');
    }
    await until(async () => {
      const latest = await byStatus();
      return wanted.every(({ id }) => latest.get(id) === 'succeeded');
    }, 30_000);
    for (const each of asked) {
      expect(sent(world.helpdesk, each.subject)).toHaveLength(wanted.includes(each) ? 1 : 0);
    }
    const ended = [...(await byStatus()).values()].filter((each) => each !== 'pending_approval');
    expect(ended).toHaveLength(doomed.length + wanted.length);
    expect(world.slack.workspace.violations).toEqual([]);

    const calls = requests(...CARDS_BY);
    const of = (code: number): number => calls.filter((each) => each.status === code).length;
    const onTheWay = calls.filter(({ too_early }) => too_early).length;
    console.info(
      [
        `${PENDING} requests: ${alive.length} cards in each of ${PLACES.length} places`,
        `${doomed.length} expired undelivered, ${wanted.length} approved and sent`,
        `${posts().length} posts (${calls.length} calls), ${of(429)} limited, ${onTheWay} of them on their way`,
        `${of(500)} failed, ${of(0)} dropped; all there ${Math.round(deliveredMs / 1_000)} s after Slack was back`,
        `shortest gap ${Math.round(Math.min(...gaps))} ms, slowest answer ${Math.round(slowestMs)} ms`,
        `${early('users.info').length} look-ups inside a window`,
      ].join('; '),
    );
  },
  240_000 + (LIMITED + FAILING + DROPPING) * 1_000 + PENDING * 2_000,
);
