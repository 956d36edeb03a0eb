/**
 * Claims whose acknowledgement was lost: the answer to "did I win?" is the attempt that stands in the record
 * (shared/RELIABILITY.md, fencing note). Ours is gone on with while a request may still leave; one that shows only later
 * is ended, because it surely sent nothing, and must not become an unknown outcome.
 */
import type { ExecutionDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { SEND_BUDGET_MS } from './lease.js';
import type { OutboxService } from './outbox.js';

const LOOK_EVERY_MS = 250;
/** How long a claim that may still arrive is looked for. Longer than any outage that is not an incident. */
const GIVE_UP_MS = 15 * 60_000;
const UNSENT = 'Nothing was sent: the database did not confirm in time that the call could begin. Ask again.';

/** `open`: it is not there, and may still come. */
type Found = 'open' | 'not_ours' | ExecutionDocument;

export class LostClaims {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'log'>,
    private readonly executions: ExecutionStore,
    private readonly outbox: OutboxService,
  ) {}

  /**
   * The execution if the claim was ours after all and its request may still leave, otherwise null.
   * @param before as it was read for the claim
   * @param claimedAt on the monotonic clock
   */
  async settle(
    before: ExecutionDocument,
    attemptId: string,
    claimedAt: number,
  ): Promise<ExecutionDocument | null> {
    const found = await this.find(before, attemptId, claimedAt + SEND_BUDGET_MS);
    if (found === 'open') this.endOnceFound(before, attemptId);
    return typeof found === 'string' ? null : found;
  }

  private endOnceFound(before: ExecutionDocument, attemptId: string): void {
    const until = performance.now() + GIVE_UP_MS;
    const end = async (): Promise<void> => {
      const found = await this.find(before, attemptId, until);
      if (typeof found === 'string') return;
      const error = { code: 'upstream_unavailable', message: UNSENT };
      const change = ended(this.deps.clock.now(), error);
      const failed = await this.executions.transition(found, 'failed', change, { 'attempt.id': attemptId });
      await this.outbox.showEnd(failed);
    };
    const repeat = (): Promise<void> =>
      end().catch(async (error: unknown) => {
        if (performance.now() > until) throw error;
        await pause();
        await repeat();
      });
    repeat().catch((error: unknown) => {
      this.deps.log.error({ err: error, execution: before._id }, 'a call that was not sent may look as if');
    });
  }

  /** Looks until it is known, or the time is over. */
  private async find(before: ExecutionDocument, attemptId: string, until: number): Promise<Found> {
    for (;;) {
      const found = await this.look(before, attemptId).catch(() => 'open' as const);
      if (found !== 'open') return found;
      await pause();
      if (performance.now() >= until) return 'open';
    }
  }

  private async look(before: ExecutionDocument, attemptId: string): Promise<Found> {
    const now = await this.executions.get(before._id);
    if (now?.status === 'executing' && now.attempt?.id === attemptId) return now;
    return now?.status === 'queued' && now.rev === before.rev ? 'open' : 'not_ours';
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
}
