/**
 * Abuse cases 9–14 of shared/RELIABILITY.md §2.7: who decides. Payloads signed by hand, posted to the real HTTP receiver
 * of the real app. Each attempt leaves the request as it was and one audit event; the helpdesk hears nothing.
 */
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import { person } from '../../playground/slack/person.js';
import { until } from '../harness/app-process.js';
import { type SignedSlack, startSignedSlack } from '../harness/signed-slack.js';
import { ends, sent } from '../harness/writes.js';
import { type Abuse, abuseOf, nameOf } from './abuse.js';

let slack: SignedSlack;
let abuse: Abuse;

beforeAll(async () => {
  slack = await startSignedSlack(inject('mongoUri'));
  abuse = abuseOf(slack);
});
afterEach(() => abuse.exactlyOneEach());
afterAll(() => slack.close());

it('abuse 9: a click by somebody who is no approver is refused, wherever she clicks, and told to her', async () => {
  const eve = slack.member('U9EVE');
  const { ask } = await abuse.desk(['U0BEN']);
  const execution = await ask('Not hers to decide');
  for (const way of Object.values(abuse.ways)) {
    await abuse.refused(eve, execution, () => way(eve, execution), /not on the list|Only people who may/);
  }
  for (const button of ['approval.edit', 'approval.looking', 'grant.offer', 'target.read_again']) {
    const press = () => slack.click(eve, button, nameOf(execution));
    await abuse.refused(eve, execution, press, /not on the list|Only people who may/);
  }
  const look = () => slack.click(eve, 'approval.details', nameOf(execution));
  await abuse.refused(eve, execution, look, /Arguments are shown to those/);
  await until(() => /not on the list/.test(abuse.told(eve)), 5_000);
});

it('Details show the result to who decided, and to no admin who was not asked', async () => {
  const { services } = slack.looking;
  const admin = slack.member('U9BOSS');
  await services.settings.change({ kind: 'system', id: 'test' }, { admins: [admin] });
  const { ask } = await abuse.desk(['U0BEN']);
  const execution = await ask('Came back with a number');
  await abuse.counts('U0BEN', execution);
  expect((await ends(slack.looking, [execution._id], 5_000))[0]?.status).toBe('succeeded');
  const { result } = await services.executions.openPayloads(
    { kind: 'operator', id: 'test' },
    await services.executions.record(execution._id),
  );
  const [ben, boss] = ['U0BEN', admin].map((who) => person(slack.world.slack, who));
  await slack.click('U0BEN', 'approval.details', nameOf(execution));
  await ben?.waitForView((view) => {
    const shown = ben.text(view);
    return shown.includes('Result') && shown.includes(JSON.stringify(result, null, 2));
  });
  await abuse.refused(
    admin,
    execution,
    () => slack.click(admin, 'approval.details', nameOf(execution)),
    /Arguments are shown to those/,
  );
  expect(boss?.text(await boss.waitForView(/Arguments are shown to those/))).not.toMatch(/Result|T-\d/);
});

it('abuse 10: whoever asked, or owns the caller, does not decide, not by a second button nor account', async () => {
  const other = slack.member('U10ADA', { email: 'Ada+second@Siesta.example' });
  const { ask } = await abuse.desk(['U0BEN', 'U0ADA', other]);
  const execution = await ask('Her own');
  const own = /You asked for this call|same verified email|Only people who may/;
  for (const who of ['U0ADA', other]) {
    for (const way of Object.values(abuse.ways)) {
      await abuse.refused(who, execution, () => way(who, execution), own);
    }
  }
});

it('abuse 11: the second click of one approver is not a second approval', async () => {
  const eve = slack.member('U11EVE');
  const { ask } = await abuse.desk(['U0BEN', eve], { quorum: 2 });
  const execution = await ask('Twice the same');
  await abuse.counts('U0BEN', execution);
  const { ways } = abuse;
  for (const way of ['Approve on the card', 'Approve in Details', 'the list with its tick']) {
    const again = () => ways[way]?.('U0BEN', execution) ?? Promise.reject(new Error(way));
    await abuse.refused('U0BEN', execution, again, /counted already/);
  }
  expect((await abuse.approvalOf(execution)).decisions).toHaveLength(1);
  await abuse.counts(eve, execution);
  expect((await ends(slack.looking, [execution._id], 5_000))[0]?.status).toBe('succeeded');
  expect(sent(slack.world.helpdesk, 'Twice the same')).toHaveLength(1);
});

