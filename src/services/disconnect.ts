/**
 * Taking an authorization or a connection back: here at once, so that no later call can use it; and at the provider,
 * where it can, so that nobody else can either.
 */
import { type Actor, type ConnectionDocument, type CredentialDocument, SHARED } from '../../models/types.js';
import type { OAuthClient } from '../credentials/oauth-client.js';
import type { ConnectionService } from './connections.js';
import { type CredentialService, oauthAppId } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf } from './functions.js';
import type { MemberService } from './members.js';
import type { OAuthApps } from './oauth-apps.js';
import type { RemovedConnections } from './removed-connections.js';
import { UNKNOWN_ACCOUNT } from './sign-in.js';

export class DisconnectService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId' | 'connector' | 'log'>,
    private readonly parts: {
      readonly connections: ConnectionService;
      readonly members: MemberService;
      readonly credentials: CredentialService;
      readonly apps: OAuthApps;
      readonly oauth: OAuthClient;
      readonly removed: Pick<RemovedConnections, 'end'>;
    },
  ) {}

  /** A member's own. @returns whether there was one */
  async member(connection: ConnectionDocument, memberId: string): Promise<boolean> {
    const credential = await this.parts.credentials.find(connection._id, memberId);
    const had = await this.parts.members.revoke(connection, memberId);
    if (credential) await this.revokeUpstream(connection, credential);
    return had;
  }

  /** The whole connection, every credential that belongs to it, and what waits for people on it. @throws AppError */
  async connection(actor: Actor, connection: ConnectionDocument): Promise<void> {
    const { models, workspaceId } = this.deps;
    const credentials = await models.credentials.find({ workspaceId, connectionId: connection._id }).lean();
    await this.parts.connections.remove(actor, connection);
    await this.parts.removed.end(connection._id).catch((error: unknown) => {
      const { log } = this.deps;
      log.warn(
        { err: error, connection: connection._id },
        'what waits on it not ended yet; the sweeper repeats it',
      );
    });
    for (const { subject } of credentials) {
      if (subject !== SHARED) await this.parts.members.refreshDms(connection._id, subject);
    }
    for (const credential of credentials) await this.revokeUpstream(connection, credential);
    // The client of a server that belongs to this connection alone; taking back needed it.
    await this.parts.credentials.remove(oauthAppId(connection._id));
  }

  /** Best effort: ours is gone whatever the provider says. The refresh token first; with it the others end. */
  private async revokeUpstream(
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): Promise<void> {
    const { credentials, apps, oauth } = this.parts;
    try {
      const method = authMethodOf(await this.deps.connector(connection.connector), connection);
      if (method?.kind !== 'oauth' || credential.kind !== 'oauth') return;
      const provider = apps.provider(method, connection);
      const app = await apps.app(provider, connection);
      const { refresh_token: refresh, access_token: access } = credentials.open(credential);
      // A provider ends all that this account gave to our client; what another connection lives on stays.
      if (await this.isShared(apps.id(provider, connection), credential)) return;
      const token = provider.revokeWith === 'bearer' ? (access ?? refresh) : (refresh ?? access);
      if (app && token) await oauth.revoke(provider, app, token);
      else if (token) throw new Error('there is no OAuth client to revoke with');
    } catch (error) {
      this.deps.log.warn({ err: error, connection: connection._id }, 'not revoked at the provider');
    }
  }

  /** Whether another connection has a consent of the same account to the same OAuth client. */
  private async isShared(clientId: string, { _id, account }: CredentialDocument): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    if (account === null || account === UNKNOWN_ACCOUNT) return false;
    const others = await models.credentials
      .find({ workspaceId, kind: 'oauth', account, status: 'active', _id: { $ne: _id } })
      .lean();
    for (const { connectionId } of others) {
      const connection = await this.parts.connections.find(connectionId);
      if (!connection) continue;
      const method = authMethodOf(await this.deps.connector(connection.connector), connection);
      if (method?.kind !== 'oauth') continue;
      const { apps } = this.parts;
      if (apps.id(apps.provider(method, connection), connection) === clientId) return true;
    }
    return false;
  }
}
