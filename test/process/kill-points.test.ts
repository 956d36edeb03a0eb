/**
 * kill -9 at each of the 14 named points, three times (shared/RELIABILITY.md T1, short form): after a restart nothing
 * is lost, nothing runs twice, nothing is stuck, and nobody guesses how a call ended.
 */
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { isTerminal } from '../../models/state-machines.js';
import type { ExecutionDocument } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import type { Connected } from '../../src/bootstrap.js';
import { KILL_POINTS, type KillPoint } from '../../src/kill-points.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { inTurn } from '../harness/in-turn.js';
import { sent, ticketRequest } from '../harness/writes.js';

const RUNS = [1, 2, 3];
/** G8: after that long with one healthy process every execution has ended. */
const RECOVERY_MS = 30_000;

interface Expected {
  readonly status: ExecutionDocument['status'];
  readonly sent: 0 | 1;
}
const DONE: Expected = { status: 'succeeded', sent: 1 };
const EXPECTED: Readonly<Record<KillPoint, readonly Expected[]>> = {
  before_intent: [DONE],
  after_intent: [DONE],
  before_card_post: [DONE],
  after_card_post: [DONE],
  before_decision: [DONE],
  after_decision: [DONE],
  before_slack_ack: [DONE],
  before_claim: [DONE],
  after_claim: [{ status: 'outcome_unknown', sent: 0 }],
  before_send: [{ status: 'outcome_unknown', sent: 0 }],
  after_send: [{ status: 'outcome_unknown', sent: 1 }],
  before_outcome: [{ status: 'outcome_unknown', sent: 1 }],
  after_outcome: [DONE],
  // The first update races with the run: the process dies before the claim, after it, or when all is done.
  before_card_update: [DONE, { status: 'outcome_unknown', sent: 0 }, { status: 'outcome_unknown', sent: 1 }],
};
const FINAL = {
  succeeded: /\*Approved\* by @Ben.*\*done\*/,
  outcome_unknown: /\*Approved\* by @Ben.*\*outcome unknown\*/,
} as const;
/** The longest first: they wait for a lease, and those that run at a time are then always busy. */
const LEASED: readonly KillPoint[] = [
  'after_claim',
  'before_send',
  'after_send',
  'before_outcome',
  'before_card_update',
  'before_card_post',
  'after_card_post',
];
const ORDER = [...LEASED, ...KILL_POINTS.filter((point) => !LEASED.includes(point))];

const openCard = (message: Message): boolean =>
  JSON.stringify(message.blocks ?? []).includes('approval.approve');

describe.concurrent.each(ORDER)('killed at %s', (point) => {
  let world: World;
  let services: Connected;
  let seeded: Seeded;
  let ben: Person;
  let app: AppProcess;

  beforeAll(async () => {
    const transport = KILL_POINTS.indexOf(point) % 2 === 0 ? 'http' : 'socket';
    world = await createWorld({ transport, mongoUri: inject('mongoUri') });
    services = await world.services();
    seeded = await seedHelpdesk(services, world.helpdesk);
    ben = person(world.slack, 'U0BEN');
  });
  afterEach(async () => app.kill());
  afterAll(async () => {
    await services.close();
    await world.close();
  });

  async function submit(subject: string): Promise<void> {
    const headers = { 'idempotency-key': subject };
    const answer = await call(app.origin, seeded.token, '/v1/executions', ticketRequest(subject), headers);
    expect([200, 202], JSON.stringify(answer.body)).toContain(answer.status);
  }
  const cards = (subject: string): Message[] =>
    [...ben.messages('C0APPROVALS'), ...ben.dm()].filter((message) => ben.text(message).includes(subject));
  const execution = async (subject: string): Promise<ExecutionDocument | null> =>
    services.deps.models.executions
      .findOne({ workspaceId: services.deps.workspaceId, idempotencyKey: subject })
      .lean();
  const dead = (): boolean => app.child.signalCode !== null;

  /** The copies that the app knows of. One that Slack took but the app could not note is `after_card_post`'s matter. */
  async function known(subject: string): Promise<number> {
    const { models, workspaceId } = services.deps;
    const subjectId = (await execution(subject))?._id ?? '';
    return models.outbox.countDocuments({ workspaceId, subjectId, ts: { $ne: null } });
  }

  /** What a caller and Ben do; whoever finds the process dead just stops. */
  async function go(subject: string): Promise<void> {
    await submit(subject);
    await until(async () => dead() || (await known(subject)) === 2, 10_000, app.output);
    const card = cards(subject).find(openCard);
    if (card && !dead()) await ben.click(card, 'approval.approve');
  }

  /** The caller asks again under the same key, and Ben presses where his click was not recorded. */
  async function recovered(subject: string): Promise<ExecutionDocument> {
    await submit(subject);
    let current = await execution(subject);
    await until(
      async () => {
        current = await execution(subject);
        if (current?.status === 'pending_approval') {
          const approval = await services.services.approvals.ofExecution(current._id);
          const card = cards(subject).find(openCard);
          if (card && approval?.status === 'pending') await ben.click(card, 'approval.approve');
        }
        return current !== null && isTerminal(current.status);
      },
      RECOVERY_MS,
      () => `${JSON.stringify(current)}\n${app.output()}`,
    );
    if (!current) throw new Error('the execution is lost');
    return current;
  }

  it.sequential.each(RUNS)('run %i', { timeout: 100_000 }, async (run) => {
    const subject = `${point}-${run}`;
    app = await inTurn(() => world.start({ CRASH_AT: point }));
    const before = await Promise.allSettled([go(subject)]);
    await until(
      dead,
      10_000,
      () =>
        `${point} was not reached: ${before.map((each) => (each.status === 'rejected' ? String(each.reason) : 'ok')).join()}\n${app.output()}`,
    );
    expect(app.child.signalCode).toBe('SIGKILL');
    const atDeath = await execution(subject);
    await app.kill();

    // It may have died in the middle of a sweep: the locks that this leaves must not hold recovery up.
    const jobs = services.deps.models.executions.db.collection('agenda_jobs');
    await jobs.updateMany({ type: 'single' }, { $set: { lockedAt: services.deps.clock.now() } });

    app = await inTurn(() => world.start());
    const end = await recovered(subject);
    expect(EXPECTED[point]).toContainEqual({
      status: end.status,
      sent: sent(world.helpdesk, subject).length,
    });
    if (atDeath) expect(end._id, 'asking again under the same key is the same call').toBe(atDeath._id);
    if (end.status === 'outcome_unknown') expect(atDeath?.attempt).not.toBeNull();

    const final = FINAL[end.status as keyof typeof FINAL];
    // A copy that Slack took but the app could not note is brought up to date by whoever presses on it.
    if (point === 'after_card_post')
      for (const card of cards(subject).filter(openCard))
        await ben.click(card, 'approval.approve', { stale: true });
    await until(
      () =>
        cards(subject).length >= 2 &&
        cards(subject).every((card) => final.test(ben.text(card)) && !openCard(card)),
      RECOVERY_MS,
      () =>
        cards(subject)
          .map((card) => ben.text(card))
          .join('\n---\n'),
    );
    const { models, workspaceId } = services.deps;
    const due = { workspaceId, notBefore: { $ne: null }, failed: null };
    await until(async () => (await models.outbox.countDocuments(due)) === 0, RECOVERY_MS);
    expect(sent(world.helpdesk, subject).length).toBeLessThanOrEqual(1);
    expect(world.slack.workspace.violations).toEqual([]);
  });
});
