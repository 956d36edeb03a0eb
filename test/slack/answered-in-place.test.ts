/**
 * What a click or a form comes to is said where the person is, and nowhere else: in the Details that she clicked in,
 * in the third window as in the first, in words. Through Slack’s payloads, signed, at the real HTTP receiver.
 */
import { setTimeout } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ExecutionDocument, PolicyRule } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message, View } from '../../playground/slack/protocol.js';
import { until } from '../harness/app-process.js';
import { type SignedSlack, startSignedSlack } from '../harness/signed-slack.js';
import { type Abuse, abuseOf, nameOf } from './abuse.js';

let slack: SignedSlack;
let abuse: Abuse;
let members = 0;

beforeAll(async () => {
  slack = await startSignedSlack(inject('mongoUri'));
  abuse = abuseOf(slack);
  const { slack: server } = slack.world;
  const url = [`${slack.origin}/slack/events`];
  server.deliverTo({ mode: 'http', url, signingSecret: server.signingSecret });
});
afterEach(() => {
  slack.world.slack.faults.clear();
  slack.world.helpdesk.fail = undefined;
});
afterAll(async () => {
  expect(slack.world.slack.workspace.violations).toEqual([]);
  await slack.close();
});

/** An approver whom nothing else waits for, and her desk. */
async function approver(change: Partial<PolicyRule> = {}, others: readonly string[] = []) {
  members += 1;
  const id = slack.member(`U50EVE${members}`, { real_name: `Eve ${members}` });
  const eve = person(slack.world.slack, id, { patienceMs: 15_000 });
  return { eve, ...(await abuse.desk([id, ...others], change)) };
}
const cardOf = (who: Person, { _id }: ExecutionDocument): Promise<Message> =>
  who.waitForMessage((message) => JSON.stringify(message.blocks).includes(`approval:${_id}`));
async function detailsOf(who: Person, execution: ExecutionDocument): Promise<View> {
  await who.click(await cardOf(who, execution), 'approval.details');
  return who.waitForView((view) => view.callback_id === 'approval.details');
}

describe('Details in a reminder', () => {
  it('leave the reminder as it is; a card that nobody knew of is kept up to date from the click on', async () => {
    const { eve, ask } = await approver();
    const { models, workspaceId } = slack.looking.deps;
    const execution = await ask('Toner that waits');
    const card = await cardOf(eve, execution);
    const about = { workspaceId, executionId: execution._id };
    await models.approvals.updateOne(about, { $set: { nextReminderAt: new Date(0) } });
    await slack.looking.services.reminders.remind();
    const reminder = await eve.waitForMessage(/still waits for you/);
    const copies = () =>
      models.outbox.find({ workspaceId, view: 'approval', subjectId: execution._id }).lean();
    // As if it had been posted by a process that died before it could note it.
    await models.outbox.deleteMany({ workspaceId, view: 'approval', subjectId: execution._id });

    await eve.click(reminder, 'Details');
    await eve.waitForView((view) => view.callback_id === 'approval.details');
    await eve.close(true);
    await eve.click(card, 'Details');
    await until(async () => (await copies()).some(({ ts }) => ts === card.ts), 5_000);
    expect((await copies()).map(({ ts }) => ts)).toEqual([card.ts]);

    await abuse.counts(eve.id, execution);
    await until(() => /done/.test(eve.text(eve.current(card))), 15_000);
    expect(eve.text(eve.current(reminder))).toBe(eve.text(reminder));
    await eve.close(true);
  });
});

