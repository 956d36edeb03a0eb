/** How an MCP server says where people sign in, and what of it is not believed (specification 2025-11-25, "Authorization"). */
import { describe, expect, it } from 'vitest';
import type { GuardedFetch, JsonValue } from '../../src/connectors/framework.js';
import { mcpConnector } from '../../src/connectors/mcp/index.js';
import { findSignIn, register, signInProvider } from '../../src/connectors/mcp/sign-in.js';
import { AppError, UpstreamError } from '../../src/errors.js';

const SERVER = 'https://mcp.example.com/team/mcp';
const ISSUER = 'https://login.example.com/realms/staff';
const RESOURCE_METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/team/mcp';
const SERVER_METADATA = 'https://login.example.com/.well-known/oauth-authorization-server/realms/staff';
const REDIRECT = 'https://siesta.example.com/oauth/callback';

const RESOURCE = { resource: SERVER, authorization_servers: [ISSUER], scopes_supported: ['read', 'write'] };
const AUTHORIZATION_SERVER = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  revocation_endpoint: `${ISSUER}/revoke`,
  registration_endpoint: `${ISSUER}/register`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'none'],
  authorization_response_iss_parameter_supported: true,
};

interface Said {
  readonly html?: true;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: object;
}

/** Answers by address; what is not there is 404. */
function web(pages: Readonly<Record<string, Said | Error>>) {
  const asked: { url: string; method: string; body: string }[] = [];
  const send: GuardedFetch = async (given, init) => {
    const url = String(given);
    asked.push({ url, method: init?.method ?? 'GET', body: String(init?.body ?? '') });
    const page = pages[url] ?? { status: 404 };
    if (page instanceof Error) throw page;
    if (page.html) return new Response('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } });
    return Response.json(page.body ?? {}, { status: page.status ?? 200, headers: page.headers ?? {} });
  };
  return { send, asked };
}

const usual = (change: { resource?: object; server?: object; challenge?: string } = {}) => ({
  [SERVER]: { status: 401, ...(change.challenge && { headers: { 'www-authenticate': change.challenge } }) },
  [RESOURCE_METADATA]: { body: { ...RESOURCE, ...change.resource } },
  [SERVER_METADATA]: { body: { ...AUTHORIZATION_SERVER, ...change.server } },
});
const find = (pages: Readonly<Record<string, Said | Error>>) => findSignIn(SERVER, web(pages).send);
const config = async (pages = usual()): Promise<Record<string, JsonValue>> => ({
  url: SERVER,
  sign_in: { ...(await find(pages)) },
});

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

describe('where people sign in', () => {
  it('is what the server and its authorization server say', async () => {
    expect(await find(usual())).toEqual({
      server: SERVER,
      resource: SERVER,
      issuer: ISSUER,
      authorize: `${ISSUER}/auth`,
      token: `${ISSUER}/token`,
      revoke: `${ISSUER}/revoke`,
      register: `${ISSUER}/register`,
      client_auth: 'post',
      scopes: 'read write',
      names_issuer: 'always',
    });
  });

  it('is asked for without a credential, where the server’s refusal says and with the scopes that it names', async () => {
    const elsewhere = 'https://meta.example.com/team';
    const challenge = `Bearer resource_metadata="${elsewhere}", scope="read"`;
    const { send, asked } = web({ ...usual({ challenge }), [elsewhere]: { body: RESOURCE } });
    expect(await findSignIn(SERVER, send)).toMatchObject({ issuer: ISSUER, scopes: 'read' });
    expect(asked.map(({ url }) => url)).toEqual([SERVER, elsewhere, SERVER_METADATA]);
  });

  it('of an older server is its own root', async () => {
    const origin = 'https://mcp.example.com';
    const body = { ...AUTHORIZATION_SERVER, issuer: origin, registration_endpoint: undefined };
    const found = await find({
      [SERVER]: { status: 401 },
      [`${origin}/.well-known/oauth-authorization-server`]: { body },
    });
    expect(found).toMatchObject({ issuer: origin, resource: SERVER, scopes: '' });
    expect(found.register).toBeUndefined();
  });

  it('is found by OpenID Connect Discovery, too', async () => {
    const { [SERVER_METADATA]: _, ...pages } = usual();
    const openid = {
      ...AUTHORIZATION_SERVER,
      jwks_uri: `${ISSUER}/jwks`,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: undefined,
      scopes_supported: ['openid', 'offline_access'],
    };
    expect(
      await find({ ...pages, [`${ISSUER}/.well-known/openid-configuration`]: { body: openid } }),
    ).toMatchObject({
      client_auth: 'basic',
      scopes: 'read write offline_access',
    });
  });

  it.each([
    [
      'another server’s',
      { resource: { resource: 'https://mcp.evil.example/mcp' } },
      /which is another server/,
    ],
    [
      'that of an issuer who calls himself otherwise',
      { server: { issuer: 'https://evil.example' } },
      /calls itself by another name/,
    ],
    ['one that does not protect codes', { server: { code_challenge_methods_supported: undefined } }, /PKCE/],
    [
      'one that protects codes as nobody should',
      { server: { code_challenge_methods_supported: ['plain'] } },
      /PKCE/,
    ],
    ['one that gives out no codes', { server: { response_types_supported: ['token'] } }, /no codes/],
    ['a script', { server: { authorization_endpoint: 'javascript:alert(1)' } }, /cannot be read/],
    [
      'an address with a password',
      { server: { token_endpoint: 'https://a:b@login.example.com/token' } },
      /addresses that cannot be used/,
    ],
    [
      'for more than an address',
      { resource: { resource: `${SERVER}?q=${'x'.repeat(3_000)}` } },
      /cannot be used/,
    ],
    ['not said', { resource: { authorization_servers: ['https://gone.example.com'] } }, /does not say where/],
  ])('is not %s', async (_, change, words) => {
    const error = await refusal(find(usual(change)));
    expect(error).toMatchObject({ code: 'invalid_arguments', path: '/config/url' });
    expect(error.message).toMatch(words);
  });

  it('is asked for again later where somebody is away, and nobody else is believed meanwhile', async () => {
    const root = 'https://mcp.example.com/.well-known/oauth-authorization-server';
    const older = { [root]: { body: { ...AUTHORIZATION_SERVER, issuer: 'https://mcp.example.com' } } };
    for (const away of [RESOURCE_METADATA, SERVER_METADATA]) {
      const error = await find({ ...usual(), ...older, [away]: { status: 503 } }).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'upstream_unavailable', definite: true });
      expect(error.message).toContain(`${new URL(away).host} answered 503`);
    }
  });

  it('is not in a page that stands for whatever is not there', async () => {
    const origin = 'https://mcp.example.com';
    const body = { ...AUTHORIZATION_SERVER, issuer: origin };
    const found = await find({
      [SERVER]: { status: 401 },
      [RESOURCE_METADATA]: { html: true },
      [`${origin}/.well-known/oauth-protected-resource`]: { html: true },
      [`${origin}/.well-known/oauth-authorization-server`]: { html: true },
      [`${origin}/.well-known/openid-configuration`]: {
        body: {
          ...body,
          jwks_uri: `${origin}/jwks`,
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
        },
      },
    });
    expect(found).toMatchObject({ issuer: origin, resource: SERVER });
  });

  it('does without what it names in a form of its own', async () => {
    const server = {
      revocation_endpoint: `${ISSUER}/revoke#x`,
      registration_endpoint: 'https://a:b@login.example.com/',
    };
    const found = await find(usual({ server }));
    expect(found).toMatchObject({ issuer: ISSUER });
    expect([found.revoke, found.register]).toEqual([undefined, undefined]);
  });

  it('is not looked for further where the guard refuses an address', async () => {
    const forbidden = new UpstreamError('forbidden_upstream', '10.0.0.1 is private', { definite: true });
    const challenge = 'Bearer resource_metadata="http://10.0.0.1/metadata"';
    const pages = { ...usual({ challenge }), 'http://10.0.0.1/metadata': forbidden };
    await expect(find(pages)).rejects.toBe(forbidden);
    await expect(find({ ...usual(), [SERVER_METADATA]: forbidden })).rejects.toBe(forbidden);
  });

  it('asks for nothing by name where a server names more than fits', async () => {
    const scopes_supported = Array.from({ length: 400 }, (_, index) => `scope:${index}`);
    expect(await find(usual({ resource: { scopes_supported } }))).toMatchObject({ scopes: '' });
  });
});

