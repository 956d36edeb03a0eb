/** How a REST connection signs in: what the document says about it, and what becomes of that. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { createOutbound, type Outbound } from '../../src/net/safe-fetch.js';
import { RestImportService } from '../../src/services/rest-import.js';

const ok = { 200: { description: 'ok' } };
const login = 'https://login.example.com';
const oauth2 = {
  type: 'oauth2',
  flows: {
    authorizationCode: {
      authorizationUrl: `${login}/authorize`,
      tokenUrl: `${login}/token`,
      scopes: { 'orders:read': 'Read orders', 'orders:write': 'Write orders' },
    },
    clientCredentials: { tokenUrl: '/token', scopes: { 'orders:read': 'Read orders' } },
  },
};

function shop(securitySchemes: object, security: object = {}): string {
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Shop', version: '2' },
    servers: [{ url: 'https://shop.example.com/v1' }],
    paths: {
      '/orders': {
        get: { operationId: 'listOrders', responses: ok, ...security },
        post: { operationId: 'createOrder', responses: ok },
      },
    },
    components: { securitySchemes },
  });
}

const config = (more: Record<string, JsonValue>): Record<string, JsonValue> => ({
  base_url: 'https://shop.example.com/v1',
  operations: [],
  ...more,
});

function method(id: string) {
  const found = restConnector.auth.find((each) => each.id === id);
  if (!found) throw new Error(`no auth method ${id}`);
  return found;
}

describe('what a document says about signing in', () => {
  it('becomes auth methods with their addresses and scopes', async () => {
    const { authentication } = await importOpenApi(
      shop({ oauth2, basic: { type: 'http', scheme: 'Basic' } }),
    );
    expect(authentication).toEqual([
      {
        method: 'oauth',
        authorizeUrl: `${login}/authorize`,
        tokenUrl: `${login}/token`,
        scopes: ['orders:read', 'orders:write'],
      },
      { method: 'client_credentials', tokenUrl: '/token', scopes: ['orders:read'] },
      { method: 'basic' },
    ]);
  });

  it('is a bearer token where its flow is not one of ours', async () => {
    const implicit = {
      type: 'oauth2',
      flows: { implicit: { authorizationUrl: `${login}/authorize`, scopes: {} } },
    };
    const { authentication } = await importOpenApi(shop({ implicit }));
    expect(authentication).toEqual([{ method: 'bearer' }]);
  });

  it('names the scopes of each operation, its own before those of the whole document', async () => {
    const document = JSON.parse(shop({ oauth2 }, { security: [{}, { oauth2: ['orders:read'] }] }));
    document.security = [{ oauth2: ['orders:write', 'bad scope'] }];
    const { operations } = await importOpenApi(JSON.stringify(document));
    expect(operations.map(({ name, scopes }) => [name, scopes])).toEqual([
      ['list_orders', ['orders:read']],
      ['create_order', ['orders:write']],
    ]);
    const picked = config({ operations: JSON.parse(JSON.stringify(operations)) });
    expect(restConnector.functions(picked).flatMap(({ scopes }) => scopes)).toEqual([]);
    const oauth = method('oauth');
    if (oauth.kind !== 'oauth') throw new Error('no OAuth');
    expect(oauth.configScopes?.(picked)).toEqual(['orders:read', 'orders:write']);
    expect(oauth.configScopes?.({ ...picked, scopes: ' a:b  c ' })).toEqual(['a:b', 'c']);
  });
});

describe('signing in with an OAuth server of the connection’s own', () => {
  const settings = { authorize_url: `${login}/authorize`, token_url: `${login}/token` };

  it('takes its endpoints and habits from the settings', () => {
    const oauth = method('oauth');
    const provider = oauth.kind === 'oauth' ? oauth.provider : undefined;
    if (oauth.kind !== 'oauth' || typeof provider !== 'function') throw new Error('no OAuth');
    expect(provider(config(settings))).toMatchObject({
      id: 'connection',
      title: 'login.example.com',
      issuer: login,
      authorize: `${login}/authorize`,
      token: `${login}/token`,
      revoke: null,
      pkce: true,
      clientAuth: 'post',
    });
    expect(
      provider(config({ ...settings, revoke_url: `${login}/revoke`, pkce: 'off', client_auth: 'basic' })),
    ).toMatchObject({ revoke: `${login}/revoke`, pkce: false, clientAuth: 'basic' });
    expect(() => provider(config({ token_url: `${login}/token` }))).toThrow('authorization URL');
  });

  it('asks for a token with client credentials, for the scopes of the settings', () => {
    const minted = method('client_credentials');
    if (minted.kind !== 'minted') throw new Error('not minted');
    const secret = { client_id: 'fake-client', client_secret: 'fake-secret-canary-1' };
    const values = config({ token_url: `${login}/token`, scopes: 'b', client_auth: 'basic' });
    const mint = minted.mint(secret, values, ['a'], (_, otherwise) => otherwise);
    expect(mint).toEqual({
      grant: 'client_credentials',
      token: `${login}/token`,
      clientId: 'fake-client',
      clientSecret: 'fake-secret-canary-1',
      clientAuth: 'basic',
      scopes: ['b'],
    });
    expect(minted.accountOf?.(secret, values)).toBe('fake-client');
    expect(() => minted.mint(secret, config({}), [], (_, otherwise) => otherwise)).toThrow('token URL');
  });

  it('reaches no other host than that of the API', () => {
    const rules = restConnector.egress(config(settings), '');
    expect(rules).toEqual([{ origin: 'https://shop.example.com', pathPrefix: '/v1/' }]);
  });

  it('is for members too; client credentials and no sign-in are not', () => {
    expect(restConnector.identities).toEqual(['shared', 'private']);
    const onlyShared = restConnector.auth.filter(({ identities }) => identities !== undefined);
    expect(onlyShared.map(({ id, identities }) => [id, identities])).toEqual([
      ['client_credentials', ['shared']],
      ['none', ['shared']],
    ]);
  });

  it.each([
    ['authorize_url', 'javascript:alert(1)'],
    ['authorize_url', 'https://fake-user:fake-password@login.example.com'],
    ['token_url', 'login.example.com'],
    ['token_url', 'https://login.example.com/token#x'],
    ['scopes', 'a "b"'],
    ['scopes', 'a\nb'],
    ['client_auth', 'none'],
    ['document_url', 'file:///etc/hostname'],
  ])('refuses %s = %j', (name, value) => {
    expect(restConnector.config.safeParse(config({ [name]: value })).success).toBe(false);
  });
});

describe('reading a document for a connection', () => {
  let outbound: Outbound;
  let served: { url: string; close(): void };
  let service: RestImportService;

  beforeAll(async () => {
    const server = createServer((_, response) => response.end(shop({ oauth2 })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    served = { url: `http://127.0.0.1:${port}/openapi.json`, close: () => void server.close() };
    outbound = createOutbound({ allowPrivate: [`127.0.0.1:${port}`] });
    service = new RestImportService({ outbound });
  });
  afterAll(async () => {
    await outbound.close();
    served.close();
  });

  it('fills in what the form left empty, and remembers the address', async () => {
    const { config: filled, remarks } = await service.read(served.url, 'oauth', { pkce: 'off' });
    expect(filled).toMatchObject({
      authorize_url: `${login}/authorize`,
      token_url: `${login}/token`,
      scopes: 'orders:read orders:write',
      pkce: 'off',
      document_url: served.url,
    });
    expect(remarks).toEqual([expect.stringContaining('orders:read orders:write')]);
    expect(restConnector.config.safeParse(filled).success).toBe(true);
    const relative = await service.read(served.url, 'client_credentials', {});
    expect(relative.config.token_url).toBe(new URL('/token', served.url).href);
  });

  it('asks for the scopes of what is picked where operations name theirs, and only with OAuth', async () => {
    const text = shop({ oauth2 }, { security: [{ oauth2: ['orders:read'] }] });
    const signedIn = await service.read(text, 'oauth', {});
    expect(signedIn.config).not.toHaveProperty('scopes');
    expect(signedIn.config).not.toHaveProperty('document_url');
    expect(signedIn.operations[0]?.scopes).toEqual(['orders:read']);
    const keyed = await service.read(text, 'api_key', {});
    expect(keyed.operations[0]).not.toHaveProperty('scopes');
  });

  it('lets what was typed win', async () => {
    const typed = { token_url: 'https://other.example.com/token', scopes: 'mine' };
    const { config: filled } = await service.read(shop({ oauth2 }), 'oauth', typed);
    expect(filled).toMatchObject({ ...typed, authorize_url: `${login}/authorize` });
  });

  it('says when the document wants another way in', async () => {
    const key = { key: { type: 'apiKey', in: 'header', name: 'X-Shop' } };
    expect((await service.read(shop(key), 'basic', {})).remarks).toEqual([
      expect.stringContaining('with an API key, which is not what you chose'),
    ]);
    expect((await service.read(shop(key), 'api_key', {})).remarks).toEqual([]);
    expect((await service.read(shop({ oauth2 }), 'bearer', {})).remarks).toEqual([]);
  });

  it.each([
    ['oauth', {}, '/authorize_url'],
    ['client_credentials', {}, '/token_url'],
    ['oauth', { authorize_url: 'http://login.example.com/a', token_url: `${login}/token` }, '/authorize_url'],
    ['oauth', { authorize_url: `${login}/a`, token_url: 'http://169.254.169.254/token' }, '/token_url'],
  ])('refuses %s with %j', async (auth, typed, path) => {
    const reading = service.read(shop({}), auth, typed);
    await expect(reading).rejects.toMatchObject({ code: 'invalid_arguments', path });
  });
});
