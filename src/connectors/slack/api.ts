/**
 * Calls of the Slack Web API. Method names and arguments: the vendor's client (@slack/web-api 8.2.0); scopes and limits:
 * shared/CONNECTORS.md, 4.4. Arguments go as a form, as the vendor's client sends them: not every method reads JSON.
 */
import { type ErrorCode, UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf, textOf, textOrNull, textsIn } from '../json.js';
import { expectOk } from '../upstream.js';

export const API_PATH = '/api/';

/** Which scope reads a conversation depends on its type, so reading any of them takes all. */
export const SCOPES = {
  channels: ['channels:read', 'groups:read'],
  history: ['channels:history', 'groups:history', 'im:history', 'mpim:history'],
  users: ['users:read'],
  manage: ['channels:manage', 'groups:write'],
} as const;

export type SlackArguments = Readonly<Record<string, JsonValue | undefined>>;

/**
 * One call.
 * @param fine errors that say "it already is so": they are answered, not thrown; `ok` of the answer is then false
 * @throws UpstreamError
 */
export async function callSlack(
  context: CallContext,
  method: string,
  args: SlackArguments = {},
  fine: readonly string[] = [],
): Promise<JsonObject> {
  const response = await context.fetch({
    method: 'POST',
    url: `${context.baseUrl}${API_PATH}${method}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formOf(args),
  });
  expectOk(response, 'Slack');
  const answer = objectOf(response.json());
  if (answer.ok === true || fine.includes(textOf(answer.error))) return answer;
  throw refusal(answer, response);
}

function formOf(args: SlackArguments): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue;
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  return form.toString();
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  invalid_auth: 'needs_reauth',
  not_authed: 'needs_reauth',
  token_revoked: 'needs_reauth',
  token_expired: 'needs_reauth',
  account_inactive: 'needs_reauth',
  missing_scope: 'needs_more_scopes',
  ratelimited: 'rate_limited',
  rate_limited: 'rate_limited',
  // "It's possible some aspect of the operation succeeded before the error was raised" (docs.slack.dev)
  fatal_error: 'upstream_unavailable',
  internal_error: 'upstream_unavailable',
  service_unavailable: 'upstream_unavailable',
  request_timeout: 'upstream_unavailable',
  unknown_error: 'upstream_unavailable',
};

const HINTS: Readonly<Record<string, string>> = {
  channel_not_found: 'there is no such conversation, or this account cannot see it',
  not_in_channel: 'this account is not a member of that channel',
  is_archived: 'the channel is archived',
  message_not_found: 'there is no such message',
  thread_not_found: 'there is no such thread',
  user_not_found: 'there is no such user',
  users_not_found: 'there is no user with that address',
  file_not_found: 'there is no such file',
  cant_update_message: 'only messages of this account can be changed',
  cant_delete_message: 'only messages of this account can be deleted',
  name_taken: 'there is a channel with that name',
  time_in_past: 'the time is in the past',
  time_too_far: 'the time is more than 120 days away',
};

/** Slack answers errors with HTTP 200 and `{ok: false, error}`. */
function refusal(answer: JsonObject, response: UpstreamResponse): UpstreamError {
  const said = textOf(answer.error);
  const error = /^[\w.:-]{1,80}$/.test(said) ? said : 'unknown_error';
  const code = CODES[said] ?? (said === '' ? 'upstream_unavailable' : 'upstream_rejected');
  const wait = response.headers['retry-after'] ?? '';
  return new UpstreamError(code, sentence(code, error, answer), {
    definite: code !== 'upstream_unavailable',
    status: response.status,
    ...(code === 'rate_limited' && /^\d{1,5}$/.test(wait) && { retryAfter: Number(wait) }),
  });
}

function sentence(code: ErrorCode, error: string, answer: JsonObject): string {
  if (code === 'needs_reauth') return `Slack no longer accepts the credential (${error}).`;
  if (code === 'rate_limited') return 'Slack asks for fewer calls.';
  if (code === 'upstream_unavailable') return `Slack failed (${error}).`;
  if (code === 'needs_more_scopes') {
    const needed = oneLineOf(textOf(answer.needed), 200);
    return needed === ''
      ? 'Slack was not granted the scope that this function needs.'
      : `Slack was not granted a scope that this call needs: ${needed}.`;
  }
  const details = textsIn(objectOf(answer.response_metadata).messages);
  const hint = HINTS[error] ?? oneLineOf((details[0] ?? '').replace(/^\[ERROR\]\s*/, ''), 200);
  return `Slack refused the call: ${error}${hint === '' ? '' : ` (${hint})`}.`;
}

function oneLineOf(text: string, longest: number): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, longest);
}

/** Where the next page begins; null at the end. */
export function nextPage(answer: JsonObject): { next_page_token: string | null } {
  return { next_page_token: textOrNull(objectOf(answer.response_metadata).next_cursor) };
}

/** Pages of the older methods are counted. */
export function nextCounted(paging: JsonObject): { next_page_token: string | null } {
  const page = Number(paging.page ?? 1);
  return { next_page_token: page < Number(paging.pages ?? 1) ? String(page + 1) : null };
}
