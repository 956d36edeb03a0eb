import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ClientApi } from './client-api.js';
import { type DeliverTo, Delivery, EVENT_RETRY_DELAYS_MS } from './delivery.js';
import { Faults } from './faults.js';
import { answerFile } from './files.js';
import { answerJson, readBody } from './http-body.js';
import { Interactions, type Outcome } from './interactions.js';
import { type AppManifest, productManifest } from './manifest.js';
import { Payloads } from './payloads.js';
import { type Fields, isFields, SlackError } from './protocol.js';
import { respond } from './response-url.js';
import { defaultSeed, type Seed } from './seed.js';
import { SocketLink } from './socket-link.js';
import { ACK_LIMIT_MS } from './transport.js';
import { type Tokens, WebApi } from './web-api.js';
import { Workspace } from './workspace.js';

export interface SlackServerOptions {
  /** Path under which everything lives (default `/playground`). */
  readonly prefix?: string;
  /** Where the app reaches this server, e.g. `http://127.0.0.1:3000`; else learned from `apiUrl()` and from calls. */
  readonly origin?: string;
  readonly seed?: Seed;
  readonly manifest?: AppManifest;
  readonly botToken?: string;
  readonly appToken?: string;
  readonly signingSecret?: string;
  readonly delivery?: DeliverTo;
  /** Milliseconds since 1970; trigger ids, timestamps and Retry-After windows follow it. */
  readonly clock?: () => number;
  /** Waits before each repetition of an unanswered event (Slack: at once, 1 min, 5 min). */
  readonly eventRetryDelaysMs?: readonly number[];
  readonly ackLimitMs?: number;
  readonly log?: (message: string, error?: unknown) => void;
}

export interface SlackServer {
  readonly workspace: Workspace;
  readonly interactions: Interactions;
  readonly faults: Faults;
  readonly tokens: Tokens;
  readonly signingSecret: string;
  /** Answers a request below the prefix; false if the path is somebody else's. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
  /** Takes a Socket Mode upgrade; false if the path is somebody else's. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** The `slackApiUrl` for an app that reaches this server at `origin`. */
  apiUrl(origin: string): string;
  deliverTo(to: DeliverTo): void;
  /** Sends an event, e.g. `{type: 'user_change', user: {…}}`. */
  event(event: Fields, via?: number): Promise<Outcome>;
  /** Resolves when `count` Socket Mode connections are open. */
  connected(count?: number, ms?: number): Promise<void>;
  /** Slack's periodic `disconnect` of every connection, or with `cut` an unannounced loss. */
  dropSockets(reason?: 'refresh_requested' | 'warning' | 'link_disabled' | 'cut'): void;
  close(): void;
}

