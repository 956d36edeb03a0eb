/** Who decides, as people see it in Slack: the manager of the profile, a delegate named in App Home, "I have it". */
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { ticketRequest } from '../harness/writes.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

let world: World;
let app: AppProcess;
let looking: Connected;
let seeded: Seeded;
let ada: Person;
let ben: Person;
let dana: Person;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { approvers: ['U0BEN'], route: null });
  app = await world.start();
  ada = person(world.slack, 'U0ADA');
  ben = person(world.slack, 'U0BEN');
  dana = person(world.slack, 'U0DANA');
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const ask = async (subject: string): Promise<string> => {
  const asked = await call(app.origin, seeded.token, '/v1/executions', ticketRequest(subject));
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  return asked.body.id;
};
const cardOf = (who: Person, subject: string, fits: RegExp = /./): Promise<Message> =>
  who.waitForMessage(
    (message) => who.text(message).includes(subject) && fits.test(who.text(message)),
    10_000,
  );
const approvers = async (change: object): Promise<void> => {
  const connection = await looking.services.connections.find(seeded.key);
  const [rule] = connection?.policy.rules ?? [];
  if (!connection || !rule) throw new Error('there is no rule');
  await looking.services.connections.setPolicy(ADA, connection, [
    { ...rule, approvers: { ...rule.approvers, ...change } },
  ]);
};

it('a delegate is named in App Home, gets the card, and it says for whom she decided', async () => {
  await ask('Toner for Ben');
  await cardOf(ben, 'Toner for Ben');
  await ben.openHome();
  await ben.waitForHome(/While I am away/);
  await ben.click('home', 'Name a delegate');
  await ben.waitForView(/Last day/);
  const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  expect(await ben.submit({ Delegate: 'U0BEN', 'Last day': tomorrow })).toHaveProperty('delegate');
  expect(await ben.submit({ Delegate: 'U0DANA', 'Last day': tomorrow })).toBeNull();
  await ben.waitForHome(/Dana decides for you until/);
  const card = await cardOf(dana, 'Toner for Ben', /@Dana for @Ben, while away/);
  await dana.click(card, 'I have it');
  await cardOf(ben, 'Toner for Ben', /@Dana is looking at it/);
  await dana.click(card, 'approval.approve');
  await cardOf(ben, 'Toner for Ben', /Approved\* by @Dana for @Ben.*done/s);
  await ben.click('home', 'I am back');
  await ben.waitForHome(/Name a delegate/);
});

it('App Home keeps what a click changed, though one drawn before the click arrives after it', async () => {
  const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  await ben.click('home', 'Name a delegate');
  await ben.waitForView(/Last day/);
  expect(await ben.submit({ Delegate: 'U0DANA', 'Last day': tomorrow })).toBeNull();
  await ben.waitForHome(/Dana decides for you until/);
  const { workspace, faults } = world.slack;
  const published = () => workspace.requests.filter(({ method }) => method === 'views.publish').length;
  const before = published();
  faults.add({ method: 'views.publish', kind: 'slow', delay_ms: 1_000 });
  await ben.openHome();
  await vi.waitFor(() => expect(published()).toBe(before + 1), { timeout: 5_000, interval: 10 });
  await ben.click('home', 'I am back');
  // The older one has arrived, and what repairs Homes now and then is not due yet.
  await setTimeout(1_300);
  await ben.waitForHome(/Name a delegate/, 1_000);
});

it('App Home, once opened, shows what is asked next without being opened again', async () => {
  const id = await ask('Paper for the shelf');
  await ben.waitForHome((view) => JSON.stringify(view).includes(id), 15_000);
});

it('the manager of the profile decides, while Slack says who that is', async () => {
  await approvers({ users: [], requesterManager: true });
  world.slack.workspace.user('U0ADA').manager = 'U0DANA';
  const id = await ask('Toner for the manager');
  const card = await cardOf(dana, 'Toner for the manager', /Waiting for\* @Dana/);
  await dana.click(card, 'approval.approve');
  const ended = await call(app.origin, seeded.token, `/v1/executions/${id}?wait=10`);
  expect(ended.body.status).toBe('succeeded');
});

