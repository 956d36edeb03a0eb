/**
 * What approvers do with a card besides a plain yes or no, in a real browser: change it first, decide in pairs, answer
 * for the next calls too, decide several at once. And what then reaches the outside world.
 */
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CALLER, CONNECTION, type Desk, startDesk } from './desk.js';
import { type Playground, read } from './page.js';

const WRITE = 'create_ticket · needs approval';
const ticket = (subject: string, more: object = {}) => ({
  subject,
  body: 'Smoke, no flames.\n\nFloor 3, beside the kitchen.',
  requester: 'sam@customer.example',
  priority: 'high',
  ...more,
});

let desk: Desk;
let slack: Playground;

beforeAll(async () => {
  desk = await startDesk({ approvers: ['Ben', 'Dana'] });
  slack = desk.slack;
});
afterAll(() => desk?.close());

beforeEach(async () => {
  await slack.escapeAll();
  await slack.become('Ben');
  await slack.goTo('#approvals');
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await desk.browser.picture(task.name);
});

const press = (card: Locator, name: string) => card.getByRole('button', { name, exact: true }).click();
/** Subjects of what agents had filed, as the helpdesk has them. */
const filed = async () => (await desk.tickets()).slice(4).map(({ subject }) => subject);

describe('edit, then approve', () => {
  const asked = ticket('Printer is on fire');

  it('opens a form of the function’s fields, filled with what the agent asked for', async () => {
    await slack.ask({ function: WRITE, arguments: asked, reason: 'Sam wrote at 9:12.' });
    await slack.answer('pending_approval');
    await press(await slack.message(asked.subject), 'Edit…');
    const form = await slack.dialog('Edit, then approve');
    expect(await form.text()).toContain(
      'What stands here when you press Approve changed is what you approve',
    );
    for (const [label, value] of [
      ['Subject', asked.subject],
      ['Body', asked.body],
      ['Priority', asked.priority],
      ['Requester', asked.requester],
    ] as const)
      expect(await form.value(label)).toBe(value);
    expect(await form.text()).toContain('If empty: “normal”.');
    // The body; a subject is one line.
    expect(await form.root.locator('textarea').count()).toBe(1);
  });

  it('says at the field what the function does not take, and that nothing was changed', async () => {
    await press(await slack.message(asked.subject), 'Edit…');
    const form = await slack.dialog('Edit, then approve');
    await form.press('Approve changed');
    expect(await form.complaint('Subject')).toContain('Nothing is changed');
    await form.fill({ Requester: 'nobody in particular' });
    await form.press('Approve changed');
    expect(await form.complaint('Requester')).toContain('valid email');
    expect(await filed()).toEqual([]);
  });

  it('sends what the approver made of it; card, caller and record tell the difference', async () => {
    await press(await slack.message(asked.subject), 'Edit…');
    const form = await slack.dialog('Edit, then approve');
    await form.fill({ Subject: 'Printer on floor 3 smokes' });
    await form.choose('Priority', 'urgent');
    await form.press('Approve changed');
    await slack.noDialog();

    const answer = await slack.answer('succeeded');
    expect(answer).toMatch(
      /"edited_arguments": \{[^}]*"subject": "Printer on floor 3 smokes"[^}]*"priority": "urgent"/,
    );
    expect(answer).toContain('"id": "T-105"');
    for (const place of ['#approvals', 'DM'] as const) {
      await slack.goTo(place);
      const card = await slack.message('Edited by @Ben', /Approved by @Ben · Today .* · done/);
      const words = await read(card);
      expect(words).toMatch(/Subject\s+Printer is on fire\s+→\s+Printer on floor 3 smokes/);
      expect(words).toMatch(/Priority\s+high\s+→\s+urgent/);
      expect(words).not.toMatch(/(Body|Requester)\s.*→/);
      expect(await card.locator('s').allTextContents()).toEqual([asked.subject, 'high']);
    }
    expect((await desk.tickets()).slice(4)).toEqual([
      expect.objectContaining(ticket('Printer on floor 3 smokes', { priority: 'urgent' })),
    ]);
    await slack.outsideWorld
      .getByRole('listitem')
      .filter({ hasText: 'T-105Printer on floor 3 smokes' })
      .waitFor();
    expect(await read(slack.outsideWorld)).not.toContain(asked.subject);
  });
});

