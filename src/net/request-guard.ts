/**
 * What may be asked of an upstream: the allow-list of the connection (the control; the address guard is the second
 * line), and requests that no two parsers can read differently (shared/RELIABILITY.md, abuse cases 41, 54, 57).
 */
import type { AllowRule, UpstreamRequest } from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import { type PrivateTargets, targetOf } from './address-guard.js';

/** A checked request, ready for the wire. */
export interface PreparedRequest {
  readonly method: UpstreamRequest['method'];
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

type Method = UpstreamRequest['method'];

const METHODS: ReadonlySet<string> = new Set<Method>(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** @throws UpstreamError `forbidden_upstream` for a method that no function may use (TRACE, CONNECT …) */
export function checkMethod(method: string): Method {
  if (!isMethod(method)) throw forbidden('The HTTP method of the request is not allowed.');
  return method;
}

function isMethod(method: string): method is Method {
  return METHODS.has(method);
}

/** GET and HEAD; everything else may change something. */
export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Checks a request against the allow-list and turns it into what is sent.
 * @throws UpstreamError `forbidden_upstream`, definite: nothing was sent
 */
export function prepareRequest(
  request: UpstreamRequest,
  allow: readonly AllowRule[],
  privateTargets: PrivateTargets,
): PreparedRequest {
  const url = parseUpstreamUrl(request.url);
  if (!isAllowed(url, allow)) {
    throw forbidden(`${targetOf(url)} was not called: this connection may not reach that host or path.`);
  }
  checkTransport(url, privateTargets);
  appendQuery(url, request.query);
  const headers = checkHeaders(request.headers ?? {});
  const body = encodeBody(request);
  if (request.json !== undefined && headers['content-type'] === undefined)
    headers['content-type'] = 'application/json';
  return { method: checkMethod(request.method), url, headers, body };
}

/**
 * Where a redirect leads. Signed download links may hold encoded slashes, and no allow-list is at stake: only user
 * info, other schemes and, where the operator has not allowed it, http and odd ports are refused.
 * @throws UpstreamError `forbidden_upstream`
 */
export function parseRedirect(location: string, from: URL, privateTargets: PrivateTargets): URL {
  if (!URL.canParse(location, from.href)) throw forbidden('A redirect led to something that is not a URL.');
  const url = new URL(location, from.href);
  url.hash = '';
  const isPlain = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (!isPlain || (url.port !== '' && !privateTargets.has(targetOf(url)))) {
    throw forbidden(`A redirect led to ${url.host}, in a form that is not followed.`);
  }
  checkTransport(url, privateTargets);
  return url;
}

/**
 * Parses an absolute http(s) URL that every parser reads alike: no user info, backslash, space, control character,
 * fragment, empty or dot segment, and no encoded slash, backslash, NUL or dot segment in its path.
 * @throws UpstreamError `forbidden_upstream`
 */
function parseUpstreamUrl(text: string): URL {
  const [, path] = /^https?:\/\/[^/?#@\\]+(\/[^?#]*)?(?:\?[^#]*)?$/i.exec(text) ?? [undefined, null];
  if (path === null || /[\0-\x20\x7f\\]/.test(text) || !URL.canParse(text)) {
    throw forbidden('The address of the request is not an absolute http(s) URL in plain form.');
  }
  if (path !== undefined && isAmbiguousPath(path)) {
    throw forbidden(
      'The path of the request contains "..", "//" or an encoded slash; such a path is not sent.',
    );
  }
  return new URL(text);
}

/**
 * Http only where the operator has allowed it.
 * @throws UpstreamError `forbidden_upstream`
 */
function checkTransport(url: URL, privateTargets: PrivateTargets): void {
  if (url.protocol === 'https:' || privateTargets.has(targetOf(url))) return;
  throw forbidden(
    `${targetOf(url)} was not called: only https is allowed. The operator may allow http by adding ` +
      `${targetOf(url)} to OUTBOUND_ALLOW_PRIVATE.`,
  );
}

/** A refusal of ours: definite, nothing was sent. */
export function forbidden(message: string): UpstreamError {
  return new UpstreamError('forbidden_upstream', message, { definite: true });
}

function isAmbiguousPath(path: string): boolean {
  // %25 before 2e, 2f, 5c: a second decoding somewhere on the way would find a dot, a slash or a backslash
  if (path.includes('//') || /%(?:25)*(?:2f|5c|00)|%(?:25)+2e/i.test(path)) return true;
  try {
    return path.split('/').some((segment) => /^\.{1,2}(?:;|$)/.test(decodeURIComponent(segment)));
  } catch {
    return true;
  }
}

/** Whether a rule names the URL's origin and a path that is the URL's or leads to it, segment by segment. */
export function isAllowed(url: URL, allow: readonly AllowRule[]): boolean {
  return allow.some((rule) => covers(rule, url));
}

function covers(rule: AllowRule, url: URL): boolean {
  if (!URL.canParse(rule.origin) || new URL(rule.origin).origin !== url.origin) return false;
  const prefix = rule.pathPrefix.replace(/\/+$/, '');
  return url.pathname === prefix || url.pathname.startsWith(`${prefix}/`);
}

function appendQuery(url: URL, query: UpstreamRequest['query']): void {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(name, item);
  }
  // %20 means a space to every server, + only to most
  const added = parameters.toString().replace(/\+/g, '%20');
  if (added) url.search = url.search ? `${url.search}&${added}` : added;
}

/** Hop-by-hop and framing headers are the client's; the rest would change the method, the target or the sender. */
const REFUSED_HEADER =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|http2-settings|accept-encoding|cookie2?|forwarded|via|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|x-original-.*|x-rewrite-.*|x-http-method(?:-override)?|x-method(?:-override)?|proxy-.*)$/;

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower) || Object.hasOwn(checked, lower)) {
      throw forbidden('A header name of the request is not valid, or appears twice.');
    }
    if (REFUSED_HEADER.test(lower)) throw forbidden(`The header ${lower} may not be set by a function.`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw forbidden(`The value of the header ${lower} contains a character that headers cannot carry.`);
    }
    checked[lower] = value;
  }
  return { 'user-agent': 'Siesta-Connections', ...checked };
}

function encodeBody({ method, json, body }: UpstreamRequest): Buffer | undefined {
  if (json === undefined && body === undefined) return undefined;
  if (isRead(method)) throw forbidden(`A ${method} request carries no body.`);
  if (json !== undefined && body !== undefined)
    throw forbidden('A request has either json or a body, not both.');
  return Buffer.from(json !== undefined ? JSON.stringify(json) : (body ?? ''));
}
