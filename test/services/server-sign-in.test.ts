/** Asking a server where people sign in: what it may send us to. */
import { expect, it } from 'vitest';
import { mcpConnector } from '../../src/connectors/mcp/index.js';
import { upstreamResponse } from '../../src/net/response.js';
import type { Outbound } from '../../src/net/safe-fetch.js';
import { RestImportService } from '../../src/services/rest-import.js';
import { ServerSignInService } from '../../src/services/server-sign-in.js';

const OUTSIDE = 'https://mcp.example.com/mcp';
const INSIDE = 'http://jenkins.corp.example:8080';

/** The operator lets admins reach `INSIDE`. */
function asking(challenge: string, metadata: object) {
  const asked: string[] = [];
  const outbound: Outbound = {
    send: async ({ url, method }) => {
      asked.push(url);
      const headers = { 'content-type': 'application/json', 'www-authenticate': challenge };
      const status = method === 'POST' ? 401 : 200;
      return upstreamResponse(status, headers, Buffer.from(JSON.stringify(metadata)));
    },
    mayBePrivate: (url) => url.origin === INSIDE,
    close: async () => {},
  };
  const deps = {
    outbound,
    clock: { now: () => new Date() } as never,
    publicUrl: 'https://siesta.example.com',
    log: {} as never,
    connector: {} as never,
  };
  const parts = { restImport: new RestImportService({ outbound }) } as never;
  const service = new ServerSignInService(deps, parts);
  return { asked, find: (url: string) => service.find(mcpConnector, 'oauth', { url }) };
}

const refused = {
  code: 'forbidden_upstream',
  message: expect.stringContaining('a server outside may not send us to an address inside'),
};

it('is not sent from outside to what the operator allows on the inside', async () => {
  const { asked, find } = asking(`Bearer resource_metadata="${INSIDE}/job/x/build"`, {});
  await expect(find(OUTSIDE)).rejects.toMatchObject(refused);
  expect(asked).toEqual([OUTSIDE]);
});

it('nor are credentials: an endpoint inside is refused before anything is kept', async () => {
  const issuer = 'https://login.example.com';
  const { find } = asking('Bearer', {
    resource: OUTSIDE,
    authorization_servers: [issuer],
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${INSIDE}/token`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  });
  await expect(find(OUTSIDE)).rejects.toMatchObject(refused);
});

it('a server inside may name another address inside', async () => {
  const { find } = asking('Bearer', {
    resource: `${INSIDE}/mcp`,
    authorization_servers: [INSIDE],
    issuer: INSIDE,
    authorization_endpoint: `${INSIDE}/auth`,
    token_endpoint: `${INSIDE}/token`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  });
  expect(await find(`${INSIDE}/mcp`)).toMatchObject({ sign_in: { token: `${INSIDE}/token` } });
});

it('says which setting is wrong before it asks anybody', async () => {
  const { asked, find } = asking('Bearer', {});
  await expect(find('not an address')).rejects.toMatchObject({
    code: 'invalid_arguments',
    path: '/config/url',
  });
  expect(asked).toEqual([]);
});

it('keeps a client whose end is past already as one without an end: it would be registered at every step', async () => {
  const stored: unknown[] = [];
  const registered = {
    clientId: 'fake-client',
    clientSecret: 'fake-secret-canary',
    registeredUntil: new Date(2_592_000_000),
  };
  const method = { id: 'oauth', kind: 'oauth', register: async () => registered };
  const deps = { clock: { now: () => new Date() }, connector: async () => ({ auth: [method] }) } as never;
  const parts = {
    apps: {
      provider: () => ({ issuer: 'https://login.example.com' }),
      app: async () => null,
      id: () => 'oauth_app:con_1',
    },
    connections: { find: async () => ({ status: 'draft' }) },
    credentials: { store: async (credential: unknown) => stored.push(credential) },
    audit: { change: async (_: unknown, work: (session: never) => Promise<void>) => work(null as never) },
  } as never;
  const connection = { _id: 'con_1', auth: 'oauth', config: {} } as never;
  const app = await new ServerSignInService(deps, parts).client({ kind: 'system', id: 'test' }, connection);
  expect(app).toMatchObject({ clientId: 'fake-client', registeredUntil: null });
  expect(stored).toEqual([
    expect.objectContaining({ fields: expect.objectContaining({ registered_until: '' }) }),
  ]);
});
