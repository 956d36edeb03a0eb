/**
 * The only way out of the process to systems that are not ours: checked addresses, no redirects, no proxies from the
 * environment, limits on time and size, and every request sent at most once (shared/CONNECTORS.md 5.1,
 * shared/RELIABILITY.md G1 and 2.4).
 */
import type { LookupFunction } from 'node:net';
import { Agent, Client } from 'undici';
import type { AllowRule, UpstreamRequest, UpstreamResponse } from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import type { Logger } from '../log.js';
import { createGuardedConnector, parsePrivateTargets, targetOf } from './address-guard.js';
import { type ExchangeOptions, exchange } from './exchange.js';
import { isAllowed, isRead, type PreparedRequest, parseRedirect, prepareRequest } from './request-guard.js';
import { DEFAULT_MAX_BYTES, type RawAnswer, toUpstreamResponse } from './response.js';

export interface OutboundRequest extends UpstreamRequest {
  /** The caller's own end of patience. */
  readonly signal?: AbortSignal;
  /**
   * Called synchronously on a connected socket, immediately before the first byte is handed to it. What it throws
   * stops the request with nothing sent, and comes out of `send` as it is.
   */
  readonly onBeforeSend?: () => void;
  /** The request is written, the answer not yet read. */
  readonly onSent?: () => void;
  /**
   * Reads only: follow up to 3 redirects to a download, which may lie outside the allow-list. Each address is
   * checked again (https on 443, public); once a redirect leaves its origin or the allow-list, every header that may
   * hold a credential is dropped. `definite` of an error then speaks of the last request.
   */
  readonly downloadRedirect?: boolean;
}

export interface EgressPolicy {
  readonly allow: readonly AllowRule[];
}

export interface Outbound {
  /**
   * Sends one request and reads its answer, whatever its status; a redirect is an answer.
   * @throws UpstreamError `forbidden_upstream` for what the rules refuse, `upstream_unavailable` for what failed on
   *   the way; `definite` is true when surely nothing was sent
   */
  send(request: OutboundRequest, policy: EgressPolicy): Promise<UpstreamResponse>;
  /** Whether the operator lets this address be private and spoken to over http. */
  mayBePrivate(url: URL): boolean;
  /** Closes idle connections; requests under way are ended. */
  close(): Promise<void>;
}

export interface OutboundTimeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  /** From `send` to the last byte of the answer, redirects included. */
  readonly totalMs: number;
}

/** shared/CONNECTORS.md 5.1. */
export const OUTBOUND_TIMEOUTS: OutboundTimeouts = { connectMs: 3_000, headersMs: 15_000, totalMs: 60_000 };

/** Ends before a call does, so that what went wrong can still be said. */
const LONGEST_PATIENCE_MS = 58_000;

export interface OutboundOptions {
  /** `host:port` pairs that may be private and spoken to over http (`OUTBOUND_ALLOW_PRIVATE`). */
  readonly allowPrivate: readonly string[];
  readonly log?: Logger;
  readonly timeouts?: Partial<OutboundTimeouts>;
  /** Name resolution; `node:dns` unless a test replaces it. */
  readonly lookup?: LookupFunction;
}

const MAX_REDIRECTS = 3;

/** @throws Error when an entry of `allowPrivate` is not host:port */
export function createOutbound(options: OutboundOptions): Outbound {
  const connectMs = options.timeouts?.connectMs ?? OUTBOUND_TIMEOUTS.connectMs;
  const allowPrivate = parsePrivateTargets(options.allowPrivate);
  const connect = createGuardedConnector({ allowPrivate, connectMs, lookup: options.lookup });
  const reads = new Agent({ connect });

  /** Reads share connections; anything else gets one of its own, so that no stale one can swallow or repeat it. */
  const transport: Transport = async (request, settings) => {
    if (isRead(request.method)) return exchange(reads, request, settings);
    const client = new Client(request.url.origin, { connect });
    try {
      return await exchange(client, request, settings);
    } finally {
      await client.destroy();
    }
  };
  return outboundThrough(transport, () => reads.destroy(), options);
}

