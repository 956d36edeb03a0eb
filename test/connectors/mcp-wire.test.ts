/** What leaves for a server, and what is made of what comes back. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallContext } from '../../src/connectors/framework.js';
import type { JsonObject } from '../../src/connectors/json.js';
import { mcpConnector } from '../../src/connectors/mcp/index.js';
import { UpstreamError } from '../../src/errors.js';
import { call, functionNamed, MemoryFiles, withSecret } from './call-context.js';
import { contextOf, failure, getTicket, reviewed, run, TOOL } from './mcp-call.js';
import { ScriptedServer } from './mcp-server.js';

let server: ScriptedServer;
beforeEach(async () => {
  server = await ScriptedServer.start();
  server.pages = [[TOOL]];
});
afterEach(() => server.stop());

describe('what a failure means', () => {
  it.each([
    ['Upstream timed out after the ticket was made', false],
    ['MCP error -32602: Output validation error: Invalid structured content for tool get-ticket', false],
    ['MCP error -32602: Input validation error: Invalid arguments for tool get-ticket', true],
    ['MCP error -32602: Tool get-ticket disabled', true],
  ])('isError of a tool that may change something, "%s": definite %s', async (text, definite) => {
    server.pages = [[{ ...TOOL, annotations: {} }]];
    const config = await reviewed(server);
    server.callResult = { isError: true, content: [{ type: 'text', text }] };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_rejected', definite });
  });

  it('-32602 about what a tool answered says that it was carried out', async () => {
    const config = await reviewed(server);
    const message = 'Tool get-ticket has an output schema but no structured content was provided';
    server.error = { method: 'tools/call', error: { code: -32602, message } };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_rejected', definite: false });
  });

  it('isError of a tool that says it only reads: its own words, and nothing happened', async () => {
    const config = await reviewed(server);
    server.callResult = { isError: true, content: [{ type: 'text', text: 'No such\u0007 ticket' }] };
    const error = await failure(getTicket(config));
    expect(error).toMatchObject({ code: 'upstream_rejected', definite: true });
    expect(error.message).toBe('get-ticket failed: No such ticket');
  });

  it.each([
    [-32602, true],
    [-32601, true],
    [-32603, false],
    [-32000, false],
  ])('JSON-RPC error %i: definite %s', async (code, definite) => {
    const config = await reviewed(server);
    server.error = { method: 'tools/call', error: { code, message: 'Said so' } };
    const error = await failure(getTicket(config));
    expect(error).toMatchObject({ code: 'upstream_rejected', definite });
    expect(error.message).toContain('Said so');
  });

  it('a connection that breaks after tools/call: nobody knows, and it is not sent again', async () => {
    const config = await reviewed(server);
    server.takeOver = { method: 'tools/call', act: (response) => response.destroy() };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    ['a stream that ends without the answer', 'text/event-stream', 'id: 1\nretry: 1\ndata:\n\n'],
    ['an answer to something else', 'application/json', '{"jsonrpc":"2.0","id":"other","result":{}}'],
    ['no JSON', 'application/json', '<html>'],
    ['an empty answer', 'text/plain', ''],
  ])('%s after tools/call: nobody knows', async (_, type, body) => {
    const config = await reviewed(server);
    server.takeOver = {
      method: 'tools/call',
      act: (response) => response.writeHead(200, { 'content-type': type }).end(body),
    };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_unavailable', definite: false });
    expect(server.methods()).not.toContain('GET');
  });

  it.each<[number, string, boolean]>([
    [400, 'upstream_rejected', true],
    [401, 'needs_reauth', true],
    [403, 'forbidden_upstream', true],
    [404, 'upstream_rejected', true],
    [429, 'rate_limited', true],
    [500, 'upstream_unavailable', false],
    [504, 'upstream_unavailable', false],
  ])('HTTP %i to tools/call: %s, definite %s', async (status, code, definite) => {
    const config = await reviewed(server);
    server.takeOver = {
      method: 'tools/call',
      act: (response) => response.writeHead(status, { 'retry-after': '9' }).end(),
    };
    expect(await failure(getTicket(config))).toMatchObject({ code, definite, retryAfter: 9 });
  });

  it.each(['initialize', 'notifications/initialized', 'tools/list'])(
    '%s that breaks: surely nothing happened',
    async (method) => {
      const config = await reviewed(server);
      server.takeOver = { method, act: (response) => response.destroy() };
      expect(await failure(getTicket(config))).toMatchObject({
        code: 'upstream_unavailable',
        definite: true,
      });
      server.takeOver = { method, act: (response) => response.writeHead(503).end() };
      expect(await failure(getTicket(config))).toMatchObject({
        code: 'upstream_unavailable',
        definite: true,
      });
      expect(server.methods()).not.toContain('tools/call');
    },
  );

  it('a call that was stopped before it was sent surely did not happen', async () => {
    const config = await reviewed(server);
    const context = contextOf(config);
    const stopped: CallContext = {
      ...context,
      fetch: (request) => {
        if (String(request.body).includes('"tools/call"')) throw new Error('the right to send has run out');
        return context.fetch(request);
      },
    };
    const fn = functionNamed(mcpConnector.functions(config), 'get_ticket');
    expect(await failure(call(fn, stopped, { id: '7' }))).toMatchObject({ definite: true });
    expect(server.methods()).not.toContain('tools/call');
  });

  it('a file that cannot be kept does not make a call fail that was made', async () => {
    const config = await reviewed(server);
    server.callResult = { content: [{ type: 'image', data: 'AAAA', mimeType: 'text/html; x="' }] };
    const files = new MemoryFiles();
    files.save = () =>
      Promise.reject(new UpstreamError('upstream_rejected', 'too large', { definite: true }));
    expect(await getTicket(config, { files })).toEqual({
      content: [
        {
          type: 'image',
          file: { name: 'image-1.html', type: 'text/html', size: 3, left_out: 'It could not be kept.' },
        },
      ],
    });
  });

  it('too much content is cut, and says so', async () => {
    const config = await reviewed(server);
    const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' };
    server.callResult = {
      content: [{ type: 'text', text: 'z'.repeat(150_000) }, ...Array.from({ length: 150 }, () => image)],
      structuredContent: { text: 's'.repeat(150_000) },
    };
    const files = new MemoryFiles();
    const result = (await getTicket(config, { files })) as { content: JsonObject[]; truncated?: boolean };
    expect(result.content).toHaveLength(100);
    expect(result.truncated).toBe(true);
    expect(result.content[0]).toMatchObject({ truncated: true });
    expect(String(result.content[0]?.text)).toHaveLength(100_000);
    expect(files.kept.size).toBe(20);
  });
});

describe('on the wire', () => {
  it('a session is opened, kept to, and ended; its stream of events is read whole', async () => {
    server.sessionId = 'session-1';
    server.asStream = true;
    const config = await reviewed(server);
    expect(await getTicket(config)).toEqual({ content: [{ type: 'text', text: 'done' }] });
    expect(server.methods()).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      'tools/call',
      'DELETE',
    ]);
    const sessions = server.asked.map(({ headers }) => headers['mcp-session-id']);
    expect(sessions).toEqual([undefined, 'session-1', 'session-1', 'session-1', 'session-1']);
    expect(server.asked[3]?.params).toEqual({ name: 'get-ticket', arguments: { id: '7' } });
    expect(server.asked[0]?.params.capabilities).toEqual({});
  });

  it('the newer protocol has neither', async () => {
    server.era = 'modern';
    const mirrored = {
      ...TOOL,
      inputSchema: { type: 'object', properties: { id: { type: 'string', 'x-mcp-header': 'Ticket' } } },
      outputSchema: { type: 'object', required: ['never'] },
    };
    server.pages = [[mirrored]];
    const config = await reviewed(server);
    expect(config.era).toBe('modern');
    server.callResult = { content: [], structuredContent: { other: 1 } };
    expect(await getTicket(config)).toEqual({ content: [], structured: { other: 1 } });
    expect(server.methods()).toEqual(['server/discover', 'tools/list', 'tools/call']);
    expect(server.asked[2]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'get-ticket',
      'mcp-param-ticket': '7',
    });
  });

  it('the newer protocol: a call that asks for input is refused, one with a wrong header is not sent twice', async () => {
    server.era = 'modern';
    const config = await reviewed(server);
    server.callResult = { resultType: 'input_required', inputRequests: {}, requestState: 'x' };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_rejected', definite: true });
    server.asked.length = 0;
    server.error = { method: 'tools/call', error: { code: -32020, message: 'Header mismatch' } };
    expect(await failure(getTicket(config))).toMatchObject({ code: 'upstream_rejected', definite: true });
    expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  it.each([301, 302, 307, 308])('a redirect (%i) is told, not followed', async (status) => {
    const config = await reviewed(server);
    const act: NonNullable<ScriptedServer['takeOver']>['act'] = (response) =>
      response.writeHead(status, { location: `${server.origin}/mcp/elsewhere` }).end();
    server.takeOver = { method: 'initialize', act };
    const error = await failure(getTicket(config));
    expect(error).toMatchObject({ code: 'upstream_rejected', definite: true });
    expect(error.message).toContain('/mcp/elsewhere, which is not followed');
    server.takeOver = { method: 'tools/call', act };
    expect(await failure(getTicket(config))).toMatchObject({ definite: false });
    expect(server.methods().filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  it('credentials go onto every request, under one name', async () => {
    const method = (id: string) =>
      mcpConnector.auth.find((each) => each.id === id) ?? { kind: 'none' as const, id, title: '' };
    const config = await reviewed(server, { api_key_name: 'X-Team-Key' });
    const bearer = withSecret(method('bearer'), { token: 'fake-token-1' }, config);
    await getTicket(config, { authorize: bearer });
    expect(server.asked.every(({ headers }) => headers.authorization === 'Bearer fake-token-1')).toBe(true);
    server.asked.length = 0;
    await getTicket(config, { authorize: withSecret(method('api_key'), { api_key: 'fake-key-1' }, config) });
    expect(server.asked.length).toBeGreaterThan(3);
    expect(server.asked.every(({ headers }) => headers['x-team-key'] === 'fake-key-1')).toBe(true);
  });

  it('only its own address is allowed', () => {
    expect(mcpConnector.egress({ url: 'https://mcp.example.com/team/mcp/?project=1' }, '')).toEqual([
      { origin: 'https://mcp.example.com', pathPrefix: '/team/mcp' },
    ]);
    expect(mcpConnector.egress({ command: 'files' }, '')).toEqual([]);
  });
});

describe('resources', () => {
  it.each(['legacy', 'modern'] as const)(
    'of a server without templates are listed all the same (%s)',
    async (era) => {
      server.era = era;
      server.resources = [{ uri: 'wiki://home', name: 'Home' }];
      const config = await reviewed(server);
      expect(await run(config, 'list_resources')).toEqual({
        resources: [
          { uri: 'wiki://home', name: 'Home', title: '', description: '', media_type: null, size: null },
        ],
        templates: [],
        next_page_token: null,
      });
      expect(server.methods()).toContain('resources/templates/list');
    },
  );
});
