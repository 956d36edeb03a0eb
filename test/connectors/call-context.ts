/** A `CallContext` over the global fetch: no guard, a fixed credential. For loopback servers only. */
import type {
  Arguments,
  AuthMethod,
  CallContext,
  FunctionDefinition,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';

export interface ContextOptions {
  readonly baseUrl?: string;
  readonly config?: Record<string, JsonValue>;
  readonly executionId?: string;
  readonly authorize?: (request: UpstreamRequest) => UpstreamRequest;
}

export function callContext(options: ContextOptions = {}): CallContext {
  const { authorize = (request) => request } = options;
  return {
    executionId: options.executionId ?? 'exe_test_1',
    config: options.config ?? {},
    baseUrl: options.baseUrl ?? '',
    signal: AbortSignal.timeout(10_000),
    fetch: (request) => sendRequest(authorize(request)),
  };
}

async function sendRequest(request: UpstreamRequest): Promise<UpstreamResponse> {
  const url = new URL(request.url);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const one of [value ?? []].flat()) url.searchParams.append(name, one);
  }
  const body = request.json === undefined ? request.body : JSON.stringify(request.json);
  const response = await fetch(url, {
    method: request.method,
    redirect: 'manual',
    headers: {
      ...(request.json !== undefined && { 'content-type': 'application/json' }),
      ...request.headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : Buffer.from(body) }),
  });
  return upstreamResponse(response.status, Object.fromEntries(response.headers), await response.text());
}

export function upstreamResponse(
  status: number,
  headers: Record<string, string>,
  text: string,
): UpstreamResponse {
  return {
    status,
    headers,
    body: Buffer.from(text),
    text: () => text,
    json: () => JSON.parse(text) as JsonValue,
  };
}

/** Applies a secret of the connector's own auth method. */
export function withSecret(
  method: AuthMethod,
  secret: Record<string, string>,
  config: Record<string, JsonValue>,
) {
  if (method.kind !== 'secret') throw new Error(`${method.id} takes no secret`);
  return (request: UpstreamRequest): UpstreamRequest => method.apply(request, secret, config);
}

/** Checks the input as the service does, then runs. @throws Error with the issues when the input is refused */
export function call(fn: FunctionDefinition, context: CallContext, args: Arguments): Promise<JsonValue> {
  const parsed = fn.input.parse(args);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return fn.run(context, parsed.value);
}

export function functionNamed(functions: readonly FunctionDefinition[], name: string): FunctionDefinition {
  const found = functions.find((fn) => fn.name === name);
  if (found === undefined) throw new Error(`no function ${name}`);
  return found;
}
