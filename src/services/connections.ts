/** Connections: who may see and change them, and what a change does to what was approved or tested before. */
import type { ClientSession } from 'mongoose';
import type {
  Access,
  Actor,
  ConnectionDocument,
  Identity,
  Pause,
  PolicyRule,
  Risk,
} from '../../models/types.js';
import type { JsonValue } from '../connectors/framework.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { AuditService } from './audit.js';
import {
  checkAccess,
  checkAuth,
  checkConfig,
  checkFunctions,
  checkIdentity,
  checkKey,
  checkName,
  checkPurpose,
  checkRules,
  checkSignIn,
  slugOf,
} from './connection-input.js';
import { maySee } from './connection-visibility.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, changedSettings, enabledFunctions } from './functions.js';
import { isReady, type ReadinessItem, readiness } from './readiness.js';
import type { RoleService } from './roles.js';

export interface NewConnection {
  readonly connector: string;
  readonly identity: Identity;
  readonly name: string;
  readonly key?: string;
  readonly purpose: string;
  readonly ownerId: string;
  readonly businessOwnerId: string | null;
  readonly auth: string;
  readonly config: Record<string, JsonValue>;
  readonly enabledFunctions?: readonly string[];
  readonly rules?: readonly PolicyRule[];
}

export interface ConnectionChange {
  readonly name?: string;
  readonly purpose?: string;
  readonly ownerId?: string;
  readonly businessOwnerId?: string | null;
  readonly config?: Record<string, JsonValue>;
  readonly enabledFunctions?: readonly string[];
  readonly raisedRisks?: Record<string, Risk>;
  readonly askEveryTime?: readonly string[];
  readonly visibility?: ConnectionDocument['visibility'];
  /** The functions were read again and looked at: what the audit event says, and whether tests must be made anew. */
  readonly review?: { readonly retest: boolean; readonly details: Record<string, unknown> };
}

const OPEN = { $in: ['draft', 'ready'] as const } as { $in: ('draft' | 'ready')[] };

