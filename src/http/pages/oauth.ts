/** Connecting an account: from the link in the DM to the provider, back, and the proof that it is the same person. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { visible } from '../../../blocks/inert.js';
import { AppError } from '../../errors.js';
import type { Arrived, Connected, StartPage } from '../../services/authorization-flow.js';
import type { Services } from '../../services/index.js';
import type { ScopeNeed } from '../../services/sign-in.js';
import { html, type Markup } from './html.js';
import { type Page, sendPage } from './layout.js';
import { cookieOf, formOf, listOf } from './request.js';

type LinkParams = { Params: { token: string } };
type FlowParams = { Params: { flow: string } };

/** Longer than a flow lives, so that who is late hears "expired" and not "another browser". */
const COOKIE_SECONDS = 3_600;
/** Further approvers that the page names. */
const MOST_NAMED = 6;

export function registerOAuth(
  server: FastifyInstance,
  services: Services,
  publicUrl: string,
  basePath: string,
): void {
  const flows = services.authorizationFlow;
  const secure = publicUrl.startsWith('https:');

  /** One cookie for each flow, so that two sign-ins in two tabs do not disturb each other. */
  const cookieName = (flow: string): string =>
    `${secure ? '__Host-' : ''}siesta-flow-${flow.slice(0, 16).replace(/[^0-9a-f]/g, '')}`;
  const cookieFor = (request: FastifyRequest) => (flow: string) => cookieOf(request, cookieName(flow));
  const setCookie = (reply: FastifyReply, flow: string, value: string, seconds: number): void => {
    const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`;
    reply.header('set-cookie', `${cookieName(flow)}=${value}; ${attributes}`);
  };

  server.get<LinkParams>('/oauth/start/:token', async (request, reply) => {
    const { token } = request.params;
    const start = await flows.look(token);
    return sendPage(reply, startPage(start, `${basePath}/oauth/start/${token}`), basePath);
  });

  server.post<LinkParams>('/oauth/start/:token', async (request, reply) => {
    const { flow, url, cookie } = await flows.start(request.params.token);
    setCookie(reply, flow, cookie, COOKIE_SECONDS);
    return seeOther(reply, url);
  });

  server.get('/oauth/callback', async (request, reply) => {
    const flow = await flows.arrive(new URL(request.url, publicUrl), cookieFor(request));
    // The provider's code leaves the address bar and the history.
    return seeOther(reply, `${basePath}/oauth/finish/${flow}`);
  });

  server.get<FlowParams>('/oauth/finish/:flow', async (request, reply) => {
    const { flow } = request.params;
    const arrived = await flows.review(flow, cookieFor(request)(flow));
    return sendPage(reply, finishPage(arrived, `${basePath}/oauth/finish/${flow}`, null), basePath);
  });

  server.post<FlowParams>('/oauth/finish/:flow', async (request, reply) => {
    const { flow } = request.params;
    const cookie = cookieFor(request)(flow);
    const { code, allow, replace, further } = formOf(request);
    const ticked = listOf(allow);
    const confirmed = listOf(replace)[0] === 'yes';
    try {
      const connected = await flows.finish(flow, cookie, {
        code: listOf(code)[0] ?? '',
        allowed: ticked,
        replace: confirmed,
        furtherHash: listOf(further)[0] ?? null,
      });
      setCookie(reply, flow, '', 0);
      return sendPage(reply, connectedPage(connected), basePath);
    } catch (error) {
      if (!(error instanceof AppError && (error.path === '/code' || error.path === '/replace'))) throw error;
      const arrived = await flows.review(flow, cookie);
      const problem = { at: error.path, message: error.message } as const;
      const page = finishPage(arrived, `${basePath}/oauth/finish/${flow}`, problem, ticked);
      return sendPage(reply, page, basePath);
    }
  });
}

/** 303, not 307: what was posted is not posted on (RFC 9700). */
function seeOther(reply: FastifyReply, url: string): FastifyReply {
  return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(url, 303);
}

function startPage({ connection, person, provider, scopes }: StartPage, action: string): Page {
  const isPrivate = connection.identity === 'private';
  const account = isPrivate
    ? `Your own ${provider.title} account. Calls on this connection that are made for you act as you, and only yours do.`
    : `A shared business account at ${provider.title}, not a personal one. Everybody who may use the connection acts as it.`;
  const named = scopes.filter((need) => !need.base || need.functions.length > 0);
  const body = html`
<dl>
<dt>Connection</dt><dd>${visible(connection.name)} <code>${connection.key}</code></dd>
<dt>Purpose</dt><dd>${visible(connection.purpose) || '–'}</dd>
<dt>For</dt><dd>${visible(person)} in Slack</dd>
<dt>Account</dt><dd>${account}</dd>
</dl>
${
  scopes.length === 0
    ? html`<p>${provider.title} decides what it lets this connection do.</p>`
    : html`<h2>${provider.title} will ask you to allow</h2>
<ul>
${named.map((need) => scopeItem(need))}
${named.length < scopes.length && html`<li>Your address there, to show whose account it is</li>`}
</ul>`
}
<p>${isPrivate ? 'No agent uses it before you allow that agent, on the page after the sign-in or in Slack. You can revoke everything at any time in the app’s Home tab in Slack.' : 'An admin can disconnect it at any time.'}</p>
<form method="post" action="${action}">
<button type="submit">Continue to ${provider.title}</button>
</form>
<p class="small">If you are not ${visible(person)}, close this page: somebody sent you a link that is not yours.</p>`;
  const formTarget = new URL(provider.authorize).protocol;
  return { status: 200, title: `Connect ${provider.title}`, tone: 'ask', body, formTarget };
}

function scopeItem({ scope, functions }: ScopeNeed): Markup {
  if (functions.length === 0)
    return html`<li><code>${visible(scope)}</code></li>
`;
  return html`<li>${functions.join(' · ')}<br><span class="small">${scope}</span></li>
`;
}

function finishPage(
  { connection, person, account, callers, further, furtherHash, missing, replaces, mayReplace }: Arrived,
  action: string,
  given: { readonly at: '/code' | '/replace'; readonly message: string } | null,
  ticked: readonly string[] = [],
): Page {
  const problem = given?.at === '/code' ? given.message : null;
  const body = html`
<dl>
<dt>Account</dt><dd><strong>${visible(account)}</strong></dd>
<dt>Connection</dt><dd>${visible(connection.name)} <code>${connection.key}</code></dd>
<dt>For</dt><dd>${visible(person)} in Slack</dd>
</dl>
${
  missing.length > 0 &&
  html`<div class="alert">
<p>Not everything was allowed. These will not work:</p>
<ul>${[...new Set(missing.flatMap((need) => need.functions))].map((title) => html`<li>${title}</li>`)}</ul>
</div>`
}
${replaces !== null && replacedAlert(account, replaces, mayReplace)}
${further.map((names) => furtherAlert(names))}
<form method="post" action="${action}" autocomplete="off">
${furtherHash !== null && html`<input type="hidden" name="further" value="${furtherHash}">`}
${
  mayReplace &&
  html`<fieldset>
<legend>Another account than before</legend>
<label class="choice"><input type="checkbox" name="replace" value="yes"> <span>From now on it acts as <strong>${visible(account)}</strong></span></label>
${given?.at === '/replace' && html`<span class="problem" role="alert">${given.message}</span>`}
</fieldset>`
}
${
  callers.length > 0 &&
  html`<fieldset>
<legend>Waiting for you</legend>
${callers.map(
  ({
    id,
    name,
  }) => html`<label class="choice"><input type="checkbox" name="allow" value="${id}"${ticked.includes(id) && html` checked`}> <span>Let <strong>${visible(name)}</strong> act for me</span></label>
`,
)}
<p class="small">What you do not tick goes on waiting. Writing and sending still asks you each time, in your DM.</p>
</fieldset>`
}
<div class="field">
<label for="code">The six digits in your Slack DM</label>
<span class="hint" id="code-hint">Siesta Connections has just sent them to ${visible(person)}. They prove that this is you.</span>
<input class="code" type="text" id="code" name="code" required autofocus inputmode="numeric" pattern="[0-9 ]{6,9}" maxlength="9" autocomplete="one-time-code" aria-describedby="code-hint${problem !== null && html` code-problem`}"${problem !== null && html` aria-invalid="true"`}>
${problem !== null && html`<span class="problem" id="code-problem" role="alert">${problem}</span>`}
</div>
<button type="submit">Connect</button>
</form>
<p class="small">Until then nothing is connected.</p>`;
  return { status: given === null ? 200 : 400, title: 'Is this the right account?', tone: 'ask', body };
}

/** By ticking a caller below this she consents to it; her answer says what she was told. */
function furtherAlert(names: readonly string[]): Markup {
  const shown = names.slice(0, MOST_NAMED).map((name) => visible(name));
  const left = names.length - shown.length;
  const who = `${shown.join(' or ') || 'somebody'}${left > 0 ? ` or ${left} more` : ''}`;
  return html`<div class="alert">
<p>Besides you, <strong>${who}</strong> has to approve what an admin chose, and sees what it is about. If you do not want that, let nobody act for you here.</p>
</div>`;
}

/** Requests that were approved for the old account do not run as the new one: its generation is part of the digest. */
function replacedAlert(account: string, before: string, mayReplace: boolean): Markup {
  const next = mayReplace
    ? 'Confirm it below, or close this page. What was approved for the old account does not run.'
    : 'Sign in with that account instead: ask for a new link in Slack. Only an admin may change the account; you can disconnect yours first.';
  return html`<div class="alert">
<p>Until now this was <strong>${visible(before)}</strong>, and you signed in as <strong>${visible(account)}</strong>.</p>
<p>${next}</p>
</div>`;
}

function connectedPage({ connection, account, allowed }: Connected): Page {
  const names = allowed.map((name) => visible(name)).join(', ');
  const own =
    names === ''
      ? 'No caller may act for you yet. You are asked in Slack when one wants to.'
      : `${names} may now act for you. Calls that waited go on by themselves; what needs your approval comes as a card in your DM.`;
  const body = html`<p role="status"><strong>${visible(connection.name)}</strong> is connected as <strong>${visible(account)}</strong>.</p>
<p>${connection.identity === 'private' ? own : 'Go on in Slack: the connection shows what is still to be done before it is ready.'}</p>
<p class="small">You can close this page.</p>`;
  return { status: 200, title: 'Connected', tone: 'done', body };
}
