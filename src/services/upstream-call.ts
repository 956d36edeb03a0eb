/** One call of a function against the outside system: the context it runs in, and what its end means. */
import type { ConnectionDocument, CredentialDocument, ExecutionDocument } from '../../models/types.js';
import type {
  Arguments,
  AuthMethod,
  CallContext,
  Files,
  FunctionDefinition,
  JsonValue,
  UpstreamRequest,
} from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import { crashAt } from '../kill-points.js';
import { createMask, maskDeep, redactText } from '../redact.js';
import type { CredentialService, Secret } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { FILE_LIMIT, type FileService } from './files.js';
import { authMethodOf, baseUrlOf, configOf } from './functions.js';
import type { Lease } from './lease.js';
import { capResult, type KeptResult } from './payloads.js';

/** shared/CONNECTORS.md 5.1: 60 s for one call in all. */
const CALL_TIMEOUT_MS = 60_000;

export type Outcome =
  | { readonly status: 'succeeded'; readonly value: JsonValue; readonly truncated: boolean }
  | {
      readonly status: 'failed' | 'outcome_unknown';
      readonly code: string;
      readonly message: string;
      readonly retryAfter?: number | undefined;
      /** The target is no longer what the approver saw: the call asks again. */
      readonly asksAgain?: boolean;
    };

/** A look at the outside system that is no call of the function. */
export interface Look {
  readonly connection: ConnectionDocument;
  readonly credential: CredentialDocument | null;
  readonly limitMs: number;
}

/** What has left for the outside system. */
interface Gone {
  any: boolean;
  mayHaveChanged: boolean;
}

