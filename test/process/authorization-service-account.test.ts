/** A service account's key: entered once on a page, turned into tokens, and shown as whom it acts. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import { type Page, Visitor } from '../../playground/visitor.js';
import { type Answer, type AppProcess, call, createWorld, type World } from '../harness/app-process.js';
import { dumpDatabase, leaksIn } from '../harness/canary.js';
import { credentialStep, linkIn } from '../harness/newcomer.js';
import { SERVICE_ACCOUNT, type ServiceAccounts, startServiceAccounts } from '../harness/service-accounts.js';
import { type Mailbox, startMailbox } from '../harness/sign-in-service.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const READ = 'https://www.googleapis.com/auth/gmail.readonly';

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let accounts: ServiceAccounts;
let mailbox: Mailbox;
let app: AppProcess;
let token: string;
let team: ConnectionDocument;
const shown: string[] = [];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  accounts = await startServiceAccounts();
  mailbox = await startMailbox(accounts);
  const { callers, connections } = services.services;
  const made = await callers.create(ADA, { name: 'Reader', kind: 'agent', ownerId: 'U0ADA', stage: 'test' });
  token = made.token;
  const connection = await connections.create(ADA, {
    connector: 'gmail',
    identity: 'shared',
    name: 'Team mail',
    purpose: 'Agents read mail',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'service_account_key',
    config: {},
    enabledFunctions: ['list_labels'],
  });
  team = await connections.setAccess(ADA, connection, [{ callerId: made.caller._id, functions: null }]);
  app = await world.start({
    CONNECTOR_ENDPOINTS: JSON.stringify({ 'google.token': accounts.token, gmail: mailbox.origin }),
    OUTBOUND_ALLOW_PRIVATE: [accounts.host, new URL(mailbox.origin).host].join(','),
  });
});

afterAll(async () => {
  await services.close();
  await world.close();
  await mailbox.close();
  await accounts.close();
});

const ada = (): Person => person(world.slack, 'U0ADA', { patienceMs: 8_000 });

/** On the page behind the link of the connection's credential step. */
async function enter(keyFile: string): Promise<Page> {
  const view = await credentialStep(ada(), team.key, /\/secrets\//);
  const browser = new Visitor();
  const form = await browser.open(linkIn(view, 'secrets'));
  const page = await browser.submit(form, { service_account_key: keyFile });
  shown.push(form.html, page.html);
  return page;
}

async function listLabels(): Promise<Answer> {
  const request = { connection: team.key, function: 'list_labels', arguments: {}, wait: 20 };
  const answer = await call(app.origin, token, '/v1/executions', request);
  shown.push(JSON.stringify(answer.body));
  return answer;
}

async function expectShownAs(account: string): Promise<void> {
  await ada().command(`/connections show ${team.key}`);
  await ada().waitForView((view) => /acts as/i.test(ada().text(view)) && ada().text(view).includes(account));
  await ada().close(true);
}

async function impersonate(config: Record<string, string>): Promise<void> {
  const current = (await services.services.connections.find(team._id)) ?? team;
  await services.services.connections.update(ADA, current, { config });
}

describe('a service account', () => {
  it('is refused on the page when its key file is none', async () => {
    const page = await enter('{"type": "authorized_user"}');
    expect(page.status).toBe(400);
    expect(page.html).toContain('not the JSON key file of a service account');
    expect(await services.services.credentials.find(team._id)).toBeNull();
  });

  it('proves itself with a signed assertion for just the scopes of its functions', async () => {
    expect((await enter(accounts.keyFile)).status).toBe(200);
    const calls = await Promise.all(Array.from({ length: 8 }, listLabels));
    expect(calls.map(({ body }) => body.status)).toEqual(Array.from({ length: 8 }, () => 'succeeded'));
    expect(accounts.refused).toEqual([]);
    expect(accounts.assertions).toHaveLength(1);
    const [assertion] = accounts.assertions;
    expect(assertion).toMatchObject({ iss: SERVICE_ACCOUNT, scope: READ, kid: 'fake-key-id-1' });
    expect(assertion).not.toHaveProperty('sub');
    expect(mailbox.requests.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    await expectShownAs(SERVICE_ACCOUNT);
  });

  it('stands in for another account from the very next call after that was set', async () => {
    await impersonate({ impersonate: 'support@siesta.example' });
    expect((await listLabels()).body.status).toBe('succeeded');
    expect(accounts.assertions.at(-1)).toMatchObject({ iss: SERVICE_ACCOUNT, sub: 'support@siesta.example' });
    const used = mailbox.requests.at(-1)?.authorization.replace(/^Bearer /, '') ?? '';
    expect(accounts.issued.get(used)).toBe('support@siesta.example');
    await expectShownAs(`support@siesta.example (by ${SERVICE_ACCOUNT})`);
    await impersonate({});
    expect((await listLabels()).body.status).toBe('succeeded');
    const next = mailbox.requests.at(-1)?.authorization.replace(/^Bearer /, '') ?? '';
    expect(accounts.issued.get(next)).toBe(SERVICE_ACCOUNT);
    await expectShownAs(SERVICE_ACCOUNT);
  });

  it('takes no damaged key, and says so on the page', async () => {
    const page = await enter(accounts.damagedKeyFile);
    expect(page.status).toBe(400);
    expect(page.html).toContain('not the JSON key file of a service account');
  });

  it('with a key that is not its own needs its owner, who is told', async () => {
    const before = ada().dm().length;
    expect((await enter(accounts.strangersKeyFile)).status).toBe(200);
    const sent = mailbox.requests.length;
    const calls = await Promise.all([listLabels(), listLabels(), listLabels()]);
    expect(calls.map(({ body }) => body.error?.code)).toEqual(
      Array.from({ length: 3 }, () => 'needs_reauth'),
    );
    expect(mailbox.requests).toHaveLength(sent);
    await ada().waitForMessage(
      (message) =>
        /team-mail.*needs to be connected again/s.test(ada().text(message)) &&
        ada().dm().indexOf(message) >= before,
    );
    await enter(accounts.keyFile);
    expect((await listLabels()).body.status).toBe('succeeded');
  });

  it('leaves neither key nor token in pages, DMs, answers, logs or the database', async () => {
    const tokens = Object.fromEntries(
      [...accounts.issued.keys()].map((secret, index) => [`minted ${index}`, secret]),
    );
    const key = (JSON.parse(accounts.keyFile) as { private_key: string }).private_key;
    const line = key.split('\n')[3] ?? '';
    expect(line).toHaveLength(64);
    const { bytes } = await dumpDatabase(world.uri);
    for (const sink of [app.output(), JSON.stringify(ada().dm()), shown.join('\n'), bytes])
      expect(leaksIn(sink, { ...tokens, 'line of the key': line })).toEqual([]);
  });
});
