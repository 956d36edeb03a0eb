/**
 * Signing in at the company's own OpenID Connect provider, as a second proof: who it is, and that it was just now.
 * openid-client does the protocol (discovery, PKCE, nonce, the id token's signature); our own way out carries it.
 */
import * as oidc from 'openid-client';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { Outbound } from '../net/safe-fetch.js';
import { GrantRefused, TOKEN_TIMEOUT_SECONDS } from './oauth-client.js';

export interface CompanySignInConfig {
  /** As its discovery document says it (OpenID Connect Discovery 1.0, 3): one company's, not that of many tenants. */
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
/** It may say nothing about it (Microsoft): the company chose whom it trusts. Some say it as a word (Amazon Cognito). */
const VERIFIED: readonly unknown[] = [undefined, true, 'true'];
/** What openid-client calls no answer, or one that is not of the protocol: a proxy's page, an error without a body. */
const NO_ANSWER = [
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
];

export class CompanySignIn {
  constructor(
    private readonly config: CompanySignInConfig,
    private readonly outbound: Outbound,
    private readonly log: Logger,
  ) {}

  newChecks(): Pick<SignInChecks, 'nonce' | 'verifier'> {
    return { nonce: oidc.randomNonce(), verifier: oidc.randomPKCECodeVerifier() };
  }

  /** `https:`, and `http:` only where the operator's provider is on it. */
  get scheme(): string {
    return new URL(this.config.issuer).protocol;
  }

  /**
   * Where the browser goes. The provider is told to ask for the password or key again, whoever is signed in there.
   * @param loginHint the address that she is expected to sign in with
   * @throws AppError `unavailable`
   */
  async authorizationUrl(
    redirectUri: string,
    { state, nonce, verifier }: Omit<SignInChecks, 'begunAt'>,
    loginHint: string,
  ): Promise<string> {
    const url = oidc.buildAuthorizationUrl(await this.provider(), {
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
   * @throws AppError `unavailable`
   */
  async finish(callback: URL, { state, nonce, verifier, begunAt }: SignInChecks): Promise<SignedIn> {
    const provider = await this.provider();
    try {
      const tokens = await oidc.authorizationCodeGrant(provider, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
      });
      const claims = tokens.claims();
      if (!claims || typeof claims.auth_time !== 'number') throw new GrantRefused('no_auth_time');
      if (claims.auth_time * 1_000 < begunAt.getTime() - SKEW_MS) throw new GrantRefused('not_fresh');
      const known =
        claims.email === undefined && provider.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)
          : claims;
      if (typeof known.email !== 'string' || !VERIFIED.includes(known.email_verified))
        throw new GrantRefused('no_verified_email');
      return { email: known.email };
    } catch (error) {
      const refusal = this.refusalOf(error);
      if (refusal instanceof GrantRefused)
        this.log.warn({ reason: refusal.reason }, 'a sign-in with the company account was refused');
      throw refusal;
    }
  }

  /**
   * As it is now: sign-ins are rare, and addresses and keys change. The guard decides where http is allowed (the
   * operator's OUTBOUND_ALLOW_PRIVATE), not the library.
   */
  private async provider(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.config;
    const settings: oidc.DiscoveryRequestOptions = {
      [oidc.customFetch]: this.fetching([issuer]),
      timeout: TOKEN_TIMEOUT_SECONDS,
      execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    };
    try {
      const client = oidc.ClientSecretPost(clientSecret);
      const found = await oidc.discovery(new URL(issuer), clientId, undefined, client, settings);
      return this.held(found);
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  /** To the issuer that was configured, and to the addresses that it names. */
  private held(configuration: oidc.Configuration): oidc.Configuration {
    const { issuer, authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint } =
      configuration.serverMetadata();
    // The library lets Microsoft's metadata for every tenant through, and then takes anybody's tenant for the company.
    if (new URL(issuer).href !== new URL(this.config.issuer).href)
      throw new Error(`its metadata says that its issuer is ${issuer}, which is not STEP_UP_OIDC_ISSUER`);
    if (authorization_endpoint === undefined) throw new Error('its metadata names no authorization_endpoint');
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

  /** What may come from the address bar goes no further than as what RFC 6749 errors look like. */
  private refusalOf(error: unknown): Error {
    if (error instanceof GrantRefused) return error;
    if (error instanceof oidc.ResponseBodyError && error.status >= 500) return this.unavailable(error);
    if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError)
      return new GrantRefused(/^[a-z_]{1,40}$/.test(error.error) ? error.error : 'another_error');
    const code = error instanceof oidc.ClientError ? error.code : undefined;
    // Without a code the library did not get as far as an answer.
    if (code === undefined || NO_ANSWER.includes(code)) return this.unavailable(error);
    return new GrantRefused(code.toLowerCase());
  }

  /** Causes go no further, not into the log either: they hold pieces of answers, and those hold tokens. */
  private unavailable(error: unknown): AppError {
    this.log.warn(
      { reason: error instanceof Error ? error.message : 'unknown' },
      'the company’s sign-in is not usable',
    );
    return new AppError('unavailable', UNAVAILABLE);
  }
}

const UNAVAILABLE =
  'The company’s sign-in service does not answer as expected, so nothing was approved. Press Approve in Slack again; if it goes on, tell an admin.';
