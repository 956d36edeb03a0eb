/** The one-time pages on a real server and database, and browsers that keep cookies as browsers do. */
import { noticeMessage } from '../../blocks/notices.js';
import { createModels, ensureIndexes } from '../../models/index.js';
import type { Actor, ConnectionDocument } from '../../models/types.js';
import { loadConnector } from '../../src/connectors/catalogue.js';
import { parseKeyRing } from '../../src/credentials/key-ring.js';
import { registerPages } from '../../src/http/pages/index.js';
import { createHttpServer } from '../../src/http/server.js';
import type { Logger } from '../../src/log.js';
import { createOutbound } from '../../src/net/safe-fetch.js';
import type { Dependencies } from '../../src/services/dependencies.js';
import { type Directory, DirectoryUnavailable, type Person } from '../../src/services/directory.js';
import { createServices } from '../../src/services/index.js';
import { Signals } from '../../src/services/signals.js';
import { testDatabase } from '../setup/database.js';
import { startOAuthStandIn } from './oauth-stand-in.js';

export const PUBLIC_URL = 'https://siesta.example.com';
export const ADA: Actor = { kind: 'user', id: 'U0ADA' };

const ORDINARY = {
  email: null,
  timeZone: 'UTC',
  active: true,
  outsider: false,
  isBot: false,
  isWorkspaceOwner: false,
};

export class FakeDirectory implements Directory {
  readonly people = new Map<string, Person>(
    ['Ada', 'Ben', 'Cleo', 'Dana'].map((name) => {
      const id = `U0${name.toUpperCase()}`;
      return [id, { ...ORDINARY, id, name }];
    }),
  );
  away = false;

  async person(id: string): Promise<Person | null> {
    if (this.away) throw new DirectoryUnavailable('a person');
    return this.people.get(id) ?? null;
  }
  async personByEmail(): Promise<Person | null> {
    return null;
  }
  readonly managers = new Map<string, string>();

  async groupMembers(): Promise<readonly string[]> {
    return [];
  }
  async managerOf(id: string): Promise<string | null> {
    if (this.away) throw new DirectoryUnavailable('a manager');
    return this.managers.get(id) ?? null;
  }
  change(id: string, change: Partial<Person>): void {
    this.people.set(id, { ...ORDINARY, id, name: id, ...this.people.get(id), ...change });
  }
}

/** Keeps what is logged as text, errors with their stacks and causes: what a canary is looked for in. */
class KeptLog implements Logger {
  text = '';
  readonly debug = this.keep('debug');
  readonly info = this.keep('info');
  readonly warn = this.keep('warn');
  readonly error = this.keep('error');

  private keep(level: string) {
    return (fields: object, message: string): void => {
      const whole = (_key: string, value: unknown): unknown =>
        value instanceof Error
          ? { ...value, message: value.message, stack: value.stack, cause: value.cause }
          : value instanceof URLSearchParams
            ? value.toString()
            : value;
      this.text += `${level} ${message} ${JSON.stringify(fields, whole)}\n`;
    };
  }
}

export type PagesApp = Awaited<ReturnType<typeof startPagesApp>>;

export async function startPagesApp() {
  const { database } = await testDatabase();
  const standIn = await startOAuthStandIn();
  const models = createModels(database.connection);
  await ensureIndexes(createModels(database.background));
  const log = new KeptLog();
  const directory = new FakeDirectory();
  const outbound = createOutbound({ allowPrivate: [new URL(standIn.origin).host], log });
  const deps: Dependencies = {
    workspaceId: 'T0TEST',
    processId: 'test',
    publicUrl: PUBLIC_URL,
    models,
    clock: database.clock,
    keys: parseKeyRing(`test:${Buffer.alloc(32, 7).toString('base64')}`),
    outbound,
    directory,
    signals: new Signals(),
    log,
    endpoints: standIn.endpoints,
    commands: {},
    connector: async (id) => {
      const found = await loadConnector(id);
      // As a connector with a personal key: members may each have their own.
      return id === 'rest' ? { ...found, identities: ['shared', 'private'] } : found;
    },
    companySignIn: null,
    configuredRoles: { admins: ['U0ADA'], adminGroup: null, auditors: [], auditorGroup: null },
  };
  const services = createServices(deps);
  const server = createHttpServer(log, { state: 'open' }, null);
  registerPages(server, services, deps);
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  let answers = '';

  return {
    services,
    deps,
    models,
    directory,
    standIn,
    log,
    browser: () => new Browser(address, (text) => (answers += text)),
    /** Every page, header and line of log so far. */
    output: () => `${answers}\n${log.text}`,
    /** All documents of a collection as text, as a thief of the database would read them. */
    dump: async () => {
      const all = Object.values(models).map((model) => model.collection.find({}).toArray());
      return JSON.stringify(await Promise.all(all));
    },
    /** Texts of the notices that a person was sent. */
    notices: async (userId: string): Promise<string[]> => {
      const rows = await models.outbox.find({ workspaceId: 'T0TEST', to: userId, view: 'notice' }).lean();
      return rows.map((row) => (row.message ? noticeMessage(row.message).text : ''));
    },
    rest: (key: string, change: Partial<ConnectionDocument> = {}): Promise<ConnectionDocument> =>
      services.connections.create(ADA, {
        connector: 'rest',
        identity: change.identity ?? 'shared',
        name: change.name ?? `Helpdesk ${key}`,
        key,
        purpose: 'Answer tickets',
        ownerId: change.ownerId ?? 'U0BEN',
        businessOwnerId: 'U0DANA',
        auth: change.auth ?? 'api_key',
        config: { base_url: 'https://helpdesk.example.com', operations: [] },
      }),
    close: async () => {
      await server.close();
      await outbound.close();
      await standIn.close();
    },
  };
}

export interface Visited {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly location: string | null;
}

/** One browser: its cookies, no redirects by itself. URLs are the public ones; the server is the test's. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    private readonly address: string,
    private readonly keep: (text: string) => void,
  ) {}

  get(url: string): Promise<Visited> {
    return this.visit(url, { method: 'GET' });
  }

  post(
    url: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Visited> {
    const body = new URLSearchParams(fields);
    return this.visit(url, {
      method: 'POST',
      body,
      headers: { 'sec-fetch-site': 'same-origin', ...headers },
    });
  }

  async visit(url: string, init: RequestInit): Promise<Visited> {
    const { pathname, search } = new URL(url, PUBLIC_URL);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${this.address}${pathname}${search}`, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), ...(cookie ? { cookie } : {}) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const text = await response.text();
    this.keep(`${JSON.stringify([...response.headers])}\n${text}\n`);
    return {
      status: response.status,
      headers: response.headers,
      text,
      location: response.headers.get('location'),
    };
  }
}
