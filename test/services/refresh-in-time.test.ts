/**
 * A refresh is over before its lease is: a provider that rotates refresh tokens must not see the same one twice because
 * it took its time (G9).
 */
import { expect, it } from 'vitest';
import { OAuthClient, TOKEN_TIMEOUT_SECONDS } from '../../src/credentials/oauth-client.js';
import type { Outbound } from '../../src/net/safe-fetch.js';
import { REFRESH_LEASE_MS } from '../../src/services/tokens.js';

const APP = { clientId: 'fake-client', clientSecret: 'fake-client-secret' };

it('gives up on a provider that dawdles', async () => {
  const given: AbortSignal[] = [];
  const outbound: Outbound = {
    send: ({ signal }) =>
      new Promise((_resolve, reject) => {
        if (!signal) return;
        given.push(signal);
        signal.addEventListener('abort', () => reject(new Error('the caller stopped waiting')));
      }),
    mayBePrivate: () => false,
    close: async () => {},
  };
  const client = new OAuthClient(outbound, {}, 1);
  const started = performance.now();
  const refreshing = client.refresh(client.provider('google'), APP, 'fake-refresh-token');
  await expect(refreshing).rejects.toMatchObject({ code: 'upstream_unavailable' });
  expect(performance.now() - started).toBeLessThan(3_000);
  expect(given.map(({ aborted }) => aborted)).toEqual([true]);
});

it('with time left to store what came', () => {
  const slowestWrite = 2_500;
  expect(TOKEN_TIMEOUT_SECONDS * 1_000 + slowestWrite).toBeLessThan(REFRESH_LEASE_MS);
});
