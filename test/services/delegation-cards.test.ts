/** One truth, many views: every pending card that a delegation is about says so, when it begins, ends, and runs out. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { whoDecides } from '../../src/slack/who-decides.js';
import { type DecidersApp, MINUTE, startDecidersApp } from './deciders-app.js';

const NOBODY = { users: [], usergroups: [], connectionOwner: false };
const TOMORROW = () => new Date(Date.now() + 24 * 60 * MINUTE);

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  app.directory.away = false;
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
  await app.models.delegations.deleteMany({});
  await app.models.outbox.deleteMany({});
});

const follow = () => app.services.delegationCards.follow();

/** How often each copy of a card was to be drawn, by who has it. */
async function drawings({ _id }: ExecutionDocument): Promise<Record<string, number>> {
  const rows = await app.models.outbox.find({ view: 'approval', subjectId: _id }).lean();
  return Object.fromEntries(rows.map(({ to, wanted }) => [to, wanted]));
}

async function delegatesOn(execution: ExecutionDocument): Promise<string[]> {
  const approval = await app.approvalOf(execution);
  const connection = await app.services.connections.find(execution.connectionId);
  const { attention } = await whoDecides(execution, approval, connection, null, app.services, app.deps);
  return attention.delegates.map(({ memberId, delegateId }) => `${delegateId} for ${memberId}`);
}

it('the delegate gets the cards that wait, and every copy of them says for whom she decides', async () => {
  const [hers, another] = [
    await app.ask(await app.desk({ approvers: { ...NOBODY, users: ['U0BEN', 'U0ADA'] } })),
    await app.ask(await app.desk({ approvers: { ...NOBODY, users: ['U0ADA'] } })),
  ];
  await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
  await Promise.all([follow(), follow()]);
  const drawn = await drawings(hers);
  expect(Object.keys(drawn).sort()).toEqual(['U0ADA', 'U0BEN', 'U0DANA']);
  expect(drawn.U0ADA).toBeGreaterThan(1);
  expect(await delegatesOn(hers)).toEqual(['U0DANA for U0BEN']);
  expect(await drawings(another)).toEqual({ U0ADA: 1 });
  await follow();
  expect(await drawings(hers)).toEqual(drawn);
});

it('also where she has decided already and others are still to come', async () => {
  const approvers = { ...NOBODY, users: ['U0BEN', 'U0ADA'] };
  const execution = await app.ask(await app.desk({ approvers, quorum: 2 }));
  await app.decide(execution, 'U0BEN');
  const before = await drawings(execution);
  await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
  await follow();
  expect((await drawings(execution)).U0ADA).toBeGreaterThan(before.U0ADA ?? 0);
});

it.each(['is ended', 'runs out'])('cards are drawn anew when it %s, once', async (how) => {
  const execution = await app.ask(await app.desk());
  await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
  await follow();
  const during = await drawings(execution);
  if (how === 'is ended') await app.services.delegations.end('U0BEN');
  else await app.models.delegations.updateMany({}, { $set: { until: new Date(Date.now() - 1_000) } });
  expect(await delegatesOn(execution)).toEqual([]);
  await follow();
  const after = await drawings(execution);
  for (const copy of ['U0BEN', 'U0DANA']) expect(after[copy], copy).toBe((during[copy] ?? 0) + 1);
  await follow();
  expect(await drawings(execution)).toEqual(after);
  expect(await app.models.delegations.countDocuments({})).toBe(0);
  expect(await app.services.delegations.of('U0BEN')).toBeNull();
});

it('one that was replaced while its cards were drawn is followed again', async () => {
  const execution = await app.ask(await app.desk());
  await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
  await follow();
  await app.services.delegations.set('U0BEN', 'U0ADA', TOMORROW());
  await follow();
  expect(Object.keys(await drawings(execution)).sort()).toEqual(['U0ADA', 'U0BEN', 'U0DANA']);
  expect(await delegatesOn(execution)).toEqual(['U0ADA for U0BEN']);
});

it('a Slack that does not say who decides puts it off to the next sweep', async () => {
  const execution = await app.ask(await app.desk());
  await app.services.delegations.set('U0BEN', 'U0DANA', TOMORROW());
  app.directory.away = true;
  await follow();
  app.directory.away = false;
  expect(await drawings(execution)).toEqual({ U0BEN: 1 });
  await follow();
  expect(Object.keys(await drawings(execution)).sort()).toEqual(['U0BEN', 'U0DANA']);
});
