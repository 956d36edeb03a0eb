/** Approving with a second proof, as an approver does it in Slack and in her browser. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message, View } from '../../playground/slack/protocol.js';
import { Visitor } from '../../playground/visitor.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { ends, sent, ticketRequest } from '../harness/writes.js';

const STEP_MS = 30_000;
let world: World;
let looking: Connected;
let seeded: Seeded;
let app: AppProcess;
let ben: Person;
let secret = '';

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { route: null });
  const connection = await looking.services.connections.find(seeded.connectionId);
  if (!connection) throw new Error('there is no connection');
  const rules = connection.policy.rules.map((rule) => ({ ...rule, stepUp: 'totp' as const }));
  await looking.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, rules);
  app = await world.start();
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const codeAt = (at: number): string => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: at });
/** A code that was not used yet: steps go up by one for each that is. */
let step = 0;
const nextCode = (): string => codeAt(step++ * STEP_MS);
const urlIn = (view: View | null): string => /"url":"([^"]+)"/.exec(JSON.stringify(view))?.[1] ?? '';

async function asked(subject: string): Promise<{ id: string; card: Message }> {
  const answer = await call(app.origin, seeded.token, '/v1/executions', ticketRequest(subject));
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const card = await ben.waitForMessage(({ blocks }) => JSON.stringify(blocks).includes(`${subject}\\n`));
  return { id: answer.body.id, card };
}

const approvalOf = (executionId: string) => looking.services.approvals.ofExecution(executionId);

it('who has none is told how to set one up, and nothing is approved', async () => {
  const { id, card } = await asked('Step-up 1');
  expect(ben.text(card)).toContain('asks for a second proof');
  await ben.click(card, 'Approve');
  expect(ben.text(await ben.waitForView(/you have none yet/))).toContain('Nothing was approved');
  expect((await approvalOf(id))?.decisions).toEqual([]);

  await ben.click('modal', 'Set up a second proof');
  const visitor = new Visitor();
  const first = await visitor.open(urlIn(await ben.waitForView(/QR code/)));
  const shown = await visitor.submit(first);
  secret = (/id="secret">([^<]+)</.exec(shown.html)?.[1] ?? '').replaceAll(' ', '');
  // The oldest that counts, so that the steps after it count for a while.
  step = Math.floor(Date.now() / STEP_MS) - 1;
  const done = await visitor.submit(shown, { code: nextCode() });
  expect(done.status, done.html).toBe(200);
  await ben.close(true);
  await ben.openHome();
  await ben.waitForHome(/Replace or remove/);
});

it('a wrong code approves nothing; the right one does, once', async () => {
  const { id, card } = await asked('Step-up 2');
  await ben.click(card, 'Approve');
  await ben.waitForView(/Six digits/);
  expect((await approvalOf(id))?.status).toBe('pending');
  const wrong = codeAt(Date.now() - 3_600_000);
  expect(await ben.submit({ 'Six digits': wrong })).toEqual({ code: expect.stringContaining('not right') });
  expect((await approvalOf(id))?.decisions).toEqual([]);
  expect(sent(world.helpdesk, 'Step-up 2')).toHaveLength(0);

  const code = nextCode();
  expect(await ben.submit({ 'Six digits': code })).toBeNull();
  expect(ben.view()).toBeNull();
  const [execution] = await ends(looking, [id], 10_000);
  expect(execution?.status).toBe('succeeded');
  expect(sent(world.helpdesk, 'Step-up 2')).toHaveLength(1);
  expect((await approvalOf(id))?.decisions).toMatchObject([{ userId: 'U0BEN', proof: 'totp' }]);
  await ben.waitForMessage((message) => /second proof given/.test(ben.text(message)));

  const again = await asked('Step-up 3');
  await ben.click(again.card, 'Approve');
  await ben.waitForView(/Six digits/);
  expect(await ben.submit({ 'Six digits': code })).toEqual({ code: expect.stringContaining('used already') });
  expect((await approvalOf(again.id))?.decisions).toEqual([]);
  await ben.close(true);

  const { models, workspaceId } = looking.deps;
  const refusals = await models.auditEvents
    .find({ workspaceId, action: 'approval.refused_click' })
    .sort({ at: 1 })
    .lean();
  expect(refusals.map(({ details }) => details.reason)).toEqual([
    'second proof: none',
    'second proof: wrong',
    'second proof: used',
  ]);
  for (const kept of [JSON.stringify(refusals), app.output()]) {
    expect(kept).not.toContain(code);
    expect(kept).not.toContain(secret);
  }
});

it('a denial needs none', async () => {
  const { id, card } = await asked('Step-up 4');
  await ben.click(card, 'Deny');
  await ben.waitForView(/Why/);
  expect(await ben.submit({ 'Why?': 'No' })).toBeNull();
  const [execution] = await ends(looking, [id], 10_000);
  expect(execution?.status).toBe('denied');
});

it('an approval that lacks its proof does not run, whoever wrote it', async () => {
  const { id } = await asked('Step-up 5');
  const { models, workspaceId } = looking.deps;
  const at = looking.deps.clock.now();
  const forged = { userId: 'U0BEN', decision: 'approved' as const, reason: null, at };
  await models.approvals.updateOne(
    { executionId: id, workspaceId },
    { $set: { status: 'approved', endedAt: at }, $push: { decisions: forged }, $inc: { rev: 1 } },
  );
  const [execution] = await ends(looking, [id], 15_000);
  expect(execution).toMatchObject({ status: 'failed', error: { code: 'refused_recheck' } });
  expect(sent(world.helpdesk, 'Step-up 5')).toHaveLength(0);
});
