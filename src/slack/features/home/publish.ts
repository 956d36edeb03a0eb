/** Gathers and publishes App Home. */
import { type HomeData, homeView, type WaitingApproval } from '../../../../blocks/home.js';
import { shortHash } from '../../../services/binding.js';
import { authorizationSubject } from '../../../services/members.js';
import type { SlackEdge } from '../../edge.js';
import { executionRowOf } from '../executions/rows.js';

export async function publishHome(edge: SlackEdge, userId: string): Promise<void> {
  await edge.clients.fast.views.publish({ user_id: userId, view: homeView(await homeData(edge, userId)) });
}

/** The requests that wait for this person, as rows. */
export async function waitingRows(edge: SlackEdge, userId: string): Promise<WaitingApproval[]> {
  const { approvals } = edge.services;
  const { models, workspaceId } = edge.deps;
  const waiting = await approvals.waitingFor(userId);
  const executions = await models.executions
    .find({ workspaceId, _id: { $in: waiting.map((approval) => approval.executionId) } })
    .lean();
  const byId = new Map(executions.map((execution) => [execution._id, execution]));
  return waiting.flatMap((approval) => {
    const execution = byId.get(approval.executionId);
    if (!execution) return [];
    const { functionTitle, connectionName, callerName, risk } = execution;
    const hash = shortHash(approval.bindingHash);
    return [
      {
        executionId: execution._id,
        hash,
        functionTitle,
        connectionName,
        callerName,
        risk,
        expiresAt: approval.expiresAt,
      },
    ];
  });
}

async function homeData(edge: SlackEdge, userId: string): Promise<HomeData> {
  const { roles, settings, members, connections, callers, executions } = edge.services;
  const [mine, current, authorizations, consents, visible, recent, waiting] = await Promise.all([
    roles.of(userId),
    settings.get(),
    members.authorizationsOf(userId),
    members.consentsOf(userId),
    connections.list(userId),
    executions.list(userId, { limit: 5 }),
    waitingRows(edge, userId),
  ]);
  const names = new Map((await callers.list()).map((caller) => [caller._id, caller.name]));
  const byId = new Map(visible.map((connection) => [connection._id, connection]));
  const { admins, adminGroup } = edge.deps.configuredRoles;
  const namedRoles = current.admins.length + admins.length > 0 || adminGroup !== null;
  const setupDone = namedRoles && current.approvalsChannel !== null && visible.length > 0;
  return {
    waiting,
    authorizations: authorizations.map((authorization) => {
      const { connectionId, account } = authorization;
      const connection = byId.get(connectionId);
      return {
        connectionName: connection?.name ?? 'a connection',
        connectionKey: connection?.key ?? '',
        account,
        subject: authorizationSubject(connectionId, userId, null),
        callers: consents
          .filter((consent) => consent.connectionId === connectionId)
          .map((consent) => ({
            name: names.get(consent.callerId) ?? 'a removed caller',
            subject: authorizationSubject(connectionId, userId, consent.callerId),
          })),
      };
    }),
    connections: visible.map(({ key, name, purpose, status, paused }) => ({
      key,
      name,
      purpose,
      status: paused ? 'paused' : status,
    })),
    executions: recent.map(executionRowOf),
    setup:
      mine.admin && !setupDone
        ? { namedRoles, channel: current.approvalsChannel, anyConnection: visible.length > 0 }
        : null,
    isAdmin: mine.admin,
  };
}
