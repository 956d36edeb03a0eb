/** From a validated OpenAPI 3.0/3.1 document to the operations that can be picked. Pure: no network, no files. */
import type { JsonValue, Risk } from '../framework.js';
import { MOST_SCOPES, requiredScopes, suggestedAuthentication } from './import-authentication.js';
import { mapParameter, nameArguments, parametersOf } from './import-parameters.js';
import { buildSchema, jsonBody } from './import-schema.js';
import { distinctNames, functionName } from './names.js';
import { HTTP_METHODS, type HttpMethod, type ImportedOperation, type ImportResult } from './operation.js';
import { follow, isObject, type JsonObject, listOf, UnresolvedReference } from './schema.js';
import { settableByPath } from './settable.js';
import { text, Unsupported } from './unsupported.js';

/** The name of the function that takes any path; an operation of a document cannot have it. */
export const RAW_REQUEST = 'http_request';

type Imported = Pick<
  ImportResult,
  'title' | 'version' | 'servers' | 'operations' | 'unsupported' | 'authentication'
>;

const RISK: Record<HttpMethod, Risk> = {
  GET: 'read',
  HEAD: 'read',
  POST: 'write',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'destructive',
};

export function importOperations(document: JsonObject): Imported {
  const info = isObject(document.info) ? document.info : {};
  const authentication = suggestedAuthentication(document);
  const credentials = new Set(
    authentication.flatMap((way) => (way.name ? [`${way.in}:${way.name.toLowerCase()}`] : [])),
  );
  const rootServers = serverUrls(document.servers);
  const operations: Omit<ImportedOperation, 'name'>[] = [];
  const wanted: { wanted: string; identity: string }[] = [];
  const unsupported: { method: string; path: string; reason: string }[] = [];
  for (const [path, method, item, operation] of everyOperation(document)) {
    try {
      const asked = serverUrls(operation.servers ?? item.servers);
      const elsewhere = asked.find((url) => !rootServers.includes(url));
      if (elsewhere !== undefined) throw new Unsupported(`It is served from another address, ${elsewhere}.`);
      const imported = importOperation(document, credentials, path, method, item, operation);
      const readable = CHANGES.has(method) && isReadable(document, credentials, rootServers, item);
      const looks = readable && isObject(item.get) ? [item.get] : [];
      const needed = [operation, ...looks].flatMap((each) => requiredScopes(document, each));
      const scopes = [...new Set(needed)].slice(0, MOST_SCOPES);
      operations.push({
        ...imported,
        ...(readable && { readable }),
        ...(scopes.length > 0 && { scopes }),
      });
      const id = typeof operation.operationId === 'string' ? operation.operationId : `${method}_${path}`;
      wanted.push({ wanted: functionName(id), identity: `${method} ${path}` });
    } catch (error) {
      if (!(error instanceof Unsupported) && !(error instanceof UnresolvedReference)) throw error;
      unsupported.push({ method, path, reason: error.message });
    }
  }
  const names = distinctNames(wanted, new Set([RAW_REQUEST]));
  const settable = settableByPath(operations);
  return {
    title: text(info.title, 200) || 'API',
    version: text(info.version, 50),
    servers: rootServers,
    operations: operations.map((operation, index) => {
      const fields = operation.readable ? settable.get(operation.path) : undefined;
      return { name: names[index] ?? RAW_REQUEST, ...operation, ...(fields && { settable: [...fields] }) };
    }),
    unsupported,
    authentication,
  };
}

/** Methods that change what their path names (RFC 9110, 9.3). */
const CHANGES = new Set(['PUT', 'PATCH', 'DELETE']);

/** Whether a GET of the same path needs nothing but that path. */
function isReadable(
  document: JsonObject,
  credentials: ReadonlySet<string>,
  rootServers: readonly string[],
  item: JsonObject,
): boolean {
  const read = item.get;
  if (!isObject(read)) return false;
  if (serverUrls(read.servers ?? item.servers).some((url) => !rootServers.includes(url))) return false;
  return parametersOf(document, item, read).every(
    (parameter) =>
      parameter.in === 'path' ||
      parameter.required !== true ||
      credentials.has(`${String(parameter.in)}:${String(parameter.name).toLowerCase()}`),
  );
}

