/**
 * Errors that callers are told about. `code` is one of shared/CONTRACT.md's; the message is a sentence a person
 * can act on and never carries a secret. Edges translate: problem documents over HTTP, words in Slack.
 */
export const ERROR_STATUS = {
  unauthenticated: 401,
  idempotency_conflict: 409,
  unavailable: 503,
  invalid_arguments: 400,
  not_found: 404,
  forbidden: 403,
  policy_blocked: 403,
  denied: 200,
  expired: 200,
  cancelled: 200,
  needs_authorization: 200,
  needs_reauth: 200,
  needs_more_scopes: 200,
  refused_recheck: 200,
  refused_binding: 200,
  target_changed: 200,
  rate_limited: 429,
  forbidden_upstream: 200,
  upstream_rejected: 200,
  upstream_unavailable: 200,
  outcome_unknown: 200,
  paused: 403,
  not_ready: 403,
  too_many_pending: 429,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface AppErrorDetails {
  /** JSON pointer of the offending input, e.g. `/arguments/title`. */
  readonly path?: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
  /** `recorded`: it has its audit event already. `hidden`: it is there, and not for this person to know. */
  readonly refusal?: 'recorded' | 'hidden';
}

/** An error with a contract code and a message for people. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly retryAfter: number | undefined;
  readonly refusal: 'recorded' | 'hidden' | undefined;

  constructor(code: ErrorCode, message: string, details: AppErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.path = details.path;
    this.retryAfter = details.retryAfter;
    this.refusal = details.refusal;
  }
}

/**
 * What a connector throws when the outside system did not do what was asked.
 * `definite` is true when the effect surely did not happen: nothing was sent, or the system refused (a 4xx answer).
 * A write that ends in an error which is not definite has an unknown outcome (shared/RELIABILITY.md, "Guarantees").
 */
export class UpstreamError extends AppError {
  readonly definite: boolean;
  readonly status: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: AppErrorDetails & { definite: boolean; status?: number },
  ) {
    super(code, message, details);
    this.name = 'UpstreamError';
    this.definite = details.definite;
    this.status = details.status;
  }
}
