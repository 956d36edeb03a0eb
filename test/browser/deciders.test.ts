/**
 * Who decides, and when: a delegate, reminders, escalation and expiry with a moved clock, the kill switch, and the second
 * proof, in a real browser. Each test goes on where the one before it stopped.
 */
import { Secret, TOTP } from 'otpauth';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Given } from '../../playground/slack/entry.js';
import { CONNECTION, type Desk, startDesk } from './desk.js';
import { type Dialog, type Name, type Place, type Playground, read } from './page.js';
import { openRecords, type Records } from './records.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const CREATE = 'create_ticket · needs approval';
const WRONG_CODE = 'Failed to load resource: the server responded with a status of 400 (Bad Request)';

let desk: Desk;
let slack: Playground;
let records: Records;
let failed: string | null = null;
/** What the browser says about a wrong code, which was typed on purpose. */
const expected: string[] = [];

const ticket = (subject: string) => ({
  subject,
  body: 'Smoke, no flames.',
  requester: 'sam@customer.example',
});
const comment = (text: string) => ({ id: 'T-101', text });

beforeAll(async () => {
  desk = await startDesk({
    functions: ['list_tickets', 'create_ticket', 'add_comment'],
    rule: {
      'Applies to': 'functions',
      Functions: ['create_ticket'],
      'Minutes until a second list is asked too': 45,
      'Second list': ['U0DANA'],
    },
  });
  ({ slack } = desk);
  await addRule({ 'Applies to': 'functions', Functions: ['add_comment'], Effect: 'allow' });
  records = await openRecords(desk.dataDir);
});

afterAll(async () => {
  await records?.close();
  await desk?.close();
});

beforeEach(() => {
  if (failed !== null) throw new Error(`Not played, because “${failed}” failed.`);
});

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail' || failed !== null) return;
  failed = task.name;
  await desk.browser.picture(`deciders ${task.name}`);
});

/** One more rule, after the others. */
async function addRule(values: Readonly<Record<string, Given>>): Promise<void> {
  await desk.admin.command('/connections policy helpdesk');
  await desk.admin.click(await desk.admin.view(/policy version/), 'Add a rule');
  await desk.admin.submit(await desk.admin.view(/New rule/), values);
  await desk.admin.view(/The policy is saved/);
  await desk.admin.close();
}

/** The agent asks for a ticket. @returns the id of its execution */
async function ask(subject: string): Promise<string> {
  return (await desk.ask('create_ticket', ticket(subject), `Sam wrote about ${subject}.`)).id;
}

/** The same from the page, which goes on showing what becomes of it. */
async function askHere(subject: string): Promise<string> {
  await slack.ask({ function: CREATE, arguments: ticket(subject), reason: `Sam wrote about ${subject}.` });
  const waiting = slack.page.locator('#agent-result[data-status=pending_approval]', { hasText: subject });
  await waiting.waitFor();
  return /"id": "(ex_\w+)"/.exec(await read(waiting))?.[1] ?? '';
}

/** What this person sees of a request, in this place. */
async function cardOf(name: Name, place: Place, ...words: readonly (string | RegExp)[]): Promise<Locator> {
  await slack.become(name);
  await slack.goTo(place);
  return slack.message(...words);
}

const press = (shown: Locator, button: string): Promise<void> =>
  shown.getByRole('button', { name: button, exact: true }).click();

const buttonsOf = (card: Locator): Promise<string[]> => card.getByRole('button').allInnerTexts();

/** What Slack holds of this person, as her page gets it. */
const heldOf = async (userId: string): Promise<string> =>
  (await fetch(`${desk.address}/playground/client/state?user=${userId}`)).text();

/** When it expires, as its card says it. */
async function deadline(card: Locator): Promise<number> {
  const line = card.locator('.block').filter({ hasText: /Waiting for .* · expires/ });
  return new Date((await line.locator('time').last().getAttribute('datetime')) ?? '').getTime();
}

let escalated: string;
let expired: string;

