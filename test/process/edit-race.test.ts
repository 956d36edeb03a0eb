/**
 * Edit, approve and deny at the same moment, through two processes on one database, many times (`EDIT_RACE_ROUNDS`): one of them wins, and
 * what ran is what the winner saw.
 */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import { user } from '../../playground/slack/seed.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { submit } from '../harness/submit.js';
import { ends, sent, ticketRequest } from '../harness/writes.js';

const ROUNDS = Number(process.env.EDIT_RACE_ROUNDS ?? 20);
/** In milliseconds, for an edit that goes first: some are overtaken, some are not, however busy the machine. */
const HEAD_STARTS = [0, 100, 400, 1_200];
/** Each has people of its own: nobody has two forms open. */
const LANES = 5;
const lane = (n: number) => [`U0EDIT${n}`, `U0OK${n}`, `U0NO${n}`] as const;

let world: World;
let looking: Connected;
let apps: AppProcess[];
let seeds: Seeded[];
const won: Record<string, number> = { edit: 0, approve: 0, deny: 0 };

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });

  looking = await world.services();
  seeds = [];
  for (let n = 0; n < LANES; n += 1) {
    for (const id of lane(n)) world.slack.workspace.users.set(id, user({ id, name: id.toLowerCase() }));
    const options = { approvers: lane(n), route: null, name: `Desk ${n}` };
    seeds.push(await seedHelpdesk(looking, world.helpdesk, options));
  }
  apps = [await world.start(), await world.start()];
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

async function round(n: number, of: Seeded, via: number): Promise<void> {
  const subject = `Round ${n} of ${ROUNDS}`;
  const app = apps[n % 2];
  const request = ticketRequest(subject, of.key);
  const asked = await submit(app?.origin ?? '', of.token, request, `round-${n}`);
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  const id: string = asked.body.id;
  const people = lane(via).map((who, at) =>
    person(world.slack, who, { via: (n + at) % 2, patienceMs: 20_000 }),
  ) as [Person, Person, Person];
  const [editor, approver, denier] = people;
  const cards = await Promise.all(
    people.map((who) =>
      who.waitForMessage(({ blocks }) => (blocks ?? []).some((block) => block.block_id === `approval:${id}`)),
    ),
  );
  const [edits, approves, denies] = cards;
  if (!edits || !approves || !denies) throw new Error('there is no card');
  await editor.click(edits, 'approval.edit');
  await editor.waitForView(/What stands here/);
  await editor.fill({ Body: `Floor 4, round ${n}` });
  await denier.click(denies, 'approval.deny');
  await denier.waitForView(/Why/);
  const press = [
    () => editor.submit().catch(String),
    () => approver.click(approves, 'approval.approve', { stale: true }),
    () => denier.submit().catch(String),
  ];
  // Every third round another is a breath ahead, and an edit a longer one: it has more to ask than a click.
  const first = press[n % 3];
  const ahead = first?.();
  await new Promise((resolve) =>
    setTimeout(resolve, first === press[0] ? (HEAD_STARTS[(n / 3) % 4] ?? 0) : (n % 4) * 10),
  );
  await Promise.all([ahead, ...press.filter((each) => each !== first).map((each) => each())]);
  for (const who of people) if (who.view()) await who.close(true);

  const { models, workspaceId } = looking.deps;
  const [execution] = await ends(looking, [id], 20_000);
  const approval = await models.approvals.findOne({ workspaceId, executionId: id }).lean();
  expect(approval?.decisions).toHaveLength(1);
  const winner = approval?.decisions[0]?.userId;
  const bodies = sent(world.helpdesk, subject);
  expect(approval?.bindingHash).toBe(execution?.bindingHash);
  if (winner === editor.id) {
    expect(execution).toMatchObject({ status: 'succeeded', editedBy: editor.id });
    expect(bodies).toEqual([expect.stringContaining(`Floor 4, round ${n}`)]);
    won.edit = (won.edit ?? 0) + 1;
  } else if (winner === approver.id) {
    expect(execution?.status).toBe('succeeded');
    expect(execution?.editedBy ?? null).toBeNull();
    expect(bodies).toEqual([expect.stringContaining('Floor 3')]);
    won.approve = (won.approve ?? 0) + 1;
  } else {
    expect(winner).toBe(denier.id);
    expect(execution?.status).toBe('denied');
    expect(bodies).toEqual([]);
    won.deny = (won.deny ?? 0) + 1;
  }
}

it(`${ROUNDS} rounds: one wins, and what it saw is what ran`, {
  timeout: 90_000 + ROUNDS * 3_000,
}, async () => {
  const lanes = seeds.map(async (seeded, at) => {
    for (let n = at; n < ROUNDS; n += LANES) await round(n, seeded, at);
  });
  await Promise.all(lanes);
  expect(Object.values(won).reduce((sum, count) => sum + count, 0)).toBe(ROUNDS);
  for (const count of Object.values(won)) expect(count, JSON.stringify(won)).toBeGreaterThan(0);
  expect(Object.keys(won)).toHaveLength(3);
  console.info(`${ROUNDS} rounds, won by: ${JSON.stringify(won)}`);
  expect(world.slack.workspace.violations).toEqual([]);
});
