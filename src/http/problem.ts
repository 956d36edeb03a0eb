/** Errors as RFC 9457 problem documents with a `code` of shared/CONTRACT.md. The one place where HTTP says no. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { AppError, ERROR_STATUS, type ErrorCode } from '../errors.js';
import type { Logger } from '../log.js';
import { DirectoryUnavailable } from '../services/directory.js';
import { StrictJsonError } from '../strict-json.js';

const TITLES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'Not authenticated',
  idempotency_conflict: 'Idempotency-Key used before',
  unavailable: 'Temporarily unavailable',
  invalid_arguments: 'Bad input',
  not_found: 'Not found',
  forbidden: 'Forbidden',
  policy_blocked: 'Blocked by policy',
  paused: 'Paused',
  not_ready: 'Not ready',
  too_many_pending: 'Too many pending requests',
  rate_limited: 'Too many requests',
};

export interface Problem {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly path?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly members?: Record<string, unknown>;
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: TITLES[problem.code] ?? 'Error',
      status: problem.status,
      code: problem.code,
      detail: problem.detail,
      ...(problem.path === undefined ? {} : { path: problem.path }),
      ...problem.members,
    });
}

/**
 * Names of what the driver throws when the server is away or frozen. An unexpected response is what a retry ends in when
 * the server it is to go to is not known yet.
 */
const DATABASE_AWAY =
  /^Mongo(ServerSelection|Network|NotConnected|WaitQueueTimeout|PoolCleared|PoolClosed|Topology|WriteConcern|UnexpectedServerResponse)|^MongooseServerSelectionError/;
/** Answers of a server that is not, or no longer, the one to ask (stepped down, shutting down). */
const TRY_AGAIN = ['RetryableWriteError', 'TransientTransactionError'];

export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errorLabels } = error as { errorLabels?: unknown };
  const labels: readonly unknown[] = Array.isArray(errorLabels) ? errorLabels : [];
  return DATABASE_AWAY.test(error.name) || TRY_AGAIN.some((label) => labels.includes(label));
}

/** What any error looks like to a caller. Unexpected ones carry an id that the log has too, and nothing else. */
export function problemOf(error: unknown, log: Logger): Problem {
  if (error instanceof AppError) {
    const { code, message, path, retryAfter } = error;
    const members = code === 'unavailable' ? { executed: false, retryable: true } : {};
    return { status: ERROR_STATUS[code], code, detail: message, path, retryAfter, members };
  }
  if (error instanceof StrictJsonError) {
    return { status: 400, code: 'invalid_arguments', detail: error.message, path: error.path };
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return {
      status,
      code: status === 404 ? 'not_found' : 'invalid_arguments',
      detail: (error as Error).message,
    };
  }
  const members = { executed: false, retryable: true };
  if (isDatabaseAway(error) || error instanceof DirectoryUnavailable) {
    log.warn({ err: error }, 'answered 503');
    const what = error instanceof DirectoryUnavailable ? 'Slack' : 'The database';
    return {
      status: 503,
      code: 'unavailable',
      detail: `${what} does not answer just now. Nothing was executed; try again.`,
      retryAfter: 2,
      members,
    };
  }
  const id = randomUUID().slice(0, 8);
  log.error({ err: error, id }, 'unexpected error over HTTP');
  return {
    status: 500,
    code: 'unavailable',
    detail: `Something went wrong on our side (log id ${id}).`,
    members: { log_id: id },
  };
}