describe('a delegate', () => {
  it('is named in App Home until the end of a day', async () => {
    await slack.become('Ben');
    const home = await slack.openHome();
    await press(home, 'Name a delegate');
    const form = await slack.dialog('While I am away', 'never about her own requests');
    const lastDay = new Date(Date.now() + 2 * DAY_MS);
    await form.choose('Delegate', 'Ben');
    await form.fill({ 'Last day': lastDay.toISOString().slice(0, 10) });
    await form.press('Save');
    expect(await form.complaint('Delegate')).toBe('Choose somebody else than yourself.');
    await form.choose('Delegate', 'Cleo');
    await form.press('Save');
    await slack.noDialog();
    const said = lastDay.toLocaleDateString('en-US', { timeZone: 'UTC', dateStyle: 'medium' });
    await home.getByText(`@Cleo decides for you until the end of ${said}.`).waitFor();
  });

  it('is asked besides, and approves: card, record and audit say for whom', async () => {
    const id = await ask('Printer');
    const card = await cardOf('Cleo', 'DM', 'Printer');
    expect(await read(card)).toMatch(/Waiting for @Ben[\s\S]*@Cleo for @Ben, while away/);
    expect(await records.copies(id)).toEqual(['C0APPROVALS', 'U0BEN', 'U0CLEO']);
    expect(await read(await slack.openHome())).toMatch(/Waiting for me \(1\)\s+Create a ticket/);
    await slack.goTo('DM');
    await press(await slack.message('Printer'), 'Approve');
    const approved = /Approved by @Cleo for @Ben · Today .* · done/;
    await slack.message('Printer', approved);
    expect((await desk.execution(id)).status).toBe('succeeded');
    await cardOf('Ben', 'DM', 'Printer', approved);
    await slack.become('Dana');
    await slack.goTo('#general');
    await slack.command('/executions');
    await press(await slack.message('Tool executions'), 'Open');
    const detail = await slack.dialog('Tool execution', 'Printer');
    expect(await detail.text()).toMatch(/Approved by @Cleo for @Ben · Today/);
    await detail.escape();
    expect(await records.audited(id)).toContainEqual({
      actor: { kind: 'user', id: 'U0CLEO' },
      action: 'approval.delegate',
      details: { decision: 'approved', delegateOf: 'U0BEN' },
    });
  });

  it('decides no longer once Ben is back, and is not asked any more', async () => {
    await slack.become('Ben');
    const home = await slack.openHome();
    await home.getByText('Nothing. What has to be decided').waitFor();
    await home.getByRole('button', { name: 'I am back' }).hover();
    // His Home is drawn anew while the button is pressed: the click counts all the same.
    await slack.page.mouse.down();
    escalated = await ask('Coffee machine');
    await vi.waitFor(async () => expect(await heldOf('U0BEN')).toContain('Waiting for me (1)'), 10_000);
    expect(await records.copies(escalated)).toEqual(['C0APPROVALS', 'U0BEN', 'U0CLEO']);
    await slack.page.mouse.up();
    await slack.page.getByRole('button', { name: 'Name a delegate' }).waitFor();
    const card = await cardOf('Cleo', 'DM', 'Coffee machine');
    await card.getByText('while away').waitFor({ state: 'detached' });
    await press(card, 'Approve');
    await slack.message('You are not on the list of people who may decide this.');
    expect((await desk.execution(escalated)).status).toBe('pending_approval');
    expired = await askHere('Heating');
    await cardOf('Ben', '#approvals', 'Heating');
    expect(await records.copies(expired)).toEqual(['C0APPROVALS', 'U0BEN']);
  });
});

describe('a request that nobody decides', () => {
  it('reminds at half of its time, in one DM about all that waits', async () => {
    const card = await cardOf('Ben', 'DM', 'Coffee machine');
    expect(await read(card)).toMatch(/Goes to @Dana too (Today|Tomorrow)/);
    expect(await slack.page.getByText('still wait for you').count()).toBe(0);
    await records.pass(31, escalated, expired);
    const reminder = await slack.message('2 requests still wait for you');
    expect(await read(reminder)).toContain('Away for a while? Name a delegate in the Home tab.');
    const times = await reminder.locator('.block time').all();
    const ends = await Promise.all(times.map((time) => time.getAttribute('datetime')));
    expect(ends).toHaveLength(2);
    expect(ends).toEqual(ends.toSorted());
  });

  it('expires at the end of its time: for its card, its caller and its requester', async () => {
    await records.pass(30, expired);
    await records.pass(15, escalated);
    const answer = await slack.answer('expired');
    expect(answer).toContain('Nobody decided in time.');
    const card = await cardOf('Ben', 'DM', 'Heating', 'Nobody decided in time.');
    expect(await read(card)).toMatch(/Expired\s+Nobody decided in time\./);
    expect(await buttonsOf(card)).toEqual(['Details']);
    const told = await cardOf('Ada', 'DM', 'of yours ended', 'Nobody decided in time.');
    expect(await read(told)).toMatch(
      /Expired: Create a ticket on Helpdesk - Support - tickets, asked by Support agent · Nobody decided in time\./,
    );
  });

  it('goes to the second list, whose member has the card and decides', async () => {
    const card = await cardOf('Dana', 'DM', 'Coffee machine');
    expect(await read(card)).toMatch(
      /Waiting for @Ben or @Dana[\s\S]*Escalated Today .*: @Dana may decide too/,
    );
    await press(card, 'Approve');
    await slack.message('Coffee machine', /Approved by @Dana · Today .* · done/);
    await cardOf('Ben', '#approvals', 'Coffee machine', 'Approved by @Dana');
    const actions = (await records.audited(escalated)).map(({ action }) => action);
    expect(actions).toContain('approval.escalated');
  });
});

