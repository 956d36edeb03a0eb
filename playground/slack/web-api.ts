import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { validateBlocks, validateMessage, validateView } from '../../blocks/validator/index.js';
import { chatMethods } from './chat-methods.js';
import { conversationMethods, groupMethods, userMethods } from './directory-methods.js';
import type { Faults } from './faults.js';
import { fileMethods } from './files.js';
import { answerJson, readBody } from './http-body.js';
import {
  type ApiRequest,
  type Fields,
  type Finding,
  fieldsOf,
  isFields,
  SlackError,
  stringOf,
} from './protocol.js';
import { viewMethods } from './views.js';
import type { Workspace } from './workspace.js';

interface Method {
  readonly args: readonly string[];
  readonly required?: readonly string[];
  /** Which token it takes (default: the bot's). */
  readonly token?: 'app' | 'none';
  /** One of these scopes is enough; none are needed when it is left out. */
  readonly scopes?: readonly string[];
  run(workspace: Workspace, args: Fields): Fields;
}

const MESSAGE_ARGS = [
  'as_user',
  'attachments',
  'blocks',
  'channel',
  'icon_emoji',
  'icon_url',
  'link_names',
  'markdown_text',
  'metadata',
  'parse',
  'text',
  'thread_ts',
  'username',
];
const CHANNEL_SCOPES = ['channels:read', 'groups:read', 'im:read', 'mpim:read'];
const VIEW_ARGS = ['trigger_id', 'interactivity_pointer', 'view'];

/** Arguments, scopes and behaviour of each method: shared/slack/web-api-methods.json, as far as this app goes. */
const METHODS: Readonly<Record<string, Method>> = {
  'api.test': { args: ['error', 'foo'], token: 'none', run: () => ({}) },
  'auth.test': { args: [], run: authTest },
  'chat.postMessage': {
    args: [...MESSAGE_ARGS, 'mrkdwn', 'reply_broadcast', 'unfurl_links', 'unfurl_media'],
    required: ['channel'],
    scopes: ['chat:write'],
    run: chatMethods.postMessage,
  },
  'chat.update': {
    args: [...MESSAGE_ARGS, 'ts', 'reply_broadcast', 'file_ids'].filter((name) => !name.startsWith('icon_')),
    required: ['channel', 'ts'],
    scopes: ['chat:write'],
    run: chatMethods.update,
  },
  'chat.postEphemeral': {
    args: [...MESSAGE_ARGS, 'user'],
    required: ['channel', 'user'],
    scopes: ['chat:write'],
    run: chatMethods.postEphemeral,
  },
  'chat.delete': {
    args: ['as_user', 'channel', 'ts'],
    required: ['channel', 'ts'],
    scopes: ['chat:write'],
    run: chatMethods.delete,
  },
  'chat.getPermalink': {
    args: ['channel', 'message_ts'],
    required: ['channel', 'message_ts'],
    run: chatMethods.getPermalink,
  },
  'views.open': { args: VIEW_ARGS, required: ['view', 'trigger_id'], run: viewMethods.open },
  'views.push': { args: VIEW_ARGS, required: ['view', 'trigger_id'], run: viewMethods.push },
  'views.update': {
    args: ['view_id', 'external_id', 'view', 'hash'],
    required: ['view'],
    run: viewMethods.update,
  },
  'views.publish': {
    args: ['user_id', 'view', 'hash', 'interactivity_pointer'],
    required: ['user_id', 'view'],
    run: viewMethods.publish,
  },
  'conversations.open': {
    args: ['channel', 'users', 'return_im', 'prevent_creation'],
    scopes: ['im:write', 'mpim:write', 'channels:manage', 'groups:write'],
    run: conversationMethods.open,
  },
  'conversations.info': {
    args: ['channel', 'include_locale', 'include_num_members'],
    required: ['channel'],
    scopes: CHANNEL_SCOPES,
    run: conversationMethods.info,
  },
  'conversations.members': {
    args: ['channel', 'cursor', 'limit'],
    required: ['channel'],
    scopes: CHANNEL_SCOPES,
    run: conversationMethods.members,
  },
  'conversations.list': {
    args: ['cursor', 'limit', 'types', 'exclude_archived'],
    scopes: CHANNEL_SCOPES,
    run: conversationMethods.list,
  },
  'users.info': {
    args: ['user', 'include_locale'],
    required: ['user'],
    scopes: ['users:read'],
    run: userMethods.info,
  },
  'users.list': {
    args: ['cursor', 'limit', 'include_locale'],
    scopes: ['users:read'],
    run: userMethods.list,
  },
  'users.lookupByEmail': {
    args: ['email'],
    required: ['email'],
    scopes: ['users:read.email'],
    run: userMethods.lookupByEmail,
  },
  'users.profile.get': {
    args: ['user', 'include_labels'],
    scopes: ['users.profile:read'],
    run: userMethods.profile,
  },
  'usergroups.list': {
    args: ['include_count', 'include_disabled', 'include_users'],
    scopes: ['usergroups:read'],
    run: groupMethods.list,
  },
  'usergroups.users.list': {
    args: ['usergroup', 'include_disabled'],
    required: ['usergroup'],
    scopes: ['usergroups:read'],
    run: groupMethods.users,
  },
  'files.getUploadURLExternal': {
    args: ['filename', 'length', 'alt_txt', 'snippet_type'],
    required: ['filename', 'length'],
    scopes: ['files:write'],
    run: fileMethods.getUploadUrl,
  },
  'files.completeUploadExternal': {
    args: ['files', 'channel_id', 'channels', 'thread_ts', 'initial_comment', 'blocks'],
    required: ['files'],
    scopes: ['files:write'],
    run: fileMethods.complete,
  },
  'team.info': { args: ['team', 'domain'], scopes: ['team:read'], run: teamInfo },
  'bots.info': { args: ['bot'], scopes: ['users:read'], run: botsInfo },
  'blocks.validate': { args: ['blocks', 'view', 'message'], token: 'none', run: blocksValidate },
};

