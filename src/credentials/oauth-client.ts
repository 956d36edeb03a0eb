/** OAuth 2 against the providers of the catalogue: openid-client, with fixed metadata and our own way out. */
import * as oidc from 'openid-client';
import { UpstreamError } from '../errors.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { Outbound } from '../net/safe-fetch.js';

export interface OAuthProvider {
  readonly id: string;
  readonly title: string;
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  readonly revoke: string | null;
  /** Tells whose account a token is, whatever else it may do. */
  readonly userinfo: string | null;
  /** Added to the authorization URL. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Endpoints: Google's own client library (google-auth-library); `access_type=offline` with `prompt=consent` is what
 * brings a refresh token. Overridden one by one with `CONNECTOR_ENDPOINTS` (`google.authorize`, `google.token` …).
 */
const PROVIDERS: readonly OAuthProvider[] = [
  {
    id: 'google',
    title: 'Google',
    issuer: 'https://accounts.google.com',
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    revoke: 'https://oauth2.googleapis.com/revoke',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
];

/** Where a stand-in that is named by its base URL alone (`CONNECTOR_ENDPOINTS` key `google`) has these (emulate). */
const STAND_IN_PATHS = {
  issuer: '',
  authorize: '/o/oauth2/v2/auth',
  token: '/oauth2/token',
  revoke: '/oauth2/revoke',
  userinfo: '/oauth2/v2/userinfo',
} as const;

export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface TokenSet {
  readonly accessToken: string;
  /** Null when the provider gave none: the old one stays valid (Google). */
  readonly refreshToken: string | null;
  readonly expiresInSeconds: number | null;
  readonly scopes: readonly string[];
}

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
  ) {}

  /** Those an OAuth client can be entered for. */
  providers(): readonly OAuthProvider[] {
    return PROVIDERS;
  }

  /** @throws Error for an id that is not in the catalogue */
  provider(id: string): OAuthProvider {
    const known = PROVIDERS.find((each) => each.id === id);
    if (!known) throw new Error(`unknown OAuth provider ${id}`);
    const base = this.endpoints[id]?.replace(/\/+$/, '');
    const of = (name: keyof typeof STAND_IN_PATHS) =>
      this.endpoints[`${id}.${name}`] ??
      (base === undefined ? known[name] : `${base}${STAND_IN_PATHS[name]}`);
    return {
      ...known,
      issuer: of('issuer') ?? known.issuer,
      authorize: of('authorize') ?? known.authorize,
      token: of('token') ?? known.token,
      revoke: of('revoke'),
      userinfo: of('userinfo'),
    };
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
    const url = oidc.buildAuthorizationUrl(this.configuration(provider, app), {
      ...provider.parameters,
      redirect_uri: request.redirectUri,
      scope: request.scopes.join(' '),
      state: request.state,
      code_challenge: await oidc.calculatePKCECodeChallenge(request.verifier),
      code_challenge_method: 'S256',
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
    return this.grant(() =>
      oidc.authorizationCodeGrant(this.configuration(provider, app), callbackUrl, {
        expectedState: checks.state,
        pkceCodeVerifier: checks.verifier,
      }),
    );
  }

  /** @throws GrantRefused | UpstreamError `upstream_unavailable` */
  async refresh(provider: OAuthProvider, app: OAuthApp, refreshToken: string): Promise<TokenSet> {
    return this.grant(() => oidc.refreshTokenGrant(this.configuration(provider, app), refreshToken));
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

  /** Best effort: the credential is deleted here whatever the provider says. */
  async revoke(provider: OAuthProvider, app: OAuthApp, token: string): Promise<void> {
    if (provider.revoke) await oidc.tokenRevocation(this.configuration(provider, app), token);
  }

  private configuration(provider: OAuthProvider, app: OAuthApp): oidc.Configuration {
    const metadata: oidc.ServerMetadata = {
      issuer: provider.issuer,
      authorization_endpoint: provider.authorize,
      token_endpoint: provider.token,
      ...(provider.revoke ? { revocation_endpoint: provider.revoke } : {}),
    };
    const configuration = new oidc.Configuration(
      metadata,
      app.clientId,
      undefined,
      oidc.ClientSecretPost(app.clientSecret),
    );
    // The guard decides where http is allowed (the operator's OUTBOUND_ALLOW_PRIVATE), not the library.
    oidc.allowInsecureRequests(configuration);
    const allow = [provider.token, provider.revoke]
      .filter((url): url is string => url !== null)
      .map((url) => ({ origin: new URL(url).origin, pathPrefix: new URL(url).pathname }));
    configuration[oidc.customFetch] = withoutIdToken(outboundFetch(this.outbound, { allow }));
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
 * We look the account up with the token itself, so the id token is of no use; and several providers send one that
 * does not fit fixed metadata (shared/CONNECTORS.md, "OAuth"). Some leave `token_type` out.
 */
function withoutIdToken(send: typeof globalThis.fetch): oidc.CustomFetch {
  return async (url, { body, ...options }) => {
    const { signal, ...init } = options;
    const response = await send(url, { ...init, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
    if (!response.headers.get('content-type')?.includes('json')) return response;
    const { id_token: _, ...rest } = (await response.json()) as Record<string, unknown>;
    const normalised = 'access_token' in rest ? { token_type: 'Bearer', ...rest } : rest;
    return new Response(JSON.stringify(normalised), {
      status: response.status,
      headers: { 'content-type': 'application/json' },
    });
  };
}
