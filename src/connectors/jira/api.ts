/**
 * Calls of the Jira Cloud REST API v3. Paths, scopes and limits: Atlassian's swagger of 2025-12-25
 * (shared/CONNECTORS.md, 4.5) and jira.js 5.4.0, whose OAuth2Manager is also the source for how a site is found.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textsIn } from '../json.js';
import { beforeWriting, expectOk } from '../upstream.js';

export const GATEWAY = 'https://api.atlassian.com';
export const REST_PATH = '/rest/api/3';
export const GATEWAY_PATH = '/ex/jira';
export const RESOURCES_PATH = '/oauth/token/accessible-resources';

/** Classic scopes, as the swagger names them for every operation used here. */
export const SCOPES = {
  read: 'read:jira-work',
  write: 'write:jira-work',
  user: 'read:jira-user',
} as const;

const LONGEST_MESSAGE = 300;

/** The address of the site as it is compared: lower case, no slash at the end. */
export function siteAddress(text: string): string {
  return text.trim().toLowerCase().replace(/\/+$/, '');
}

export function siteOf(config: Readonly<Record<string, JsonValue>>): string {
  return siteAddress(textOf(config.site));
}

/** Where a person opens the issue. */
export function browseUrl(context: CallContext, key: string): string {
  return `${siteOf(context.config)}/browse/${key}`;
}

/**
 * Whether a base URL is a Jira site itself, rather than the gateway in front of all sites: it is the configured site,
 * or names a place below a host (a stand-in's `http://127.0.0.1:4000/jira`).
 */
export function isSiteItself(config: Readonly<Record<string, JsonValue>>, baseUrl: string): boolean {
  return baseUrl === siteOf(config) || new URL(baseUrl).pathname !== '/';
}

/** Ids of sites by gateway and address; a site keeps its id for good. */
const cloudIds = new Map<string, string>();

/**
 * Base of the REST paths: the site itself, or `/ex/jira/{cloudId}` of the gateway.
 * @throws UpstreamError `forbidden_upstream` when the token was not granted for the site
 */
async function restBase(context: CallContext): Promise<string> {
  const { baseUrl, config } = context;
  if (isSiteItself(config, baseUrl)) return baseUrl;
  const site = siteOf(config);
  const cacheKey = `${baseUrl} ${site}`;
  const cloudId = cloudIds.get(cacheKey) ?? (await beforeWriting(() => findCloudId(context, site)));
  cloudIds.set(cacheKey, cloudId);
  return `${baseUrl}${GATEWAY_PATH}/${encodeURIComponent(cloudId)}`;
}

async function findCloudId(context: CallContext, site: string): Promise<string> {
  const response = await context.fetch({ method: 'GET', url: `${context.baseUrl}${RESOURCES_PATH}` });
  const found = objectsIn(expectJiraOk(response).json()).find(({ url }) => siteAddress(textOf(url)) === site);
  if (!found) {
    throw new UpstreamError(
      'forbidden_upstream',
      `The Atlassian account did not allow access to ${site}. Connect again and choose that site.`,
      { definite: true },
    );
  }
  return textOf(found.id);
}

type More = Pick<UpstreamRequest, 'query' | 'json' | 'body' | 'headers' | 'maxBytes'>;

/** One request below `/rest/api/3/`; every segment is encoded. @throws UpstreamError */
export async function sendJira(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: More = {},
): Promise<UpstreamResponse> {
  const url = `${await restBase(context)}${REST_PATH}/${path.map(encodeURIComponent).join('/')}`;
  return expectJiraOk(await context.fetch({ method, url, ...more }));
}

/** One request, its answer as JSON; null for an empty answer (204). @throws UpstreamError */
export async function askJira(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: More = {},
): Promise<JsonValue> {
  const response = await sendJira(context, method, path, more);
  return response.body.byteLength === 0 ? null : response.json();
}

/** One request, its answer as an object; `{}` for an empty answer. @throws UpstreamError */
export async function callJira(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: readonly string[],
  more: More = {},
): Promise<JsonObject> {
  return objectOf(await askJira(context, method, path, more));
}

/**
 * Atlassian's own ways to say no: the gateway answers 401 "scope does not match" to a token that lacks a scope, and
 * Jira names the fields it refuses in `errors`.
 */
function expectJiraOk(response: UpstreamResponse): UpstreamResponse {
  const { status } = response;
  if (status === 401 && /scope does not match/i.test(response.text())) {
    throw new UpstreamError('needs_more_scopes', 'Jira was not granted the scope that this function needs.', {
      definite: true,
      status,
    });
  }
  const refused = [400, 404, 409, 410, 412, 413, 422].includes(status) ? refusal(response) : '';
  if (refused !== '') {
    throw new UpstreamError('upstream_rejected', `Jira refused the call (${status}): ${refused}`, {
      definite: true,
      status,
    });
  }
  return expectOk(response, 'Jira');
}

/** `ErrorCollection` of the swagger: `{errorMessages: [text], errors: {field: text}}`, as one line. */
function refusal(response: UpstreamResponse): string {
  if (!/json/i.test(response.headers['content-type'] ?? '')) return '';
  const { errorMessages, errors } = objectOf(response.json());
  const fields = Object.entries(objectOf(errors)).map(([name, text]) => `${name}: ${textOf(text)}`);
  const line = [...textsIn(errorMessages), ...fields]
    .join(' ')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 1)}…` : line;
}