it('a rule says when people are reminded, and who is asked next', async () => {
  await ada.command(`/connections policy ${seeded.key}`);
  await ada.waitForView(/Policy/);
  await ada.click('modal', 'Change');
  await ada.waitForView(/Second list/);
  const wrong = { 'Remind after % of the time': '50, 200', 'Second list': ['U0BEN'] };
  expect(await ada.submit(wrong)).toHaveProperty('reminders');
  expect(await ada.submit({ 'Remind after % of the time': '25, 75' })).toHaveProperty('escalate_after');
  expect(await ada.submit({ 'Minutes until a second list is asked too': 20 })).toBeNull();
  await ada.waitForView(/after 20 min @Ben too/);
  const saved = await looking.services.connections.find(seeded.key);
  expect(saved?.policy.rules[0]).toMatchObject({
    reminders: [0.25, 0.75],
    escalation: { afterMinutes: 20, approvers: { users: ['U0BEN'] } },
    approvers: { requesterManager: true },
  });
  await ada.close(true);
});

it('a second list has the choices of the first: owner, business owner, the requester’s manager', async () => {
  const roles = 'Second list: by their role';
  const escalation = async () =>
    (await looking.services.connections.find(seeded.key))?.policy.rules[0]?.escalation;
  await ada.command(`/connections policy ${seeded.key}`);
  await ada.waitForView(/Policy/);
  await ada.click('modal', 'Change');
  await ada.waitForView(/Second list/);
  expect(await ada.submit({ 'Second list': [], [roles]: ['manager', 'business_owner'] })).toBeNull();
  await ada.waitForView(/after 20 min its business owner, the requester’s manager too/);
  const approvers = { users: [], usergroups: [], connectionOwner: false };
  expect(await escalation()).toEqual({
    afterMinutes: 20,
    approvers: { ...approvers, businessOwner: true, requesterManager: true },
  });
  await ada.click('modal', 'Change');
  await ada.waitForView(/Second list/);
  expect(await ada.submit({ [roles]: [] })).toHaveProperty('escalate_to');
  expect(await ada.submit({ [roles]: ['owner'] })).toBeNull();
  await ada.waitForView(/after 20 min the connection’s owner too/);
  expect(await escalation()).toEqual({
    afterMinutes: 20,
    approvers: { ...approvers, connectionOwner: true },
  });
  await ada.close(true);
});

it('a rule leaves “Don’t ask again” to the risk until an admin says otherwise', async () => {
  const remembers = async () =>
    (await looking.services.connections.find(seeded.key))?.policy.rules[0]?.rememberable;
  const choose = async (label: string): Promise<void> => {
    await ada.click('modal', 'Change');
    await ada.waitForView(/Don’t ask again/);
    const question = 'Don’t ask again: approvers may answer for the next calls too';
    expect(await ada.submit({ [question]: label })).toBeNull();
    await ada.waitForView(/The policy is saved/);
  };
  await ada.command(`/connections policy ${seeded.key}`);
  await ada.waitForView(/Policy/);
  expect(await remembers()).toBeUndefined();
  await choose('Yes, for destructive calls too');
  expect(await remembers()).toBe(true);
  await choose('No, every call is asked about');
  expect(await remembers()).toBe(false);
  await choose('Yes, but for destructive calls (default)');
  expect(await remembers()).toBeUndefined();
  await ada.close(true);
});

it('a sole operator is turned on in the settings, and stands on every card', async () => {
  await approvers({ users: ['U0ADA'], requesterManager: false });
  await ada.command('/connections settings');
  await ada.waitForView(/Sole operator/);
  expect(await ada.submit({ 'Sole operator': ['yes'] })).toBeNull();
  const id = await ask('Toner for myself');
  const card = await cardOf(ada, 'Toner for myself', /Sole operator:\* may approve her own/);
  await ada.click(card, 'approval.approve');
  await cardOf(ada, 'Toner for myself', /sole operator, her own request/);
  expect((await call(app.origin, seeded.token, `/v1/executions/${id}?wait=10`)).body.status).toBe(
    'succeeded',
  );
  expect(world.slack.workspace.violations).toEqual([]);
});
