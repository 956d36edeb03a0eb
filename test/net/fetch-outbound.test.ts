import nock from 'nock';
import { allowInsecureRequests, customFetch, discovery } from 'openid-client';
import { afterEach, describe, expect, it } from 'vitest';
import { createFetchOutbound, outboundFetch } from '../../src/net/fetch-outbound.js';
import { createOutbound } from '../../src/net/safe-fetch.js';
import { recordHttp } from './recorder.js';

describe('outboundFetch', () => {
  it('is a fetch that openid-client can use', async () => {
    const server = await recordHttp((request, response) => {
      const metadata = { issuer: server.origin, token_endpoint: `${server.origin}/token` };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/.well-known/openid-configuration' ? metadata : {}));
    });
    const outbound = createOutbound({ allowPrivate: [`127.0.0.1:${server.port}`] });
    const fetch = outboundFetch(outbound, { allow: [{ origin: server.origin, pathPrefix: '/' }] });
    const config = await discovery(new URL(server.origin), 'client', undefined, undefined, {
      [customFetch]: fetch,
      execute: [allowInsecureRequests],
    });
    expect(config.serverMetadata().token_endpoint).toBe(`${server.origin}/token`);

    const body = new URLSearchParams({ grant_type: 'refresh_token', a: 'ü' });
    const response = await fetch(`${server.origin}/token`, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
    });
    expect(await response.json()).toEqual({});
    expect(server.requests.at(-1)).toMatchObject({
      method: 'POST',
      body: 'grant_type=refresh_token&a=%C3%BC',
      headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    });
    await outbound.close();
    await server.close();
  });

  it('passes on statuses without a body, and refusals', async () => {
    const server = await recordHttp((_, response) => response.writeHead(204).end());
    const outbound = createOutbound({ allowPrivate: [`127.0.0.1:${server.port}`] });
    const fetch = outboundFetch(outbound, { allow: [{ origin: server.origin, pathPrefix: '/' }] });
    expect((await fetch(server.origin)).status).toBe(204);
    await expect(fetch('https://169.254.169.254/')).rejects.toMatchObject({ code: 'forbidden_upstream' });
    await expect(fetch(server.origin, { method: 'OPTIONS' })).rejects.toMatchObject({
      code: 'forbidden_upstream',
    });
    await expect(fetch(server.origin, { signal: AbortSignal.abort() })).rejects.toThrow();
    expect(server.requests).toHaveLength(1);
    await outbound.close();
    await server.close();
  });
});

describe('createFetchOutbound', () => {
  afterEach(() => nock.cleanAll());
  const outbound = createFetchOutbound({ timeouts: { totalMs: 200 } });
  const policy = { allow: [{ origin: 'https://api.example.com', pathPrefix: '/v1' }] };
  const url = 'https://api.example.com/v1/things';

  it('keeps the rules, visibly to nock', async () => {
    nock('https://api.example.com')
      .post('/v1/things', { a: 1 })
      .reply(302, { ok: true }, { location: 'https://evil.example/' });
    const events: string[] = [];
    const hooks = { onBeforeSend: () => events.push('before'), onSent: () => events.push('sent') };
    const response = await outbound.send({ method: 'POST', url, json: { a: 1 }, ...hooks }, policy);
    expect([response.status, response.json(), events]).toEqual([302, { ok: true }, ['before', 'sent']]);
    await expect(
      outbound.send({ method: 'GET', url: 'https://api.example.com/v2' }, policy),
    ).rejects.toMatchObject({
      code: 'forbidden_upstream',
    });
  });

  it('says what is definite, and cuts at cap and deadline', async () => {
    const error = (code: string) => Object.assign(new Error(code), { code });
    const send = () => outbound.send({ method: 'GET', url, maxBytes: 10 }, policy);
    nock('https://api.example.com').get('/v1/things').replyWithError(error('ECONNREFUSED'));
    await expect(send()).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
    nock('https://api.example.com').get('/v1/things').replyWithError(error('ECONNRESET'));
    await expect(send()).rejects.toMatchObject({ code: 'upstream_unavailable', definite: false });
    nock('https://api.example.com').get('/v1/things').reply(200, 'x'.repeat(11));
    await expect(send()).rejects.toThrow('larger than 10 bytes');
    nock('https://api.example.com').get('/v1/things').delay(1_000).reply(200, 'late');
    await expect(send()).rejects.toThrow('took longer than 200 ms');
  });
});
