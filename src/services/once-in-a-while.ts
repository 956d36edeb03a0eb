/** What is said once in a while, however often and in however many processes it happens. */
import { isDuplicateKey } from '../database/duplicate-key.js';
import type { Dependencies } from './dependencies.js';

/** One of many at the same time hears "yes", and nobody else until the time is over. */
export async function isFirstWithin(
  { models, workspaceId, clock }: Pick<Dependencies, 'models' | 'workspaceId' | 'clock'>,
  milliseconds: number,
  what: string,
): Promise<boolean> {
  const now = clock.now();
  const until = new Date(now.getTime() + milliseconds);
  try {
    const _id = `${workspaceId}:${what}`;
    const filter = { _id, workspaceId, until: { $lte: now } };
    await models.throttles.updateOne(filter, { $set: { until } }, { upsert: true });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
