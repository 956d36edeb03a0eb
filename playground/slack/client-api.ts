import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault, FaultKind, Faults } from './faults.js';
import { answerJson, readBody } from './http-body.js';
import type { Container, Interactions } from './interactions.js';
import { type Fields, fieldsOf, isFields, SlackError, stringOf } from './protocol.js';
import { snapshotFor } from './snapshot.js';
import type { Workspace } from './workspace.js';

/** Changes come in bursts; a page is told once per burst. */
const SETTLE_MS = 30;
const HEARTBEAT_MS = 15_000;

const FAULT_KINDS: readonly FaultKind[] = [
  'rate_limited',
  'slow',
  'drop',
  'server_error',
  'error',
  'lost_answer',
  'duplicate_delivery',
];

/** The API of the page under `{prefix}/client/`: what a person sees, and what they do. */
export class ClientApi {
  private readonly workspace: Workspace;
  private readonly interactions: Interactions;
  private readonly faults: Faults;
  private readonly streams = new Set<() => void>();

  constructor(workspace: Workspace, interactions: Interactions, faults: Faults) {
    this.workspace = workspace;
    this.interactions = interactions;
    this.faults = faults;
  }

  async handle(
    name: string,
    req: IncomingMessage,
    res: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    try {
      if (!sameOrigin(req)) throw new SlackError('forbidden_origin');
      const user = query.get('user') ?? '';
      if (req.method === 'GET' && name === 'state') answerJson(res, 200, snapshotFor(this.workspace, user));
      else if (req.method === 'GET' && name === 'events') this.stream(user, res);
      else if (req.method === 'GET' && name === 'violations')
        // Without the payloads: they hold what only some people may see.
        answerJson(
          res,
          200,
          this.workspace.violations.map(({ payload: _, ...violation }) => violation),
        );
      else if (req.method === 'DELETE' && name === 'faults') {
        this.faults.clear();
        answerJson(res, 200, { ok: true });
      } else if (req.method === 'POST') answerJson(res, 200, await this.gesture(name, await jsonBody(req)));
      else answerJson(res, 404, { ok: false, error: 'not_found' });
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      answerJson(res, 400, { ok: false, error: error.code, ...error.details });
    }
  }

  private async gesture(name: string, body: Fields): Promise<object> {
    const user = stringOf(body.user);
    const channel = stringOf(body.channel);
    const text = stringOf(body.text);
    const view_id = stringOf(body.view_id);
    const block_id = stringOf(body.block_id);
    const act = this.interactions;
    switch (name) {
      case 'command':
        return act.command(user, channel, text);
      case 'message':
        return act.message(user, channel, text);
      case 'action': {
        const { values } = fieldsOf(body.state);
        const container = containerOf(body.container);
        return act.action(user, { container, block_id, action: fieldsOf(body.action), values });
      }
      case 'submit':
        return act.submit(user, view_id, body.values);
      case 'close':
        return act.close(user, view_id, body.is_cleared === true);
      case 'options':
        return act.options(
          user,
          containerOf(body.container),
          block_id,
          stringOf(body.action_id),
          stringOf(body.value),
        );
      case 'home':
        return act.home(user);
      case 'shortcut':
        return act.shortcut(user, stringOf(body.callback_id));
      case 'read':
        act.read(user, channel);
        return { ok: true };
      case 'faults':
        this.faults.add(faultOf(body));
        return { ok: true };
      default:
        throw new SlackError('not_found');
    }
  }

  private stream(user: string, res: ServerResponse): void {
    const look = (): string => JSON.stringify(snapshotFor(this.workspace, user));
    let shown = look();
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write(`data: ${shown}\n\n`);
    let settling: NodeJS.Timeout | undefined;
    const stopWatching = this.workspace.onChange(() => {
      settling ??= setTimeout(() => {
        settling = undefined;
        const now = look();
        if (now === shown) return;
        shown = now;
        res.write(`data: ${shown}\n\n`);
      }, SETTLE_MS);
    });
    const heartbeat = setInterval(() => res.write(': \n\n'), HEARTBEAT_MS);
    heartbeat.unref();
    const stop = (): void => {
      stopWatching();
      clearTimeout(settling);
      clearInterval(heartbeat);
      this.streams.delete(stop);
      res.end();
    };
    this.streams.add(stop);
    res.on('close', stop);
  }

  close(): void {
    for (const stop of [...this.streams]) stop();
  }
}

/** Another site's page must not act for the person who has the playground open. */
function sameOrigin(req: IncomingMessage): boolean {
  const { origin, host } = req.headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

async function jsonBody(req: IncomingMessage): Promise<Fields> {
  if (!req.headers['content-type']?.startsWith('application/json')) throw new SlackError('json_expected');
  try {
    const parsed: unknown = JSON.parse((await readBody(req)) || '{}');
    if (isFields(parsed)) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new SlackError('invalid_json');
}

function containerOf(value: unknown): Container {
  const given = fieldsOf(value);
  if (given.type === 'view') return { type: 'view', view_id: stringOf(given.view_id) };
  if (given.type === 'message') {
    return { type: 'message', channel: stringOf(given.channel), ts: stringOf(given.ts) };
  }
  throw new SlackError('invalid_container');
}

function faultOf(body: Fields): Fault {
  const kind = FAULT_KINDS.find((known) => known === body.kind);
  if (!kind) throw new SlackError('invalid_fault', { known: FAULT_KINDS });
  return {
    kind,
    ...(typeof body.method === 'string' ? { method: body.method } : {}),
    ...(typeof body.error === 'string' ? { error: body.error } : {}),
    ...(typeof body.retry_after === 'number' ? { retry_after: body.retry_after } : {}),
    ...(typeof body.delay_ms === 'number' ? { delay_ms: body.delay_ms } : {}),
    ...(typeof body.times === 'number' ? { times: body.times } : {}),
  };
}
