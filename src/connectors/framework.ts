/**
 * What a connector is. One connector is one folder: `defineConnector` names its auth methods, config fields, the
 * hosts it may reach and its functions. A function gets a `CallContext` whose `fetch` is guarded (only the
 * connector's allow-list, no private addresses) and authorized (the credential is applied outside the function's
 * sight); nothing else can reach out, and nothing here repeats a request.
 */
import { z } from 'zod';
import type { AuthMethod, FormField, GuardedFetch } from './auth-method.js';

export type * from './auth-method.js';

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
  /**
   * `short` values stand in a line each; `long` ones in a box of their own; `link` ones show their real host; `time`
   * ones begin with an ISO time with an offset, shown in each reader's own time zone besides.
   */
  readonly kind: 'short' | 'long' | 'link' | 'time';
}

/** One field of a write's target as it is now, and as it will be where the call changes it. */
export interface ObservedField extends CardField {
  readonly after?: string;
  /** The system's own footprint (a counter, "last opened"): shown, and nothing when it moves. */
  readonly footprint?: true;
}

/** What a write points at, just read. */
export interface Observation {
  /** What stands on the card, and what must still be so when the call runs, but for footprints. */
  readonly fields: readonly ObservedField[];
  /** The system's own version of the target (etag, revision); `''` where only the fields tell. */
  readonly version: string;
  /** What `CallContext.condition` must carry for the system to check the target itself. */
  readonly condition?: string;
}

/** How the target of a write is read, and what the system offers so that the write itself checks it. */
export interface Observe {
  /** A read that the function's own scopes allow. @throws UpstreamError */
  readonly read: (context: CallContext, args: Arguments) => Promise<Observation>;
  /** The condition of the write itself, e.g. `If-Match`; null where the system offers none. */
  readonly condition: string | null;
}

/** What our own marker in the outside system says about a call whose answer was lost. */
export type Reconciled =
  | { readonly status: 'applied'; readonly result: JsonValue }
  | { readonly status: 'not_applied' }
  | { readonly status: 'unknown'; readonly reason: string };

