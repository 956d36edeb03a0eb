/**
 * Signing in to a server (specification 2025-11-25, "Authorization"): the server names its authorization server
 * (RFC 9728), that one its endpoints (RFC 8414 or OpenID Connect Discovery), and it may let us register (RFC 7591). The
 * client library looks all that up; every address that it comes upon goes through the guard. What is found is kept with
 * the connection: nothing is looked up anew behind an admin's back.
 */
import {
  checkResourceAllowed,
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
  IssuerMismatchError,
  RegistrationRejectedError,
  registerClient,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { AppError, UpstreamError } from '../../errors.js';
import type { ClientAuth, GuardedFetch, JsonValue, OAuthApp, OAuthProvider } from '../framework.js';
import { compact, textOf } from '../json.js';
import { endpointProblem, scopesIn } from '../rest/auth.js';
import { cleanLine } from './clean.js';

const address = z
  .string()
  .max(2_000)
  .refine((text) => endpointProblem(text) === undefined);
const CLIENT_AUTH = ['basic', 'post', 'none'] as const satisfies readonly ClientAuth[];
/** A server that names more is asked for none: it then gives what it gives to everybody (RFC 6749, 3.3). */
export const LONGEST_SCOPES = 2_000;

/** As found, for one server and no other. */
export const storedSignIn = z.strictObject({
  server: address,
  resource: address,
  issuer: address,
  authorize: address,
  token: address,
  revoke: z.exactOptional(address),
  register: z.exactOptional(address),
  client_auth: z.enum(CLIENT_AUTH),
  scopes: z.string().max(LONGEST_SCOPES),
  names_issuer: z.enum(['always', 'sometimes']),
});
export type StoredSignIn = z.infer<typeof storedSignIn>;

type Config = Readonly<Record<string, JsonValue>>;
type ServerMetadata = NonNullable<Awaited<ReturnType<typeof discoverAuthorizationServerMetadata>>>;

/**
 * Asks the server at `url` how people sign in there.
 * @throws AppError `invalid_arguments` in words for an admin; UpstreamError where the guard refuses, or nobody answers
 */
export async function findSignIn(url: string, send: GuardedFetch): Promise<StoredSignIn> {
  const { host, origin } = new URL(url);
  const asking = new Asking(host, send);
  const { resourceMetadataUrl, scope } = await asking.challenge(url);
  const said = await asking.document((fetch) =>
    discoverOAuthProtectedResourceMetadata(url, resourceMetadataUrl ? { resourceMetadataUrl } : {}, fetch),
  );
  if (said && !checkResourceAllowed({ requestedResource: url, configuredResource: said.resource }))
    throw unusable(
      `${host} says that its sign-in is for ${cleanLine(said.resource, 200)}, which is another server.`,
    );
  // Before revision 2025-06-18 a server was its own authorization server, at the root.
  const issuer = said?.authorization_servers?.[0] ?? `${origin}/`;
  const found = await asking.document((fetchFn) => discoverAuthorizationServerMetadata(issuer, { fetchFn }));
  if (!found) throw unusable(`${host} does not say where people sign in.`);
  checkAbilities(found, host);
  const stored = storedSignIn.safeParse(
    compact({
      server: url,
      resource: said?.resource ?? url,
      issuer: found.issuer,
      authorize: found.authorization_endpoint,
      token: found.token_endpoint,
      // RFC 8414 names it, OpenID Connect Discovery does not.
      revoke: usable('revocation_endpoint' in found ? found.revocation_endpoint : undefined),
      register: usable(found.registration_endpoint),
      client_auth: clientAuthOf(found),
      scopes: scopesOf(scope ?? said?.scopes_supported?.join(' ') ?? '', found),
      names_issuer: namesIssuer(found),
    }),
  );
  if (!stored.success) throw unusable(`The sign-in of ${host} has addresses that cannot be used.`);
  return stored.data;
}

/** Of what it could also do without. */
function usable(text: string | undefined): string | undefined {
  return address.safeParse(text).success ? text : undefined;
}

/** The library takes every failure for "there is none"; what is away for a moment, or not to be believed, is another matter. */
class Asking {
  private last = { host: '', status: 0 };

  constructor(
    private readonly server: string,
    private readonly through: GuardedFetch,
  ) {}

  /** What a stranger is told: 401 with where to look and what to ask for, if the server is a polite one. */
  async challenge(url: string): Promise<Partial<ReturnType<typeof extractWWWAuthenticateParams>>> {
    const response = await this.send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'ping' }),
    });
    await response.body?.cancel();
    return response.status === 401 ? extractWWWAuthenticateParams(response) : {};
  }

  /** Undefined where there is none. @throws AppError | UpstreamError */
  async document<T>(look: (send: GuardedFetch) => Promise<T | undefined>): Promise<T | undefined> {
    // Some servers have a page for whatever is not there.
    const json: GuardedFetch = async (url, init) => {
      const response = await this.send(url, init);
      const isPage = response.ok && !/\bjson\b/i.test(response.headers.get('content-type') ?? 'json');
      if (!isPage) return response;
      this.last = { ...this.last, status: 404 };
      return new Response(null, { status: 404 });
    };
    try {
      return await look(json);
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      const { host, status } = this.last;
      if (error instanceof IssuerMismatchError)
        throw unusable(
          `${host}, where the sign-in of ${this.server} shall be, calls itself by another name.`,
        );
      if (status >= 400) return undefined;
      throw unusable(`What ${host} says about the sign-in of ${this.server} cannot be read.`);
    }
  }

  private readonly send: GuardedFetch = async (given, init) => {
    const response = await this.through(given, init);
    const { status } = response;
    const { host } = new URL(given);
    this.last = { host, status };
    if (!AWAY.includes(status)) return response;
    const message = `${host} answered ${status} when it was asked how people sign in. Try again in a moment.`;
    throw new UpstreamError('upstream_unavailable', message, { definite: true, status });
  };
}

