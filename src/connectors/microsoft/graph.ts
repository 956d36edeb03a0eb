/**
 * One call of Microsoft Graph v1.0, what its refusals mean, and its pages. Paths, scopes and limits: Microsoft's
 * reference (microsoftgraph/microsoft-graph-docs-contrib, api-reference/v1.0) and shared/CONNECTORS.md, 4.7 and 4.8.
 */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import type { CallContext, JsonValue, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { expectOk } from '../upstream.js';

export const GRAPH = 'https://graph.microsoft.com/v1.0';

export interface GraphRequest extends Omit<UpstreamRequest, 'method' | 'url'> {
  /** Default GET. */
  readonly method?: UpstreamRequest['method'];
  /** Below the root of the API, made with `at`. */
  readonly path: string;
}

/** The root of the API. A stand-in is named by its origin alone and has the version in its paths (emulate 0.12.2). */
export function graphRoot(baseUrl: string): string {
  return new URL(baseUrl).pathname === '/' ? `${new URL(baseUrl).origin}/v1.0` : baseUrl;
}

/**
 * A path in which every value is one segment (a list: one segment each), encoded, so that no value leads elsewhere.
 * @example at`/drives/${driveId}/root:/${['Plans', 'May 2026']}:/children`
 * @throws UpstreamError `invalid_arguments`, definite, for a value that would be no segment of its own
 */
export function at(parts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string {
  return parts.reduce(
    (path, part, index) => path + [values[index - 1] ?? []].flat().map(segment).join('/') + part,
  );
}

function segment(value: string): string {
  if (!/^(?:\.{0,2})$/.test(value)) return encodeURIComponent(value);
  throw new UpstreamError('invalid_arguments', 'An empty or dotted name cannot stand in a path.', {
    definite: true,
  });
}

/** One request as it stands. @throws UpstreamError */
export async function sendGraph(
  context: CallContext,
  systemName: string,
  { method = 'GET', path, ...more }: GraphRequest,
): Promise<UpstreamResponse> {
  const response = await context.fetch({ method, url: `${graphRoot(context.baseUrl)}${path}`, ...more });
  if (response.status >= 400) refuseSpecially(response, systemName);
  return expectOk(response, systemName);
}

/** One request, its answer as an object; `{}` for an empty answer. @throws UpstreamError */
export async function callGraph(
  context: CallContext,
  systemName: string,
  request: GraphRequest,
): Promise<JsonObject> {
  const response = await sendGraph(context, systemName, request);
  return response.body.byteLength === 0 ? {} : objectOf(response.json());
}

/** `If-Match` with the version that the approver saw; nothing where there is none. */
export function ifMatch(context: CallContext): Record<string, string> {
  return context.condition === undefined ? {} : { 'If-Match': context.condition };
}

/** What an observation says of a thing's version, and the condition by which Graph itself holds to it. */
export function versionOf(found: JsonObject): { version: string; condition?: string } {
  const version = textOf(found.eTag);
  return { version, ...(version === '' ? {} : { condition: version }) };
}

/**
 * Refusals whose meaning is not in the status alone: `{error: {code, message}}` (Microsoft Graph, "Error responses").
 * 507 and 509 are refusals too, unlike the other statuses above 500: the quota is used up, the bandwidth is.
 */
function refuseSpecially(response: UpstreamResponse, systemName: string): void {
  const { status } = response;
  const message = textOf(objectOf(errorBody(response).error).message);
  const fail = (code: UpstreamError['code'], text: string): UpstreamError =>
    new UpstreamError(code, text, { definite: true, status });
  if (status === 412)
    throw fail('target_changed', `${systemName} did not do it: the target was changed since it was read.`);
  if (
    status === 403 &&
    /missing scope|requires (?:one of )?the following (?:permission|scope)/i.test(message)
  )
    throw fail('needs_more_scopes', `${systemName} was not granted the scope that this function needs.`);
  if (status === 507) throw fail('upstream_rejected', `${systemName} has no space left for this.`);
  if (status === 509) throw fail('rate_limited', `${systemName} asks for less traffic.`);
  if (status === 400 && /only valid with delegated authentication/i.test(message))
    throw fail(
      'upstream_rejected',
      `The credential is an app's, which has no mailbox of its own: name the mailbox in the settings of the connection.`,
    );
  if (status === 400 && /region is required/i.test(message))
    throw fail(
      'upstream_rejected',
      `A search with an app's credential needs the region of the tenant (such as NAM) in the settings of the connection.`,
    );
}

function errorBody(response: UpstreamResponse): JsonObject {
  try {
    return objectOf(JSON.parse(response.text()) as JsonValue);
  } catch {
    return {};
  }
}

/** The parameters by which Graph goes on; everything else of a next link is ours already, or none of our business. */
const PAGING = ['$skiptoken', '$skip'];

/** A page token of ours: the paging parameters of Graph's next link, and nothing else of it. */
export const graphPageToken = z
  .string()
  .min(1)
  .max(8_192)
  .refine((token) => pageParameters(token) !== null, 'is not a page token');

/** The query that asks for the page after; empty for the first. */
export function pageQuery(token: string | undefined): Record<string, string> {
  return (token === undefined ? null : pageParameters(token)) ?? {};
}

/**
 * One page. The next link is never followed, whatever host it names: its paging parameters go with our own request.
 * @throws UpstreamError `upstream_rejected` for a next link without any
 */
export function pageOf(answer: JsonObject): { items: JsonObject[]; next_page_token: string | null } {
  const link = textOf(answer['@odata.nextLink']);
  return { items: objectsIn(answer.value), next_page_token: link === '' ? null : tokenOf(link) };
}

/** The token of a page that starts after `count` items. */
export function skipToken(count: number): string {
  return encode(new URLSearchParams({ $skip: String(count) }));
}

/** How many items a page leaves out; 0 for the first. */
export function skipOf(token: string | undefined): number {
  return Number(pageQuery(token).$skip ?? 0);
}

function tokenOf(link: string): string {
  const parameters = new URLSearchParams();
  const given = URL.canParse(link, GRAPH) ? [...new URL(link, GRAPH).searchParams] : [];
  for (const [name, value] of given) {
    if (PAGING.includes(name.toLowerCase())) parameters.append(name.toLowerCase(), value);
  }
  if (parameters.size > 0) return encode(parameters);
  throw new UpstreamError(
    'upstream_rejected',
    'Microsoft Graph named a next page that cannot be asked for.',
    {
      definite: true,
    },
  );
}

function encode(parameters: URLSearchParams): string {
  return Buffer.from(parameters.toString()).toString('base64url');
}

function pageParameters(token: string): Record<string, string> | null {
  if (!/^[\w-]+$/.test(token)) return null;
  const entries = [...new URLSearchParams(Buffer.from(token, 'base64url').toString('utf8'))];
  const isOurs =
    entries.length > 0 &&
    entries.every(([name, value]) => PAGING.includes(name) && (name !== '$skip' || /^\d{1,9}$/.test(value)));
  return isOurs ? Object.fromEntries(entries) : null;
}