/** Sends one checked request once; @throws as `exchange`. */
export type Transport = (request: PreparedRequest, settings: ExchangeOptions) => Promise<RawAnswer>;

/** The rules around a transport: the request guard, redirects, the deadline, the size of the answer, the log. */
export function outboundThrough(
  transport: Transport,
  close: () => Promise<void>,
  options: Omit<OutboundOptions, 'lookup'>,
): Outbound {
  const timeouts = { ...OUTBOUND_TIMEOUTS, ...options.timeouts };
  const allowPrivate = parsePrivateTargets(options.allowPrivate);

  const send = async (request: OutboundRequest, { allow }: EgressPolicy): Promise<UpstreamResponse> => {
    let wire = prepareRequest(request, allow, allowPrivate);
    const { maxBytes = DEFAULT_MAX_BYTES, onBeforeSend, onSent } = request;
    const hops = request.downloadRedirect && isRead(request.method) ? MAX_REDIRECTS : 0;
    const deadline = startDeadline(timeouts.totalMs, request.signal);
    const headersMs = Math.min(request.patienceMs ?? timeouts.headersMs, LONGEST_PATIENCE_MS);
    const settings = { maxBytes, headersMs, signal: deadline.signal };
    try {
      let answer = await transport(wire, { ...settings, onBeforeSend, onSent });
      for (let hop = 0; hop < hops && isRedirect(answer); hop++) {
        const url = parseRedirect(String(answer.headers.location), wire.url, allowPrivate);
        const keepsAll = url.origin === wire.url.origin && isAllowed(url, allow);
        wire = { ...wire, url, headers: keepsAll ? wire.headers : harmlessHeaders(wire.headers) };
        answer = await transport(wire, settings);
      }
      return await toUpstreamResponse(answer, maxBytes, wire.url.host);
    } finally {
      deadline.clear();
    }
  };
  const mayBePrivate = (url: URL): boolean => allowPrivate.has(targetOf(url));
  return { send: options.log ? logged(send, options.log) : send, mayBePrivate, close };
}

function isRedirect(answer: RawAnswer): boolean {
  return [301, 302, 303, 307, 308].includes(answer.status) && typeof answer.headers.location === 'string';
}

/** What a redirect outside the allow-list may see: custom headers may be keys. */
function harmlessHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const harmless = ['accept', 'accept-encoding', 'accept-language', 'range', 'user-agent'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.includes(name)));
}

/** Aborts after `totalMs` or with the caller. Its own timer and listener, so that nothing outlives the request. */
function startDeadline(
  totalMs: number,
  caller: AbortSignal | undefined,
): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`it took longer than ${totalMs} ms`)), totalMs);
  const stop = (): void => controller.abort(new Error('the caller stopped waiting'));
  if (caller?.aborted) stop();
  caller?.addEventListener('abort', stop);
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      caller?.removeEventListener('abort', stop);
    },
  };
}

/** Host, method, status, time: paths and queries may hold secrets and are left out. */
function logged(send: Outbound['send'], log: Logger): Outbound['send'] {
  return async (request, policy) => {
    // Asked only whether the rules would let it through; that nothing is sent is no news.
    if (request.signal?.aborted) return send(request, policy);
    const started = performance.now();
    const about = (): object => ({
      method: request.method,
      host: URL.canParse(request.url) ? new URL(request.url).host : undefined,
      ms: Math.round(performance.now() - started),
    });
    try {
      const response = await send(request, policy);
      log.debug({ ...about(), status: response.status }, 'Outbound: answered');
      return response;
    } catch (error) {
      if (error instanceof UpstreamError) {
        const { code, definite, message } = error;
        log.warn({ ...about(), code, definite, reason: message }, 'Outbound: no answer');
      }
      throw error;
    }
  };
}
