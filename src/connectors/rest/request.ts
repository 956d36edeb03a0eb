/**
 * From an operation and its arguments to one request. Whatever the arguments are, the request stays on the method,
 * the host and below the path that the document and the connection say (shared/RELIABILITY.md, abuse 41 and 57).
 */
import type { Arguments, InputIssue, JsonValue, UpstreamRequest } from '../framework.js';
import {
  type ImportedOperation,
  isForbiddenHeader,
  isHeaderName,
  isMethodOverride,
  type ParameterMapping,
} from './operation.js';

/** An argument that would lead the request astray. Found by the input check, before anything is asked or sent. */
export class BadArgument extends Error {
  constructor(
    /** JSON pointer inside the arguments. */
    readonly path: string,
    message: string,
  ) {
    super(message);
  }

  get issue(): InputIssue {
    return { path: this.path, message: this.message };
  }
}

/** @throws BadArgument */
export function buildRequest(
  operation: ImportedOperation,
  baseUrl: string,
  args: Arguments,
): UpstreamRequest {
  const query: Record<string, string | string[]> = {};
  const headers: Record<string, string> = {};
  for (const parameter of operation.parameters) {
    const value = args[parameter.argument];
    if (value === undefined) continue;
    if (parameter.in === 'query') addQuery(query, parameter, value);
    else if (parameter.in === 'header') {
      headers[parameter.name] = headerValue(
        `/${parameter.argument}`,
        parameter.name,
        simple(parameter, value),
      );
    }
  }
  const body = bodyOf(operation, args);
  const contentType = operation.body?.contentType ?? 'application/json';
  return {
    method: operation.method,
    url: belowBase(baseUrl, renderPath(operation, args), ''),
    ...(Object.keys(query).length > 0 && { query }),
    ...bodyPart(body, contentType, headers),
  };
}

function bodyPart(
  body: JsonValue | undefined,
  contentType: string,
  headers: Record<string, string>,
): Pick<UpstreamRequest, 'headers' | 'json' | 'body'> {
  const json = body === undefined || contentType === 'application/json';
  const all = json ? headers : { ...headers, 'content-type': contentType };
  return {
    ...(Object.keys(all).length > 0 && { headers: all }),
    ...(body !== undefined && (json ? { json: body } : { body: JSON.stringify(body) })),
  };
}

/** The path with its variables filled in and percent-encoded, `/tickets/T%201`. @throws BadArgument */
export function renderPath(operation: ImportedOperation, args: Arguments): string {
  return operation.path.replace(/\{([^{}]*)\}/g, (_, variable: string) => {
    const parameter = operation.parameters.find((one) => one.in === 'path' && one.name === variable);
    const at = `/${parameter?.argument ?? variable}`;
    const value = parameter === undefined ? undefined : args[parameter.argument];
    if (parameter === undefined || value === undefined) throw new BadArgument(at, 'is required');
    const values = parameter.style === 'json' ? [JSON.stringify(value)] : pieces(value, parameter.explode);
    const rendered = values.map((text) => encodeURIComponent(pathValue(at, text))).join(',');
    if (rendered === '') throw new BadArgument(at, 'must not be empty: it is part of the address');
    return rendered;
  });
}

function pathValue(at: string, value: string): string {
  if (value === '') throw new BadArgument(at, 'must not be empty: it is part of the address');
  // Encoded forms too: a server that decodes twice would walk up the tree.
  if (/[/\\]|%(2e|2f|5c|00)/i.test(value) || value === '.' || /(?<![\w.])\.\.|\.\.(?![\w.])/.test(value)) {
    throw new BadArgument(at, 'must not contain "/", "\\" or "..": it is one part of the address');
  }
  refuseControls(at, value);
  return value;
}

/** Half a surrogate pair has no percent-encoding. */
function refuseControls(at: string, value: string): void {
  if (/[\p{Cc}\p{Cs}]/u.test(value)) {
    throw new BadArgument(at, 'must not contain line breaks, control characters or broken characters');
  }
}

/** OpenAPI "Style Values" for the query. @throws BadArgument */
function addQuery(
  query: Record<string, string | string[]>,
  parameter: ParameterMapping,
  value: JsonValue,
): void {
  const { name, style, explode } = parameter;
  const at = `/${parameter.argument}`;
  if (isMethodOverride(name)) throw new BadArgument(at, 'may not be set by a caller');
  if (style === 'json') query[name] = JSON.stringify(value);
  else if (Array.isArray(value)) {
    const list = value.map(scalar);
    const separator = style === 'spaceDelimited' ? ' ' : style === 'pipeDelimited' ? '|' : ',';
    query[name] = explode ? list : list.join(separator);
  } else if (typeof value === 'object' && value !== null) {
    if (style !== 'deepObject' && !explode) query[name] = pieces(value, false).join(',');
    else
      for (const [key, inner] of Object.entries(value))
        addProperty(query, at, style === 'deepObject' ? `${name}[${key}]` : key, inner);
  } else query[name] = scalar(value);
}

function addProperty(
  query: Record<string, string | string[]>,
  at: string,
  name: string,
  value: JsonValue,
): void {
  // An exploded object must not overwrite another parameter, and no key of it may name another method.
  if (Object.hasOwn(query, name) || isMethodOverride(name) || name === '__proto__') {
    throw new BadArgument(`${at}/${name}`, 'may not be set here');
  }
  query[name] = Array.isArray(value) ? value.map(scalar) : scalar(value);
}

function simple(parameter: ParameterMapping, value: JsonValue): string {
  return parameter.style === 'json' ? JSON.stringify(value) : pieces(value, parameter.explode).join(',');
}

/** Style `simple`: a value, the items of an array, or the keys and values of an object. */
function pieces(value: JsonValue, explode: boolean): string[] {
  if (Array.isArray(value)) return value.map(scalar);
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      explode ? [`${key}=${scalar(inner)}`] : [key, scalar(inner)],
    );
  }
  return [scalar(value)];
}

function scalar(value: JsonValue): string {
  if (typeof value === 'string') return value;
  return value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value ?? '');
}

/** @throws BadArgument for a header of ours, a broken name, or a value that could begin another header */
export function headerValue(at: string, name: string, value: string): string {
  if (!isHeaderName(name)) throw new BadArgument(at, `"${name.slice(0, 60)}" is not a header name`);
  if (isForbiddenHeader(name)) throw new BadArgument(at, `the header ${name} may not be set by a caller`);
  if (!/^[\t\x20-\x7e]*$/.test(value))
    throw new BadArgument(at, 'must be plain ASCII without line breaks: it becomes a header');
  if (value.length > 8_192)
    throw new BadArgument(at, 'must not be longer than 8,192 characters: it becomes a header');
  return value.trim();
}

function bodyOf(operation: ImportedOperation, args: Arguments): JsonValue | undefined {
  if (operation.body === undefined) return undefined;
  if (operation.body.kind === 'whole') return args[operation.body.argument];
  const given = operation.body.arguments.filter((name) => args[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, args[name] ?? null]));
}

/**
 * Joins base and path and makes sure that a URL parser reads the same thing: no dot segment, no other host.
 * @throws BadArgument
 */
export function belowBase(baseUrl: string, path: string, at: string): string {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  const url = new URL(`${base.origin}${prefix}${path}`);
  if (
    url.origin !== base.origin ||
    url.pathname !== `${prefix}${path}` ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new BadArgument(at, 'does not stay below the base URL of the connection');
  }
  return url.href;
}