describe('the provider of a connection', () => {
  it('is held to the server, its issuer and what its tokens are for', async () => {
    expect(signInProvider(await config())).toMatchObject({
      family: 'connection',
      title: 'login.example.com',
      issuer: ISSUER,
      namesIssuer: 'always',
      resource: SERVER,
      pkce: true,
      clientAuth: 'post',
      parameters: {},
    });
  });

  it('is called by who gets the codes, whoever people are sent to first', async () => {
    const server = { authorization_endpoint: 'https://login.honest.example/authorize' };
    expect(signInProvider(await config(usual({ server })))).toMatchObject({
      title: 'login.example.com (sign-in at login.honest.example)',
    });
  });

  it('is none for another address, nor before the server was asked', async () => {
    const found = await config();
    const message = /Add a new connection for another/;
    expect(() => signInProvider({ ...found, url: 'https://mcp.example.com/other' })).toThrow(message);
    expect(() => signInProvider({ url: SERVER })).toThrow(message);
  });

  it('asks for what an admin typed, else for what the server wants', async () => {
    const found = await config();
    const scopes = mcpConnector.auth.find(({ id }) => id === 'oauth');
    if (scopes?.kind !== 'oauth') throw new Error('no such method');
    expect(scopes.configScopes?.(found)).toEqual(['read', 'write']);
    expect(scopes.configScopes?.({ ...found, scopes: 'read' })).toEqual(['read']);
  });

  it('is found for an address only, and stays in the config when tools are read', async () => {
    const { send } = web(usual());
    const found = await mcpConnector.findSignIn?.({ url: ` ${SERVER} `, trusted: 'no' }, send);
    expect(mcpConnector.config.parse(found)).toEqual(found);
    expect(signInProvider(found ?? {}).issuer).toBe(ISSUER);
    const started = mcpConnector.findSignIn?.({ command: 'files' }, send);
    expect((await refusal(Promise.resolve(started))).message).toContain('has no sign-in');
  });
});

