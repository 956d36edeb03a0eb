/** The ways a connection signs in, and the forms that ask for what they need. Types only. */
import type { IdentityKind, JsonValue, UpstreamRequest } from './framework.js';

/** A `fetch` through the guard: any public address, as for what the operator allows; redirects are answers. */
export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** A field of a form: connection settings (Slack modal) or secrets (one-time web page). */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'url' | 'multiline' | 'select' | 'secret' | 'secret_multiline';
  readonly optional?: boolean;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly initial?: string;
  /** Settings only: asked with these auth methods (ids) alone; with every one where absent. */
  readonly auth?: readonly string[];
}

/** How a client proves itself at the token endpoint (RFC 6749, 2.3); `none`: a public client, which PKCE protects. */
export type ClientAuth = 'post' | 'basic' | 'none';

/** Our client at an OAuth server. */
export interface OAuthApp {
  readonly clientId: string;
  /** Empty for a public client. */
  readonly clientSecret: string;
  /** As it was registered; the provider's habit where absent. */
  readonly clientAuth?: ClientAuth | undefined;
  /** When a registered client's secret ends; null for never. Absent for one that somebody entered. */
  readonly registeredUntil?: Date | null | undefined;
  /** Microsoft: the directory whose accounts may sign in. */
  readonly tenantId?: string | undefined;
}

/** Endpoints and habits of an OAuth server. */
export interface OAuthProvider {
  readonly id: string;
  readonly title: string;
  /** One OAuth client serves a family (`slack` and `slack_user`); `connection`: each connection has its own. */
  readonly family: string;
  readonly issuer: string;
  readonly authorize: string;
  readonly token: string;
  /** Null where the provider has none. */
  readonly revoke: string | null;
  /** RFC 7009, or Slack's way: the token revokes itself. */
  readonly revokeWith: 'rfc7009' | 'bearer';
  /** Tells whose account a token is, whatever else it may do. */
  readonly userinfo: string | null;
  /** Added to the authorization URL. */
  readonly parameters: Readonly<Record<string, string>>;
  /** False only where the provider does not take it (Slack: shared/CONNECTORS.md, "What changes the plan", 4). */
  readonly pkce: boolean;
  readonly clientAuth: ClientAuth;
  /** RFC 8707: what the tokens are for, said in every request for one. */
  readonly resource?: string;
  /** RFC 9207: `issuer` is known to the letter; `always`: an answer that does not name it is another server's. */
  readonly namesIssuer?: 'always' | 'sometimes';
  /** Query parameter that carries the scopes, and what stands between them. */
  readonly scopeParameter: 'scope' | 'user_scope';
  readonly scopeSeparator: ' ' | ',';
}

interface AuthMethodBase {
  readonly id: string;
  readonly title: string;
  /** Kinds of identity it fits; all of the connector's where absent. */
  readonly identities?: readonly IdentityKind[];
  /** For which identity the form recommends it, and why, in one sentence. */
  readonly recommended?: { readonly identity: IdentityKind; readonly why: string };
  /** What an admin should know before choosing it. */
  readonly hint?: string;
}

export interface NoAuth extends AuthMethodBase {
  readonly kind: 'none';
}

/** A secret that goes onto every request. */
export interface SecretAuth extends AuthMethodBase {
  readonly kind: 'secret';
  /** Names of shared/CONTRACT.md: `api_key`, `token`, `username`, `password` … */
  readonly fields: readonly FormField[];
  /** Puts the secret on the request. Pure: the time comes in. */
  readonly apply: (
    request: UpstreamRequest,
    secret: Readonly<Record<string, string>>,
    config: Readonly<Record<string, JsonValue>>,
    now: Date,
  ) => UpstreamRequest;
  readonly sign?: (text: string, secret: Readonly<Record<string, string>>) => string;
  /** Parts of what was typed that are secrets by themselves (the key in a connection string), to be masked too. */
  readonly secretsIn?: (secret: Readonly<Record<string, string>>) => readonly string[];
  /** What is wrong with the typed secret, in words and without it; undefined when nothing is. Pure. */
  readonly check?: (
    secret: Readonly<Record<string, string>>,
    config: Readonly<Record<string, JsonValue>>,
  ) => string | undefined;
}

/** A person signs in at the provider; what comes back is kept fresh (authorization code, RFC 6749 4.1). */
export interface OAuthAuth extends AuthMethodBase {
  readonly kind: 'oauth';
  /** Id in `OAUTH_PROVIDERS`; a function where the connection itself names the server. */
  readonly provider: string | ((config: Readonly<Record<string, JsonValue>>) => OAuthProvider);
  /** Scopes asked for whatever the functions (to learn whose account it is). */
  readonly baseScopes: readonly string[];
  /** Scopes that come from the config rather than from the functions. */
  readonly configScopes?: (config: Readonly<Record<string, JsonValue>>) => readonly string[];
  /**
   * Makes us a client where the server lets anybody register (RFC 7591); null where it does not.
   * @throws UpstreamError where it lets others
   */
  readonly register?: (
    config: Readonly<Record<string, JsonValue>>,
    redirectUri: string,
    send: GuardedFetch,
  ) => Promise<OAuthApp | null>;
}

/** How a token is asked for with a secret and without a person. */
export type Mint =
  | {
      readonly grant: 'client_credentials';
      /** After `CONNECTOR_ENDPOINTS`. */
      readonly token: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly clientAuth: 'post' | 'basic';
      readonly scopes: readonly string[];
      readonly parameters?: Readonly<Record<string, string>>;
    }
  | {
      /** RFC 7523 with an RS256 assertion. */
      readonly grant: 'jwt_bearer';
      readonly token: string;
      readonly issuer: string;
      /** The account acted for (domain-wide delegation). */
      readonly subject?: string;
      readonly audience: string;
      /** PKCS#8 PEM. */
      readonly privateKey: string;
      readonly keyId?: string;
      readonly scopes: readonly string[];
    };

/** A secret with which short-lived tokens are fetched: a service account, an app's own client credentials. */
export interface MintedAuth extends AuthMethodBase {
  readonly kind: 'minted';
  readonly fields: readonly FormField[];
  readonly check?: SecretAuth['check'];
  readonly secretsIn?: SecretAuth['secretsIn'];
  /** Pure. @param endpoint looks a host up in `CONNECTOR_ENDPOINTS` by its key, else the given default */
  readonly mint: (
    secret: Readonly<Record<string, string>>,
    config: Readonly<Record<string, JsonValue>>,
    scopes: readonly string[],
    endpoint: (key: string, otherwise: string) => string,
  ) => Mint;
  /** Whose identity it is, from the secret itself: `client_email`. Never a secret. */
  readonly accountOf?: (
    secret: Readonly<Record<string, string>>,
    config: Readonly<Record<string, JsonValue>>,
  ) => string;
}

export type AuthMethod = NoAuth | SecretAuth | OAuthAuth | MintedAuth;
