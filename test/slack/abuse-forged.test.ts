/**
 * Abuse cases 15–22 of shared/RELIABILITY.md §2.7: forged names, old cards, other people's forms, races and spoofed
 * fields. Payloads signed by hand, posted to the real HTTP receiver of the real app; each attempt that is refused leaves
 * the request as it was and one audit event, and the helpdesk hears nothing.
 */
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { listen, type ReceivedRequest } from '../../playground/loopback.js';
import { person } from '../../playground/slack/person.js';
import { shortHash } from '../../src/services/binding.js';
import { until } from '../harness/app-process.js';
import { type SignedSlack, startSignedSlack } from '../harness/signed-slack.js';
import { ends, sent, ticketArguments } from '../harness/writes.js';
import { type Abuse, abuseOf, nameOf, ticked } from './abuse.js';

const OUT_OF_DATE = /card is out of date/;
const NOT_OURS = /is not one of ours/;

let slack: SignedSlack;
let abuse: Abuse;

beforeAll(async () => {
  slack = await startSignedSlack(inject('mongoUri'));
  abuse = abuseOf(slack);
});
afterEach(() => abuse.exactlyOneEach());
afterAll(() => slack.close());

const hashOf = (execution: ExecutionDocument): string => shortHash(execution.bindingHash ?? '');
const refusedFor = async (who: string, subject: object, why: RegExp, attempt: () => Promise<unknown>) => {
  const event = await abuse.oneEvent(attempt);
  expect(event).toMatchObject({ actor: { kind: 'user', id: who }, subject });
  expect(String(event.details.reason)).toMatch(why);
};

it('abuse 15: a button with a forged value decides nothing', async () => {
  const { ask } = await abuse.desk(['U0BEN']);
  const [one, two] = [await ask('Forged one'), await ask('Forged two')];
  for (const action of ['approval.approve', 'approval.edit']) {
    for (const hash of [hashOf(two), '00000000']) {
      const press = () => slack.click('U0BEN', action, `${one._id}:${hash}`);
      await abuse.refused('U0BEN', one, press, OUT_OF_DATE);
    }
    const nobodys = `ex_${'0'.repeat(20)}`;
    await refusedFor('U0BEN', { kind: 'execution', id: nobodys }, /does not exist/, () =>
      slack.click('U0BEN', action, `${nobodys}:${hashOf(one)}`),
    );
  }
  const values = ['', '*', `${one._id}`, `${one._id}:${hashOf(one)}:and more`, `{"$ne":null}`];
  for (const action of ['approval.approve', 'approval.deny', 'approval.details', 'grant.offer']) {
    for (const value of values) {
      const named = value.startsWith('ex_')
        ? { kind: 'execution', id: one._id }
        : { kind: 'slack', id: action };
      await refusedFor('U0BEN', named, NOT_OURS, () => slack.click('U0BEN', action, value));
    }
  }
  expect((await abuse.approvalOf(one)).decisions).toEqual([]);
  expect((await abuse.approvalOf(two)).decisions).toEqual([]);
});

it('abuse 16: the card of what was asked before an edit decides nothing', async () => {
  const { looking } = slack;
  const eve = slack.member('U16EVE');
  const { ask } = await abuse.desk(['U0BEN', eve], { quorum: 2 });
  const execution = await ask('Before the edit');
  const edited = await looking.services.edits.submit(
    { executionId: execution._id, hash: hashOf(execution), userId: eve },
    { ...ticketArguments('Before the edit'), body: 'Floor 4' },
  );
  expect(edited.kind).toBe('recorded');
  for (const way of Object.values(abuse.ways)) {
    await abuse.refused(
      'U0BEN',
      execution,
      () => way('U0BEN', execution),
      /card is out of date|several approvals/,
    );
  }
  const current = { ...execution, bindingHash: (await abuse.approvalOf(execution)).bindingHash };
  await abuse.counts('U0BEN', current);
  await ends(looking, [execution._id], 5_000);
  expect(sent(slack.world.helpdesk, 'Before the edit').join()).toContain('Floor 4');
});

