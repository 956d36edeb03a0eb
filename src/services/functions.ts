/** Functions of a connection: the connector's definitions, seen through what an admin turned on. */
import { isDeepStrictEqual } from 'node:util';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import { definitionHash } from '../connectors/definition-hash.js';
import type {
  AuthMethod,
  ConnectorDefinition,
  FormField,
  FunctionDefinition,
  JsonValue,
} from '../connectors/framework.js';

export type ConnectionConfig = Readonly<Record<string, JsonValue>>;

export function configOf(connection: ConnectionDocument): ConnectionConfig {
  return connection.config as ConnectionConfig;
}

interface Compiled {
  readonly all: readonly FunctionDefinition[];
  readonly byName: ReadonlyMap<string, FunctionDefinition>;
  readonly hashes: Map<string, string>;
}

/** Compiling imported operations costs milliseconds; a connection's `rev` tells when it must be done again. */
const compiled = new Map<string, { rev: number; value: Compiled }>();
const COMPILED_LIMIT = 500;

function compile(connector: ConnectorDefinition, connection: ConnectionDocument): Compiled {
  const cacheKey = `${connection.workspaceId}/${connection._id}`;
  const cached = compiled.get(cacheKey);
  if (cached?.rev === connection.rev) return cached.value;
  const all = connector
    .functions(configOf(connection))
    .filter(({ auth }) => auth === undefined || auth.includes(connection.auth));
  const value = { all, byName: new Map(all.map((fn) => [fn.name, fn])), hashes: new Map<string, string>() };
  if (compiled.size >= COMPILED_LIMIT) compiled.clear();
  compiled.set(cacheKey, { rev: connection.rev, value });
  return value;
}

export function allFunctions(connector: ConnectorDefinition, connection: ConnectionDocument) {
  return compile(connector, connection).all;
}

export function enabledFunctions(
  connector: ConnectorDefinition,
  connection: ConnectionDocument,
): readonly FunctionDefinition[] {
  const on = new Set(connection.enabledFunctions);
  return compile(connector, connection).all.filter((fn) => on.has(fn.name));
}

/** Null when there is no such function or it is turned off. */
export function enabledFunction(
  connector: ConnectorDefinition,
  connection: ConnectionDocument,
  name: string,
): FunctionDefinition | null {
  if (!connection.enabledFunctions.includes(name)) return null;
  return compile(connector, connection).byName.get(name) ?? null;
}

/** The function's own hash and the settings: they say where a call of it goes, and as whom. */
export function definitionHashOf(
  connector: ConnectorDefinition,
  connection: ConnectionDocument,
  fn: FunctionDefinition,
): string {
  const { hashes } = compile(connector, connection);
  const known = hashes.get(fn.name);
  if (known) return known;
  const hash = canonicalHash({
    definition: definitionHash(fn),
    settings: settingsOf(connector, connection.config),
  });
  hashes.set(fn.name, hash);
  return hash;
}

/** What people fill in, without what an import or the outside system adds. Leaving a default out says it too. */
function settingsOf(
  connector: ConnectorDefinition,
  config: ConnectionDocument['config'],
): Record<string, JsonValue> {
  const given = config as ConnectionConfig;
  return Object.fromEntries(
    connector.fields.map(({ name, initial }) => [name, given[name] ?? initial ?? null]),
  );
}

/** Settings that say something else than before. */
export function changedSettings(
  connector: ConnectorDefinition,
  before: Pick<ConnectionDocument, 'config'>,
  after: Pick<ConnectionDocument, 'config'>,
): readonly FormField[] {
  const was = settingsOf(connector, before.config);
  const is = settingsOf(connector, after.config);
  return connector.fields.filter(({ name }) => !isDeepStrictEqual(was[name], is[name]));
}

/** Scopes that the enabled functions need, and that the auth method always asks for. */
export function neededScopes(
  connector: ConnectorDefinition,
  connection: ConnectionDocument,
): readonly string[] {
  const method = authMethodOf(connector, connection);
  const base =
    method?.kind === 'oauth'
      ? [...method.baseScopes, ...(method.configScopes?.(configOf(connection)) ?? [])]
      : [];
  return [...new Set([...base, ...enabledFunctions(connector, connection).flatMap((fn) => fn.scopes)])];
}

/** Microsoft answers short names with and without their resource; Google has a long name for `email`. */
export function plainScope(scope: string): string {
  return scope
    .replace(/^https:\/\/graph\.microsoft\.com\//i, '')
    .replace(/^https:\/\/www\.googleapis\.com\/auth\/userinfo\.(email|profile)$/, '$1');
}

/** What of `needed` is not in `granted`, whatever names the provider gives the same scope. */
export function missingScopes(needed: readonly string[], granted: readonly string[]): string[] {
  const has = new Set(granted.map((scope) => plainScope(scope).toLowerCase()));
  return needed.filter((scope) => !has.has(plainScope(scope).toLowerCase()));
}

/** Scopes that a function needs and a person's consent left out; whoever entered a secret answers for what it may do. */
export function scopeGap(
  fn: Pick<FunctionDefinition, 'scopes'>,
  credential: Pick<CredentialDocument, 'kind' | 'scopes'> | null,
): readonly string[] {
  return credential?.kind === 'oauth' ? missingScopes(fn.scopes, credential.scopes) : [];
}

export function authMethodOf(
  connector: ConnectorDefinition,
  connection: Pick<ConnectionDocument, 'auth'>,
): AuthMethod | undefined {
  return connector.auth.find(({ id }) => id === connection.auth);
}

/**
 * Base URL without a trailing slash. `CONNECTOR_ENDPOINTS` overrides it by the connector's id, or by its provider's
 * (`google`) where one host stands in for all of them.
 */
export function baseUrlOf(
  connector: ConnectorDefinition,
  connection: Pick<ConnectionDocument, 'auth' | 'config'>,
  endpoints: Readonly<Record<string, string>>,
): string {
  const config = connection.config as ConnectionConfig;
  const provider = connector.auth.find((method) => method.kind === 'oauth')?.provider;
  const standIn = endpoints[connector.id] ?? (typeof provider === 'string' ? endpoints[provider] : undefined);
  const own =
    typeof connector.baseUrl === 'function' ? connector.baseUrl(config, connection.auth) : connector.baseUrl;
  return (standIn ?? own ?? String(config.base_url ?? '')).replace(/\/+$/, '');
}
