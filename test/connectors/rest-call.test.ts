import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Helpdesk, startHelpdesk } from '../../playground/helpdesk.js';
import { definitionHash } from '../../src/connectors/definition-hash.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../../src/connectors/framework.js';
import { type ImportedOperation, importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { call, callContext, functionNamed, withSecret } from './call-context.js';

const KEY = 'fake-helpdesk-key-1';
let helpdesk: Helpdesk;
let operations: ImportedOperation[];
let config: Record<string, JsonValue>;
let functions: readonly FunctionDefinition[];

beforeAll(async () => {
  helpdesk = await startHelpdesk({ port: 0, apiKey: KEY });
  const document = await (await fetch(helpdesk.openapiUrl)).text();
  operations = [...(await importOpenApi(document)).operations];
  config = configOf(operations);
  functions = restConnector.functions(config);
});
afterAll(() => helpdesk.close());
beforeEach(() => {
  helpdesk.delay = 0;
  helpdesk.fail = undefined;
});

function configOf(
  picked: readonly ImportedOperation[],
  more: Record<string, JsonValue> = {},
): Record<string, JsonValue> {
  return JSON.parse(JSON.stringify({ base_url: helpdesk.origin, operations: picked, ...more }));
}

function context(secret = KEY) {
  const [apiKey] = restConnector.auth;
  if (apiKey === undefined) throw new Error('no auth method');
  return callContext({ config, authorize: withSecret(apiKey, { api_key: secret }, config) });
}

const fn = (name: string) => functionNamed(functions, name);
const run = (name: string, args: Arguments) => call(fn(name), context(), args);

/** What the input check says; an empty list when the arguments fit. */
function issues(name: string, args: unknown) {
  const parsed = fn(name).input.parse(args);
  return parsed.ok ? [] : parsed.issues;
}

describe('an imported operation', () => {
  it('does what it says to the real service', async () => {
    const created = await run('create_ticket', {
      subject: 'Grüße',
      body: 'Zwei\nZeilen',
      priority: 'high',
      requester: 'cleo@siesta.example',
    });
    expect(created).toMatchObject({ status: 201, body: { id: 'T-105', subject: 'Grüße', status: 'open' } });
    expect(helpdesk.tickets().at(-1)).toMatchObject({ id: 'T-105', body: 'Zwei\nZeilen', priority: 'high' });
    await run('add_comment', { id: 'T-105', text: 'Noted.' });
    expect(await run('update_ticket', { id: 'T-105', status: 'solved' })).toMatchObject({
      body: { status: 'solved', comments: [{ text: 'Noted.' }] },
    });
    expect(await run('list_tickets', { status: 'solved' })).toMatchObject({
      body: [{ id: 'T-105' }, { id: 'T-104' }],
    });
    expect(await run('search_tickets', { q: 'coffee tune' })).toMatchObject({ body: [{ id: 'T-101' }] });
    expect(await run('delete_ticket', { id: 'T-105' })).toEqual({ status: 204, body: null });
    expect(helpdesk.tickets()).toHaveLength(4);
  });

  it('sends the credential, and only what it was given', async () => {
    await run('update_ticket', { id: 'T-101', priority: 'normal' });
    const request = helpdesk.requests.at(-1);
    expect(request).toMatchObject({ method: 'PATCH', url: '/tickets/T-101', body: '{"priority":"normal"}' });
    expect(request?.headers['x-api-key']).toBe(KEY);
  });

  it('ships as the catalogue says: reads run, writes ask, the raw request is off', () => {
    expect(
      Object.fromEntries(
        functions.map(({ name, approval, idempotency }) => [name, `${approval} ${idempotency}`]),
      ),
    ).toEqual({
      list_tickets: 'auto natural',
      create_ticket: 'ask none',
      search_tickets: 'auto natural',
      get_ticket: 'auto natural',
      update_ticket: 'ask none',
      delete_ticket: 'ask natural',
      add_comment: 'ask none',
      http_request: 'off none',
    });
  });

  it('fills the idempotency header with the execution where an admin named one', async () => {
    const withHeader = restConnector.functions(
      configOf(operations, { idempotency_header: 'Idempotency-Key' }),
    );
    const comment = functionNamed(withHeader, 'add_comment');
    expect(comment.idempotency).toBe('key');
    await call(comment, context(), { id: 'T-101', text: 'Once.' });
    expect(helpdesk.requests.at(-1)?.headers['idempotency-key']).toBe('exe_test_1');
  });
});

describe('arguments', () => {
  it.each<[string, string, Arguments, { path: string; message: string }]>([
    [
      'a missing one',
      'create_ticket',
      { subject: 'x', body: 'y' },
      { path: '/requester', message: 'is required' },
    ],
    [
      'an unknown one',
      'get_ticket',
      { id: 'T-1', admin: true },
      { path: '/admin', message: 'is not an argument of this function' },
    ],
    [
      'a wrong type: nothing is coerced',
      'create_ticket',
      { subject: 5, body: 'y', requester: 'a@b.example' },
      { path: '/subject', message: 'must be string' },
    ],
    [
      'a value outside the list',
      'list_tickets',
      { status: 'lost' },
      { path: '/status', message: 'must be one of "open", "waiting", "solved"' },
    ],
    [
      'a broken address',
      'create_ticket',
      { subject: 'x', body: 'y', requester: 'nobody' },
      { path: '/requester', message: 'must be a valid email' },
    ],
  ])('%s is refused with its place', (_, name, args, issue) => {
    expect(issues(name, args)).toEqual([issue]);
  });

  it('are not filled in with defaults', () => {
    const args = { subject: 'x', body: 'y', requester: 'a@b.example' };
    expect(fn('create_ticket').input.parse(args)).toEqual({ ok: true, value: args });
    expect(args).not.toHaveProperty('priority');
  });

  it.each([
    '../admin',
    '..',
    '.',
    'a/b',
    'a\\b',
    '%2e%2e%2fadmin',
    '%2E%2E',
    'a%5cb',
    '',
    'x\r\nHost: evil',
    'x\u0000',
    '//evil.example',
  ])('cannot lead a path elsewhere: %j', (id) => {
    expect(issues('delete_ticket', { id })).toMatchObject([{ path: '/id' }]);
  });

  it('whatever they are, the request stays on the host and below the path', () => {
    const [origin] = restConnector.egress(config, '');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (id) => {
        const parsed = fn('get_ticket').input.parse({ id });
        if (!parsed.ok) return;
        const shown = fn('get_ticket')
          .card(parsed.value)
          .find(({ label }) => label === 'Path');
        const url = new URL(`${helpdesk.origin}${shown?.value}`);
        expect(url.origin).toBe(origin?.origin);
        expect(url.pathname).toMatch(/^\/tickets\/[^/]+$/);
        expect(decodeURIComponent(url.pathname.slice('/tickets/'.length))).toBe(id);
      }),
    );
  });

  it('become query and headers as the document says', async () => {
    const query = (name: string, more: object) => ({ name, in: 'query', schema: {}, ...more });
    const document = {
      openapi: '3.1.0',
      info: { title: 'x', version: '1' },
      paths: {
        '/tickets': {
          get: {
            operationId: 'styles',
            parameters: [
              query('many', {}),
              query('joined', { explode: false }),
              query('piped', { style: 'pipeDelimited', explode: false }),
              query('filter[deep]', { style: 'deepObject' }),
              query('flat', {}),
              query('packed', { schema: undefined, content: { 'application/json': { schema: {} } } }),
              { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
            ],
            responses: { 200: { description: 'ok' } },
          },
        },
      },
    };
    const imported = await importOpenApi(JSON.stringify(document));
    const [styles] = restConnector.functions(configOf(imported.operations));
    if (styles === undefined) throw new Error('not imported');
    await call(styles, context(), {
      many: ['a', 'b'],
      joined: ['a', 'b'],
      piped: [1, 2],
      filter_deep: { state: 'open' },
      flat: { x: 1, y: 'z&w' },
      packed: { a: [true] },
      'X-Trace': 'abc',
    });
    const request = helpdesk.requests.at(-1);
    expect([...new URL(request?.url ?? '', helpdesk.origin).searchParams]).toEqual([
      ['many', 'a'],
      ['many', 'b'],
      ['joined', 'a,b'],
      ['piped', '1|2'],
      ['filter[deep][state]', 'open'],
      ['x', '1'],
      ['y', 'z&w'],
      ['packed', '{"a":[true]}'],
    ]);
    expect(request?.headers['x-trace']).toBe('abc');
    for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'ü']) {
      expect(styles.input.parse({ 'X-Trace': value })).toMatchObject({
        ok: false,
        issues: [{ path: '/X-Trace' }],
      });
    }
    expect(styles.input.parse({ flat: { _method: 'DELETE' } })).toMatchObject({
      ok: false,
      issues: [{ path: '/flat/_method' }],
    });
    expect(styles.input.parse({ many: 'a', flat: { many: 'b' } })).toMatchObject({
      ok: false,
      issues: [{ path: '/flat/many' }],
    });
  });

  it('cannot set where the credential goes', async () => {
    const [operation] = operations;
    if (operation === undefined) throw new Error('not imported');
    const parameters = [
      { argument: 'token', name: 'x-api-KEY', in: 'header', style: 'simple', explode: false },
    ] as const;
    const inputSchema = {
      type: 'object',
      properties: { token: { type: 'string' } },
      required: ['token'],
      additionalProperties: false,
    };
    const [declared] = restConnector.functions(
      configOf([{ ...operation, parameters: [...parameters], inputSchema }]),
    );
    expect(declared?.input.jsonSchema).toMatchObject({ properties: {}, required: [] });
    expect(declared?.input.parse({ token: 'mine' }).ok).toBe(false);
  });
});

