/** What providers answer, each in its own way (shared/CONNECTORS.md, "OAuth"), and what we ask them. */
import { describe, expect, it } from 'vitest';
import type { OAuthProvider, UpstreamResponse } from '../../src/connectors/framework.js';
import { GrantRefused, OAuthClient, type TokenSet } from '../../src/credentials/oauth-client.js';
import { UpstreamError } from '../../src/errors.js';
import { upstreamResponse } from '../../src/net/response.js';
import type { EgressPolicy, Outbound, OutboundRequest } from '../../src/net/safe-fetch.js';
import { tokenFields } from '../../src/services/tokens.js';

const APP = { clientId: '123.456_fake-client', clientSecret: 'fake-client-secret-canary' };
const TENANT = '11111111-2222-3333-4444-555555555555';
const REDIRECT = 'https://siesta.example.com/oauth/callback';
const VERIFIER = 'v'.repeat(43);

interface Sent {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form: URLSearchParams;
  readonly policy: EgressPolicy;
}
type Answer = { readonly status?: number; readonly type?: string; readonly body: object | string };

/** A client whose provider answers the same every time, and what was sent to it. */
function clientFor(answer: Answer | Error) {
  const sent: Sent[] = [];
  const send = async (request: OutboundRequest, policy: EgressPolicy): Promise<UpstreamResponse> => {
    const form = new URLSearchParams(Buffer.from(request.body ?? '').toString());
    sent.push({ url: request.url, headers: request.headers ?? {}, form, policy });
    if (answer instanceof Error) throw answer;
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    const headers = { 'content-type': answer.type ?? 'application/json; charset=utf-8' };
    return upstreamResponse(answer.status ?? 200, headers, Buffer.from(text));
  };
  const outbound: Outbound = { send, mayBePrivate: () => false, close: async () => {} };
  return { client: new OAuthClient(outbound, {}), sent };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const callback = (more: Record<string, string> = {}) =>
  new URL(`${REDIRECT}?${new URLSearchParams({ code: 'fake-code', state: 'fake-state', ...more })}`);

function exchange(id: string, answer: Answer | Error, more?: Record<string, string>) {
  const { client, sent } = clientFor(answer);
  const provider = id === OWN.id ? OWN : client.provider(id);
  const checks = { state: 'fake-state', verifier: VERIFIER };
  const tokens = client.exchange(provider, { ...APP, tenantId: TENANT }, callback(more), checks);
  return { tokens, sent };
}

function refresh(id: string, answer: Answer | Error): Promise<TokenSet> {
  const { client } = clientFor(answer);
  return client.refresh(client.provider(id), APP, 'fake-refresh-token');
}

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GrantRefused) return error.reason;
  if (error instanceof UpstreamError) return `${error.code}, definite: ${error.definite}`;
  throw new Error(`neither refused nor unavailable: ${String(error)}`);
}

const OWN: OAuthProvider = {
  ...clientFor({ body: {} }).client.provider('google'),
  id: 'connection',
  family: 'connection',
  issuer: 'https://login.example.com',
  authorize: 'https://login.example.com/realms/staff/auth',
  token: 'https://login.example.com/realms/staff/token',
  revoke: null,
  userinfo: null,
  parameters: {},
};

describe('tokens, as providers answer them', () => {
  it('Slack’s bot', async () => {
    const body = {
      ok: true,
      access_token: 'fake-bot-token',
      token_type: 'bot',
      scope: 'chat:write,channels:read',
      bot_user_id: 'U0BOT',
      authed_user: { id: 'U1', access_token: 'fake-user-token' },
    };
    const { tokens, sent } = exchange('slack', { body });
    expect(await tokens).toEqual({
      accessToken: 'fake-bot-token',
      refreshToken: null,
      expiresInSeconds: null,
      scopes: ['chat:write', 'channels:read'],
    });
    expect(sent[0]?.form.has('code_verifier')).toBe(false);
    expect(sent[0]?.form.has('client_secret')).toBe(false);
    expect(sent[0]?.headers.authorization).toBe(`Basic ${base64(`${APP.clientId}:${APP.clientSecret}`)}`);
  });

  it('Slack’s user alone, with rotation', async () => {
    const authed_user = {
      id: 'U1',
      scope: 'search:read,users:read',
      access_token: 'fake-user-token',
      token_type: 'user',
      refresh_token: 'fake-user-refresh',
      expires_in: 43_200,
    };
    expect(await exchange('slack_user', { body: { ok: true, authed_user } }).tokens).toEqual({
      accessToken: 'fake-user-token',
      refreshToken: 'fake-user-refresh',
      expiresInSeconds: 43_200,
      scopes: ['search:read', 'users:read'],
    });
  });

  it('Microsoft’s, with an id token of the person’s own tenant', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'https://login.microsoftonline.com/9188040d/v2.0', aud: 'other', exp: 1 };
    const body = {
      token_type: 'Bearer',
      scope: 'Mail.Read User.Read',
      expires_in: 4_214,
      access_token: 'fake-graph-token',
      refresh_token: 'fake-graph-refresh',
      id_token: `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`,
    };
    const { tokens, sent } = exchange('microsoft', { body });
    expect(await tokens).toMatchObject({
      accessToken: 'fake-graph-token',
      scopes: ['Mail.Read', 'User.Read'],
    });
    expect(sent[0]?.url).toBe(`https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`);
  });

  it('without token_type, and with expires_in as text', async () => {
    const body = { access_token: 'fake-token', expires_in: '3599' };
    expect(await exchange('google', { body }).tokens).toEqual({
      accessToken: 'fake-token',
      refreshToken: null,
      expiresInSeconds: 3_599,
      scopes: [],
    });
  });

  it('Google’s refresh, which keeps the old refresh token', async () => {
    const body = { access_token: 'fake-new', expires_in: 3_599, token_type: 'Bearer', scope: 'openid' };
    const tokens = await refresh('google', { body });
    expect(tokens.refreshToken).toBeNull();
    expect(tokenFields(tokens, 'fake-refresh-token')).toEqual({
      access_token: 'fake-new',
      refresh_token: 'fake-refresh-token',
    });
  });
});

