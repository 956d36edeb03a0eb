/** Gathers and publishes App Home. */
import { type HomeData, homeView, SHOWN } from '../../../../blocks/home.js';
import type { SlackEdge } from '../../edge.js';
import { myAuthorizations } from '../authorizations/mine.js';
import { executionRowOf } from '../executions/rows.js';
import { grantsFor } from '../grants/rows.js';
import { donePage } from './done.js';
import { waitingShown } from './waiting.js';

/** Enough that those of others are found among her own. */
const RECENT = 50;

export async function publishHome(edge: SlackEdge, userId: string): Promise<void> {
  await edge.clients.fast.views.publish({ user_id: userId, view: homeView(await homeData(edge, userId)) });
}

async function homeData(edge: SlackEdge, userId: string): Promise<HomeData> {
  const { roles, settings, connections, executions, secondFactors } = edge.services;
  const [mine, current, authorizations, visible, recent, waiting, done] = await Promise.all([
    roles.of(userId),
    settings.get(),
    myAuthorizations(edge, userId),
    connections.list(userId),
    executions.list(userId, { limit: RECENT }),
    waitingShown(edge, userId),
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