describe('the raw request', () => {
  it('takes its risk from the method', () => {
    const riskOf = fn('http_request').riskOf;
    expect(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => riskOf?.({ method }))).toEqual([
      'read',
      'read',
      'write',
      'write',
      'write',
      'destructive',
    ]);
  });

  it('reaches a path below the base URL', async () => {
    const result = await run('http_request', {
      method: 'GET',
      path: '/tickets',
      query: { status: 'waiting' },
    });
    expect(result).toMatchObject({ status: 200, body: [{ id: 'T-103' }] });
  });

  it.each<[Arguments, string]>([
    [{ method: 'GET', path: '//evil.example/x' }, '/path'],
    [{ method: 'GET', path: '/a/../b' }, '/path'],
    [{ method: 'GET', path: '/a/%2e%2e/b' }, '/path'],
    [{ method: 'GET', path: '/a?b=c' }, '/path'],
    [{ method: 'GET', path: '/a b' }, '/path'],
    [{ method: 'GET', path: '/\\evil.example' }, '/path'],
    [{ method: 'GET', path: '@evil.example' }, '/path'],
    [{ method: 'GET', path: '/a\r\nHost: evil' }, '/path'],
    [{ method: 'TRACE', path: '/a' }, '/method'],
    [{ method: 'GET', path: '/a', headers: { Host: 'evil' } }, '/headers/Host'],
    [
      { method: 'GET', path: '/a', headers: { 'X-HTTP-Method-Override': 'DELETE' } },
      '/headers/X-HTTP-Method-Override',
    ],
    [{ method: 'GET', path: '/a', headers: { Authorization: 'Bearer x' } }, '/headers/Authorization'],
    [{ method: 'GET', path: '/a', headers: { Accept: 'a\r\nb: c' } }, '/headers/Accept'],
    [{ method: 'GET', path: '/a', query: { _method: 'DELETE' } }, '/query/_method'],
    [{ method: 'GET', path: '/a', body: {} }, '/body'],
    [{ method: 'POST', path: '/a', body: 'x'.repeat(300_000) }, '/body'],
    [{ method: 'GET', path: '/a', surprise: 1 }, ''],
  ])('refuses %j', (args, path) => {
    expect(issues('http_request', args)).toMatchObject([{ path }]);
  });
});

