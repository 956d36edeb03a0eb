/**
 * Streamable HTTP (specification 2025-11-25 and 2026-07-28, "Transports") through the connection's guarded way out: the
 * client library forms messages and headers, `context.fetch` alone sends them. Nothing is sent twice: there is no
 * server stream to reconnect, no redirect and no second try after a refusal.
 */
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { isObject, type JsonObject } from '../rest/schema.js';
import { expectOk } from '../upstream.js';
import { cleanLine } from './clean.js';

const SESSION = 'mcp-session-id';
/** The first message to a server that may be of either era; an older one may answer anything at all. */
const PROBE = 'server/discover';

export function httpTransport(context: CallContext, url: string): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    fetch: (_url, init = {}) => answered(context, url, init),
  });
}

async function answered(context: CallContext, url: string, init: RequestInit): Promise<Response> {
  const headers = Object.fromEntries(new Headers(init.headers));
  // The stream on which a server may speak first: nobody here would listen (405 says so, in its own words).
  if (init.method === 'GET') return new Response(null, { status: 405 });
  if (init.method === 'DELETE') {
    await sendOnce(context, { method: 'DELETE', url, headers });
    return new Response(null, { status: 204 });
  }
  const body = String(init.body);
  const message: unknown = JSON.parse(body);
  const { id, method } = isObject(message) ? message : {};
  const response = await sendOnce(context, { method: 'POST', url, headers, body });
  const { host } = new URL(url);
  if (method === PROBE && !mustStop(response.status)) {
    return passedOn(response, answerTo(id, response)) ?? new Response(null, { status: 400 });
  }
  noRedirect(response, host);
  expectOk(response, host);
  if (id === undefined) return new Response(null, { status: 202 });
  const answer = passedOn(response, answerTo(id, response));
  if (answer !== undefined) return answer;
  const details = { definite: false, status: response.status };
  throw new UpstreamError('upstream_unavailable', `${host} took the request and did not answer it.`, details);
}

/** What a probe's answer says about the way there, whatever the server speaks. */
function mustStop(status: number): boolean {
  return [401, 403, 408, 429].includes(status) || (status >= 300 && status < 400);
}

/** What is thrown before sending, and is not the guard's, comes from who may stop a call: nothing was sent. */
async function sendOnce(context: CallContext, request: UpstreamRequest): Promise<UpstreamResponse> {
  try {
    return await context.fetch(request);
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    const message = 'The call was stopped before it was sent.';
    throw new UpstreamError('upstream_unavailable', message, { definite: true, cause: error });
  }
}

/** Servers often move /mcp to /mcp/; whoever typed the address can mend it, a redirect of a POST cannot. */
function noRedirect({ status, headers }: UpstreamResponse, host: string): void {
  if (status < 300 || status >= 400 || headers.location === undefined) return;
  const to = cleanLine(headers.location, 200);
  const message = `${host} redirects to ${to}, which is not followed. If that is right, enter it as the address.`;
  throw new UpstreamError('upstream_rejected', message, { definite: false, status });
}

/**
 * The one message that answers our request, out of a JSON body or an event stream that has ended (WHATWG HTML,
 * "Server-sent events"). A server's own requests and notifications are left where they are: we offer no capability.
 */
function answerTo(id: unknown, response: UpstreamResponse): JsonObject | undefined {
  const text = response.text();
  const isStream = /^text\/event-stream/i.test(response.headers['content-type'] ?? '');
  const messages = (isStream ? eventData(text) : [text]).flatMap(parsed);
  for (const message of messages) {
    if (!isObject(message) || !('result' in message || 'error' in message)) continue;
    if (message.id === id) return message;
    // JSON-RPC 2.0, 5: null where the server could not tell what it refuses.
    if (message.id === null && 'error' in message && typeof id !== 'undefined')
      return { ...message, id: typeof id === 'number' ? id : String(id) };
  }
  return undefined;
}

function eventData(text: string): string[] {
  return text.split(/\r\n\r\n|\n\n|\r\r/).map((event) =>
    event
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''))
      .join('\n'),
  );
}

/** A body may be a batch of messages (specification 2025-03-26). */
function parsed(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

function passedOn(response: UpstreamResponse, message: JsonObject | undefined): Response | undefined {
  if (message === undefined) return undefined;
  const session = response.headers[SESSION];
  return new Response(JSON.stringify(message), {
    headers: { 'content-type': 'application/json', ...(session !== undefined && { [SESSION]: session }) },
  });
}
