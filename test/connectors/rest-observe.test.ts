/** A write of an imported API shows what it changes, and is refused by the API itself when that changed since. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments, FunctionDefinition, JsonValue, Observe } from '../../src/connectors/framework.js';
import { importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
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
        { label: 'total', value: '5', kind: 'short' },
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

describe('the condition of a write', () => {
  it('is a strong ETag; a weak one only tells versions apart', async () => {
    expect(observed('change_order').condition).toBe('If-Match');
    answers({ status: 'open' }, { etag: '"v7"' });
    expect(await look('change_order', { id: '7' })).toMatchObject({ version: '"v7"', condition: '"v7"' });
    answers({ status: 'open' }, { etag: 'W/"v7"' });
    const weak = await look('change_order', { id: '7' });
    expect(weak.version).toBe('W/"v7"');
    expect(weak).not.toHaveProperty('condition');
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
