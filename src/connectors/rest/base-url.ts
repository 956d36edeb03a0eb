/** The base URL of a REST connection: https, or http where the operator lets a private address through. */
import { AppError } from '../../errors.js';

/**
 * @param text what an admin typed or a document names
 * @param allowHttp asks the operator's `OUTBOUND_ALLOW_PRIVATE` for a `host:port`
 * @returns origin and path without a slash at the end
 * @throws AppError `invalid_arguments`
 */
export function parseBaseUrl(text: string, allowHttp: (hostAndPort: string) => boolean): string {
  const problem = baseUrlProblem(text);
  if (problem !== undefined) throw new AppError('invalid_arguments', problem, { path: '/base_url' });
  const url = new URL(text.trim());
  const hostAndPort = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
  if (url.protocol === 'http:' && !allowHttp(hostAndPort)) {
    throw new AppError('invalid_arguments', 'The base URL must begin with https://.', { path: '/base_url' });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Undefined for a base URL that names one place and nothing else. */
export function baseUrlProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (!URL.canParse(trimmed))
    return 'The base URL is not a complete address such as https://api.example.com/v1.';
  const url = new URL(trimmed);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'The base URL must begin with https://.';
  if (url.username !== '' || url.password !== '')
    return 'The base URL must not carry a user name or password.';
  if (trimmed.includes('?') || trimmed.includes('#'))
    return 'The base URL must not have a query or fragment.';
  const typedPath = trimmed.replace(/^[a-z]+:\/\/[^/]*/i, '');
  if (
    /\\|%(2e|2f|5c)/i.test(trimmed) ||
    /(^|\/)\.{1,2}(\/|$)/.test(typedPath) ||
    url.pathname.includes('//')
  ) {
    return 'The base URL must not contain "..", "//" or "\\" in its path.';
  }
  return undefined;
}
