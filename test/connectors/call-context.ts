/** A `CallContext` over the global fetch: no guard, a fixed credential. For loopback servers only. */
import { createHash } from 'node:crypto';
import type {
  Arguments,
  AuthMethod,
  CallContext,
  FileContent,
  Files,
  FunctionDefinition,
  JsonValue,
  UpstreamRequest,
  UpstreamResponse,
} from '../../src/connectors/framework.js';
import { UpstreamError } from '../../src/errors.js';

/** Keeps files in memory; their references are `file_test_1`, `file_test_2` … */
export class MemoryFiles implements Files {
  readonly kept = new Map<string, FileContent>();

  /** As a caller uploads one. */
  add(content: FileContent): string {
    const reference = `file_test_${String(this.kept.size + 1).padStart(6, '0')}`;
    this.kept.set(reference, content);
    return reference;
  }

  async read(reference: string): Promise<FileContent> {
    const content = this.kept.get(reference);
    if (!content) throw new UpstreamError('invalid_arguments', 'That file is not there.', { definite: true });
    return content;
  }

  async save(content: FileContent) {
    const { name, type, bytes } = content;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { file: this.add(content), name, type, size: bytes.byteLength, sha256 };
  }
}

export interface ContextOptions {
  readonly baseUrl?: string;
  readonly config?: Record<string, JsonValue>;
  readonly executionId?: string;
  readonly authorize?: (request: UpstreamRequest) => UpstreamRequest;
  readonly files?: Files;
  readonly sign?: (text: string) => string;
  readonly condition?: string;
}

export function callContext(options: ContextOptions = {}): CallContext {
  const { authorize = (request) => request } = options;
  return {
    executionId: options.executionId ?? 'exe_test_1',
    config: options.config ?? {},
    baseUrl: options.baseUrl ?? '',
    aboutToSend: () => undefined,
    files: options.files ?? new MemoryFiles(),
    commands: {},
    ...(options.sign ? { sign: options.sign } : {}),
    ...(options.condition === undefined ? {} : { condition: options.condition }),
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
  const bytes = Buffer.from(await response.arrayBuffer());
  return upstreamResponse(response.status, Object.fromEntries(response.headers), bytes);
}

export function upstreamResponse(
  status: number,
  headers: Record<string, string>,
  body: string | Buffer,
): UpstreamResponse {
  const bytes = Buffer.from(body);
  return {
    status,
    headers,
    body: bytes,
    text: () => bytes.toString('utf8'),
    json: () => JSON.parse(bytes.toString('utf8')) as JsonValue,
  };
}

/** Applies a secret of the connector's own auth method. */
export function withSecret(
  method: AuthMethod,
  secret: Record<string, string>,
  config: Record<string, JsonValue>,
  now = new Date(0),
) {
  if (method.kind !== 'secret') throw new Error(`${method.id} takes no secret`);
  return (request: UpstreamRequest): UpstreamRequest => method.apply(request, secret, config, now);
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