const VERBS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

function* everyOperation(document: JsonObject): Generator<[string, string, JsonObject, JsonObject]> {
  for (const [path, value] of Object.entries(isObject(document.paths) ? document.paths : {})) {
    if (!path.startsWith('/')) continue;
    const item = follow(document, value);
    for (const [verb, operation] of Object.entries(item)) {
      if (VERBS.has(verb) && isObject(operation)) yield [path, verb.toUpperCase(), item, operation];
    }
  }
}

function importOperation(
  document: JsonObject,
  credentials: ReadonlySet<string>,
  path: string,
  verb: string,
  item: JsonObject,
  operation: JsonObject,
): Omit<ImportedOperation, 'name'> {
  const method = HTTP_METHODS.find((known) => known === verb);
  if (method === undefined) throw new Unsupported(`${verb} requests are not made.`);
  checkTemplate(path);
  const found = parametersOf(document, item, operation).flatMap((parameter) => {
    const mapped = mapParameter(parameter, credentials);
    return mapped === undefined ? [] : [{ parameter, mapped }];
  });
  const parameters = nameArguments(found.map(({ mapped }) => mapped));
  for (const [, variable] of path.matchAll(/\{([^{}]*)\}/g)) {
    if (!parameters.some((parameter) => parameter.in === 'path' && parameter.name === variable)) {
      throw new Unsupported(`The path has {${variable}}, and no parameter says what it is.`);
    }
  }
  const body = method === 'GET' || method === 'HEAD' ? undefined : jsonBody(document, operation);
  const built = buildSchema(
    document,
    found.map(({ parameter }, index) => ({ parameter, argument: parameters[index]?.argument ?? '' })),
    body,
  );
  return {
    title: titleOf(operation, method, path),
    description: text(operation.description, 2_000) || text(operation.summary, 2_000),
    method,
    path,
    risk: RISK[method],
    idempotent: method !== 'POST' && method !== 'PATCH',
    parameters,
    ...(body !== undefined &&
      built.body !== undefined && { body: { ...built.body, contentType: body.contentType } }),
    inputSchema: built.schema,
  };
}

function titleOf(operation: JsonObject, method: string, path: string): string {
  const id = typeof operation.operationId === 'string' ? functionName(operation.operationId) : '';
  const words = id.replace(/_/g, ' ');
  const title =
    text(operation.summary, 150) || words.charAt(0).toUpperCase() + words.slice(1) || `${method} ${path}`;
  return operation.deprecated === true ? `${title.slice(0, 150)} (deprecated)` : title.slice(0, 200);
}

/** Only what stays below the base URL whatever the arguments are. */
function checkTemplate(path: string): void {
  const literal = path.replace(/\{[^{}]*\}/g, 'x');
  if (path.length > 1_024) throw new Unsupported('The path is longer than 1,024 characters.');
  if (/[{}]/.test(literal)) throw new Unsupported('The path has a brace without its partner.');
  if (/[?#\\]|[^\x21-\x7e]|\/\/|%(2e|2f|5c|0)/i.test(literal) || /(^|\/)\.{1,2}(\/|$)/.test(literal)) {
    throw new Unsupported(
      'The path has characters that lead outside it (one of ? # \\ // .. or an encoded form).',
    );
  }
}

function serverUrls(servers: JsonValue | undefined): string[] {
  return listOf(servers).flatMap((server) => {
    if (!isObject(server) || typeof server.url !== 'string') return [];
    const variables = isObject(server.variables) ? server.variables : {};
    const url = server.url.replace(/\{([^{}]*)\}/g, (whole, name: string) => {
      const variable = variables[name];
      return isObject(variable) && typeof variable.default === 'string' ? variable.default : whole;
    });
    return [url];
  });
}