it('abuse 11: ten clicks of one approver at once are one approval, and a delegate adds none', async () => {
  const eve = slack.member('U11FAY');
  const gail = slack.member('U11GAIL');
  const { ask } = await abuse.desk([eve, 'U0BEN'], { quorum: 2 });
  const execution = await ask('Ten times the same');
  const name = nameOf(execution);
  await Promise.all(Array.from({ length: 10 }, () => slack.click(eve, 'approval.approve', name)));
  abuse.expectMore(9);
  await until(async () => (await abuse.approvalOf(execution)).decisions.length > 0, 5_000);
  await abuse.exactlyOneEach();
  await slack.looking.services.delegations.set(eve, gail, new Date(Date.now() + 3_600_000));
  const forHer = () => slack.click(gail, 'approval.approve', name);
  await abuse.refused(gail, execution, forHer, /counted already/);
  expect((await abuse.approvalOf(execution)).decisions).toMatchObject([{ userId: eve }]);
  expect(await abuse.statusOf(execution)).toBe('pending_approval');
});

it('abuse 12: two accounts of one person are one approval, one after the other and at once', async () => {
  const one = slack.member('U12EVE', { email: 'eve@siesta.example' });
  const two = slack.member('U12EVE2', { email: 'Eve+phone@siesta.example' });
  const { ask } = await abuse.desk([one, two], { quorum: 2 });
  const execution = await ask('Two accounts');
  await abuse.counts(one, execution);
  for (const way of ['Approve on the card', 'Approve in App Home', 'the list with its tick']) {
    const again = () => abuse.ways[way]?.(two, execution) ?? Promise.reject(new Error(way));
    await abuse.refused(two, execution, again, /counted already/);
  }
  const atOnce = await ask('Two accounts at once');
  await abuse.oneEvent(() =>
    Promise.all([one, two].map((who) => slack.click(who, 'approval.approve', nameOf(atOnce)))),
  );
  expect((await abuse.approvalOf(atOnce)).decisions).toHaveLength(1);
  expect(await abuse.statusOf(atOnce)).toBe('pending_approval');
  expect(sent(slack.world.helpdesk, 'Two accounts at once')).toEqual([]);
});

it('abuse 13: who was deactivated, a guest, or somebody of elsewhere does not decide', async () => {
  const gone = slack.member('U13GONE', { deleted: true });
  const guest = slack.member('U13GUEST', { is_restricted: true });
  const single = slack.member('U13SINGLE', { is_restricted: true, is_ultra_restricted: true });
  const stranger = slack.member('U13STRANGER', { is_stranger: true });
  const everybody = [gone, guest, single, stranger];
  const { ask } = await abuse.desk(everybody);
  const execution = await ask('For people of the house');
  for (const who of everybody) {
    for (const way of Object.values(abuse.ways)) {
      const why = /deactivated account|Guests, apps and people of other workspaces|Only people who may/;
      await abuse.refused(who, execution, () => way(who, execution), why);
    }
  }
});

it('abuse 13: a payload of another workspace is not even looked at', async () => {
  const { ask } = await abuse.desk(['U0BEN']);
  const execution = await ask('From elsewhere');
  const user = { id: 'U0BEN', team_id: 'T0OTHER' };
  const changes = [
    { team: { id: 'T0OTHER', domain: 'other' } },
    { team: { id: 'T0OTHER', domain: 'other' }, user },
    { team: null, user },
  ];
  for (const change of changes) {
    const event = await abuse.oneEvent(async () => {
      const { status, text } = await slack.click('U0BEN', 'approval.approve', nameOf(execution), change);
      expect({ status, text }).toEqual({ status: 404, text: '' });
    });
    expect(event).toMatchObject({
      actor: { kind: 'user', id: 'U0BEN' },
      action: 'slack.foreign_payload',
      subject: { kind: 'execution', id: execution._id },
      details: { team: 'T0OTHER' },
    });
  }
  expect((await abuse.approvalOf(execution)).decisions).toEqual([]);
  expect(sent(slack.world.helpdesk, 'From elsewhere')).toEqual([]);
});

it('abuse 14: who left the group after her approval voids it: it is asked again before the call runs', async () => {
  const [first, second] = [slack.member('U14EVE'), slack.member('U14FAY')];
  const group = { id: 'S14VOTERS', handle: 'voters', name: 'Voters', users: [first, second], deleted: false };
  slack.world.slack.workspace.groups.set(group.id, group);
  const approvers = { users: [], usergroups: [group.id], connectionOwner: false };
  const { ask } = await abuse.desk([], { approvers, quorum: 2 });
  const execution = await ask('Between two votes');
  await abuse.counts(first, execution);
  slack.world.slack.workspace.groups.set(group.id, { ...group, users: [second] });
  // A look-up counts as fresh for two seconds (G7).
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  const event = await abuse.oneEvent(() => abuse.counts(second, execution));
  expect(event).toMatchObject({
    action: 'execution.refused',
    subject: { kind: 'execution', id: execution._id },
    details: { code: 'refused_recheck', approvers: [first] },
  });
  const [end] = await ends(slack.looking, [execution._id], 5_000);
  expect(end).toMatchObject({ status: 'failed', error: { code: 'refused_recheck' } });
  expect(sent(slack.world.helpdesk, 'Between two votes')).toEqual([]);
});
