/**
 * What a newcomer does, and sees: the seven steps of the README in a real browser, against the product as `npm start`
 * runs it. Each test goes on where the one before it stopped.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../harness/free-ports.js';
import { WatchedBrowser } from './browser.js';
import { Playground, read } from './page.js';
import { type RunningProduct, startProduct } from './product.js';

const TICKET = {
  subject: 'Printer on floor 3 is on fire',
  body: 'Smoke, no flames.',
  requester: 'sam@customer.example',
  priority: 'high',
};
const UNWANTED = { ...TICKET, subject: 'Delete all tickets' };
const MAIL = {
  to: ['sam@customer.example'],
  subject: 'Your printer is cold again',
  body_text: 'A technician is on the way.',
};
const GONE = 'Failed to load resource: the server responded with a status of 410 (Gone)';
const PURPOSE = 'Support agents read and file tickets';

let port: number;
let dataDir: string;
let product: RunningProduct;
let browser: WatchedBrowser;
let slack: Playground;
let failed: string | null = null;
/** What the browser says about the one-time links that were followed twice, on purpose. */
const spent: string[] = [];

const address = (): string => `http://localhost:${port}`;

beforeAll(async () => {
  port = await freePorts();
  dataDir = await mkdtemp(join(tmpdir(), 'siesta-browser-test-'));
  product = await startProduct(port, dataDir);
  browser = await WatchedBrowser.launch();
  slack = new Playground(await browser.context.newPage());
});

afterAll(async () => {
  await browser?.close();
  await product?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

beforeEach(() => {
  if (failed !== null) throw new Error(`Not played, because “${failed}” failed.`);
});

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail' || failed !== null) return;
  failed = task.name;
  await browser.picture(task.name);
});

/** Follows a one-time link again, and checks that nothing opens any more. */
async function followSpent(link: Locator): Promise<void> {
  const tab = await slack.follow(link);
  expect(await tab.getByRole('button').count()).toBe(0);
  expect(await read(tab.locator('main'))).not.toContain('siesta_');
  spent.push(`error at ${tab.url()}: ${GONE}`);
  await tab.close();
}

