/**
 * Two bridges to WHATWG fetch: a `fetch` over an `Outbound`, for libraries that take one (openid-client), and an
 * `Outbound` over the global `fetch`, which nock can see, for unit tests of connectors.
 */
import { UpstreamError } from '../errors.js';
import { broken, type ExchangeOptions, reasonOf, stopReason } from './exchange.js';
import { checkMethod, type PreparedRequest } from './request-guard.js';
import { type RawAnswer, tooLarge } from './response.js';
import { type EgressPolicy, type Outbound, type OutboundOptions, outboundThrough } from './safe-fetch.js';

/** As fetch's, where an absent value may also be undefined (openid-client's `CustomFetch`). */
type FetchInit = { readonly [Key in keyof RequestInit]?: RequestInit[Key] | undefined };

/** A `fetch` that goes through `outbound`. Redirects are answers, never followed. Rejects with `UpstreamError`. */
export function outboundFetch(
  outbound: Outbound,
  policy: EgressPolicy,
): (input: string | URL | Request, init?: FetchInit) => Promise<Response> {
  return async (input, init = {}) => {
    const given = Object.entries(init).filter(([, value]) => value !== undefined);
    const request = new Request(input, Object.fromEntries(given));
    const body = new Uint8Array(await request.arrayBuffer());
    const {
      status,
      headers,
      body: answer,
    } = await outbound.send(
      {
        method: checkMethod(request.method),
        url: request.url,
        headers: Object.fromEntries(request.headers),
        signal: request.signal,
        ...(body.length > 0 ? { body } : {}),
      },
      policy,
    );
    const isBodiless = [204, 205, 304].includes(status);
    return new Response(isBodiless ? null : Buffer.from(answer), { status, headers });
  };
}

/**
 * The rules of `createOutbound` with the global `fetch` as transport: addresses are not checked, and connections are
 * `fetch`'s affair. For tests only.
 */
export function createFetchOutbound(options: Partial<Omit<OutboundOptions, 'lookup'>> = {}): Outbound {
  return outboundThrough(fetchOnce, async () => {}, { allowPrivate: [], ...options });
}

async function fetchOnce(request: PreparedRequest, options: ExchangeOptions): Promise<RawAnswer> {
  const { method, url, headers, body } = request;
  options.onBeforeSend?.();
  let status: number | undefined;
  try {
    const pending = fetch(url, {
      method,
      headers,
      body: body ?? null,
      redirect: 'manual',
      signal: options.signal,
    });
    options.onSent?.();
    const response = await pending;
    status = response.status;
    const bytes = await readUpTo(response, options.maxBytes);
    if (!bytes) throw tooLarge(url.host, options.maxBytes, status);
    const { 'content-encoding': _, ...kept } = Object.fromEntries(response.headers);
    return { status, headers: kept, body: bytes };
  } catch (error) {
    if (options.signal.aborted) throw broken(url.host, stopReason(options.signal), true, status);
    if (error instanceof UpstreamError || !(error instanceof Error)) throw error;
    throw networkError(url.host, error, status);
  }
}

async function readUpTo(response: Response, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `fetch` hides what happened in the cause of a TypeError; nock throws it as it is. */
function networkError(host: string, error: Error, status: number | undefined): UpstreamError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? String(cause.code) : '';
  const unsent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
  return broken(host, reasonOf(cause), !unsent, status);
}
