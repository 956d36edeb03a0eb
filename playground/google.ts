/**
 * Google on loopback: emulate's OAuth, Gmail, Calendar and Drive behind a front of ours. The front adds what Google does
 * and the stand-in does not: it refuses tokens it did not issue (emulate takes any text for its first user), checks
 * scopes, ends a whole grant on revoke, and carries sent mails to the other mailboxes. What neither has, it says.
 */
import { randomUUID } from 'node:crypto';
import { ACCOUNTS } from './google-accounts.js';
import { insufficientScopes, lacking, notFound, unauthenticated } from './google-answers.js';
import { answerCalendar } from './google-calendar.js';
import { Drive } from './google-drive.js';
import { type Grant, Grants } from './google-grants.js';
import { Mailboxes, type PlaygroundMail } from './google-mailboxes.js';
import { type ApiCall, apiCall, GMAIL, hasRoute, nameOf } from './google-routes.js';
import { scopeAllows } from './google-scopes.js';
import { googleSeed } from './google-seed.js';
import { startStandIn } from './google-stand-in.js';
import { mailAsJson } from './google-uploads.js';
import { type Answer, type Faults, json, listen, type ReceivedRequest } from './loopback.js';

export { ACCOUNTS } from './google-accounts.js';

export interface GoogleOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Of the app; its `/oauth/callback` is the one redirect that is registered. */
  readonly publicUrl: string;
  /** Kept over restarts by whoever wants stored OAuth clients to go on working; default: a new one. */
  readonly clientSecret?: string;
  readonly now?: () => Date;
}

/** `delay` and `fail` apply to calls of the APIs; signing in always works. */
export interface Google extends Faults {
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Calls of the APIs since the start, refused ones too. */
  readonly requests: readonly ReceivedRequest[];
  /** Newest first. */
  sent(account: string): Promise<PlaygroundMail[]>;
  inbox(account: string): Promise<PlaygroundMail[]>;
  /** Access tokens end now; refresh tokens live on. */
  expireAccessTokens(): void;
  /** As if the person had removed the app in her Google account. */
  revokeGrants(account: string): Promise<void>;
  close(): Promise<void>;
}

const AUTHORIZE = '/o/oauth2/v2/auth';
const TOKEN = '/oauth2/token';
const REVOKE = '/oauth2/revoke';
const USERINFO = '/oauth2/v2/userinfo';
/** Other versions of the APIs, and other people's mailboxes: the stand-in would not ask who wants to see them. */
const API = /^\/(?:upload|gmail|calendar|drive)\//;