function authTest(workspace: Workspace): Fields {
  const { team, app } = workspace;
  return {
    url: `https://${team.domain}.slack.com/`,
    team: team.name,
    user: workspace.users.get(app.bot_user)?.name ?? '',
    team_id: team.id,
    user_id: app.bot_user,
    bot_id: app.bot_id,
    is_enterprise_install: false,
  };
}

function teamInfo({ team }: Workspace, args: Fields): Fields {
  if (args.team && args.team !== team.id) throw new SlackError('team_not_found');
  return {
    team: { id: team.id, name: team.name, domain: team.domain, email_domain: 'siesta.example', icon: {} },
  };
}

function botsInfo({ app }: Workspace, args: Fields): Fields {
  if (args.bot && args.bot !== app.bot_id) throw new SlackError('bot_not_found');
  const { bot_id: id, id: app_id, bot_user: user_id, name } = app;
  return { bot: { id, deleted: false, name, updated: 0, app_id, user_id, icons: {} } };
}

/** Exactly one of blocks, view and message; the findings come back as `errors` with JSON pointers. */
function blocksValidate(_workspace: Workspace, args: Fields): Fields {
  const given = ['blocks', 'view', 'message'].filter((name) => args[name] !== undefined);
  if (given.length !== 1) throw new SlackError('invalid_arguments');
  const findings: Finding[] = Array.isArray(args.blocks)
    ? validateBlocks(args.blocks, 'message')
    : isFields(args.view)
      ? validateView(args.view)
      : validateMessage(fieldsOf(args.message));
  if (findings.length === 0) return {};
  throw new SlackError(`invalid_${given[0]}`, { errors: findings });
}

const JSON_ARGS = new Set(['blocks', 'view', 'attachments', 'metadata', 'message']);

function parseJson(text: string, refusal: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SlackError(refusal);
  }
}

/** Arguments of a call from a JSON or form body; in forms, structured ones are JSON strings. */
function parseArguments(contentType: string, body: string, query: URLSearchParams): Fields {
  if (contentType.startsWith('application/json')) {
    if (!body) return {};
    const parsed = parseJson(body, 'invalid_json');
    if (!isFields(parsed)) throw new SlackError('json_not_object');
    return parsed;
  }
  const args: Fields = {};
  for (const [name, value] of [...query, ...new URLSearchParams(body)]) {
    if (!JSON_ARGS.has(name)) args[name] = value;
    else args[name] = parseJson(value, name === 'blocks' ? 'invalid_blocks_format' : 'invalid_arguments');
  }
  return args;
}

const refusedArguments = (messages: string[]): SlackError =>
  new SlackError('invalid_arguments', { response_metadata: { messages } });

function checkArguments(method: Method, args: Fields): void {
  const missing = (method.required ?? []).filter((name) => args[name] === undefined || args[name] === '');
  if (missing.length > 0) {
    throw refusedArguments(missing.map((name) => `[ERROR] missing required field: ${name}`));
  }
  // Bolt adds the team to every call that follows an event.
  const unknown = Object.keys(args).filter((name) => name !== 'team_id' && !method.args.includes(name));
  if (unknown.length > 0) {
    throw refusedArguments(unknown.map((name) => `[ERROR] unknown argument [json-pointer:/${name}]`));
  }
}

