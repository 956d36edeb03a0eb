/**
 * An MCP server behind OAuth (specification 2025-11-25): the reference server, guarded, with a certified authorization
 * server that nobody here told our app about. It finds the way by itself, registers, and a person signs in.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument, CredentialDocument, PolicyRule } from '../../models/types.js';
import { freePort } from '../../playground/free-port.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import { Visitor, wordsOf } from '../../playground/visitor.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';
import { dumpDatabase, leaksIn } from '../harness/canary.js';
import { type GuardedMcp, startGuardedMcp } from '../harness/guarded-mcp.js';
import { connect, credentialStep, linkIn, openCredentialStep } from '../harness/newcomer.js';
import { type OidcServer, startOidcServer } from '../harness/oidc-server.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const READ = 'tools:read';
const CALL = 'tools:call';

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let oidc: OidcServer;
let mcp: GuardedMcp;
let app: AppProcess;
let ada: Person;
let redirectUri: string;
let token: string;
let callerId: string;
let key = '';
const shown: string[] = [];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  const port = await freePort();
  redirectUri = `http://127.0.0.1:${port}/oauth/callback`;
  oidc = await startOidcServer({
    path: '/realms/mcp',
    redirectUri,
    scopes: [READ, CALL],
    registration: true,
    rfc8414: true,
    resource: () => mcp.url,
  });
  mcp = await startGuardedMcp({ oidc, scopes: [READ, CALL] });
  world.allowPrivate.push(oidc.host, mcp.host);
  services = await world.services();
  const made = await services.services.callers.create(ADA, {
    name: 'Clerk',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
  app = await world.start({ PORT: String(port) });
  ada = person(world.slack, 'U0ADA', { patienceMs: 15_000 });
});

afterAll(async () => {
  await services?.close();
  await world?.close();
  await mcp?.close();
  await oidc?.close();
});

async function add(purpose: string, fits: RegExp): Promise<View> {
  await ada.command('/connections add');
  await ada.waitForView(/Add a connection/);
  await ada.fill({ Connector: 'MCP server' });
  await ada.waitForView(/Streamable HTTP/);
  await ada.submit({
    Identity: 'Shared',
    'How it signs in': 'Sign in (OAuth 2)',
    Purpose: purpose,
    'Business owner': 'U0DANA',
    Address: mcp.url,
  });
  return ada.waitForView(fits);
}

async function connection(): Promise<ConnectionDocument> {
  const found = await services.services.connections.find(key);
  if (!found) throw new Error('there is no connection');
  return found;
}

async function credential(): Promise<CredentialDocument> {
  const found = await services.services.credentials.find((await connection())._id);
  if (!found) throw new Error('there is no credential');
  return found;
}
const tokens = async () => services.services.credentials.open(await credential());

async function ask(): Promise<Answer> {
  const answer = await call(app.origin, token, '/v1/executions', {
    connection: key,
    function: 'echo',
    arguments: { message: 'still here' },
    wait: 30,
  });
  shown.push(JSON.stringify(answer.body));
  return answer;
}

async function reconnect(without: readonly string[] = []): Promise<string> {
  const view = await credentialStep(ada, key, /\/oauth\/start\//);
  const start = await new Visitor().open(linkIn(view));
  expect(wordsOf(start)).toMatch(new RegExp(`${oidc.host} will ask you to allow\\s+${READ}\\s+${CALL}\\s`));
  const { done, html } = await connect(ada, linkIn(view), { account: 'wiki@siesta.example', without });
  shown.push(html);
  return done;
}

describe('an MCP server behind OAuth', () => {
  it('is not added when it points to somebody else’s sign-in; what was typed stays', async () => {
    const body = { resource: 'https://mcp.other.example/mcp', authorization_servers: [oidc.issuer] };
    mcp.faults.metadata = { status: 200, body };
    const view = await add('Agents look things up', /which is another server/);
    mcp.faults.metadata = undefined;
    expect(ada.text(view)).toContain('Choose another way to sign in');
    expect(JSON.stringify(view)).toContain('Agents look things up');
    await ada.close(true);
    expect(oidc.registrations).toEqual([]);
  });

  it('is not followed to a private address', async () => {
    const body = { resource: mcp.url, authorization_servers: ['https://169.254.169.254/latest'] };
    mcp.faults.metadata = { status: 200, body };
    expect(ada.text(await add('Agents look things up', /169\.254\.169\.254/))).toContain('not called');
    mcp.faults.metadata = undefined;
    await ada.close(true);
  });

  it('says where people sign in, and we register there by ourselves', async () => {
    const done = ada.text(await add('Agents look things up', /is there as a draft/));
    key = /key `([a-z0-9-]+)`/.exec(done)?.[1] ?? '';
    expect(done).not.toContain('OAuth client');
    expect(done).toContain(oidc.host);
    await ada.close(true);
    expect(oidc.registrations).toEqual([
      {
        client_id: expect.any(String),
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ]);
  });

  it('is signed in to by its owner, for this server alone, and then says what it offers', async () => {
    expect(await reconnect()).toContain('is connected as');
    expect(await oidc.audienceOf((await tokens()).access_token ?? '')).toBe(mcp.url);
    await ada.command(`/connections show ${key}`);
    await ada.waitForView(/Readiness/);
    await ada.click('modal', 'Read functions again');
    await ada.waitForView(/offers \d+ functions/);
    expect(await ada.submit({ 'Functions that are on from now on': ['echo'] })).toBeNull();
    await ada.waitForView(/functions are saved/);
    await ada.close(true);
    const rule: PolicyRule = {
      id: 'rule_all',
      functions: null,
      risks: null,
      effect: 'allow',
      approvers: { users: [], usergroups: [], connectionOwner: false },
      quorum: 1,
      expiresInMinutes: 60,
      route: null,
    };
    const allowed = await services.services.connections.setPolicy(ADA, await connection(), [rule]);
    await services.services.connections.setAccess(ADA, allowed, [{ callerId, functions: null }]);
    expect((await ask()).body).toMatchObject({ status: 'succeeded' });
    expect(shown.at(-1)).toContain('still here');
  });

  it('is given a fresh token when the old one has run out, for this server again', async () => {
    const before = await tokens();
    const { models, workspaceId } = services.deps;
    const { _id } = await credential();
    await models.credentials.updateOne({ _id, workspaceId }, { $set: { expiresAt: new Date(0) } });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ body }) => body.status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const after = await tokens();
    expect(await oidc.canRefresh(before.refresh_token ?? '')).toBe(false);
    expect(await oidc.audienceOf(after.access_token ?? '')).toBe(mcp.url);
    expect(oidc.tokenRequests.filter(({ grant }) => grant === 'refresh_token')).toEqual([
      { grant: 'refresh_token', status: 200 },
    ]);
  });

  it('refuses what she did not allow, and nothing is called', async () => {
    expect(await reconnect([CALL])).toContain('is connected as');
    const { body } = await ask();
    expect(body).toMatchObject({
      status: 'failed',
      error: { code: expect.stringMatching(/forbidden|scope/) },
    });
    expect(mcp.asked.at(-1)?.status).toBe(403);
    expect(await reconnect()).toContain('is connected as');
    expect((await ask()).body.status).toBe('succeeded');
    expect(oidc.registrations).toHaveLength(1);
  });

  it('registers again where the server does not know our client any more', async () => {
    const { models, workspaceId } = services.deps;
    const { _id } = await credential();
    await models.credentials.updateOne({ _id, workspaceId }, { $set: { expiresAt: new Date(0) } });
    oidc.faults.instead = { status: 401, body: { error: 'invalid_client' } };
    const failed = await ask().finally(() => {
      oidc.faults.instead = undefined;
    });
    expect(failed.body.error.code).toBe('needs_reauth');
    expect(await reconnect()).toContain('is connected as');
    expect(oidc.registrations).toHaveLength(2);
    expect((await ask()).body.status).toBe('succeeded');
  });

  it('registers again when an admin says so', async () => {
    await openCredentialStep(ada, key, /Register again/);
    await ada.click('modal', 'Register again');
    await until(() => oidc.registrations.length === 3, 8_000, app.output);
    await ada.close(true);
    expect(await reconnect()).toContain('is connected as');
    expect(oidc.registrations).toHaveLength(3);
    expect((await ask()).body.status).toBe('succeeded');
  });

  it('is not moved to another address: the sign-in is this one’s', async () => {
    const before = await connection();
    const moved = { ...before.config, url: 'https://mcp.other.example/mcp' } as typeof before.config;
    const change = services.services.connections.update(ADA, before, { config: moved as never });
    await expect(change).rejects.toMatchObject({ path: '/config/url' });
    expect((await ask()).body.status).toBe('succeeded');
  });

  it('takes a client that an admin enters, without a secret too, where nobody may register', async () => {
    const { serverSignIn, connections } = services.services;
    const connector = await services.deps.connector('mcp');
    const { sign_in: found, ...config } = await serverSignIn.find(connector, 'oauth', { url: mcp.url });
    const closed = { ...config, sign_in: { ...(found as object), register: `${oidc.issuer}/nowhere` } };
    const made = await connections.create(ADA, {
      connector: 'mcp',
      identity: 'shared',
      name: 'Closed wiki',
      purpose: 'Clerks look things up',
      ownerId: 'U0ADA',
      businessOwnerId: 'U0DANA',
      auth: 'oauth',
      config: closed,
    });
    const first = key;
    key = made.key;
    expect(await serverSignIn.client(ADA, made)).toBeNull();
    const registered = await fetch(`${oidc.issuer}/reg`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      }),
    });
    const { client_id } = (await registered.json()) as { client_id: string };
    const view = await credentialStep(ada, key, /\/secrets\//);
    const browser = new Visitor();
    const form = await browser.open(linkIn(view, 'secrets'));
    expect(wordsOf(form)).toContain('Left empty for a public client');
    expect((await browser.submit(form, { client_id, client_secret: '' })).status).toBe(200);
    expect(await reconnect()).toContain('is connected as');
    expect(await oidc.audienceOf((await tokens()).access_token ?? '')).toBe(mcp.url);
    key = first;
  });

  it('is not reconnected by somebody who is no admin: nobody can tell whose account it then is', async () => {
    const mine = await connection();
    await services.services.connections.update(ADA, mine, { ownerId: 'U0BEN' });
    const link = await services.services.links.create({
      purpose: 'oauth',
      userId: 'U0BEN',
      connectionId: mine._id,
    });
    const before = await tokens();
    const ben = person(world.slack, 'U0BEN', { patienceMs: 15_000 });
    const view = await credentialStep(ben, key, /an admin has to connect it again/);
    expect(JSON.stringify(view)).not.toContain('http');
    const here = link.replace(/^http:\/\/[^/]+/, app.origin);
    expect(wordsOf(await new Visitor().open(here))).toContain('an admin has to connect it again');
    expect(await tokens()).toEqual(before);
  });

  it('gets its token back when the connection is removed', async () => {
    // Whose account it is nobody can tell, of either: that does not make them the same.
    const secret = await tokens();
    await ada.command(`/connections remove ${key}`);
    await ada.waitForView(/to remove it/);
    await ada.submit({ [`Type the key “${key}” to remove it`]: key });
    await until(async () => !(await oidc.canRefresh(secret.refresh_token ?? '')), 8_000, app.output);
    expect(await oidc.scopesOf(secret.access_token ?? '')).toBeNull();
  });

  it('leaves no token or client secret in pages, DMs, answers, logs or the database', async () => {
    const secrets = Object.fromEntries([...oidc.issued].map((secret, index) => [`issued ${index}`, secret]));
    expect(Object.keys(secrets).length).toBeGreaterThan(6);
    const { bytes } = await dumpDatabase(world.uri);
    for (const sink of [app.output(), JSON.stringify(ada.dm()), shown.join('\n'), bytes])
      expect(leaksIn(sink, secrets)).toEqual([]);
    expect(world.slack.workspace.violations).toEqual([]);
  });
});
