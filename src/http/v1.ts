/** The callers' HTTP API (shared/CONTRACT.md, "HTTP, for callers"). Thin: parse, authenticate, ask a service. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isTerminal } from '../../models/state-machines.js';
import type { CallerDocument, ExecutionDocument } from '../../models/types.js';
import type { JsonValue } from '../connectors/framework.js';
import { AppError, ERROR_STATUS, type ErrorCode } from '../errors.js';
import type { Dependencies } from '../services/dependencies.js';
import { functionsOf } from '../services/function-list.js';
import type { Services } from '../services/index.js';
import { parseStrictJson } from '../strict-json.js';
import { sendProblem } from './problem.js';

/** shared/RELIABILITY.md, G15. */
const BODY_LIMIT = 256 * 1024;
/** shared/CONTRACT.md: `wait` ≤ 60 s. */
const WAIT_LIMIT_SECONDS = 60;
/** A call that runs directly is worth a moment's wait even when the caller names none. */
const DIRECT_WAIT_SECONDS = 10;
const RETRY_AFTER_SECONDS = 2;

const waitSeconds = z.number().min(0).max(WAIT_LIMIT_SECONDS, `at most ${WAIT_LIMIT_SECONDS} seconds`);
const waitInQuery = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'must be a number of seconds')
  .transform(Number)
  .pipe(waitSeconds)
  .default(0);
const noBody = z.strictObject({}).optional();

const submission = z.strictObject({
  connection: z.string().min(1).max(60),
  function: z.string().min(1).max(60),
  arguments: z.custom<Record<string, JsonValue>>(isObject, 'must be an object').default({}),
  on_behalf_of: z.string().min(1).max(320).optional(),
  reason: z.string().max(2_000).optional(),
  wait: waitSeconds.optional(),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Idempotency-Key has 1 to 255 visible ASCII characters');

const METHODS = {
  '/v1/functions': ['GET', 'HEAD'],
  '/v1/executions': ['POST'],
  '/v1/executions/:id': ['GET', 'HEAD'],
  '/v1/executions/:id/cancel': ['POST'],
};

export function registerV1(server: FastifyInstance, services: Services, deps: Dependencies): void {
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      /^application\/(json|[\w.+-]+\+json)/,
      { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
      (_request, body, done) => {
        try {
          done(null, body.length === 0 ? undefined : parseStrictJson(body as Buffer));
        } catch (error) {
          done(error as Error);
        }
      },
    );

    // Before the body is read: whoever has no token learns nothing, and costs nothing, whatever is sent.
    scope.decorateRequest('caller', null);
    scope.addHook('onRequest', async (request) => {
      request.setDecorator('caller', await services.callers.authenticate(request.headers.authorization));
    });
    const callerOf = (request: FastifyRequest): CallerDocument => request.getDecorator('caller');

    scope.get('/v1/functions', async (request) => {
      const caller = callerOf(request);
      return { functions: await functionsOf(caller, deps) };
    });

    scope.post('/v1/executions', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const caller = callerOf(request);
      const body = parse(submission, request.body, '');
      const given = request.headers['idempotency-key'];
      const key = given === undefined ? randomUUID() : parse(idempotencyKey, given, '/Idempotency-Key');
      const { execution } = await services.submissions.submit(caller, {
        connection: body.connection,
        function: body.function,
        arguments: body.arguments,
        onBehalfOf: body.on_behalf_of ?? null,
        reason: body.reason ?? null,
        idempotencyKey: key,
      });
      const direct = execution.status === 'executing' || execution.status === 'queued';
      const wait = body.wait ?? (direct ? DIRECT_WAIT_SECONDS : 0);
      return answer(reply, await services.executions.wait(execution, wait * 1_000, hangUp(reply)));
    });

    scope.get<{ Params: { id: string }; Querystring: { wait?: string } }>(
      '/v1/executions/:id',
      async (request, reply) => {
        const caller = callerOf(request);
        const wait = parse(waitInQuery, request.query.wait, '/wait');
        const execution = await services.executions.ofCaller(caller, request.params.id);
        return answer(reply, await services.executions.wait(execution, wait * 1_000, hangUp(reply)));
      },
    );

    scope.post<{ Params: { id: string } }>('/v1/executions/:id/cancel', async (request, reply) => {
      const caller = callerOf(request);
      parse(noBody, request.body, '');
      const execution = await services.executions.ofCaller(caller, request.params.id);
      return answer(reply, await services.executions.cancel(execution, 'The caller cancelled the call.'));
    });

    refuseOtherMethods(scope);
  });

  async function answer(reply: FastifyReply, execution: ExecutionDocument): Promise<FastifyReply> {
    const view = await services.executions.view(execution);
    const { code, message } = execution.error ?? {};
    if (
      execution.status === 'denied' &&
      (code === 'policy_blocked' || code === 'paused' || code === 'not_ready')
    ) {
      return sendProblem(reply, {
        status: ERROR_STATUS[code],
        code,
        detail: message ?? '',
        members: { execution: view },
      });
    }
    if (isTerminal(execution.status)) return reply.code(200).send(view);
    return reply
      .code(202)
      .header('location', view.url)
      .header('retry-after', String(RETRY_AFTER_SECONDS))
      .send(view);
  }
}

/** @throws AppError of status 405 at every path above, for what it does not take */
function refuseOtherMethods(scope: FastifyInstance): void {
  for (const [url, allowed] of Object.entries(METHODS)) {
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

/** Ends a wait when the caller has hung up. */
function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

/** @throws AppError `invalid_arguments` with the path of the first problem */
function parse<T>(schema: z.ZodType<T>, value: unknown, at: string): T {
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
