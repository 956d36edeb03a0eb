/** A member's own: which accounts are connected, which callers may act for her, and a link to connect again. */
import type { View } from '@slack/types';
import {
  type MyAuthorization,
  myAuthorizationsModal,
  reconnectModal,
} from '../../../../blocks/my-authorizations.js';
import type {
  AuthorizationDocument,
  ConnectionDocument,
  ConsentDocument,
  CredentialDocument,
} from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { authMethodOf } from '../../../services/functions.js';
import { authorizationSubject } from '../../../services/members.js';
import { connectLink, uncoveredFunctions } from '../../authorization-view.js';
import type { SlackEdge } from '../../edge.js';

interface Held {
  readonly connection: ConnectionDocument;
  readonly authorization: AuthorizationDocument | undefined;
  readonly credential: CredentialDocument | undefined;
  readonly consents: readonly ConsentDocument[];
}

/**
 * By name of the connection: every private connection with an account of hers, and every connection, private or
 * shared, on which a caller may act for her.
 */
export async function myAuthorizations(edge: SlackEdge, userId: string): Promise<MyAuthorization[]> {
  const { held, callers } = await heldBy(edge, userId);
  return Promise.all(
    held.map(async ({ connection, authorization, credential, consents }): Promise<MyAuthorization> => {
      const subject = (callerId: string | null) => authorizationSubject(connection._id, userId, callerId);
      const connected = authorization !== undefined && credential?.status === 'active';
      return {
        connectionName: connection.name,
        subject: subject(null),
        identity:
          connection.identity === 'shared'
            ? { kind: 'shared' }
            : {
                kind: 'private',
                account: authorization?.account ?? null,
                state: connected ? 'connected' : 'needs_reconnect',
              },
        uncovered: connected ? await uncoveredFunctions(edge.services, connection, credential ?? null) : [],
        callers: consents
          .map(({ callerId, decidedAt }) => ({
            name: callers.get(callerId) ?? '',
            allowedAt: decidedAt,
            subject: subject(callerId),
          }))
          .sort((a, b) => a.name.localeCompare(b.name)),
      };
    }),
  );
}

/** Consents to callers whose token was revoked are left out: those can do nothing, for her or for anybody. */
async function heldBy(
  { services, deps }: SlackEdge,
  userId: string,
): Promise<{ held: readonly Held[]; callers: ReadonlyMap<string, string> }> {
  const { models, workspaceId } = deps;
  const [authorizations, allowed] = await Promise.all([
    services.members.authorizationsOf(userId),
    services.members.consentsOf(userId),
  ]);
  const ids = [...new Set([...authorizations, ...allowed].map(({ connectionId }) => connectionId))];
  const callerIds = [...new Set(allowed.map(({ callerId }) => callerId))];
  const [connections, credentials, callers] = await Promise.all([
    models.connections
      .find({ workspaceId, _id: { $in: ids }, status: { $ne: 'removed' } })
      .sort({ name: 1, _id: 1 })
      .lean(),
    models.credentials.find({ workspaceId, connectionId: { $in: ids }, subject: userId }).lean(),
    models.callers.find({ workspaceId, _id: { $in: callerIds }, status: 'active' }, { name: 1 }).lean(),
  ]);
  const names = new Map(callers.map(({ _id, name }) => [_id, name]));
  const of = (id: string) => (each: { readonly connectionId: string }) => each.connectionId === id;
  const held = connections.map((connection) => ({
    connection,
    authorization: authorizations.find(of(connection._id)),
    credential: credentials.find(of(connection._id)),
    consents: allowed.filter(
      ({ connectionId, callerId }) => connectionId === connection._id && names.has(callerId),
    ),
  }));
  return {
    held: held.filter(({ authorization, consents }) => authorization || consents.length > 0),
    callers: names,
  };
}

export async function myAuthorizationsView(edge: SlackEdge, userId: string, page: number): Promise<View> {
  return myAuthorizationsModal(await myAuthorizations(edge, userId), page);
}

/**
 * A modal with a link that was made for it: for this member, ten minutes, one use.
 * @throws AppError `not_found` when there is no such private connection, `unavailable` when an admin has to prepare it
 */
export async function reconnectView(edge: SlackEdge, userId: string, connectionId: string): Promise<View> {
  const { services, deps } = edge;
  const connection = await services.connections.find(connectionId);
  const connector = connection ? await deps.connector(connection.connector) : null;
  const method = connection && connector ? authMethodOf(connector, connection) : undefined;
  if (connection?.identity !== 'private' || !connector || !method || method.kind === 'none') {
    throw new AppError('not_found', 'There is no account of yours to connect here any more.');
  }
  if (method.kind === 'oauth') await services.signIns.of(connection, true);
  const [authorization, credential] = await Promise.all([
    services.members.authorization(connectionId, userId),
    services.credentials.find(connectionId, userId),
  ]);
  return reconnectModal({
    connectionName: connection.name,
    connectorTitle: connector.title,
    subject: authorizationSubject(connectionId, userId, null),
    account: credential?.account ?? authorization?.account ?? null,
    uncovered: await uncoveredFunctions(services, connection, credential),
    ...(await connectLink(services, deps, connection, userId)),
  });
}