describe('three windows on each other', () => {
  /** The list, many at once, and the Details of one that is decided alone. */
  async function thirdWindow(eve: Person, execution: ExecutionDocument): Promise<void> {
    await cardOf(eve, execution);
    await eve.shortcut('siesta.open');
    await eve.waitForView(/Waiting for me/);
    await eve.click('modal', 'Decide several');
    await eve.waitForView(/Not in this list/);
    await eve.click('modal', 'Details', { value: nameOf(execution) });
    await eve.waitForView((view) => view.callback_id === 'approval.details');
    expect(eve.views()).toHaveLength(3);
  }

  it('Deny takes the place of the third', async () => {
    const { eve, ask } = await approver({ stepUp: 'totp' });
    const execution = await ask('Denied in the third window');
    await cardOf(eve, await ask('Beside the denied one'));
    await thirdWindow(eve, execution);
    await eve.click('modal', 'Deny');
    await eve.waitForView(/Why\?/);
    expect(eve.views()).toHaveLength(3);
    expect(await eve.submit({ 'Why?': 'We have enough' })).toBeNull();
    expect(eve.views()).toEqual([]);
    expect(await abuse.approvalOf(execution)).toMatchObject({ status: 'denied' });
  });

  it('the form of the second proof does, too', async () => {
    const { eve, ask } = await approver({ stepUp: 'totp' });
    const { secondFactors } = slack.looking.services;
    const token = (await secondFactors.begin(eve.id, null)).split('/').at(-1) ?? '';
    const { secret } = await secondFactors.show(token);
    const codeAt = (timestamp: number) => TOTP.generate({ secret: Secret.fromBase32(secret), timestamp });
    await secondFactors.confirm(token, codeAt(Date.now() - 30_000));
    const execution = await ask('Proved in the third window');
    await cardOf(eve, await ask('Beside the proved one'));
    await thirdWindow(eve, execution);
    await eve.click('modal', 'Approve');
    await eve.waitForView(/Six digits/);
    expect(await eve.submit({ 'Six digits': codeAt(Date.now()) })).toBeNull();
    expect(eve.views()).toEqual([]);
    expect(await abuse.approvalOf(execution)).toMatchObject({ status: 'approved' });
  });
});

