/** Gathers and publishes App Home. */
import { type HomeData, homeView, SHOWN, type WaitingApproval } from '../../../../blocks/home.js';
import { shortHash } from '../../../services/binding.js';
import { grouped, sameRequestKey } from '../../../services/same-requests.js';
import type { SlackEdge } from '../../edge.js';
import { myAuthorizations } from '../authorizations/mine.js';
import { executionRowOf } from '../executions/rows.js';
import { grantsFor } from '../grants/rows.js';
import { donePage } from './done.js';

/** Enough that those of others are found among her own. */
const RECENT = 50;

export async function publishHome(edge: SlackEdge, userId: string): Promise<void> {
  await edge.clients.fast.views.publish({ user_id: userId, view: homeView(await homeData(edge, userId)) });
}

/** The requests that wait for this person, as rows. */
export async function waitingRows(
  edge: Pick<SlackEdge, 'services' | 'deps'>,
  userId: string,
): Promise<WaitingApproval[]> {
  const { approvals } = edge.services;
  const { models, workspaceId } = edge.deps;
  const waiting = await approvals.waitingFor(userId);
  const executions = await models.executions
    .find({ workspaceId, _id: { $in: waiting.map((approval) => approval.executionId) } })
    .lean();
  const byId = new Map(executions.map((execution) => [execution._id, execution]));
  const rows = await Promise.all(
    waiting.map(async (approval) => {
      const execution = byId.get(approval.executionId);
      if (!execution) return null;
      const { functionTitle, connectionName, callerName } = execution;
      const digest = { _id: execution._id, bindingHash: approval.bindingHash };
      const args = await edge.services.payloads.arguments(digest).catch(() => null);
      const row: WaitingApproval = {
        executionId: execution._id,
        hash: shortHash(approval.bindingHash),
        functionTitle,
        connectionName,
        callerName,
        risk: approval.edited?.risk ?? execution.risk,
        expiresAt: approval.expiresAt,
        ...(approval.frozenAt ? { frozen: true } : {}),
      };
      return { row, key: sameRequestKey(execution, args) };
    }),
  );
  const there = rows.filter((each) => each !== null);
  return grouped(there, ({ key }) => key).map((group) => {
    const [{ row }] = group;
    return group.length === 1 ? row : { ...row, count: group.length };
  });
}

async function homeData(edge: SlackEdge, userId: string): Promise<HomeData> {
  const { roles, settings, connections, executions, secondFactors } = edge.services;
  const [mine, current, authorizations, visible, recent, waiting, done] = await Promise.all([
    roles.of(userId),
    settings.get(),
    myAuthorizations(edge, userId),
    connections.list(userId),
    executions.list(userId, { limit: RECENT }),
    waitingRows(edge, userId),
    donePage(edge, userId, SHOWN.done),
  ]);
  const { admins, adminGroup } = edge.deps.configuredRoles;
  const namedRoles = current.admins.length + admins.length > 0 || adminGroup !== null;
  const setupDone = namedRoles && current.approvalsChannel !== null && visible.length > 0;
  return {
    waiting,
    authorizations,
    doneInMyName: { rows: done.rows, more: done.next !== null },
    connections: visible.map(({ key, name, purpose, status, paused }) => ({
      key,
      name,
      purpose,
      status: paused ? 'paused' : status,
    })),
    executions: recent
      .filter(({ onBehalfOf }) => onBehalfOf !== userId)
      .slice(0, SHOWN.executions)
      .map(executionRowOf),
    setup:
      mine.admin && !setupDone
        ? { namedRoles, channel: current.approvalsChannel, anyConnection: visible.length > 0 }
        : null,
    isAdmin: mine.admin,
    away: await edge.services.delegations.of(userId),
    grants: await grantsFor(edge, userId),
    proofSince: await secondFactors.enrolledSince(userId),
  };
}
