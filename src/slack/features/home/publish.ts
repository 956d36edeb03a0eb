/** Gathers and publishes App Home. */
import type { View } from '@slack/types';
import { type HomeData, homeView, SHOWN } from '../../../../blocks/home.js';
import type { SlackEdge } from '../../edge.js';
import { myAuthorizations } from '../authorizations/mine.js';
import { executionRowOf } from '../executions/rows.js';
import { grantsFor } from '../grants/rows.js';
import { donePage } from './done.js';
import { waitingRows, waitingShown } from './waiting.js';

/** Enough that those of others are found among her own. */
const RECENT = 50;

/** For somebody who has it before her; what she is not shown now, the outbox shows her. */
export async function publishHome(edge: SlackEdge, userId: string): Promise<void> {
  const { outbox } = edge.services;
  const row = await outbox.claimHome(userId);
  if (!row) return;
  try {
    const view = homeView(await homeData(edge, userId, waitingShown));
    await edge.clients.fast.views.publish({ user_id: userId, view });
  } catch (error) {
    await outbox.homeMissed(row);
    throw error;
  }
  await outbox.homeShown(row);
}

/** As it is now, for the outbox: that she has seen what it lists is on record when she opens it. */
export async function homeOf(edge: SlackEdge, userId: string): Promise<View> {
  return homeView(await homeData(edge, userId, waitingRows));
}

async function homeData(edge: SlackEdge, userId: string, list: typeof waitingRows): Promise<HomeData> {
  const { roles, settings, connections, executions, secondFactors } = edge.services;
  const [mine, current, authorizations, visible, recent, waiting, done] = await Promise.all([
    roles.of(userId),
    settings.get(),
    myAuthorizations(edge, userId),
    connections.list(userId),
    executions.list(userId, { limit: RECENT }),
    list(edge, userId),
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
