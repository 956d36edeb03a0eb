/** Signing in to approve: what it is about, the way to the company's provider, and what came of it. */
import type { FastifyInstance } from 'fastify';
import { visible } from '../../../blocks/inert.js';
import type { Services } from '../../services/index.js';
import { type SignInEnd, type SignInPage, whyNot } from '../../services/step-up-sign-ins.js';
import { html, type Markup } from './html.js';
import { type Page, sendPage } from './layout.js';
import { cookieOf } from './request.js';

type LinkParams = { Params: { token: string } };

/** Longer than a sign-in may take, so that who is late hears "expired" and not "another browser". */
const COOKIE_SECONDS = 3_600;

export function registerStepUp(
  server: FastifyInstance,
  services: Services,
  publicUrl: string,
  basePath: string,
): void {
  const signIns = services.stepUpSignIns;
  const secure = publicUrl.startsWith('https:');
  /** One cookie for each flow, so that two sign-ins in two tabs do not disturb each other. */
  const cookieName = (flow: string): string =>
    `${secure ? '__Host-' : ''}siesta-step-up-${flow.slice(0, 16)}`;
  const cookie = (flow: string, value: string, seconds: number): string =>
    `${cookieName(flow)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`;

  server.get('/step-up/callback', async (request, reply) => {
    const end = await signIns.arrive(new URL(request.url, publicUrl), (flow) =>
      cookieOf(request, cookieName(flow)),
    );
    reply.header('set-cookie', cookie(end.flow, '', 0));
    return sendPage(reply, endPage(end), basePath);
  });

  server.get<LinkParams>('/step-up/:token', async (request, reply) => {
    const { token } = request.params;
    const about = await signIns.look(token);
    return sendPage(reply, askPage(about, `${basePath}/step-up/${token}`, signIns.scheme), basePath);
  });

  server.post<LinkParams>('/step-up/:token', async (request, reply) => {
    const { flow, url, cookie: value } = await signIns.start(request.params.token);
    return reply
      .headers({
        'set-cookie': cookie(flow, value, COOKIE_SECONDS),
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      })
      .redirect(url, 303);
  });
}

function facts({ person, functionTitle, connectionKey, callerName, hash, edited }: SignInPage): Markup {
  return html`<dl>
<dt>You approve</dt><dd><strong>${visible(functionTitle)}</strong>${edited && html`, as you changed it`}</dd>
<dt>Connection</dt><dd><code>${connectionKey}</code></dd>
<dt>Asked by</dt><dd>${visible(callerName)}</dd>
<dt>Card</dt><dd><code>${hash}</code></dd>
<dt>For</dt><dd>${visible(person)} in Slack</dd>
</dl>`;
}

function askPage(about: SignInPage, action: string, formTarget: string): Page {
  const body = html`${facts(about)}
<p>This approval asks for a second proof: sign in with your company account, even if you are signed in already. With that it is approved, and nothing more is asked.</p>
<form method="post" action="${action}">
<button type="submit">Sign in and approve</button>
</form>
<p class="small">Changed your mind? Close this page: nothing is approved. If you are not ${visible(about.person)}, or did not press Approve in Slack just now, somebody sent you this link to approve in your name: close the page, and tell an admin.</p>`;
  return { status: 200, title: 'Sign in to approve', tone: 'ask', body, formTarget };
}

function endPage(end: SignInEnd): Page {
  const problem = whyNot(end.outcome);
  if (problem !== null) {
    const body = html`<p role="alert">${problem}</p>
${facts(end)}
<p class="small">Your sign-in changed nothing. You can close this page.</p>`;
    return { status: 403, title: 'Not approved', tone: 'refused', body };
  }
  const waits = end.outcome.kind === 'recorded' && end.outcome.approval.status === 'pending';
  const body = html`<p role="status">${waits ? 'Your approval is recorded; others are still to come.' : 'It is approved and goes on by itself.'} The card in Slack shows how it ends.</p>
${facts(end)}
<p class="small">You can close this page.</p>`;
  return { status: 200, title: 'Approved', tone: 'done', body };
}
