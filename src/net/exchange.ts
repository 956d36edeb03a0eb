/**
 * One request, sent once, and its answer. The line between "surely not sent" and "may have arrived" is drawn where
 * undici hands the request to the connected socket (`onRequestStart`): an error before it is definite, one after it
 * is not.
 */
import type { Dispatcher } from 'undici';
import { UpstreamError } from '../errors.js';
import { ForbiddenAddressError } from './address-guard.js';
import { isRead, type PreparedRequest } from './request-guard.js';
import { ACCEPTED_ENCODINGS, type RawAnswer, tooLarge } from './response.js';

export interface ExchangeOptions {
  readonly maxBytes: number;
  /** Milliseconds from sending to the first line of the answer. */
  readonly headersMs: number;
  /** Ends the exchange; its reason is an Error whose message completes "… did not complete: ". */
  readonly signal: AbortSignal;
  readonly onBeforeSend?: (() => void) | undefined;
  readonly onSent?: (() => void) | undefined;
}

/**
 * @throws UpstreamError; what `onBeforeSend` throws comes out as it is
 */
export function exchange(
  dispatcher: Dispatcher,
  request: PreparedRequest,
  options: ExchangeOptions,
): Promise<RawAnswer> {
  const { maxBytes, signal } = options;
  const host = request.url.host;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let settled = false;
    let sent = false;
    let headersTimer: NodeJS.Timeout | undefined;
    let answer: { status: number; headers: RawAnswer['headers'] } | undefined;
    const chunks: Buffer[] = [];
    let size = 0;

    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(headersTimer);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const fail = (error: Error): void => {
      settle(() => reject(error));
      controller?.abort(error);
    };
    const failWith = (reason: string): void => fail(broken(host, reason, sent, answer?.status));
    const onAbort = (): void => failWith(stopReason(signal));
    const reportSent = (): void => {
      if (settled) return;
      try {
        options.onSent?.();
      } catch {
        failWith('it was stopped after sending');
      }
    };

    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        // undici puts a request back into its queue in some races; ours is never sent a second time
        if (settled || sent) throw new Error('not sent again');
        controller = started;
        try {
          options.onBeforeSend?.();
        } catch (error) {
          settle(() => reject(error));
          throw error;
        }
        sent = true;
        headersTimer = setTimeout(() => failWith('no answer came in time'), options.headersMs);
        // undici writes the request, whose body is in memory, before it gives up control
        queueMicrotask(reportSent);
      },
      onResponseStart(_, status, headers) {
        if (status < 200) return;
        clearTimeout(headersTimer);
        answer = { status, headers };
        if (request.method !== 'HEAD' && Number(headers['content-length']) > maxBytes)
          fail(tooLarge(host, maxBytes, status));
      },
      onResponseData(_, chunk) {
        size += chunk.length;
        if (size > maxBytes) fail(tooLarge(host, maxBytes, answer?.status ?? 0));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        const complete = answer;
        if (complete) settle(() => resolve({ ...complete, body: Buffer.concat(chunks) }));
        else failWith('it ended without an answer');
      },
      onRequestUpgrade: () => failWith('it asked for another protocol'),
      onResponseError(_, error) {
        if (error instanceof ForbiddenAddressError) {
          fail(new UpstreamError('forbidden_upstream', error.message, { definite: !sent }));
        } else failWith(reasonOf(error));
      },
    };
    dispatcher.dispatch(
      {
        origin: request.url.origin,
        path: `${request.url.pathname}${request.url.search}`,
        method: request.method,
        headers: { ...request.headers, 'accept-encoding': ACCEPTED_ENCODINGS },
        body: request.body ?? null,
        reset: !isRead(request.method),
        // our own timers, exact and over the whole exchange
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  });
}

/**
 * What failed on the way. No cause: errors of the HTTP parser carry pieces of the answer, which may hold a secret.
 */
export function broken(
  host: string,
  reason: string,
  sent: boolean,
  status: number | undefined,
): UpstreamError {
  const message = sent
    ? `The request to ${host} was sent and did not complete: ${reason}.`
    : `${host} could not be reached: ${reason}. Nothing was sent.`;
  return new UpstreamError('upstream_unavailable', message, {
    definite: !sent,
    ...(status === undefined ? {} : { status }),
  });
}

/** Why `ExchangeOptions.signal` ended the exchange, in words. */
export function stopReason(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : 'it was stopped';
}

const REASONS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'the connection was not made in time',
  ECONNREFUSED: 'it refused the connection',
  ENOTFOUND: 'its name does not exist',
  EAI_AGAIN: 'its name could not be resolved',
  ECONNRESET: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed',
};

/** An error of the network in words, without its message, which may repeat what was received. */
export function reasonOf(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return REASONS[code] ?? `the connection failed (${code})`;
}
