import { afterEach, expect } from 'vitest';
import type { UpstreamError } from '../../src/errors.js';
import {
  createOutbound,
  type Outbound,
  type OutboundOptions,
  type OutboundRequest,
} from '../../src/net/safe-fetch.js';
import { recordHttp, recordTcp } from './recorder.js';

/** Run after each test, last one first. */
export const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close();
});

/** A loopback HTTP server for one test. */
export async function http(...args: Parameters<typeof recordHttp>) {
  const recorder = await recordHttp(...args);
  cleanup.push(recorder.close);
  return recorder;
}

/** A loopback TCP server for one test. */
export async function tcp(...args: Parameters<typeof recordTcp>) {
  const recorder = await recordTcp(...args);
  cleanup.push(recorder.close);
  return { ...recorder, origin: `http://127.0.0.1:${recorder.port}` };
}

/** An outbound that may reach one port of the loopback, for one test. */
export function outboundTo(port: number, options: Partial<OutboundOptions> = {}): Outbound {
  const outbound = createOutbound({ allowPrivate: [`127.0.0.1:${port}`], ...options });
  cleanup.push(outbound.close);
  return outbound;
}

/** Sends a GET of `/`, or what `request` says, with everything of the target allowed. */
export function send(
  target: { origin: string; port: number },
  request: Partial<OutboundRequest> = {},
  options: Partial<OutboundOptions> = {},
) {
  return outboundTo(target.port, options).send(
    { method: 'GET', url: `${target.origin}/`, ...request },
    { allow: [{ origin: target.origin, pathPrefix: '/' }] },
  );
}

/** The UpstreamError that `run` must end in. */
export async function failure(run: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await run.then(
    () => new Error('was answered'),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'UpstreamError' });
  return error as UpstreamError;
}
