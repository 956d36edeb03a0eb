/** The app's one HTTP server: callers, browsers, operators and, in HTTP mode, Slack. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance } from 'fastify';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { problemOf, sendProblem } from './problem.js';

/** Takes requests before the app does; true when it has taken one. The playground is mounted so. */
export interface Mount {
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/** While it is not open, callers and browsers are told to come back; health can always be asked for. */
export interface Gate {
  state: 'starting' | 'open' | 'stopping';
}

export function createHttpServer(log: Logger, gate: Gate, mount: Mount | null): FastifyInstance {
  const server = Fastify({
    trustProxy: false,
    // A caller may wait 60 s for an answer (shared/CONTRACT.md); a request that is not sent whole is cut earlier.
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: true,
    serverFactory: (handler) => {
      const http = createServer((request, response) => {
        if (!mount?.handle(request, response)) handler(request, response);
      });
      http.on('upgrade', (request, socket, head) => {
        if (!mount?.upgrade(request, socket, head)) socket.destroy();
      });
      return http;
    },
  });
  server.addHook('onRequest', async (request, reply) => {
    if (gate.state === 'open' || request.url.startsWith('/healthz') || request.url.startsWith('/readyz'))
      return;
    reply.header('connection', 'close');
    const again = 'Nothing was executed; try again in a moment.';
    throw new AppError('unavailable', `This process is ${gate.state}. ${again}`, { retryAfter: 2 });
  });
  server.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error, log)));
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, { status: 404, code: 'not_found', detail: 'There is nothing at this address.' }),
  );
  return server;
}

export interface Readiness {
  /** Empty when ready; otherwise what is missing, in words. */
  problems(): Promise<readonly string[]>;
}

export function registerHealth(server: FastifyInstance, readiness: Readiness): void {
  server.get('/healthz', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_request, reply) => {
    const problems = await readiness.problems();
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems });
  });
}
