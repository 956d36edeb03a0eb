import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressRefusal, parsePrivateTargets } from '../../src/net/address-guard.js';
import { createOutbound, type OutboundRequest } from '../../src/net/safe-fetch.js';
import { type HttpRecorder, type Recorder, recordHttp, recordTcp } from './recorder.js';
import { failure } from './sending.js';

/** An allow-list that names exactly the host asked for: only the address guard is left to refuse. */
const everythingOf = (url: string) => ({ allow: [{ origin: new URL(url).origin, pathPrefix: '/' }] });

const answering = (...addresses: { address: string; family: number }[]): LookupFunction => {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  };
};

/** A public address that nothing routes to (RFC 3701): the guard lets it through, no one answers. */
const NOWHERE = { address: '3ffe::1', family: 6 };

describe('addresses that must not be reached (abuse 54)', () => {
  let v4: Recorder;
  let v6: Recorder;
  beforeAll(async () => {
    v4 = await recordTcp(undefined, '0.0.0.0');
    v6 = await recordTcp(undefined, '::1');
  });
  afterAll(() => Promise.all([v4.close(), v6.close()]));

  const hosts = [
    '127.0.0.1',
    'localhost',
    'LOCALHOST',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '127.0.0.2',
    '０.０.０.０',
    '１２７.0.0.1',
    '127。0。0。1',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00::1]',
    '[fe80::1]',
    '169.254.169.254',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '168.63.129.16',
  ];

  it.each(hosts)('https://%s', async (host) => {
    const outbound = createOutbound({ allowPrivate: [] });
    for (const { port } of [v4, v6]) {
      const url = `https://${host}:${port}/`;
      const error = await failure(outbound.send({ method: 'GET', url }, everythingOf(url)));
      expect(error).toMatchObject({ code: 'forbidden_upstream', definite: true });
      expect(error.message).toContain('OUTBOUND_ALLOW_PRIVATE');
      expect(error.message).toContain(`:${port}`);
    }
    await outbound.close();
    expect([v4.connections(), v6.connections()]).toEqual([0, 0]);
  });

  it('a name that resolves to a private address, and one that resolves to nothing', async () => {
    for (const addresses of [
      [{ address: '127.0.0.1', family: 4 }],
      [{ address: '::1', family: 6 }],
      [{ address: '::ffff:127.0.0.1', family: 6 }],
      [],
    ]) {
      const outbound = createOutbound({ allowPrivate: [], lookup: answering(...addresses) });
      const url = `https://harmless.example:${v4.port}/`;
      const error = await failure(outbound.send({ method: 'POST', url, json: {} }, everythingOf(url)));
      expect(error).toMatchObject({ code: 'forbidden_upstream', definite: true });
      await outbound.close();
    }
    expect([v4.connections(), v6.connections()]).toEqual([0, 0]);
  });

  it('a rebinding name: asked once per connection, and connected to what was checked', async () => {
    let asked = 0;
    const rebinding: LookupFunction = (host, options, callback) =>
      answering(asked++ === 0 ? NOWHERE : { address: '127.0.0.1', family: 4 })(host, options, callback);
    const outbound = createOutbound({ allowPrivate: [], lookup: rebinding, timeouts: { totalMs: 300 } });
    const url = `https://rebinding.example:${v4.port}/`;
    const first = await failure(outbound.send({ method: 'POST', url, json: {} }, everythingOf(url)));
    expect(first).toMatchObject({ code: 'upstream_unavailable', definite: true });
    expect(asked).toBe(1);
    const second = await failure(outbound.send({ method: 'POST', url, json: {} }, everythingOf(url)));
    expect(second).toMatchObject({ code: 'forbidden_upstream', definite: true });
    await outbound.close();
    expect(v4.connections()).toBe(0);
  });

  it('the private ones among the addresses of a name', async () => {
    const lookup = answering({ address: '127.0.0.1', family: 4 }, NOWHERE, { address: '::1', family: 6 });
    const outbound = createOutbound({ allowPrivate: [], lookup, timeouts: { totalMs: 300 } });
    for (const { port } of [v4, v6]) {
      const url = `https://mixed.example:${port}/`;
      expect((await failure(outbound.send({ method: 'GET', url }, everythingOf(url)))).code).toBe(
        'upstream_unavailable',
      );
    }
    await outbound.close();
    expect([v4.connections(), v6.connections()]).toEqual([0, 0]);
  });

  it('http on any address the operator has not named, with both ports of an allowed host', async () => {
    const outbound = createOutbound({ allowPrivate: [`127.0.0.1:${v4.port}`] });
    for (const url of [
      'http://example.com/',
      `http://localhost:${v4.port}/`,
      `http://127.0.0.1:${v6.port}/`,
    ]) {
      const error = await failure(outbound.send({ method: 'GET', url }, everythingOf(url)));
      expect(error).toMatchObject({ code: 'forbidden_upstream', definite: true });
    }
    await outbound.close();
    expect([v4.connections(), v6.connections()]).toEqual([0, 0]);
  });
});

