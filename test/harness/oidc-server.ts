/**
 * A certified OAuth server (oidc-provider) with the pages that people see: a login, and a consent whose boxes can be
 * left out. It refuses what a strict server refuses: no PKCE, another redirect address, a token that was used. On
 * loopback, below a path of its own like the realms and tenants of the wild.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errors, Provider } from 'oidc-provider';

/** Who signs in, and for what, is never a box of its own. */
const ALWAYS = ['openid', 'email', 'offline_access'];

export interface OidcServerOptions {
  readonly redirectUri: string;
  /** What can be asked for besides the address. */
  readonly scopes: readonly string[];
  /** Of the issuer; `''` for none. */
  readonly path?: string;
  /** Whether any app may register itself (RFC 7591). */
  readonly registration?: boolean;
  /**
   * The one resource that tokens can be asked for (RFC 8707), with `scopes`; a function where it is known only later.
   * Who asked for it at first and then leaves it out at the token endpoint gets no token at all.
   */
  readonly resource?: string | (() => string);
  /** Whether its metadata also stand where RFC 8414 looks for them: before the path. */
  readonly rfc8414?: boolean;
}

export interface OidcFaults {
  /** What its token endpoint answers instead: a proxy that has lost it, another provider's way of saying no. */
  instead: { readonly status: number; readonly body: string | object } | undefined;
  /** Whether people's tokens come with refresh tokens. */
  refreshable: boolean;
  /** Seconds that new access tokens live. */
  lifetime: number;
}

export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** An app that registered itself. */
export interface Registration {
  readonly client_id: string;
  readonly redirect_uris: readonly string[];
  readonly token_endpoint_auth_method: string;
}

/** One request to the token endpoint. */
export interface TokenRequest {
  readonly grant: string;
  readonly status: number;
}

export type OidcServer = Awaited<ReturnType<typeof startOidcServer>>;