it('abuse 17: a form that names another execution decides neither', async () => {
  const [eve, fay] = [slack.member('U17EVE'), slack.member('U17FAY')];
  const hers = await abuse.desk([eve]);
  const others = await abuse.desk([fay]);
  const [mine, next, foreign] = [
    await hers.ask('Hers'),
    await hers.ask('Hers too'),
    await others.ask('Of others'),
  ];
  // The other is not hers to decide, and its name is right.
  const why = /not on the list|Only people who may/;
  for (const way of Object.values(abuse.ways)) {
    await abuse.refused(eve, foreign, () => way(eve, foreign), why);
  }
  // The details of hers turn into those of the other.
  for (const button of ['approval.page_on', 'approval.page_back', 'approval.details']) {
    const turn = () =>
      slack.clickIn(eve, 'modal', button, `${nameOf(foreign)}:1`, `{"execution":"${mine._id}"}`);
    await abuse.refused(eve, foreign, turn, /Arguments are shown to those/);
  }
  // The other is hers, too, but the form was made for this one.
  const mixed = { ...next, bindingHash: mine.bindingHash };
  for (const way of [
    'the form of Deny',
    'the form of Edit',
    'the form of a second proof',
    'the list with its tick',
  ]) {
    const send = () => abuse.ways[way]?.(eve, mixed) ?? Promise.reject(new Error(way));
    await abuse.refused(eve, next, send, OUT_OF_DATE);
  }
  const metadata = JSON.stringify({ execution: next._id, hash: hashOf(next) });
  const typed = { [`arg:${hashOf(mine)}:0`]: { value: { type: 'plain_text_input', value: 'Other words' } } };
  const edit = () => slack.submit(eve, 'approval.edit', metadata, typed);
  await abuse.refused(eve, next, edit, NOT_OURS);
  const list = () =>
    slack.submit(eve, 'approval.batch', JSON.stringify({ requests: nameOf(next) }), ticked(nameOf(mine)));
  await abuse.refused(eve, next, list, /is not one of ours/);
  for (const garbage of ['', 'null', '{', '[]', '"x"', '{"execution":{"$ne":null}}']) {
    for (const form of ['approval.deny', 'approval.edit', 'second_proof.enter', 'grant.make']) {
      const named = { kind: 'slack', id: form };
      await refusedFor(eve, named, NOT_OURS, () => slack.submit(eve, form, garbage));
    }
  }
  for (const each of [mine, next, foreign]) expect((await abuse.approvalOf(each)).decisions).toEqual([]);
  expect(['Hers', 'Hers too', 'Of others'].flatMap((text) => sent(slack.world.helpdesk, text))).toEqual([]);
});

it('abuse 18: whoever comes after the end is told, and changes nothing, in whatever order', async () => {
  const eve = slack.member('U18EVE');
  const { ask } = await abuse.desk(['U0BEN', eve]);
  const { looking, world } = slack;
  const end: Record<string, (execution: ExecutionDocument) => Promise<unknown>> = {
    approved: (execution) => abuse.counts('U0BEN', execution),
    denied: (execution) => abuse.counts('U0BEN', execution, 'the form of Deny'),
    cancelled: (execution) => looking.services.executions.cancel(execution, 'No longer needed.'),
    expired: async (execution) => {
      await abuse.passTime(execution);
      // Nobody has noticed yet: the click does.
      const event = await abuse.oneEvent(() => slack.click(eve, 'approval.approve', nameOf(execution)));
      expect(event).toMatchObject({ action: 'approval.late_click', details: { status: 'expired' } });
    },
  };
  for (const [status, finish] of Object.entries(end)) {
    const subject = `Ended as ${status}`;
    const execution = await ask(subject);
    await finish(execution);
    const done = status === 'approved' ? 'succeeded' : status;
    await until(async () => (await abuse.statusOf(execution)) === done, 5_000);
    for (const way of [
      'Approve on the card',
      'the form of Deny',
      'the form of Edit',
      'the list with its tick',
    ]) {
      const late = () => abuse.ways[way]?.(eve, execution) ?? Promise.reject(new Error(way));
      const event = await abuse.refused(eve, execution, late, new RegExp(`^${status}$`));
      expect(event.action).toBe('approval.late_click');
    }
    expect(sent(world.helpdesk, subject)).toHaveLength(status === 'approved' ? 1 : 0);
  }
  const said = ['@U0BEN has approved', '@U0BEN has denied', 'the request has expired', 'been cancelled'];
  const names = (text: string) => text.replaceAll('@Ben', '@U0BEN');
  await until(
    () => said.every((text) => names(abuse.told(eve)).includes(text)),
    8_000,
    () => abuse.told(eve),
  );
});

it('abuse 19: fifty clicks at once are one decision, and each of the others is on record', async () => {
  const everybody = Array.from({ length: 25 }, (_, n) => slack.member(`U19N${n}`));
  const { ask } = await abuse.desk(everybody);
  const execution = await ask('Fifty at once');
  const clicks = everybody.flatMap((who) => [
    () => slack.click(who, 'approval.approve', nameOf(execution)),
    () => slack.submit(who, 'approval.deny', nameOf(execution)),
  ]);
  await Promise.all(clicks.map((press) => press()));
  abuse.expectMore(49);
  await until(async () => (await slack.refusals()).filter(isAbout(execution)).length === 49, 15_000);
  const [end] = await ends(slack.looking, [execution._id], 10_000);
  const { decisions, status } = await abuse.approvalOf(execution);
  expect(decisions).toHaveLength(1);
  expect(status).toBe(decisions[0]?.decision);
  expect(end?.status).toBe(status === 'approved' ? 'succeeded' : 'denied');
  expect(sent(slack.world.helpdesk, 'Fifty at once')).toHaveLength(status === 'approved' ? 1 : 0);
});

const isAbout =
  ({ _id }: ExecutionDocument) =>
  ({ subject, action }: { subject: { id: string }; action: string }): boolean =>
    subject.id === _id && action === 'approval.late_click';