/** A file that a caller uploaded, or that goes back to it. At most 25 MiB (shared/RELIABILITY.md, G15). */
export interface FileContent {
  /** As people see it: no path, no control characters. */
  readonly name: string;
  /** A media type without parameters. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** How a file stands in a result; read with `GET /v1/files/{file}` (shared/CONTRACT.md). */
export interface StoredFile {
  readonly file: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
}

export interface Files {
  /** @throws UpstreamError `invalid_arguments`, definite, for one that is not there any more */
  read(reference: string): Promise<FileContent>;
  /** Kept for the caller, 24 hours. @throws UpstreamError `upstream_rejected` above 25 MiB */
  save(content: FileContent): Promise<StoredFile & { [key: string]: JsonValue }>;
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
  /** Milliseconds to the first line of the answer, where the usual 15 s are too short (a model that thinks). At most 58 s. */
  readonly patienceMs?: number;
  /**
   * Reads only: follow up to 3 redirects to a download, which may lie outside the allow-list; whatever could be a
   * credential is dropped on the way (shared/CONNECTORS.md, "What changes the plan", 6).
   */
  readonly downloadRedirect?: boolean;
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
  /**
   * For what leaves by another way than `fetch` (a program's standard input): called immediately before the first byte
   * of the call itself. What it throws means that nothing may be sent any more.
   */
  readonly aboutToSend: () => void;
  readonly files: Files;
  /** Signs with the credential, where its auth method can; the key itself stays out of sight. */
  readonly sign?: (text: string) => string;
  /** Of the observation that the approver saw; a write hands it to the system (`If-Match`). Absent: no condition. */
  readonly condition?: string;
  /** MCP servers that the operator lets us start (`MCP_COMMANDS`): name → program and arguments. */
  readonly commands: Readonly<Record<string, readonly string[]>>;
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
  /** "auto with budget": so many calls an hour and caller run directly, then it asks. */
  readonly budgetPerHour?: number;
  /** No grant, limit or condition skips the question. */
  readonly askEveryTime?: boolean;
  /**
   * It reaches people whom its arguments do not name by their mail addresses: an answer, a draft that is sent, a link for
   * anyone, a channel. How many recipients a call has, and whether one is outside the company, is then unknown to the
   * conditions of a policy. That a thing lies where others may look is not enough.
   */
  readonly reachesUnnamed?: true | ((args: Arguments) => boolean);
  /** False where an approver may not change the arguments before she approves. */
  readonly editable?: false;
  /** Least OAuth scopes, all of them needed. Empty where the auth method has none. */
  readonly scopes: readonly string[];
  readonly idempotency: Idempotency;
  readonly input: InputSchema;
  /** What a caller gets back, in words. */
  readonly output: string;
  /** What else identifies the operation (method, path …) for `definitionHash`. */
  readonly signature?: string;
  readonly card: (args: Arguments) => readonly CardField[];
  /** References of uploaded files among the arguments; they must be there, and the caller's own. */
  readonly files?: (args: Arguments) => readonly string[];
  /** Auth methods (ids) with which it works; all of the connector's where absent. */
  readonly auth?: readonly string[];
  /** Every write has one, or says why its target cannot be read. */
  readonly observe?: Observe | { readonly none: string };
  /** After a lost answer: did it happen? Looks for our own marker (the execution's id) and nothing weaker. @throws UpstreamError */
  readonly reconcile?: (context: CallContext, args: Arguments) => Promise<Reconciled>;
  /** @throws UpstreamError */
  readonly run: (context: CallContext, args: Arguments) => Promise<JsonValue>;
}

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
  /**
   * Default API base URL; `CONNECTOR_ENDPOINTS` may override it by the connector's id. A function where it depends on
   * the config or the auth method; undefined where `config.base_url` names it.
   */
  readonly baseUrl?: string | ((config: Readonly<Record<string, JsonValue>>, auth: string) => string);
  /** Checks the values of `fields` and what an import adds to them. */
  readonly config: z.ZodType<Record<string, JsonValue>>;
  readonly egress: (config: Readonly<Record<string, JsonValue>>, baseUrl: string) => readonly AllowRule[];
  readonly functions: (config: Readonly<Record<string, JsonValue>>) => readonly FunctionDefinition[];
  /** What an admin should know before adding one: a sunset, a wide permission. Shown in the add form. */
  readonly notice?: string;
  /** Looks up whose account the credential is, e.g. `cleo@example.com`. @throws UpstreamError */
  readonly account?: (context: CallContext) => Promise<string>;
  /**
   * Where the outside system itself says what it can do (MCP): the config with its functions as they are now. What it
   * offers and we cannot use stands in `left_out` (name and reason each).
   * @throws UpstreamError
   */
  readonly discover?: (context: CallContext) => Promise<Record<string, JsonValue>>;
  /**
   * Where the outside system itself says how people sign in there (MCP): the config with that in it, for `oauth`.
   * @throws AppError `invalid_arguments` with the path of the setting, in words for who fills the form in; UpstreamError
   */
  readonly findSignIn?: (
    config: Readonly<Record<string, JsonValue>>,
    send: GuardedFetch,
  ) => Promise<Record<string, JsonValue>>;
  /** The name the add form proposes, from the config: "Helpdesk API". */
  readonly proposedName: (config: Readonly<Record<string, JsonValue>>) => string;
}

/** @throws Error at import time when the definition breaks a rule of the catalogue. */
export function defineConnector(definition: ConnectorDefinition): ConnectorDefinition {
  if (!/^[a-z][a-z0-9_]{1,19}$/.test(definition.id)) throw new Error(`connector id ${definition.id}`);
  return definition;
}

/**
 * A file among the arguments. `files` of the function must name it.
 * The shape is shared/CONTRACT.md's: what `POST /v1/files` answers.
 */
export const fileReference = z
  .string()
  .regex(/^file_[A-Za-z0-9_-]{10,64}$/, 'is not a file reference (file_…) from POST /v1/files');

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