describe('“Don’t ask again”', () => {
  it('makes a grant from the card, within the limits chosen, and approves the call', async () => {
    await desk.ask('create_ticket', ticket('Toner is empty'));
    await press(await slack.message('Toner is empty'), 'Don’t ask again…');
    const form = await slack.dialog('Don’t ask again');
    expect(await form.text()).toMatch(
      new RegExp(`Calls of Create a ticket on ${CONNECTION} by ${CALLER}[\\s\\S]*All other calls are asked`),
    );
    await form.tick('radio', /^For one day/);
    await form.takeOut('Same requester: sam@customer.example');
    await form.choose('Only where this stays the same', 'Same domain of requester: customer.example');
    await form.press('Approve and remember');
    await slack.noDialog();
    await slack.message('Toner is empty', /Approved by @Ben · Today .* · done/);
  });

  it('answers the next call of its kind, and no other', async () => {
    await slack.ask({
      function: WRITE,
      arguments: ticket('Paper is empty', { requester: 'kim@customer.example', priority: 'low' }),
    });
    const answer = await slack.answer('succeeded');
    expect(answer).toContain('"requirement": "granted"');
    expect(answer).toContain('"status": "not_required"');
    expect(await filed()).toContain('Paper is empty');
    const other = ticket('Staples are empty', { requester: 'sam@elsewhere.example' });
    expect(await desk.ask('create_ticket', other)).toMatchObject({
      status: 'pending_approval',
      requirement: 'required',
    });
  });

  it('is listed in the connection and in App Home, and revoked there with one click', async () => {
    const listed =
      /Create a ticket on .* for Support agent: only with requester at customer\.example\s+until Tomorrow .* · by @Ben/;
    await slack.become('Ada');
    await slack.command('/connections show helpdesk');
    const connection = await slack.dialog('Connection', 'Not asked again');
    expect(await connection.text()).toMatch(listed);
    await connection.escape();

    await slack.become('Ben');
    const home = await slack.openHome();
    await home.getByText('Not asked again, because of me').waitFor();
    expect(await read(home)).toMatch(listed);
    await press(home, 'Revoke');
    await home.getByText('Not asked again').waitFor({ state: 'detached' });

    const asked = await desk.ask('create_ticket', ticket('Ink is empty'));
    expect(asked).toMatchObject({ status: 'pending_approval', requirement: 'required' });
    await slack.goTo('#approvals');
    await press(await slack.message('Ink is empty'), 'Approve');
    expect(await desk.execution(asked.id, 10)).toMatchObject({ status: 'succeeded' });
  });
});

describe('several at once', () => {
  it('shows each in full with its own tick; what is not ticked keeps waiting', async () => {
    const lamps = await Promise.all(
      ['Lamp 1', 'Lamp 2', 'Lamp 3'].map((lamp) =>
        desk.ask('create_ticket', ticket(`${lamp} flickers`), `${lamp} was reported by Sam.`),
      ),
    );
    await Promise.all(lamps.map((_, at) => slack.message(`Lamp ${at + 1} flickers`)));
    await slack.command('/approvals');
    await press(await slack.message('Only visible to you', 'Waiting for me'), 'Decide several');
    const list = await slack.dialog('Decide several');
    const words = await list.text();
    for (const { subject, body, requester } of lamps.map((_, at) => ticket(`Lamp ${at + 1} flickers`))) {
      const [above = ''] = words.split(`subject: ${subject}`).slice(1);
      const shown = above.split('Approve this one')[0];
      for (const said of [...body.split('\n\n'), `requester: ${requester}`, 'priority: high', 'was reported'])
        expect(shown).toContain(said);
    }
    const ticks = list.root.getByRole('checkbox', { name: 'Approve this one' });
    // One more waits since before: what the grant did not cover.
    expect(await ticks.count()).toBe(4);
    expect(await ticks.and(list.root.locator(':checked')).count()).toBe(0);

    await list.tickBelow('Lamp 1 flickers');
    await list.tickBelow('Lamp 3 flickers');
    await list.press('Approve ticked');
    const decided = await slack.dialog('Decided');
    const outcome = await decided.text();
    expect(outcome).toContain('2 of 2 recorded');
    const [one, two, three] = lamps.map(({ id }) => id);
    expect(outcome).toContain(one);
    expect(outcome).toContain(three);
    await decided.escape();

    const ends = await Promise.all([one, three].map((id = '') => desk.execution(id, 10)));
    expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(await desk.execution(two ?? '')).toMatchObject({ status: 'pending_approval' });
    expect((await filed()).filter((subject) => subject.startsWith('Lamp')).sort()).toEqual([
      'Lamp 1 flickers',
      'Lamp 3 flickers',
    ]);
    await slack.message('Lamp 3 flickers', /Approved by @Ben · Today .* · done/);
    const left = await slack.message('Lamp 2 flickers', 'Waiting for @Ben');
    await left.getByRole('button', { name: 'Approve', exact: true }).waitFor();
  });
});

