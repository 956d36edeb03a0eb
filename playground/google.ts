/**
 * Google on loopback: emulate's OAuth, Gmail and Calendar behind a front of ours. The front adds what Google does and the
 * stand-in does not: it refuses tokens it did not issue (emulate takes any text for its first user), checks scopes,
 * ends a whole grant on revoke, answers `profile`, and carries sent mails to the other mailboxes.
 */
import { randomUUID } from 'node:crypto';
import { Grants } from './google-grants.js';
import { Mailboxes, type PlaygroundMail } from './google-mailboxes.js';
import { ACCOUNTS, googleSeed } from './google-mails.js';
import { calendarScopeAllows, scopeAllows } from './google-scopes.js';
import { startStandIn } from './google-stand-in.js';
import { type Answer, type Faults, json, listen, type ReceivedRequest } from './loopback.js';

export { ACCOUNTS } from './google-mails.js';

export interface GoogleOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Of the app; its `/oauth/callback` is the one redirect that is registered. */
  readonly publicUrl: string;
  /** Kept over restarts by whoever wants stored OAuth clients to go on working; default: a new one. */
  readonly clientSecret?: string;
  readonly now?: () => Date;
}

/** `delay` and `fail` apply to Gmail and Calendar calls; signing in always works. */
export interface Google extends Faults {
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Gmail and Calendar calls received since the start, refused ones too. */
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

const GMAIL = '/gmail/v1/users/me/';
const CALENDAR = '/calendar/v3/';
const AUTHORIZE = '/o/oauth2/v2/auth';
const TOKEN = '/oauth2/token';
const REVOKE = '/oauth2/revoke';
const USERINFO = '/oauth2/v2/userinfo';

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
    if (!request.url.startsWith('/gmail/') && !request.url.startsWith(CALENDAR)) return false;
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
  const mailboxes = new Mailboxes(accounts, (email, method, path, body) =>
    standIn.call(tokens.get(email) ?? '', method, `${GMAIL}${path}`, body),
  );

  function answer(request: ReceivedRequest): Promise<Answer> {
    const { pathname } = new URL(request.url, 'http://google');
    if (pathname.startsWith(CALENDAR)) return calendar(request, pathname.slice(CALENDAR.length));
    return pathname.startsWith('/gmail/') ? mail(request, pathname) : signIn(request, pathname);
  }

  async function signIn(request: ReceivedRequest, pathname: string): Promise<Answer> {
    if (pathname === USERINFO && grants.find(request.headers.authorization) === undefined)
      return unauthenticated();
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

  async function mail(request: ReceivedRequest, pathname: string): Promise<Answer> {
    const grant = grants.find(request.headers.authorization);
    if (grant === undefined) return unauthenticated();
    const path = pathname.startsWith(GMAIL) ? pathname.slice(GMAIL.length) : '';
    if (!scopeAllows(request.method, path, grant.scopes)) return insufficientScopes();
    if (request.method === 'GET' && path === 'profile')
      return json(200, await mailboxes.profile(grant.email));
    const answered = await standIn.forward(request);
    if (request.method === 'POST' && /^(messages|drafts)\/send$/.test(path) && answered.status === 200) {
      await mailboxes.deliver(grant.email, String(JSON.parse(answered.body ?? '{}').id));
    }
    return answered;
  }

  async function calendar(request: ReceivedRequest, path: string): Promise<Answer> {
    const grant = grants.find(request.headers.authorization);
    if (grant === undefined) return unauthenticated();
    if (!calendarScopeAllows(request.method, path, grant.scopes)) return insufficientScopes();
    return standIn.forward(request);
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

/** Errors as google.rpc.Status has them. */
function googleError(code: number, message: string, status: string, reason: string): Answer {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }];
  return json(code, { error: { code, message, status, details } });
}

function unauthenticated(): Answer {
  return googleError(
    401,
    'Request had invalid authentication credentials.',
    'UNAUTHENTICATED',
    'ACCESS_TOKEN_EXPIRED',
  );
}

function insufficientScopes(): Answer {
  const message = 'Request had insufficient authentication scopes.';
  return googleError(403, message, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT');
}
