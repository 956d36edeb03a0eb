/** A caller's token, shown once. The GET shows nothing, so that a bot that previews links uses nothing up. */
import type { FastifyInstance } from 'fastify';
import { visible } from '../../../blocks/inert.js';
import type { Services } from '../../services/index.js';
import type { TokenPage } from '../../services/token-reveal.js';
import { html } from './html.js';
import { type Page, sendPage } from './layout.js';

type LinkParams = { Params: { token: string } };

export function registerCallerToken(
  server: FastifyInstance,
  services: Services,
  publicUrl: string,
  basePath: string,
): void {
  server.get<LinkParams>('/secrets/token/:token', async (request, reply) => {
    const { token } = request.params;
    const page = await services.tokenReveal.describe(token);
    return sendPage(reply, askPage(page, `${basePath}/secrets/token/${token}`), basePath);
  });

  server.post<LinkParams>('/secrets/token/:token', async (request, reply) => {
    const shown = await services.tokenReveal.reveal(request.params.token);
    return sendPage(reply, tokenPage(shown, shown.callerToken, publicUrl), basePath);
  });
}

function askPage({ caller, person }: TokenPage, action: string): Page {
  const body = html`
<dl>
<dt>Caller</dt><dd>${visible(caller.name)} (${caller.kind}, ${caller.stage})</dd>
<dt>Shown to</dt><dd>${visible(person)}</dd>
</dl>
<p>The token is shown once. Have the place ready where it will be kept: whoever has it can call as this caller.</p>
<form method="post" action="${action}">
<button type="submit">Show the token</button>
</form>
<p class="small">This page works once, for ten minutes.</p>`;
  return { status: 200, title: 'The token of a caller', tone: 'ask', body };
}

function tokenPage({ caller }: TokenPage, token: string, publicUrl: string): Page {
  const curl = `curl ${publicUrl}/v1/functions \\\n  -H "Authorization: Bearer $SIESTA_TOKEN"`;
  const body = html`<p>Copy it now; it is not shown again, and only its fingerprint is kept.</p>
<h2 id="token-label">Token of ${visible(caller.name)}</h2>
<output id="token" aria-labelledby="token-label"><code>${token}</code></output>
<h2>Try it</h2>
<p>With the token in the variable <code>SIESTA_TOKEN</code>, this lists what the caller may use:</p>
<pre><code>${curl}</code></pre>
<p class="small">Lost or leaked? An admin makes a new one in Slack under <code>/connections callers</code>; the old one then stops working.</p>`;
  return { status: 200, title: 'Copy the token', tone: 'done', body };
}
