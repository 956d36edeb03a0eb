/** What a caller gets of an answer: all that it needs to go on, and bytes as a file. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, FunctionDefinition, JsonValue } from '../../src/connectors/framework.js';
import { type ImportedOperation, importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { call, callContext, functionNamed, MemoryFiles, upstreamResponse } from './call-context.js';

const ok = { 200: { description: 'ok' } };
const security = (...scopes: string[]) => [{ login: scopes }];
const document = {
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  components: {
    securitySchemes: {
      login: {
        type: 'oauth2',
        flows: {
          clientCredentials: { tokenUrl: 'https://shop.example/token', scopes: { read: '', write: '' } },
        },
      },
    },
  },
  paths: {
    '/orders': { get: { operationId: 'listOrders', responses: ok, security: security('read') } },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'getOrder', responses: ok, security: security('read') },
      delete: { operationId: 'deleteOrder', responses: ok, security: security('write') },
    },
    '/carts/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      delete: { operationId: 'deleteCart', responses: ok, security: security('write') },
    },
  },
};

let operations: readonly ImportedOperation[];
let functions: readonly FunctionDefinition[];
const asked: Readonly<Record<string, string>>[] = [];
beforeAll(async () => {
  ({ operations } = await importOpenApi(JSON.stringify(document)));
  functions = restConnector.functions(
    JSON.parse(JSON.stringify({ base_url: 'https://shop.example', operations })),
  );
});

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

function run(
  { status = 200, headers = {}, body = '' }: Answer,
  name = 'list_orders',
  args: Arguments = {},
  files = new MemoryFiles(),
): Promise<JsonValue> {
  const context = callContext({ files });
  const fetch: typeof context.fetch = async (request) => {
    asked.push(request.headers ?? {});
    return upstreamResponse(status, headers, body);
  };
  return call(functionNamed(functions, name), { ...context, fetch }, args);
}

describe('an answer', () => {
  it('tells the next page, the new thing and the version, and no other header', async () => {
    const link = '<https://shop.example/orders?cursor=b>; rel="next"';
    const headers = { 'content-type': 'application/json', link, 'x-request-id': '1' };
    expect(await run({ headers, body: '[]' })).toEqual({ status: 200, body: [], headers: { link } });
    const made = { location: '/orders/8', etag: '"1"' };
    expect(await run({ status: 201, headers: made })).toEqual({ status: 201, body: null, headers: made });
  });

  it('that is no text becomes a file', async () => {
    const files = new MemoryFiles();
    const body = Buffer.from('%PDF-1.7\n\xe2\xe3\xcf\xd3', 'latin1');
    const headers = { 'content-type': 'application/pdf; version=1.7' };
    expect(await run({ headers, body }, 'get_order', { id: '7' }, files)).toMatchObject({
      status: 200,
      body: null,
      file: { file: 'file_test_000001', type: 'application/pdf', size: body.byteLength },
    });
    expect(files.kept.get('file_test_000001')?.bytes).toEqual(body);
  });

  it('is read as the text that it says it is', async () => {
    const headers = { 'content-type': 'text/plain; charset=ISO-8859-1' };
    expect(await run({ headers, body: Buffer.from('Grüße', 'latin1') })).toEqual({
      status: 200,
      body: 'Grüße',
    });
  });

  it('that cannot be kept is no reason to call a call failed that was made', async () => {
    const files = new MemoryFiles();
    files.save = () => Promise.reject(new Error('the disk is full'));
    const body = Buffer.from([0xff, 0xfe, 0xff]);
    expect(await run({ body }, 'delete_order', { id: '7' }, files)).toEqual({
      status: 200,
      body: null,
      left_out: expect.any(String),
    });
  });

  it('is asked for as JSON, unless the caller says otherwise', async () => {
    await run({});
    await run({}, 'http_request', { method: 'GET', path: '/x', headers: { Accept: 'text/csv' } });
    expect(asked.slice(-2)).toEqual([
      { accept: expect.stringMatching(/^application\/json\b/) },
      { accept: 'text/csv' },
    ]);
  });
});

describe('a write that shows its target', () => {
  it('asks for the scopes of that look besides its own', () => {
    const scopesOf = (name: string) => operations.find((operation) => operation.name === name)?.scopes;
    expect(scopesOf('delete_order')).toEqual(['write', 'read']);
    expect(scopesOf('delete_cart')).toEqual(['write']);
  });
});

describe('the card', () => {
  it('shows the whole path, also what the connection puts before it', () => {
    const below = restConnector.functions(
      JSON.parse(JSON.stringify({ base_url: 'https://shop.example/admin/v1', operations })),
    );
    const pathOf = (name: string, args: Arguments) =>
      functionNamed(below, name)
        .card(args)
        .find(({ label }) => label === 'Path')?.value;
    expect(pathOf('delete_order', { id: '7' })).toBe('/admin/v1/orders/7');
    expect(pathOf('http_request', { method: 'DELETE', path: '/x' })).toBe('/admin/v1/x');
  });
});
