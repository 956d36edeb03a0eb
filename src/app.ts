/** The composition root: dependencies in, a running app out. */
import { App, type Receiver } from '@slack/bolt';
import { WebAPIPlatformError } from '@slack/web-api';
import type { FastifyInstance } from 'fastify';
import { connectServices, openDatabase } from './bootstrap.js';
import { type Config, ConfigError, type SlackConfig } from './config.js';
import { registerFiles } from './http/files.js';
import { registerPages } from './http/pages/index.js';
import { createHttpServer, type Gate, type Mount, registerHealth } from './http/server.js';
import { registerV1 } from './http/v1.js';
import { startSweepers } from './jobs/sweepers.js';
import type { Logger } from './log.js';
import type { Services } from './services/index.js';
import { clientOptions, createClients, FAST_TIMEOUT_MS, type SlackClients } from './slack/clients.js';
import { Delivery } from './slack/delivery.js';
import { DeliveryLog } from './slack/delivery-log.js';
import { SlackDirectory } from './slack/directory.js';
import { createDrawers } from './slack/drawers.js';
import { homeOf } from './slack/features/home/publish.js';
import { registerFeatures } from './slack/features/index.js';
import { holdToReading } from './slack/reading.js';
import { SlackHttpReceiver } from './slack/receivers/http.js';
import { SlackSocketReceiver } from './slack/receivers/socket.js';
import { SlackRefusals } from './slack/refusals.js';

export interface AppOptions {
  readonly config: Config;
  readonly slack: SlackConfig;
  readonly log: Logger;
  /** The playground, when it is what runs: its pages, and its workspace, which answers only once the port is open. */
  readonly playground?: { readonly mount: Mount; readonly workspaceId: string };
  readonly signal?: AbortSignal;
}

export interface RunningApp {
  readonly services: Services;
  stop(): Promise<void>;
}

/** shared/RELIABILITY.md, G14: SIGTERM ends within 25 s, whatever still runs. */
const DRAIN_MS = 20_000;
/** A clock that is further off than that breaks Slack's signatures and people's trust in times (G12). */
const MAX_SKEW_MS = 60_000;

/**
 * Starts everything: database, HTTP, Slack, sweepers, outbox; in that order, so that nothing comes in before it can be
 * kept. @throws ConfigError when Slack refuses the token, UnsuitableDatabaseError
 */
export async function startApp({ config, slack, log, playground, signal }: AppOptions): Promise<RunningApp> {
  const { database, close: closeDatabase } = await openDatabase(config, log, signal);
  const clients = createClients(slack);
  const workspaceId = playground?.workspaceId ?? (await whoAmI(clients, log));
  const directory = new SlackDirectory(clients.fast, workspaceId);
  const {
    services,
    deps,
    close: closeServices,
  } = await connectServices(config, database, { id: workspaceId, directory }, log);

  const gate: Gate = { state: 'starting' };
  const server = createHttpServer(log, gate, playground?.mount ?? null);
  registerV1(server, services, deps);
  registerFiles(server, services);
  registerPages(server, services, deps);
  const refusals = new SlackRefusals(services.audit, log);
  const edge = { server, services, deliveries: new DeliveryLog(deps), refusals, log };
  const receiver = createReceiver(slack, edge);
  registerHealth(server, {
    problems: async () => [
      ...(gate.state === 'open' ? [] : [gate.state]),
      ...(await database.ping().then(
        () => [],
        () => ['the database does not answer'],
      )),
      ...(receiver instanceof SlackSocketReceiver && !receiver.connected ? ['not connected to Slack'] : []),
      ...(Math.abs(database.clock.skewMs()) > MAX_SKEW_MS
        ? ['this machine’s clock is off by more than a minute']
        : []),
    ],
  });
  const bolt = createBolt(slack, receiver, log);
  bolt.use(refusals.gate(workspaceId));
  const slackEdge = { app: bolt, services, deps, clients, directory, log };
  registerFeatures(slackEdge);
  holdToReading(slackEdge);

  await server.listen({ port: config.port, host: config.host });
  await bolt.init();
  if ((await services.settings.get()).slack === 'removed') {
    await services.settings.setSlack('active', 'started with a token that works');
  }
  await services.processes.start();
  deps.signals.on('queued', (executionId) => services.runner.take(executionId));
  const delivery = new Delivery(
    deps,
    services.outbox,
    clients.patient,
    createDrawers(services, deps),
    (userId) => homeOf(slackEdge, userId),
  );
  delivery.start();
  const sweepers = await startSweepers(database.background, services, log);
  await receiver.start();
  gate.state = 'open';

  return {
    services,
    stop: async () => {
      gate.state = 'stopping';
      await receiver.stop();
      await sweepers.stop();
      await services.runner.drain(DRAIN_MS);
      await services.processes.stop();
      await delivery.stop();
      await server.close();
      await closeServices();
      await closeDatabase();
    },
  };
}

function createBolt(slack: SlackConfig, receiver: Receiver, log: Logger): App {
  return new App({
    receiver,
    token: slack.botToken,
    clientOptions: clientOptions(slack, FAST_TIMEOUT_MS),
    deferInitialization: true,
    extendedErrorHandler: true,
    convoStore: false,
    logger: complaintsOnly(log),
  });
}

function createReceiver(
  slack: SlackConfig,
  parts: {
    readonly server: FastifyInstance;
    readonly services: Services;
    readonly deliveries: DeliveryLog;
    readonly refusals: SlackRefusals;
    readonly log: Logger;
  },
): SlackSocketReceiver | SlackHttpReceiver {
  const { appToken, signingSecret } = slack;
  const { server, services, deliveries, refusals, log } = parts;
  const foreignAddress = (payload: Record<string, unknown>): void => void refusals.foreignAddress(payload);
  if (appToken === null) {
    return new SlackHttpReceiver({
      signingSecret: signingSecret ?? '',
      apiUrl: slack.apiUrl,
      server,
      deliveries,
      log,
      foreignAddress,
      now: Date.now,
    });
  }
  const onFatal = (reason: string): void => void services.settings.setSlack('removed', reason);
  return new SlackSocketReceiver({
    slack: { ...slack, appToken },
    deliveries,
    log,
    foreignAddress,
    onFatal,
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
function complaintsOnly(log: Logger) {
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
