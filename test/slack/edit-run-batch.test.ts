/** Edit then approve, run by hand, and many at once: as people do it in Slack, through signed payloads. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
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
import { ends, sent, ticketRequest } from '../harness/writes.js';

let world: World;
let app: AppProcess;
let looking: Connected;
let seeded: Seeded;
let ada: Person;
let ben: Person;
let cleo: Person;

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { approvers: ['U0BEN'], route: null });
  app = await world.start();
  ada = person(world.slack, 'U0ADA');
  ben = person(world.slack, 'U0BEN');
  cleo = person(world.slack, 'U0CLEO');
});
afterAll(async () => {
  expect(world.slack.workspace.violations).toEqual([]);
  await looking.close();
  await world.close();
});

async function asked(subject: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await call(app.origin, seeded.token, '/v1/executions', {
    ...ticketRequest(subject),
    ...more,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.id;
}
const cardOf = (who: Person, subject: string) =>
  who.waitForMessage((each) => who.text(each).includes(subject));
const endOf = async (id: string) => (await ends(looking, [id], 10_000))[0];

describe('edit, then approve', () => {
  it('runs what the approver made of it; the card and the caller tell what changed', async () => {
    const id = await asked('Toner please');
    const card = await cardOf(ben, 'Toner please');
    await ben.click(card, 'Edit…');
    const form = await ben.waitForView(/What stands here/);
    expect(ben.text(form)).toContain('Toner please');
    expect(await ben.submit({ Body: 'Floor 4, beside the kitchen' })).toBeNull();
    expect(await endOf(id)).toMatchObject({ status: 'succeeded', editedBy: 'U0BEN' });
    const [body] = sent(world.helpdesk, 'Toner please');
    expect(body).toContain('Floor 4, beside the kitchen');
    await until(
      () => /Edited/.test(ben.text(ben.current(card))),
      5_000,
      () => ben.text(ben.current(card)),
    );
    expect(ben.text(ben.current(card))).toMatch(/Floor 3.*→.*Floor 4, beside the kitchen/);
    const { body: view } = await call(app.origin, seeded.token, `/v1/executions/${id}`);
    expect(view.edited_arguments).toMatchObject({ body: 'Floor 4, beside the kitchen' });
  });

  it('says at the input what the function does not take, and decides nothing', async () => {
    const id = await asked('Ink please');
    await ben.click(await cardOf(ben, 'Ink please'), 'Edit…');
    await ben.waitForView(/What stands here/);
    const unchanged = Object.values((await ben.submit()) ?? {});
    expect(unchanged).toEqual([expect.stringMatching(/^Nothing is changed/)]);
    await ben.close(true);
    expect((await looking.services.approvals.ofExecution(id))?.decisions).toEqual([]);
    await call(app.origin, seeded.token, `/v1/executions/${id}/cancel`, {});
  });
});

describe('run a function', () => {
  const choose = async (who: Person, name: string) => {
    await who.shortcut('siesta.run');
    await who.waitForView(/A call by hand/);
    expect(await who.submit({ Connection: 'Helpdesk' })).toBeNull();
    await who.waitForView(/On .*Helpdesk/);
    expect(await who.submit({ Function: name })).toBeNull();
  };

  it('offers nothing to who may not use a connection by hand', async () => {
    await cleo.shortcut('siesta.run');
    await cleo.waitForView(/no connection that you can use by hand/);
    await cleo.close(true);
  });

  it('runs a read at once, and shows what came of it', async () => {
    await choose(ada, 'list_tickets');
    await ada.waitForView(/Runs directly/);
    expect(await ada.submit()).toBeNull();
    const shown = ada.text(await ada.waitForView(/Done/, 10_000));
    expect(shown).toContain('Result');
    await ada.close(true);
    const execution = await looking.deps.models.executions.findOne({ callerId: 'person:U0ADA' }).lean();
    expect(execution).toMatchObject({ status: 'succeeded', requirement: 'none', requesterId: 'U0ADA' });
  });

  it('asks for a write like any caller, and nobody approves her own', async () => {
    await choose(ada, 'create_ticket');
    await ada.waitForView(/Needs approval/);
    const form = { Subject: 'By hand', Body: 'Floor 9', Requester: 'sam@example.com' };
    expect(await ada.submit(form)).toBeNull();
    await ada.waitForView(/It waits for/, 10_000);
    await ada.close(true);
    const { models, workspaceId } = looking.deps;
    const asking = await models.executions
      .findOne({ workspaceId, callerId: 'person:U0ADA', risk: 'write' })
      .lean();
    if (!asking) throw new Error('nothing is on record');
    const approval = await looking.services.approvals.ofExecution(asking._id);
    expect(approval?.excluded).toContain('U0ADA');
    expect(sent(world.helpdesk, 'By hand')).toEqual([]);
    await ben.click(await cardOf(ben, 'By hand'), 'Approve');
    expect(await endOf(asking._id)).toMatchObject({ status: 'succeeded' });
    expect(sent(world.helpdesk, 'By hand')).toHaveLength(1);
  });

  it('asks again before it runs whether she still may', async () => {
    await choose(ada, 'create_ticket');
    await ada.waitForView(/Needs approval/);
    await ada.submit({ Subject: 'Too late by hand', Body: 'Floor 9', Requester: 'sam@example.com' });
    await ada.waitForView(/It waits for/, 10_000);
    await ada.close(true);
    const account = world.slack.workspace.user('U0ADA');
    const { models, workspaceId } = looking.deps;
    const asking = await models.executions
      .findOne({ workspaceId, callerId: 'person:U0ADA', status: 'pending_approval' })
      .lean();
    if (!asking) throw new Error('nothing is on record');
    const card = await cardOf(ben, 'Too late by hand');
    account.deleted = true;
    // A look-up counts as fresh for two seconds (G7).
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    try {
      await ben.click(card, 'Approve');
      expect(await endOf(asking._id)).toMatchObject({ status: 'failed', error: { code: 'refused_recheck' } });
    } finally {
      account.deleted = false;
    }
    expect(sent(world.helpdesk, 'Too late by hand')).toEqual([]);
  });
});

describe('many at once', () => {
  it('decides each ticked request by itself, and leaves the others waiting', async () => {
    const [first, second, third, same] = [
      await asked('Batch one'),
      await asked('Batch two'),
      await asked('Batch three'),
      await asked('Batch three'),
    ];
    await until(async () => (await looking.services.approvals.waitingFor('U0BEN')).length >= 4, 5_000);
    await ben.openHome();
    const home = await ben.waitForHome(/Waiting for me \(4\)/);
    expect(ben.text(home)).toContain('2 × ');
    for (const subject of ['Batch one', 'Batch two', 'Batch three'])
      expect(ben.text(home).match(new RegExp(`Body: subject: ${subject}`, 'g')), subject).toHaveLength(1);
    expect(await looking.deps.models.auditEvents.findOne({ action: 'payload.listed' }).lean()).toMatchObject({
      actor: { kind: 'user', id: 'U0BEN' },
      details: { executionIds: expect.arrayContaining([first, second]) },
    });
    await ben.click('home', 'Decide several');
    const view = await ben.waitForView(/Every request in full/);
    expect(ben.text(view).match(/Floor 3/g)).toHaveLength(3);
    expect(await ben.submit()).toBeNull();
    await ben.waitForView(/Nothing is ticked/);
    await ben.close();
    const ticks = view.blocks
      .filter((block) => block.block_id.startsWith('tick:'))
      .map((block) => block.block_id);
    const tick = (id: string) => ticks.find((block) => block.includes(id)) ?? '';
    const both = [third, same].map(tick).find((block) => block !== '') ?? '';
    expect(ticks).toHaveLength(3);
    // Somebody else ends one of them while the list is open.
    await call(app.origin, seeded.token, `/v1/executions/${first}/cancel`, {});
    expect(await ben.submit({ [tick(first)]: ['approve'], [both]: ['approve'] })).toBeNull();
    const done = ben.text(await ben.waitForView(/2 of 3 recorded/));
    expect(done).toMatch(/Too late/);
    expect((await ends(looking, [third, same], 10_000)).map(({ status }) => status)).toEqual([
      'succeeded',
      'succeeded',
    ]);
    expect(sent(world.helpdesk, 'Batch three')).toHaveLength(2);
    expect(sent(world.helpdesk, 'Batch one')).toEqual([]);
    expect(await looking.services.approvals.ofExecution(second)).toMatchObject({
      status: 'pending',
      decisions: [],
    });
    await ben.click('modal', 'What still waits');
    const left = ben.text(await ben.waitForView(/Every request in full/));
    expect(left).toContain('Batch two');
    expect(left).not.toContain('Batch three');
    await ben.close(true);
  });
});
