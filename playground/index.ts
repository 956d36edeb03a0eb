/**
 * The playground: a Slack of its own in the browser, a helpdesk, a stand-in for Google and, where they are installed, an
 * Azure storage account and an MCP server, all on loopback. It reaches the app only through the Slack protocol and the public HTTP surfaces (a boundary test holds that); what it hands
 * back here is configuration, as an operator would set it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type AzureStorage,
  type McpServer,
  startAzureStorage,
  startMcpServer,
} from './development-services.js';
import { type Google, startGoogle } from './google.js';
import { type Helpdesk, startHelpdesk } from './helpdesk.js';
import { servePage } from './page.js';
import { TEAM } from './slack/seed.js';
import { createSlackServer, type SlackServer } from './slack/server.js';

/** Obviously a fake: it opens nothing but the helpdesk on this machine. */
const HELPDESK_KEY = 'playground-helpdesk-key';
const GOOGLE_SECRET = 'playground-google-client-secret';

export interface PlaygroundOptions {
  readonly port: number;
  readonly publicUrl: string;
  readonly allowPrivate: readonly string[];
  readonly endpoints: Readonly<Record<string, string>>;
}

export interface Playground {
  readonly slack: {
    readonly botToken: string;
    readonly appToken: string;
    readonly signingSecret: null;
    readonly apiUrl: string;
  };
  readonly workspaceId: string;
  /** What an operator would set: roles, `OUTBOUND_ALLOW_PRIVATE`, `CONNECTOR_ENDPOINTS`. */
  readonly config: {
    readonly roles: { admins: string[]; adminGroup: null; auditors: string[]; auditorGroup: null };
    readonly allowPrivate: readonly string[];
    readonly endpoints: Readonly<Record<string, string>>;
  };
  readonly mount: {
    handle(request: IncomingMessage, response: ServerResponse): boolean;
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  };
  close(): Promise<void>;
}

export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  const origin = `http://127.0.0.1:${options.port}`;
  const [helpdesk, google, azureStorage, mcp] = await Promise.all([
    onPort(options.port + 1, (port) => startHelpdesk({ port, apiKey: HELPDESK_KEY })),
    onPort(options.port + 2, (port) =>
      startGoogle({ port, publicUrl: options.publicUrl, clientSecret: GOOGLE_SECRET }),
    ),
    onPort(options.port + 3, startAzureStorage),
    onPort(options.port + 4, startMcpServer),
  ]);
  const services = [helpdesk, google, azureStorage, mcp].filter((service) => service !== null);
  const slack = createSlackServer({ delivery: { mode: 'socket' } });
  return {
    slack: {
      botToken: slack.tokens.bot,
      appToken: slack.tokens.app,
      signingSecret: null,
      apiUrl: slack.apiUrl(origin),
    },
    workspaceId: TEAM.id,
    config: {
      roles: { admins: ['U0ADA'], adminGroup: null, auditors: ['U0DANA'], auditorGroup: null },
      allowPrivate: [...options.allowPrivate, ...services.map(({ origin: at }) => new URL(at).host)],
      endpoints: {
        google: google.origin,
        ...options.endpoints,
      },
    },
    mount: {
      handle: (request, response) =>
        handle(request, response, { slack, helpdesk, google, azureStorage, mcp }),
      upgrade: (request, socket, head) => slack.upgrade(request, socket, head),
    },
    close: async () => {
      slack.close();
      await Promise.all(services.map((service) => service.close()));
    },
  };
}

/** The same port at every start, so that stored connections go on working; any free one if it is taken. */
async function onPort<T>(port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    console.warn(
      `Port ${port} is taken: a playground service moves, and connections stored for it need its new address.`,
    );
    return start(0);
  }
}

interface Parts {
  readonly slack: SlackServer;
  readonly helpdesk: Helpdesk;
  readonly google: Google;
  readonly azureStorage: AzureStorage | null;
  readonly mcp: McpServer | null;
}

/** The page and what it shows of the outside world; everything else under the prefix is the Slack server's. */
function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { slack, helpdesk, google, azureStorage, mcp }: Parts,
): boolean {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/') {
    response.writeHead(302, { location: '/playground/' }).end();
    return true;
  }
  if (request.method === 'GET') {
    const answer = (body: unknown): true => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
      return true;
    };
    switch (url.pathname) {
      case '/playground/helpdesk/tickets':
        return answer({ tickets: helpdesk.tickets() });
      case '/playground/mailbox': {
        google.sent(url.searchParams.get('account') ?? '').then(
          (messages: unknown) => answer({ messages }),
          () => answer({ messages: [] }),
        );
        return true;
      }
      case '/playground/services':
        return answer({
          helpdesk: { base_url: helpdesk.origin, openapi_url: helpdesk.openapiUrl, api_key: HELPDESK_KEY },
          google: { base_url: google.origin, client_id: google.clientId, client_secret: google.clientSecret },
          // Null where the program behind it is not installed.
          azure_storage: azureStorage && {
            account_url: azureStorage.accountUrl,
            connection_string: azureStorage.connectionString,
          },
          mcp: mcp && { url: mcp.url },
        });
      default:
        if (servePage(url.pathname, response)) return true;
    }
  }
  return slack.handle(request, response);
}
