/** How each kind of outbox row is drawn from the current state of what it is about. */
import { approvalMessage } from '../../blocks/approval-card.js';
import { type AuthorizationDm, authorizationMessage, codeMessage } from '../../blocks/authorization.js';
import { noticeMessage } from '../../blocks/notices.js';
import type { OutboxDocument } from '../../models/types.js';
import type { Dependencies } from '../services/dependencies.js';
import { authMethodOf } from '../services/functions.js';
import type { Services } from '../services/index.js';
import { LINK_LIFETIME_MS } from '../services/links.js';
import { approvalCard } from './approval-view.js';
import type { Drawer } from './delivery.js';

export function createDrawers(
  services: Services,
  deps: Dependencies,
): Readonly<Record<OutboxDocument['view'], Drawer>> {
  return {
    approval: async (row) => {
      const found = await approvalCard(row.subjectId, services, deps);
      return found ? { ...approvalMessage(found.card), version: found.execution.rev } : null;
    },
    authorization: async (row) => {
      const dm = await authorizationDm(row.subjectId, services, deps);
      return dm ? { ...authorizationMessage(dm), version: 0 } : null;
    },
    oauth_code: async (row) => {
      const found = await services.authorizationFlow.codeOf(row.subjectId);
      if (!found) return null;
      const { flow, code } = found;
      const connection = await deps.models.connections
        .findOne({ _id: flow.connectionId, workspaceId: deps.workspaceId })
        .lean();
      const { account, expiresAt, status } = flow;
      const connectionName = connection?.name ?? 'the connection';
      return {
        ...codeMessage({ connectionName, account, code, finished: status === 'finished', expiresAt }),
        version: 0,
      };
    },
    notice: async (row) => (row.message ? { ...noticeMessage(row.message), version: 0 } : null),
  };
}

/** What the DM about one member, connection and caller shows now. A new link is made with each drawing. */
export async function authorizationDm(
  subject: string,
  services: Services,
  deps: Dependencies,
): Promise<AuthorizationDm | null> {
  const [connectionId = '', memberId = '', caller = '-'] = subject.split('|');
  const callerId = caller === '-' ? null : caller;
  const { models, workspaceId } = deps;
  const [connection, authorization, credential, waiting, callerDocument] = await Promise.all([
    models.connections.findOne({ _id: connectionId, workspaceId }).lean(),
    services.members.authorization(connectionId, memberId),
    services.credentials.find(connectionId, memberId),
    services.members.waiting(memberId, connectionId, callerId),
    callerId === null ? null : services.callers.get(callerId),
  ]);
  if (!connection || connection.status === 'removed') return null;
  const consent = callerId === null ? null : await services.members.consent(memberId, callerId, connectionId);
  const connector = await deps.connector(connection.connector);
  const method = authMethodOf(connector, connection);
  const isPrivate = connection.identity === 'private';
  const connected = !isPrivate || (authorization?.status === 'active' && credential?.status === 'active');
  const account = isPrivate ? (authorization?.account ?? null) : null;
  const wanted = callerId === null || waiting.length > 0;
  const state = async (): Promise<AuthorizationDm['state']> => {
    if (consent?.status === 'refused' && waiting.length === 0) return { kind: 'refused' };
    if (connected && (callerId === null || consent?.status === 'allowed')) {
      return { kind: 'connected', account, callerAllowed: consent?.status === 'allowed' };
    }
    if (!wanted) return { kind: 'over' };
    if (connected) return { kind: 'consent', account };
    const purpose = method?.kind === 'oauth' ? 'oauth' : 'secret';
    const url = await services.links.create({ purpose, userId: memberId, connectionId });
    const expiresAt = new Date(deps.clock.now().getTime() + LINK_LIFETIME_MS);
    return { kind: 'connect', url, expiresAt, again: authorization?.status === 'active' };
  };
  return {
    connectionName: connection.name,
    connectionKey: connection.key,
    connectorTitle: connector.title,
    isPrivate,
    callerName: callerId === null ? null : (callerDocument?.name ?? 'A caller'),
    subject,
    waiting: waiting.map(({ _id, functionTitle, reason }) => ({ executionId: _id, functionTitle, reason })),
    state: await state(),
  };
}
