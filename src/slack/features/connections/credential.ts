/** Which credential a connection still needs, with the one-time links to enter it. */
import type { View } from '@slack/types';
import {
  type CredentialNeed,
  type CredentialStep,
  connectionCredentialModal,
} from '../../../../blocks/connections/credential.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { OAuthAuth } from '../../../connectors/framework.js';
import { redirectUriOf } from '../../../services/oauth-apps.js';
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
  const needs = await needsOf(edge, userId, connection, created);
  return connectionCredentialModal({ connection: { id, key, name }, created, ...needs, warning });
}

type Needs = Pick<CredentialStep, 'needs' | 'replace'>;
const only = (...needs: readonly CredentialNeed[]): Needs => ({ needs, replace: null });

async function needsOf(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  created: boolean,
): Promise<Needs> {
  const { links, roles } = edge.services;
  const { _id: connectionId, identity } = connection;
  const auth = await authOf(edge, connection);
  if (!auth || auth.kind === 'none') return only({ kind: 'none' });
  if (auth.kind === 'secret' || auth.kind === 'minted') {
    if (identity === 'private') return only({ kind: 'members' });
    const url = await links.create({ purpose: 'secret', userId, connectionId });
    return only({ kind: 'secret', what: auth.title, url });
  }
  const isAdmin = (await roles.of(userId)).admin;
  const { needs, replace } = isAdmin ? await clientNeeds(edge, userId, connection, auth, created) : only();
  return { needs: [...needs, await signInNeed(edge, userId, connection, auth)], replace };
}

/** Our client at the provider: to be entered by an admin where there is none, or instead of one of the connection's own. */
async function clientNeeds(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  auth: OAuthAuth,
  created: boolean,
): Promise<Needs> {
  const { links, apps, serverSignIn } = edge.services;
  const server = apps.provider(auth, connection);
  const app = await serverSignIn.client({ kind: 'user', id: userId }, connection);
  // What was made a moment ago needs no other client yet.
  if (app && (created || !apps.isOwn(server))) return only();
  const url = await links.create({ purpose: 'secret', userId, connectionId: apps.id(server, connection) });
  const redirectUri = redirectUriOf(edge.deps.publicUrl);
  if (!app) return only({ kind: 'oauth_app', provider: server.title, redirectUri, url });
  return { needs: [], replace: { redirectUri, url, registered: app.registeredUntil !== undefined } };
}

async function signInNeed(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  auth: OAuthAuth,
): Promise<CredentialNeed> {
  const { links, apps, signIns } = edge.services;
  if (connection.identity === 'private') return { kind: 'members' };
  if (!(await signIns.mayReconnect(connection, userId))) return { kind: 'admin' };
  const url = await links.create({ purpose: 'oauth', userId, connectionId: connection._id });
  return { kind: 'oauth', provider: apps.provider(auth, connection).title, url };
}
