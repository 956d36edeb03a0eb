import { describe, expect, it } from 'vitest';
import type { Logger } from '../../src/log.js';
import type { OutboundRequest } from '../../src/net/safe-fetch.js';
import { failure, http, outboundTo, send, tcp } from './sending.js';

describe('a request', () => {
  it('arrives as asked, and its answer comes back', async () => {
    const upstream = await http((_, response) => {
      response.writeHead(201, {
        'Content-Type': 'application/json',
        'Set-Cookie': 'a=b',
        'X-Two': ['1', '2'],
      });
      response.end('{"ok":true}');
    });
    const response = await send(upstream, {
      method: 'POST',
      url: `${upstream.origin}/a%20b?x=1`,
      query: { q: 'a b&c=d', list: ['1', '2'], none: undefined },
      headers: { Authorization: 'Bearer fake' },
      json: { hello: ['wörld'] },
    });
    expect(response.status).toBe(201);
    expect(response.json()).toEqual({ ok: true });
    expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'x-two': '1, 2' });
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(upstream.requests).toMatchObject([
      {
        method: 'POST',
        url: '/a%20b?x=1&q=a%20b%26c%3Dd&list=1&list=2',
        headers: {
          authorization: 'Bearer fake',
          'content-type': 'application/json',
          host: `127.0.0.1:${upstream.port}`,
        },
        body: '{"hello":["wörld"]}',
      },
    ]);
  });

  it('keeps a content type of its own, and bytes as they are', async () => {
    const upstream = await http();
    await send(upstream, {
      method: 'PATCH',
      json: {},
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    await send(upstream, { method: 'PUT', body: new Uint8Array([0, 97, 0]) });
    await send(upstream, { method: 'DELETE' });
    expect(upstream.requests.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
      ['application/merge-patch+json', '{}'],
      [undefined, '\0a\0'],
      [undefined, ''],
    ]);
  });

  it('answers errors of the upstream as answers, and says when JSON is none', async () => {
    const upstream = await http((_, response) => response.writeHead(404).end('<html>'));
    const response = await send(upstream);
    expect([response.status, response.text()]).toEqual([404, '<html>']);
    expect(() => response.json()).toThrow(
      expect.objectContaining({ code: 'upstream_rejected', definite: true }),
    );
  });

  it('ignores proxies of the environment', async () => {
    const [upstream, proxy] = [await http(), await tcp()];
    const before = { ...process.env };
    Object.assign(process.env, {
      HTTP_PROXY: proxy.origin,
      http_proxy: proxy.origin,
      ALL_PROXY: proxy.origin,
    });
    try {
      expect((await send(upstream)).text()).toBe('ok');
    } finally {
      process.env = before;
    }
    expect(proxy.connections()).toBe(0);
  });
});