export class ConnectionService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'connector' | 'directory'>,
    private readonly audit: AuditService,
    private readonly roles: RoleService,
    private readonly credentials: CredentialService,
  ) {}

  /** @throws AppError `invalid_arguments` with the path of what is wrong */
  async create(actor: Actor, input: NewConnection): Promise<ConnectionDocument> {
    const { workspaceId, clock, models } = this.deps;
    const connector = await this.deps.connector(input.connector);
    const now = clock.now();
    const connection: ConnectionDocument = {
      _id: newId('con'),
      workspaceId,
      key: input.key ? checkKey(input.key) : await this.freeKey(slugOf(input.name)),
      connector: connector.id,
      name: checkName(input.name),
      purpose: checkPurpose(input.purpose),
      identity: checkIdentity(connector, input.identity),
      ownerId: input.ownerId,
      businessOwnerId: input.businessOwnerId,
      auth: checkAuth(connector, input.auth, input.identity),
      config: checkConfig(connector, input.config),
      enabledFunctions: [],
      raisedRisks: {},
      policy: { version: 1, rules: checkRules(input.rules ?? [], input.identity) },
      access: [],
      visibility: { everyone: true, users: [], usergroups: [] },
      status: 'draft',
      paused: null,
      scopesReviewedAt: null,
      readTestedAt: null,
      writeTestedAt: null,
      health: 'unknown',
      rev: 1,
      createdBy: actor.id,
      createdAt: now,
      updatedAt: now,
      lastUsedAt: null,
    };
    checkSignIn(connector, connection.auth, connection.config as Record<string, JsonValue>);
    connection.enabledFunctions = checkFunctions(connector, connection, input.enabledFunctions ?? []);
    const entry = {
      actor,
      action: 'connection.created',
      subject: { kind: 'connection', id: connection._id },
      details: {
        key: connection.key,
        name: connection.name,
        connector: connector.id,
        identity: connection.identity,
      },
    };
    try {
      await this.audit.change(entry, (session) => models.connections.create([connection], { session }));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw new AppError('invalid_arguments', `The key “${connection.key}” is taken. Choose another.`, {
        path: '/key',
        cause: error,
      });
    }
    return connection;
  }

  /** Settings are an admin's: they say as whom calls are made, and where a member's own credential goes. @throws AppError */
  async update(
    actor: Actor,
    connection: ConnectionDocument,
    change: ConnectionChange,
  ): Promise<ConnectionDocument> {
    const connector = await this.deps.connector(connection.connector);
    const next: ConnectionDocument = { ...connection };
    if (change.name !== undefined) next.name = checkName(change.name);
    if (change.purpose !== undefined) next.purpose = checkPurpose(change.purpose);
    if (change.ownerId !== undefined) next.ownerId = change.ownerId;
    if (change.businessOwnerId !== undefined) next.businessOwnerId = change.businessOwnerId;
    if (change.visibility !== undefined) next.visibility = change.visibility;
    if (change.raisedRisks !== undefined) next.raisedRisks = change.raisedRisks;
    if (change.config !== undefined) {
      next.config = checkConfig(connector, change.config);
      checkSignIn(connector, next.auth, change.config);
      if (change.review?.retest ?? true) {
        next.readTestedAt = null;
        next.writeTestedAt = null;
      }
    }
    next.rev = connection.rev + 1;
    const wanted = change.enabledFunctions ?? next.enabledFunctions;
    next.enabledFunctions = checkFunctions(connector, next, wanted);
    if (change.askEveryTime !== undefined)
      next.askEveryTime = checkFunctions(connector, next, change.askEveryTime);
    const more = next.enabledFunctions.some((name) => !connection.enabledFunctions.includes(name));
    if (more) next.scopesReviewedAt = null;
    const settings = changedSettings(connector, connection, next);
    if (settings.length > 0 && actor.kind === 'user') await this.roles.require(actor.id, 'admin');
    const { review, ...fields } = change;
    const action = review ? 'connection.functions_reviewed' : 'connection.changed';
    const details = { fields: Object.keys(fields), ...review?.details };
    return this.save(actor, action, connection, next, details, async (session) => {
      const method = authMethodOf(connector, next);
      if (method?.kind === 'minted' && (settings.length > 0 || change.enabledFunctions !== undefined)) {
        await this.credentials.mintAnew(next, method, session);
      }
      const moved = settings.some(({ kind }) => kind === 'url');
      if (moved && next.identity === 'private') await this.endAuthorizations(next, session);
      // Whoever moves the address may never have seen the secret: it is entered again for the new one.
      if (moved && next.identity === 'shared') await this.credentials.askAgain(next._id, session);
    });
  }

  /** New rules, a new version: what was approved under the old one no longer runs. */
  async setPolicy(
    actor: Actor,
    connection: ConnectionDocument,
    rules: readonly PolicyRule[],
  ): Promise<ConnectionDocument> {
    const next = {
      ...connection,
      policy: { version: connection.policy.version + 1, rules: checkRules(rules, connection.identity) },
    };
    const details = { before: connection.policy, after: next.policy };
    return this.save(actor, 'policy.changed', connection, next, details);
  }

  async setAccess(
    actor: Actor,
    connection: ConnectionDocument,
    access: readonly Access[],
  ): Promise<ConnectionDocument> {
    const checked = checkAccess(access, connection.enabledFunctions);
    const next = { ...connection, access: checked };
    return this.save(actor, 'access.changed', connection, next, {
      before: connection.access,
      after: next.access,
    });
  }

  async pause(
    actor: Actor,
    connection: ConnectionDocument,
    pause: Pause | null,
  ): Promise<ConnectionDocument> {
    const action = pause ? 'connection.paused' : 'connection.resumed';
    return this.save(
      actor,
      action,
      connection,
      { ...connection, paused: pause },
      pause ? { reason: pause.reason } : {},
    );
  }

  async reviewScopes(actor: Actor, connection: ConnectionDocument): Promise<ConnectionDocument> {
    const next = { ...connection, scopesReviewedAt: this.deps.clock.now() };
    return this.save(actor, 'connection.scopes_reviewed', connection, next, {});
  }

  /** The connection goes, its credentials with it; executions and audit stay. */
  async remove(actor: Actor, connection: ConnectionDocument): Promise<void> {
    const next: ConnectionDocument = { ...connection, status: 'removed', access: [] };
    await this.save(actor, 'connection.removed', connection, next, { key: connection.key }, (session) =>
      this.endAuthorizations(connection, session),
    );
  }

  /** Every credential goes, and with it what members authorized. */
  private async endAuthorizations({ _id }: ConnectionDocument, session: ClientSession): Promise<void> {
    const { models, workspaceId } = this.deps;
    await this.credentials.remove(_id, undefined, session);
    const filter = { workspaceId, connectionId: _id, status: 'active' as const };
    await models.authorizations.updateMany(filter, { $set: { status: 'revoked' } }, { session });
  }

  /** A first successful test, or new health. Not an admin's change: no audit event, and no lost race matters. */
  async noteUse(
    connectionId: string,
    note: { read?: boolean; write?: boolean; health?: ConnectionDocument['health'] },
  ): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now();
    const change: Partial<ConnectionDocument> = { lastUsedAt: now };
    if (note.read) change.readTestedAt = now;
    if (note.write) change.writeTestedAt = now;
    if (note.health) change.health = note.health;
    await models.connections.updateOne({ _id: connectionId, workspaceId }, { $set: change });
    if (note.read || note.write) await this.refreshStatus(connectionId);
  }

  /** What the credential's last use or refresh said. Not an admin's change. */
  async noteHealth(connectionId: string, health: ConnectionDocument['health']): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.connections.updateOne({ _id: connectionId, workspaceId }, { $set: { health } });
  }

  /** Draft or ready, as the readiness list says. Called after anything that the list looks at. */
  async refreshStatus(connectionId: string): Promise<ConnectionDocument | null> {
    const { models, workspaceId } = this.deps;
    const connection = await models.connections
      .findOne({ _id: connectionId, workspaceId, status: OPEN })
      .lean();
    if (!connection) return null;
    const status = isReady(await this.readiness(connection)) ? 'ready' : 'draft';
    if (status === connection.status) return connection;
    const filter = { _id: connectionId, workspaceId, rev: connection.rev, status: connection.status };
    const updated = await models.connections
      .findOneAndUpdate(filter, { $set: { status } }, { returnDocument: 'after' })
      .lean();
    return updated ?? connection;
  }

  async readiness(connection: ConnectionDocument): Promise<readonly ReadinessItem[]> {
    const connector = await this.deps.connector(connection.connector);
    const needsNone = connection.auth === 'none' || connection.identity === 'private';
    const has = needsNone || (await this.credentials.find(connection._id)) !== null;
    return readiness(connection, enabledFunctions(connector, connection), has);
  }

  /** Every one that is not removed, by name. */
  async all(): Promise<ConnectionDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.connections.find({ workspaceId, status: OPEN }).sort({ name: 1 }).limit(1_000).lean();
  }

  /** Everybody sees ready shared connections unless narrowed; drafts are for admins and owners. */
  async list(viewerId: string, search?: string): Promise<ConnectionDocument[]> {
    const all = await this.all();
    const admin = (await this.roles.of(viewerId)).admin;
    const wanted = search?.trim().toLowerCase() ?? '';
    const visible: ConnectionDocument[] = [];
    for (const connection of all) {
      const words = [connection.name, connection.key, connection.purpose, connection.connector]
        .join(' ')
        .toLowerCase();
      if (!words.includes(wanted)) continue;
      if (admin || (await maySee(connection, viewerId, this.deps.directory))) visible.push(connection);
    }
    return visible;
  }

  /** By key or id; null also when the viewer may not see it, so that nothing can be guessed. */
  async visibleTo(viewerId: string, keyOrId: string): Promise<ConnectionDocument | null> {
    const connection = await this.find(keyOrId);
    if (!connection) return null;
    const admin = (await this.roles.of(viewerId)).admin;
    return admin || (await maySee(connection, viewerId, this.deps.directory)) ? connection : null;
  }

  async find(keyOrId: string): Promise<ConnectionDocument | null> {
    const { models, workspaceId } = this.deps;
    const which = keyOrId.startsWith('con_') ? { _id: keyOrId } : { key: keyOrId.toLowerCase() };
    return models.connections.findOne({ ...which, workspaceId, status: OPEN }).lean();
  }

  /** For an admin, or the connection's owner. @throws AppError `not_found` | `forbidden` */
  async managed(userId: string, keyOrId: string, allowOwner: boolean): Promise<ConnectionDocument> {
    const connection = await this.visibleTo(userId, keyOrId);
    if (!connection) {
      const message = `There is no connection “${keyOrId}” that you can see. /connections lists them.`;
      const isHidden = (await this.find(keyOrId)) !== null;
      throw new AppError('not_found', message, isHidden ? { refusal: 'hidden' } : {});
    }
    if (!(allowOwner && connection.ownerId === userId)) await this.roles.require(userId, 'admin');
    return connection;
  }

  /** Names alike, or the same connector at the same address: the add form shows them before a second one is made. */
  async likelyDuplicates(
    connectorId: string,
    name: string,
    baseUrl: string | null,
  ): Promise<ConnectionDocument[]> {
    const { models, workspaceId } = this.deps;
    const same = await models.connections
      .find({ workspaceId, status: OPEN, connector: connectorId })
      .limit(200)
      .lean();
    const slug = slugOf(name);
    return same.filter((each) => each.key === slug || (baseUrl !== null && each.config.base_url === baseUrl));
  }

  private async freeKey(slug: string): Promise<string> {
    const { models, workspaceId } = this.deps;
    const taken = new Set(
      (await models.connections.find({ workspaceId, status: OPEN }, { key: 1 }).lean()).map(
        (each) => each.key,
      ),
    );
    if (!taken.has(slug)) return slug;
    for (let n = 2; ; n += 1) {
      const candidate = `${slug.slice(0, 17)}-${n}`;
      if (!taken.has(candidate)) return candidate;
    }
  }

  private async save(
    actor: Actor,
    action: string,
    before: ConnectionDocument,
    after: ConnectionDocument,
    details: Record<string, unknown>,
    also?: (session: ClientSession) => Promise<void>,
  ): Promise<ConnectionDocument> {
    const { models, workspaceId, clock } = this.deps;
    const next = { ...after, rev: before.rev + 1, updatedAt: clock.now() };
    // Only what changed: a test or a call may have noted something beside it.
    const changed = (Object.keys(next) as (keyof ConnectionDocument)[]).filter(
      (key) => next[key] !== before[key],
    );
    const $set = Object.fromEntries(changed.map((key) => [key, next[key]]));
    await this.audit.change(
      { actor, action, subject: { kind: 'connection', id: before._id }, details },
      async (session) => {
        const filter = { _id: before._id, workspaceId, rev: before.rev };
        const written = await models.connections.updateOne(filter, { $set }, { session });
        if (written.matchedCount !== 1) {
          throw new AppError(
            'invalid_arguments',
            'Somebody changed this connection at the same time. Open it again.',
          );
        }
        await also?.(session);
      },
    );
    return (await this.refreshStatus(before._id)) ?? next;
  }
}
