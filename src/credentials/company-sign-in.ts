/**
 * Signing in at the company's own OpenID Connect provider, as a second proof: who it is, and that it was just now.
 * openid-client does the protocol (discovery, PKCE, nonce, the id token's signature); our own way out carries it.
 */
import * as oidc from 'openid-client';
import { AppError, UpstreamError } from '../errors.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { Outbound } from '../net/safe-fetch.js';
import { GrantRefused, TOKEN_TIMEOUT_SECONDS } from './oauth-client.js';

export interface CompanySignInConfig {
  /** As its discovery document says it (OpenID Connect Discovery 1.0, 3). */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a sign-in under way is checked by when it comes back. None of it leaves this process and the browser. */
export interface SignInChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** When it was begun: an older session of hers at the provider is no fresh proof. */
  readonly begunAt: Date;
}

export interface SignedIn {
  readonly email: string;
}

/** Between the provider's clock and ours. */
const SKEW_MS = 60_000;
/** Her ten minutes, and the skew. */
const MOST_AGE_SECONDS = 11 * 60;

export class CompanySignIn {
  /** Read once; again after it could not be read. */
  private metadata: Promise<oidc.Configuration> | null = null;

  constructor(
    private readonly config: CompanySignInConfig,
    private readonly outbound: Outbound,
  ) {}

  newChecks(): Pick<SignInChecks, 'nonce' | 'verifier'> {
    return { nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
  }

  /** Of the page that people sign in on. @throws UpstreamError `upstream_unavailable` */
  async signInOrigin(): Promise<string> {
    return new URL((await this.configuration()).serverMetadata().authorization_endpoint ?? this.config.issuer)
      .origin;
  }

  /**
   * Where the browser goes. The provider is told to ask for the password or key again, whoever is signed in there.
   * @param loginHint the address that she is expected to sign in with
   * @throws UpstreamError `upstream_unavailable`
   */
  async authorizationUrl(
    redirectUri: string,
    { state, nonce, verifier }: Omit<SignInChecks, 'begunAt'>,
    loginHint: string,
  ): Promise<string> {
    const url = oidc.buildAuthorizationUrl(await this.configuration(), {
      redirect_uri: redirectUri,
      scope: 'openid email',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      // OpenID Connect Core 1.0, 3.1.2.1. `max_age` obliges the provider to say when she signed in.
      prompt: 'login',
      max_age: '0',
      login_hint: loginHint,
    });
    return url.href;
  }

  /**
   * Who came back. The code is used up whatever follows.
   * @param callback the redirect address that was registered, with the query that came
   * @throws GrantRefused: she or the provider said no, or what came back is not hers, not fresh, or not the provider's
   * @throws UpstreamError `upstream_unavailable`
   */
  async finish(callback: URL, { state, nonce, verifier, begunAt }: SignInChecks): Promise<SignedIn> {
    const configuration = await this.configuration();
    try {
      const tokens = await oidc.authorizationCodeGrant(configuration, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        maxAge: MOST_AGE_SECONDS,
      });
      const claims = tokens.claims();
      if (!claims || typeof claims.auth_time !== 'number') throw new GrantRefused('no_auth_time');
      if (claims.auth_time * 1_000 < begunAt.getTime() - SKEW_MS) throw new GrantRefused('not_fresh');
      const known =
        claims.email === undefined && configuration.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : claims;
      // Some providers say nothing about it (Microsoft): the company chose whom it trusts. One that says no is heard.
      if (typeof known.email !== 'string' || known.email_verified === false)
        throw new GrantRefused('no_verified_email');
      return { email: known.email };
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private configuration(): Promise<oidc.Configuration> {
    this.metadata ??= this.discover().catch((error: unknown) => {
      this.metadata = null;
      throw unavailable(error);
    });
    return this.metadata;
  }

  /** The guard decides where http is allowed (the operator's OUTBOUND_ALLOW_PRIVATE), not the library. */
  private async discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.config;
    const configuration = await oidc.discovery(
      new URL(issuer),
      clientId,
      undefined,
      oidc.ClientSecretPost(clientSecret),
      {
        [oidc.customFetch]: this.fetching([issuer]),
        timeout: TOKEN_TIMEOUT_SECONDS,
        execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
      },
    );
    const { token_endpoint, jwks_uri, userinfo_endpoint } = configuration.serverMetadata();
    const used = [token_endpoint, jwks_uri, userinfo_endpoint].filter((url) => url !== undefined);
    configuration[oidc.customFetch] = this.fetching(used);
    return configuration;
  }

  private fetching(urls: readonly string[]): oidc.CustomFetch {
    const allow = urls.map((url) => ({ origin: new URL(url).origin, pathPrefix: new URL(url).pathname }));
    const send = outboundFetch(this.outbound, { allow });
    return (url, { body, signal, ...init }) =>
      send(url, { ...init, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
  }
}

/** What may come from the address bar goes no further than as what RFC 6749 errors look like. */
function refusalOf(error: unknown): Error {
  if (error instanceof GrantRefused || error instanceof AppError) return error;
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError)
    return new GrantRefused(/^[a-z_]{1,40}$/.test(error.error) ? error.error : 'another_error');
  const isAway = !(error instanceof oidc.ClientError) || error.code === 'OAUTH_TIMEOUT';
  return isAway ? unavailable(error) : new GrantRefused('unexpected_answer');
}

function unavailable(cause: unknown): UpstreamError {
  const message =
    'The company’s sign-in service does not answer as expected. Try again; if it goes on, tell an admin.';
  return new UpstreamError('upstream_unavailable', message, { definite: true, cause });
}
