/**
 * A conversation with a server, as long as one call: which era it speaks, its lists, one tool call. We offer no
 * capability, so a server has nothing to ask of us (sampling, elicitation, roots); what it asks all the same is refused
 * by the client library.
 */
import {
  Client,
  isSpecType,
  ProtocolError,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import type { Arguments, CallContext, JsonValue } from '../framework.js';
import { isObject, type JsonObject } from '../rest/schema.js';
import { failureOf } from './failures.js';
import { httpTransport } from './http.js';
import { ProcessTransport } from './stdio.js';

/** Before and since revision 2026-07-28, which has no handshake and no sessions. */
export const ERAS = ['legacy', 'modern'] as const;
export type Era = (typeof ERAS)[number];

/** Where a server is, and what is known of it. */
export interface ServerTarget {
  readonly url?: string | undefined;
  /** A name of `CallContext.commands`. */
  readonly command?: string | undefined;
  /** As found by `discover`; it saves the question. */
  readonly era?: Era | undefined;
}

/** The context's signal is what ends a call; this only keeps the library's own 60 s out of its way. */
const LIBRARY_TIMEOUT_MS = 10 * 60_000;
/** Nobody waits longer for a server to forget a session. */
const GOODBYE_MS = 2_000;
/** A server whose list does not end is not read to its end. */
const MOST_PAGES = 100;

/** JSON-RPC 2.0, 5.1. */
const METHOD_NOT_FOUND = -32601;

const page = z.looseObject({ nextCursor: z.exactOptional(z.string()) });
const answer = z.looseObject({});

/** As people call it: "mcp.example.com", "files". */
export function serverName({ url, command }: ServerTarget): string {
  return url !== undefined ? new URL(url).host : String(command);
}

/**
 * Connects, acts and says goodbye.
 * @throws UpstreamError; definite unless `callTool` was reached
 */
export async function withSession<T>(
  context: CallContext,
  target: ServerTarget,
  act: (session: Session) => Promise<T>,
): Promise<T> {
  const transport = transportTo(context, target);
  const client = new Client(
    { name: 'siesta-connections', version: '1' },
    { capabilities: {}, inputRequired: { autoFulfill: false }, versionNegotiation: { mode: 'auto' } },
  );
  const session = new Session(client, context);
  // The library's first question does not listen to a signal; to the end of its transport it does.
  const stop = (): void => void transport.close().catch(() => {});
  context.signal.addEventListener('abort', stop);
  try {
    // A process that does not know the question may end because of it, so only one known as modern is asked.
    const legacy = target.era === 'legacy' || (target.era === undefined && target.command !== undefined);
    await client.connect(transport, {
      signal: context.signal,
      timeout: LIBRARY_TIMEOUT_MS,
      ...(legacy && { prior: { kind: 'legacy' } }),
    });
    return await act(session);
  } catch (error) {
    throw failureOf(error, serverName(target), session.called);
  } finally {
    context.signal.removeEventListener('abort', stop);
    if (transport instanceof StreamableHTTPClientTransport) await goodbye(transport);
    await client.close().catch(() => {});
    await transport.close().catch(() => {});
  }
}

/** @throws UpstreamError `not_ready` for a command that the operator does not offer */
function transportTo(context: CallContext, { url, command }: ServerTarget): Transport {
  if (url !== undefined) return httpTransport(context, url);
  const name = String(command);
  const program = Object.hasOwn(context.commands, name) ? context.commands[name] : undefined;
  if (program !== undefined) return new ProcessTransport(name, program);
  const message = `The operator offers no MCP server "${name}" (MCP_COMMANDS).`;
  throw new UpstreamError('not_ready', message, { definite: true });
}

/** Ends the server's session if it will have it (specification 2025-11-25, "Session Management", 5). */
async function goodbye(transport: StreamableHTTPClientTransport): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GOODBYE_MS);
  });
  await Promise.race([transport.terminateSession().catch(() => {}), patience]);
  clearTimeout(timer);
}

export class Session {
  /** A tool call may be under way: from here on an error no longer means that nothing happened. */
  called = false;

  constructor(
    private readonly client: Client,
    private readonly context: Pick<CallContext, 'signal' | 'aboutToSend'>,
  ) {}

  get era(): Era {
    return this.client.getProtocolEra() ?? 'legacy';
  }

  /** Whether the server says that it has such things at all. */
  offers(kind: 'tools' | 'resources' | 'prompts'): boolean {
    return this.client.getServerCapabilities()?.[kind] !== undefined;
  }

  /** A request that reads. What the answer holds is for the caller to check. */
  async read(method: string, params: JsonObject): Promise<JsonObject> {
    return asJson(await this.client.request({ method, params }, answer, this.options()));
  }

  /** As `read`, of what a server need not have; undefined where it says that it has not. */
  async readIfKnown(method: string, params: JsonObject): Promise<JsonObject | undefined> {
    try {
      return await this.read(method, params);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === METHOD_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /** Every tool, page after page, as the server says it. */
  async *tools(): AsyncGenerator<unknown> {
    if (!this.offers('tools')) return;
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const params = cursor === undefined ? {} : { cursor };
      const said = await this.client.request({ method: 'tools/list', params }, page, this.options());
      if (Array.isArray(said.tools)) yield* said.tools;
      if (said.nextCursor === undefined || said.nextCursor === cursor) return;
      cursor = said.nextCursor;
    }
  }

  /** @param said the tool as it was just listed; its schema may ask for arguments in headers (SEP-2243) */
  async callTool(said: JsonObject, args: Arguments): Promise<JsonObject> {
    const params = { name: String(said.name), arguments: args };
    this.context.aboutToSend();
    this.called = true;
    if (this.era === 'legacy')
      return asJson(await this.client.request({ method: 'tools/call', params }, answer, this.options()));
    // Given a definition, the library neither looks for one nor calls again; without an output schema it judges no answer.
    const { outputSchema: _, ...definition } = said;
    const toolDefinition = isSpecType.Tool(definition)
      ? definition
      : { name: params.name, inputSchema: { type: 'object' as const } };
    return asJson(await this.client.callTool(params, { ...this.options(), toolDefinition }));
  }

  private options() {
    return { signal: this.context.signal, timeout: LIBRARY_TIMEOUT_MS };
  }
}

/** The library's answers come out of `JSON.parse`; members that it adds without a value are dropped. */
function asJson(value: object): JsonObject {
  const json: JsonValue = JSON.parse(JSON.stringify(value));
  return isObject(json) ? json : {};
}
