/** OAuth 2 against the providers of the catalogue: openid-client, with fixed metadata and our own way out. */
import { importPKCS8, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import type { ClientAuth, Mint, OAuthApp, OAuthProvider } from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { Outbound } from '../net/safe-fetch.js';
import { oauthProvider } from './oauth-providers.js';

export interface TokenSet {
  readonly accessToken: string;
  /** Null when the provider gave none: the old one stays valid (Google). */
  readonly refreshToken: string | null;
  readonly expiresInSeconds: number | null;
  readonly scopes: readonly string[];
}

/** From the request to the last byte. Whoever refreshes under a lease must be done before somebody else may begin. */
export const TOKEN_TIMEOUT_SECONDS = 10;

/** The provider refused for good: the person has to connect again. */
export class GrantRefused extends Error {
  constructor(readonly reason: string) {
    super(`the provider refused: ${reason}`);
    this.name = 'GrantRefused';
  }
}

export class OAuthClient {
  constructor(
    private readonly outbound: Outbound,
    private readonly endpoints: Readonly<Record<string, string>>,
    private readonly timeoutSeconds = TOKEN_TIMEOUT_SECONDS,
  ) {}

  /** @throws Error for an id that is not in the catalogue */
  provider(id: string): OAuthProvider {
    return oauthProvider(id, this.endpoints);
  }

  newVerifier(): string {
    return oidc.randomPKCECodeVerifier();
  }

  async authorizationUrl(
    provider: OAuthProvider,
    app: OAuthApp,
    request: {
      redirectUri: string;
      scopes: readonly string[];
      state: string;
      verifier: string;
      loginHint?: string | undefined;
    },
  ): Promise<string> {
    const challenge = {
      code_challenge: await oidc.calculatePKCECodeChallenge(request.verifier),
      code_challenge_method: 'S256',
    };
    const url = oidc.buildAuthorizationUrl(this.configuration(provider, app), {
      ...provider.parameters,
      ...resourceOf(provider),
      redirect_uri: request.redirectUri,
      ...(request.scopes.length > 0 && {
        [provider.scopeParameter]: request.scopes.join(provider.scopeSeparator),
      }),
      state: request.state,
      ...(usesPkce(provider, app) ? challenge : {}),
      ...(request.loginHint ? { login_hint: request.loginHint } : {}),
    });
    return url.href;
  }

  /** @throws GrantRefused | UpstreamError `upstream_unavailable` */
  async exchange(
    provider: OAuthProvider,
    app: OAuthApp,
    callbackUrl: URL,
    checks: { state: string; verifier: string },
  ): Promise<TokenSet> {
    const callback = new URL(callbackUrl);
    const issuers = callback.searchParams.getAll('iss');
    const missing = issuers.length === 0 && provider.namesIssuer === 'always';
    if (missing || issuers.length > 1 || issuers.some((issuer) => !isIssuer(provider, issuer)))
      throw new GrantRefused('answer of another issuer');
    // The library would compare it with one address, letter by letter.
    callback.searchParams.delete('iss');
    return this.grant(() =>
      oidc.authorizationCodeGrant(
        this.configuration(provider, app),
        callback,
        {
          expectedState: checks.state,
          ...(usesPkce(provider, app) ? { pkceCodeVerifier: checks.verifier } : {}),
        },
        resourceOf(provider),
      ),
    );
  }

  /** @throws GrantRefused | UpstreamError `upstream_unavailable` */
  async refresh(provider: OAuthProvider, app: OAuthApp, refreshToken: string): Promise<TokenSet> {
    return this.grant(() =>
      oidc.refreshTokenGrant(this.configuration(provider, app), refreshToken, resourceOf(provider)),
    );
  }

  /** Address of the account behind a token; null where the provider does not tell. */
  async email(provider: OAuthProvider, accessToken: string): Promise<string | null> {
    if (provider.userinfo === null) return null;
    const { origin, pathname } = new URL(provider.userinfo);
    const answer = await this.outbound.send(
      { method: 'GET', url: provider.userinfo, headers: { authorization: `Bearer ${accessToken}` } },
      { allow: [{ origin, pathPrefix: pathname }] },
    );
    if (answer.status !== 200) return null;
    const { email } = answer.json() as { email?: unknown };
    return typeof email === 'string' && email !== '' ? email : null;
  }

  /**
   * A token for a secret, without a person.
   * @param now of the assertion; Google takes it within minutes of its own clock
   * @throws GrantRefused | UpstreamError `upstream_unavailable`
   */
  async mint(mint: Mint, now: Date): Promise<TokenSet> {
    const configuration =
      mint.grant === 'client_credentials'
        ? this.configure({ issuer: mint.token, token_endpoint: mint.token }, mint.clientId, {
            secret: mint.clientSecret,
            by: mint.clientAuth,
          })
        : this.configure({ issuer: mint.token, token_endpoint: mint.token }, mint.issuer, null);
    if (mint.grant === 'client_credentials') {
      const parameters = { ...mint.parameters, ...scopeOf(mint.scopes) };
      return this.grant(() => oidc.clientCredentialsGrant(configuration, parameters));
    }
    const assertion = await assertionOf(mint, now);
    return this.grant(() =>
      oidc.genericGrantRequest(configuration, 'urn:ietf:params:oauth:grant-type:jwt-bearer', { assertion }),
    );
  }

  /** Best effort: the credential is deleted here whatever the provider says. */
  async revoke(provider: OAuthProvider, app: OAuthApp, token: string): Promise<void> {
    if (provider.revoke === null) return;
    if (provider.revokeWith === 'rfc7009') {
      await oidc.tokenRevocation(this.configuration(provider, app), token);
      return;
    }
    const { origin, pathname } = new URL(provider.revoke);
    await this.outbound.send(
      { method: 'POST', url: provider.revoke, headers: { authorization: `Bearer ${token}` } },
      { allow: [{ origin, pathPrefix: pathname }] },
    );
  }

  private configuration(provider: OAuthProvider, app: OAuthApp): oidc.Configuration {
    const tenanted = (url: string) => url.replace('{tenant}', app.tenantId ?? 'organizations');
    const metadata: oidc.ServerMetadata = {
      issuer: tenanted(provider.issuer),
      authorization_endpoint: tenanted(provider.authorize),
      token_endpoint: tenanted(provider.token),
      ...(provider.revoke ? { revocation_endpoint: tenanted(provider.revoke) } : {}),
    };
    return this.configure(
      metadata,
      app.clientId,
      { secret: app.clientSecret, by: app.clientAuth ?? provider.clientAuth },
      provider,
    );
  }

  /** The guard decides where http is allowed (the operator's OUTBOUND_ALLOW_PRIVATE), not the library. */
  private configure(
    metadata: oidc.ServerMetadata,
    clientId: string,
    client: { readonly secret: string; readonly by: ClientAuth } | null,
    provider?: OAuthProvider,
  ): oidc.Configuration {
    const authentication = client === null ? noClient : clientAuthentication(client);
    const configuration = new oidc.Configuration(metadata, clientId, undefined, authentication);
    configuration.timeout = this.timeoutSeconds;
    oidc.allowInsecureRequests(configuration);
    const allow = [metadata.token_endpoint, metadata.revocation_endpoint]
      .filter((url): url is string => url !== undefined)
      .map((url) => ({ origin: new URL(url).origin, pathPrefix: new URL(url).pathname }));
    configuration[oidc.customFetch] = normalised(outboundFetch(this.outbound, { allow }), provider);
    return configuration;
  }

  private async grant(call: () => Promise<oidc.TokenEndpointResponse>): Promise<TokenSet> {
    try {
      const answer = await call();
      return {
        accessToken: answer.access_token,
        refreshToken: answer.refresh_token ?? null,
        expiresInSeconds: answer.expires_in ?? null,
        scopes: (answer.scope ?? '').split(/[ ,]+/).filter((scope) => scope !== ''),
      };
    } catch (error) {
      if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError) {
        // It may come from the address bar: only what RFC 6749 errors look like goes on into logs.
        throw new GrantRefused(/^[a-z_]{1,40}$/.test(error.error) ? error.error : 'another error');
      }
      throw new UpstreamError(
        'upstream_unavailable',
        'The sign-in service of the provider did not answer as expected.',
        {
          definite: true,
          cause: error,
        },
      );
    }
  }
}

