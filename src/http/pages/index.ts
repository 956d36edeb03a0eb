/** The one-time pages in the browser: secrets, callers' tokens, OAuth (shared/CONTRACT.md, PRODUCT.md "browser"). */
import formbody from '@fastify/formbody';
import type { FastifyInstance } from 'fastify';
import type { Dependencies } from '../../services/dependencies.js';
import type { Services } from '../../services/index.js';
import { registerCallerToken } from './caller-token.js';
import { basePathOf, STYLESHEET, sendPage } from './layout.js';
import { registerOAuth } from './oauth.js';
import { refusalPage } from './refusals.js';
import { assertOwnPage, parseForm } from './request.js';
import { registerSecondFactor } from './second-factor.js';
import { registerSecretForm } from './secret-form.js';
import { registerStepUp } from './step-up.js';
import { PAGES_CSS } from './stylesheet.js';

/** Two fields of 64 KiB, with every byte written as `%XX`. */
const BODY_LIMIT = 2 * 64 * 1024 * 3 + 4_096;

export function registerPages(server: FastifyInstance, services: Services, deps: Dependencies): void {
  const { publicUrl, log } = deps;
  const basePath = basePathOf(publicUrl);
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(formbody, { bodyLimit: BODY_LIMIT, parser: parseForm });
    scope.addHook('onRequest', async (request) => {
      if (request.method === 'POST') assertOwnPage(request, publicUrl);
    });
    scope.setErrorHandler((error, _request, reply) => sendPage(reply, refusalPage(error, log), basePath));

    scope.get(STYLESHEET, async (_request, reply) =>
      reply
        .headers({ 'cache-control': 'public, max-age=300', 'x-content-type-options': 'nosniff' })
        .type('text/css; charset=utf-8')
        .send(PAGES_CSS),
    );
    registerSecretForm(scope, services, basePath);
    registerCallerToken(scope, services, publicUrl, basePath);
    registerOAuth(scope, services, publicUrl, basePath);
    registerSecondFactor(scope, services, basePath);
    registerStepUp(scope, services, publicUrl, basePath);
  });
}
