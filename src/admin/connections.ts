/** The operator's commands about connections. Each asks the same services as Slack does. */
import { isDeepStrictEqual } from 'node:util';
import type { Actor, ConnectionDocument } from '../../models/types.js';
import type { ConnectorDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { checkAccess, checkRules } from '../services/connection-input.js';
import type { ConnectionChange } from '../services/connections.js';
import type { Dependencies } from '../services/dependencies.js';
import { DirectoryUnavailable } from '../services/directory.js';
import type { Services } from '../services/index.js';
import {
  type AccessFile,
  checkVersion,
  connectionView,
  parseConnectionChange,
  parseFile,
  parseNewConnection,
  policyFile,
  policyView,
  rulesOf,
} from './connection-file.js';

export class ConnectionCommands {
  constructor(
    private readonly services: Services,
    private readonly deps: Dependencies,
    private readonly actor: Actor,
  ) {}

  async list() {
    const connections = await this.services.connections.all();
    return connections.map(({ _id, key, name, connector, identity, ownerId, status, paused, health }) => ({
      id: _id,
      key,
      name,
      connector,
      identity,
      owner: ownerId,
      status,
      paused: paused !== null,
      health,
    }));
  }

  async show(keyOrId: string) {
    return this.view(await this.find(keyOrId));
  }

  /** @param value a file as `show` prints it; what the system itself fills in may be left out */
  async create(value: unknown) {
    const file = parseNewConnection(value);
    const connector = await this.connector(file.connector);
    const auth = file.auth ?? connector.auth[0]?.id ?? 'none';
    const rules = checkRules(rulesOf(file.policy));
    const access = file.access && (await this.access(file.access, file.functions));
    await this.people({ '/owner': file.owner, '/business_owner': file.business_owner });
    const { connections, serverSignIn } = this.services;
    let connection = await connections.create(this.actor, {
      connector: connector.id,
      identity: file.identity ?? connector.identities[0] ?? 'shared',
      name: file.name,
      ...(file.key === undefined ? {} : { key: file.key }),
      purpose: file.purpose,
      ownerId: file.owner,
      businessOwnerId: file.business_owner,
      auth,
      config: await serverSignIn.find(connector, auth, await this.config(file.config, file.functions, auth)),
      enabledFunctions: file.functions,
      rules,
    });
    const change: ConnectionChange = {
      ...(file.raised_risks ? { raisedRisks: file.raised_risks } : {}),
      ...(file.ask_every_time ? { askEveryTime: file.ask_every_time } : {}),
      ...(file.visibility ? { visibility: file.visibility } : {}),
    };
    if (Object.keys(change).length > 0) connection = await connections.update(this.actor, connection, change);
    if (access) connection = await connections.setAccess(this.actor, connection, access);
    await serverSignIn.client(this.actor, connection);
    return this.view(connection);
  }

  /** Applies what differs. Everything is checked before anything is changed. */
  async update(keyOrId: string, value: unknown) {
    let connection = await this.find(keyOrId);
    const shown = await this.view(connection);
    const file = parseConnectionChange(value, shown);
    const functions = file.functions ?? connection.enabledFunctions;
    const rules = file.policy && checkRules(rulesOf(file.policy));
    const access = file.access && (await this.access(file.access, functions));
    await this.people({ '/owner': file.owner, '/business_owner': file.business_owner });
    const config = file.config && {
      ...(await this.config(file.config, functions, connection.auth)),
      ...signInOf(connection),
    };
    const change = changed(connection, {
      name: file.name,
      purpose: file.purpose,
      ownerId: file.owner,
      businessOwnerId: file.business_owner,
      enabledFunctions: file.functions,
      raisedRisks: file.raised_risks,
      askEveryTime: file.ask_every_time,
      visibility: file.visibility,
      config,
    });
    const { connections } = this.services;
    if (Object.keys(change).length > 0) connection = await connections.update(this.actor, connection, change);
    if (rules && !isDeepStrictEqual(rules, connection.policy.rules)) {
      connection = await connections.setPolicy(this.actor, connection, rules);
    }
    if (access && !isDeepStrictEqual(access, connection.access)) {
      connection = await connections.setAccess(this.actor, connection, access);
    }
    return this.view(connection);
  }

  async pause(keyOrId: string, reason: string) {
    const connection = await this.find(keyOrId);
    await this.services.pauses.pause(
      this.actor,
      { kind: 'connection', id: connection._id },
      reason,
      'freeze',
    );
    return this.view(await this.find(connection._id));
  }

  async resume(keyOrId: string) {
    const connection = await this.find(keyOrId);
    await this.services.pauses.resume(this.actor, { kind: 'connection', id: connection._id });
    return this.view(await this.find(connection._id));
  }

  async remove(keyOrId: string) {
    const connection = await this.find(keyOrId);
    await this.services.disconnect.connection(this.actor, connection);
    return { id: connection._id, key: connection.key, status: 'removed' };
  }

  /** @param value the fields as one object */
  async secret(keyOrId: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new AppError('invalid_arguments', 'Standard input takes one JSON object: {"api_key": "…"}.');
    }
    const wrong = Object.entries(value).find(([, text]) => typeof text !== 'string');
    if (wrong) {
      throw new AppError('invalid_arguments', `${wrong[0]} must be a text.`, { path: `/${wrong[0]}` });
    }
    const given = value as Record<string, string>;
    const target = await this.services.secretEntry.enter(this.actor, keyOrId, given);
    const stored = target.fields.map((field) => field.name).filter((name) => given[name] !== undefined);
    return target.kind === 'connection'
      ? { connection: target.connection.key, stored }
      : { oauth_app: target.id.replace(/^oauth_app:/, ''), redirect_uri: target.redirectUri, stored };
  }

  /** Adds to what the caller may use; without `functions`, all that are turned on. */
  async grant(callerNameOrId: string, keyOrId: string, functions: readonly string[] | null) {
    const connection = await this.find(keyOrId);
    const callerId = await this.callerId(callerNameOrId, '/caller');
    const had = connection.access.find((each) => each.callerId === callerId);
    const all = functions === null || had?.functions === null;
    const next = all ? null : [...new Set([...(had?.functions ?? []), ...(functions ?? [])])];
    const others = connection.access.filter((each) => each.callerId !== callerId);
    const changed = await this.services.connections.setAccess(this.actor, connection, [
      ...others,
      { callerId, functions: next },
    ]);
    return (await this.view(changed)).access;
  }

  /** @param value what `show` prints under `policy`, or all that it prints */
  async setPolicy(keyOrId: string, value: unknown) {
    const connection = await this.find(keyOrId);
    const whole = typeof value === 'object' && value !== null && 'policy' in value;
    const file = parseFile(policyFile, whole ? value.policy : value);
    if (file.version !== undefined) checkVersion(file.version, connection.policy);
    const changed = await this.services.connections.setPolicy(this.actor, connection, rulesOf(file));
    return policyView(changed.policy);
  }

  private async find(keyOrId: string): Promise<ConnectionDocument> {
    const found = await this.services.connections.find(keyOrId);
    if (found) return found;
    throw new AppError('not_found', `There is no connection “${keyOrId}”.`, { path: '/key' });
  }

  private async view(connection: ConnectionDocument) {
    const { connections, callers, credentials } = this.services;
    return connectionView(connection, {
      connector: await this.deps.connector(connection.connector),
      callers: await callers.list(),
      credential: await credentials.find(connection._id),
      readiness: await connections.readiness(connection),
    });
  }

  private async connector(id: string): Promise<ConnectorDefinition> {
    try {
      return await this.deps.connector(id);
    } catch (cause) {
      throw new AppError('invalid_arguments', `There is no connector “${id}”.`, {
        path: '/connector',
        cause,
      });
    }
  }

  /** For REST: `openapi` (an address, a text, or the document itself) or `openapi_url`, read into operations. */
  private async config(
    given: Readonly<Record<string, JsonValue>>,
    functions: readonly string[],
    auth: string,
  ): Promise<Record<string, JsonValue>> {
    const { openapi, openapi_url: url, ...values } = given;
    const source = openapi ?? url;
    if (source === undefined) return { ...given };
    const text = typeof source === 'string' ? source : JSON.stringify(source);
    const { config, operations } = await this.services.restImport.read(text, auth, values);
    return { ...config, operations: operations.filter(({ name }) => functions.includes(name)) };
  }

  private async access(file: AccessFile, functions: readonly string[]) {
    const entries = [];
    for (const [index, { caller, functions: some }] of file.entries()) {
      entries.push({ callerId: await this.callerId(caller, `/access/${index}/caller`), functions: some });
    }
    return checkAccess(entries, functions);
  }

  private async callerId(nameOrId: string, path: string): Promise<string> {
    const { callers } = this.services;
    const found = (await callers.byName(nameOrId)) ?? (await callers.get(nameOrId));
    if (found) return found._id;
    throw new AppError('invalid_arguments', `There is no caller “${nameOrId}”.`, { path });
  }

  /** Where Slack can be asked, who is named has to be there. */
  private async people(named: Readonly<Record<string, string | null | undefined>>): Promise<void> {
    for (const [path, id] of Object.entries(named)) {
      if (!id) continue;
      const person = await this.deps.directory.person(id).catch((error: unknown) => {
        if (error instanceof DirectoryUnavailable) return 'unknown' as const;
        throw error;
      });
      if (person === 'unknown' || person?.active) continue;
      const message = `${id} is not an active member of the workspace.`;
      throw new AppError('invalid_arguments', message, { path });
    }
  }
}

/** As it was found when the connection was added: with another server people sign in through another connection. */
function signInOf({ config }: ConnectionDocument): Record<string, JsonValue> {
  const { sign_in: found } = config as Record<string, JsonValue>;
  return found === undefined ? {} : { sign_in: found };
}

type Wanted = { readonly [Field in keyof ConnectionChange]: ConnectionChange[Field] | undefined };

/** What is wanted and not so yet: naming a field without changing it voids no test and no approval. */
function changed(connection: ConnectionDocument, wanted: Wanted): ConnectionChange {
  const now: Readonly<Record<string, unknown>> = { ...connection };
  const different = Object.entries(wanted).filter(
    ([field, value]) => value !== undefined && !isDeepStrictEqual(value, now[field]),
  );
  return Object.fromEntries(different) as ConnectionChange;
}
