/**
 * What a connector is. One connector is one folder: `defineConnector` names its auth methods, config fields, the
 * hosts it may reach and its functions. A function gets a `CallContext` whose `fetch` is guarded (only the
 * connector's allow-list, no private addresses) and authorized (the credential is applied outside the function's
 * sight); nothing else can reach out, and nothing here repeats a request.
 */
import { z } from 'zod';

export type Risk = 'read' | 'write' | 'destructive';
export type Effect = 'allow' | 'ask' | 'deny';
export type IdentityKind = 'shared' | 'private';
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type Arguments = Record<string, JsonValue>;

/** `natural`: same call, same end state. `key`: the system drops repeats of our key. `none`: never repeated. */
export type Idempotency = 'natural' | 'key' | 'reconcile' | 'none';

export interface InputIssue {
  /** JSON pointer inside the arguments, `''` for the whole. */
  readonly path: string;
  readonly message: string;
}
export type ParsedInput = { ok: true; value: Arguments } | { ok: false; issues: readonly InputIssue[] };

/** The arguments of a function: a JSON Schema for callers, and the check itself. */
export interface InputSchema {
  readonly jsonSchema: Record<string, unknown>;
  parse(value: unknown): ParsedInput;
}

/** One line of an approval card: a label of ours, a value of the caller's (always shown inert). */
export interface CardField {
  readonly label: string;
  readonly value: string;
  /** `short` values stand in a line each; `long` ones in a box of their own; `link` ones show their real host. */
  readonly kind: 'short' | 'long' | 'link';
}

export interface Preview {
  readonly fields: readonly CardField[];
  readonly version: string;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute URL; must lie inside the connector's allow-list. */
  readonly url: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `application/json`. */
  readonly json?: JsonValue;
  readonly body?: string | Uint8Array;
  /** Largest answer in bytes; default 10 MiB. */
  readonly maxBytes?: number;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  text(): string;
  /** @throws UpstreamError `upstream_rejected` when the body is not JSON. */
  json(): JsonValue;
}

export interface CallContext {
  readonly executionId: string;
  readonly config: Readonly<Record<string, JsonValue>>;
  /** Base URL of the provider, after `CONNECTOR_ENDPOINTS` overrides. No trailing slash. */
  readonly baseUrl: string;
  readonly fetch: (request: UpstreamRequest) => Promise<UpstreamResponse>;
  readonly signal: AbortSignal;
}

export interface FunctionDefinition {
  /** snake_case, at most 42 characters. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The risk before any arguments are known: the highest it can be. */
  readonly risk: Risk;
  /** A pure function of the arguments, where they matter. Never above `risk`. */
  readonly riskOf?: (args: Arguments) => Risk;
  /** The catalogue's default: `off` ships disabled (turned on, it asks). */
  readonly approval: 'auto' | 'ask' | 'off';
  /** No grant, limit or condition skips the question. */
  readonly askEveryTime?: boolean;
  /** Least OAuth scopes, all of them needed. Empty where the auth method has none. */
  readonly scopes: readonly string[];
  readonly idempotency: Idempotency;
  readonly input: InputSchema;
  /** What a caller gets back, in words. */
  readonly output: string;
  /** What else identifies the operation (method, path …) for `definitionHash`. */
  readonly signature?: string;
  readonly card: (args: Arguments) => readonly CardField[];
  /**
   * Where the arguments only point at what will happen (a draft, a mail to answer): what they point at, looked up by
   * reading. `fields` stand on the card beside the arguments; `version` changes when the target does.
   * @throws UpstreamError
   */
  readonly preview?: (context: CallContext, args: Arguments) => Promise<Preview>;
  /** @throws UpstreamError */
  readonly run: (context: CallContext, args: Arguments) => Promise<JsonValue>;
}

/** A field of a form: connection settings (Slack modal) or secrets (one-time web page). */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'url' | 'multiline' | 'select' | 'secret' | 'secret_multiline';
  readonly optional?: boolean;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly initial?: string;
}

export type AuthMethod =
  | { readonly id: 'none'; readonly kind: 'none'; readonly title: string }
  | {
      readonly id: 'api_key' | 'bearer' | 'basic';
      readonly kind: 'secret';
      readonly title: string;
      /** Names of shared/CONTRACT.md: `api_key`, `token`, `username`, `password` … */
      readonly fields: readonly FormField[];
      /** Puts the secret on the request. Pure. */
      readonly apply: (
        request: UpstreamRequest,
        secret: Readonly<Record<string, string>>,
        config: Readonly<Record<string, JsonValue>>,
      ) => UpstreamRequest;
    }
  | {
      readonly id: 'oauth';
      readonly kind: 'oauth';
      readonly title: string;
      /** Key of `OAUTH_PROVIDERS`. */
      readonly provider: 'google';
      /** Scopes asked for whatever the functions (to learn whose account it is). */
      readonly baseScopes: readonly string[];
    };

/** scheme + host + port + path prefix that a connection may reach. */
export interface AllowRule {
  readonly origin: string;
  readonly pathPrefix: string;
}

export interface ConnectorDefinition {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly identities: readonly IdentityKind[];
  readonly auth: readonly AuthMethod[];
  /** Asked in the add form, besides the general ones. */
  readonly fields: readonly FormField[];
  /** Default API base URL; `CONNECTOR_ENDPOINTS` may override it. Undefined where the config names it. */
  readonly baseUrl?: string;
  /** Checks the values of `fields` and what an import adds to them. */
  readonly config: z.ZodType<Record<string, JsonValue>>;
  readonly egress: (config: Readonly<Record<string, JsonValue>>, baseUrl: string) => readonly AllowRule[];
  readonly functions: (config: Readonly<Record<string, JsonValue>>) => readonly FunctionDefinition[];
  /** Looks up whose account the credential is, e.g. `cleo@example.com`. */
  readonly account?: (context: CallContext) => Promise<string>;
  /** The name the add form proposes, from the config: "Helpdesk API". */
  readonly proposedName: (config: Readonly<Record<string, JsonValue>>) => string;
}

/** @throws Error at import time when the definition breaks a rule of the catalogue. */
export function defineConnector(definition: ConnectorDefinition): ConnectorDefinition {
  if (!/^[a-z][a-z0-9_]{1,19}$/.test(definition.id)) throw new Error(`connector id ${definition.id}`);
  return definition;
}

/** @throws Error at import time when the name breaks the MCP limit (shared/CONTRACT.md: key 20 + `__` + 42 ≤ 64). */
export function defineFunction(definition: FunctionDefinition): FunctionDefinition {
  if (!/^[a-z][a-z0-9_]{0,41}$/.test(definition.name)) throw new Error(`function name ${definition.name}`);
  return definition;
}

/** Wraps a strict zod object as an `InputSchema`. Build once: constructing a schema costs ~50 µs. */
export function zodInput(schema: z.ZodType<Arguments>): InputSchema {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>;
  return {
    jsonSchema,
    parse(value) {
      const parsed = schema.safeParse(value);
      if (parsed.success) return { ok: true, value: parsed.data };
      return {
        ok: false,
        issues: parsed.error.issues.map((issue) => ({
          path: issue.path
            .map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`)
            .join(''),
          message: issue.message,
        })),
      };
    },
  };
}
