/**
 * One search of each of the two APIs. Custom Search JSON API v1: the vendor's client types (@googleapis/customsearch
 * 7). Vertex AI Search: `SearchService.Search` of google.cloud.discoveryengine.v1 (search_service.proto).
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { callGoogle } from '../google/api.js';
import type { JsonObject } from '../json.js';
import { CUSTOM_SEARCH_PATH, enginePath } from './settings.js';

type Query = Readonly<Record<string, string | undefined>>;

/** @param query besides `cx` and the key, which the credential adds. @throws UpstreamError */
export function searchCustom(context: CallContext, query: Query): Promise<JsonObject> {
  const url = `${context.baseUrl}${CUSTOM_SEARCH_PATH}`;
  const cx = typeof context.config.cx === 'string' ? context.config.cx : '';
  return call(context, { method: 'GET', url, query: { ...query, cx } });
}

/** @throws UpstreamError */
export function searchVertex(context: CallContext, body: JsonObject): Promise<JsonObject> {
  const url = `${context.baseUrl}${enginePath(context.config)}/servingConfigs/default_search:search`;
  return call(context, { method: 'POST', url, json: body });
}

/** The search app itself. @throws UpstreamError */
export function readEngine(context: CallContext): Promise<JsonObject> {
  return call(context, { method: 'GET', url: `${context.baseUrl}${enginePath(context.config)}` });
}

function call(context: CallContext, request: UpstreamRequest): Promise<JsonObject> {
  const fetch = async (each: UpstreamRequest): Promise<UpstreamResponse> =>
    refuseKey(await context.fetch(each));
  return callGoogle({ ...context, fetch }, 'Google Search', request);
}

/** A key that is wrong or was taken back is a bad request to Google (google.rpc.ErrorInfo). */
function refuseKey(response: UpstreamResponse): UpstreamResponse {
  if (response.status !== 400 || !/"(API_KEY_INVALID|keyInvalid)"/.test(response.text())) return response;
  const message = 'Google Search no longer accepts the API key.';
  throw new UpstreamError('needs_reauth', message, { definite: true, status: 400 });
}