describe('a pause', () => {
  const REASON = 'The helpdesk is being migrated';

  /** As Ada, from the command to what is said at once. */
  async function pause(what: string, pending: RegExp): Promise<Dialog> {
    await slack.become('Ada');
    await slack.goTo('#general');
    await slack.command(`/connections pause ${what}`);
    const form = await slack.dialog('Pause', 'Requests that wait for people');
    await form.fill({ Reason: REASON });
    await form.tick('radio', pending);
    await form.press('Pause');
    return slack.dialog('Paused', /Requested by @Ada Today/);
  }

  /** As Ada, until it is answered: after the answers that stand there already. */
  async function resume(what: string, says: string): Promise<Locator> {
    await slack.become('Ada');
    await slack.goTo('#general');
    const answers = slack.page.getByRole('article').filter({ hasText: says });
    const answer = answers.nth(await answers.count());
    await slack.command(`/connections resume ${what}`);
    await answer.waitFor();
    return answer;
  }

  /** A call that is paused: its agent is told so with the reason, and nobody is asked. */
  const isRefused = (name: string, values: object): Promise<void> =>
    expect(desk.ask(name, values)).rejects.toThrow(new RegExp(`^403 .*"code":"paused".*${REASON}`));

  it('of one connection freezes what waits: the card says why, and cannot be approved', async () => {
    const id = await ask('Window');
    const ends = await deadline(await cardOf('Ben', '#approvals', 'Window'));
    const report = await pause('helpdesk', /^Stand still/);
    const said = await (await slack.dialog('Paused', 'Confirmed by all processes (1 of 1)')).text();
    expect(said).toContain(`${CONNECTION} is paused`);
    expect(said).toContain('Requests that wait for people: 1; their time stands still');
    expect(said).toContain('Nothing was running.');
    await report.escape();
    const card = await cardOf('Ben', '#approvals', 'Window', 'Paused by @Ada');
    expect(await read(card)).toMatch(/Waiting for @Ben · its time stands still/);
    expect(await read(card)).toContain(`Paused by @Ada: ${REASON}`);
    // When it goes to the second list is not known while its time stands still.
    expect(await card.getByText('Goes to').count()).toBe(0);
    await press(card, 'Approve');
    await slack.message('This is paused at the moment: nothing can be approved until it is resumed.');
    await (await slack.openHome()).getByText('paused, its time stands still').waitFor();
    await isRefused('list_tickets', {});

    // Longer than it had: it would be over, had its time not stood still.
    await records.pass(70, id);
    await resume('helpdesk', `${CONNECTION} runs again.`);
    await cardOf('Ben', '#approvals', 'Window', /Waiting for @Ben · expires/);
    expect(await card.getByText('Paused by').count()).toBe(0);
    const givenBack = (await deadline(await slack.message('Window'))) - ends;
    expect(givenBack).toBeGreaterThanOrEqual(0);
    expect(givenBack).toBeLessThan(MINUTE_MS);
    await press(await slack.message('Window'), 'Approve');
    await slack.message('Window', /Approved by @Ben · Today .* · done/);
  });

  it('can cancel what waits instead', async () => {
    await askHere('Curtain');
    const report = await pause('helpdesk', /^Cancel them/);
    expect(await report.text()).toContain('Requests that wait for people: 1; they are cancelled.');
    await report.escape();
    expect(await slack.answer('cancelled')).toContain(`Cancelled by a pause: ${REASON}`);
    const card = await cardOf('Ben', '#approvals', 'Curtain', `Cancelled by a pause: ${REASON}`);
    expect(await buttonsOf(card)).toEqual(['Details']);
    await resume('helpdesk', `${CONNECTION} runs again.`);
  });

  it('of everything is requested at once, and confirmed when every process has seen it', async () => {
    await ask('Carpet');
    const other = await records.otherProcess();
    const report = await pause('all', /^Stand still/);
    await slack.dialog('Paused', /Waiting for the confirmation of all processes \([01] of 2\)/);
    expect(await report.text()).toContain('Everything is paused');
    expect(await report.text()).not.toContain('Confirmed by all processes');
    await other.confirm();
    await slack.dialog('Paused', 'Confirmed by all processes (2 of 2)');
    await other.end();
    await report.escape();
    await cardOf('Ben', '#approvals', 'Carpet', 'Paused by @Ada');
    await isRefused('list_tickets', {});
    await isRefused('create_ticket', ticket('Refused'));
    await isRefused('add_comment', comment('Refused'));
  });

  it('of everything is lifted in three steps: reads, then what needs approval, then the rest', async () => {
    const stands = await resume('all', 'Everything is paused by @Ada');
    await isRefused('list_tickets', {});
    await press(stands, 'Resume reads');
    const first = await slack.message('Step 1 of 3: reads that need no approval run again.');
    expect((await desk.ask('list_tickets', {})).status).toBe('succeeded');
    await isRefused('create_ticket', ticket('Refused'));
    await press(await cardOf('Ben', '#approvals', 'Carpet', 'Paused by @Ada'), 'Approve');
    await slack.message('This is paused at the moment');

    await slack.become('Ada');
    await slack.goTo('#general');
    await press(first, 'Next: what needs approval');
    const second = await slack.message('Step 2 of 3: what needs approval runs again');
    await isRefused('add_comment', comment('Refused'));
    await press(await cardOf('Ben', '#approvals', 'Carpet', /Waiting for @Ben · expires/), 'Approve');
    await slack.message('Carpet', /Approved by @Ben · Today .* · done/);

    await slack.become('Ada');
    await slack.goTo('#general');
    await press(second, 'Next: the rest');
    await slack.message('Everything runs again.');
    expect((await desk.ask('add_comment', comment('The toner has arrived.'))).status).toBe('succeeded');
    const comments = (await desk.tickets()).flatMap((each) => each.comments.map(({ text }) => text));
    expect(comments).toContain('The toner has arrived.');
    expect(comments).not.toContain('Refused');
  });
});

