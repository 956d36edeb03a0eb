/**
 * The canary: known secrets go through the main job of the real process, among outside systems that say them back
 * (abuse case 55). Afterwards everything that came out is searched for them.
 */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { json } from '../../playground/loopback.js';
import { person } from '../../playground/slack/person.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { oauthAppId } from '../../src/services/credentials.js';
import {
  API_KEY,
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { dumpDatabase, leaksIn, type Secrets } from '../harness/canary.js';
import { type EchoUpstream, startEchoUpstream } from '../harness/echo-upstream.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const SECRETS = {
  'key of the helpdesk': API_KEY,
  'key of the echo': 'fake canary+"key"/one\\of=two%&<3>',
  'first access token': 'fake-canary-access-token-0001/a+b=',
  'first refresh token': 'fake-canary-refresh-token-0001/a+b=',
  'second access token': 'fake-canary-access-token-0002/c+d=',
  'second refresh token': 'fake-canary-refresh-token-0002/c+d=',
  'OAuth client secret': 'fake-canary-client-secret/e+f=',
  'entered in the browser': 'fake-canary-typed-by-a-person-0003/g+h=',
};
const TICKET = { subject: 'Printer marker 4711', body: 'Floor 3', requester: 'sam@example.com' };

let world: World;
let app: AppProcess;
let echo: EchoUpstream;
let helpdesk: Seeded;
let typedConnectionId: string;
/** Everything that HTTP answered, headers included. */
let answers = '';

beforeAll(async () => {
  echo = await startEchoUpstream([
    ({ body }) => json(400, { error: 'invalid_request', error_description: `you sent ${body}` }),
    ({ body }) => ({ status: 500, headers: { 'content-type': 'text/html' }, body }),
    ({ body }) => json(200, { said: body, token_type: 'Bearer' }),
    () =>
      json(200, {
        access_token: SECRETS['second access token'],
        refresh_token: SECRETS['second refresh token'],
        token_type: 'Bearer',
        expires_in: 3_600,
      }),
  ]);
  world = await createWorld({ mongoUri: inject('mongoUri') });
  const { services, close } = await world.services();
  helpdesk = await seedHelpdesk({ services }, world.helpdesk);
  const { operations } = await importOpenApi(await (await fetch(world.helpdesk.openapiUrl)).text());
  const rest = (name: string) =>
    services.connections.create(ADA, {
      connector: 'rest',
      identity: 'shared',
      name,
      purpose: 'Says secrets back',
      ownerId: 'U0ADA',
      businessOwnerId: 'U0DANA',
      auth: 'api_key',
      config: { base_url: echo.origin, operations: operations.map((operation) => ({ ...operation })) },
      enabledFunctions: operations.map((operation) => operation.name),
      rules: [
        {
          id: 'writes',
          functions: null,
          risks: ['write', 'destructive'],
          effect: 'ask',
          approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
          quorum: 1,
          route: 'C0APPROVALS',
          expiresInMinutes: 60,
        },
      ],
    });
  const access = [{ callerId: helpdesk.callerId, functions: null }];
  const echoing = await services.connections.setAccess(ADA, await rest('Echo'), access);
  const typed = await services.connections.setAccess(ADA, await rest('Typed'), access);
  typedConnectionId = typed._id;
  await services.credentials.store({
    connectionId: echoing._id,
    subject: 'shared',
    kind: 'secret',
    fields: { api_key: SECRETS['key of the echo'] },
    createdBy: 'U0ADA',
  });
  await services.credentials.store({
    connectionId: oauthAppId('google'),
    subject: 'shared',
    kind: 'oauth_app',
    fields: { client_id: 'fake-client', client_secret: SECRETS['OAuth client secret'] },
    createdBy: 'U0ADA',
  });
  const gmail = await services.connections.create(ADA, {
    connector: 'gmail',
    identity: 'private',
    name: 'Gmail',
    purpose: 'Agents read mail',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['list_labels', 'get_profile', 'send_message'],
  });
  await services.connections.setAccess(ADA, gmail, access);
  await close();
  app = await world.start({
    CONNECTOR_ENDPOINTS: JSON.stringify({ 'google.token': `${echo.origin}/token`, gmail: echo.origin }),
    OUTBOUND_ALLOW_PRIVATE: [world.helpdesk.origin, echo.origin].map((url) => new URL(url).host).join(','),
  });
});