/** Puts the credential on a request, as the connection's auth method says. */
function authorized(
  method: AuthMethod | undefined,
  connection: ConnectionDocument,
  secret: Secret,
  request: UpstreamRequest,
  now: Date,
): UpstreamRequest {
  if (method?.kind === 'secret') return method.apply(request, secret, configOf(connection), now);
  if (method?.kind === 'oauth' || method?.kind === 'minted') {
    return {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${secret.access_token ?? ''}` },
    };
  }
  return request;
}

/** What must not be seen in whatever comes back: not the user name, but each key inside a longer text. */
function secretsOf(method: AuthMethod | undefined, secret: Secret): string[] {
  const fields = method && 'fields' in method ? method.fields : [];
  const open = new Set(fields.filter(({ kind }) => !kind.startsWith('secret')).map(({ name }) => name));
  const whole = Object.entries(secret).flatMap(([name, value]) => (open.has(name) ? [] : [value]));
  return [...whole, ...(method && 'secretsIn' in method ? (method.secretsIn?.(secret) ?? []) : [])];
}

/** Shorter ones may stand in a picture by chance. */
const SHORTEST_IN_A_FILE = 8;

/** A file that says the credential back is kept without it; of any other not a byte is touched. */
function maskedFiles(files: Files, secrets: readonly string[]): Files {
  const long = secrets.filter((secret) => secret.length >= SHORTEST_IN_A_FILE);
  const masked = (bytes: Buffer): Buffer => {
    if (!long.some((secret) => bytes.includes(secret))) return bytes;
    // One character for each byte, so that what is no secret stays as it is.
    const mask = createMask(long.map((secret) => Buffer.from(secret).toString('latin1')));
    return Buffer.from(mask(bytes.toString('latin1')), 'latin1');
  };
  return {
    read: files.read,
    save: ({ name, type, bytes: { buffer, byteOffset, byteLength } }) => {
      const bytes = masked(Buffer.from(buffer, byteOffset, byteLength));
      return files.save({ name: createMask(long)(name), type, bytes });
    },
  };
}

export class UpstreamCalls {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'outbound' | 'endpoints' | 'connector' | 'clock' | 'commands' | 'log'
    >,
    private readonly credentials: CredentialService,
    private readonly files: FileService,
  ) {}

  /** Runs the function once. Never throws: every end is an outcome. Secrets are masked in whatever comes back. */
  async run(
    execution: ExecutionDocument,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    args: Arguments,
    credential: CredentialDocument | null,
    lease: Lease,
    condition?: string,
  ): Promise<Outcome> {
    let known = (text: string): string => text;
    const gone: Gone = { any: false, mayHaveChanged: false };
    // A GET that somebody calls a write is one; in other writes it only looks things up.
    const isRead = (fn.riskOf?.(args) ?? fn.risk) === 'read';
    try {
      const secret = credential ? this.credentials.open(credential) : {};
      const method = authMethodOf(await this.deps.connector(connection.connector), connection);
      known = createMask(secretsOf(method, secret));
      const context = await this.context(execution, connection, secret, {
        beforeSend: (method) => {
          lease.assertMaySend();
          crashAt('before_send');
          gone.any = true;
          gone.mayHaveChanged ||= isRead || !(method === 'GET' || method === 'HEAD');
        },
        afterSend: () => crashAt('after_send'),
        ...(condition === undefined ? {} : { condition }),
      });
      const value = await fn.run(context, args);
      const kept = await this.keep(execution, maskDeep(value, known));
      return { status: 'succeeded', value: kept.value, truncated: kept.truncated };
    } catch (error) {
      return this.outcomeOf(changedSince(error, condition), execution, gone, (text) =>
        redactText(known(text)),
      );
    }
  }

  /**
   * Reads what a write points at, or what became of one, as the execution's own identity. It is not the call: no lease,
   * nothing counts as sent. Secrets are masked in errors, and `mask` does it for what is read.
   * @throws UpstreamError
   */
  async look<T>(
    execution: Pick<ExecutionDocument, '_id' | 'callerId'>,
    { connection, credential, limitMs }: Look,
    work: (context: CallContext, mask: (text: string) => string) => Promise<T>,
  ): Promise<T> {
    const secret = credential ? this.credentials.open(credential) : {};
    const method = authMethodOf(await this.deps.connector(connection.connector), connection);
    const mask = createMask(secretsOf(method, secret));
    const context = await this.context(execution, connection, secret, { limitMs });
    const timer = AbortSignal.timeout(limitMs);
    const over = new Promise<never>((_, reject) => {
      timer.addEventListener('abort', () => reject(new LookTooLong()), { once: true });
    });
    try {
      return await Promise.race([work(context, mask), over]);
    } catch (error) {
      if (error instanceof LookTooLong) throw error;
      const message = redactText(mask(error instanceof Error ? error.message : String(error)));
      if (!(error instanceof UpstreamError))
        throw new UpstreamError(
          'upstream_unavailable',
          'The answer of the outside system could not be understood.',
          {
            definite: true,
            cause: new Error(message),
          },
        );
      const { code, definite, status } = error;
      throw new UpstreamError(code, message, { definite, ...(status === undefined ? {} : { status }) });
    }
  }

  /**
   * For look-ups outside an execution (whose account is it?). Guarded and authorized like any call; secrets are masked
   * in what comes back, and in what is said when nothing does.
   * @param call whose files it reads and keeps
   * @throws UpstreamError | Error as `ask`, in masked words
   */
  async lookUp<T extends JsonValue>(
    call: Pick<ExecutionDocument, '_id' | 'callerId'>,
    connection: ConnectionDocument,
    secret: Secret,
    ask: (context: CallContext) => Promise<T>,
  ): Promise<T> {
    const method = authMethodOf(await this.deps.connector(connection.connector), connection);
    const known = createMask(secretsOf(method, secret));
    try {
      const answer = await ask(await this.context(call, connection, secret));
      return maskDeep(answer, known) as T;
    } catch (error) {
      const words = (text: string) => redactText(known(text));
      if (!(error instanceof UpstreamError)) throw new Error(words(String(error)));
      throw new UpstreamError(error.code, words(error.message), {
        definite: error.definite,
        ...(error.status === undefined ? {} : { status: error.status }),
        ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      });
    }
  }

  private async context(
    call: Pick<ExecutionDocument, '_id' | 'callerId'>,
    connection: ConnectionDocument,
    secret: Secret,
    hooks: {
      beforeSend?: (method?: UpstreamRequest['method']) => void;
      afterSend?: () => void;
      condition?: string;
      limitMs?: number;
    } = {},
  ): Promise<CallContext> {
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    const config = configOf(connection);
    const baseUrl = baseUrlOf(connector, connection, this.deps.endpoints);
    const allow = connector.egress(config, baseUrl);
    const signal = AbortSignal.timeout(hooks.limitMs ?? CALL_TIMEOUT_MS);
    const sign = method?.kind === 'secret' ? method.sign : undefined;
    return {
      executionId: call._id,
      config,
      baseUrl,
      signal,
      aboutToSend: () => hooks.beforeSend?.(),
      files: maskedFiles(this.files.of(call.callerId, call._id), secretsOf(method, secret)),
      commands: this.deps.commands,
      ...(hooks.condition === undefined ? {} : { condition: hooks.condition }),
      ...(sign ? { sign: (text) => sign(text, secret) } : {}),
      fetch: (request) =>
        this.deps.outbound.send(
          {
            ...authorized(method, connection, secret, request, this.deps.clock.now()),
            signal,
            onBeforeSend: () => hooks.beforeSend?.(request.method),
            ...(hooks.afterSend ? { onSent: hooks.afterSend } : {}),
          },
          { allow },
        ),
    };
  }

  /** An answer that is too large is cut, and kept whole as a file of the caller where that is possible. */
  private async keep(execution: ExecutionDocument, value: JsonValue): Promise<KeptResult> {
    const kept = capResult(value);
    if (!kept.truncated) return kept;
    const bytes = Buffer.from(JSON.stringify(value));
    if (bytes.byteLength > FILE_LIMIT) return kept;
    const content = { name: `${execution._id}.json`, type: 'application/json', bytes };
    try {
      const whole = await this.files.save(execution.callerId, execution._id, content);
      return { ...kept, value: { ...kept.value, file: whole } };
    } catch (error) {
      // The call is done: what it brought is cut, not unknown.
      this.deps.log.warn({ err: error, execution: execution._id }, 'the whole of an answer was not kept');
      return kept;
    }
  }

  private outcomeOf(
    error: unknown,
    execution: ExecutionDocument,
    gone: Gone,
    mask: (text: string) => string,
  ): Outcome {
    const isWrite = execution.risk !== 'read';
    if (error instanceof UpstreamError) {
      const unknown = !error.definite && isWrite && gone.mayHaveChanged;
      const message = mask(error.message);
      if (unknown)
        return { status: 'outcome_unknown', code: 'outcome_unknown', message: unknownMessage(message) };
      return { status: 'failed', code: error.code, message, retryAfter: error.retryAfter };
    }
    if (!(isWrite ? gone.mayHaveChanged : gone.any)) {
      this.deps.log.warn({ execution: execution._id, reason: mask(String(error)) }, 'call not sent');
      const message =
        'Nothing was sent: the call could not be prepared in time or its credential could not be opened.';
      return { status: 'failed', code: 'upstream_unavailable', message };
    }
    this.deps.log.error(
      { execution: execution._id, reason: mask(String(error)) },
      'connector failed after sending',
    );
    const message = 'The answer of the outside system could not be understood.';
    if (!isWrite) return { status: 'failed', code: 'upstream_unavailable', message };
    return { status: 'outcome_unknown', code: 'outcome_unknown', message: unknownMessage(message) };
  }
}

class LookTooLong extends UpstreamError {
  constructor() {
    super('upstream_unavailable', 'The outside system did not answer in time.', { definite: true });
  }
}

/** A condition of ours that does not hold (RFC 9110, 15.5.13) is a refusal: whoever answers so did not write. */
function changedSince(error: unknown, condition: string | undefined): unknown {
  if (condition === undefined || !(error instanceof UpstreamError) || error.status !== 412) return error;
  return new UpstreamError('target_changed', error.message, { definite: true, status: 412 });
}

function unknownMessage(reason: string): string {
  return `The request was sent, but whether it took effect is unknown (${reason}). It is not repeated; look in the outside system.`;
}
