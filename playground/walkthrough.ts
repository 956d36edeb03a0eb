/** The seven steps of a newcomer, as a script: what each person types and clicks, and what has to come of it. */
import type { Google } from './google.js';
import type { Helpdesk } from './helpdesk.js';
import { type Person, person } from './slack/person.js';
import type { listenSlackServer } from './slack/server.js';
import { type Page, Visitor, wordsOf } from './visitor.js';

export interface Stage {
  readonly slack: Awaited<ReturnType<typeof listenSlackServer>>;
  readonly helpdesk: Helpdesk;
  readonly google: Google;
  /** Of the product. */
  readonly origin: string;
  readonly say: (who: string, what: string, shown?: string) => void;
  /** What one step learns and a later one needs. */
  readonly notes: Map<string, string>;
}

export interface Step {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<void>;
}

const PATIENCE_MS = 20_000;
const who = (stage: Stage, id: string): Person => person(stage.slack, id, { patienceMs: PATIENCE_MS });

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function note(stage: Stage, name: string): string {
  const value = stage.notes.get(name);
  if (value === undefined) throw new Error(`${name} is not known yet`);
  return value;
}

/** The first link of the product in something shown. */
function linkIn(shown: object | null, path: string): string {
  const link = new RegExp(`https?://[^"\\s|>]*${path}[^"\\s|>]+`).exec(JSON.stringify(shown))?.[0];
  expect(link !== undefined, `there is no link to ${path} here`);
  return link;
}

interface Answer {
  readonly status: number;
  readonly body: {
    id: string;
    status: string;
    result?: unknown;
    approval?: { status: string; note?: string };
    error?: { code: string };
  };
}

