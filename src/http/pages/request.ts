/** What the pages take from a request: a form, a cookie, and proof that our own page sent it. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.js';

/** Values of a form, by name; a list where a name was sent more than once. */
export type FormValues = Readonly<Record<string, string | readonly string[]>>;

/** For `@fastify/formbody`. `Object.create(null)`: a field named `__proto__` is a field. */
export function parseForm(text: string): FormValues {
  const values: Record<string, string | readonly string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const known = values[name];
    values[name] = known === undefined ? value : [known, value].flat();
  }
  return values;
}

export function formOf(request: FastifyRequest): FormValues {
  return (request.body ?? {}) as FormValues;
}

export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : [value].flat();
}

/** RFC 6265: the first cookie of that name. */
export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * A form is taken from our own pages only. Browsers say where a POST comes from in `Sec-Fetch-Site`; older ones, and
 * all of them without TLS, only in `Origin`, which our own `no-referrer` turns into `null`.
 * @throws AppError `forbidden`
 */
export function assertOwnPage(request: FastifyRequest, publicUrl: string): void {
  const site = request.headers['sec-fetch-site'];
  const { origin: own, protocol } = new URL(publicUrl);
  const { origin } = request.headers;
  const fromUs = origin === undefined || origin === own || (origin === 'null' && protocol === 'http:');
  // `none` is a person who loads the page again.
  if (site === undefined ? fromUs : site === 'same-origin' || site === 'none') return;
  throw new AppError('forbidden', 'This form was sent from another site. Open the link from your Slack DM.');
}
