/** Which credential a connection still needs, with the one-time links to enter it. */
import type { View } from '@slack/types';
import { type CredentialNeed, connectionCredentialModal } from '../../../../blocks/connections/credential.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { AuthMethod } from '../../../connectors/framework.js';
import { oauthAppId } from '../../../services/credentials.js';
import type { SlackEdge } from '../../edge.js';
import { authOf } from './detail.js';

const PROVIDERS: Record<Extract<AuthMethod, { kind: 'oauth' }>['provider'], string> = { google: 'Google' };

/** Makes links for `userId` and nobody else; each view has new ones. */
export async function credentialView(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  { created = false, warning = null }: { readonly created?: boolean; readonly warning?: string | null } = {},
): Promise<View> {
  const { _id: id, key, name } = connection;
  const needs = await needsOf(edge, userId, connection);
  return connectionCredentialModal({ connection: { id, key, name }, created, needs, warning });
}

async function needsOf(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
): Promise<CredentialNeed[]> {
  const { links, tokens, roles } = edge.services;
  const { _id: connectionId, identity } = connection;
  const auth = authOf(edge, connection);
  if (!auth || auth.kind === 'none') return [{ kind: 'none' }];
  if (auth.kind === 'secret') {
    if (identity === 'private') return [{ kind: 'members' }];
    const url = await links.create({ purpose: 'secret', userId, connectionId });
    return [{ kind: 'secret', what: auth.title, url }];
  }
  const provider = PROVIDERS[auth.provider];
  const needs: CredentialNeed[] = [];
  if ((await tokens.app(auth.provider)) === null && (await roles.of(userId)).admin) {
    const url = await links.create({ purpose: 'secret', userId, connectionId: oauthAppId(auth.provider) });
    needs.push({ kind: 'oauth_app', provider, redirectUri: `${edge.deps.publicUrl}/oauth/callback`, url });
  }
  if (identity === 'private') return [...needs, { kind: 'members' }];
  const url = await links.create({ purpose: 'oauth', userId, connectionId });
  return [...needs, { kind: 'oauth', provider, url }];
}