async function ask(stage: Stage, body: object): Promise<Answer> {
  const response = await fetch(`${stage.origin}/v1/executions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${note(stage, 'token')}`,
      'content-type': 'application/json',
      'idempotency-key': `demo-${Math.random().toString(36).slice(2)}`,
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function answerOf(stage: Stage, id: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${note(stage, 'token')}` };
  const response = await fetch(`${stage.origin}/v1/executions/${id}?wait=30`, { headers });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function enterSecret(stage: Stage, link: string, fields: Record<string, string>): Promise<Page> {
  const visitor = new Visitor();
  const form = await visitor.open(link);
  const done = await visitor.submit(form, fields);
  expect(done.status === 200, `the secret form answered ${done.status}: ${wordsOf(done)}`);
  stage.say('Ada', 'enters the secret on its one-time page in the browser', wordsOf(done));
  return done;
}

async function giveAccess(stage: Stage, admin: Person, key: string): Promise<void> {
  await admin.command(`/connections access ${key}`);
  await admin.waitForView(/Give access/);
  await admin.click('modal', 'Give access');
  await admin.waitForView(/What it may call/);
  const errors = await admin.submit({ Caller: 'Support agent' });
  expect(errors === null, `the form was refused: ${JSON.stringify(errors)}`);
  const shown = await admin.waitForView(/Support agent/);
  stage.say('Ada', `gives it access to ${key}`, admin.text(shown));
  await admin.close(true);
}

const openWorkspace: Step = {
  title: 'A workspace with nobody to ask for yet',
  play: async (stage) => {
    const ada = who(stage, 'U0ADA');
    await ada.command('/connections');
    const empty = await ada.waitForMessage(/no connections yet/);
    stage.say('Ada', 'types /connections', ada.text(empty));
    await ada.openHome();
    stage.say('Ada', 'opens App Home', ada.text(await ada.waitForHome(/Set up/)));
  },
};

const addHelpdesk: Step = {
  title: 'Ada registers the helpdesk',
  play: async (stage) => {
    const ada = who(stage, 'U0ADA');
    await ada.command('/connections add');
    await ada.waitForView(/Connector/);
    await ada.fill({ Connector: 'REST API' });
    await ada.waitForView(/OpenAPI document/);
    const errors = await ada.submit({
      Identity: 'Shared',
      'How it signs in': 'api_key',
      Name: 'Helpdesk',
      Purpose: 'Support agents read and file tickets',
      Owner: 'U0ADA',
      'Business owner': 'U0DANA',
      'OpenAPI document': stage.helpdesk.openapiUrl,
      'Base URL': stage.helpdesk.origin,
    });
    expect(errors === null, `the form was refused: ${JSON.stringify(errors)}`);
    const picker = await ada.waitForView(/Functions to turn on/);
    stage.say('Ada', 'fills in /connections add; the OpenAPI document is read', ada.text(picker));
    await ada.submit({ 'Functions to turn on': ['list_tickets', 'get_ticket', 'create_ticket'] });
    await ada.waitForView(/Approvers/);
    await ada.submit({ Approvers: ['U0BEN'], 'Also post the card to a channel': 'C0APPROVALS' });
    const credential = await ada.waitForView((view) => JSON.stringify(view).includes('/secrets/'));
    await enterSecret(stage, linkIn(credential, '/secrets/'), {
      api_key: stage.notes.get('helpdesk_key') ?? 'demo-helpdesk-key',
    });
    await ada.close(true);
    await ada.command('/connections show helpdesk');
    stage.say('Ada', 'looks at it', ada.text(await ada.waitForView(/create_ticket/i)));
    await ada.close(true);
  },
};

const registerCaller: Step = {
  title: 'Ada registers the caller “Support agent” and gives it access',
  play: async (stage) => {
    const ada = who(stage, 'U0ADA');
    await ada.command('/connections callers add');
    await ada.waitForView(/Name/);
    const errors = await ada.submit({ Name: 'Support agent', Kind: 'agent', Owner: 'U0ADA', Stage: 'test' });
    expect(errors === null, `the form was refused: ${JSON.stringify(errors)}`);
    const shown = await ada.waitForView((view) => JSON.stringify(view).includes('/secrets/token/'));
    stage.say('Ada', 'gets a link to the token, never the token itself', ada.text(shown));
    const visitor = new Visitor();
    const page = await visitor.submit(await visitor.open(linkIn(shown, '/secrets/token/')));
    const token = /siesta_[A-Za-z0-9]+/.exec(page.html)?.[0];
    expect(token !== undefined, 'the page shows no token');
    stage.notes.set('token', token);
    stage.say('Ada', 'sees it once, in the browser', wordsOf(page).replaceAll(token, 'siesta_…'));
    await ada.close(true);
    await giveAccess(stage, ada, 'helpdesk');
  },
};

const agentAsks: Step = {
  title: 'The agent reads at once, and waits before it writes',
  play: async (stage) => {
    const read = await ask(stage, { connection: 'helpdesk', function: 'list_tickets', arguments: {} });
    expect(
      read.status === 200 && read.body.status === 'succeeded',
      `list_tickets answered ${JSON.stringify(read.body)}`,
    );
    stage.say('Support agent', 'asks for list_tickets: 200', JSON.stringify(read.body.result).slice(0, 300));
    const write = await ask(stage, {
      connection: 'helpdesk',
      function: 'create_ticket',
      arguments: {
        subject: 'Printer on floor 3 is on fire',
        body: 'Smoke, no flames.',
        requester: 'sam@customer.example',
        priority: 'high',
      },
      reason: 'The customer wrote at 9:12 and asked for a technician.',
    });
    expect(write.status === 202, `create_ticket answered ${write.status} ${JSON.stringify(write.body)}`);
    stage.notes.set('ticket', write.body.id);
    stage.say('Support agent', 'asks for create_ticket: 202', JSON.stringify(write.body, null, 2));
  },
};

const benDecides: Step = {
  title: 'Ben reads the card and approves; another he denies',
  play: async (stage) => {
    const ben = who(stage, 'U0BEN');
    const card = await ben.waitForMessage(
      (message) => message.channel !== 'C0APPROVALS' && /Printer on floor 3/.test(ben.text(message)),
    );
    stage.say('Ben', 'has it in his DM (and in #approvals)', ben.text(card));
    await ben.click(card, 'approval.details');
    await ben.waitForView(/Smoke/);
    await ben.close();
    const waiting = answerOf(stage, note(stage, 'ticket'));
    await ben.click(card, 'approval.approve');
    const done = await waiting;
    expect(done.body.status === 'succeeded', `the call ended as ${done.body.status}`);
    expect(
      stage.helpdesk.tickets().some((ticket) => ticket.subject.includes('floor 3')),
      'the ticket is not in the helpdesk',
    );
    const copy = await ben.waitForMessage(
      (message) => message.channel === 'C0APPROVALS' && /Approved/.test(ben.text(message)),
    );
    stage.say('Ben', 'approves; both copies change', ben.text(copy));
    stage.say('Support agent', 'has its answer', JSON.stringify(done.body.result).slice(0, 300));
    const second = await ask(stage, {
      connection: 'helpdesk',
      function: 'create_ticket',
      arguments: { subject: 'Delete all tickets', body: 'please', requester: 'sam@customer.example' },
    });
    const other = await ben.waitForMessage(
      (message) => message.channel !== 'C0APPROVALS' && /Delete all tickets/.test(ben.text(message)),
    );
    await ben.click(other, 'approval.deny');
    await ben.waitForView(/Why/);
    await ben.submit({ reason: 'Not without the customer’s word' });
    const denied = await answerOf(stage, second.body.id);
    expect(denied.body.status === 'denied', `the call ended as ${denied.body.status}`);
    stage.say('Support agent', 'is told no, and why', JSON.stringify(denied.body, null, 2));
  },
};

const everythingIsOnRecord: Step = {
  title: 'Everything is on record',
  play: async (stage) => {
    const ada = who(stage, 'U0ADA');
    await ada.command('/executions');
    stage.say('Ada', 'types /executions: metadata', ada.text(await ada.waitForMessage(/Tool executions/)));
    const dana = who(stage, 'U0DANA');
    await dana.command(`/executions show ${note(stage, 'ticket')}`);
    const detail = await dana.waitForView(/sam@customer\.example/);
    stage.say('Dana', 'opens one as auditor: arguments, result, approval, times', dana.text(detail));
  },
};

const cleosMail: Step = {
  title: 'The agent sends a mail as Cleo, and only Cleo says yes',
  play: async (stage) => {
    const ada = who(stage, 'U0ADA');
    await ada.command('/connections add');
    await ada.waitForView(/Connector/);
    await ada.fill({ Connector: 'Gmail' });
    await ada.waitForView(/How it signs in/);
    await ada.submit({
      Identity: 'Private',
      Name: 'Gmail',
      Purpose: 'Agents answer in the name of the member who asks',
      Owner: 'U0ADA',
      'Business owner': 'U0DANA',
    });
    await ada.waitForView(/Functions to turn on/);
    await ada.submit({ 'Functions to turn on': ['search_messages', 'get_message', 'send_message'] });
    await ada.waitForView(/expires/);
    await ada.submit();
    const credential = await ada.waitForView((view) => JSON.stringify(view).includes('/secrets/'));
    await enterSecret(stage, linkIn(credential, '/secrets/'), {
      client_id: stage.google.clientId,
      client_secret: stage.google.clientSecret,
    });
    await ada.close(true);
    await giveAccess(stage, ada, 'gmail');

    const asked = await ask(stage, {
      connection: 'gmail',
      function: 'send_message',
      on_behalf_of: 'cleo@siesta.example',
      arguments: {
        to: ['sam@customer.example'],
        subject: 'Your printer',
        body_text: 'A technician is on the way.',
      },
      reason: 'Cleo asked me to tell the customer.',
    });
    expect(
      asked.body.status === 'pending_authorization',
      `send_message answered ${JSON.stringify(asked.body)}`,
    );
    const cleo = who(stage, 'U0CLEO');
    const invitation = await cleo.waitForMessage((message) =>
      JSON.stringify(message).includes('/oauth/start/'),
    );
    stage.say('Cleo', 'gets a DM', cleo.text(invitation));

    const browser = new Visitor();
    const start = await browser.open(linkIn(invitation, '/oauth/start/'));
    const accounts = await browser.submit(start);
    const arrived = await browser.submit(accounts, {}, 'value="cleo@siesta.example"');
    stage.say('Cleo', 'picks her account at Google and comes back', wordsOf(arrived));
    const dm = await cleo.waitForMessage(/\b\d{3} \d{3}\b/);
    const code = /\b(\d{3}) (\d{3})\b/.exec(cleo.text(dm));
    const caller =
      /<input[^>]*name="allow"[^>]*value="([^"]+)"|<input[^>]*value="([^"]+)"[^>]*name="allow"/.exec(
        arrived.html,
      );
    const connected = await browser.submit(arrived, {
      code: `${code?.[1]}${code?.[2]}`,
      allow: caller?.[1] ?? caller?.[2] ?? '',
    });
    expect(connected.status === 200, `the page answered ${connected.status}: ${wordsOf(connected)}`);
    stage.say('Cleo', 'types the code from her DM and allows the agent', wordsOf(connected));
    stage.say('Cleo', 'sees in her DM', cleo.text(await cleo.waitForMessage(/connected as/)));

    const card = await cleo.waitForMessage(/A technician is on the way/);
    expect(card.channel === 'D0CLEO', 'the card is not in Cleo’s DM');
    for (const other of ['U0ADA', 'U0BEN', 'U0DANA']) {
      const seen = ['C0APPROVALS', 'C0GENERAL', `D0${other.slice(2)}`].flatMap((channel) =>
        who(stage, other).messages(channel),
      );
      expect(
        !seen.some((message) => JSON.stringify(message).includes('technician')),
        `${other} can see the card`,
      );
    }
    stage.say('Cleo', 'has the card, and nobody else does', cleo.text(card));
    // A mail cannot be taken back, so a click within a second of its card is refused: nobody reads that fast.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await cleo.click(card, 'approval.approve');
    const done = await answerOf(stage, asked.body.id);
    expect(done.body.status === 'succeeded', `the call ended as ${JSON.stringify(done.body)}`);
    const [mail] = await stage.google.sent('cleo@siesta.example');
    expect(mail?.subject === 'Your printer', 'the mail is not in the mailbox');
    stage.say('Cleo’s mailbox', 'has sent', `To: ${mail.to}\nSubject: ${mail.subject}\n${mail.body_text}`);
  },
};

export const STEPS: readonly Step[] = [
  openWorkspace,
  addHelpdesk,
  registerCaller,
  agentAsks,
  benDecides,
  everythingIsOnRecord,
  cleosMail,
];
