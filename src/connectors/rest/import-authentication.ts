/** How a document says that callers prove themselves, in the auth methods of this connector. */
import type { JsonValue } from '../framework.js';
import type { SuggestedAuthentication } from './operation.js';
import { follow, isObject, type JsonObject, listOf } from './schema.js';

/** As many as a scope parameter of sensible length holds. */
export const MOST_SCOPES = 50;

/** In the order of the document, each way once. An OAuth scheme without a flow of ours is taken as a bearer token. */
export function suggestedAuthentication(document: JsonObject): SuggestedAuthentication[] {
  const ways = Object.values(schemesOf(document)).flatMap((value) => waysOf(follow(document, value)));
  const keys = ways.map((way) => JSON.stringify(way));
  return ways.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
}

/**
 * The scopes of the first way in by OAuth that an operation allows (OpenAPI 3.1, "Security Requirement Object");
 * empty where the document asks for none.
 */
export function requiredScopes(document: JsonObject, operation: JsonObject): string[] {
  const schemes = schemesOf(document);
  for (const requirement of listOf(operation.security ?? document.security)) {
    const scopes = Object.entries(isObject(requirement) ? requirement : {}).flatMap(([name, wanted]) =>
      follow(document, schemes[name]).type === 'oauth2' ? scopeNames(listOf(wanted)) : [],
    );
    if (scopes.length > 0) return [...new Set(scopes)].slice(0, MOST_SCOPES);
  }
  return [];
}

function schemesOf(document: JsonObject): JsonObject {
  const components = isObject(document.components) ? document.components : {};
  return isObject(components.securitySchemes) ? components.securitySchemes : {};
}

function waysOf(scheme: JsonObject): SuggestedAuthentication[] {
  if (
    scheme.type === 'apiKey' &&
    typeof scheme.name === 'string' &&
    (scheme.in === 'header' || scheme.in === 'query')
  ) {
    return [{ method: 'api_key', in: scheme.in, name: scheme.name }];
  }
  if (scheme.type === 'oauth2') {
    const flows = flowsOf(scheme);
    return flows.length > 0 ? flows : [{ method: 'bearer' }];
  }
  if (scheme.type === 'openIdConnect') return [{ method: 'bearer' }];
  const http = typeof scheme.scheme === 'string' && scheme.type === 'http' ? scheme.scheme.toLowerCase() : '';
  return http === 'bearer' || http === 'basic' ? [{ method: http }] : [];
}

function flowsOf(scheme: JsonObject): SuggestedAuthentication[] {
  const flows = isObject(scheme.flows) ? scheme.flows : {};
  const { authorizationCode: code, clientCredentials: client } = flows;
  const ways: SuggestedAuthentication[] = [];
  if (isObject(code) && typeof code.authorizationUrl === 'string' && typeof code.tokenUrl === 'string') {
    const { authorizationUrl: authorizeUrl, tokenUrl } = code;
    ways.push({ method: 'oauth', authorizeUrl, tokenUrl, scopes: flowScopes(code) });
  }
  if (isObject(client) && typeof client.tokenUrl === 'string') {
    ways.push({ method: 'client_credentials', tokenUrl: client.tokenUrl, scopes: flowScopes(client) });
  }
  return ways;
}

function flowScopes(flow: JsonObject): string[] {
  return scopeNames(isObject(flow.scopes) ? Object.keys(flow.scopes) : []).slice(0, MOST_SCOPES);
}

/** RFC 6749, 3.3: printable ASCII without space, quote and backslash. */
function scopeNames(names: readonly JsonValue[]): string[] {
  return names.filter(
    (name): name is string => typeof name === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(name),
  );
}
