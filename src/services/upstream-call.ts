/** One call of a function against the outside system: the context it runs in, and what its end means. */
import type { ConnectionDocument, CredentialDocument, ExecutionDocument } from '../../models/types.js';
import type {
  Arguments,
  AuthMethod,
  CallContext,
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
    let sent = false;
    try {
      const secret = credential ? this.credentials.open(credential) : {};
      const method = authMethodOf(await this.deps.connector(connection.connector), connection);
      known = createMask(secretsOf(method, secret));
      const context = await this.context(execution, connection, secret, {
        beforeSend: () => {
          lease.assertMaySend();
          crashAt('before_send');
          sent = true;
        },
        afterSend: () => crashAt('after_send'),
        ...(condition === undefined ? {} : { condition }),
      });
      const value = await fn.run(context, args);
      const kept = await this.keep(execution, maskDeep(value, known));
      return { status: 'succeeded', value: kept.value, truncated: kept.truncated };
    } catch (error) {
      return this.outcomeOf(changedSince(error, condition), execution, sent, (text) =>
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
   * For look-ups outside an execution (whose account is it?) too. Guarded and authorized like any call.
   * @param call whose files it reads and keeps
   */
  async context(
    call: Pick<ExecutionDocument, '_id' | 'callerId'>,
    connection: ConnectionDocument,
    secret: Secret,
    hooks: {
      beforeSend?: () => void;
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
      files: this.files.of(call.callerId, call._id),
      commands: this.deps.commands,
      ...(hooks.condition === undefined ? {} : { condition: hooks.condition }),
      ...(sign ? { sign: (text) => sign(text, secret) } : {}),
      fetch: (request) =>
        this.deps.outbound.send(
          {
            ...authorized(method, connection, secret, request, this.deps.clock.now()),
            signal,
            ...(hooks.beforeSend ? { onBeforeSend: hooks.beforeSend } : {}),
            ...(hooks.afterSend ? { onSent: hooks.afterSend } : {}),
          },
          { allow },
        ),
    };
  }

  /** An answer that is too large is cut, and kept whole as a file of the caller. */
  private async keep(execution: ExecutionDocument, value: JsonValue): Promise<KeptResult> {
    const kept = capResult(value);
    if (!kept.truncated) return kept;
    const bytes = Buffer.from(JSON.stringify(value));
    if (bytes.byteLength > FILE_LIMIT) return kept;
    const content = { name: `${execution._id}.json`, type: 'application/json', bytes };
    const whole = await this.files.save(execution.callerId, execution._id, content);
    return { ...kept, value: { ...kept.value, file: whole } };
  }

  private outcomeOf(
    error: unknown,
    execution: ExecutionDocument,
    sent: boolean,
    mask: (text: string) => string,
  ): Outcome {
    if (error instanceof UpstreamError) {
      const unknown = !error.definite && execution.risk !== 'read';
      const message = mask(error.message);
      if (unknown)
        return { status: 'outcome_unknown', code: 'outcome_unknown', message: unknownMessage(message) };
      return { status: 'failed', code: error.code, message, retryAfter: error.retryAfter };
    }
    if (!sent) {
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
    if (execution.risk === 'read') return { status: 'failed', code: 'upstream_unavailable', message };
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