/** Not "there is none". 500 is: servers answer so to addresses that they do not know. */
const AWAY: readonly number[] = [429, 502, 503, 504];

/** "MCP clients MUST refuse to proceed" without PKCE (specification, "Authorization Code Protection"). */
function checkAbilities(found: ServerMetadata, host: string): void {
  const problems = [
    found.code_challenge_methods_supported?.includes('S256')
      ? []
      : ['does not say that it protects codes (PKCE with S256)'],
    found.response_types_supported.includes('code') ? [] : ['gives out no codes'],
  ].flat();
  if (problems.length > 0)
    throw unusable(`The sign-in of ${host}, at ${cleanLine(found.issuer, 200)}, ${problems.join(' and ')}.`);
}

function unusable(problem: string): AppError {
  const message = `${problem} Choose another way to sign in, or ask whoever runs the server.`;
  return new AppError('invalid_arguments', message, { path: '/config/url' });
}

/** RFC 8414, 2: basic, where the server does not say. */
function clientAuthOf({ token_endpoint_auth_methods_supported: known }: ServerMetadata): ClientAuth {
  if (known === undefined || known.includes('client_secret_basic')) return 'basic';
  return known.includes('client_secret_post') ? 'post' : 'none';
}

/** With `offline_access` where the server knows it: without, many give no refresh token. */
function scopesOf(wanted: string, { scopes_supported: known = [] }: ServerMetadata): string {
  const scopes = new Set(scopesIn(wanted));
  if (known.includes('offline_access')) scopes.add('offline_access');
  const text = [...scopes].join(' ');
  return text.length <= LONGEST_SCOPES ? text : '';
}

function namesIssuer(found: ServerMetadata): StoredSignIn['names_issuer'] {
  return 'authorization_response_iss_parameter_supported' in found &&
    found.authorization_response_iss_parameter_supported === true
    ? 'always'
    : 'sometimes';
}

