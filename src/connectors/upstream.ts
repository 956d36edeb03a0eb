/** What an answer of an outside system means for a call. One table for every connector. */
import { type ErrorCode, UpstreamError } from '../errors.js';
import type { JsonValue, UpstreamResponse } from './framework.js';

const LONGEST_MESSAGE = 300;
const LONGEST_WAIT_SECONDS = 24 * 60 * 60;

/**
 * Lets a 2xx answer through. A 4xx is a refusal: the effect surely did not happen; so is a 501, by which a server says
 * that it has no such function (RFC 9110, 15.6.2). After any other 5xx, a 408 or a redirect (never followed; RFC 9110:
 * a 303 often means "done") nobody knows.
 * @param systemName as people call it: "Gmail", "helpdesk.example.com"
 * @throws UpstreamError
 */
export function expectOk(response: UpstreamResponse, systemName: string): UpstreamResponse {
  const { status } = response;
  if (status >= 200 && status < 300) return response;
  const said = upstreamMessage(response);
  const saying = said === '' ? '.' : `: ${said}`;
  const fail = (code: ErrorCode, definite: boolean, message: string): UpstreamError => {
    const wait = retryAfter(response);
    return new UpstreamError(code, message, {
      definite,
      status,
      ...(wait !== undefined && { retryAfter: wait }),
    });
  };
  if (status === 401)
    throw fail('needs_reauth', true, `${systemName} no longer accepts the credential${saying}`);
  if (status === 403)
    throw fail(
      'forbidden_upstream',
      true,
      `${systemName} does not allow this with the credential in use${saying}`,
    );
  if (status === 429) throw fail('rate_limited', true, `${systemName} asks for fewer calls${saying}`);
  if (status === 408)
    throw fail('upstream_unavailable', false, `${systemName} gave up waiting (408)${saying}`);
  if (status >= 400 && status < 500)
    throw fail('upstream_rejected', true, `${systemName} refused the call (${status})${saying}`);
  if (status === 501) throw fail('upstream_rejected', true, `${systemName} cannot do this (501)${saying}`);
  if (status >= 500) throw fail('upstream_unavailable', false, `${systemName} failed (${status})${saying}`);
  throw fail(
    'upstream_rejected',
    false,
    `${systemName} answered with a redirect (${status}), which is not followed.`,
  );
}

/** For what only looks before it changes something: whatever goes wrong here, nothing was changed. @throws UpstreamError */
export async function beforeWriting<Found>(look: () => Promise<Found>): Promise<Found> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.definite) throw error;
    const { code, message, status, retryAfter } = error;
    throw new UpstreamError(code, message, {
      definite: true,
      cause: error,
      ...(status !== undefined && { status }),
      ...(retryAfter !== undefined && { retryAfter }),
    });
  }
}

/** Seconds. A date is measured against the answer's own `Date`, so no clock of ours matters. */
function retryAfter(response: UpstreamResponse): number | undefined {
  const value = response.headers['retry-after'];
  if (value === undefined) return undefined;
  const sent = Date.parse(response.headers.date ?? '');
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - sent) / 1_000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST_WAIT_SECONDS) : undefined;
}

/** What the system itself says went wrong, one line of at most 300 characters; empty when it says nothing readable. */
export function upstreamMessage(response: UpstreamResponse): string {
  const type = response.headers['content-type'] ?? '';
  const text = response.body.byteLength > 64 * 1024 ? '' : response.text().trim();
  if (text === '') return '';
  const found =
    /json/i.test(type) || text.startsWith('{')
      ? messageIn(parsed(text))
      : /^text\/plain/i.test(type)
        ? text
        : '';
  const line = found.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 1)}…` : line;
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/** Where APIs put their message: Google, RFC 9457, RFC 6749, JSON:API, Atlassian and the plain `message`. */
function messageIn(value: JsonValue, depth = 0): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return messageIn(value[0] ?? '', depth + 1);
  if (typeof value !== 'object' || value === null || depth > 3) return '';
  for (const key of [
    'message',
    'error_description',
    'detail',
    'error',
    'errorMessages',
    'errors',
    'title',
    'reason',
  ]) {
    const found = value[key] === undefined ? '' : messageIn(value[key], depth + 1);
    if (found !== '') return found;
  }
  return '';
}
