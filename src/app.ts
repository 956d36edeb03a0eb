/** The composition root: dependencies in, a running app out. */
import { App } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { FastifyInstance } from 'fastify';
import { connectServices, openDatabase } from './bootstrap.js';
import { type Config, ConfigError, type SlackConfig } from './config.js';
import { registerPages } from './http/pages/index.js';
import { createHttpServer, type Mount, registerHealth } from './http/server.js';
import { registerV1 } from './http/v1.js';
import { startSweepers } from './jobs/sweepers.js';
import type { Logger } from './log.js';
import type { Services } from './services/index.js';
import { clientOptions, createClients, FAST_TIMEOUT_MS, type SlackClients } from './slack/clients.js';
import { Delivery } from './slack/delivery.js';
import { DeliveryLog } from './slack/delivery-log.js';
import { SlackDirectory } from './slack/directory.js';
import { createDrawers } from './slack/drawers.js';
import { registerFeatures } from './slack/features/index.js';
import { SlackHttpReceiver } from './slack/receivers/http.js';
import { SlackSocketReceiver } from './slack/receivers/socket.js';

export interface AppOptions {
  readonly config: Config;
  readonly slack: SlackConfig;
  readonly log: Logger;
  /** The playground, when it is what runs. */
  readonly mount?: Mount;
  readonly signal?: AbortSignal;
}

export interface RunningApp {
  readonly services: Services;
  readonly port: number;
  stop(): Promise<void>;
}

/** shared/RELIABILITY.md, G14: SIGTERM ends within 25 s, whatever still runs. */
const DRAIN_MS = 20_000;
/** A clock that is further off than that breaks Slack's signatures and people's trust in times (G12). */
const MAX_SKEW_MS = 60_000;

/**
 * Starts everything: database, HTTP, Slack, sweepers, outbox; in that order, so that nothing comes in before it can be
 * kept. @throws ConfigError when Slack refuses the token
 */
export async function startApp({ config, slack, log, mount, signal }: AppOptions): Promise<RunningApp> {
  const opened = await openDatabase(config, log, signal);
  const server = createHttpServer(log, mount ?? null);
  // The page's own Slack server answers on this port, so the port has to be open before Slack is asked anything.
  const later: { ready: boolean; problems: () => Promise<readonly string[]> } = {
    ready: false,
    problems: async () => ['starting'],
  };
  registerHealth(server, { problems: () => later.problems() });
  const clients = createClients(slack);
  const teamId = mount ? null : await whoAmI(clients, log);
  const workspaceId = teamId ?? 'T0SIESTA';
  const directory = new SlackDirectory(clients.fast, workspaceId);
  const { services, deps, close } = await connectServices(
    config,
    opened.database,
    { id: workspaceId, directory },
    log,
  );
  const deliveries = new DeliveryLog(deps);
  registerV1(server, services, deps);
  registerPages(server, services, deps);

  const receiver = slack.appToken
    ? new SlackSocketReceiver({
        slack: { ...slack, appToken: slack.appToken },
        deliveries,
        log,
        onFatal: (reason) => void services.settings.setSlack('removed', reason),
      })
    : httpReceiver(slack, server, deliveries, log);
  const bolt = new App({
    receiver,
    token: slack.botToken,
    clientOptions: clientOptions(slack, FAST_TIMEOUT_MS),
    deferInitialization: true,
    convoStore: false,
    extendedErrorHandler: true,
    logger: silent(log),
  });
  const edge = { app: bolt, services, deps, clients, directory, log };
  registerFeatures(edge);
  bolt.use(async ({ body, next }) => {
    const team =
      (body as { team_id?: string; team?: { id?: string } }).team_id ??
      (body as { team?: { id?: string } }).team?.id;
    if (team !== undefined && team !== workspaceId) {
      log.error({ team }, 'payload of another workspace refused');
      return;
    }
    await next();
  });

  await server.listen({ port: config.port, host: config.host });
  await bolt.init();
  await services.settings
    .get()
    .then((settings) =>
      settings.slack === 'removed'
        ? services.settings.setSlack('active', 'started with a working token')
        : undefined,
    );
  deps.signals.on('queued', (executionId) => services.runner.take(executionId));
  const delivery = new Delivery(deps, services.outbox, clients.patient, createDrawers(services, deps));
  delivery.start();
  const database = opened.database.background.db;
  if (!database) throw new Error('the background connection has no database');
  const sweepers = await startSweepers(database, services, log);
  await receiver.start();
  later.problems = async () => {
    const problems: string[] = [];
    await opened.database.ping().catch(() => problems.push('the database does not answer'));
    if (receiver instanceof SlackSocketReceiver && !receiver.connected)
      problems.push('not connected to Slack');
    if (Math.abs(opened.database.clock.skewMs()) > MAX_SKEW_MS)
      problems.push('this machine’s clock is off by more than a minute');
    return problems;
  };

  const address = server.server.address();
  return {
    services,
    port: typeof address === 'object' && address ? address.port : config.port,
    stop: async () => {
      later.problems = async () => ['stopping'];
      await receiver.stop();
      await sweepers.stop();
      await services.runner.drain(DRAIN_MS);
      await delivery.stop();
      await server.close();
      await close();
      await opened.close();
    },
  };
}

function httpReceiver(
  slack: SlackConfig,
  server: FastifyInstance,
  deliveries: DeliveryLog,
  log: Logger,
): SlackHttpReceiver {
  return new SlackHttpReceiver({
    signingSecret: slack.signingSecret ?? '',
    server,
    deliveries,
    log,
    now: Date.now,
  });
}

const REFUSED = new Set(['invalid_auth', 'account_inactive', 'token_revoked', 'not_authed', 'token_expired']);

/** The workspace behind the token; waits for a Slack that does not answer. @throws ConfigError */
async function whoAmI(clients: SlackClients, log: Logger): Promise<string> {
  for (let pause = 1_000; ; pause = Math.min(30_000, pause * 2)) {
    try {
      const answer = await clients.patient.auth.test();
      if (answer.team_id) return answer.team_id;
      throw new ConfigError('Slack’s auth.test named no workspace.');
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if (error instanceof WebAPIPlatformError && REFUSED.has(error.data.error)) {
        throw new ConfigError(
          `Slack refuses SLACK_BOT_TOKEN (${error.data.error}). Copy it again from “OAuth & Permissions”.`,
        );
      }
      log.warn({ err: error, nextTryMs: pause }, 'Slack does not answer yet');
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Bolt's own log repeats payloads at debug level; only its complaints are kept. */
function silent(log: Logger) {
  const nothing = (): void => undefined;
  const complain = (...parts: unknown[]): void => log.warn({}, parts.map(String).join(' '));
  return {
    debug: nothing,
    info: nothing,
    warn: complain,
    error: complain,
    setLevel: nothing,
    getLevel: () => 'warn' as never,
    setName: nothing,
  };
}
