/**
 * Shared Key: every request is signed with the account's key. Pure. What is signed, in which order: Microsoft,
 * "Authorize with Shared Key"; the sorting of header names: SharedKeyComparator of @azure/storage-common 12.
 */
import { createHmac } from 'node:crypto';
import type { UpstreamRequest } from '../framework.js';

export interface AccountKey {
  readonly account: string;
  /** Base64, as the portal shows it. */
  readonly key: string;
}

/** Null for what is not a connection string with a name and a key. */
export function readConnectionString(text: string): AccountKey | null {
  const parts = new Map(
    text
      .trim()
      .split(';')
      .map((part) => {
        const [name = '', ...value] = part.split('=');
        return [name.trim().toLowerCase(), value.join('=').trim()];
      }),
  );
  const account = parts.get('accountname') ?? '';
  const key = parts.get('accountkey') ?? '';
  const isWhole = /^[a-z0-9]{3,24}$/.test(account) && /^[A-Za-z0-9+/]{8,}={0,2}$/.test(key);
  return isWhole ? { account, key } : null;
}

/** @returns HMAC-SHA256 of the text, base64 */
export function signText(text: string, key: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
}

/** The request with its date and its `Authorization`. */
export function signRequest(
  request: UpstreamRequest,
  { account, key }: AccountKey,
  now: Date,
): UpstreamRequest {
  const headers = { ...request.headers, 'x-ms-date': now.toUTCString() };
  const signature = signText(textToSign({ ...request, headers }, account), key);
  return { ...request, headers: { ...headers, authorization: `SharedKey ${account}:${signature}` } };
}

const SIGNED_HEADERS = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
] as const;

function textToSign(request: UpstreamRequest, account: string): string {
  const headers = new Map(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value.trim()]),
  );
  // An empty body is signed as no length at all since 2015-02-21.
  const length = bodyLength(request);
  if (length > 0) headers.set('content-length', String(length));
  if (request.json !== undefined && !headers.has('content-type'))
    headers.set('content-type', 'application/json');
  const own = [...headers].filter(([name]) => name.startsWith('x-ms-')).sort(([a], [b]) => order(a, b));
  return [
    request.method,
    ...SIGNED_HEADERS.map((name) => headers.get(name) ?? ''),
    ...own.map(([name, value]) => `${name}:${value}`),
    resource(request, account),
  ].join('\n');
}

/** As src/net/request-guard.ts puts the body on the wire. */
function bodyLength({ json, body }: UpstreamRequest): number {
  return Buffer.byteLength(json !== undefined ? JSON.stringify(json) : (body ?? ''));
}

/** The service sorts as .NET does in English: hyphens do not count, an underscore comes before digits and letters. */
function order(one: string, other: string): number {
  const weight = (name: string): string => name.replaceAll('-', '').replaceAll('_', '!');
  return weight(one) < weight(other) ? -1 : 1;
}

/** `/account/path` as it is sent, then the query decoded and sorted by name. */
function resource(request: UpstreamRequest, account: string): string {
  const url = new URL(request.url);
  const query = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    query.set(name.toLowerCase(), [...(query.get(name.toLowerCase()) ?? []), value]);
  };
  for (const [name, value] of url.searchParams) add(name, value);
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const one of [value ?? []].flat()) add(name, one);
  }
  const lines = [...query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => `${name}:${values.sort().join(',')}`);
  return [`/${account}${url.pathname}`, ...lines].join('\n');
}