describe('a click in Details', () => {
  it('Read again draws them anew, with what is still wrong', async () => {
    const { eve, destroy } = await approver();
    const { helpdesk } = slack.world;
    const [ticket] = helpdesk.tickets();
    helpdesk.fail = 'error-500';
    const execution = await destroy(ticket?.id ?? '');
    await eve.waitForMessage(
      (message) =>
        JSON.stringify(message.blocks).includes(execution._id) &&
        /Nobody can approve this yet/.test(eve.text(message)),
    );
    await detailsOf(eve, execution);
    const before = eve.dm().length;
    await eve.click('modal', 'Read again');
    await eve.waitForView(/It still cannot be read/);
    helpdesk.fail = undefined;
    await eve.click('modal', 'Read again');
    const readable = await eve.waitForView((view) => JSON.stringify(view).includes('approval.approve'));
    expect(eve.text(readable)).toContain(ticket?.subject);
    expect(eve.text(readable)).not.toContain('It still cannot be read');
    expect(eve.dm()).toHaveLength(before);
    await eve.close(true);
  });

  it('says there that one more is needed, and that a second click counts for nothing', async () => {
    const { eve, ask } = await approver({ quorum: 2 }, ['U0CLEO']);
    const execution = await ask('Two have to say so');
    await detailsOf(eve, execution);
    const before = eve.dm().length;
    await eve.click('modal', 'Approve');
    await eve.waitForView(/Your approval is recorded; 1 more is needed/);
    await eve.click('modal', 'Approve');
    const refused = await eve.waitForView(/counted already/);
    expect(eve.text(refused)).toContain('1 of 2 approvals');
    expect(eve.dm()).toHaveLength(before);
    await eve.close(true);
  });

  it('says there that it is refused, with the request as it stands', async () => {
    const { eve, ask, connectionId } = await approver();
    const { connections } = slack.looking.services;
    const execution = await ask('Of another policy');
    await detailsOf(eve, execution);
    const before = eve.dm().length;
    const connection = await connections.find(connectionId);
    if (!connection) throw new Error('the connection is gone');
    const later = connection.policy.rules.map((rule) => ({ ...rule, expiresInMinutes: 30 }));
    await connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, later);
    await eve.click('modal', 'Approve');
    const refused = eve.text(await eve.waitForView(/policy of this connection changed/));
    expect(refused).toContain('Cancelled');
    expect(refused).toContain('Of another policy');
    expect(eve.dm()).toHaveLength(before);
    await eve.close(true);
  });

  it('says there that nothing was recorded in time', async () => {
    const { eve, ask } = await approver();
    const execution = await ask('Slack is slow');
    await detailsOf(eve, execution);
    const before = eve.dm().length;
    // A look-up counts as fresh for two seconds (G7).
    await setTimeout(2_100);
    const { faults } = slack.world.slack;
    faults.add({ method: 'users.info', kind: 'slow', delay_ms: 2_200, times: Infinity });
    await eve.click('modal', 'Approve');
    expect(eve.text(await eve.waitForView(/not recorded/))).toContain('subject: Slack is slow');
    expect(eve.dm()).toHaveLength(before);
    await eve.close(true);
  });

  it('tells who may not decide no more than that, in her window or, where it is closed, by DM', async () => {
    const { ask } = await approver();
    const id = slack.member('U50STRANGER');
    const stranger = person(slack.world.slack, id, { patienceMs: 15_000 });
    const execution = await ask('Not hers to see');
    const name = nameOf(execution);
    await slack.click(id, 'approval.details', name);
    const view = await stranger.waitForView(/Arguments are shown to those/);
    const container = { type: 'view', view_id: view.id };
    await slack.clickIn(id, 'modal', 'approval.approve', name, '', { view, container });
    const refused = await stranger.waitForView(/not on the list/);
    expect(stranger.text(refused)).not.toContain('Not hers to see');
    expect(abuse.told(id)).toBe('');
    await slack.clickIn(id, 'modal', 'approval.approve', name);
    await until(() => /not on the list/.test(abuse.told(id)), 15_000);
    const events = (await slack.refusals()).filter(({ subject }) => subject.id === execution._id);
    expect(events.map(({ action }) => action)).toEqual([
      'slack.refused',
      'approval.refused_click',
      'approval.refused_click',
    ]);
  });
});

describe('a form that comes to nothing', () => {
  const settings = (who: string) => slack.submit(who, 'settings.edit', '{}');

  it('names people by their names where Slack shows plain text', async () => {
    const { services } = slack.looking;
    await services.settings.change({ kind: 'system', id: 'test' }, { admins: ['U50NOBODY'] });
    const { text } = await settings('U0BEN');
    expect(text).toContain('That needs the role of admin, which you do not have. Ada, somebody can.');
    expect(text).not.toContain('<@');
  });

  it('does not wait for a name that takes too long', async () => {
    const { services } = slack.looking;
    await services.settings.change({ kind: 'system', id: 'test' }, { admins: [slack.member('U50SLOW')] });
    const { faults } = slack.world.slack;
    faults.add({ method: 'users.info', kind: 'slow', delay_ms: 3_000, times: Infinity });
    const from = performance.now();
    expect((await settings('U0CLEO')).text).toContain('Ada, somebody can.');
    expect(performance.now() - from).toBeLessThan(1_500);
    await services.settings.change({ kind: 'system', id: 'test' }, { admins: [] });
  });

  it('“Don’t ask again” says what made it too late', async () => {
    const { eve, ask } = await approver();
    const execution = await ask('Expired before it was remembered');
    await abuse.passTime(execution);
    const [id, hash] = nameOf(execution).split(':');
    const { text } = await slack.submit(eve.id, 'grant.make', JSON.stringify({ execution: id, hash }), {
      lasts: { lasts: { type: 'radio_buttons', selected_option: { value: 'hour' } } },
      limits: { limits: { type: 'checkboxes', selected_options: [{ value: '0' }] } },
    });
    expect(text).toContain('Not remembered');
    expect(text).toContain('Too late: the request has expired.');
  });
});
