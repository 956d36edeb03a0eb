/**
 * An OpenID Connect provider that says what a test wants it to say: what a certified one (oidc-server.ts) never would.
 * On loopback, over http.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

const PATH = '/realms/staff';

export type LaxProvider = Awaited<ReturnType<typeof startLaxProvider>>;

export async function startLaxProvider() {
  const codes = new Map<string, JWTPayload>();
  const requests: string[] = [];
  let key = await newKey();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer = `${origin}${PATH}`;

  const provider = {
    issuer,
    host: new URL(origin).host,
    clientId: 'fake-web-client',
    clientSecret: 'fake-secret-canary-lax',
    /** Of every answer so far. */
    tokens: [] as string[],
    /** Paths below the issuer, in order. */
    requests,
    /** What its metadata says besides, or instead. */
    metadata: {} as Record<string, unknown>,
    /** Answers with a status, or not at all, by path below the issuer. */
    faults: {} as Record<string, number | 'closed'>,
    /** Other keys from now on, under other names. */
    rotateKeys: async (): Promise<void> => {
      key = await newKey();
    },
    /** She signs in: where her browser is sent. @param claims of the id token, besides the ordinary or instead */
    signIn: (authorizationUrl: string, claims: JWTPayload = {}): URL => {
      const asked = new URL(authorizationUrl).searchParams;
      const code = `fake-code-${randomUUID()}`;
      codes.set(code, {
        iss: issuer,
        sub: 'subject-1',
        aud: provider.clientId,
        nonce: asked.get('nonce') ?? '',
        auth_time: seconds(),
        email: asked.get('login_hint') ?? '',
        ...claims,
      });
      const back = new URL(asked.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString();
      return back;
    },
    close: async (): Promise<void> => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').slice(PATH.length);
    requests.push(path);
    const fault = provider.faults[path];
    if (fault === 'closed') return void request.socket.destroy();
    if (fault !== undefined) return void response.writeHead(fault).end('away');
    const content =
      path === '/token'
        ? await tokensFor(await formOf(request))
        : path === '/jwks'
          ? { keys: [key.jwk] }
          : {
              issuer,
              authorization_endpoint: `${issuer}/auth`,
              token_endpoint: `${issuer}/token`,
              jwks_uri: `${issuer}/jwks`,
              ...provider.metadata,
            };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  }

  async function tokensFor(form: URLSearchParams) {
    const claims = codes.get(form.get('code') ?? '');
    const idToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: key.jwk.kid })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key.privateKey);
    const accessToken = `fake-access-${randomUUID()}`;
    provider.tokens.push(idToken, accessToken);
    return { access_token: accessToken, token_type: 'Bearer', id_token: idToken };
  }

  return provider;
}

export const seconds = (): number => Math.floor(Date.now() / 1_000);

async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  return {
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' },
  };
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