describe('two approvals needed', () => {
  beforeAll(() => desk.changeRule({ 'Approvals needed': 2 }));

  /** As Ben, on the card in the channel; the product says how many are missing. */
  async function approveFirst(subject: string): Promise<void> {
    const card = await slack.message(subject, /0 of 2 approvals so far; one denial ends it/);
    await press(card, 'Approve');
    await slack.message(subject, /1 of 2 approvals so far/, /Approved by @Ben/);
    await slack.message('Only visible to you', 'Your approval is recorded; 1 more is needed');
  }

  it('shows a quorum in progress in every copy, and one denial is a veto', async () => {
    const asked = await desk.ask('create_ticket', ticket('Delete the old printer'));
    await approveFirst('Delete the old printer');
    await slack.goTo('DM');
    await slack.message('Delete the old printer', /1 of 2 approvals so far/);
    expect(await desk.execution(asked.id)).toMatchObject({ status: 'pending_approval' });

    await slack.become('Dana');
    await slack.goTo('DM');
    await press(await slack.message('Delete the old printer', /1 of 2/), 'Deny');
    const form = await slack.dialog('Deny this call', 'Why?');
    await form.fill({ 'Why?': 'It is still leased' });
    await form.press('Deny');
    await slack.noDialog();
    for (const place of ['DM', '#approvals'] as const) {
      await slack.goTo(place);
      const card = await slack.message('Delete the old printer', /Denied by @Dana/, 'It is still leased');
      // Who approved before is not forgotten.
      expect(await read(card)).toContain('Approved by @Ben');
      expect(await card.getByRole('button', { name: /Approve|Deny/ }).count()).toBe(0);
    }
    expect(await desk.execution(asked.id)).toMatchObject({
      status: 'denied',
      approval: { status: 'denied', note: 'It is still leased' },
    });
    expect(await filed()).not.toContain('Delete the old printer');
  });

  it('sends it once when both approve, and a second click of the first counts for nothing', async () => {
    const asked = await desk.ask('create_ticket', ticket('Order a new printer'));
    await approveFirst('Order a new printer');
    await press(await slack.message('Order a new printer', /1 of 2/), 'Approve');
    await slack.message('Only visible to you', /already/i);
    await slack.message('Order a new printer', /1 of 2 approvals so far/);
    expect(await filed()).not.toContain('Order a new printer');

    await slack.become('Dana');
    await press(await slack.message('Order a new printer', /1 of 2/), 'Approve');
    const card = await slack.message('Order a new printer', /Approved by @Dana · Today .* · done/);
    expect(await read(card)).toContain('Approved by @Ben');
    expect(await desk.execution(asked.id, 10)).toMatchObject({ status: 'succeeded' });
    expect((await filed()).filter((subject) => subject === 'Order a new printer')).toHaveLength(1);
  });
});

it('none of it broke a rule of Slack’s, nor made the page complain', async () => {
  expect(await desk.violations()).toEqual([]);
  expect(desk.browser.complaints).toEqual([]);
});