const random = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A workspace that speaks Slack's protocol, to be mounted on a server of somebody else's. */
export function createSlackServer(options: SlackServerOptions = {}): SlackServer {
  const prefix = options.prefix ?? '/playground';
  const tokens: Tokens = {
    bot: options.botToken ?? `xoxb-playground-${random(8)}`,
    app: options.appToken ?? `xapp-playground-${random(8)}`,
  };
  const signingSecret = options.signingSecret ?? `playground-${random(12)}`;
  const log = options.log ?? (() => {});
  let origin = options.origin ?? '';

  const workspace = new Workspace(
    options.seed ?? defaultSeed(),
    options.manifest ?? productManifest(),
    options.clock ?? Date.now,
  );
  workspace.origin = () => `${origin}${prefix}`;
  const faults = new Faults();
  const ackLimitMs = options.ackLimitMs ?? ACK_LIMIT_MS;
  const socket = new SocketLink(workspace.app.id, () => workspace.changed(), ackLimitMs);
  const delivery = new Delivery(
    {
      workspace,
      faults,
      socket,
      signingSecret,
      ackLimitMs,
      eventRetryDelaysMs: options.eventRetryDelaysMs ?? EVENT_RETRY_DELAYS_MS,
    },
    options.delivery ?? { mode: 'socket' },
  );
  const payloads = new Payloads(
    workspace,
    `playground-${random(6)}`,
    (id) => `${origin}${prefix}/response/${id}`,
  );
  const interactions = new Interactions(workspace, delivery, payloads);
  const linkUrl = (req: IncomingMessage): string =>
    `ws://${req.headers.host}${prefix}/link?ticket=${socket.ticket()}&app_id=${workspace.app.id}`;
  const webApi = new WebApi({ workspace, faults, tokens, linkUrl });
  const clientApi = new ClientApi(workspace, interactions, faults);

  /** The path below the prefix, or null. */
  const below = (req: IncomingMessage): { path: string; query: URLSearchParams } | null => {
    if (!URL.canParse(req.url ?? '/', 'http://localhost')) return null;
    const url = new URL(req.url ?? '/', 'http://localhost');
    const path = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length) : null;
    return path === null ? null : { path, query: url.searchParams };
  };

  const answerResponseUrl = async (id: string, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const answer: unknown = JSON.parse(await readBody(req));
      if (!isFields(answer)) throw new SlackError('invalid_payload');
      respond(workspace, id, answer);
      answerJson(res, 200, { ok: true });
    } catch (error) {
      const code = error instanceof SlackError ? error.code : 'invalid_payload';
      const status = code === 'expired_url' || code === 'used_url' ? 404 : 400;
      answerJson(res, status, { ok: false, error: code });
    }
  };

  const route = (req: IncomingMessage, res: ServerResponse): Promise<void> | null => {
    const at = below(req);
    const [, area, name, ...more] = at?.path.split('/') ?? [];
    if (!at || !name || more.length > 0) return null;
    if (area === 'api') {
      if (!origin) origin = `http://${req.headers.host}`;
      return webApi.handle(name, req, res, at.query);
    }
    if (area === 'client') return clientApi.handle(name, req, res, at.query);
    if (area === 'upload' || area === 'files') return answerFile(workspace, name, req, res);
    return area === 'response' ? answerResponseUrl(name, req, res) : null;
  };

  return {
    workspace,
    interactions,
    faults,
    tokens,
    signingSecret,
    handle(req, res) {
      const answering = route(req, res);
      answering?.catch((error: unknown) => {
        log('the playground could not answer', error);
        if (!res.headersSent) answerJson(res, 500, { ok: false, error: 'internal_error' });
        else res.destroy();
      });
      return answering !== null;
    },
    upgrade(req, stream, head) {
      const at = below(req);
      if (at?.path !== '/link') return false;
      socket.upgrade(req, stream, head, at.query.get('ticket'));
      return true;
    },
    apiUrl(given) {
      origin = given;
      return `${given}${prefix}/api/`;
    },
    deliverTo: (to) => delivery.deliverTo(to),
    event: (event, via) => interactions.event(event, via),
    async connected(count = 1, ms = 5_000) {
      await workspace.until(
        () => socket.connections >= count,
        ms,
        () => `${socket.connections} of ${count} Socket Mode connections are open`,
      );
    },
    dropSockets(reason = 'refresh_requested') {
      if (reason === 'cut') socket.cut();
      else socket.refresh(reason);
    },
    close() {
      delivery.close();
      socket.close();
      clientApi.close();
    },
  };
}

/** The same on a port of its own (default: any free one), for tests. */
export async function listenSlackServer(
  options: SlackServerOptions & { readonly port?: number } = {},
): Promise<
  Omit<SlackServer, 'apiUrl' | 'close'> & { origin: string; apiUrl: string; close(): Promise<void> }
> {
  const slack = createSlackServer(options);
  const http = createServer((req, res) => {
    if (!slack.handle(req, res)) res.writeHead(404).end();
  });
  http.on('upgrade', (req, stream, head) => {
    if (!slack.upgrade(req, stream, head)) stream.destroy();
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    ...slack,
    origin,
    apiUrl: slack.apiUrl(origin),
    async close() {
      slack.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}
