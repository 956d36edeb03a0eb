import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createOutbound } from '../../src/net/safe-fetch.js';
import { cleanup, failure, http, send } from './sending.js';

describe('limits (abuse 56)', () => {
  it('waits for a connection only so long; nothing was sent', async () => {
    const origin = 'http://silent.example:8080';
    const outbound = createOutbound({
      allowPrivate: ['silent.example:8080'],
      lookup: () => {},
      timeouts: { connectMs: 200 },
    });
    cleanup.push(outbound.close);
    const policy = { allow: [{ origin, pathPrefix: '/' }] };
    const error = await failure(outbound.send({ method: 'POST', url: `${origin}/`, json: {} }, policy));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: true });
    expect(error.message).toContain('the connection was not made in time');
  });

  it('cuts an endless stream at the cap', async () => {
    let written = 0;
    const upstream = await http((_, response) => {
      const more = (): void => {
        written += 65_536;
        if (!response.destroyed && written < 2 ** 30) response.write(Buffer.alloc(65_536), more);
      };
      more();
    });
    const error = await failure(send(upstream));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false, status: 200 });
    expect(error.message).toContain('larger than 10485760 bytes');
    expect(written).toBeLessThan(64 * 2 ** 20);
  });

  it('does not read a body that announces itself as too large', async () => {
    const upstream = await http((_, response) =>
      response.writeHead(200, { 'content-length': 2 ** 30 }).flushHeaders(),
    );
    expect((await failure(send(upstream, { maxBytes: 1_000 }))).message).toContain('larger than 1000 bytes');
    expect((await send(upstream, { method: 'HEAD', maxBytes: 1_000 })).headers['content-length']).toBe(
      String(2 ** 30),
    );
  });

  it('cuts a body that trickles, at the deadline', async () => {
    const upstream = await http((_, response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const started = performance.now();
    const error = await failure(send(upstream, {}, { timeouts: { totalMs: 300 } }));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('waits for the first line of an answer only so long', async () => {
    const upstream = await http(() => {});
    const error = await failure(
      send(upstream, { method: 'POST', json: {} }, { timeouts: { headersMs: 100 } }),
    );
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(error.message).toContain('no answer came in time');
  });

  it('gives up when the caller does, and says whether anything was sent', async () => {
    const upstream = await http(() => {});
    expect((await failure(send(upstream, { signal: AbortSignal.timeout(50) }))).definite).toBe(false);
    expect((await failure(send(upstream, { signal: AbortSignal.abort() }))).definite).toBe(true);
    expect(upstream.requests).toHaveLength(1);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('unpacks %s, and cuts a bomb at the cap', async (encoding, compress) => {
    const bodies = { '/small': compress('hello'), '/bomb': compress(Buffer.alloc(50 * 2 ** 20)) };
    const upstream = await http((request, response) => {
      response.writeHead(200, { 'content-encoding': encoding });
      response.end(request.url === '/small' ? bodies['/small'] : bodies['/bomb']);
    });
    const small = await send(upstream, { url: `${upstream.origin}/small` });
    expect(small.text()).toBe('hello');
    expect(small.headers).not.toHaveProperty('content-encoding');
    const error = await failure(send(upstream, { url: `${upstream.origin}/bomb` }));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false, status: 200 });
    expect(error.message).toContain('larger than');
  });

  it('refuses an encoding it does not know, or one that is broken', async () => {
    const upstream = await http((request, response) => {
      response
        .writeHead(200, { 'content-encoding': request.url === '/twice' ? 'gzip, gzip' : 'gzip' })
        .end('not packed');
    });
    for (const path of ['/twice', '/broken']) {
      const error = await failure(send(upstream, { url: `${upstream.origin}${path}` }));
      expect(error.message).toContain('could not be unpacked');
    }
  });
});
