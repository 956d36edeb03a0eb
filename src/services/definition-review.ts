/**
 * The functions of a connection read again: from its OpenAPI document, or from the outside system itself (MCP). What
 * is different now is looked at by a person before it counts; nothing that was on changes its meaning by itself.
 */
import { type ConnectionDocument, SHARED } from '../../models/types.js';
import type { ConnectorDefinition, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { objectsIn, textOf } from '../connectors/json.js';
import type { ImportedOperation } from '../connectors/rest/index.js';
import { AppError } from '../errors.js';
import type { ConnectionDraft, ConnectionDrafts } from './connection-drafts.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService, Secret } from './credentials.js';
import { type DefinitionChanges, definitionChanges, type ReviewedFunction } from './definition-changes.js';
import type { Dependencies } from './dependencies.js';
import { allFunctions, configOf } from './functions.js';
import type { RestImportService } from './rest-import.js';
import { SYSTEM_CALLER } from './second-look.js';
import type { TokenService } from './tokens.js';
import type { UpstreamCalls } from './upstream-call.js';

/** Where the functions of a connection come from: a document that somebody gives, or the system itself. */
export type DefinitionSource = 'document' | 'system';

/** Undefined for a connector whose functions are its own. */
export function definitionSource(connector: ConnectorDefinition): DefinitionSource | undefined {
  if (connector.discover) return 'system';
  return connector.fields.some(({ name }) => name === 'openapi') ? 'document' : undefined;
}

export interface DefinitionReview {
  readonly draft: ConnectionDraft;
  readonly connection: ConnectionDocument;
  readonly changes: DefinitionChanges;
  /** Every function that there would be, to pick from. */
  readonly functions: readonly ReviewedFunction[];
}

export interface Applied {
  readonly connection: ConnectionDocument;
  /** Names of functions that were on and are off now. */
  readonly turnedOff: readonly string[];
}

export interface DefinitionReviewParts {
  readonly connections: ConnectionService;
  readonly drafts: ConnectionDrafts;
  readonly restImport: RestImportService;
  readonly credentials: CredentialService;
  readonly tokens: TokenService;
  readonly calls: UpstreamCalls;
}

export class DefinitionReviewService {
  constructor(
    private readonly deps: Pick<Dependencies, 'connector'>,
    private readonly parts: DefinitionReviewParts,
  ) {}

  /**
   * Reads, compares and keeps what was read for `apply`. The owner may look; an admin applies.
   * @param document an OpenAPI document or its address; empty: the address that it was read from before
   * @throws AppError `invalid_arguments` | `forbidden` | `not_found`; UpstreamError
   */
  async read(userId: string, connectionId: string, document = ''): Promise<DefinitionReview> {
    const { connections, drafts } = this.parts;
    const connection = await connections.managed(userId, connectionId, true);
    const connector = await this.deps.connector(connection.connector);
    const { _id, identity, name, purpose, ownerId, businessOwnerId, auth, rev } = connection;
    const found = connector.discover
      ? await this.discover(connector.discover, connection, userId)
      : await this.readDocument(connection, document);
    const input = { connector: connector.id, identity, name, purpose, ownerId, businessOwnerId, auth };
    const content = {
      connectionId: _id,
      rev,
      input: { ...input, config: found.config },
      operations: found.operations,
      notes: found.notes,
      remarks: [],
      warning: null,
    };
    const seen = compare(connector, connection, content);
    const picked = connection.enabledFunctions.filter((each) => seen.changes.unchanged.includes(each));
    return { draft: await drafts.save(userId, { ...content, picked }), connection, ...seen };
  }

  /**
   * What was read counts from now on, and exactly the picked functions are on.
   * @throws AppError `forbidden`, `not_found` for a review that is over, `invalid_arguments` when the connection
   *   changed since
   */
  async apply(userId: string, draftId: string, picked: readonly string[]): Promise<Applied> {
    const { connections, drafts } = this.parts;
    const draft = await drafts.get(userId, draftId);
    const connection = await connections.managed(userId, draft.connectionId ?? '', false);
    if (connection.rev !== draft.rev) {
      const message = 'Somebody changed this connection meanwhile. Read its functions again.';
      throw new AppError('invalid_arguments', message, { path: '/functions' });
    }
    const connector = await this.deps.connector(connection.connector);
    const { changes } = compare(connector, connection, draft);
    const wasOn = [...changes.changed, ...changes.removed].filter(({ enabled }) => enabled);
    const turnedOff = connection.enabledFunctions.filter((name) => !picked.includes(name));
    const { config } = draft.input;
    const saved = await connections.update({ kind: 'user', id: userId }, connection, {
      config: draft.operations ? { ...config, operations: kept(draft.operations, picked) } : config,
      enabledFunctions: picked,
      review: {
        // A test says nothing about a function that is another one now.
        retest: wasOn.length > 0,
        details: {
          changed: wasOn.filter(({ what }) => what.length > 0).map(({ name, what }) => ({ name, what })),
          removed: wasOn.filter(({ what }) => what.length === 0).map(({ name }) => name),
          turnedOff,
          turnedOn: picked.filter((name) => !connection.enabledFunctions.includes(name)),
        },
      },
    });
    await drafts.take(userId, draftId);
    return { connection: saved, turnedOff };
  }

  private async readDocument(connection: ConnectionDocument, given: string) {
    const { document_url: url, document_hash: _, operations: __, ...settings } = configOf(connection);
    const document = given.trim() === '' && typeof url === 'string' ? url : given;
    if (document.trim() === '') {
      const message = 'Give the address of the document, or paste it.';
      throw new AppError('invalid_arguments', message, { path: '/openapi' });
    }
    return this.parts.restImport.read(document, connection.auth, settings);
  }

  private async discover(
    ask: NonNullable<ConnectorDefinition['discover']>,
    connection: ConnectionDocument,
    userId: string,
  ) {
    const call = { _id: `discover:${connection._id}`, callerId: `${SYSTEM_CALLER}:${userId}` };
    const secret = await this.secret(connection, userId);
    const config = await this.parts.calls.lookUp(call, connection, secret, ask);
    return { config, operations: null, notes: leftOut(config) };
  }

  /** The connection's own; on a private one, that of whoever looks. @throws AppError `needs_reauth` … */
  private async secret(connection: ConnectionDocument, userId: string): Promise<Secret> {
    const { tokens, credentials } = this.parts;
    if (connection.auth === 'none') return {};
    const isPrivate = connection.identity === 'private';
    const usable = await tokens.usable(connection, isPrivate ? userId : SHARED);
    if (usable.ok) return credentials.open(usable.credential);
    const message = isPrivate
      ? `Connect your own account first: /connections connect ${connection.key}.`
      : 'Enter the credential first: without it the system does not say what it offers.';
    const missing = (await credentials.find(connection._id, isPrivate ? userId : SHARED)) === null;
    throw new AppError(usable.code, missing ? message : usable.message);
  }
}

function compare(
  connector: ConnectorDefinition,
  connection: ConnectionDocument,
  { operations, input }: Pick<ConnectionDraft, 'operations' | 'input'>,
): Pick<DefinitionReview, 'changes' | 'functions'> {
  const before = allFunctions(connector, connection);
  const known = new Set(before.map(({ name }) => name));
  // Only the operations that the connection has are made into functions: a document has more than a config holds.
  const config = operations
    ? { ...input.config, operations: operations.filter(({ name }) => known.has(name)).map(plain) }
    : input.config;
  const after = connector.functions(config).filter((fn) => fits(fn, connection.auth));
  const changes = definitionChanges(before, after, connection.enabledFunctions);
  const rest = (operations ?? [])
    .filter(({ name }) => !known.has(name))
    .map(({ name, title, risk }) => ({ name, title, risk }));
  const functions = [...after.map(({ name, title, risk }) => ({ name, title, risk })), ...rest];
  return { changes: { ...changes, added: [...changes.added, ...rest] }, functions };
}

/** What the system offers and the connector cannot use: `left_out` of its config, name and reason each. */
function leftOut({ left_out: all }: Record<string, JsonValue>): string[] {
  return objectsIn(all).map(({ name, reason }) => `${textOf(name)}: ${textOf(reason)}`);
}

function fits({ auth }: FunctionDefinition, method: string): boolean {
  return auth === undefined || auth.includes(method);
}

function kept(operations: readonly ImportedOperation[], picked: readonly string[]): JsonValue[] {
  return operations.filter(({ name }) => picked.includes(name)).map(plain);
}

/** As it stands in a config: members that are undefined are no JSON. */
function plain(operation: ImportedOperation): JsonValue {
  return JSON.parse(JSON.stringify(operation)) as JsonValue;
}