describe('a newcomer', () => {
  it('starts the product, and its last line says where it is and how long that took', async () => {
    const [, said, seconds] =
      /^Playground ready at (\S+) in (\d+\.\d) s$/.exec(product.lines().at(-1) ?? '') ?? [];
    expect(said).toBe(address());
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(Number(seconds) * 1_000).toBeLessThanOrEqual(product.startedInMs);
    await pause(300);
    expect(product.lines().at(-1)).toContain('Playground ready at');
  });

  it('1. opens the page, a small Slack with a list of things to try', async () => {
    await slack.open(`${address()}/`);
    expect(await slack.page.title()).toContain('#general');
    for (const person of ['Ada admin', 'Ben approver', 'Cleo member', 'Dana auditor'])
      await slack.page.getByRole('button', { name: person }).waitFor();
    expect(await read(slack.page.locator('#guide'))).toContain('1 of 7');
    expect(await slack.page.locator('#guide li.step').count()).toBe(3);
  });

  it('1. switches between light and dark, and the page remembers', async () => {
    const toggle = slack.page.getByRole('button', { name: 'Switch between light and dark' });
    const light = await slack.ink();
    await toggle.click();
    const dark = await slack.ink();
    expect(dark).not.toBe(light);
    await slack.open(`${address()}/`);
    expect(await slack.ink()).toBe(dark);
    await toggle.click();
    expect(await slack.ink()).toBe(light);
  });

  it('2. as Ada, is told what to do while there are no connections', async () => {
    await slack.become('Ada');
    await slack.command('/connections');
    const empty = await slack.message('There are no connections yet');
    expect(await read(empty)).toContain('Only visible to you');
    expect(await read(await slack.openHome())).toContain('Set up');
    await slack.goTo('#general');
    await empty.getByRole('button', { name: 'Add a connection' }).click();
    await (await slack.dialog('Add a connection')).escape();
    await slack.noDialog();
  });

  it('2. as Ada, adds the helpdesk with its functions and its approver', async () => {
    await slack.command('/connections add');
    const first = await slack.dialog('Add a connection');
    await first.choose('Connector', 'REST API');
    const form = await slack.dialog('Add a connection', 'Base URL');
    await form.press('Continue');
    expect(await form.complaint('Purpose')).toMatch(/\S/);
    await form.choose('How it signs in', 'API key');
    await form.choose('Business owner', 'Dana');
    await form.fill({
      Name: 'Helpdesk - Support - tickets',
      Key: 'helpdesk',
      Purpose: PURPOSE,
      'OpenAPI document': await slack.offered('OpenAPI URL'),
      'Base URL': await slack.offered('Base URL'),
    });
    await form.press('Continue');
    const functions = await slack.dialog('Functions', 'All are off until you pick them');
    await functions.choose('Functions to turn on', 'list_tickets', 'get_ticket', 'create_ticket');
    await functions.press('Continue');
    const approval = await slack.dialog('Approval', 'Create a ticket');
    expect(await approval.text()).not.toContain('List tickets');
    await approval.choose('Approvers', 'Ben');
    await approval.choose('Also post the card to a channel', '#approvals');
    await approval.press('Create');
    const added = await slack.dialog('Connection added', 'is entered on a web page');
    const link = added.link('Enter the API key');
    await slack.enterSecret(link, { 'API key': await slack.offered('API key') });
    await followSpent(link);
    await added.press('Show the connection');
    const detail = await (await slack.dialog('Connection', 'Readiness')).text();
    for (const said of [
      'Helpdesk - Support - tickets',
      PURPOSE,
      /Owner\s+@Ada/,
      /Business owner\s+@Dana/,
      'Credential entered by @Ada',
      'Scopes',
      /Runs directly[\s\S]*list_tickets[\s\S]*get_ticket[\s\S]*Needs approval by @Ben · in #approvals[\s\S]*create_ticket/,
      /Who may call it\s+Nobody yet/,
      'Readiness: 5 of 8',
    ])
      expect(detail).toMatch(said);
    await slack.escapeAll();
  });

  it('3. as Ada, registers “Support agent”, sees its token once and gives it access', async () => {
    await slack.command('/connections callers add');
    const form = await slack.dialog('Add a caller');
    await form.fill({ Name: 'Support agent' });
    await form.tick('radio', /^Test/);
    await form.press('Add');
    const added = await slack.dialog('Caller’s token', 'is shown once');
    expect(await slack.page.content()).not.toContain('siesta_');
    const link = added.link('Show the token once');
    const tab = await slack.follow(link);
    expect(await tab.content()).not.toContain('siesta_');
    await tab.getByRole('button', { name: 'Show the token' }).click();
    const token = await read(tab.getByRole('status', { name: 'Token of Support agent' }));
    expect(token).toMatch(/^siesta_\w{40,}$/);
    await tab.close();
    await followSpent(link);
    await slack.escapeAll();
    await slack.agent.getByLabel('Token').fill(token);
    await slack.agent.getByText('Nothing may be called yet').waitFor();
    await slack.giveAccess('helpdesk', 'Support agent');
    await slack.agent.getByText('3 functions may be called.').waitFor();
  });

  it('4. lets the agent ask: a read runs directly, a write waits', async () => {
    await slack.ask({ function: 'list_tickets' });
    const read = await slack.answer('succeeded');
    expect(read).toContain('HTTP 200');
    expect(read).toContain('The coffee machine on the third floor sings');
    expect(read).toMatch(/curl -sS \S+\/v1\/executions/);
    expect(read).not.toContain('siesta_');
    await slack.ask({
      function: 'create_ticket · needs approval',
      arguments: TICKET,
      reason: 'Sam wrote at 9:12.',
    });
    const write = await slack.answer('pending_approval');
    expect(write).toContain('waiting for approval…');
    expect(write).toContain('HTTP 202');
  });

  it('5. as Ben, reads the card, opens Details, goes back and approves', async () => {
    await slack.become('Ben');
    await slack.goTo('DM');
    await (await slack.message(TICKET.subject)).getByRole('button', { name: 'Approve' }).waitFor();
    await slack.goTo('#approvals');
    const card = await slack.message(TICKET.subject);
    const words = await read(card);
    for (const said of [
      'Create a ticket',
      /Waiting for @Ben · expires (Today|Tomorrow)/,
      /Asked by\s+Support agent \(agent, test\)/,
      /Connection\s+Helpdesk - Support - tickets/,
      /Acts as\s+\S.* · shared/,
      /Risk\s+Write/,
      /Method\s+POST/,
      /Path\s+\/tickets/,
      ...Object.entries(TICKET).map(([name, value]) => `${name}: ${value}`),
      /Said by Support agent, not checked\s+Sam wrote at 9:12\./,
    ])
      expect(words).toMatch(said);
    await card.getByRole('button', { name: 'Details' }).click();
    const details = await slack.dialog('Details', TICKET.body);
    await details.press('Close');
    await slack.noDialog();

    await card.getByRole('button', { name: 'Approve' }).click();
    for (const place of ['#approvals', 'DM'] as const) {
      await slack.goTo(place);
      const copy = await slack.message(TICKET.subject, /Approved by @Ben · Today .* · done/);
      expect(await copy.getByRole('button', { name: /Approve|Deny/ }).count()).toBe(0);
    }
    expect(await slack.answer('succeeded')).toMatch(/"id": "T-105"/);
    await slack.outsideWorld
      .getByRole('listitem')
      .filter({ hasText: `T-105${TICKET.subject}` })
      .waitFor();
  });

  it('5. as Ben, denies another with a reason, which the agent is told', async () => {
    await slack.ask({ function: 'create_ticket · needs approval', arguments: UNWANTED });
    await slack.answer('pending_approval');
    const card = await slack.message(UNWANTED.subject);
    await card.getByRole('button', { name: 'Deny' }).click();
    const form = await slack.dialog('Deny this call', 'Why?');
    await form.fill({ 'Why?': 'Not without Sam’s word' });
    await form.press('Deny');
    await slack.noDialog();
    for (const place of ['DM', '#approvals'] as const) {
      await slack.goTo(place);
      await slack.message(UNWANTED.subject, /Denied by @Ben/, 'Not without Sam’s word');
    }
    expect(await slack.answer('denied')).toContain('Not without Sam’s word');
    expect(await read(slack.outsideWorld)).not.toContain(UNWANTED.subject);
  });

  it('6. as Ada, lists what happened, without arguments', async () => {
    await slack.become('Ada');
    await slack.goTo('#general');
    await slack.command('/executions');
    const list = await read(await slack.message('Tool executions'));
    expect(list).toMatch(
      /List tickets on Helpdesk - Support - tickets\s+succeeded · no approval needed · read · Support agent · Today/,
    );
    expect(list).toMatch(
      /Create a ticket on Helpdesk - Support - tickets\s+succeeded · approved · write · Support agent · Today/,
    );
    expect(list).toMatch(
      /Create a ticket on Helpdesk - Support - tickets\s+denied · write · Support agent · Today/,
    );
    expect(list).not.toContain(TICKET.subject);
  });

  it('6. as Dana, reads arguments, result, approval, decision and times', async () => {
    await slack.become('Dana');
    await slack.command('/executions');
    const list = await slack.message('Tool executions');
    const row = list.locator('.block').filter({ hasText: 'succeeded · approved' });
    await row.getByRole('button', { name: 'Open' }).click();
    const detail = await slack.dialog('Tool execution', 'Arguments');
    const words = await detail.text();
    for (const said of [
      /Status\s+✅ succeeded/,
      /Approval requirement\s+required/,
      /Approval status\s+approved/,
      /Approved by @Ben · Today/,
      /Caller\s+Support agent/,
      /Asked Today .* · ended Today/,
      /Arguments[\s\S]*"subject": "Printer on floor 3 is on fire"/,
      /Result[\s\S]*"id": "T-105"/,
    ])
      expect(words).toMatch(said);
    await detail.escape();
  });

  it('7. as Ada, adds Gmail as a private connection', async () => {
    await slack.become('Ada');
    await slack.command('/connections add');
    await (await slack.dialog('Add a connection')).choose('Connector', 'Gmail');
    const form = await slack.dialog('Add a connection', 'Each member authorizes her own account');
    await form.tick('radio', /^Private/);
    await form.choose('Business owner', 'Dana');
    await form.fill({
      Name: 'Gmail - Support - send',
      Key: 'gmail',
      Purpose: 'Agents answer in a member’s name',
    });
    await form.press('Continue');
    const functions = await slack.dialog('Functions');
    await functions.choose('Functions to turn on', 'search_messages', 'get_message', 'send_message');
    await functions.press('Continue');
    await (await slack.dialog('Approval', 'each call is confirmed by the member it acts for')).press(
      'Create',
    );
    const added = await slack.dialog('Connection added', 'OAuth client');
    await slack.enterSecret(added.link('Enter the OAuth client'), {
      'Client ID': await slack.offered('Google client ID'),
      'Client secret': await slack.offered('Google client secret'),
    });
    await slack.escapeAll();
    await slack.giveAccess('gmail', 'Support agent');
  });

  it('7. as Cleo, connects her account from her DM and allows the agent', async () => {
    await slack.ask({
      function: 'send_message · needs approval',
      arguments: MAIL,
      onBehalfOf: 'Cleo',
      reason: 'Cleo asked me to tell Sam.',
    });
    expect(await slack.answer('pending_authorization')).toContain('waiting for authorization…');
    await slack.become('Cleo');
    await slack.goTo('DM');
    const invitation = await slack.message('wants to act for you on Gmail - Support - send');
    const tab = await slack.follow(invitation.getByRole('link', { name: 'Connect Gmail' }));
    expect(await read(tab.locator('main'))).toMatch(/For\s+Cleo in Slack/);
    await tab.getByRole('button', { name: 'Continue to Google' }).click();
    await tab.getByRole('button', { name: 'cleo@siesta.example' }).click();
    await tab.getByRole('heading', { name: 'Is this the right account?' }).waitFor();
    expect(await read(tab.locator('main'))).toMatch(/Account\s+cleo@siesta\.example/);
    await tab.getByRole('checkbox', { name: 'Let Support agent act for me' }).check();
    const code = (await slack.message('Type this code in the browser')).getByRole('heading');
    await tab.getByLabel('The six digits in your Slack DM').fill(await read(code));
    await tab.getByRole('button', { name: 'Connect' }).click();
    await tab.getByRole('heading', { name: 'Connected' }).waitFor();
    await tab.close();
    const connected = await slack.message('connected as cleo@siesta.example');
    expect(await connected.getByRole('link').count()).toBe(0);
    expect(await slack.page.getByRole('article').filter({ hasText: 'wants to act for you' }).count()).toBe(0);
  });

  it('7. as Cleo, has the card in her DM and nobody else has it; she approves, and the mail is sent', async () => {
    const shown = await slack.message(MAIL.body_text, 'Waiting for @Cleo');
    expect(await read(shown)).toMatch(/Acts as\s+cleo@siesta\.example · Cleo’s own/);
    await slack.answer('pending_approval');
    for (const name of ['Ada', 'Ben', 'Dana'] as const) {
      await slack.become(name);
      const words = await slack.allThatIsShown();
      expect(words).not.toContain(MAIL.subject);
      expect(words).not.toContain(MAIL.body_text);
    }
    await slack.become('Cleo');
    expect(await slack.allThatIsShown()).toContain(MAIL.body_text);
    await slack.goTo('DM');
    // A mail cannot be taken back, so a click within a second of its card is refused; the tour above took longer.
    const card = await slack.message(MAIL.body_text);
    await card.getByRole('button', { name: 'Approve' }).click();
    await slack.message(MAIL.body_text, /Approved by @Cleo · Today .* · done/);
    await slack.answer('succeeded');
    const mail = slack.outsideWorld.getByRole('listitem').filter({ hasText: MAIL.subject });
    await mail.filter({ hasText: 'to sam@customer.example' }).filter({ hasText: MAIL.body_text }).waitFor();
    expect(await read(slack.page.locator('#guide'))).toContain('7 of 7');
  });

  it('was never shown an error of the pages, nor a violated content security policy', async () => {
    expect(spent).toHaveLength(2);
    expect(browser.complaints).toEqual(spent);
    await slack.page.evaluate("new Image().src = 'https://elsewhere.example/spy.png'");
    await expect.poll(() => browser.complaints.join()).toMatch(/Content Security Policy/);
  });

  it('stops it, starts it again within five seconds, and finds everything there', async () => {
    await slack.page.goto('about:blank');
    expect(await product.stop()).toBe(0);
    product = await startProduct(port, dataDir);
    expect(product.startedInMs).toBeLessThan(5_000);
    expect(product.lines().at(-1)).toMatch(/^Playground ready at \S+ in [0-4]\.\d s$/);
    await slack.open(`${address()}/#/U0ADA/C0GENERAL`);
    await slack.command('/connections');
    const list = await slack.message('Helpdesk - Support - tickets');
    expect(await read(list)).toContain('Gmail - Support - send');
    await slack.agent.getByText('6 functions may be called.').waitFor();
    await slack.ask({ function: 'list_tickets' });
    expect(await slack.answer('succeeded')).toContain('The coffee machine');
    await slack.command('/executions');
    await slack.message('Tool executions', /Send a mail[\s\S]*succeeded · approved · destructive/);
  });
});
