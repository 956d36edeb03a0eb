/** A real OAuth provider with rotating refresh tokens, and a mailbox that only takes what it has issued. Both on loopback. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

const CLIENT = { clientId: 'fake-client', clientSecret: 'fake-oauth-client-secret-5127-not-real' };
const SCOPE = 'openid offline_access https://www.googleapis.com/auth/gmail.readonly';

/** What the token endpoint does instead of answering as usual. */
export interface SignInFaults {
  /** The answer of a proxy in front of it. */
  badGateway: boolean;
  /** Its answers carry no new refresh token and the old one stays good, as with Google. */
  keepsRefreshToken: boolean;
  /** Called when a refresh is done and the answer not yet on its way. */
  beforeAnswer: (() => Promise<void>) | undefined;
}

export interface Issued {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly grantId: string;
}

export type SignInService = Awaited<ReturnType<typeof startSignInService>>;

export async function startSignInService() {
  const faults: SignInFaults = { badGateway: false, keepsRefreshToken: false, beforeAnswer: undefined };
  const counts = { refreshed: 0, refused: 0 };
  const http = await listen((request, response) => callback(request, response));
  const issuer = originOf(http);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: ['http://127.0.0.1/oauth/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    cookies: { keys: ['fake-cookie-key'] },
    scopes: SCOPE.split(' '),
    features: { devInteractions: { enabled: false } },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    rotateRefreshToken: () => !faults.keepsRefreshToken,
    ttl: { AccessToken: 3_600, RefreshToken: 86_400, Grant: 86_400, IdToken: 3_600 },
  });
  provider.use(async (context, next) => {
    if (context.path === '/token' && faults.badGateway) {
      context.status = 502;
      context.body = '<html>bad gateway</html>';
      return;
    }
    await next();
    if (context.path !== '/token') return;
    if (context.status === 200) counts.refreshed += 1;
    else counts.refused += 1;
    if (faults.keepsRefreshToken && context.status === 200) {
      const { refresh_token: _, ...rest } = context.body as Record<string, unknown>;
      context.body = rest;
    }
    await faults.beforeAnswer?.();
  });
  const callback: RequestListener = provider.callback();

  return {
    issuer,
    client: CLIENT,
    faults,
    counts,
    /** What `CONNECTOR_ENDPOINTS` says of it. */
    endpoints: {
      'google.issuer': issuer,
      'google.authorize': `${issuer}/auth`,
      'google.token': `${issuer}/token`,
      'google.revoke': `${issuer}/token/revocation`,
    },
    /** A grant and its first tokens, as after a sign-in in the browser. */
    issue: async (accountId: string): Promise<Issued> => {
      const client = await provider.Client.find(CLIENT.clientId);
      if (!client) throw new Error('the provider forgot its client');
      const grant = new provider.Grant({ accountId, clientId: CLIENT.clientId });
      grant.addOIDCScope(SCOPE);
      const grantId = await grant.save();
      const shared = { accountId, client, grantId, gty: 'authorization_code', scope: SCOPE };
      return {
        grantId,
        accessToken: await new provider.AccessToken(shared).save(),
        refreshToken: await new provider.RefreshToken(shared).save(),
      };
    },
    /** The person takes her consent back, in her account's settings. */
    revoke: async ({ grantId }: Issued): Promise<void> => {
      await (await provider.Grant.find(grantId))?.destroy();
    },
    accepts: async (accessToken: string): Promise<boolean> =>
      (await provider.AccessToken.find(accessToken)) !== undefined,
    close: () => close(http),
  };
}

export type Mailbox = Awaited<ReturnType<typeof startMailbox>>;

/** Gmail's `labels`, for whoever carries a token that the service has issued; anybody else gets 401. */
export async function startMailbox(signIn: Pick<SignInService, 'accepts'>) {
  const requests: { readonly authorization: string; readonly status: number }[] = [];
  const http = await listen((request, response) => {
    void (async () => {
      const authorization = request.headers.authorization ?? '';
      const status = (await signIn.accepts(authorization.replace(/^Bearer /, ''))) ? 200 : 401;
      requests.push({ authorization, status });
      const body = status === 200 ? { labels: [{ id: 'INBOX', name: 'INBOX' }] } : { error: 'unauthorized' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    })();
  });
  return { origin: originOf(http), requests, close: () => close(http) };
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
