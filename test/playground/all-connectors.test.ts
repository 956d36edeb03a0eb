/**
 * Every connector of the catalogue in the playground: its form works to the function picker, and those with something
 * to call are called, from the form to the result, through the real app.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type AzureStorage,
  type McpServer,
  startAzureStorage,
  startMcpServer,
} from '../../playground/development-services.js';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import { type Person, person } from '../../playground/slack/person.js';
import { listOf, stringOf, type View } from '../../playground/slack/protocol.js';
import { Visitor } from '../../playground/visitor.js';
import { catalogue, loadConnector } from '../../src/connectors/catalogue.js';
import type { ConnectorDefinition } from '../../src/connectors/framework.js';
import { type Answer, type AppProcess, call, createWorld, type World } from '../harness/app-process.js';
import { freePorts } from '../harness/free-ports.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const PATIENCE_MS = 20_000;

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let google: Google;
let azure: AzureStorage;
let mcp: McpServer;
let app: AppProcess;
let ada: Person;
let cleo: Person;
let token: string;
let callerId: string;

function there<T>(service: T | null): T {
  if (service === null) throw new Error('a development dependency is not installed');
  return service;
}

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const port = await freePorts();
  google = await startGoogle({ port: 0, publicUrl: `http://127.0.0.1:${port}` });
  azure = there(await startAzureStorage(0));
  mcp = there(await startMcpServer(0));
  world.allowPrivate.push(...[google, azure, mcp].map(({ origin }) => new URL(origin).host));
  app = await world.start({
    PORT: String(port),
    CONNECTOR_ENDPOINTS: JSON.stringify({ google: google.origin }),
  });
  ada = person(world.slack, 'U0ADA', { patienceMs: PATIENCE_MS });
  cleo = person(world.slack, 'U0CLEO', { patienceMs: PATIENCE_MS });
  const made = await services.services.callers.create(ADA, {
    name: 'Assistant',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
});

afterAll(async () => {
  await services?.close();
  await world?.close();
  await Promise.all([google, azure, mcp].map((service) => service?.close()));
});

interface Sample {
  readonly auth?: string;
  /** Left out: the first that fits. */
  readonly identity?: string;
  /** By names of fields. */
  readonly values?: Readonly<Record<string, string>>;
}

/** What a form needs before it can be sent; the others need nothing. */
const samples = (): Readonly<Record<string, Sample>> => ({
  jira: { values: { site: 'https://example.atlassian.net' } },
  azure_storage: { auth: 'connection_string', values: { account_url: azure.accountUrl } },
  google_search: { auth: 'api_key', values: { backend: 'custom_search', cx: 'example' } },
  rest: { auth: 'api_key', values: { openapi: world.helpdesk.openapiUrl, base_url: world.helpdesk.origin } },
  mcp: { auth: 'none', values: { url: mcp.url } },
});

async function openForm({ title, description }: ConnectorDefinition): Promise<void> {
  await ada.command('/connections add');
  await ada.waitForView(/Add a connection/);
  await ada.fill({ Connector: title });
  await ada.waitForView(
    (view) => ada.text(view).includes(description) && ada.text(view).includes('How it signs in'),
  );
}

/** The options of a menu of the view, as they are offered. */
function offered(view: View, blockId: string): string[] {
  const element = view.blocks.find((block) => block.block_id === blockId)?.element as Record<string, unknown>;
  const groups = listOf(element.option_groups);
  const options =
    groups.length > 0 ? groups.flatMap((group) => listOf(group.options)) : listOf(element.options);
  return options.map((option) => stringOf(option.value));
}

/** As the picker has them: what reads, what writes, what destroys; in each the order of the catalogue. */
function functionsInOrder(connector: ConnectorDefinition, { auth, values = {} }: Sample): string[] {
  const method = auth ?? connector.auth[0]?.id ?? '';
  const initial = connector.fields.flatMap((field) => (field.initial ? [[field.name, field.initial]] : []));
  const config = connector.config.parse({ ...Object.fromEntries(initial), ...values });
  const all = connector.functions(config).filter((fn) => fn.auth === undefined || fn.auth.includes(method));
  return (['read', 'write', 'destructive'] as const).flatMap((risk) =>
    all.filter((fn) => fn.risk === risk).map(({ name }) => name),
  );
}