/** What an admin typed wins over what the server asks for. */
export function askedScopes({ scopes, sign_in: found }: Config): string[] {
  const stored = storedSignIn.safeParse(found).data?.scopes ?? '';
  const typed = textOf(scopes);
  return scopesIn(typed.trim() === '' ? stored : typed);
}

/** @throws AppError `invalid_arguments` where the server was not asked, or another one was */
export function signInProvider({ url, sign_in: stored }: Config): OAuthProvider {
  const found = storedSignIn.safeParse(stored).data;
  if (!found || typeof url !== 'string' || found.server !== url.trim()) {
    const message =
      'The sign-in belongs to the address that it was found for. Add a new connection for another one.';
    throw new AppError('invalid_arguments', message, { path: '/config/url' });
  }
  return {
    id: 'connection',
    title: titleOf(found),
    family: 'connection',
    issuer: found.issuer,
    namesIssuer: found.names_issuer,
    authorize: found.authorize,
    token: found.token,
    revoke: found.revoke ?? null,
    revokeWith: 'rfc7009',
    userinfo: null,
    parameters: scopesIn(found.scopes).includes('offline_access') ? { prompt: 'consent' } : {},
    pkce: true,
    clientAuth: found.client_auth,
    resource: found.resource,
    scopeParameter: 'scope',
    scopeSeparator: ' ',
  };
}

/** Who gets the codes is the one to trust; where people are sent first may be somebody else. */
function titleOf({ authorize, token }: StoredSignIn): string {
  const [first, last] = [new URL(authorize).host, new URL(token).host];
  return first === last ? last : `${last} (sign-in at ${first})`;
}

const METHODS = { basic: 'client_secret_basic', post: 'client_secret_post', none: 'none' } as const;

/**
 * Makes us a client there.
 * @returns null where the server does not let anybody
 * @throws UpstreamError where it does, and refused
 */
export async function register(
  config: Config,
  redirectUri: string,
  send: GuardedFetch,
): Promise<OAuthApp | null> {
  const found = storedSignIn.parse(config.sign_in);
  if (found.register === undefined) return null;
  try {
    const client = await registerClient(found.issuer, {
      metadata: {
        issuer: found.issuer,
        authorization_endpoint: found.authorize,
        token_endpoint: found.token,
        registration_endpoint: found.register,
        response_types_supported: ['code'],
      },
      clientMetadata: {
        client_name: 'Siesta Connections',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: METHODS[found.client_auth],
      },
      fetchFn: send,
    });
    return registered(client, found.client_auth);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    // Without the cause: its message is all that the server answered.
    const status = error instanceof RegistrationRejectedError ? ` (${error.status})` : '';
    const message = `${new URL(found.register).host} did not take our registration${status}.`;
    throw new UpstreamError('upstream_rejected', message, { definite: true });
  }
}

/** Of a length that fits into a form and a header. */
const clientInformation = z.object({
  client_id: z.string().min(1).max(1_000),
  client_secret: z.string().max(4_000).default(''),
  /** Seconds since 1970; 0: never. */
  client_secret_expires_at: z.number().min(0).max(8.64e12).default(0),
  token_endpoint_auth_method: z.string().optional(),
});

/** The server decides how the client proves itself, and for how long (RFC 7591, 3.2.1). */
function registered(answer: unknown, asked: ClientAuth): OAuthApp {
  const client = clientInformation.parse(answer);
  const { client_id: clientId, client_secret: clientSecret, client_secret_expires_at: ends } = client;
  if (clientSecret === '') return { clientId, clientSecret, clientAuth: 'none', registeredUntil: null };
  const given = CLIENT_AUTH.find((each) => METHODS[each] === client.token_endpoint_auth_method);
  return {
    clientId,
    clientSecret,
    clientAuth: given ?? (asked === 'none' ? 'basic' : asked),
    registeredUntil: ends === 0 ? null : new Date(ends * 1_000),
  };
}
