/** emulate's Google, out of sight behind the front of `google.ts`. It advertises the front's address as its own. */
import { createEmulator } from 'emulate';
import { z } from 'zod';
import { freePort } from './free-port.js';
import type { GoogleSeed } from './google-seed.js';
import type { Answer, ReceivedRequest } from './loopback.js';

export interface OAuthClient {
  readonly client_id: string;
  readonly client_secret: string;
  readonly name: string;
  readonly redirect_uris: readonly string[];
}

/** Passes a request on as it is; redirects come back as they are. */
export type Forward = (request: ReceivedRequest) => Promise<Answer>;

export interface StandIn {
  readonly forward: Forward;
  /** A call of our own. @throws Error when it is refused */
  call(token: string, method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const anyObject = z.record(z.string(), z.unknown());

/**
 * @param tokens account by access token: tokens that the front uses itself
 */
export async function startStandIn(
  publicOrigin: string,
  seed: GoogleSeed,
  client: OAuthClient,
  tokens: ReadonlyMap<string, string>,
): Promise<StandIn> {
  // It does not tell which port it got when it advertises another address, so it is told one.
  const port = await freePort();
  const emulator = await createEmulator({
    service: 'google',
    port,
    baseUrl: publicOrigin,
    seed: {
      tokens: Object.fromEntries([...tokens].map(([token, login]) => [token, { login }])),
      google: { ...seed, oauth_clients: [client] },
    },
  });
  const base = `http://127.0.0.1:${port}`;

  async function forward(request: ReceivedRequest): Promise<Answer> {
    const { authorization, 'content-type': contentType } = request.headers;
    const answered = await fetch(`${base}${request.url}`, {
      method: request.method,
      redirect: 'manual',
      headers: {
        ...(authorization && { authorization }),
        ...(contentType && { 'content-type': contentType }),
      },
      ...(request.bytes.byteLength > 0 && { body: request.bytes }),
    });
    const headers: Record<string, string> = {};
    for (const name of ['content-type', 'location']) {
      const value = answered.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const encoding = /^(?:text|application\/json)\b/.test(headers['content-type'] ?? '') ? 'utf8' : 'latin1';
    const body = Buffer.from(await answered.arrayBuffer()).toString(encoding);
    return { status: answered.status, headers, body, encoding };
  }

  return {
    forward,
    async call(token, method, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const text = body === undefined ? '' : JSON.stringify(body);
      const answered = await forward({ method, url: path, headers, body: text, bytes: Buffer.from(text) });
      if (answered.status >= 300)
        throw new Error(`The stand-in answered ${method} ${path} with ${answered.status}.`);
      return answered.body ? anyObject.parse(JSON.parse(answered.body)) : {};
    },
    close: () => emulator.close(),
  };
}