export interface Tokens {
  readonly bot: string;
  readonly app: string;
}

export interface WebApiContext {
  readonly workspace: Workspace;
  readonly faults: Faults;
  readonly tokens: Tokens;
  /** The websocket address for one connection, relative to the origin the app called. */
  readonly linkUrl: (req: IncomingMessage) => string;
}

/** The Web API under `{prefix}/api/`: one call in, one JSON answer out, everything written down. */
export class WebApi {
  private readonly context: WebApiContext;

  constructor(context: WebApiContext) {
    this.context = context;
  }

  async handle(
    method: string,
    req: IncomingMessage,
    res: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const { workspace } = this.context;
    const body = await readBody(req);
    const record: ApiRequest = { at: workspace.clock(), method, args: {}, status: 200 };
    workspace.log(workspace.requests, record);
    await this.answer(record, body, req, res, query);
    workspace.changed();
  }

  private async answer(
    record: ApiRequest,
    body: string,
    req: IncomingMessage,
    res: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const { workspace, faults } = this.context;
    const { method } = record;

    const wait = faults.remaining(method, record.at);
    const fault = wait > 0 ? null : faults.strike(method);
    if (wait > 0) record.too_early = true;
    if (fault?.kind === 'slow') await sleep(fault.delay_ms ?? 1_000);
    if (fault?.kind === 'drop') {
      record.status = 0;
      record.error = 'dropped';
      req.socket.destroy();
      return;
    }
    if (wait > 0 || fault?.kind === 'rate_limited') {
      const seconds = wait > 0 ? Math.ceil(wait / 1000) : (fault?.retry_after ?? 1);
      if (wait === 0) faults.announceWindow(method, record.at + seconds * 1000);
      Object.assign(record, { status: 429, error: 'ratelimited', retry_after: seconds });
      answerJson(res, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(seconds) });
      return;
    }
    if (fault?.kind === 'server_error') {
      Object.assign(record, { status: 500, error: 'server_error' });
      res.writeHead(500, { 'content-type': 'text/html' }).end('server_error');
      return;
    }

    let answer: Fields;
    try {
      if (fault?.kind === 'error') throw new SlackError(fault.error ?? 'internal_error');
      answer = { ok: true, ...this.call(method, req, body, query, record) };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      record.error = error.code;
      answer = { ok: false, error: error.code, ...error.details };
    }
    if (fault?.kind === 'lost_answer') {
      record.status = 0;
      req.socket.destroy();
      return;
    }
    const { scopes } = workspace.manifest;
    answerJson(res, 200, answer, scopes ? { 'x-oauth-scopes': scopes.join(',') } : {});
  }

  private call(
    name: string,
    req: IncomingMessage,
    body: string,
    query: URLSearchParams,
    record: ApiRequest,
  ): Fields {
    const { workspace, linkUrl } = this.context;
    const { token: given, ...args } = parseArguments(req.headers['content-type'] ?? '', body, query);
    Object.assign(record.args, args);
    const bearer = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    const token = bearer ?? stringOf(given);
    if (name === 'apps.connections.open') {
      this.checkToken(token, 'app');
      checkArguments({ args: [], run: () => ({}) }, args);
      return { url: linkUrl(req) };
    }
    const method = METHODS[name];
    if (!method) throw new SlackError('unknown_method', { req_method: name });
    if (method.token !== 'none') this.checkToken(token, 'bot');
    checkScopes(workspace, method);
    checkArguments(method, args);
    return method.run(workspace, args);
  }

  private checkToken(token: string, kind: 'bot' | 'app'): void {
    const { tokens, workspace } = this.context;
    if (!token) throw new SlackError('not_authed');
    const other = kind === 'bot' ? tokens.app : tokens.bot;
    if (token === other) throw new SlackError('not_allowed_token_type');
    if (token !== tokens[kind]) throw new SlackError('invalid_auth');
    if (kind === 'bot' && workspace.revoked) throw new SlackError(workspace.revoked);
  }
}

function checkScopes({ manifest }: Workspace, method: Method): void {
  const { scopes } = manifest;
  if (!method.scopes || scopes === null || method.scopes.some((scope) => scopes.includes(scope))) return;
  throw new SlackError('missing_scope', { needed: method.scopes.join(','), provided: scopes.join(',') });
}

/** Every method this server speaks: for tests that compare what the app calls with what is there. */
export const METHOD_NAMES: readonly string[] = [...Object.keys(METHODS), 'apps.connections.open'];
