/**
 * REST connections that bring an OAuth server along, a certified one: people who sign in there, and an app that acts as
 * itself. Two processes of the real app, one token between them.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import { freePort } from '../../playground/free-port.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import { type Page, Visitor, wordsOf } from '../../playground/visitor.js';
import type { JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';
import { dumpDatabase, leaksIn } from '../harness/canary.js';
import { type GuardedApi, startGuardedApi } from '../harness/guarded-api.js';
import { connect, credentialStep, linkIn } from '../harness/newcomer.js';
import { type OidcClient, type OidcServer, startOidcServer } from '../harness/oidc-server.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const READ = 'orders:read';
const STOCK = 'stock:read';
const WRONG = 'fake-wrong-secret-canary-2044';

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let oidc: OidcServer;
let api: GuardedApi;
let apps: readonly [AppProcess, AppProcess];
let token: string;
let callerId: string;
const shown: string[] = [];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const port = await freePort();
  // As Keycloak has it: an issuer, and everything else, below the origin.
  oidc = await startOidcServer({
    path: '/realms/shop',
    redirectUri: `http://127.0.0.1:${port}/oauth/callback`,
    scopes: [READ, STOCK],
  });
  api = await startGuardedApi(oidc.scopesOf, [
    { route: 'GET /v1/orders', scope: READ, body: { orders: [{ id: 7 }] } },
    { route: 'GET /v1/stock', scope: STOCK, body: { stock: [] } },
  ]);
  const made = await services.services.callers.create(ADA, {
    name: 'Clerk',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
  const env = { OUTBOUND_ALLOW_PRIVATE: `${oidc.host},${api.host}` };
  apps = [await world.start({ ...env, PORT: String(port) }), await world.start(env)];
});

afterAll(async () => {
  await services.close();
  await world.close();
  await api.close();
  await oidc.close();
});

const ada = (): Person => person(world.slack, 'U0ADA', { patienceMs: 8_000, via: 0 });

async function shop(
  name: string,
  auth: 'oauth' | 'client_credentials',
  more: Record<string, JsonValue>,
): Promise<ConnectionDocument> {
  const operation = (operationId: string, scopes: readonly string[]) => ({
    get: { operationId, responses: { 200: { description: 'ok' } }, security: [{ login: scopes }] },
  });
  const imported = await importOpenApi(
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Shop', version: '1' },
      paths: { '/orders': operation('list_orders', [READ]), '/stock': operation('list_stock', [STOCK]) },
      components: {
        securitySchemes: {
          login: {
            type: 'oauth2',
            flows: {
              authorizationCode: {
                authorizationUrl: oidc.endpoint.authorize,
                tokenUrl: oidc.endpoint.token,
                scopes: { [READ]: 'Orders', [STOCK]: 'Stock' },
              },
            },
          },
        },
      },
    }),
  );
  const connection = await services.services.connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name,
    purpose: 'Clerks look orders up',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth,
    config: {
      base_url: `${api.origin}/v1`,
      operations: imported.operations.map((each) => ({ ...each })),
      document_hash: imported.documentHash,
      token_url: oidc.endpoint.token,
      ...more,
    },
    enabledFunctions: ['list_orders'],
  });
  return services.services.connections.setAccess(ADA, connection, [{ callerId, functions: null }]);
}

async function ask(connection: ConnectionDocument, via: 0 | 1 = 0, fn = 'list_orders'): Promise<Answer> {
  const answer = await call(apps[via].origin, token, '/v1/executions', {
    connection: connection.key,
    function: fn,
    arguments: {},
    wait: 30,
  });
  shown.push(JSON.stringify(answer.body));
  return answer;
}

async function enter(link: string, { clientId, clientSecret }: OidcClient): Promise<Page> {
  const browser = new Visitor();
  const form = await browser.open(link);
  const page = await browser.submit(form, { client_id: clientId, client_secret: clientSecret });
  shown.push(form.html, page.html);
  return page;
}

async function credentialOf(connection: ConnectionDocument): Promise<CredentialDocument> {
  const found = await services.services.credentials.find(connection._id);
  if (!found) throw new Error('there is no credential');
  return found;
}

async function expireNow(connection: ConnectionDocument): Promise<void> {
  const { models, workspaceId } = services.deps;
  const { _id } = await credentialOf(connection);
  await models.credentials.updateOne({ _id, workspaceId }, { $set: { expiresAt: new Date(0) } });
}

const health = async ({ _id }: ConnectionDocument) => (await services.services.connections.find(_id))?.health;

async function reconnect(connection: ConnectionDocument): Promise<void> {
  const link = linkIn(await credentialStep(ada(), connection.key));
  const { done, html } = await connect(ada(), link, { account: 'orders@siesta.example' });
  shown.push(html);
  expect(done).toContain('is connected as');
}

const told = ({ key }: ConnectionDocument) =>
  ada()
    .dm()
    .filter((message) => ada().text(message).includes(`*${key}* needs to be connected again`));
const toldBefore = new Map<string, number>();

/** Once since the last time, however many calls; @returns the DM */
async function expectToldOnce(connection: ConnectionDocument): Promise<Message> {
  const before = toldBefore.get(connection._id) ?? 0;
  await until(() => told(connection).length > before, 8_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(told(connection)).toHaveLength(before + 1);
  toldBefore.set(connection._id, before + 1);
  const [dm] = told(connection).slice(-1);
  if (!dm) throw new Error('there is no DM');
  return dm;
}

const granted = () => oidc.tokenRequests.filter(({ grant }) => grant === 'client_credentials');

describe('a person signs in at the connection’s own server', () => {
  let orders: ConnectionDocument;

  it('with a client that an admin enters once, on its own page', async () => {
    orders = await shop('Orders', 'oauth', {
      authorize_url: oidc.endpoint.authorize,
      revoke_url: oidc.endpoint.revoke,
      scopes: `openid ${READ}`,
    });
    const page = await enter(linkIn(await credentialStep(ada(), orders.key), 'secrets'), oidc.client);
    expect(wordsOf(page)).toContain('OAuth client for Orders');
    await reconnect(orders);
    expect((await ask(orders)).body).toMatchObject({
      status: 'succeeded',
      result: { status: 200, body: { orders: [{ id: 7 }] } },
    });
  });

  it('is renewed there, by either process', async () => {
    for (const via of [0, 1] as const) {
      const before = services.services.credentials.open(await credentialOf(orders));
      await expireNow(orders);
      expect((await ask(orders, via)).body.status).toBe('succeeded');
      const after = services.services.credentials.open(await credentialOf(orders));
      expect(await oidc.canRefresh(before.refresh_token ?? '')).toBe(false);
      expect(await oidc.canRefresh(after.refresh_token ?? '')).toBe(true);
    }
  });

  it('ends where its owner sees it when the server says, in words of its own, that it is over', async () => {
    await expireNow(orders);
    oidc.faults.instead = { status: 400, body: { status: 'BAD_REFRESH_TOKEN', message: 'invalid' } };
    const failed = await ask(orders).finally(() => {
      oidc.faults.instead = undefined;
    });
    expect(failed.body.error.code).toBe('needs_reauth');
    await expectToldOnce(orders);
    await reconnect(orders);
    expect((await ask(orders)).body.status).toBe('succeeded');
  });

  it('ends the same way when there never was a refresh token', async () => {
    oidc.faults.refreshable = false;
    await reconnect(orders);
    expect((await ask(orders)).body.status).toBe('succeeded');
    await expireNow(orders);
    const sent = api.requests.length;
    const answers = await Promise.all([ask(orders, 0), ask(orders, 1), ask(orders, 0)]);
    expect(answers.map(({ body }) => body.error?.code)).toEqual(
      Array.from({ length: 3 }, () => 'needs_reauth'),
    );
    expect(api.requests).toHaveLength(sent);
    await expectToldOnce(orders);
    oidc.faults.refreshable = true;
    await reconnect(orders);
  });

  it('takes its tokens and its client along when it is removed', async () => {
    const secret = services.services.credentials.open(await credentialOf(orders));
    await ada().command(`/connections remove ${orders.key}`);
    await ada().waitForView(/to remove it/);
    await ada().submit({ [`Type the key “${orders.key}” to remove it`]: orders.key });
    await until(async () => !(await oidc.canRefresh(secret.refresh_token ?? '')), 8_000, apps[0].output);
    expect(await oidc.scopesOf(secret.access_token ?? '')).toBeNull();
    const { models, workspaceId } = services.deps;
    await until(
      async () =>
        (await models.credentials.countDocuments({
          workspaceId,
          connectionId: { $in: [orders._id, `oauth_app:${orders._id}`] },
        })) === 0,
      5_000,
    );
  });
});

describe('an app acts as itself', () => {
  let stock: ConnectionDocument;

  it('with one token for 30 calls at once in two processes, until it runs out', async () => {
    stock = await shop('Stock', 'client_credentials', { client_auth: 'basic', scopes: READ });
    const page = await enter(linkIn(await credentialStep(ada(), stock.key), 'secrets'), oidc.machine);
    expect(page.status).toBe(200);
    expect(granted()).toEqual([]);
    oidc.faults.lifetime = 64;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => ask(stock, (index % 2) as 0 | 1)),
    );
    expect(answers.map(({ status, body }) => `${status} ${body.status} ${body.detail ?? ''}`.trim())).toEqual(
      Array.from({ length: 30 }, () => '200 succeeded'),
    );
    expect(granted()).toEqual([{ grant: 'client_credentials', status: 200 }]);
    expect(api.requests.filter(({ status }) => status !== 200)).toEqual([]);
    // The minute before the end does not count.
    const { expiresAt } = await credentialOf(stock);
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, (expiresAt?.getTime() ?? 0) - Date.now() - 60_000) + 200),
    );
    oidc.faults.lifetime = 3_600;
    await Promise.all(Array.from({ length: 10 }, (_, index) => ask(stock, (index % 2) as 0 | 1)));
    expect(granted()).toHaveLength(2);
    expect(await health(stock)).toBe('ok');
  });

  it('and says as which', async () => {
    await ada().command(`/connections show ${stock.key}`);
    await ada().waitForView(new RegExp(`acts as.*${oidc.machine.clientId}`, 'is'));
    await ada().close(true);
  });

  it('with a new token as soon as an admin has changed what is asked for', async () => {
    const current = (await services.services.connections.find(stock._id)) ?? stock;
    await services.services.connections.update(ADA, current, {
      config: { ...(current.config as Record<string, JsonValue>), scopes: `${READ} ${STOCK}` },
      enabledFunctions: ['list_orders', 'list_stock'],
    });
    const before = granted().length;
    expect((await ask(stock, 0, 'list_stock')).body.status).toBe('succeeded');
    expect((await ask(stock, 1, 'list_orders')).body.status).toBe('succeeded');
    expect(granted()).toHaveLength(before + 1);
  });

  it('not with a wrong secret: its owner is told once, and the right one mends it', async () => {
    await enter(linkIn(await credentialStep(ada(), stock.key), 'secrets'), {
      ...oidc.machine,
      clientSecret: WRONG,
    });
    const sent = api.requests.length;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ask(stock, (index % 2) as 0 | 1)),
    );
    expect(answers.map(({ body }) => body.error?.code)).toEqual(
      Array.from({ length: 10 }, () => 'needs_reauth'),
    );
    expect(granted().filter(({ status }) => status !== 200)).toHaveLength(1);
    expect(api.requests).toHaveLength(sent);
    expect((await credentialOf(stock)).status).toBe('needs_reauth');
    expect(await health(stock)).toBe('needs_reauth');
    const dm = await expectToldOnce(stock);
    await ada().click(dm, 'Reconnect');
    const view = await ada().waitForView((modal) => JSON.stringify(modal).includes('/secrets/'));
    await ada().close(true);
    await enter(linkIn(view, 'secrets'), oidc.machine);
    expect((await ask(stock, 1)).body.status).toBe('succeeded');
    expect(await health(stock)).toBe('ok');
  });

  it('and waits for a server that is down, then goes on by itself', async () => {
    await expireNow(stock);
    oidc.faults.instead = { status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' };
    const failed = await ask(stock, 0).finally(() => {
      oidc.faults.instead = undefined;
    });
    expect(failed.body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_unavailable', retry_after: expect.any(Number) },
    });
    expect(await health(stock)).toBe('temporarily_failing');
    expect((await credentialOf(stock)).status).toBe('active');
    const early = await ask(stock, 1);
    expect(early.body.error).toMatchObject({ code: 'upstream_unavailable' });
    expect(oidc.tokenRequests.filter(({ status }) => status === 502)).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, early.body.error.retry_after * 1_000));
    expect((await ask(stock, 1)).body.status).toBe('succeeded');
    expect(await health(stock)).toBe('ok');
  });
});

it('no token or client secret is in pages, DMs, answers, logs or the database', async () => {
  const secrets = Object.fromEntries([...oidc.issued].map((secret, index) => [`issued ${index}`, secret]));
  expect(Object.keys(secrets).length).toBeGreaterThan(8);
  const clients = { client: oidc.client.clientSecret, machine: oidc.machine.clientSecret, wrong: WRONG };
  const dms = JSON.stringify(ada().dm());
  const { bytes } = await dumpDatabase(world.uri);
  for (const sink of [...apps.map((app) => app.output()), dms, shown.join('\n'), bytes])
    expect(leaksIn(sink, { ...secrets, ...clients })).toEqual([]);
});