describe('our client there', () => {
  it('is registered with our address, and proves itself as the server decides', async () => {
    const body = {
      client_id: 'fake-client',
      client_secret: 'fake-secret-canary',
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [REDIRECT],
    };
    const { send, asked } = web({ [`${ISSUER}/register`]: { status: 201, body } });
    expect(await register(await config(), REDIRECT, send)).toEqual({
      clientId: 'fake-client',
      clientSecret: 'fake-secret-canary',
      clientAuth: 'basic',
      registeredUntil: null,
    });
    expect(asked).toHaveLength(1);
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      client_name: 'Siesta Connections',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    });
  });

  it('ends when the server says', async () => {
    const body = {
      client_id: 'fake-client',
      client_secret: 'fake-secret-canary',
      client_secret_expires_at: 1_800_000_000,
    };
    const { send } = web({
      [`${ISSUER}/register`]: { status: 201, body: { ...body, redirect_uris: [REDIRECT] } },
    });
    expect(await register(await config(), REDIRECT, send)).toMatchObject({
      clientAuth: 'post',
      registeredUntil: new Date(1_800_000_000_000),
    });
  });

  it('is a public one where it gets no secret', async () => {
    const body = { client_id: 'fake-client', redirect_uris: [REDIRECT] };
    const { send } = web({ [`${ISSUER}/register`]: { status: 201, body } });
    expect(await register(await config(), REDIRECT, send)).toMatchObject({ clientAuth: 'none' });
  });

  it('is registered by hand where the server lets nobody', async () => {
    const { send, asked } = web({});
    const closed = await config(usual({ server: { registration_endpoint: undefined } }));
    expect(await register(closed, REDIRECT, send)).toBeNull();
    expect(asked).toEqual([]);
  });

  it('is none where the server refuses, or answers something else', async () => {
    const page = {
      status: 403,
      body: { error: 'access_denied', error_description: 'fake words of the server' },
    };
    const refused = await register(
      await config(),
      REDIRECT,
      web({ [`${ISSUER}/register`]: page }).send,
    ).catch((reason: unknown) => reason);
    expect(refused).toMatchObject({
      code: 'upstream_rejected',
      message: 'login.example.com did not take our registration (403).',
    });
    expect((refused as Error).cause).toBeUndefined();
    for (const body of [{}, { client_id: '', redirect_uris: [REDIRECT] }]) {
      const odd = register(await config(), REDIRECT, web({ [`${ISSUER}/register`]: { body } }).send);
      await expect(odd).rejects.toMatchObject({ code: 'upstream_rejected', definite: true });
    }
  });
});
