/**
 * One decision wins (G3; shared/RELIABILITY.md T2, short form): 50 clicks at once from 25 approvers through two
 * processes on one database, approve and deny mixed, 20 times over.
 */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import { user } from '../../playground/slack/seed.js';
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
import { ends, sent, ticketRequest } from '../harness/writes.js';

const ROUNDS = 20;
const EXTRA = Array.from({ length: 22 }, (_, n) => `U0EXTRA${n}`);
const APPROVERS = ['U0BEN', 'U0CLEO', 'U0DANA', ...EXTRA];
const CLICKS = 2 * APPROVERS.length;

let world: World;
let looking: Connected;
let seeded: Seeded;
let apps: AppProcess[];
const won = { approved: 0, denied: 0 };
let unanswered = 0;
/** What losers may be told: one sentence for each round. */
const sentences = new Set<string>();

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  const { workspace } = world.slack;
  for (const id of EXTRA) {
    workspace.users.set(id, user({ id, name: id.toLowerCase() }));
    workspace.channel('C0APPROVALS').members.push(id);
  }
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { approvers: APPROVERS });
  apps = [await world.start(), await world.start()];
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

/**
 * Everybody has the card and the form for denying open; then all press at once, through both processes.
 * Whose click Slack or the app gave up on (a machine with more to do than it can) is in the answer, once for each.
 */
async function race(subject: string, denyFirst: boolean): Promise<string[]> {
  const everybody = APPROVERS.map((id, n) => [
    person(world.slack, id, { via: n % 2, patienceMs: 20_000 }),
    person(world.slack, id, { via: (n + 1) % 2, patienceMs: 20_000 }),
  ]) as [Person, Person][];
  const card = await everybody[0]?.[0].waitForMessage(
    ({ channel, blocks }) => channel === 'C0APPROVALS' && JSON.stringify(blocks).includes(`${subject}\\n`),
  );
  if (!card) throw new Error('there is no card');
  for (const [, denier] of everybody) {
    await denier.click(card, 'approval.deny');
    await denier.waitForView(/Why/);
    await denier.fill({ reason: `No, says ${denier.id}` });
  }
  const lost: string[] = [];
  const approve = async ([approver]: [Person, Person]) => {
    const { ok } = await approver.click(card, 'approval.approve', { stale: true });
    if (!ok) lost.push(approver.id);
  };
  const deny = async ([, denier]: [Person, Person]) => {
    const errors = await denier.submit().catch(String);
    if (errors !== null) lost.push(denier.id);
  };
  const approvals = everybody.map((both) => () => approve(both));
  const denials = everybody.map((both) => () => deny(both));
  const [first, second] = denyFirst ? [denials, approvals] : [approvals, denials];
  const pressed = first.map((press) => press());
  // A breath later, with the first still on their way: in half of the rounds a denial should be there first.
  await new Promise((resolve) => setTimeout(resolve, 5));
  pressed.push(...second.map((press) => press()));
  expect(pressed).toHaveLength(CLICKS);
  await Promise.all(pressed);
  return lost;
}

/** What people were told since, in the channel or in a DM of the app's, and who. */
function told(since: string, beginning: string): { readonly who: string; readonly text: string }[] {
  return APPROVERS.flatMap((id) => {
    const reader = person(world.slack, id);
    return [...reader.messages('C0APPROVALS').filter((each) => each.ephemeral), ...reader.dm()]
      .filter((each) => each.ts > since && each.text.startsWith(beginning))
      .map(({ text }) => ({ who: id, text }));
  });
}

it.each(Array.from({ length: ROUNDS }, (_, n) => n + 1))('round %i', { timeout: 60_000 }, async (round) => {
  const subject = `Round ${round} of ${ROUNDS}`;
  const app = apps[round % 2];
  const asked = await call(app?.origin ?? '', seeded.token, '/v1/executions', ticketRequest(subject));
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  const id: string = asked.body.id;
  const start = world.slack.workspace.nextTs();
  const lost = await race(subject, round % 2 === 0);

  const { models, workspaceId } = looking.deps;
  const [execution] = await ends(looking, [id], 20_000);
  const approval = await models.approvals.findOne({ workspaceId, executionId: id }).lean();
  expect(approval?.decisions).toHaveLength(1);
  const winner = approval?.decisions[0];
  expect(approval?.status).toBe(winner?.decision);
  const approved = winner?.decision === 'approved';
  expect(execution?.status).toBe(approved ? 'succeeded' : 'denied');
  expect(sent(world.helpdesk, subject)).toHaveLength(approved ? 1 : 0);
  won[approved ? 'approved' : 'denied'] += 1;

  // Who was told to press again was not told more; on a machine that keeps up there is nobody.
  const pressAgain = () => [
    ...lost,
    ...told(start, 'Your decision was *not recorded*').map(({ who }) => who),
  ];
  const due = (who: string): number =>
    2 - (who === winner?.userId ? 1 : 0) - pressAgain().filter((each) => each === who).length;
  const sentence = `Too late: <@${winner?.userId}> has ${winner?.decision} this already.`;
  sentences.add(sentence);
  const tooLate = () => told(start, sentence);
  await until(
    () => APPROVERS.every((id) => tooLate().filter(({ who }) => who === id).length >= due(id)),
    15_000,
    () => apps.map((each) => each.output().slice(-4_000)).join('\n'),
  );
  unanswered += pressAgain().length;
  const late = { workspaceId, action: 'approval.late_click', 'subject.id': id };
  const audited = await models.auditEvents.countDocuments(late);
  expect(audited).toBeLessThanOrEqual(CLICKS - 1);
  expect(audited).toBeGreaterThanOrEqual(CLICKS - 1 - pressAgain().length);
});

it('had both kinds of winners, and Slack took every payload', () => {
  expect(won.approved + won.denied).toBe(ROUNDS);
  for (const { text } of told('', 'Too late')) expect(sentences).toContain(text);
  expect(unanswered).toBeLessThan((ROUNDS * CLICKS) / 2);
  expect(Math.min(won.approved, won.denied)).toBeGreaterThan(0);
  expect(world.slack.workspace.violations).toEqual([]);
});
