/** The reference MCP server behind OAuth (specification 2025-11-25): a guard before it that takes living tokens only. */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startEverything } from '../connectors/mcp-server.js';
import type { OidcServer } from './oidc-server.js';

const METADATA = '/.well-known/oauth-protected-resource/mcp';

export interface GuardedMcpOptions {
  /** Whose tokens it takes. */
  readonly oidc: Pick<OidcServer, 'issuer' | 'scopesOf' | 'audienceOf'>;
  /** A token needs all of them. */
  readonly scopes: readonly string[];
}

export interface GuardedMcpFaults {
  /** What the address of its metadata answers instead. */
  metadata?: { readonly status: number; readonly body: string | object } | undefined;
}

/** One request to `/mcp`. */
export interface GuardedRequest {
  /** The server's own where the guard let it through. */
  readonly status: number;
  /** Of HTTP. */
  readonly method: string;
}

export type GuardedMcp = Awaited<ReturnType<typeof startGuardedMcp>>;

export async function startGuardedMcp({ oidc, scopes }: GuardedMcpOptions) {
  const everything = await startEverything();
  const asked: GuardedRequest[] = [];
  const faults: GuardedMcpFaults = {};
  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(error.message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/mcp`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', origin);
    if (pathname === METADATA && request.method === 'GET') return describe(response);
    if (pathname !== '/mcp') return void response.writeHead(404).end();
    const refused = await refusal(request.headers.authorization ?? '');
    const status = refused === undefined ? await forward(request, response) : refused.status;
    asked.push({ status, method: request.method ?? '' });
    if (refused) response.writeHead(refused.status, { 'www-authenticate': refused.challenge }).end();
  }

  function describe(response: ServerResponse): void {
    const own = { resource: url, authorization_servers: [oidc.issuer], scopes_supported: scopes };
    const { status, body } = faults.metadata ?? { status: 200, body: own };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async function refusal(authorization: string) {
    const [, token = ''] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
    const known = (await oidc.audienceOf(token)) === url ? await oidc.scopesOf(token) : null;
    const wanted = `resource_metadata="${origin}${METADATA}", scope="${scopes.join(' ')}"`;
    if (known === null) return { status: 401, challenge: `Bearer ${wanted}` };
    if (scopes.every((scope) => known.includes(scope))) return undefined;
    return { status: 403, challenge: `Bearer error="insufficient_scope", ${wanted}` };
  }

  /** Without the token, which is not for the server behind. @returns the status once it is there */
  function forward(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const { authorization: _token, host: _host, ...headers } = request.headers;
    return new Promise((resolve, reject) => {
      const onward = send(everything.url, { method: request.method, headers, agent: false }, (answered) => {
        const { statusCode = 502 } = answered;
        response.writeHead(statusCode, answered.headers).flushHeaders();
        answered.on('error', () => response.destroy());
        answered.pipe(response);
        resolve(statusCode);
      });
      onward.on('error', reject);
      response.once('close', () => onward.destroy());
      request.pipe(onward);
    });
  }

  return {
    /** Of the MCP server, and the resource that its tokens are for. */
    url,
    host: new URL(origin).host,
    asked,
    faults,
    close: async (): Promise<void> => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await everything.stop();
    },
  };
}
