import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { helpdeskDocument } from '../../playground/helpdesk-document.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';

const ok = { 200: { description: 'ok' } };

function documentOf(paths: object, more: object = {}): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title: 'Shop', version: '2' }, paths, ...more });
}

async function only(paths: object, more: object = {}) {
  const result = await importOpenApi(documentOf(paths, more));
  const [operation] = result.operations;
  if (operation === undefined) throw new Error(`nothing imported: ${JSON.stringify(result.unsupported)}`);
  return operation;
}

describe('an OpenAPI document is imported', () => {
  it('gives each operation a name, a risk and one flat schema', async () => {
    const result = await importOpenApi(JSON.stringify(helpdeskDocument('http://127.0.0.1:9')));
    expect(result.operations.map(({ name, method, risk }) => [name, method, risk])).toEqual([
      ['list_tickets', 'GET', 'read'],
      ['create_ticket', 'POST', 'write'],
      ['search_tickets', 'GET', 'read'],
      ['get_ticket', 'GET', 'read'],
      ['update_ticket', 'PATCH', 'write'],
      ['delete_ticket', 'DELETE', 'destructive'],
      ['add_comment', 'POST', 'write'],
    ]);
    expect(result.title).toBe('Siesta Helpdesk');
    expect(result.servers).toEqual(['http://127.0.0.1:9']);
    expect(result.documentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(result.authentication).toEqual([{ method: 'api_key', in: 'header', name: 'X-API-Key' }]);
    expect(result.operations.find(({ name }) => name === 'update_ticket')).toMatchObject({
      body: { kind: 'fields', arguments: ['subject', 'priority', 'status'], contentType: 'application/json' },
      idempotent: false,
      inputSchema: { additionalProperties: false, required: ['id'] },
    });
  });

  it('reads YAML as well', async () => {
    const text =
      'openapi: 3.0.3\ninfo: {title: Shop, version: "1"}\npaths:\n  /a:\n    get:\n      responses: {"200": {description: ok}}\n';
    const { operations } = await importOpenApi(text);
    expect(operations.map(({ name }) => name)).toEqual(['get_a']);
  });

  it('keeps names apart, whatever the order of the document', async () => {
    const get = { operationId: 'listThings', responses: ok };
    const post = { operationId: 'list-things', responses: ok };
    const raw = { operationId: 'http_request', responses: ok };
    const forward = await importOpenApi(documentOf({ '/a': { get }, '/b': { post }, '/c': { get: raw } }));
    const backward = await importOpenApi(documentOf({ '/c': { get: raw }, '/b': { post }, '/a': { get } }));
    const names = (result: typeof forward) =>
      Object.fromEntries(result.operations.map(({ name, method, path }) => [`${method} ${path}`, name]));
    expect(names(forward)).toEqual(names(backward));
    expect(new Set(Object.values(names(forward))).size).toBe(3);
    for (const name of Object.values(names(forward)))
      expect(name).toMatch(/^(list_things|http_request)_[0-9a-f]{4}$/);
  });

  it('keeps long names within 42 characters and apart', async () => {
    const id = 'updateTheVeryLongNameOfAnOperationThatNobodyWouldEverType';
    const { operations } = await importOpenApi(
      documentOf({
        '/a': { get: { operationId: `${id}One`, responses: ok } },
        '/b': { get: { operationId: `${id}Two`, responses: ok } },
      }),
    );
    const names = operations.map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(42);
  });

  it('ends circular schemas instead of following them', async () => {
    const node = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
      },
    };
    const operation = await only(
      {
        '/tree': {
          post: {
            requestBody: {
              required: true,
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Node' } } },
            },
            responses: ok,
          },
        },
      },
      { components: { schemas: { Node: node } } },
    );
    expect(operation.inputSchema).toMatchObject({
      properties: {
        name: { type: 'string' },
        children: { type: 'array', items: { description: 'Another Node, nested.' } },
      },
    });
  });

  it('keeps a schema below 32 KB by describing less of its depth', async () => {
    const level = (depth: number): object =>
      depth === 0
        ? { type: 'string', description: 'a leaf with some words about it' }
        : {
            type: 'object',
            properties: Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((key) => [key, level(depth - 1)])),
          };
    const body = { required: true, content: { 'application/json': { schema: level(6) } } };
    const operation = await only({ '/deep': { post: { requestBody: body, responses: ok } } });
    const size = JSON.stringify(operation.inputSchema).length;
    expect(size).toBeLessThanOrEqual(32 * 1024);
    expect(size).toBeGreaterThan(1_000);
  });

  it('puts the body under one argument when its fields meet the parameters', async () => {
    const operation = await only({
      '/users/{id}': {
        put: {
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: { type: 'object', properties: { id: { type: 'integer' } } } },
            },
          },
          responses: ok,
        },
      },
    });
    expect(operation.body).toEqual({ kind: 'whole', argument: 'body', contentType: 'application/json' });
    expect(operation.inputSchema.required).toEqual(['id', 'body']);
  });

  it('understands 3.0: nullable, exclusive bounds as flags, read-only fields', async () => {
    const schema = {
      type: 'object',
      required: ['id', 'size'],
      properties: {
        id: { type: 'string', readOnly: true },
        note: { type: 'string', nullable: true },
        size: { type: 'number', minimum: 0, exclusiveMinimum: true },
      },
    };
    const operation = await only(
      {
        '/a': {
          post: {
            requestBody: { required: true, content: { 'application/json': { schema } } },
            responses: ok,
          },
        },
      },
      { openapi: '3.0.3' },
    );
    expect(operation.inputSchema).toMatchObject({
      properties: { note: { type: ['string', 'null'] }, size: { exclusiveMinimum: 0 } },
      required: ['size'],
    });
    expect(operation.inputSchema.properties).not.toHaveProperty('id');
  });

  it('offers no argument for a header that callers may not set, and no operation that needs one', async () => {
    const header = (name: string, required: boolean) => ({
      name,
      in: 'header',
      required,
      schema: { type: 'string' },
    });
    const result = await importOpenApi(
      documentOf({
        '/a': {
          get: {
            operationId: 'a',
            parameters: [header('X-HTTP-Method-Override', false), header('X-Trace', false)],
            responses: ok,
          },
        },
        '/b': { get: { operationId: 'b', parameters: [header('Host', true)], responses: ok } },
        '/c': { get: { operationId: 'c', parameters: [header('X-Forwarded-For', true)], responses: ok } },
      }),
    );
    expect(
      result.operations.map(({ name, parameters }) => [name, parameters.map((one) => one.name)]),
    ).toEqual([['a', ['X-Trace']]]);
    expect(result.unsupported.map(({ path, reason }) => [path, reason])).toEqual([
      ['/b', 'It needs the header "Host", which callers may not set.'],
      ['/c', 'It needs the header "X-Forwarded-For", which callers may not set.'],
    ]);
  });

  it('names what it cannot call, and imports the rest', async () => {
    const result = await importOpenApi(
      documentOf({
        '/upload': {
          post: {
            requestBody: { required: true, content: { 'multipart/form-data': { schema: {} } } },
            responses: ok,
          },
        },
        '/a/../b': { get: { responses: ok } },
        '/form': {
          post: {
            requestBody: { content: { 'application/x-www-form-urlencoded': { schema: {} } } },
            responses: ok,
          },
        },
        '/elsewhere': { get: { servers: [{ url: 'https://evil.example' }], responses: ok } },
        '/fine': { get: { responses: ok } },
      }),
    );
    expect(result.operations.map(({ path }) => path)).toEqual(['/fine']);
    expect(result.unsupported.map(({ path }) => path)).toEqual(['/upload', '/a/../b', '/form', '/elsewhere']);
    expect(result.unsupported[0]?.reason).toBe(
      'It sends multipart/form-data; only JSON bodies are supported.',
    );
  });

  it('reads 1,200 operations in less than 5 seconds', async () => {
    const paths: Record<string, object> = {};
    const body = {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
    };
    const parameters = [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }];
    for (let n = 0; n < 600; n++) {
      paths[`/things${n}/{id}`] = {
        parameters,
        get: { operationId: `getThing${n}`, responses: ok },
        put: { operationId: `putThing${n}`, requestBody: body, responses: ok },
      };
    }
    const fields = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [
        `field${n}`,
        { type: 'string', description: 'A field of a thing.' },
      ]),
    );
    const text = documentOf(paths, {
      components: {
        schemas: {
          Thing: { type: 'object', properties: { ...fields, next: { $ref: '#/components/schemas/Thing' } } },
        },
      },
    });
    const started = performance.now();
    const { operations } = await importOpenApi(text);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(operations).toHaveLength(1_200);
  });
});

