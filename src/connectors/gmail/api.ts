/**
 * Calls of the Gmail API v1, always on the mailbox of whoever the credential is. Paths, scopes and limits: the
 * vendor's client types (@googleapis/gmail 18), shared/CONNECTORS.md, 4.1.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { expectOk, upstreamMessage } from '../upstream.js';

export const GMAIL_PATH = '/gmail/v1/users/me/';

const scope = (name: string): string => `https://www.googleapis.com/auth/gmail.${name}`;
export const SCOPES = {
  readonly: scope('readonly'),
  compose: scope('compose'),
  send: scope('send'),
  modify: scope('modify'),
  labels: scope('labels'),
} as const;

export type JsonObject = { [key: string]: JsonValue };

/**
 * One request below `/gmail/v1/users/me/`.
 * @param path segments; each is encoded
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError
 */
export async function callGmail(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: Pick<UpstreamRequest, 'query' | 'json'> = {},
): Promise<JsonObject> {
  const url = `${context.baseUrl}${GMAIL_PATH}${path.map(encodeURIComponent).join('/')}`;
  const response = await context.fetch({ method, url, ...more });
  refuseGoogle403(response);
  expectOk(response, 'Gmail');
  return response.body.byteLength === 0 ? {} : objectOf(response.json());
}

/** Google says two other things with 403: "slower" and "that scope was not granted" (google.rpc.ErrorInfo). */
function refuseGoogle403(response: UpstreamResponse): void {
  if (response.status !== 403) return;
  const text = response.text();
  const details = { definite: true, status: 403 };
  if (/"(rateLimitExceeded|userRateLimitExceeded|dailyLimitExceeded|quotaExceeded)"/.test(text)) {
    throw new UpstreamError(
      'rate_limited',
      `Gmail asks for fewer calls: ${upstreamMessage(response)}`,
      details,
    );
  }
  if (
    /ACCESS_TOKEN_SCOPE_INSUFFICIENT|insufficientPermissions|insufficient authentication scopes/i.test(text)
  ) {
    throw new UpstreamError(
      'needs_more_scopes',
      'Gmail was not granted the scope that this function needs.',
      details,
    );
  }
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

export function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Runs `act` for every item, at most ten at a time; Gmail allows 250 units a second and a read costs five. */
export async function mapTen<In, Out>(items: readonly In[], act: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let start = 0; start < items.length; start += 10) {
    results.push(...(await Promise.all(items.slice(start, start + 10).map(act))));
  }
  return results;
}
