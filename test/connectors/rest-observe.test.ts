/** A write of an imported API shows what it changes, and is refused by the API itself when that changed since. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments, FunctionDefinition, JsonValue, Observe } from '../../src/connectors/framework.js';
import { importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { fingerprintOf } from '../../src/services/targets.js';
import { call, callContext, functionNamed } from './call-context.js';

const ok = { 200: { description: 'ok' } };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const bodyOf = (schema: object) => ({ required: true, content: { 'application/json': { schema } } });
const order = { type: 'object', properties: { status: { type: 'string' }, note: { type: 'string' } } };
const header = (required: boolean) => ({
  name: 'X-Tenant',
  in: 'header',
  required,
  schema: { type: 'string' },
});

const document = {
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  paths: {
    '/orders': { post: { operationId: 'createOrder', requestBody: bodyOf(order), responses: ok } },
    '/orders/{id}': {
      parameters: [id, header(false)],
      get: { operationId: 'getOrder', responses: ok },
      patch: { operationId: 'changeOrder', requestBody: bodyOf(order), responses: ok },
      put: {
        operationId: 'replaceOrder',
        requestBody: bodyOf({ ...order, minProperties: 1 }),
        responses: ok,
      },
      delete: { operationId: 'deleteOrder', responses: ok },
    },
    '/baskets/{id}': {
      parameters: [id],
      get: { operationId: 'getBasket', responses: ok },
      put: {
        operationId: 'replaceBasket',
        requestBody: bodyOf({
          allOf: [
            {
              type: 'object',
              properties: { lines: { type: 'array' }, seen: { type: 'object', readOnly: true } },
            },
            { type: 'object', properties: { note: { type: 'string' } } },
          ],
        }),
        responses: ok,
      },
      patch: {
        operationId: 'patchBasket',
        requestBody: bodyOf({ type: 'object', properties: { note: { type: 'string' } }, minProperties: 1 }),
        responses: ok,
      },
    },
    '/shelves/{id}': {
      parameters: [id],
      get: { operationId: 'getShelf', responses: ok },
      put: { operationId: 'replaceShelf', requestBody: bodyOf(order), responses: ok },
      patch: { operationId: 'patchShelf', requestBody: bodyOf({ type: 'object' }), responses: ok },
      delete: { operationId: 'deleteShelf', responses: ok },
    },
    '/parcels/{id}': {
      parameters: [id],
      get: { operationId: 'getParcel', responses: ok },
      delete: { operationId: 'deleteParcel', responses: ok },
    },
    '/orders/{id}/lock': { parameters: [id], put: { operationId: 'lockOrder', responses: ok } },
    '/stock/{id}': {
      parameters: [id],
      get: { operationId: 'getStock', parameters: [header(true)], responses: ok },
      delete: { operationId: 'deleteStock', responses: ok },
    },
  },
};

let server: Server;
let functions: readonly FunctionDefinition[];
let answer: { status: number; headers: Record<string, string>; body: string };
const requests: { method: string; url: string; headers: Record<string, unknown> }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { operations } = await importOpenApi(JSON.stringify(document));
  const config: Record<string, JsonValue> = JSON.parse(
    JSON.stringify({ base_url: `http://127.0.0.1:${port}/v1`, operations }),
  );
  functions = restConnector.functions(config);
});
afterAll(() => void server.close());
beforeEach(() => {
  requests.length = 0;
  answers({ status: 'open', total: 5, customer: { name: 'Cleo' }, url: 'https://shop.example.com/o/7' });
});

function answers(body: JsonValue, headers: Record<string, string> = {}, status = 200): void {
  answer = {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

function observed(name: string): Observe {
  const { observe } = functionNamed(functions, name);
  if (observe === undefined || 'none' in observe) throw new Error(`${name} shows nothing`);
  return observe;
}

const look = (name: string, args: Arguments) => observed(name).read(callContext(), args);

describe('the target of a write', () => {
  it('is what the GET of the same path answers, what changes first', async () => {
    const seen = await look('change_order', { id: 'o 7', note: 'Call first', status: 'sent' });
    expect(requests).toMatchObject([{ method: 'GET', url: '/v1/orders/o%207' }]);
    expect(seen).toEqual({
      version: '',
      fields: [
        { label: 'status', value: 'open', kind: 'short', after: 'sent' },
        { label: 'total', value: '5', kind: 'short', footprint: true },
      ],
    });
  });

  it('is compared with a body that is one argument too', async () => {
    answers({ note: 'a\nb', status: 'open' });
    const { fields } = await look('replace_order', { id: '7', body: { note: 'c', status: 'open' } });
    expect(fields).toEqual(
      [
        { label: 'status', value: 'open', kind: 'short' },
        { label: 'note', value: 'text:\n    a\n    b', kind: 'long', after: 'c' },
      ].reverse(),
    );
  });

  it('has at most 20 fields', async () => {
    answers(Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`field${at}`, at])));
    expect((await look('delete_order', { id: '7' })).fields).toHaveLength(20);
  });

  it('may be a list or a text', async () => {
    answers(['a', 'b']);
    expect((await look('delete_order', { id: '7' })).fields).toEqual([
      { label: 'Now', value: '[1]: a\n[2]: b', kind: 'long' },
    ]);
    answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ready' };
    expect((await look('delete_order', { id: '7' })).fields).toEqual([
      { label: 'Now', value: 'ready', kind: 'long' },
    ]);
  });

  it('is told in words when it is not there', async () => {
    answers({ message: 'There is no order 9.' }, {}, 404);
    await expect(look('delete_order', { id: '9' })).rejects.toMatchObject({
      code: 'upstream_rejected',
      message: expect.stringContaining('There is no order 9.'),
    });
  });

  it.each([
    ['create_order', /POST/],
    ['lock_order', /no GET/],
    ['delete_stock', /no GET/],
    ['http_request', /any path/],
  ])('of %s is not read, and it says why', (name, why) => {
    expect(functionNamed(functions, name).observe).toEqual({ none: expect.stringMatching(why) });
  });

  it('is nothing that a read has', () => {
    expect(functionNamed(functions, 'get_order').observe).toBeUndefined();
  });
});

describe('what moves by itself', () => {
  /** The target as it is, and as it is after these fields moved: whether an approval of the first is void. */
  const isVoid = async (name: string, args: Arguments, body: Arguments, moved: Arguments, tag?: string) => {
    answers(body, tag ? { etag: `${tag}"1"` } : {});
    const before = fingerprintOf(await look(name, args));
    answers({ ...body, ...moved }, tag ? { etag: `${tag}"2"` } : {});
    return fingerprintOf(await look(name, args)) !== before;
  };
  const whole = { status: 'open', note: 'Call', items: [{ sku: 1 }], views: 5, total: 9, opened: 'Monday' };

  it.each(['change_order', 'replace_order', 'delete_order'])(
    'is what no PUT or PATCH of that path can set: %s is held to the rest alone',
    async (name) => {
      const args = name === 'replace_order' ? { id: '7', body: { status: 'sent' } } : { id: '7' };
      expect(await isVoid(name, args, whole, { views: 6, total: 10, opened: 'Tuesday' })).toBe(false);
      expect(await isVoid(name, args, whole, { note: 'Do not call' })).toBe(true);
      expect(await isVoid(name, args, whole, { status: 'sent' })).toBe(true);
    },
  );

  it('is in a weak ETag too, which frameworks make of the whole answer, and not in a strong one', async () => {
    expect(await isVoid('change_order', { id: '7' }, whole, { views: 6 }, 'W/')).toBe(false);
    expect(await isVoid('change_order', { id: '7' }, whole, { note: 'x' }, 'W/')).toBe(true);
    answers(whole, { etag: '"1"' });
    const before = fingerprintOf(await look('change_order', { id: '7' }));
    answers(whole, { etag: '"2"' });
    expect(fingerprintOf(await look('change_order', { id: '7' }))).not.toBe(before);
  });

  it('is no nested field that can be set, though no card shows it', async () => {
    const basket = { note: 'x', lines: [{ sku: 1 }], seen: { by: 3 } };
    const args = { id: '7', body: { note: 'y' } };
    expect((await look('replace_basket', args)).fields.map(({ label }) => label)).not.toContain('lines');
    expect(await isVoid('replace_basket', args, basket, { lines: [{ sku: 2 }] })).toBe(true);
    expect(await isVoid('replace_basket', args, basket, { seen: { by: 4 } })).toBe(false);
    // Neither seen nor touched.
    expect(await isVoid('patch_basket', args, basket, { lines: [{ sku: 2 }] })).toBe(false);
    expect(await isVoid('patch_basket', args, basket, { note: 'z' })).toBe(true);
  });

  it.each([
    'views',
    'viewCount',
    'download_count',
    'downloads',
    'hits',
    'last_opened_at',
    'lastViewedByMeTime',
    'last_access',
    'accessed_at',
    'last-seen',
  ])('is known by its name where the document has no such method: %s', async (name) => {
    const parcel = { status: 'packed', [name]: 5 };
    expect(await isVoid('delete_parcel', { id: '7' }, parcel, { [name]: 6 })).toBe(false);
    expect(await isVoid('delete_parcel', { id: '7' }, parcel, { status: 'sent' })).toBe(true);
  });

  it.each(['open', 'item_count', 'total', 'updated_at', 'review', 'overviews_shared', 'opening', 'access'])(
    'is not everything that sounds like it: %s counts',
    async (name) => {
      expect(await isVoid('delete_parcel', { id: '7' }, { [name]: 5 }, { [name]: 6 })).toBe(true);
    },
  );

  it('is not told from the rest where one method takes a body of any fields', async () => {
    expect(await isVoid('delete_shelf', { id: '7' }, { label: 'A' }, { label: 'B' })).toBe(true);
    expect(await isVoid('delete_shelf', { id: '7' }, { label: 'A', views: 1 }, { views: 2 })).toBe(false);
  });
});

