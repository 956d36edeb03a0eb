/**
 * What an import leaves behind: one record per operation of an OpenAPI document, plain JSON, kept in the
 * connection's config when an admin picks the operation. Everything a call needs is in it; the document is not.
 */
import { z } from 'zod';

/** shared/CONNECTORS.md, 5.2. GitHub's own document has 13 MB. */
export const LARGEST_DOCUMENT = 20 * 1024 * 1024;

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof HTTP_METHODS)[number];

/** How one argument of the caller becomes a path segment, a query pair or a header (OpenAPI "Parameter Object"). */
const parameterMapping = z.strictObject({
  argument: z.string().min(1).max(64),
  name: z.string().min(1).max(256),
  in: z.enum(['path', 'query', 'header']),
  style: z.enum(['simple', 'form', 'spaceDelimited', 'pipeDelimited', 'deepObject', 'json']),
  explode: z.boolean(),
});

const contentType = z.string().regex(/^application\/([\w.+-]+\+)?json$/i);

/** `fields`: the named arguments are the properties of the body. `whole`: one argument is the body. */
const bodyMapping = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('fields'),
    arguments: z.array(z.string().min(1).max(64)).max(500),
    contentType,
  }),
  z.strictObject({ kind: z.literal('whole'), argument: z.string().min(1).max(64), contentType }),
]);

export const importedOperation = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,41}$/),
  title: z.string().max(200),
  description: z.string().max(2_000),
  method: z.enum(HTTP_METHODS),
  /** Path template below the base URL, `/tickets/{id}`. */
  path: z.string().min(1).max(1_024).startsWith('/'),
  risk: z.enum(['read', 'write', 'destructive']),
  /** Same call, same end state (RFC 9110, 9.2.2): GET, HEAD, PUT, DELETE. */
  idempotent: z.boolean(),
  parameters: z.array(parameterMapping).max(200),
  body: z.exactOptional(bodyMapping),
  inputSchema: z.record(z.string(), z.json()),
  /** A GET of this very path shows what the operation changes. */
  readable: z.exactOptional(z.boolean()),
  /** Top-level fields that a PUT or PATCH of this very path can set; absent where the document does not tell. */
  settable: z.exactOptional(z.array(z.string().min(1).max(256)).max(500)),
  /** OAuth scopes that the document's `security` names, for the look at what it changes too. */
  scopes: z.exactOptional(z.array(z.string().min(1).max(256)).max(50)),
});

export type ParameterMapping = z.infer<typeof parameterMapping>;
export type ImportedOperation = z.infer<typeof importedOperation>;

export interface ImportResult {
  readonly title: string;
  readonly version: string;
  /** Absolute or relative to the document's own address; server variables are filled with their defaults. */
  readonly servers: readonly string[];
  /** sha256 of the text that was imported, hex. */
  readonly documentHash: string;
  readonly operations: readonly ImportedOperation[];
  /** Operations that cannot be called through this connector, and why. */
  readonly unsupported: readonly {
    readonly method: string;
    readonly path: string;
    readonly reason: string;
  }[];
  /** What the document gets wrong without stopping the import. */
  readonly warnings: readonly string[];
  /** How the document says that callers prove themselves; the form proposes the first. */
  readonly authentication: readonly SuggestedAuthentication[];
}

/** `method` is the id of an auth method; the rest is what the document says about it. */
export interface SuggestedAuthentication {
  readonly method: 'api_key' | 'bearer' | 'basic' | 'oauth' | 'client_credentials';
  /** Of an API key. */
  readonly in?: 'header' | 'query';
  readonly name?: string;
  /** Of an OAuth flow; absolute, or relative to the document's own address. */
  readonly authorizeUrl?: string;
  readonly tokenUrl?: string;
  /** Every scope that the flow knows. */
  readonly scopes?: readonly string[];
}

/** What an import promises a caller may never set: who is asked, who asks, and which method really runs. */
const FORBIDDEN_HEADERS = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
]);

export function isForbiddenHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return FORBIDDEN_HEADERS.has(lower) || /^(proxy-|x-forwarded-|sec-)/.test(lower);
}

/** Query names that some frameworks read as the method to run (shared/RELIABILITY.md, abuse 41). */
export function isMethodOverride(name: string): boolean {
  return /^(_method|\$method|x-http-method(-override)?|x-method-override)$/i.test(name);
}

/** RFC 9110 token: what a header name may consist of. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name);
}
