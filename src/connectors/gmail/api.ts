/**
 * Calls of the Gmail API v1, always on the mailbox of whoever the credential is. Paths, scopes and limits: the
 * vendor's client types (@googleapis/gmail 18), shared/CONNECTORS.md, 4.1.
 */
import type { CallContext, UpstreamRequest } from '../framework.js';
import { callGoogle } from '../google/api.js';
import type { JsonObject } from '../json.js';

export const GMAIL_PATH = '/gmail/v1/users/me/';

const scope = (name: string): string => `https://www.googleapis.com/auth/gmail.${name}`;
export const SCOPES = {
  readonly: scope('readonly'),
  compose: scope('compose'),
  send: scope('send'),
  modify: scope('modify'),
  labels: scope('labels'),
  settings: scope('settings.basic'),
  /** Everything; the only one that deletes for good. */
  all: 'https://mail.google.com/',
} as const;

/**
 * One request below `/gmail/v1/users/me/`.
 * @param path segments; each is encoded
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError
 */
export function callGmail(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: Pick<UpstreamRequest, 'query' | 'json' | 'maxBytes'> = {},
): Promise<JsonObject> {
  const url = `${context.baseUrl}${GMAIL_PATH}${path.map(encodeURIComponent).join('/')}`;
  return callGoogle(context, 'Gmail', { method, url, ...more });
}