export async function startOidcServer(options: OidcServerOptions) {
  const path = options.path ?? '';
  const faults: OidcFaults = { instead: undefined, refreshable: true, lifetime: 3_600 };
  const tokenRequests: TokenRequest[] = [];
  const registrations: Registration[] = [];
  const issued = new Set<string>();
  const client = newClient('web');
  const machine = newClient('machine');
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `${origin}${path}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const guarded = () => (typeof options.resource === 'function' ? options.resource() : options.resource);

  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [options.redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        client_id: machine.clientId,
        client_secret: machine.clientSecret,
        redirect_uris: [],
        response_types: [],
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    cookies: { keys: ['fake-cookie-key'] },
    scopes: [...ALWAYS, ...options.scopes],
    claims: { openid: ['sub'], email: ['email'] },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: async (_context, asking, token) => token.clientId === asking.clientId,
      },
      clientCredentials: { enabled: true },
      ...(options.registration && { registration: { enabled: true } }),
      ...(options.resource !== undefined && {
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context, resource) => {
            if (resource !== guarded()) throw new errors.InvalidTarget();
            return { scope: options.scopes.join(' '), audience: resource, accessTokenFormat: 'opaque' };
          },
          // Asked only where the token request names none. `false` would still give one to who did not say `openid`.
          useGrantedResource: () => {
            throw new errors.InvalidTarget('resource is missing');
          },
        },
      }),
    },
    pkce: { required: () => true },
    rotateRefreshToken: () => true,
    issueRefreshToken: async (_context, asking) =>
      faults.refreshable && asking.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: accountId }),
    }),
    interactions: { url: (_context, { uid }) => `${path}/interaction/${uid}` },
    ttl: {
      AccessToken: () => faults.lifetime,
      ClientCredentials: () => faults.lifetime,
      AuthorizationCode: 60,
      RefreshToken: 86_400,
      Grant: 86_400,
      IdToken: 3_600,
      Interaction: 600,
      Session: 3_600,
    },
  });
  const remember = ({ jti }: { readonly jti: string }) => issued.add(jti);
  provider.on('authorization_code.saved', remember);
  provider.on('access_token.saved', remember);
  provider.on('access_token.issued', remember);
  provider.on('refresh_token.saved', remember);
  provider.on('client_credentials.saved', remember);
  provider.on('client_credentials.issued', remember);
  provider.on('registration_access_token.saved', remember);
  provider.on('registration_create.success', (_context, registered) => {
    const { clientId, redirectUris = [], tokenEndpointAuthMethod = '', clientSecret } = registered;
    registrations.push({
      client_id: clientId,
      redirect_uris: redirectUris,
      token_endpoint_auth_method: tokenEndpointAuthMethod,
    });
    if (clientSecret) issued.add(clientSecret);
  });
  provider.use(async (context, next) => {
    const isToken = context.path === '/token';
    if (isToken && faults.instead) {
      Object.assign(context, faults.instead);
      tokenRequests.push({ grant: 'instead', status: context.status });
      return;
    }
    await next();
    if (!isToken) return;
    const grant = context.oidc?.params?.grant_type;
    tokenRequests.push({ grant: String(grant), status: context.status });
  });
  const protocol: RequestListener = provider.callback();

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { url: asked = '/' } = request;
    const wellKnown = '/.well-known/oauth-authorization-server';
    const url = options.rfc8414 && asked === `${wellKnown}${path}` ? `${path}${wellKnown}` : asked;
    if (!url.startsWith(`${path}/`)) return void response.writeHead(404).end();
    const own = url.slice(path.length);
    if (own.startsWith('/interaction/')) {
      interact(request, response).catch((error: Error) =>
        response.writeHead(500).end(escaped(error.message)),
      );
      return;
    }
    // As express mounts it: the provider derives its own addresses from both.
    Object.assign(request, { originalUrl: url, url: own });
    protocol(request, response);
  };

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    const wanted = String(params.scope).split(' ');
    const boxes = wanted.filter((scope) => !ALWAYS.includes(scope));
    if (request.method !== 'POST') {
      const page = prompt.name === 'login' ? loginPage() : consentPage(boxes);
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
      return;
    }
    const form = await formOf(request);
    if (form.has('cancel')) {
      const result = { error: 'access_denied', error_description: 'The <b>owner</b> said no' };
      return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    }
    if (prompt.name === 'login') {
      const result = { login: { accountId: form.get('account') ?? '' } };
      return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    }
    const grant = new provider.Grant({
      accountId: session?.accountId ?? '',
      clientId: String(params.client_id),
    });
    const ticked = form.getAll('scope');
    grant.addOIDCScope(wanted.filter((scope) => !boxes.includes(scope) || ticked.includes(scope)).join(' '));
    grant.rejectOIDCScope(boxes.filter((scope) => !ticked.includes(scope)).join(' '));
    const resource = guarded();
    if (resource !== undefined && [params.resource].flat().includes(resource)) {
      grant.addResourceScope(resource, boxes.filter((scope) => ticked.includes(scope)).join(' '));
      grant.rejectResourceScope(resource, boxes.filter((scope) => !ticked.includes(scope)).join(' '));
    }
    const result = { consent: { grantId: await grant.save() } };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  }

  const endpoint = {
    authorize: `${issuer}/auth`,
    token: `${issuer}/token`,
    revoke: `${issuer}/token/revocation`,
    userinfo: `${issuer}/me`,
  };
  const found = async (token: string) =>
    (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));

  return {
    issuer,
    host: new URL(origin).host,
    /** Of people who sign in. */
    client,
    /** Of an app that acts as itself; proves itself with HTTP Basic. */
    machine,
    faults,
    tokenRequests,
    registrations,
    /** Every code and token that was ever given out, and what apps that registered themselves got. */
    issued,
    endpoint,
    /** What `CONNECTOR_ENDPOINTS` says where it stands in for a provider of the catalogue. */
    standsInFor: (family: string): Record<string, string> =>
      Object.fromEntries(
        Object.entries({ issuer, ...endpoint }).map(([name, url]) => [`${family}.${name}`, url]),
      ),
    /** What an access token that is alive may do; null for any other. */
    scopesOf: async (token: string): Promise<readonly string[] | null> => {
      const known = await found(token);
      return known?.isValid ? [...known.scopes] : null;
    },
    /** The resource that an access token that is alive is for; null for one that is for none, and for any other. */
    audienceOf: async (token: string): Promise<string | readonly string[] | null> => {
      const known = await found(token);
      return known?.isValid ? (known.aud ?? null) : null;
    },
    /** Whether a refresh token would still be taken. */
    canRefresh: async (token: string): Promise<boolean> =>
      (await provider.RefreshToken.find(token))?.isValid === true,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function newClient(name: string): OidcClient {
  return { clientId: `fake-${name}-client`, clientSecret: `fake-${name}-secret-canary-${randomUUID()}` };
}

function loginPage(): string {
  return `<h1>Sign in</h1>
<form method="post"><input type="text" name="account"><button>Sign in</button></form>
<form method="post"><input type="hidden" name="cancel" value="yes"><button>Cancel</button></form>`;
}

function consentPage(scopes: readonly string[]): string {
  const boxes = scopes.map(
    (scope) =>
      `<label><input type="checkbox" name="scope" value="${escaped(scope)}"> ${escaped(scope)}</label>`,
  );
  return `<h1>Allow?</h1>
<form method="post">${boxes.join('\n')}<button>Allow</button></form>
<form method="post"><input type="hidden" name="cancel" value="yes"><button>Cancel</button></form>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
