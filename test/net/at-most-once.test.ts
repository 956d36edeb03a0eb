import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AppError, type UpstreamError } from '../../src/errors.js';
import { createOutbound } from '../../src/net/safe-fetch.js';
import { cleanup, failure, http, outboundTo, send, tcp } from './sending.js';

describe('the moment of sending', () => {
  it.each(['GET', 'POST'] as const)(
    'onBeforeSend stops a %s on the doorstep: connected, 0 bytes',
    async (method) => {
      const upstream = await tcp();
      const stop = new AppError('refused_recheck', 'The kill switch is on.');
      let sent = 0;
      const run = send(upstream, {
        method,
        onBeforeSend: () => {
          throw stop;
        },
        onSent: () => sent++,
      });
      await expect(run).rejects.toBe(stop);
      expect(upstream.connections()).toBe(1);
      expect(upstream.received()).toBe('');
      expect(sent).toBe(0);
    },
  );

  it('calls onBeforeSend, then onSent, once each, before the answer', async () => {
    const events: string[] = [];
    const upstream = await http((_, response) => {
      events.push('arrived');
      response.end('ok');
    });
    await send(upstream, {
      method: 'POST',
      json: { big: 'x'.repeat(100_000) },
      onBeforeSend: () => events.push('before'),
      onSent: () => events.push('sent'),
    });
    expect(events).toEqual(['before', 'sent', 'arrived']);
  });
});

describe('at most once', () => {
  const reply = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

  it.each(['GET', 'POST', 'DELETE'] as const)(
    'a %s whose connection closes without an answer',
    async (method) => {
      const upstream = await tcp((socket) => setTimeout(() => socket.destroy(), 20));
      const error = await failure(send(upstream, { method }));
      expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(upstream.connections()).toBe(1);
      expect(upstream.received().match(/HTTP\/1\.1\r\n/g)).toHaveLength(1);
    },
  );

  it.each([
    ['is reset', (socket: Socket) => socket.resetAndDestroy()],
    ['ends in the middle of the head', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nx-')],
    [
      'ends in the middle of the body',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok'),
    ],
    ['answers nonsense', (socket: Socket) => socket.end('220 smtp.example ESMTP fake-secret-canary-1\r\n')],
    [
      'switches protocols',
      (socket: Socket) => socket.write('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
  ])('a POST whose connection %s is of unknown outcome and not repeated', async (_, act) => {
    const upstream = await tcp(act);
    const error = await failure(send(upstream, { method: 'POST', json: { a: 1 } }));
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(JSON.stringify([error.message, error.cause, error.stack])).not.toContain('canary');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(upstream.received().match(/POST/g)).toHaveLength(1);
  });

  it('writes never use a kept connection, reads may', async () => {
    const upstream = await http();
    const outbound = outboundTo(upstream.port);
    const policy = { allow: [{ origin: upstream.origin, pathPrefix: '/' }] };
    const read = () => outbound.send({ method: 'GET', url: `${upstream.origin}/` }, policy);
    const write = () => outbound.send({ method: 'POST', url: `${upstream.origin}/`, json: {} }, policy);
    await read();
    // undici looks at an idle connection for one turn of the event loop before it uses it again
    await new Promise((resolve) => setTimeout(resolve, 10));
    await read();
    expect(upstream.connections()).toBe(1);
    await write();
    await write();
    expect(upstream.connections()).toBe(3);
    expect(upstream.requests.map(({ headers }) => headers.connection)).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
      'close',
    ]);
  });

  it('a kept connection that the server closes costs a read at most one request', async () => {
    const upstream = await tcp((socket) => {
      socket.write(reply);
      socket.on('data', () => socket.destroy());
    });
    const outbound = outboundTo(upstream.port);
    const read = () =>
      outbound.send(
        { method: 'GET', url: `${upstream.origin}/` },
        { allow: [{ origin: upstream.origin, pathPrefix: '/' }] },
      );
    expect((await read()).text()).toBe('ok');
    const outcome = await read().then(
      () => 'answered',
      (error: UpstreamError) => error.definite,
    );
    expect(['answered', false]).toContain(outcome);
    expect(upstream.received().match(/GET/g)).toHaveLength(2);
  });

  it('a refused connection and an unknown name are definite', async () => {
    const upstream = await tcp();
    await upstream.close();
    const error = await failure(
      send(upstream, { method: 'POST', url: `${upstream.origin}/?code=canary`, json: {} }),
    );
    expect(error).toMatchObject({ code: 'upstream_unavailable', definite: true });
    expect(error.message).toContain(`127.0.0.1:${upstream.port}`);
    expect(error.message).not.toContain('canary');
    const origin = `http://nowhere.invalid:${upstream.port}`;
    const outbound = createOutbound({
      allowPrivate: [`nowhere.invalid:${upstream.port}`],
      lookup: (_host, _options, callback) =>
        callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), []),
    });
    cleanup.push(outbound.close);
    const unknown = await failure(
      outbound.send({ method: 'GET', url: `${origin}/` }, { allow: [{ origin, pathPrefix: '/' }] }),
    );
    expect(unknown).toMatchObject({ code: 'upstream_unavailable', definite: true });
  });
});