export async function startGoogle(options: GoogleOptions): Promise<Google> {
  const now = options.now ?? (() => new Date());
  const clientId = 'siesta-playground.apps.googleusercontent.com';
  const clientSecret = options.clientSecret ?? `playground-${randomUUID()}`;
  const accounts = Object.values(ACCOUNTS);
  /** Access tokens of the front itself, which never leave this file. */
  const tokens = new Map<string, string>(accounts.map((email) => [email, randomUUID()]));
  const grants = new Grants(now);
  const requests: ReceivedRequest[] = [];
  const faults: Faults = { delay: 0, fail: undefined };

  const server = await listen(options.port, answer, faults, (request) => {
    if (apiCall(request.method, request.url) === null) return false;
    requests.push(request);
    return true;
  });
  const standIn = await startStandIn(
    server.origin,
    googleSeed(now()),
    {
      client_id: clientId,
      client_secret: clientSecret,
      name: 'Siesta Connections (playground)',
      redirect_uris: [`${options.publicUrl.replace(/\/+$/, '')}/oauth/callback`],
    },
    new Map([...tokens].map(([email, token]) => [token, email])),
  );
  const drive = new Drive(standIn.forward);
  const mailboxes = new Mailboxes(accounts, (email, method, path, body) =>
    standIn.call(tokens.get(email) ?? '', method, `${GMAIL}${path}`, body),
  );

  function answer(request: ReceivedRequest): Promise<Answer> {
    const call = apiCall(request.method, request.url);
    return call === null
      ? signIn(request, new URL(request.url, 'http://google').pathname)
      : use(call, request);
  }

  async function signIn(request: ReceivedRequest, pathname: string): Promise<Answer> {
    const isElsewhere = API.test(pathname);
    if ((isElsewhere || pathname === USERINFO) && grants.find(request.headers.authorization) === undefined)
      return unauthenticated();
    if (isElsewhere) return notFound('Requested entity');
    if (pathname === REVOKE) return revoke(new URLSearchParams(request.body).get('token') ?? '');
    const answered = await standIn.forward(request);
    if (answered.status !== 200) return answered;
    if (pathname === AUTHORIZE) return { ...answered, body: accountPage(answered.body ?? '', request.url) };
    if (pathname === TOKEN) await remember(request, JSON.parse(answered.body ?? '{}'));
    return answered;
  }

  async function remember(request: ReceivedRequest, issued: Record<string, string>): Promise<void> {
    const refreshToken = issued.refresh_token ?? new URLSearchParams(request.body).get('refresh_token') ?? '';
    const { email } = await standIn.call(issued.access_token ?? '', 'GET', USERINFO);
    const scopes = (issued.scope ?? '').split(' ');
    grants.issued(issued.access_token ?? '', { email: String(email), scopes, refreshToken });
  }

  async function revoke(token: string): Promise<Answer> {
    const ended = grants.end(token);
    if (ended === undefined)
      return json(400, { error: 'invalid_token', error_description: 'Token expired or revoked' });
    await standIn.call('', 'POST', REVOKE, { token: ended.refreshToken });
    return json(200, {});
  }

  async function use(call: ApiCall, request: ReceivedRequest): Promise<Answer> {
    const grant = grants.find(request.headers.authorization);
    if (grant === undefined) return unauthenticated();
    if (!scopeAllows(call, grant.scopes)) return insufficientScopes();
    if (!hasRoute(call)) return lacking(`\`${nameOf(call)}\``);
    if (call.api === 'drive') return drive.answer(call, request, grant);
    return call.api === 'calendar'
      ? answerCalendar(call, request, standIn.forward)
      : mail(call, request, grant);
  }

  async function mail(call: ApiCall, request: ReceivedRequest, { email }: Grant): Promise<Answer> {
    if (call.path === 'profile') return json(200, await mailboxes.profile(email));
    const answered = await standIn.forward(call.isUpload ? mailAsJson(call, request) : request);
    if (call.method === 'POST' && /^(messages|drafts)\/send$/.test(call.path) && answered.status === 200) {
      await mailboxes.deliver(email, String(JSON.parse(answered.body ?? '{}').id));
    }
    return answered;
  }

  return Object.assign(faults, {
    origin: server.origin,
    clientId,
    clientSecret,
    requests,
    sent: (account: string) => mailboxes.list(account, 'SENT'),
    inbox: (account: string) => mailboxes.list(account, 'INBOX'),
    expireAccessTokens: () => grants.expireAccessTokens(),
    async revokeGrants(account: string) {
      for (const grant of grants.of(account)) await revoke(grant.refreshToken);
    },
    async close() {
      await server.close();
      await standIn.close();
    },
  });
}

/** The stand-in's page without the user it always adds, and with the way out that Google's has. */
function accountPage(page: string, url: string): string {
  const query = new URL(url, 'http://google').searchParams;
  const back = new URL(query.get('redirect_uri') ?? 'http://google');
  back.searchParams.set('error', 'access_denied');
  back.searchParams.set('state', query.get('state') ?? '');
  const cancel = `<p><a id="cancel" href="${back.href.replace(/&/g, '&amp;').replace(/"/g, '&quot;')}">Cancel</a></p>`;
  const forms = page
    .split(/(?=<form class="user-form")/)
    .map((piece) =>
      piece.includes('value="testuser@gmail.com"')
        ? piece.slice(piece.indexOf('</form>') + '</form>'.length)
        : piece,
    );
  const last = forms.length - 1;
  return forms
    .map((piece, index) => (index === last ? piece.replace('</form>', `</form>${cancel}`) : piece))
    .join('');
}