/**
 * RFC 9207: who says that it answers. Microsoft names the person's tenant; of a server that a connection brings along,
 * only the addresses are known, and its issuer may lie below them (`https://login.example.com/realms/staff`).
 */
function isIssuer({ family, issuer, namesIssuer }: OAuthProvider, said: string): boolean {
  if (namesIssuer !== undefined) return said === issuer;
  if (family === 'connection') return URL.canParse(said) && new URL(said).origin === new URL(issuer).origin;
  const [before = '', after] = issuer.split('{tenant}');
  if (after === undefined) return said === issuer;
  const tenant = said.slice(before.length, said.length - after.length);
  return said === `${before}${tenant}${after}` && /^[\w.-]+$/.test(tenant);
}

function clientAuthentication(client: { readonly secret: string; readonly by: ClientAuth }): oidc.ClientAuth {
  if (client.by === 'none') return oidc.None();
  return client.by === 'basic' ? secretBasic(client.secret) : oidc.ClientSecretPost(client.secret);
}

/**
 * RFC 6749, 2.3.1. Not the library's: it encodes `-`, `.` and `_` as well, which every Slack client id and most secrets
 * have, and a server that does not decode them knows no such client. Encoded as forms are, they stay as they are.
 */
function secretBasic(secret: string): oidc.ClientAuth {
  const encoded = (text: string) => new URLSearchParams({ _: text }).toString().slice('_='.length);
  return (_server, { client_id: id }, _body, headers) => {
    const pair = Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64');
    headers.set('authorization', `Basic ${pair}`);
  };
}

