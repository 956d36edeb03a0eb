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

/** Everybody has the card and the form for denying open; then all press at once, half of them here, half there. */
async function race(subject: string, denyFirst: boolean): Promise<void> {
  const everybody = APPROVERS.map((id, n) => [
    person(world.slack, id, { via: n % 2, patienceMs: 10_000 }),
    person(world.slack, id, { via: (n + 1) % 2, patienceMs: 10_000 }),
  ]) as [Person, Person][];
  const card = await everybody[0]?.[0].waitForMessage(
    ({ channel, blocks }) => channel === 'C0APPROVALS' && JSON.stringify(blocks).includes(`${subject}\\n`),
  );
  if (!card) throw new Error('there is no card');
  for (const [, denier] of everybody) {
    await denier.click(card, 'approval.deny');
    await denier.waitForView(/Why/);
  }
  const clicks = everybody.flatMap(([approver, denier]) => {
    const approve = async () => approver.click(card, 'approval.approve', { stale: true });
    const deny = async () => denier.submit({ reason: `No, says ${denier.id}` });
    return denyFirst ? [deny, approve] : [approve, deny];
  });
  expect(clicks).toHaveLength(CLICKS);
  for (const outcome of await Promise.all(clicks.map((click) => click()))) {
    if (outcome !== null) expect(outcome).toMatchObject({ ok: true });
  }
}

/** Who was told, in the channel or in a DM of the app's, that somebody else had decided. */
function told(after: string): { readonly who: string; readonly text: string }[] {
  return APPROVERS.flatMap((id) => {
    const reader = person(world.slack, id);
    return [...reader.messages('C0APPROVALS').filter((each) => each.ephemeral), ...reader.dm()]
      .filter((each) => each.ts > after && each.text.startsWith('Too late: '))
      .map(({ text }) => ({ who: id, text }));
  });
}

it.each(Array.from({ length: ROUNDS }, (_, n) => n + 1))('round %i', async (round) => {
  const subject = `Round ${round} of ${ROUNDS}`;
  const app = apps[round % 2];
  const asked = await call(app?.origin ?? '', seeded.token, '/v1/executions', ticketRequest(subject));
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  const id: string = asked.body.id;
  const start = world.slack.workspace.nextTs();
  await race(subject, round % 2 === 0);

  const { models, workspaceId } = looking.deps;
  const [execution] = await ends(looking, [id], 10_000);
  const approval = await models.approvals.findOne({ workspaceId, executionId: id }).lean();
  expect(approval?.decisions).toHaveLength(1);
  const winner = approval?.decisions[0];
  expect(approval?.status).toBe(winner?.decision);
  const approved = winner?.decision === 'approved';
  expect(execution?.status).toBe(approved ? 'succeeded' : 'denied');
  expect(sent(world.helpdesk, subject)).toHaveLength(approved ? 1 : 0);
  won[approved ? 'approved' : 'denied'] += 1;

  const late = { workspaceId, action: 'approval.late_click', 'subject.id': id };
  expect(await models.auditEvents.countDocuments(late)).toBe(CLICKS - 1);
  await until(
    () => told(start).length >= CLICKS - 1,
    10_000,
    () => JSON.stringify(told(start)),
  );
  const sentence = `Too late: <@${winner?.userId}> has ${winner?.decision} this already.`;
  expect(told(start).map(({ text }) => text)).toEqual(Array(CLICKS - 1).fill(sentence));
  for (const userId of APPROVERS) {
    const times = told(start).filter(({ who }) => who === userId).length;
    expect(times, userId).toBe(userId === winner?.userId ? 1 : 2);
  }
});

it('had both kinds of winners, and Slack took every payload', () => {
  expect(won.approved + won.denied).toBe(ROUNDS);
  expect(Math.min(won.approved, won.denied)).toBeGreaterThan(0);
  expect(world.slack.workspace.violations).toEqual([]);
});