it('abuse 20: a destructive call is not decided within a second of its card, any other is', async () => {
  const eve = slack.member('U20EVE');
  const { ask, destroy } = await abuse.desk([eve], { targetCheck: 'off' });
  const { helpdesk } = slack.world;
  const [ticket] = helpdesk.tickets();
  const reader = person(slack.world.slack, eve);
  const execution = await destroy(ticket?.id ?? '');
  const card = await reader.waitForMessage((each) => reader.text(each).includes(execution._id), 10_000);
  const age = (): number => Date.now() - Number(card.ts) * 1_000;
  const presses = Object.entries(abuse.ways).filter(([way]) => !/proof|again|Edit/.test(way));
  let early = 0;
  for (const [, press] of presses) {
    if (age() > 400) break;
    await abuse.refused(eve, execution, () => press(eve, execution), /faster than anybody can read/);
    early += 1;
  }
  expect(early, 'the machine was too slow to press once in time').toBeGreaterThan(0);
  await until(() => age() > 1_050, 2_000);
  await abuse.counts(eve, execution);
  await ends(slack.looking, [execution._id], 5_000);
  expect(helpdesk.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  const write = await ask('Not destructive');
  await abuse.counts(eve, write);
  expect((await ends(slack.looking, [write._id], 5_000))[0]?.status).toBe('succeeded');
});

it('abuse 21: nobody becomes somebody else by what is typed or named: the signed user counts', async () => {
  const cleo = slack.member('U21CLEO');
  const { looking } = slack;
  const { ask, key } = await abuse.desk(['U0BEN']);
  const execution = await ask('As somebody else');
  const typed = [
    'callers U0ADA',
    'settings user_id=U0ADA',
    'report <@U0ADA>',
    'reset-proof as U0ADA',
    'pause all',
    `pause ${key}`,
  ];
  for (const text of typed) {
    const [verb] = text.split(' ');
    await refusedFor(
      cleo,
      { kind: 'slack', id: `/connections ${verb}` },
      /role of admin|that you can see/,
      () => slack.command(cleo, '/connections', text, { user: 'U0ADA', on_behalf_of: 'U0ADA' }),
    );
  }
  const spoofed = { user_id: 'U0BEN', actor: 'U0BEN', as_user: 'U0BEN' };
  const home = () =>
    slack.clickIn(cleo, 'home', 'approval.approve', nameOf(execution), '{"user":"U0BEN"}', spoofed);
  await abuse.refused(cleo, execution, home, /not on the list/);
  const { delegations } = looking.services;
  await delegations.set('U0BEN', 'U0DANA', new Date(Date.now() + 3_600_000));
  for (const action of ['away.end', 'second_proof.manage']) {
    expect((await slack.clickIn(cleo, 'home', action, 'U0BEN', '{"user":"U0BEN"}', spoofed)).status).toBe(
      200,
    );
  }
  const batch = await slack.clickIn(cleo, 'home', 'approval.batch', 'U0BEN', '', spoofed);
  expect(batch.status).toBe(200);
  const reader = person(slack.world.slack, cleo);
  expect(reader.text(await reader.waitForView(/Nothing waits for you/))).not.toContain('As somebody else');
  expect(await delegations.of('U0BEN')).toMatchObject({ delegateId: 'U0DANA' });
  await delegations.end('U0BEN');
  expect(await looking.services.settings.get()).toMatchObject({ paused: null });
  expect((await abuse.approvalOf(execution)).decisions).toEqual([]);
});

it('abuse 22: an answer goes to Slack and nowhere else, whatever address or channel a payload names', async () => {
  const strays: ReceivedRequest[] = [];
  const note = (request: ReceivedRequest) => {
    strays.push(request);
    return { status: 200 };
  };
  const elsewhere = await listen(0, note, { delay: 0, fail: undefined }, () => true);
  try {
    const { ask } = await abuse.desk(['U0BEN']);
    const execution = await ask('Answer elsewhere');
    const response_url = `${elsewhere.origin}/hooks.slack.com/`;
    const foreign = { action: 'slack.foreign_address', actor: { kind: 'user', id: 'U0BEN' } };
    const help = () => slack.command('U0BEN', '/executions', 'help', { response_url });
    expect(await abuse.oneEvent(help)).toMatchObject(foreign);
    const response_urls = [{ response_url, channel_id: 'C0GENERAL' }];
    const deny = () => slack.submit('U0BEN', 'approval.deny', nameOf(execution), {}, { response_urls });
    expect(await abuse.oneEvent(deny)).toMatchObject(foreign);
    await until(async () => (await abuse.statusOf(execution)) === 'denied', 5_000);
    const ben = person(slack.world.slack, 'U0BEN');
    const before = ben.messages('C0RANDOM').length;
    const late = () =>
      slack.click('U0BEN', 'approval.approve', nameOf(execution), {
        channel: { id: 'C0RANDOM', name: 'random' },
      });
    await abuse.refused('U0BEN', execution, late, /denied/);
    expect(ben.messages('C0RANDOM')).toHaveLength(before);
    expect(strays).toEqual([]);
  } finally {
    await elsewhere.close();
  }
});
