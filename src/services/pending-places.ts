/**
 * "At most n of one caller wait for people", exactly. What waits is counted off the executions, so every end gives its
 * place back by itself; what is being recorded at that moment stands in one document for each caller, in the order of
 * one atomic write each. Whoever counts both overlooks nobody who came before.
 */
import type { ExecutionDocument } from '../../models/types.js';
import { upserting } from '../database/duplicate-key.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionStore } from './execution-store.js';

/** A record that took longer was refused and is taken back (`docs/design.md`): its place is nobody's. */
const RECORDING_MS = 15_000;
const KEPT_MS = 60 * 60_000;

type Waiting = Pick<ExecutionDocument, '_id' | 'callerId'>;

export class PendingPlaces {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId' | 'log'>,
    private readonly executions: Pick<ExecutionStore, 'pendingOf'>,
  ) {}

  /** Records a call that waits for people. Null, and nothing recorded, when the limit is reached. */
  async during<T>(execution: Waiting, limit: number, record: () => Promise<T>): Promise<T | null> {
    const before = await this.take(execution);
    try {
      const waiting = await this.executions.pendingOf(execution.callerId, limit, before);
      return waiting + before.length < limit ? await record() : null;
    } finally {
      // Nobody waits for that: one that is not given back counts for a few seconds more.
      this.giveBack(execution).catch((error: unknown) => {
        this.deps.log.warn({ err: error }, 'a place among what waits was not given back');
      });
    }
  }

  /** @returns the executions that took a place before and are being recorded still */
  private async take({ _id: id, callerId }: Waiting): Promise<string[]> {
    const { models, workspaceId } = this.deps;
    const oldest = { $subtract: ['$$NOW', RECORDING_MS] };
    const recent = {
      $filter: { input: { $ifNull: ['$taken', []] }, cond: { $gt: ['$$this.at', oldest] } },
    };
    const document = await upserting(() =>
      models.pendingPlaces
        .findOneAndUpdate(
          { _id: this.idOf(callerId), workspaceId },
          [
            {
              $set: {
                taken: { $concatArrays: [recent, [{ id: { $literal: id }, at: '$$NOW' }]] },
                until: { $add: ['$$NOW', KEPT_MS] },
              },
            },
          ],
          { upsert: true, returnDocument: 'after', updatePipeline: true },
        )
        .lean(),
    );
    const taken = document?.taken.map((each) => each.id) ?? [];
    return taken.slice(0, taken.lastIndexOf(id));
  }

  private async giveBack({ _id: id, callerId }: Waiting): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.pendingPlaces.updateOne(
      { _id: this.idOf(callerId), workspaceId },
      { $pull: { taken: { id } } },
    );
  }

  private idOf(callerId: string): string {
    return `${this.deps.workspaceId}:${callerId}`;
  }
}
