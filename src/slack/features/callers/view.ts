/** One caller in detail, gathered for an admin. */
import type { View } from '@slack/types';
import { type CallerRow, callerDetailModal } from '../../../../blocks/callers.js';
import type { CallerDocument } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import type { SlackEdge } from '../../edge.js';

export function rowOf({ _id, name, kind, stage, ownerId, paused }: CallerDocument): CallerRow {
  return { id: _id, name, kind, stage, ownerId, paused: paused !== null };
}

/** @throws AppError `not_found` | `forbidden` */
export async function managedCaller(
  edge: SlackEdge,
  userId: string,
  callerId: string,
): Promise<CallerDocument> {
  await edge.services.roles.require(userId, 'admin');
  const caller = await edge.services.callers.get(callerId);
  if (caller?.status !== 'active') throw new AppError('not_found', 'There is no such caller any more.');
  return caller;
}

export async function callerView(
  edge: SlackEdge,
  userId: string,
  callerId: string,
  notice: string | null = null,
): Promise<View> {
  const caller = await managedCaller(edge, userId, callerId);
  const connections = await edge.services.connections.list(userId);
  return callerDetailModal({
    caller: rowOf(caller),
    createdAt: caller.createdAt,
    tokenPrefix: caller.tokenPrefix,
    pause: caller.paused,
    access: connections.flatMap(({ key, name, access }) => {
      const mine = access.find((each) => each.callerId === callerId);
      return mine ? [{ key, name, functions: mine.functions?.length ?? null }] : [];
    }),
    hasConnections: connections.length > 0,
    notice,
  });
}