afterAll(async () => {
  await world.close();
  await echo.close();
});

async function ask(connection: string, fn: string, args: object = {}, more: object = {}) {
  const answer = await call(app.origin, helpdesk.token, '/v1/executions', {
    connection,
    function: fn,
    arguments: args,
    wait: 2,
    ...more,
  });
  answers += JSON.stringify([answer.status, [...answer.headers], answer.body]);
  return answer;
}

/** As Ben, once the card is there; the answer of the execution afterwards. */
async function approve(executionId: string, who: string, card: RegExp) {
  const decider = person(world.slack, who);
  const message = await decider.waitForMessage(card);
  await decider.click(message, 'approval.details');
  await decider.waitForView((view) => !decider.text(view).includes('One moment…'));
  await decider.close();
  await decider.click(message, 'approval.approve');
  const done = await call(app.origin, helpdesk.token, `/v1/executions/${executionId}?wait=10`);
  answers += JSON.stringify([done.status, [...done.headers], done.body]);
  return done;
}

async function browse(path: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(`${app.origin}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  answers += JSON.stringify([...response.headers]) + text;
  return text;
}

async function withServices<T>(
  use: (connected: Awaited<ReturnType<World['services']>>) => Promise<T>,
): Promise<T> {
  const connected = await world.services();
  try {
    return await use(connected);
  } finally {
    await connected.close();
  }
}

it('leaves no secret anywhere', async () => {
  const ran: string[] = [];
  const note = (answer: { body: { id?: string; status?: string; error?: { code: string } } }): void => {
    ran.push(`${answer.body.status} ${answer.body.error?.code ?? ''}`.trim());
  };

  // The shared helpdesk, and the one that says everything back.
  note(await ask('helpdesk', 'list_tickets'));
  const ticket = await ask('helpdesk', 'create_ticket', TICKET);
  note(await approve(ticket.body.id, 'U0BEN', /Printer marker 4711/));
  note(await ask('echo', 'list_tickets'));
  note(await ask('echo', 'search_tickets', { q: 'x' }));
  note(await ask('echo', 'get_ticket', { id: 'T-1' }));
  const echoed = await ask('echo', 'create_ticket', { ...TICKET, subject: 'Echo marker 4712' });
  note(await approve(echoed.body.id, 'U0BEN', /Echo marker 4712/));
  expect(ran.splice(0)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
    'succeeded',
    'failed upstream_rejected',
    'outcome_unknown outcome_unknown',
  ]);

  // A key that a person types into the one-time form.
  const secretLink = await withServices(({ services }) =>
    services.links.create({ purpose: 'secret', userId: 'U0ADA', connectionId: typedConnectionId }),
  );
  const secretPath = new URL(secretLink).pathname;
  await browse(secretPath);
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  await browse(secretPath, form({ api_key: SECRETS['entered in the browser'], surplus: 'x' }));
  expect(await browse(secretPath, form({ api_key: SECRETS['entered in the browser'] }))).toContain('Stored');
  note(await ask('typed', 'list_tickets'));

  // Cleo's Gmail: her link, three failing refreshes, one that works, and a mail that she approves.
  const member = { on_behalf_of: 'U0CLEO' };
  const waiting = await ask('gmail', 'list_labels', {}, member);
  expect(waiting.body.status).toBe('pending_authorization');
  const cleo = person(world.slack, 'U0CLEO');
  const dm = await cleo.waitForMessage(/Gmail/);
  const connectPath = /\/oauth\/start\/[\w-]+/.exec(JSON.stringify(dm.blocks))?.[0] ?? '';
  await browse(connectPath);
  await call(app.origin, helpdesk.token, `/v1/executions/${waiting.body.id}/cancel`, {});
  await withServices(async ({ services }) => {
    const gmail = (await services.connections.list('U0ADA')).find((each) => each.key === 'gmail');
    if (!gmail) throw new Error('the Gmail connection is gone');
    const credential = {
      kind: 'oauth' as const,
      scopes: ['send', 'readonly'].map((name) => `https://www.googleapis.com/auth/gmail.${name}`),
      fields: {
        access_token: SECRETS['first access token'],
        refresh_token: SECRETS['first refresh token'],
      },
      account: 'cleo@siesta.example',
      expiresAt: new Date(0),
    };
    await services.members.authorize(gmail, 'U0CLEO', credential, [helpdesk.callerId]);
  });
  for (let refused = 1; refused <= 3; refused++) {
    note(await ask('gmail', 'list_labels', {}, member));
    // The pause after a failed refresh is over.
    await withServices(({ deps: { models, workspaceId } }) =>
      models.credentials.updateMany({ workspaceId, kind: 'oauth' }, { $set: { failing: null } }),
    );
  }
  note(await ask('gmail', 'list_labels', {}, member));
  note(await ask('gmail', 'get_profile', {}, member));
  const mail = await ask(
    'gmail',
    'send_message',
    { to: ['sam@example.com'], subject: 'Mail marker 4713', body_text: 'Hi' },
    member,
  );
  note(await approve(mail.body.id, 'U0CLEO', /Mail marker 4713/));
  expect(ran).toEqual([
    'succeeded',
    ...Array.from({ length: 3 }, () => 'failed upstream_unavailable'),
    'succeeded',
    'failed upstream_rejected',
    'succeeded',
  ]);

  // People look at it all.
  const dana = person(world.slack, 'U0DANA');
  for (const id of [ticket.body.id, echoed.body.id, mail.body.id]) {
    await dana.command(`/executions show ${id}`);
    await dana.waitForView((view) => dana.text(view).includes(id));
    await dana.close(true);
  }
  await dana.command('/executions');
  await dana.openHome();
  await browse('/healthz');
  await browse('/readyz');
  await call(app.origin, `${helpdesk.token}x`, '/v1/functions').then((answer) => {
    answers += JSON.stringify(answer.body);
  });
  answers += JSON.stringify((await call(app.origin, helpdesk.token, '/v1/functions')).body);
  await new Promise((resolve) => setTimeout(resolve, 1_500));

  // The outside world got every one of them: what is searched for did go through.
  const received = JSON.stringify([
    world.helpdesk.requests.map(({ headers }) => headers['x-api-key']),
    echo.requests.map(({ headers }) => [headers['x-api-key'], headers.authorization]),
    echo.requests
      .filter(({ url }) => url === '/token')
      .map(({ body }) => [...new URLSearchParams(body).values()]),
  ]);
  const never = ['first access token', 'second refresh token'];
  for (const [name, secret] of Object.entries(SECRETS)) {
    const passed = leaksIn(received, { [name]: secret }).length > 0;
    expect({ name, passed }).toEqual({ name, passed: !never.includes(name) });
  }

  const { workspace, tokens, signingSecret } = world.slack;
  const slack = JSON.stringify([
    workspace.requests,
    [...workspace.messages],
    [...workspace.homes],
    [...workspace.stacks],
    workspace.deliveries,
  ]);
  const { bytes: database, collections } = await dumpDatabase(world.uri);
  const links = {
    'one-time link': secretPath.split('/').at(-1) ?? '',
    'connect link': connectPath.split('/').at(-1) ?? '',
  };
  const secrets: Secrets = {
    ...SECRETS,
    "the caller's token": helpdesk.token,
    'bot token': tokens.bot,
    'app token': tokens.app,
    'signing secret': signingSecret,
    'encryption key': Buffer.alloc(32, 7).toString('base64'),
  };

  // Each sink holds what it should, so that an empty one cannot pass for a clean one.
  expect(app.output()).toContain('Outbound: answered');
  expect(collections).toEqual(
    expect.arrayContaining(['credentials', 'payloads', 'executions', 'outbox', 'audit_events']),
  );
  expect(database.includes(ticket.body.id)).toBe(true);
  expect(slack).toContain('Mail marker 4713');
  expect(answers).toContain('[redacted]');
  expect(leaksIn(`x${Buffer.from(`y${API_KEY}`).toString('base64')}`, secrets)).not.toEqual([]);

  expect(leaksIn(app.output(), { ...secrets, ...links })).toEqual([]);
  expect(leaksIn(database, { ...secrets, ...links })).toEqual([]);
  expect(leaksIn(slack, secrets)).toEqual([]);
  expect(leaksIn(answers, secrets)).toEqual([]);
  // Arguments and results are kept encrypted.
  for (const marker of ['Printer marker 4711', 'Echo marker 4712', 'Mail marker 4713']) {
    expect({ marker, stored: database.includes(marker) }).toEqual({ marker, stored: false });
  }
}, 60_000);