describe('a second proof', () => {
  let proven: string;
  let secret: string;

  /** What an authenticator app shows `steps` half minutes from now. */
  const code = (steps: number): string =>
    TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + steps * 30_000 });
  /** Six digits that no app shows now. */
  const wrongCode = (): string => {
    const right = [-2, -1, 0, 1, 2].map(code);
    return (
      ['123456', '234567', '345678', '456789', '567890', '678901'].find((each) => !right.includes(each)) ?? ''
    );
  };

  it('is asked for where the rule says so, and who has none is told how to get one', async () => {
    await desk.changeRule({ 'Second proof': ['totp'] });
    proven = await ask('Safe');
    const card = await cardOf('Ben', '#approvals', 'Safe');
    expect(await read(card)).toContain('Approving asks for a second proof');
    await press(card, 'Approve');
    const missing = await slack.dialog('Second proof', 'you have none yet');
    expect(await missing.text()).toContain('Nothing was approved.');
    await missing.escape();
  });

  it('is set up from App Home, by QR code and a first code', async () => {
    await press(await slack.openHome(), 'Set up a second proof');
    const link = await slack.dialog('Second proof', 'for ten minutes, and only for you');
    const page = await slack.follow(link.link('Open the page'));
    expect(await read(page.locator('main'))).toMatch(/For\s+Ben/);
    await page.getByRole('button', { name: 'Show the QR code' }).click();
    await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
    secret = (await read(page.locator('#secret'))).replaceAll(/\s/g, '');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    await page.getByLabel('The six digits that the app shows now').fill(wrongCode());
    await page.getByRole('button', { name: 'Confirm' }).click();
    expect(await read(page.getByRole('alert'))).toContain('That code is not right.');
    expected.push(`error at ${page.url()}: ${WRONG_CODE}`);
    expect((await read(page.locator('#secret'))).replaceAll(/\s/g, '')).toBe(secret);
    await page.getByLabel('The six digits that the app shows now').fill(code(0));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('heading', { name: 'Second proof set up' }).waitFor();
    await page.close();
    await slack.escapeAll();
    await slack.goTo('DM');
    await slack.message('Your second proof is set up');
  });

  it('refuses a wrong code in so many words, and approves with the right one', async () => {
    await press(await cardOf('Ben', '#approvals', 'Safe'), 'Approve');
    const form = await slack.dialog('Second proof', 'You approve Create a ticket');
    await form.fill({ 'Six digits': wrongCode() });
    await form.press('Approve');
    expect(await form.complaint('Six digits')).toBe(
      'That code is not right. Enter the six digits that your authenticator app shows now.',
    );
    expect((await desk.execution(proven)).status).toBe('pending_approval');
    // The next one: each code works once, and the first was used up by setting it up.
    await form.fill({ 'Six digits': code(1) });
    await form.press('Approve');
    await slack.noDialog();
    await slack.message('Safe', /Approved by @Ben · Today .* · done/, 'second proof given');
    expect((await desk.execution(proven)).status).toBe('succeeded');
    const subjects = (await desk.tickets()).map(({ subject }) => subject);
    expect(subjects.slice(4)).toEqual(['Printer', 'Coffee machine', 'Window', 'Carpet', 'Safe']);
  });
});

it('nobody was shown an error of the pages, and Slack would have taken everything', async () => {
  expect(desk.browser.complaints).toEqual(expected);
  expect(await desk.violations()).toEqual([]);
});
