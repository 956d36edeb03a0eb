/** The frame that all one-time pages share, and the headers that keep them to themselves. */
import type { FastifyReply } from 'fastify';
import { type HtmlValue, html, type Markup } from './html.js';

export interface Page {
  readonly status: number;
  /** The heading, and the tab's name. */
  readonly title: string;
  readonly tone: 'ask' | 'done' | 'refused';
  readonly body: HtmlValue;
  /**
   * Where else the page's form may end up, as CSP names it: browsers hold every redirect after a POST to `form-action`
   * too. A scheme where the first address is another's: providers send people on to hosts that only they know.
   */
  readonly formTarget?: string;
}

/** Where the pages stand below the app's public address, for links inside them: `''`, or `/siesta` behind a proxy. */
export function basePathOf(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/+$/, '');
}

export const STYLESHEET = '/assets/pages.css';

/** No script, no frame, no other origin, no trace: not in a cache, a referrer or a search engine. */
function headersOf(page: Page): Record<string, string> {
  const formAction = page.formTarget ? `'self' ${page.formTarget}` : "'self'";
  return {
    'content-security-policy': `default-src 'none'; style-src 'self'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow',
    'cross-origin-opener-policy': 'same-origin',
  };
}

export function sendPage(reply: FastifyReply, page: Page, basePath: string): FastifyReply {
  return reply
    .code(page.status)
    .headers(headersOf(page))
    .type('text/html; charset=utf-8')
    .send(documentOf(page, basePath).text);
}

function documentOf(page: Page, basePath: string): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>${page.title} · Siesta Connections</title>
<link rel="stylesheet" href="${basePath}${STYLESHEET}">
</head>
<body>
<main class="${page.tone}">
<p class="brand">Siesta Connections</p>
<h1>${page.title}</h1>
${page.body}
</main>
</body>
</html>
`;
}
