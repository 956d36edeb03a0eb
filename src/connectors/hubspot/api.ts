/**
 * Calls of HubSpot's CRM API, version 2026-09: numbered versions end in 2027 (shared/CONNECTORS.md, "What changes the
 * plan", 1). Paths, bodies and limits: HubSpot's public API specs dated 2026-09 (commit 9989379 of their collection).
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, UpstreamRequest, UpstreamResponse } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textsIn } from '../json.js';
import { expectOk } from '../upstream.js';
import type { TypeName } from './object-types.js';

const VERSION = '2026-09';
export const PATHS = {
  objects: (type: TypeName) => `/crm/objects/${VERSION}/${type}`,
  properties: (type: TypeName) => `/crm/properties/${VERSION}/${type}`,
  pipelines: (type: TypeName) => `/crm/pipelines/${VERSION}/${type}`,
  associations: (from: TypeName, to: TypeName) => `/crm/associations/${VERSION}/${from}/${to}`,
  owners: `/crm/owners/${VERSION}`,
  account: `/account-info/${VERSION}/details`,
} as const;

/**
 * One request.
 * @param base one of `PATHS`; `path` goes below it, every segment encoded
 * @returns the answer's object, `{}` for an empty answer
 * @throws UpstreamError
 */
export async function callHubspot(
  context: CallContext,
  method: UpstreamRequest['method'],
  base: string,
  path: readonly string[] = [],
  more: Pick<UpstreamRequest, 'query' | 'json'> = {},
): Promise<JsonObject> {
  const url = [`${context.baseUrl}${base}`, ...path.map(encodeURIComponent)].join('/');
  const response = await context.fetch({ method, url, ...more });
  refuseMissingScopes(response);
  expectOk(response, 'HubSpot');
  return response.body.byteLength === 0 ? {} : objectOf(response.json());
}

/** 403 with category MISSING_SCOPES names the scopes in `errors[].context.requiredGranularScopes`. */
function refuseMissingScopes(response: UpstreamResponse): void {
  if (response.status !== 403 || !/"MISSING_SCOPES"/.test(response.text())) return;
  const scopes = objectsIn(objectOf(response.json()).errors).flatMap(({ context }) =>
    textsIn(objectOf(context).requiredGranularScopes),
  );
  const named = scopes.length === 0 ? '' : ` It asks for one of: ${scopes.slice(0, 5).join(', ')}.`;
  throw new UpstreamError(
    'needs_more_scopes',
    `HubSpot was not granted the scope that this function needs.${named}`,
    { definite: true, status: 403 },
  );
}

/** Batch calls answer 207 with `errors` beside what went well. */
export function batchErrors(answer: JsonObject): { message: string; ids: string[] }[] {
  return objectsIn(answer.errors).map((error) => ({
    message: textOf(error.message),
    ids: textsIn(objectOf(error.context).ids),
  }));
}

/** Where the next page begins; null at the end. */
export function nextPage(answer: JsonObject): string | null {
  return textOf(objectOf(objectOf(answer.paging).next).after) || null;
}