describe('refusals keep their code', () => {
  it.each([
    ['slack', { ok: false, error: 'invalid_code' }, 200, 'invalid_code'],
    ['slack', { ok: false, error: 'invalid_refresh_token' }, 200, 'invalid_refresh_token'],
    ['slack_user', { ok: false, error: 'bad_client_secret' }, 200, 'bad_client_secret'],
    [
      'google',
      { error: 'invalid_grant', error_description: 'Token has been revoked.' },
      400,
      'invalid_grant',
    ],
    ['atlassian', { error: 'invalid_grant' }, 403, 'invalid_grant'],
    ['microsoft', { error: 'invalid_client', error_codes: [7_000_215] }, 401, 'invalid_client'],
    ['hubspot', { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid' }, 400, 'bad_refresh_token'],
    ['google', { error: '<b>no</b>' }, 400, 'another error'],
  ] as const)('%s: %j', async (id, body, status, reason) => {
    expect(await refusal(refresh(id, { status, body }))).toBe(reason);
    expect(await refusal(exchange(id, { status, body }).tokens)).toBe(reason);
  });

  it('of a person, said in the address', async () => {
    const { client, sent } = clientFor({ body: {} });
    const url = new URL(`${REDIRECT}?error=access_denied&state=fake-state`);
    const checks = { state: 'fake-state', verifier: VERIFIER };
    expect(await refusal(client.exchange(client.provider('google'), APP, url, checks))).toBe('access_denied');
    expect(sent).toEqual([]);
  });

  it.each([
    ['HTML of a proxy', { status: 502, type: 'text/html', body: '<h1>502 Bad Gateway</h1>' }],
    ['an outage', { status: 503, body: { error: 'temporarily_unavailable' } }],
    ['nothing', { status: 200, body: '' }],
    ['no token', { status: 200, body: { scope: 'openid' } }],
    ['half an answer', { status: 200, body: '{"access_token": "fake' }],
    ['a connection that broke', new Error('socket hang up')],
  ] as const)('%s is no refusal: it may work later', async (_name, answer) => {
    expect(await refusal(refresh('google', answer))).toBe('upstream_unavailable, definite: true');
  });
});

describe('who says that it answers', () => {
  const body = { access_token: 'fake-token', token_type: 'Bearer' };

  it.each([
    ['google', 'https://accounts.google.com'],
    ['microsoft', `https://login.microsoftonline.com/${TENANT}/v2.0`],
    ['microsoft', 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0'],
    ['connection', 'https://login.example.com/realms/staff'],
  ] as const)('is taken: %s, %s', async (provider, iss) => {
    expect(await exchange(provider, { body }, { iss }).tokens).toMatchObject({ accessToken: 'fake-token' });
  });

  it.each([
    ['google', 'https://accounts.google.com.attacker.example.com'],
    ['google', ''],
    ['microsoft', 'https://attacker.example.com/tenant/v2.0'],
    ['microsoft', 'https://login.microsoftonline.com/a/b/v2.0'],
    ['microsoft', 'https://login.microsoftonline.com/v2.0'],
    ['connection', 'https://attacker.example.com/realms/staff'],
    ['connection', 'staff'],
  ] as const)('is refused before the code goes anywhere: %s, “%s”', async (provider, iss) => {
    const { tokens, sent } = exchange(provider, { body }, { iss });
    expect(await refusal(tokens)).toBe('answer of another issuer');
    expect(sent).toEqual([]);
  });

  it('is one, and not two', async () => {
    const { client, sent } = clientFor({ body });
    const url = callback({ iss: 'https://accounts.google.com' });
    url.searchParams.append('iss', 'https://accounts.google.com');
    const checks = { state: 'fake-state', verifier: VERIFIER };
    const twice = client.exchange(client.provider('google'), APP, url, checks);
    expect(await refusal(twice)).toBe('answer of another issuer');
    expect(sent).toEqual([]);
  });
});

describe('the address at which a person is asked', () => {
  async function asked(id: string, scopes: readonly string[], tenantId?: string): Promise<URL> {
    const { client } = clientFor({ body: {} });
    const request = { redirectUri: REDIRECT, scopes, state: 'fake-state', verifier: VERIFIER };
    return new URL(await client.authorizationUrl(client.provider(id), { ...APP, tenantId }, request));
  }
  const fields = (url: URL) => Object.fromEntries(url.searchParams);
  const COMMON = {
    client_id: APP.clientId,
    redirect_uri: REDIRECT,
    response_type: 'code',
    state: 'fake-state',
  };
  const PKCE = { code_challenge: expect.stringMatching(/^[\w-]{43}$/), code_challenge_method: 'S256' };

  it('Google: offline, with consent, PKCE', async () => {
    const url = await asked('google', ['openid', 'email']);
    expect(`${url.origin}${url.pathname}`).toBe('https://accounts.google.com/o/oauth2/v2/auth');
    const own = { access_type: 'offline', prompt: 'consent', scope: 'openid email' };
    expect(fields(url)).toEqual({ ...COMMON, ...PKCE, ...own });
  });

  it('Slack: two kinds of scopes, commas, no PKCE', async () => {
    const bot = await asked('slack', ['chat:write', 'channels:read']);
    expect(`${bot.origin}${bot.pathname}`).toBe('https://slack.com/oauth/v2/authorize');
    expect(fields(bot)).toEqual({ ...COMMON, scope: 'chat:write,channels:read' });
    const user = await asked('slack_user', ['search:read', 'users:read']);
    expect(fields(user)).toEqual({ ...COMMON, user_scope: 'search:read,users:read' });
  });

  it('Atlassian: for its API, with consent, no PKCE', async () => {
    const url = await asked('atlassian', ['read:jira-work', 'offline_access']);
    expect(`${url.origin}${url.pathname}`).toBe('https://auth.atlassian.com/authorize');
    const own = { audience: 'api.atlassian.com', prompt: 'consent', scope: 'read:jira-work offline_access' };
    expect(fields(url)).toEqual({ ...COMMON, ...own });
  });

  it('Microsoft: in the tenant that was entered, else of any organization', async () => {
    const path = (tenant: string) => `/${tenant}/oauth2/v2.0/authorize`;
    expect((await asked('microsoft', ['User.Read'], TENANT)).pathname).toBe(path(TENANT));
    expect((await asked('microsoft', ['User.Read'])).pathname).toBe(path('organizations'));
  });

  it('HubSpot: PKCE, spaces', async () => {
    const url = await asked('hubspot', ['crm.objects.contacts.read', 'oauth']);
    expect(`${url.origin}${url.pathname}`).toBe('https://app.hubspot.com/oauth/authorize');
    expect(fields(url)).toEqual({ ...COMMON, ...PKCE, scope: 'crm.objects.contacts.read oauth' });
  });
});

describe('what is sent', () => {
  it('goes to the token endpoint alone, with the verifier', async () => {
    const { tokens, sent } = exchange('google', { body: { access_token: 'fake-token' } });
    await tokens;
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'fake-code',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      client_id: APP.clientId,
      client_secret: APP.clientSecret,
    });
    expect(sent[0]?.policy.allow).toEqual([
      { origin: 'https://oauth2.googleapis.com', pathPrefix: '/token' },
      { origin: 'https://oauth2.googleapis.com', pathPrefix: '/revoke' },
    ]);
  });

  it('takes a token back the provider’s way, where it has one', async () => {
    const google = clientFor({ body: {} });
    await google.client.revoke(google.client.provider('google'), APP, 'fake-token');
    expect(google.sent.map(({ url, form }) => [url, form.get('token')])).toEqual([
      ['https://oauth2.googleapis.com/revoke', 'fake-token'],
    ]);
    const slack = clientFor({ body: { ok: true } });
    await slack.client.revoke(slack.client.provider('slack'), APP, 'fake-token');
    expect(slack.sent.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['https://slack.com/api/auth.revoke', 'Bearer fake-token'],
    ]);
    const microsoft = clientFor({ body: {} });
    await microsoft.client.revoke(microsoft.client.provider('microsoft'), APP, 'fake-token');
    expect(microsoft.sent).toEqual([]);
  });

  it('asks whose account it is only where the provider tells', async () => {
    const google = clientFor({ body: { sub: '1', email: 'cleo@example.com' } });
    expect(await google.client.email(google.client.provider('google'), 'fake-token')).toBe(
      'cleo@example.com',
    );
    const refused = clientFor({ status: 401, body: {} });
    expect(await refused.client.email(refused.client.provider('google'), 'fake-token')).toBeNull();
    const hubspot = clientFor({ body: {} });
    expect(await hubspot.client.email(hubspot.client.provider('hubspot'), 'fake-token')).toBeNull();
    expect(hubspot.sent).toEqual([]);
  });

  it('for an app itself: its own credentials, in the way that its server wants', async () => {
    const mint = {
      grant: 'client_credentials',
      token: 'https://login.example.com/token',
      clientId: 'fake-app',
      clientSecret: 'fake-app-secret',
      scopes: ['orders:read', 'stock:read'],
      parameters: { audience: 'https://api.example.com' },
    } as const;
    const post = clientFor({ body: { access_token: 'fake-token' } });
    await post.client.mint({ ...mint, clientAuth: 'post' }, new Date());
    expect(Object.fromEntries(post.sent[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'orders:read stock:read',
      audience: 'https://api.example.com',
      client_id: 'fake-app',
      client_secret: 'fake-app-secret',
    });
    const basic = clientFor({ body: { access_token: 'fake-token' } });
    await basic.client.mint({ ...mint, clientAuth: 'basic' }, new Date());
    expect(basic.sent[0]?.headers.authorization).toBe(`Basic ${base64('fake-app:fake-app-secret')}`);
    expect(basic.sent[0]?.form.has('client_secret')).toBe(false);
    const odd = clientFor({ body: { access_token: 'fake-token' } });
    await odd.client.mint({ ...mint, clientAuth: 'basic', clientSecret: 'fake:s+c r%t' }, new Date());
    expect(odd.sent[0]?.headers.authorization).toBe(`Basic ${base64('fake-app:fake%3As%2Bc+r%25t')}`);
  });

  it('nothing, where the key of a service account is none', async () => {
    const { client, sent } = clientFor({ body: {} });
    const mint = {
      grant: 'jwt_bearer',
      token: 'https://oauth2.googleapis.com/token',
      issuer: 'robot@fake-project.iam.gserviceaccount.com',
      audience: 'https://oauth2.googleapis.com/token',
      privateKey: '-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----\n',
      scopes: [],
    } as const;
    expect(await refusal(client.mint(mint, new Date()))).toBe('unusable_key');
    expect(sent).toEqual([]);
  });
});

describe('a server that a connection found for itself', () => {
  const FOUND: OAuthProvider = {
    ...OWN,
    issuer: 'https://login.example.com/realms/staff',
    namesIssuer: 'always',
    resource: 'https://mcp.example.com/mcp',
    clientAuth: 'none',
    pkce: false,
  };
  const PUBLIC = { clientId: 'fake-public-client', clientSecret: '' };
  const checks = { state: 'fake-state', verifier: VERIFIER };
  const answer = { body: { access_token: 'fake-token' } };

  it('is told what the token is for, each time, and with no secret that the code is ours', async () => {
    const { client, sent } = clientFor(answer);
    const request = { redirectUri: REDIRECT, scopes: [], state: 'fake-state', verifier: VERIFIER };
    const { searchParams } = new URL(await client.authorizationUrl(FOUND, PUBLIC, request));
    expect(searchParams.get('resource')).toBe(FOUND.resource);
    expect(searchParams.has('scope')).toBe(false);
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    await client.exchange(FOUND, PUBLIC, callback({ iss: FOUND.issuer }), checks);
    await client.refresh(FOUND, PUBLIC, 'fake-refresh-token');
    for (const { form, headers } of sent) {
      expect(form.get('resource')).toBe(FOUND.resource);
      expect(form.get('client_id')).toBe(PUBLIC.clientId);
      expect(form.has('client_secret') || 'authorization' in headers).toBe(false);
    }
    expect(sent[0]?.form.get('code_verifier')).toBe(VERIFIER);
  });

  it('is to say that it answers, to the letter', async () => {
    const ask = (provider: OAuthProvider, more: Record<string, string>) =>
      clientFor(answer).client.exchange(provider, PUBLIC, callback(more), checks);
    const another = 'answer of another issuer';
    expect(await refusal(ask(FOUND, {}))).toBe(another);
    expect(await refusal(ask(FOUND, { iss: 'https://login.example.com' }))).toBe(another);
    const silent = { ...FOUND, namesIssuer: 'sometimes' } as const;
    expect(await refusal(ask(silent, { iss: 'https://login.example.com' }))).toBe(another);
    expect(await ask(silent, {})).toMatchObject({ accessToken: 'fake-token' });
  });
});
