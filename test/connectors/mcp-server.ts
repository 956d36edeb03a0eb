/** MCP servers for tests: real ones as child processes, and one that says whatever a test wants, hostile things too. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { JsonValue } from '../../src/connectors/framework.js';
import type { JsonObject } from '../../src/connectors/json.js';

/** The program of an MCP server package, without a shell or a wrapper in between. */
export function serverProgram(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/${name}/package.json`);
  return join(dirname(manifest), 'dist', 'index.js');
}

/** The reference server over Streamable HTTP on a free port. */
export async function startEverything(): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [serverProgram('server-everything'), 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('listening on port')) resolve();
    });
    child.once('exit', () => reject(new Error(`server-everything ended: ${said}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Asked {
  readonly http: string;
  readonly headers: IncomingMessage['headers'];
  /** Of the JSON-RPC message; empty for DELETE and GET. */
  readonly method: string;
  readonly params: JsonObject;
}

/** A server that answers from a script; what it was asked stands in `asked`. */
export class ScriptedServer {
  readonly asked: Asked[] = [];
  era: 'legacy' | 'modern' = 'legacy';
  /** Pages of `tools/list`. */
  pages: JsonValue[][] = [[]];
  /** Those of `resources/list`; without, it offers none. Templates are not known to it. */
  resources: JsonValue[] | undefined;
  sessionId: string | undefined;
  asStream = false;
  /** The answer to `tools/call`, unless `onCall` takes the connection over. */
  callResult: JsonValue = { content: [{ type: 'text', text: 'done' }] };
  error: { readonly method: string; readonly error: JsonObject } | undefined;
  /** Takes over a message of that method; nothing else is answered then. */
  takeOver:
    | { readonly method: string; readonly act: (response: ServerResponse, id: JsonValue) => void }
    | undefined;
  private readonly server = createServer((request, response) => void this.handle(request, response));

  /** Sockets so far, and those that are open. */
  connections = 0;
  open = 0;

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    scripted.server.on('connection', (socket) => {
      scripted.connections += 1;
      scripted.open += 1;
      socket.once('close', () => (scripted.open -= 1));
    });
    await new Promise<void>((resolve) => scripted.server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  methods(): string[] {
    return this.asked.map(({ http, method }) => method || http);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const message = (text === '' ? {} : JSON.parse(text)) as JsonObject;
    const { id, method = '', params = {} } = message;
    const { headers } = request;
    this.asked.push({
      http: request.method ?? '',
      headers,
      method: String(method),
      params: params as JsonObject,
    });
    if (this.takeOver !== undefined && this.takeOver.method === method) {
      this.takeOver.act(response, id ?? null);
      return;
    }
    if (request.method !== 'POST') return void response.writeHead(200).end();
    if (id === undefined) return void response.writeHead(202).end();
    const known =
      this.error?.method === method ? { error: this.error.error } : this.answer(String(method), params);
    this.send(response, method === 'initialize', { jsonrpc: '2.0', id, ...known });
  }

  private send(response: ServerResponse, isHandshake: boolean, message: JsonObject): void {
    const session = isHandshake && this.sessionId ? { 'mcp-session-id': this.sessionId } : {};
    if (!this.asStream) {
      response.writeHead(200, { 'content-type': 'application/json', ...session });
      response.end(JSON.stringify(message));
      return;
    }
    const note = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'hi' } };
    response.writeHead(200, { 'content-type': 'text/event-stream', ...session });
    response.write(`id: 1\nretry: 1\ndata:\n\n: a comment\n\ndata: ${JSON.stringify(note)}\n\n`);
    response.end(`event: message\r\nid: 2\r\ndata: ${JSON.stringify(message)}\r\n\r\n`);
  }

  private answer(method: string, params: JsonValue): JsonObject {
    const complete: JsonObject = this.era === 'modern' ? { resultType: 'complete' } : {};
    const list: JsonObject = this.era === 'modern' ? { ...complete, ttlMs: 0, cacheScope: 'private' } : {};
    const page = Number((params as JsonObject).cursor ?? 0);
    const refused = { error: { code: -32601, message: 'Method not found' } };
    const capabilities: JsonObject = { tools: {}, ...(this.resources && { resources: {} }) };
    const serverInfo = { name: 'scripted', version: '1' };
    switch (method) {
      case 'server/discover':
        if (this.era === 'legacy') return refused;
        return {
          result: { ...list, supportedVersions: ['2026-07-28'], capabilities, serverInfo },
        };
      case 'initialize':
        if (this.era === 'modern') return refused;
        return { result: { protocolVersion: '2025-11-25', capabilities, serverInfo } };
      case 'tools/list':
        return {
          result: {
            ...list,
            tools: this.pages[page] ?? [],
            ...(page + 1 < this.pages.length && { nextCursor: String(page + 1) }),
          },
        };
      case 'resources/list':
        return this.resources ? { result: { ...list, resources: this.resources } } : refused;
      case 'tools/call':
        return { result: { ...complete, ...(this.callResult as JsonObject) } };
      default:
        return refused;
    }
  }
}