describe('addressRefusal', () => {
  it.each(['1.1.1.1', '2606:4700::1111', '::ffff:1.1.1.1'])('lets %s through', (address) => {
    expect(addressRefusal(address)).toBeUndefined();
  });

  it.each([
    '',
    'example.com',
    '::7f00:1',
    '::1.2.3.4.5',
    '4000::1',
    '224.0.0.1',
    '198.18.0.1',
    '64:ff9b::1',
    '::ffff:10.0.0.1',
  ])('refuses "%s"', (address) => {
    expect(addressRefusal(address)).toBeTypeOf('string');
  });
});

describe('parsePrivateTargets', () => {
  it('normalises hosts as URLs do', () => {
    expect([...parsePrivateTargets(['LocalHost:8080', '0x7f.1:80', '[0:0::1]:443'])]).toEqual([
      'localhost:8080',
      '127.0.0.1:80',
      '[::1]:443',
    ]);
  });

  it.each(['localhost', 'http://localhost:80', 'a:b@c:80', 'host:99999', 'host:80/path', ''])(
    'refuses "%s"',
    (entry) => {
      expect(() => parsePrivateTargets([entry])).toThrow('host:port');
    },
  );
});

describe('redirects', () => {
  let secret: HttpRecorder;
  let other: HttpRecorder;
  let upstream: HttpRecorder;
  let location = '';
  beforeAll(async () => {
    secret = await recordHttp();
    other = await recordHttp();
    upstream = await recordHttp((request, response) => {
      if (request.url === '/end') response.end('downloaded');
      else response.writeHead(302, { location: request.url === '/loop' ? '/loop' : location }).end('moved');
    });
  });
  afterAll(() => Promise.all([secret.close(), other.close(), upstream.close()]));

  const sendDownload = async (
    url: string,
    request: Partial<OutboundRequest> = { downloadRedirect: true },
  ) => {
    const outbound = createOutbound({
      allowPrivate: [`127.0.0.1:${upstream.port}`, `127.0.0.1:${other.port}`],
    });
    const headers = {
      authorization: 'Bearer fake-secret-canary-1',
      'x-api-key': 'fake-secret-canary-1',
      accept: 'text/plain',
    };
    const policy = { allow: [{ origin: upstream.origin, pathPrefix: '/' }] };
    try {
      return await outbound.send({ method: 'GET', url, headers, ...request }, policy);
    } finally {
      await outbound.close();
    }
  };

  it('are answers, not followed', async () => {
    location = `${other.origin}/elsewhere`;
    const response = await sendDownload(`${upstream.origin}/file`, {});
    expect(response.status).toBe(302);
    expect(response.headers.location).toBe(location);
    const written = await sendDownload(`${upstream.origin}/file`, { method: 'POST', downloadRedirect: true });
    expect(written.status).toBe(302);
    expect(other.connections()).toBe(0);
  });

  it('to a private address are refused, 0 connections', async () => {
    for (location of [
      `http://127.0.0.1:${secret.port}/`,
      `https://127.0.0.1:${secret.port}/`,
      `https://localhost:${secret.port}/`,
      `//127.0.0.1:${secret.port}/`,
      'https://169.254.169.254/latest/meta-data',
      'file:///etc/passwd',
      `http://user:password@127.0.0.1:${upstream.port}/end`,
      'http://[',
    ]) {
      const error = await failure(sendDownload(`${upstream.origin}/file`));
      expect(error.code).toBe('forbidden_upstream');
    }
    expect(secret.connections()).toBe(0);
  });

  it('of a download keep credentials on the same origin only', async () => {
    location = '/end';
    expect((await sendDownload(`${upstream.origin}/file`)).text()).toBe('downloaded');
    expect(upstream.requests.at(-1)?.headers).toMatchObject({ 'x-api-key': 'fake-secret-canary-1' });
    location = `${other.origin}/signed%2Fpath?sig=1#top`;
    expect((await sendDownload(`${upstream.origin}/file`)).text()).toBe('ok');
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.url).toBe('/signed%2Fpath?sig=1');
    expect(other.requests[0]?.headers.accept).toBe('text/plain');
    expect(JSON.stringify(other.requests)).not.toContain('canary');
  });

  it('stop after three hops', async () => {
    const before = upstream.requests.length;
    expect((await sendDownload(`${upstream.origin}/loop`)).status).toBe(302);
    expect(upstream.requests.length - before).toBe(4);
  });
});
