/**
 * "At most n an hour", exactly: whoever runs directly takes a place first, and one document for each caller and function
 * gives them out. Counted by the minute, in the database's time; a minute counts for sixty more, so that no hour, from
 * whatever second on, has more than n.
 */
import type { CallLimitDocument } from '../../models/types.js';
import { upserting } from '../database/duplicate-key.js';
import type { Dependencies } from './dependencies.js';

const MINUTE_MS = 60_000;
const COUNTS_FOR_MINUTES = 60;
const KEPT_MS = 2 * COUNTS_FOR_MINUTES * MINUTE_MS;

/** Whose calls of what are counted. */
export interface Limited {
  readonly callerId: string;
  readonly connectionId: string;
  readonly function: string;
}

/** A place that was taken; `minute` since 1970. */
export interface Place {
  readonly call: Limited;
  readonly minute: number;
}

/** The database's own minute. */
const MINUTE = { $toLong: { $floor: { $divide: [{ $toLong: '$$NOW' }, MINUTE_MS] } } };
const OLDEST = { $subtract: [MINUTE, COUNTS_FOR_MINUTES] };

export class CallLimits {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>) {}

  /** Null when the hour has no place left. One atomic write, whatever the number of processes. */
  async take(call: Limited, limit: number): Promise<Place | null> {
    const { models, workspaceId } = this.deps;
    const recent = {
      $filter: { input: { $ifNull: ['$minutes', []] }, cond: { $gte: ['$$this.at', OLDEST] } },
    };
    const oneMore = {
      $cond: {
        if: { $in: [MINUTE, '$minutes.at'] },
        // biome-ignore lint/suspicious/noThenProperty: MongoDB's $cond has a field of that name
        then: {
          $map: {
            input: '$minutes',
            in: {
              at: '$$this.at',
              count: { $add: ['$$this.count', { $cond: [{ $eq: ['$$this.at', MINUTE] }, 1, 0] }] },
            },
          },
        },
        else: { $concatArrays: ['$minutes', [{ at: MINUTE, count: 1 }]] },
      },
    };
    const after = await upserting(() =>
      models.callLimits
        .findOneAndUpdate(
          { _id: this.idOf(call), workspaceId },
          [
            { $set: { minutes: recent } },
            { $set: { taken: { $cond: [{ $lt: [{ $sum: '$minutes.count' }, limit] }, MINUTE, null] } } },
            { $set: { minutes: { $cond: [{ $eq: ['$taken', null] }, '$minutes', oneMore] } } },
            { $set: { until: { $add: ['$$NOW', KEPT_MS] } } },
          ],
          { upsert: true, returnDocument: 'after', updatePipeline: true },
        )
        .lean(),
    );
    return after && after.taken !== null ? { call, minute: after.taken } : null;
  }

  /** It was not used after all. */
  async giveBack({ call, minute }: Place): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.callLimits.updateOne(
      { _id: this.idOf(call), workspaceId, minutes: { $elemMatch: { at: minute, count: { $gt: 0 } } } },
      { $inc: { 'minutes.$.count': -1 } },
    );
  }

  /** Whether the next one would find no place. Takes none. */
  async isUsedUp(call: Limited, limit: number): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const found = await models.callLimits.findOne({ _id: this.idOf(call), workspaceId }).lean();
    const oldest = Math.floor(clock.now().getTime() / MINUTE_MS) - COUNTS_FOR_MINUTES;
    const recent = found?.minutes.filter(({ at }) => at >= oldest) ?? [];
    return recent.reduce((sum, { count }) => sum + count, 0) >= limit;
  }

  private idOf({ connectionId, function: name, callerId }: Limited): CallLimitDocument['_id'] {
    return `${this.deps.workspaceId}:${connectionId}:${name}:${callerId}`;
  }
}