describe('a document that cannot be imported', () => {
  const laughs = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 1; n < 10; n++)
    laughs.push(
      `a${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join(', ')}]`,
    );

  it.each([
    ['is empty', '  \n', /The document is empty/],
    ['is a web page', '<!doctype html><html></html>', /web page/],
    ['is broken JSON', '{\n  "openapi": "3.1.0",\n  "info": {"title": "x"\n', /JSON is broken: .* at line 4/],
    ['is broken YAML', 'openapi: 3.1.0\npaths:\n  - a\n b: [', /YAML is broken: .* at line 4/],
    ['is a plain text', 'hello', /neither a JSON nor a YAML object/],
    ['is a list', '[1, 2]', /neither a JSON nor a YAML object/],
    ['is Swagger 2', '{"swagger": "2.0", "info": {}, "paths": {}}', /Swagger 2\.0.*Convert it to OpenAPI 3/],
    [
      'is a version of the future',
      '{"openapi": "3.2.0", "info": {}, "paths": {"/a": {}}}',
      /OpenAPI 3\.2\.0\. Versions 3\.0 and 3\.1/,
    ],
    ['says no version', '{"info": {}}', /does not say "openapi: 3/],
    ['has no paths', '{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}}', /no "paths"/],
    [
      'has a path without responses',
      documentOf({ '/a': { get: { responses: {} } } }, { openapi: '3.0.3' }),
      /breaks the OpenAPI specification.*responses/s,
    ],
    [
      'has a variable that nobody declares',
      documentOf({ '/a/{id}': { get: { responses: ok } } }),
      /\/paths\/a\/\{id\}\/get.*\{id\}/,
    ],
    [
      'points at what is not there',
      documentOf({ '/a': { get: { parameters: [{ $ref: '#/components/parameters/no' }], responses: ok } } }),
      /#\/components\/parameters\/no/,
    ],
    [
      'laughs a billion times',
      `openapi: 3.1.0\n${laughs.join('\n')}\npaths: *a9\n`,
      /refers to its own parts too often/,
    ],
    [
      'is nested without end',
      `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{"responses":{}}}},"x-deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      /nested too deeply/,
    ],
  ])('%s: the answer says what is wrong', async (_, text, message) => {
    await expect(importOpenApi(text)).rejects.toMatchObject({
      code: 'invalid_arguments',
      path: '/openapi',
      message: expect.stringMatching(message),
    });
  });

  it('refers to another file: nothing is read and nothing is fetched', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const references = [
      `http://127.0.0.1:${port}/schemas.json#/Thing`,
      'file:///etc/hostname',
      './other.yaml',
    ];
    for (const reference of references) {
      const schema = { type: 'object', properties: { thing: { $ref: reference } } };
      const text = documentOf({
        '/a': { post: { requestBody: { content: { 'application/json': { schema } } }, responses: ok } },
      });
      await expect(importOpenApi(text)).rejects.toThrow(`refers to another file, "${reference}"`);
    }
    await new Promise((resolve) => server.close(resolve));
    expect(asked).toBe(0);
  });

  it('has more than 20 MB', async () => {
    await expect(importOpenApi(' '.repeat(20 * 1024 * 1024 + 1))).rejects.toThrow('larger than 20 MB');
  });

  it('is no longer wanted', async () => {
    const controller = new AbortController();
    const importing = importOpenApi(documentOf({ '/a': { get: { responses: ok } } }), {
      signal: controller.signal,
    });
    controller.abort();
    await expect(importing).rejects.toThrow('The import was stopped.');
  });
});
