/** Setting up a second proof. The GET shows no secret, so that a bot that previews links learns nothing. */
import type { FastifyInstance } from 'fastify';
import { encode } from 'uqr';
import { visible } from '../../../blocks/inert.js';
import { AppError } from '../../errors.js';
import type { Services } from '../../services/index.js';
import type { EnrolmentPage } from '../../services/second-factors.js';
import { html, type Markup } from './html.js';
import { type Page, sendPage } from './layout.js';
import { formOf, listOf } from './request.js';

type LinkParams = { Params: { token: string } };

export function registerSecondFactor(server: FastifyInstance, services: Services, basePath: string): void {
  const { secondFactors } = services;
  const action = (token: string): string => `${basePath}/second-factor/${token}`;

  server.get<LinkParams>('/second-factor/:token', async (request, reply) => {
    const { token } = request.params;
    const { person } = await secondFactors.describe(token);
    return sendPage(reply, askPage(person, action(token)), basePath);
  });

  server.post<LinkParams>('/second-factor/:token', async (request, reply) => {
    const { token } = request.params;
    const [code] = listOf(formOf(request).code);
    try {
      if (code === undefined) {
        return sendPage(reply, codePage(await secondFactors.show(token), action(token), null), basePath);
      }
      const { person } = await secondFactors.confirm(token, code);
      return sendPage(reply, donePage(person), basePath);
    } catch (error) {
      if (!(error instanceof AppError) || error.path !== '/code') throw error;
      const page = codePage(await secondFactors.show(token), action(token), error.message);
      return sendPage(reply, page, basePath);
    }
  });
}

function askPage(person: string, action: string): Page {
  const body = html`
<dl>
<dt>For</dt><dd>${visible(person)}</dd>
</dl>
<p>Some approvals ask for six digits of an authenticator app on top of the click. The next page shows the code that your app scans: have your phone ready, and nobody looking over your shoulder.</p>
<form method="post" action="${action}">
<button type="submit">Show the QR code</button>
</form>
<p class="small">This page works once, for ten minutes.</p>`;
  return { status: 200, title: 'Set up a second proof', tone: 'ask', body };
}

function codePage({ uri, secret, person }: EnrolmentPage, action: string, problem: string | null): Page {
  const body = html`
<p>Scan this with your authenticator app, ${visible(person)}.</p>
<p>${qrCode(uri)}</p>
<p class="small">No camera? Type this key in instead: <code id="secret">${(secret.match(/.{1,4}/g) ?? []).join(' ')}</code> (time-based, six digits, 30 seconds).</p>
<form method="post" action="${action}" autocomplete="off">
<div class="field">
<label for="code">The six digits that the app shows now</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="\\d{3} ?\\d{3}" maxlength="7" required autofocus${problem !== null && html` aria-invalid="true" aria-describedby="code-problem"`}>
${problem !== null && html`<span class="problem" id="code-problem" role="alert">${problem}</span>`}
</div>
<button type="submit">Confirm</button>
</form>
<p class="small">It counts from the moment it is confirmed. Until then nothing has changed.</p>`;
  return { status: problem === null ? 200 : 400, title: 'Set up a second proof', tone: 'ask', body };
}

/** Dark modules as squares of one path, on white whatever the theme: cameras want the contrast. */
function qrCode(text: string): Markup {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" width="240" height="240" role="img" aria-label="QR code for the authenticator app" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${path}" fill="#000"/></svg>`;
}

function donePage(person: string): Page {
  const body = html`<p role="status">Your second proof is set up, ${visible(person)}. Approvals that ask for it want the digits of your app from now on.</p>
<p class="small">You can close this page and go on in Slack. The next approval needs the next code: each works once.</p>`;
  return { status: 200, title: 'Second proof set up', tone: 'done', body };
}
