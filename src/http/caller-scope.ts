/**
 * What every path of the callers' API shares: a token before anything else is looked at, a deadline, and problem
 * documents for what does not fit (shared/CONTRACT.md, "HTTP, for callers").
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { CallerDocument } from '../../models/types.js';
import { AppError, type ErrorCode } from '../errors.js';
import type { Services } from '../services/index.js';
import { sendProblem } from './problem.js';

export const RETRY_AFTER_SECONDS = 2;
/**
 * G10: a database that does not answer is said within 3 s. One operation gives up in time by itself; this is for
 * several slow ones in a row.
 */
const DEADLINE_MS = 2_700;

export interface CallerScope {
  readonly scope: FastifyInstance;
  readonly callerOf: (request: FastifyRequest) => CallerDocument;
  /** What is left of it once the body is there: a caller who is slow at sending does not use it up. */
  readonly deadlineOf: (request: FastifyRequest) => AbortSignal;
}

/** @param methods path → the methods it takes; others get 405 */
export function registerCallerScope(
  server: FastifyInstance,
  services: Pick<Services, 'callers'>,
  methods: Readonly<Record<string, readonly string[]>>,
  register: (caller: CallerScope) => void,
): void {
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Before the body is read: whoever has no token learns nothing, and costs nothing, whatever is sent.
    scope.decorateRequest('caller', null);
    scope.decorateRequest('budget', 0);
    scope.addHook('onRequest', async (request) => {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const started = performance.now();
      const authenticating = services.callers.authenticate(request.headers.authorization);
      request.setDecorator('caller', await inTime(deadline, authenticating));
      request.setDecorator('budget', DEADLINE_MS - (performance.now() - started));
    });
    register({
      scope,
      callerOf: (request) => request.getDecorator('caller'),
      deadlineOf: (request) =>
        AbortSignal.timeout(Math.max(1, Math.round(request.getDecorator<number>('budget')))),
    });
    refuseOtherMethods(scope, methods);
  });
}

/** 405 at every path above, for what it does not take. */
function refuseOtherMethods(
  scope: FastifyInstance,
  methods: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [url, allowed] of Object.entries(methods)) {
    scope.route({
      url,
      method: scope.supportedMethods.filter((method) => !allowed.includes(method)),
      // What is sent along is not looked at.
      onRequest: async (request, reply) =>
        sendProblem(reply.header('allow', allowed.join(', ')), {
          status: 405,
          code: 'invalid_arguments',
          detail: `${request.method} is not possible here; ${allowed.join(' and ')} is.`,
        }),
      handler: () => undefined,
    });
  }
}

/**
 * The work, or @throws AppError `unavailable` once the deadline is over. What work it is has to bear being given up.
 */
export async function inTime<T>(deadline: AbortSignal, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener(
      'abort',
      () => {
        const message = 'The database does not answer in time. Nothing was executed; try again.';
        reject(new AppError('unavailable', message, { retryAfter: RETRY_AFTER_SECONDS }));
      },
      { once: true },
    );
  });
  work.catch(() => undefined);
  return Promise.race([work, late]);
}

/** @throws AppError `invalid_arguments` with the path of the first problem */
export function parse<T>(schema: z.ZodType<T>, value: unknown, at: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [at, ...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])]
    .join('/')
    .replace(/^(?!\/)/, '/');
  const message = unknown === undefined ? (issue?.message ?? 'not valid') : 'there is no such field';
  throw new AppError('invalid_arguments' satisfies ErrorCode, `${path}: ${message}`, { path });
}
