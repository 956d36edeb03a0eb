/** The second proof in a policy, its reset by an admin, and the load report, as people do it in Slack. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
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

let world: World;
let looking: Connected;
let app: AppProcess;
let seeded: Seeded;
let ada: Person;
let ben: Person;
let cleo: Person;

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk);
  app = await world.start();
  ada = person(world.slack, 'U0ADA', { patienceMs: 15_000 });
  ben = person(world.slack, 'U0BEN', { patienceMs: 15_000 });
  cleo = person(world.slack, 'U0CLEO', { patienceMs: 15_000 });
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const rules = async () => (await looking.services.connections.find(seeded.connectionId))?.policy.rules ?? [];

it('a rule asks for it by a tick, keeps it through other changes, and shows it', async () => {
  await ada.command(`/connections policy ${seeded.key}`);
  await ada.waitForView(/Add a rule/);
  await ada.click('modal', 'Change');
  await ada.waitForView(/sets it up in App Home/);
  expect(await ada.submit({ 'Second proof': ['totp'] })).toBeNull();
  expect(ada.text(await ada.waitForView(/The policy is saved/))).toContain('with a second proof');
  expect(await rules()).toMatchObject([{ stepUp: 'totp' }]);

  await ada.click('modal', 'Change');
  await ada.waitForView(/sets it up in App Home/);
  expect(await ada.submit({ 'Approvals needed': '2' })).toBeNull();
  const unsaved = ada.text(await ada.waitForView(/It is not saved yet/));
  expect(unsaved).toContain('needs 2 approvals, and only one person on its lists can decide');
  expect(await rules()).toMatchObject([{ stepUp: 'totp', quorum: 1 }]);
  expect(await ada.submit({})).toBeNull();
  await ada.waitForView(/2 approvals/);
  expect(await rules()).toMatchObject([{ stepUp: 'totp', quorum: 2 }]);
  await ada.close(true);
});

it('who edits proves herself in the form; a wrong code approves nothing and leaves what she typed', async () => {
  const { connections, secondFactors, approvals } = looking.services;
  const connection = await connections.find(seeded.connectionId);
  if (!connection) throw new Error('the connection is gone');
  const single = connection.policy.rules.map((rule) => ({ ...rule, quorum: 1 }));
  await connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, single);
  const { body: asked } = await call(
    app.origin,
    seeded.token,
    '/v1/executions',
    ticketRequest('Ink, proved'),
  );
  const card = await ben.waitForMessage((message) => ben.text(message).includes('Ink, proved'));
  const proof = 'Your second proof';
  const edited = { Body: 'Floor 4', [proof]: '123456' };

  await ben.click(card, 'Edit…');
  expect(ben.text(await ben.waitForView(/What stands here/))).toContain('Your second proof');
  expect(await ben.submit(edited)).toBeNull();
  expect(ben.text(await ben.waitForView(/Not approved/))).toContain('second proof');
  await ben.close(true);

  const token = (await secondFactors.begin('U0BEN', null)).split('/').at(-1) ?? '';
  const { secret } = await secondFactors.show(token);
  const codeAt = (timestamp: number) => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp });
  await secondFactors.confirm(token, codeAt(Date.now() - 30_000));
  await ben.click(card, 'Edit…');
  await ben.waitForView(/What stands here/);
  const wrong = codeAt(Date.now() - 3_600_000);
  expect(await ben.submit({ ...edited, [proof]: wrong })).toEqual({
    proof: expect.stringContaining('not right'),
  });
  expect((await approvals.ofExecution(asked.id))?.decisions).toEqual([]);
  // What the function does not take costs no code.
  const right = codeAt(Date.now());
  expect(await ben.submit({ Body: 'Floor 3', [proof]: right })).not.toHaveProperty('proof');
  expect(await ben.submit({ Body: 'Floor 4', [proof]: right })).toBeNull();
  expect(ben.view()).toBeNull();
  expect((await ends(looking, [asked.id], 10_000))[0]).toMatchObject({
    status: 'succeeded',
    editedBy: 'U0BEN',
  });
  const decided = { userId: 'U0BEN', decision: 'approved', proof: 'totp' };
  expect((await approvals.ofExecution(asked.id))?.decisions).toMatchObject([decided]);
  expect(sent(world.helpdesk, 'Ink, proved')).toEqual([expect.stringContaining('Floor 4')]);
  expect(world.slack.workspace.violations).toEqual([]);
});

it('an admin resets it for somebody else, who is told', async () => {
  const { secondFactors } = looking.services;
  expect(await secondFactors.enrolledSince('U0BEN')).not.toBeNull();

  await cleo.command('/connections reset-proof');
  await cleo.waitForMessage((message) => /role of admin/.test(cleo.text(message)));
  await ada.command('/connections reset-proof');
  await ada.waitForView(/lost her phone/);
  const why = 'Phone lost; called her back';
  expect(await ada.submit({ Whose: 'U0ADA', 'Why, and how you know that it is she': why })).toEqual({
    member: expect.stringContaining('Nobody resets her own'),
  });
  expect(await ada.submit({ Whose: 'U0BEN' })).toBeNull();
  await ada.waitForView(/is reset/);
  await ben.waitForMessage(/reset your second proof/);
  expect(await secondFactors.enrolledSince('U0BEN')).toBeNull();
  await ada.close(true);
});

it('the load report is for admins, who may have it every week', async () => {
  await cleo.command('/connections report');
  await cleo.waitForMessage((message) => /role of admin/.test(cleo.text(message)));
  await ada.command('/connections report');
  const report = await ada.waitForMessage(/Approvals of the last seven days/);
  await ada.click(report, 'Send me this weekly');
  await ada.waitForMessage(/comes to you by DM every week/);
  expect(await looking.services.loadReports.isSubscribed('U0ADA')).toBe(true);
  await ada.command('/connections report');
  const again = await ada.waitForMessage((message) => /Stop the weekly report/.test(ada.text(message)));
  await ada.click(again, 'Stop the weekly report');
  await ada.waitForMessage(/does not come any more/);
  expect(await looking.services.loadReports.isSubscribed('U0ADA')).toBe(false);
});
