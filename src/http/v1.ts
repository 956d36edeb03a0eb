/** The callers' HTTP API (shared/CONTRACT.md, "HTTP, for callers"). Thin: parse, authenticate, ask a service. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { isTerminal } from '../../models/state-machines.js';
import type { ExecutionDocument } from '../../models/types.js';
import type { JsonValue } from '../connectors/framework.js';
import { ERROR_STATUS } from '../errors.js';
import type { Dependencies } from '../services/dependencies.js';
import { functionsOf } from '../services/function-list.js';
import type { Services } from '../services/index.js';
import type { Simulated } from '../services/simulation.js';
import { parseStrictJson } from '../strict-json.js';
import { inTime, parse, RETRY_AFTER_SECONDS, registerCallerScope } from './caller-scope.js';
import { sendProblem } from './problem.js';

/** shared/RELIABILITY.md, G15. */
const BODY_LIMIT = 256 * 1024;
/** shared/CONTRACT.md: `wait` ≤ 60 s. */
const WAIT_LIMIT_SECONDS = 60;
/** A call that runs directly is worth a moment's wait even when the caller names none. */
const DIRECT_WAIT_SECONDS = 10;
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
  '/v1/executions/simulate': ['POST'],
  '/v1/executions/:id': ['GET', 'HEAD'],
  '/v1/executions/:id/cancel': ['POST'],
};

export function registerV1(server: FastifyInstance, services: Services, deps: Dependencies): void {
  registerCallerScope(server, services, METHODS, ({ scope, callerOf, deadlineOf }) => {
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

    scope.get('/v1/functions', async (request) => {
      const caller = callerOf(request);
      return { functions: await inTime(deadlineOf(request), functionsOf(caller, deps)) };
    });

    scope.post('/v1/executions', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const caller = callerOf(request);
      const body = parse(submission, request.body, '');
      const given = request.headers['idempotency-key'];
      const key = given === undefined ? randomUUID() : parse(idempotencyKey, given, '/Idempotency-Key');
      const tooLate = deadlineOf(request);
      const submitting = services.submissions.submit(caller, {
        connection: body.connection,
        function: body.function,
        arguments: body.arguments,
        onBehalfOf: body.on_behalf_of ?? null,
        reason: body.reason ?? null,
        idempotencyKey: key,
        tooLate,
      });
      const { execution } = await inTime(tooLate, submitting);
      const direct = execution.status === 'executing' || execution.status === 'queued';
      const wait = body.wait ?? (direct ? DIRECT_WAIT_SECONDS : 0);
      return answer(reply, await services.executions.wait(execution, wait * 1_000, hangUp(reply)), execution);
    });

    scope.post('/v1/executions/simulate', { bodyLimit: BODY_LIMIT }, async (request) => {
      const caller = callerOf(request);
      const body = parse(submission, request.body, '');
      const simulating = services.simulation.simulate(caller, {
        connection: body.connection,
        function: body.function,
        arguments: body.arguments,
        onBehalfOf: body.on_behalf_of ?? null,
        reason: body.reason ?? null,
      });
      return simulated(await inTime(deadlineOf(request), simulating));
    });

    scope.get<{ Params: { id: string }; Querystring: { wait?: string } }>(
      '/v1/executions/:id',
      async (request, reply) => {
        const caller = callerOf(request);
        const wait = parse(waitInQuery, request.query.wait, '/wait');
        const looking = services.executions.ofCaller(caller, request.params.id);
        const execution = await inTime(deadlineOf(request), looking);
        return answer(reply, await services.executions.wait(execution, wait * 1_000, hangUp(reply)));
      },
    );

    scope.post<{ Params: { id: string } }>('/v1/executions/:id/cancel', async (request, reply) => {
      const caller = callerOf(request);
      parse(noBody, request.body, '');
      const cancelling = services.executions
        .ofCaller(caller, request.params.id)
        .then((execution) => services.executions.cancel(execution, 'The caller cancelled the call.'));
      return answer(reply, await inTime(deadlineOf(request), cancelling));
    });
  });

  /** @param accepted what this request put on record: nobody may be told that it is not, even if its end cannot be read */
  async function answer(
    reply: FastifyReply,
    latest: ExecutionDocument,
    accepted?: ExecutionDocument,
  ): Promise<FastifyReply> {
    const { execution, view } = await services.executions
      .view(latest)
      .then((view) => ({ execution: latest, view }))
      .catch(async (error: unknown) => {
        if (!accepted || isTerminal(accepted.status)) throw error;
        return { execution: accepted, view: await services.executions.view(accepted) };
      });
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

/** The dry run as callers read it. */
function simulated({ grant, ...rest }: Simulated) {
  return {
    ...rest,
    grant: grant
      ? { id: grant.id, expires_at: grant.expiresAt.toISOString(), uses_left: grant.usesLeft }
      : null,
  };
}

/** Ends a wait when the caller has hung up. */
function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
