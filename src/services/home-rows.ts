/**
 * App Homes as rows of the outbox: one for each person who has opened hers, drawn anew when a request that she has a card
 * of changes. Nobody else has one.
 */
import type { ClientSession } from 'mongoose';
import type { Dependencies } from './dependencies.js';

/** What changes within that time is one drawing: a Home takes more to draw than a card, and nobody reads faster. */
export const HOME_EVERY_MS = 3_000;

type Deps = Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>;

export const homeRowId = (userId: string): string => `home:${userId}:${userId}`;

export const isPerson = (to: string): boolean => /^[UW]/.test(to);

/** What these people see in their Homes changed. Those who never opened theirs are left out. */
export async function homesChanged(
  { models, clock, workspaceId }: Deps,
  people: readonly string[],
  session?: ClientSession,
): Promise<void> {
  if (people.length === 0) return;
  const now = clock.now();
  const soon = new Date(now.getTime() + HOME_EVERY_MS);
  // One that is being drawn may have been read before the change; one that is due already is not put off.
  const isDrawing = { $gt: ['$lease.until', now] };
  const notBefore = {
    $cond: [{ $or: [{ $eq: ['$notBefore', null] }, isDrawing] }, soon, '$notBefore'],
  };
  await models.outbox.updateMany(
    { _id: { $in: people.map(homeRowId) }, workspaceId, view: 'home' },
    [{ $set: { wanted: { $add: ['$wanted', 1] }, notBefore } }],
    { updatePipeline: true, ...(session && { session }) },
  );
}

/** Requests changed: so do the Homes of all who have a card of them. */
export async function requestsChanged(
  deps: Deps,
  executionIds: readonly string[],
  session?: ClientSession,
): Promise<void> {
  const { models, workspaceId } = deps;
  const copies = await models.outbox
    .find(
      { workspaceId, view: 'approval', subjectId: { $in: [...executionIds] } },
      { to: 1 },
      session ? { session } : {},
    )
    .lean();
  const people = new Set(copies.map(({ to }) => to).filter(isPerson));
  await homesChanged(deps, [...people], session);
}
