/** The one-time form for a credential: Slack has no field for secrets. */
import type { FastifyInstance } from 'fastify';
import { visible } from '../../../blocks/inert.js';
import type { FormField } from '../../connectors/framework.js';
import type { Services } from '../../services/index.js';
import type { SecretForm, SecretStored } from '../../services/secret-entry.js';
import { SecretInputError, type SecretProblem } from '../../services/secret-input.js';
import { html, type Markup } from './html.js';
import { type Page, sendPage } from './layout.js';
import { formOf } from './request.js';

type LinkParams = { Params: { token: string } };

export function registerSecretForm(server: FastifyInstance, services: Services, basePath: string): void {
  server.get<LinkParams>('/secrets/:token', async (request, reply) => {
    const form = await services.secretEntry.describe(request.params.token);
    return sendPage(reply, formPage(form, `${basePath}/secrets/${request.params.token}`, []), basePath);
  });

  server.post<LinkParams>('/secrets/:token', async (request, reply) => {
    const { token } = request.params;
    try {
      const stored = await services.secretEntry.submit(token, formOf(request));
      return sendPage(reply, storedPage(stored), basePath);
    } catch (error) {
      if (!(error instanceof SecretInputError)) throw error;
      const form = await services.secretEntry.describe(token);
      return sendPage(reply, formPage(form, `${basePath}/secrets/${token}`, error.problems), basePath);
    }
  });
}

function formPage({ target, person }: SecretForm, action: string, problems: readonly SecretProblem[]): Page {
  const general = problems.find((problem) => problem.field === '');
  const whose =
    target.kind === 'connection' && target.connection.identity === 'private'
      ? 'Used only for calls that are made for you.'
      : 'Used for everybody who may use the connection.';
  const body = html`
<dl>
<dt>For</dt><dd>${visible(target.title)}${target.kind === 'connection' && html` <code>${target.connection.key}</code>`}</dd>
<dt>Entered by</dt><dd>${visible(person)}</dd>
${target.kind === 'oauth_app' && html`<dt>Redirect URI</dt><dd><code>${target.redirectUri}</code><br><span class="small">Register exactly this one at the provider.</span></dd>`}
</dl>
<p>${target.kind === 'connection' && html`${whose} `}It is encrypted before it is stored, and nobody can read it back, you included.</p>
${problems.length > 0 && html`<p class="alert" role="alert">${general?.message ?? 'Nothing was stored yet.'} Please enter everything again.</p>`}
<form method="post" action="${action}" autocomplete="off">
${target.fields.map((field, index) =>
  fieldOf(field, index === 0, problems.find((problem) => problem.field === field.name)?.message ?? null),
)}
<button type="submit">Store it</button>
</form>
<p class="small">This page works once, for ten minutes.</p>`;
  return { status: problems.length > 0 ? 400 : 200, title: titleOf({ target, person }), tone: 'ask', body };
}

function titleOf({ target }: SecretForm): string {
  return target.kind === 'oauth_app'
    ? `Enter the ${target.title}`
    : `Enter the ${target.method.title.replace(/^\p{Lu}(?=\p{Ll})/u, (first) => first.toLowerCase())}`;
}

function fieldOf(field: FormField, first: boolean, problem: string | null): Markup {
  const { name, label, hint, placeholder, optional } = field;
  const described = [hint ? `${name}-hint` : '', problem ? `${name}-problem` : '']
    .filter((id) => id !== '')
    .join(' ');
  const common = html`id="${name}" name="${name}" autocomplete="off" autocapitalize="off" spellcheck="false"${!optional && html` required`}${first && html` autofocus`}${placeholder !== undefined && html` placeholder="${placeholder}"`}${described !== '' && html` aria-describedby="${described}"`}${problem !== null && html` aria-invalid="true"`}`;
  const lines = field.kind === 'secret_multiline' || field.kind === 'multiline';
  const type = field.kind === 'secret' ? 'password' : 'text';
  return html`<div class="field">
<label for="${name}">${label}${optional === true && html` <span class="small">(optional)</span>`}</label>
${hint !== undefined && html`<span class="hint" id="${name}-hint">${hint}</span>`}
${lines ? html`<textarea ${common}></textarea>` : html`<input type="${type}" ${common}>`}
${problem !== null && html`<span class="problem" id="${name}-problem">${problem}</span>`}
</div>
`;
}

function storedPage({ target, open }: SecretStored): Page {
  const body = html`<p role="status">The credential for <strong>${visible(target.title)}</strong> is stored. Slack tells you so, too.</p>
${
  open.length > 0
    ? html`<h2>Before the connection is ready</h2>
<ul>${open.map(({ next, label }) => html`<li>${next}<br><span class="small">${label}</span></li>`)}</ul>
<p>Go on in Slack.</p>`
    : html`<p>${nextStep(target)}</p>`
}
<p class="small">You can close this page. Clear your clipboard if the secret is still in it.</p>`;
  return { status: 200, title: 'Stored', tone: 'done', body };
}

function nextStep(target: SecretStored['target']): string {
  if (target.kind === 'oauth_app')
    return 'Accounts can be connected now: go back to Slack and use the Connect button.';
  if (target.connection.identity === 'private')
    return 'Calls that waited for you go on by themselves, once you have allowed their caller in your Slack DM.';
  return 'The connection can be used now. Go on in Slack.';
}
