/** What goes wrong on the way to a server, in the words and codes of a connector. Pure. */
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { UpstreamError } from '../../errors.js';
import { isObject } from '../rest/schema.js';
import { cleanLine } from './clean.js';

/**
 * JSON-RPC errors with which a server refuses a request instead of failing at it (JSON-RPC 2.0, 5.1; specification
 * 2026-07-28: -32020 to -32022; 2025-11-25: -32042). After any other, such as -32603, nobody knows how far it got.
 */
const REFUSALS: ReadonlySet<number> = new Set([
  -32700, -32600, -32601, -32602, -32002, -32020, -32021, -32022, -32042,
]);

/** The official library checks what a tool answered too, with the same code (-32602): by then the tool has run. */
const ABOUT_OUTPUT = /output validation|output schema|structured content/i;

function isRefusal(code: number, message: string): boolean {
  return REFUSALS.has(code) && !ABOUT_OUTPUT.test(message);
}

/**
 * Whether a tool result with `isError` says that the tool was never begun. Anything else that goes wrong in a tool ends
 * as such a result as well (@modelcontextprotocol/sdk 1.32.2, server/mcp.js): a timeout behind it, an answer that breaks
 * its own output schema.
 */
export function isToolRefusal(said: string): boolean {
  const [, code] = /^MCP error (-\d{5}): /.exec(said) ?? [];
  return code !== undefined && isRefusal(Number(code), said);
}

/**
 * @param server as people call it
 * @param called whether a tool call may be under way; before that nothing has happened, whatever went wrong
 */
export function failureOf(error: unknown, server: string, called: boolean): UpstreamError {
  const own = upstreamErrorIn(error);
  if (own !== undefined) return called || own.definite ? own : definite(own);
  const fail = (code: 'upstream_rejected' | 'upstream_unavailable', sure: boolean, message: string) =>
    new UpstreamError(code, message, { definite: sure || !called });
  if (error instanceof ProtocolError) {
    const said = cleanLine(error.message, 300);
    const sure = isRefusal(error.code, error.message);
    return fail('upstream_rejected', sure, `${server} refused (${error.code}): ${said}`);
  }
  if (!(error instanceof SdkError))
    return fail('upstream_rejected', false, `${server} did not answer as MCP says it must.`);
  switch (error.code) {
    case SdkErrorCode.UnsupportedResultType: {
      // Specification 2026-07-28: a call that needs input is not carried out before it has it.
      const asks = isObject(error.data) && error.data.resultType === 'input_required';
      const why = asks
        ? 'asks for more input, which calls from here cannot give'
        : 'answered in an unknown form';
      return fail('upstream_rejected', asks, `${server} ${why}.`);
    }
    case SdkErrorCode.RequestTimeout:
      return fail('upstream_unavailable', false, `${server} did not answer in time.`);
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.NotConnected:
    case SdkErrorCode.SendFailed:
    case SdkErrorCode.EraNegotiationFailed:
      return fail('upstream_unavailable', false, `${server} ended before it answered.`);
    default:
      return fail('upstream_rejected', false, `${server} did not answer as MCP says it must.`);
  }
}

/** The library wraps what its transport throws. */
function upstreamErrorIn(error: unknown): UpstreamError | undefined {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 4; inner = inner.cause, depth++) {
    if (inner instanceof UpstreamError) return inner;
  }
  return undefined;
}

function definite({ code, message, status, retryAfter }: UpstreamError): UpstreamError {
  return new UpstreamError(code, message, {
    definite: true,
    ...(status !== undefined && { status }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}
