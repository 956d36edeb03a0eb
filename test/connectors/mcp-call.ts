/** Calls of the MCP connector as a test makes them: through the real guard, against servers of the test's own. */
import type { CallContext, JsonValue, UpstreamRequest } from '../../src/connectors/framework.js';
import { mcpConnector } from '../../src/connectors/mcp/index.js';
import { UpstreamError } from '../../src/errors.js';
import { createOutbound } from '../../src/net/safe-fetch.js';
import { call, callContext, functionNamed, MemoryFiles } from './call-context.js';
import type { ScriptedServer } from './mcp-server.js';

export type Config = Record<string, JsonValue>;

export interface Options {
  readonly commands?: CallContext['commands'];
  readonly files?: MemoryFiles;
  readonly authorize?: (request: UpstreamRequest) => UpstreamRequest;
  readonly signal?: AbortSignal;
}

/** With the real guard: only the connection's own address, no redirects, every request once. */
export function contextOf(config: Config, options: Options = {}): CallContext {
  const target = typeof config.url === 'string' ? new URL(config.url).host : undefined;
  const outbound = createOutbound({ allowPrivate: target === undefined ? [] : [target] });
  const { authorize = (request) => request, files = new MemoryFiles(), commands = {}, signal } = options;
  return {
    ...callContext({ config, files }),
    commands,
    ...(signal && { signal }),
    fetch: (request) => outbound.send(authorize(request), { allow: mcpConnector.egress(config, '') }),
  };
}

export async function discovered(config: Config, options: Options = {}): Promise<Config> {
  const { discover } = mcpConnector;
  if (discover === undefined) throw new Error('mcp discovers');
  return discover(contextOf(config, options));
}

export function run(
  config: Config,
  name: string,
  args: Record<string, JsonValue> = {},
  options: Options = {},
): Promise<JsonValue> {
  return call(functionNamed(mcpConnector.functions(config), name), contextOf(config, options), args);
}

/** What a call ends with that must not succeed. */
export async function failure(promise: Promise<unknown>): Promise<UpstreamError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UpstreamError) return error;
  throw new Error(`not refused: ${String(error)}`);
}

export const TOOL = {
  name: 'get-ticket',
  title: 'Get a ticket',
  description: 'Gets one ticket.',
  inputSchema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
  annotations: { readOnlyHint: true },
};

/** The server's tools as reviewed, with the questions of the review forgotten. */
export async function reviewed(server: ScriptedServer, more: Config = {}): Promise<Config> {
  const config = await discovered({ url: server.url, ...more });
  server.asked.length = 0;
  return config;
}

/** A call of `TOOL`. */
export function getTicket(config: Config, options: Options = {}): Promise<JsonValue> {
  return run(config, 'get_ticket', { id: '7' }, options);
}
