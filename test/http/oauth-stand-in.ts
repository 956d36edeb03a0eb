/** A small OAuth server and mailbox on loopback that checks what a strict provider checks, and misbehaves on demand. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Issued {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly scope: string;
}

export interface StandIn {
  readonly origin: string;
  /** For `CONNECTOR_ENDPOINTS`. */
  readonly endpoints: Record<string, string>;
  readonly clientId: string;
  readonly clientSecret: string;
  /** In every token that it gives out. */
  readonly canary: string;
  /** Whose mailbox every new token opens. */
  account: string;
  /** Instead of the scopes asked for. */
  granted: string | null;
  /** The error of RFC 6749 that the token endpoint answers everything with. */
  refusal: string | null;
  /** Requests to the token endpoint, and those it refused. */
  readonly tokenRequests: { readonly ok: boolean; readonly form: URLSearchParams }[];
  /** A code as if the person had consented on the page behind `authorizationUrl`; changes make it another's. */
  consent(authorizationUrl: string, changes?: Partial<Issued>): string;
  close(): Promise<void>;
}

export async function startOAuthStandIn(): Promise<StandIn> {
  const codes = new Map<string, Issued>();
  const tokenRequests: StandIn['tokenRequests'] = [];
  const canary = `fake-token-canary-${randomUUID()}`;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/token') {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const issued = codes.get(form.get('code') ?? '');
      codes.delete(form.get('code') ?? '');
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      const ok =
        issued !== undefined &&
        issued.challenge === challenge &&
        issued.redirectUri === form.get('redirect_uri') &&
        form.get('client_id') === standIn.clientId &&
        form.get('client_secret') === standIn.clientSecret;
      tokenRequests.push({ ok: ok && standIn.refusal === null, form });
      if (standIn.refusal !== null) return answer(400, { error: standIn.refusal });
      if (!ok) return answer(400, { error: 'invalid_grant' });
      return answer(200, {
        access_token: `${canary}-access-${randomUUID()}`,
        refresh_token: `${canary}-refresh-${randomUUID()}`,
        token_type: 'Bearer',
        expires_in: 3_600,
        scope: standIn.granted ?? issued.scope,
      });
    }
    const isBearer = request.headers.authorization?.startsWith(`Bearer ${canary}-access-`);
    if (request.url === '/gmail/v1/users/me/profile' && isBearer) {
      return answer(200, { emailAddress: standIn.account });
    }
    return answer(401, { error: { code: 401, message: 'Invalid Credentials', status: 'UNAUTHENTICATED' } });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const standIn: StandIn = {
    origin,
    endpoints: {
      'google.issuer': origin,
      'google.authorize': `${origin}/authorize`,
      'google.token': `${origin}/token`,
      'google.revoke': `${origin}/revoke`,
      gmail: origin,
    },
    clientId: 'stand-in-client',
    clientSecret: 'fake-client-secret-canary-77',
    canary,
    account: 'cleo@example.com',
    granted: null,
    refusal: null,
    tokenRequests,
    consent(authorizationUrl, changes = {}) {
      const query = new URL(authorizationUrl).searchParams;
      if (query.get('code_challenge_method') !== 'S256') throw new Error('PKCE S256 is missing');
      const code = `code-${randomUUID()}`;
      codes.set(code, {
        challenge: query.get('code_challenge') ?? '',
        redirectUri: query.get('redirect_uri') ?? '',
        scope: query.get('scope') ?? '',
        ...changes,
      });
      return code;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return standIn;
}