describe('what goes wrong', () => {
  it.each<[string, () => Promise<JsonValue>, object]>([
    [
      'a wrong key',
      () => call(fn('list_tickets'), context('fake-wrong-key'), {}),
      { code: 'needs_reauth', definite: true, status: 401 },
    ],
    [
      'a ticket that is not there',
      () => run('get_ticket', { id: 'T-999' }),
      {
        code: 'upstream_rejected',
        definite: true,
        message: expect.stringContaining('There is no ticket T-999.'),
      },
    ],
  ])('%s is told in words', async (_, act, expected) => {
    await expect(act()).rejects.toMatchObject(expected);
  });

  it('an answer of 500 leaves the outcome open', async () => {
    helpdesk.fail = 'error-500';
    await expect(run('add_comment', { id: 'T-101', text: 'x' })).rejects.toMatchObject({
      code: 'upstream_unavailable',
      definite: false,
    });
  });

  it('the playground can break a connection after the effect', async () => {
    helpdesk.fail = 'close-after-effect';
    await expect(run('add_comment', { id: 'T-102', text: 'Did it arrive?' })).rejects.toThrow();
    expect(helpdesk.tickets().find(({ id }) => id === 'T-102')?.comments).toMatchObject([
      { text: 'Did it arrive?' },
    ]);
  });
});

describe('the card', () => {
  it('shows method, host, path and every value on a line of its own', () => {
    const args = { subject: 'x', body: 'First\npriority: urgent', priority: 'low', requester: 'a@b.example' };
    expect(fn('create_ticket').card(args)).toEqual([
      { label: 'Method', value: 'POST', kind: 'short' },
      { label: 'Host', value: new URL(helpdesk.origin).host, kind: 'short' },
      { label: 'Path', value: '/tickets', kind: 'short' },
      {
        label: 'Body',
        value: 'subject: x\nbody:\n    First\n    priority: urgent\npriority: low\nrequester: a@b.example',
        kind: 'long',
      },
    ]);
  });

  it('tells a text from a number and shows what is nested', () => {
    const body = { count: '5', really: 5, list: [{ 'odd key': null }, []], empty: '' };
    const card = fn('http_request').card({ method: 'POST', path: '/a', body });
    expect(card.at(-1)?.value).toBe('count: "5"\nreally: 5\nlist[1]."odd key": null\nlist[2]: []\nempty: ""');
  });
});

describe('the definition', () => {
  it('a change of host, path, method or schema is another definition; its wording is not', () => {
    const [operation] = operations;
    if (operation === undefined) throw new Error('not imported');
    const hash = (changed: object, more = {}) => {
      const [first] = restConnector.functions(configOf([{ ...operation, ...changed }], more));
      if (first === undefined) throw new Error('no function');
      return definitionHash(first);
    };
    const original = hash({});
    expect(original).toMatch(/^[0-9a-f]{64}$/);
    expect(hash({ title: 'Other words' })).toBe(original);
    const others = [
      hash({ method: 'DELETE' }),
      hash({ path: '/other' }),
      hash({ risk: 'write' }),
      hash({ inputSchema: { type: 'object' } }),
      hash({ parameters: [] }),
      hash({}, { base_url: 'https://other.example' }),
    ];
    expect(new Set([original, ...others]).size).toBe(7);
  });
});
