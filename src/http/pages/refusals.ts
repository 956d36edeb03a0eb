/** Every way in which a one-time page says no, as a page. Nothing of the request is repeated on it. */
import { AppError, type ErrorCode } from '../../errors.js';
import type { Logger } from '../../log.js';
import { OneTimeRefusal, type RefusalReason } from '../../services/one-time.js';
import { problemOf } from '../problem.js';
import { html } from './html.js';
import type { Page } from './layout.js';

const REFUSALS: Record<RefusalReason, { status: number; title: string }> = {
  unknown: { status: 404, title: 'This link is not valid' },
  used: { status: 410, title: 'Already used' },
  expired: { status: 410, title: 'This link has expired' },
  browser: { status: 403, title: 'Another browser' },
  person: { status: 403, title: 'Not allowed' },
  declined: { status: 403, title: 'Not signed in' },
  provider: { status: 403, title: 'Not signed in' },
};

const TITLES: Partial<Record<ErrorCode, string>> = {
  unavailable: 'Not possible just now',
  not_found: 'Not found',
  invalid_arguments: 'That did not work',
};

export function refusalPage(error: unknown, log: Logger): Page {
  if (error instanceof OneTimeRefusal) return page(REFUSALS[error.reason], error.message);
  const { status, code, detail } = problemOf(error, log);
  // The framework's own messages may repeat what was sent.
  const ours = error instanceof AppError || status >= 500;
  return page(
    { status, title: TITLES[code] ?? 'Not allowed' },
    ours ? detail : (WORDS[status] ?? WORDS[400]),
  );
}

const WORDS: Readonly<Record<number, string>> = {
  400: 'The form could not be read.',
  413: 'That is more than the form takes: at most 64 KiB a field.',
  415: 'This page takes only its own form.',
};

function page(
  { status, title }: { status: number; title: string },
  message = 'The form could not be read.',
): Page {
  // An error that nobody expected may have come after something was stored.
  const outcome = status === 500 ? '' : 'Nothing was stored. ';
  const body = html`<p role="alert">${message}</p>
<p class="small">${outcome}You can close this page.</p>`;
  return { status, title, tone: 'refused', body };
}
