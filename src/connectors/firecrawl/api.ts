/**
 * Calls of the Firecrawl API v2. Paths, members and limits: the vendor's OpenAPI document of version 2
 * (firecrawl/firecrawl-docs, api-reference/v2-openapi.json, 2edce52); shared/CONNECTORS.md, 4.11.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest } from '../framework.js';
import { type JsonObject, objectOf, textOf } from '../json.js';
import { expectOk } from '../upstream.js';

export const API_PATH = '/v2/';
/** Results of jobs come in portions of 10 MB of data. */
const LARGEST_PORTION = 16 * 1_024 * 1_024;

/**
 * One request below `/v2/`.
 * @throws UpstreamError
 */
export async function callFirecrawl(
  context: CallContext,
  method: UpstreamRequest['method'],
  path: string,
  more: Pick<UpstreamRequest, 'query' | 'json'> = {},
): Promise<JsonObject> {
  const url = `${context.baseUrl}${API_PATH}${path}`;
  const response = await context.fetch({
    method,
    url,
    maxBytes: LARGEST_PORTION,
    patienceMs: 58_000,
    ...more,
  });
  const answer = objectOf(expectOk(response, 'Firecrawl').json());
  if (answer.success !== false) return answer;
  const said = textOf(answer.error).replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
  throw new UpstreamError('upstream_rejected', `Firecrawl refused the call: ${said.slice(0, 300)}`, {
    definite: true,
    status: response.status,
  });
}

/** A job that was started. @throws UpstreamError, not definite, when Firecrawl does not say which */
export async function startJob(context: CallContext, path: string, json: JsonObject): Promise<JsonObject> {
  const { id } = await callFirecrawl(context, 'POST', path, { json });
  if (typeof id === 'string') return { id };
  throw new UpstreamError('upstream_unavailable', 'Firecrawl did not name the job that it started.', {
    definite: false,
  });
}

/** Where the next portion begins: the address that Firecrawl gives for it has it as `skip`. */
export function nextPortion(answer: JsonObject): { next_page_token: string | null } {
  const next = textOf(answer.next);
  const skip = URL.canParse(next) ? new URL(next).searchParams.get('skip') : null;
  return { next_page_token: skip !== null && /^\d{1,7}$/.test(skip) ? skip : null };
}
