import { sha256Hex } from '../canonical.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import type { Dependencies } from '../services/dependencies.js';

/** How long a payload is held for it: what comes after has to fit into Slack's three seconds, too (G7). */
const PATIENCE_MS = 400;

/** Remembers what Slack delivered, across processes, so that the same delivery has its effect once. */
export class DeliveryLog {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>) {}

  /**
   * False for a delivery that was seen before. While the database is away or slow everything counts as new: what a
   * payload does is stored there too, by compare-and-set, so nothing can happen twice.
   */
  async isNew(delivery: string): Promise<boolean> {
    const patience = new Promise<true>((resolve) => {
      setTimeout(() => resolve(true), PATIENCE_MS).unref();
    });
    return Promise.race([this.note(delivery), patience]);
  }

  private async note(delivery: string): Promise<boolean> {
    const { models, workspaceId, clock, log } = this.deps;
    try {
      await models.deliveries.create([
        { _id: sha256Hex(`${workspaceId}:${delivery}`), workspaceId, at: clock.now() },
      ]);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      log.warn({ err: error }, 'delivery not noted');
      return true;
    }
  }
}