/** The assertion says who asks. */
const noClient: oidc.ClientAuth = () => undefined;

/** A client without a secret has nothing else to hold its code by (RFC 9700, 2.1.1). */
function usesPkce({ pkce, clientAuth }: OAuthProvider, app: OAuthApp): boolean {
  return pkce || (app.clientAuth ?? clientAuth) === 'none';
}

/** RFC 8707, 2.1 and 2.2: with the code, and whenever a token is asked for. */
function resourceOf({ resource }: OAuthProvider): Record<string, string> {
  return resource === undefined ? {} : { resource };
}

function scopeOf(scopes: readonly string[]): Record<string, string> {
  return scopes.length === 0 ? {} : { scope: scopes.join(' ') };
}

/**
 * RFC 7523, 3; Google takes at most an hour ("Using OAuth 2.0 for server to server applications").
 * @throws GrantRefused for a key that is none
 */
async function assertionOf(mint: Extract<Mint, { grant: 'jwt_bearer' }>, now: Date): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1_000);
  const header = { alg: 'RS256', typ: 'JWT', ...(mint.keyId === undefined ? {} : { kid: mint.keyId }) };
  const token = new SignJWT(scopeOf(mint.scopes))
    .setProtectedHeader(header)
    .setIssuer(mint.issuer)
    .setAudience(mint.audience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 3_600);
  if (mint.subject !== undefined) token.setSubject(mint.subject);
  const key = await importPKCS8(mint.privateKey, 'RS256').catch(() => null);
  if (key === null) throw new GrantRefused('unusable_key');
  return token.sign(key);
}

/**
 * What providers answer, as RFC 6749 has it (shared/CONNECTORS.md, "OAuth"). We look the account up with the token
 * itself, so the id token is of no use; and several providers send one that does not fit fixed metadata. Some leave
 * `token_type` out; Slack calls it "bot", puts a user's token elsewhere, and says errors with status 200; HubSpot has
 * older errors besides (`{"status": "BAD_REFRESH_TOKEN"}`).
 */
function normalised(send: typeof globalThis.fetch, provider?: OAuthProvider): oidc.CustomFetch {
  return async (url, { body, ...options }) => {
    const { signal, ...init } = options;
    const response = await send(url, { ...init, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
    if (!response.headers.get('content-type')?.includes('json')) return response;
    const { id_token: _, ...answer } = (await response.json()) as Record<string, unknown>;
    const isSlack = provider?.family === 'slack';
    const token = isSlack && provider.id === 'slack_user' ? answer.authed_user : answer;
    const fields = (typeof token === 'object' && token !== null ? token : {}) as Record<string, unknown>;
    const said =
      isSlack && answer.ok === false
        ? { error: answer.error }
        : (olderError(fields, response.status) ?? fields);
    const whole = 'access_token' in said ? { ...said, token_type: 'Bearer' } : said;
    return new Response(JSON.stringify(whole), {
      status: 'error' in said && response.status === 200 ? 400 : response.status,
      headers: { 'content-type': 'application/json' },
    });
  };
}

/** HubSpot's, of its first OAuth API: `{"status": "BAD_REFRESH_TOKEN", "message": …}` with 400. */
function olderError(
  answer: Readonly<Record<string, unknown>>,
  status: number,
): { readonly error: string } | undefined {
  if (status < 400 || 'error' in answer || typeof answer.status !== 'string') return undefined;
  return { error: answer.status.toLowerCase() };
}