/** Fills the form in and sends it. @returns what comes next */
async function sendForm(
  connector: ConnectorDefinition,
  name: string,
  { auth, identity, values = {} }: Sample,
): Promise<View> {
  const method = connector.auth.find(({ id }) => id === auth) ?? connector.auth[0];
  const fitting = (method?.identities ?? connector.identities)[0] ?? 'shared';
  await ada.fill({ [`auth.${connector.id}`]: method?.id ?? '' });
  for (const field of Object.keys(values))
    await ada.waitForView((view) => view.blocks.some(({ block_id: id }) => id === `field.${field}`));
  const errors = await ada.submit({
    [`identity.${connector.id}`]: identity ?? fitting,
    Name: name,
    Purpose: 'Agents help where they are asked to',
    'Business owner': 'U0DANA',
    ...Object.fromEntries(Object.entries(values).map(([field, value]) => [`field.${field}`, value])),
  });
  expect(errors).toBeNull();
  return ada.waitForView((view) => !/How it signs in|Reading the document/.test(ada.text(view)));
}

describe('the add form', () => {
  it('offers every connector, in the order of the catalogue', async () => {
    await ada.command('/connections add');
    const view = await ada.waitForView(/Add a connection/);
    expect(offered(view, 'connector')).toEqual(catalogue.map(({ id }) => id));
    await ada.close(true);
  });

  it.each(catalogue.map(({ id }) => id))('of %s shows its fields and leads to its functions', async (id) => {
    const connector = await loadConnector(id);
    await openForm(connector);
    expect(offered(there(ada.view()), `auth.${id}`)).toEqual(connector.auth.map((method) => method.id));
    for (const method of connector.auth) {
      await ada.fill({ [`auth.${id}`]: method.id });
      const asked = connector.fields.filter(({ auth }) => auth === undefined || auth.includes(method.id));
      await ada.waitForView((view) =>
        asked.every(({ name, label }) =>
          view.blocks.some(
            (block) => block.block_id === `field.${name}` && JSON.stringify(block).includes(label),
          ),
        ),
      );
    }
    const next = await sendForm(connector, `${connector.title} - to look at`, samples()[id] ?? {});
    const text = ada.text(next);
    if (id === 'mcp') expect(text).toContain('is there as a draft');
    else if (id === 'rest') expect(offered(next, 'functions')).toContain('list_tickets');
    else expect(offered(next, 'functions')).toEqual(functionsInOrder(connector, samples()[id] ?? {}));
    await ada.close(true);
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});

/** The key of the connection that was just added; the caller may use it from now on. */
async function givenAccess(done: View): Promise<string> {
  const key = /key `([a-z0-9-]+)`/.exec(ada.text(done))?.[1] ?? '';
  const connection = there(await services.services.connections.find(key));
  await services.services.connections.setAccess(ADA, connection, [{ callerId, functions: null }]);
  return key;
}

/** The whole form of `/connections add`, for functions that only read. @returns the last view */
async function add(id: string, functions: readonly string[], more: Sample = {}): Promise<View> {
  const connector = await loadConnector(id);
  await openForm(connector);
  const sample = samples()[id] ?? {};
  const values = { ...sample.values, ...more.values };
  await sendForm(connector, `${connector.title} - to be called`, { ...sample, ...more, values });
  if (functions.length > 0) expect(await ada.submit({ 'Functions to turn on': functions })).toBeNull();
  return ada.waitForView(/is there as a draft/);
}

/** Where the view leads to a page for a secret, it is typed in there. */
async function enterSecret(done: View, fields: Readonly<Record<string, string>>): Promise<void> {
  const link = /http[^"\\]*\/secrets\/[\w-]+/.exec(JSON.stringify(done))?.[0];
  if (link === undefined) return;
  const visitor = new Visitor();
  const stored = await visitor.submit(await visitor.open(link), fields);
  expect(stored.html).toContain('Stored');
}

const ask = (connection: string, name: string, args: object = {}, more: object = {}): Promise<Answer> =>
  call(app.origin, token, '/v1/executions', {
    connection,
    function: name,
    arguments: args,
    wait: 20,
    ...more,
  });

const asCleo = { on_behalf_of: 'cleo@siesta.example' };

/** Cleo follows the invitation in her DM, picks her account at Google and types the code from the DM. */
async function connectCleo(name: string): Promise<void> {
  const invitation = await cleo.waitForMessage(
    (message) => JSON.stringify(message).includes('/oauth/start/') && cleo.text(message).includes(name),
  );
  const link = /http[^"\\]*\/oauth\/start\/[\w-]+/.exec(JSON.stringify(invitation))?.[0] ?? '';
  const browser = new Visitor();
  const accounts = await browser.submit(await browser.open(link));
  const arrived = await browser.submit(accounts, {}, `value="${ACCOUNTS.cleo}"`);
  const dm = await cleo.waitForMessage(/\b\d{3} \d{3}\b/);
  const code = (/\b(\d{3}) (\d{3})\b/.exec(cleo.text(dm)) ?? []).slice(1).join('');
  const allow = /name="allow"[^>]*value="([^"]+)"/.exec(arrived.html)?.[1] ?? '';
  const done = await browser.submit(arrived, { code, allow });
  expect(done.status).toBe(200);
}

/** Adds a private connection of Google, whose first call Cleo lets through. @returns its key and what the call brought */
async function privateGoogle(id: string, functions: readonly string[], args: object) {
  const done = await add(id, functions, { identity: 'private' });
  const key = await givenAccess(done);
  await enterSecret(done, { client_id: google.clientId, client_secret: google.clientSecret });
  await ada.close(true);
  const asked = await ask(key, functions[0] ?? '', args, { ...asCleo, wait: 0 });
  expect(asked.body.status).toBe('pending_authorization');
  await connectCleo((await loadConnector(id)).title);
  const ended = await call(app.origin, token, `/v1/executions/${asked.body.id}?wait=20`);
  return { key, ended };
}

describe('a call', () => {
  it('reads Cleo’s mails', async () => {
    const { ended } = await privateGoogle('gmail', ['search_messages'], {});
    expect(ended.body).toMatchObject({ status: 'succeeded' });
    expect(JSON.stringify(ended.body.result)).toContain('Invoice of March');
  });

  it('reads Cleo’s calendar, guests and all, and says what the stand-in lacks', async () => {
    const { key, ended } = await privateGoogle('google_calendar', ['list_events', 'list_instances'], {});
    expect(ended.body).toMatchObject({ status: 'succeeded' });
    expect(JSON.stringify(ended.body.result)).toMatch(/Answer the long tickets.*Support round.*ben@siesta/);
    const lacking = await ask(key, 'list_instances', { event_id: 'cleothursday' }, asCleo);
    expect(lacking.body).toMatchObject({
      status: 'failed',
      error: {
        code: 'upstream_rejected',
        message: expect.stringContaining(
          "The playground's stand-in for Google has no `GET calendars/events/instances`. With a real Google account it works.",
        ),
      },
    });
  });

  it('finds and reads Cleo’s files', async () => {
    const { key, ended } = await privateGoogle('google_drive', ['search_files', 'read_content'], {
      text: 'refunds',
    });
    expect(ended.body).toMatchObject({
      status: 'succeeded',
      result: { files: [{ id: 'cleo-returns-and-refunds', name: 'Returns and refunds.md' }] },
    });
    const read = await ask(key, 'read_content', { id: 'cleo-returns-and-refunds' }, asCleo);
    expect(read.body).toMatchObject({
      status: 'succeeded',
      result: { text: expect.stringContaining('within 30 days') },
    });
  });

  it('reads a blob', async () => {
    const done = await add('azure_storage', ['list_blobs', 'read_blob']);
    const key = await givenAccess(done);
    await enterSecret(done, { connection_string: azure.connectionString });
    await ada.close(true);
    const listed = await ask(key, 'list_blobs', { container: 'reports' });
    expect(listed.body).toMatchObject({
      status: 'succeeded',
      result: { blobs: [{ name: '2026/october.csv' }, { name: '2026/readme.txt' }] },
    });
    const read = await ask(key, 'read_blob', { container: 'reports', name: '2026/october.csv' });
    expect(read.body).toMatchObject({ result: { text: expect.stringMatching(/^week,tickets,solved\n/) } });
  });

  it('uses a tool of the MCP server', async () => {
    const done = await add('mcp', [], { values: { trusted: 'yes' } });
    const key = await givenAccess(done);
    await ada.click('modal', 'Show the connection');
    await ada.waitForView(/Readiness/);
    await ada.click('modal', 'Read functions again');
    await ada.waitForView(/offers \d+ functions/);
    expect(await ada.submit({ 'Functions that are on from now on': ['echo'] })).toBeNull();
    await ada.waitForView(/functions are saved/);
    await ada.close(true);
    const answered = await ask(key, 'echo', { message: 'siesta' });
    expect(answered.body).toMatchObject({ status: 'succeeded' });
    expect(JSON.stringify(answered.body.result)).toContain('Echo: siesta');
  });

  it('left nothing behind that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