describe('the condition of a write', () => {
  it('is a strong ETag; a weak one only tells versions apart', async () => {
    expect(observed('change_order').condition).toBe('If-Match');
    answers({ status: 'open' }, { etag: '"v7"' });
    expect(await look('change_order', { id: '7' })).toMatchObject({ version: '"v7"', condition: '"v7"' });
    answers({ status: 'open' }, { etag: 'W/"v7"' });
    const weak = await look('delete_parcel', { id: '7' });
    expect(weak.version).toBe('W/"v7"');
    expect(weak).not.toHaveProperty('condition');
    expect(await look('change_order', { id: '7' })).not.toHaveProperty('condition');
    answers({ status: 'open' }, { etag: 'v7' });
    expect((await look('change_order', { id: '7' })).version).toBe('');
  });

  it('goes with the call, and a change since is a definite refusal', async () => {
    const fn = functionNamed(functions, 'change_order');
    const context = callContext({ condition: '"v7"' });
    await call(fn, context, { id: '7', status: 'sent' });
    expect(requests.at(-1)).toMatchObject({ method: 'PATCH', headers: { 'if-match': '"v7"' } });
    answers({ message: 'Precondition Failed' }, {}, 412);
    await expect(call(fn, context, { id: '7', status: 'sent' })).rejects.toMatchObject({
      code: 'target_changed',
      definite: true,
      status: 412,
    });
    await expect(call(fn, callContext(), { id: '7', status: 'sent' })).rejects.toMatchObject({
      code: 'upstream_rejected',
    });
    expect(requests.at(-1)?.headers).not.toHaveProperty('if-match');
  });
});
