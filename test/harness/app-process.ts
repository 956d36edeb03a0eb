/** The real app as a process of its own, against a Slack-protocol server and a helpdesk on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../playground/free-port.js';
import { type Helpdesk, startHelpdesk } from '../../playground/helpdesk.js';
import { listenSlackServer } from '../../playground/slack/server.js';
import { type Connected, connectServices } from '../../src/bootstrap.js';
import { parseConfig } from '../../src/config.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { connectDatabase, type Database } from '../../src/database/connect.js';
import { createClients } from '../../src/slack/clients.js';
import { SlackDirectory } from '../../src/slack/directory.js';
import { silentLog } from '../setup/database.js';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
export const API_KEY = 'fake-helpdesk-key-canary-7391';
export const WORKSPACE = 'T0SIESTA';

export interface AppProcess {
  readonly origin: string;
  readonly child: ChildProcess;
  /** Everything it wrote, for the canary. */
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Slack, helpdesk and database; app processes are started on top, as many as a test needs. */
export async function createWorld(options: { transport?: 'socket' | 'http'; mongoUri: string }) {
  const transport = options.transport ?? 'socket';
  const slack = await listenSlackServer({ delivery: { mode: 'socket' } });
  const helpdesk: Helpdesk = await startHelpdesk({ port: 0, apiKey: API_KEY });
  const name = `siesta_${randomBytes(6).toString('hex')}`;
  const uri = new URL(options.mongoUri);
  uri.pathname = `/${name}`;
  const allowPrivate = [new URL(helpdesk.origin).host];
  const running = new Set<AppProcess>();
  const baseEnv = {
    NODE_ENV: 'test',
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    MONGODB_URI: uri.href,
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_API_URL: slack.apiUrl,
    ADMIN_USER_IDS: 'U0ADA',
    AUDITOR_USER_IDS: 'U0DANA',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    ...(transport === 'socket'
      ? { SLACK_APP_TOKEN: slack.tokens.app }
      : { SLACK_SIGNING_SECRET: slack.signingSecret }),
  };

  const start = async (extra: Record<string, string> = {}): Promise<AppProcess> => {
    const port = extra.PORT === undefined ? await freePort() : Number(extra.PORT);
    const origin = `http://127.0.0.1:${port}`;
    const env = {
      ...baseEnv,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: origin,
      OUTBOUND_ALLOW_PRIVATE: allowPrivate.join(','),
      ...extra,
    };
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const app: AppProcess = {
      origin,
      child,
      output: () => output,
      exited,
      kill: async (signal = 'SIGKILL') => {
        child.kill(signal);
        await exited;
        running.delete(app);
      },
    };
    running.add(app);
    await until(
      () => output.includes('ready at') || child.exitCode !== null || child.signalCode !== null,
      20_000,
      () => output,
    );
    if (child.exitCode !== null) throw new Error(`the app ended at start:\n${output}`);
    if (transport === 'http') {
      const urls = [...running].filter(
        (each) => each.child.exitCode === null && each.child.signalCode === null,
      );
      slack.deliverTo({
        mode: 'http',
        url: urls.map((each) => `${each.origin}/slack/events`),
        signingSecret: slack.signingSecret,
      });
    }
    return app;
  };

  return {
    slack,
    helpdesk,
    uri: uri.href,
    env: baseEnv,
    allowPrivate,
    start,
    /** The services of this workspace (or another in the same database), in this process: to set up and to look. */
    services: (workspaceId = WORKSPACE): Promise<Connected & { database: Database }> =>
      openServices(baseEnv, allowPrivate, workspaceId),
    close: async () => {
      await Promise.all([...running].map((app) => app.kill()));
      await slack.close();
      await helpdesk.close();
    },
  };
}

async function openServices(
  env: Record<string, string>,
  allowPrivate: readonly string[],
  workspaceId: string,
) {
  const config = parseConfig(
    { ...env, PUBLIC_URL: 'http://127.0.0.1:1', OUTBOUND_ALLOW_PRIVATE: allowPrivate.join(',') },
    false,
  );
  if (!config.slack || !config.mongodbUri) throw new Error('the test environment is incomplete');
  const database = await connectDatabase({ uri: config.mongodbUri, log: silentLog });
  const directory = new SlackDirectory(createClients(config.slack).patient, WORKSPACE);
  const connected = await connectServices(config, database, { id: workspaceId, directory }, silentLog);
  return {
    ...connected,
    database,
    close: async () => {
      await connected.close();
      await database.close();
    },
  };
}

export async function until(
  look: () => boolean | Promise<boolean>,
  milliseconds: number,
  explain: () => string = () => '',
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`not within ${milliseconds} ms\n${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Reading a document takes half a second, and tests with a desk for each case read the same one many times. */
const read = new Map<string, ReturnType<typeof importOpenApi>>();

function importOnce(document: string): ReturnType<typeof importOpenApi> {
  const known = read.get(document) ?? importOpenApi(document);
  read.set(document, known);
  return known;
}

export interface Seeded {
  readonly token: string;
  readonly callerId: string;
  readonly connectionId: string;
  readonly key: string;
}

/** A helpdesk connection with approvers, and a caller of Ada's that may use it. */
export async function seedHelpdesk(
  { services }: Pick<Connected, 'services'>,
  helpdesk: Helpdesk,
  options: {
    approvers?: readonly string[];
    usergroups?: readonly string[];
    route?: string | null;
    functions?: readonly string[];
    /** Of the connection; the caller's is made from it, because no two callers may have one name. */
    name?: string;
  } = {},
): Promise<Seeded> {
  const actor = { kind: 'user', id: 'U0ADA' } as const;
  const imported = await importOnce(await (await fetch(helpdesk.openapiUrl)).text());
  const connection = await services.connections.create(actor, {
    connector: 'rest',
    identity: 'shared',
    name: options.name ?? 'Helpdesk',
    purpose: 'Support agents read and file tickets',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: helpdesk.origin,
      operations: imported.operations.map((operation) => ({ ...operation })),
      document_hash: imported.documentHash,
    },
    enabledFunctions: options.functions ?? imported.operations.map((operation) => operation.name),
    rules: [
      {
        id: 'writes',
        functions: null,
        risks: ['write', 'destructive'],
        effect: 'ask',
        approvers: {
          users: [...(options.approvers ?? ['U0BEN'])],
          usergroups: [...(options.usergroups ?? [])],
          connectionOwner: false,
        },
        quorum: 1,
        route: options.route === undefined ? 'C0APPROVALS' : options.route,
        expiresInMinutes: 60,
      },
    ],
  });
  await services.credentials.store({
    connectionId: connection._id,
    subject: 'shared',
    kind: 'secret',
    fields: { api_key: API_KEY },
    createdBy: 'U0ADA',
  });
  const { caller, token } = await services.callers.create(actor, {
    name: options.name ? `${options.name} agent` : 'Support agent',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  const current = await services.connections.find(connection._id);
  if (!current) throw new Error('the connection is gone');
  await services.connections.setAccess(actor, current, [{ callerId: caller._id, functions: null }]);
  return { token, callerId: caller._id, connectionId: connection._id, key: connection.key };
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a caller reads plain JSON
  readonly body: any;
  readonly headers: Headers;
}

/** A caller's request, as curl would send it. */
export async function call(
  origin: string,
  token: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
}