describe('what is refused before anything is sent (abuse 41, 57)', () => {
  it.each<[string, Partial<OutboundRequest>]>([
    ['a line break in a header value', { headers: { 'x-name': 'a\r\nx-evil: 1' } }],
    ['a bare LF in a header value', { headers: { 'x-name': 'a\nb' } }],
    ['a NUL in a header value', { headers: { 'x-name': 'a\0b' } }],
    ['a character beyond Latin-1 in a header value', { headers: { 'x-name': 'a\u010ab' } }],
    ['a line break in a header name', { headers: { 'x-a\r\nx-evil': '1' } }],
    ['a header twice', { headers: { 'X-A': '1', 'x-a': '2' } }],
    ...[
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Connection',
      'Cookie',
      'Proxy-Authorization',
      'Forwarded',
      'Expect',
      'X-Forwarded-For',
      'X-Forwarded-Host',
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'X-Original-URL',
      'X-Rewrite-URL',
      'TE',
      'Upgrade',
      'Accept-Encoding',
    ].map((name): [string, Partial<OutboundRequest>] => [`the header ${name}`, { headers: { [name]: '1' } }]),
    ['a body on a GET', { json: {} }],
    ['two bodies', { method: 'POST', json: {}, body: 'x' }],
  ])('%s', async (_, request) => {
    const upstream = await tcp();
    expect(await failure(send(upstream, request))).toMatchObject({
      code: 'forbidden_upstream',
      definite: true,
    });
    expect(upstream.connections()).toBe(0);
  });

  it.each([
    '/v1/../admin',
    '/v1/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/v1/%2e%2e%2fadmin',
    '/v1/a%2Fb',
    '/v1/a%5cb',
    '/v1/a%252fb',
    '/v1/%252e%252e/admin',
    '/v1/..;/admin',
    '/v1/..',
    '/v1/.',
    '/v1//evil.example/x',
    '//evil.example/v1/',
    '/v1\\..\\admin',
    '/v1/%00',
    '/v1/%zz',
    '/v1/a b',
    '/v1/a\tb',
    '/v1/a\r\nx',
    '/v1/a#b',
    '/v10',
    '/admin',
    '/V1/a',
    '',
    '?x=/v1/',
    '@evil.example/v1/',
    '.evil.example/v1/',
  ])('the path "%s"', async (path) => {
    const upstream = await tcp();
    const outbound = outboundTo(upstream.port);
    const policy = { allow: [{ origin: upstream.origin, pathPrefix: '/v1' }] };
    const error = await failure(outbound.send({ method: 'GET', url: `${upstream.origin}${path}` }, policy));
    expect(error).toMatchObject({ code: 'forbidden_upstream', definite: true });
    expect(upstream.connections()).toBe(0);
  });

  it.each(['/v1', '/v1/', '/v1/a/b', '/v1/a%20b', '/v1/...', '/v1/100%25', '/v1?x=../%2f//', '/v1/a:b@c'])(
    'but not the path "%s"',
    async (path) => {
      const upstream = await http();
      const outbound = outboundTo(upstream.port);
      const policy = { allow: [{ origin: upstream.origin, pathPrefix: '/v1/' }] };
      await outbound.send({ method: 'GET', url: `${upstream.origin}${path}` }, policy);
      expect(upstream.requests[0]?.url).toBe(path);
    },
  );

  it.each([
    'ftp://127.0.0.1/',
    'http://user:pw@127.0.0.1/',
    'http://user@127.0.0.1/',
    'http:/127.0.0.1/',
    '/relative',
    '',
  ])('the address "%s"', async (url) => {
    const upstream = await tcp();
    expect((await failure(send(upstream, { url }))).code).toBe('forbidden_upstream');
  });

  it('another scheme, host or port than the allow-list names; the query is not repeated', async () => {
    const upstream = await tcp();
    for (const origin of [
      `https://127.0.0.1:${upstream.port}`,
      `http://localhost:${upstream.port}`,
      'http://127.0.0.1:1',
    ]) {
      const error = await failure(send(upstream, { url: `${origin}/?key=canary` }));
      expect(error).toMatchObject({ code: 'forbidden_upstream', definite: true });
      expect(error.message).toContain(new URL(origin).host);
      expect(error.message).not.toContain('canary');
    }
    expect(upstream.connections()).toBe(0);
  });
});

describe('the log', () => {
  it('has host, method and status, and nothing of path, query or headers', async () => {
    const lines: string[] = [];
    const write = (fields: object, message: string) =>
      void lines.push(JSON.stringify({ ...fields, message }));
    const log: Logger = { debug: write, info: write, warn: write, error: write };
    const upstream = await http();
    const canary = 'fake-secret-canary-1';
    const request = { query: { key: canary }, headers: { 'x-api-key': canary } };
    await send(upstream, { ...request, url: `${upstream.origin}/${canary}` }, { log });
    await failure(send(upstream, { ...request, url: `https://user:${canary}@127.0.0.1/` }, { log }));
    await upstream.close();
    await failure(send(upstream, { ...request, method: 'DELETE' }, { log }));
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain(`"host":"127.0.0.1:${upstream.port}"`);
    expect(lines[0]).toContain('"status":200');
    expect(lines.join('\n')).not.toContain(canary);
  });
});
