/** Which credential a connection still needs, with the one-time links to enter it. */
import type { View } from '@slack/types';
import {
  type CredentialNeed,
  type CredentialStep,
  connectionCredentialModal,
} from '../../../../blocks/connections/credential.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { SlackEdge } from '../../edge.js';
import { authOf } from './detail.js';

/** Makes links for `userId` and nobody else; each view has new ones. */
export async function credentialView(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  { created = false, warning = null }: { readonly created?: boolean; readonly warning?: string | null } = {},
): Promise<View> {
  const { _id: id, key, name } = connection;
  const needs = await needsOf(edge, userId, connection);
  const replace = created ? null : await replaceOf(edge, userId, connection, needs);
  return connectionCredentialModal({ connection: { id, key, name }, created, needs, replace, warning });
}

async function needsOf(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
): Promise<CredentialNeed[]> {
  const { links, apps, roles, serverSignIn } = edge.services;
  const { _id: connectionId, identity } = connection;
  const auth = await authOf(edge, connection);
  if (!auth || auth.kind === 'none') return [{ kind: 'none' }];
  if (auth.kind === 'secret' || auth.kind === 'minted') {
    if (identity === 'private') return [{ kind: 'members' }];
    const url = await links.create({ purpose: 'secret', userId, connectionId });
    return [{ kind: 'secret', what: auth.title, url }];
  }
  const server = apps.provider(auth, connection);
  const provider = server.title;
  const needs: CredentialNeed[] = [];
  const isAdmin = (await roles.of(userId)).admin;
  if (isAdmin && (await serverSignIn.client({ kind: 'user', id: userId }, connection)) === null) {
    const connectionId = apps.id(server, connection);
    const url = await links.create({ purpose: 'secret', userId, connectionId });
    needs.push({ kind: 'oauth_app', provider, redirectUri: `${edge.deps.publicUrl}/oauth/callback`, url });
  }
  if (identity === 'private') return [...needs, { kind: 'members' }];
  if (!(await edge.services.signIns.mayReconnect(connection, userId))) return [...needs, { kind: 'admin' }];
  const url = await links.create({ purpose: 'oauth', userId, connectionId });
  return [...needs, { kind: 'oauth', provider, url }];
}

/** A client of the connection's own may have been mistyped, or be forgotten by its server. */
async function replaceOf(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  needs: readonly CredentialNeed[],
): Promise<CredentialStep['replace']> {
  const { links, apps, roles } = edge.services;
  const auth = await authOf(edge, connection);
  if (auth?.kind !== 'oauth' || needs.some(({ kind }) => kind === 'oauth_app')) return null;
  const server = apps.provider(auth, connection);
  if (server.family !== 'connection' || !(await roles.of(userId)).admin) return null;
  const url = await links.create({ purpose: 'secret', userId, connectionId: apps.id(server, connection) });
  const registered = (await apps.app(server, connection))?.registeredUntil !== undefined;
  return { redirectUri: `${edge.deps.publicUrl}/oauth/callback`, url, registered };
}
