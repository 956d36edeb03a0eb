/**
 * The right to send, of one attempt. The database lease tells other processes that the attempt lives; the monotonic
 * clock tells this one whether it was asleep (SIGSTOP, a paused machine) and must not send any more (T11).
 */
import type { Dependencies } from './dependencies.js';

export const LEASE_MS = 15_000;
/** After the claim, or the last renewal, a request leaves within this time or not at all. */
export const SEND_BUDGET_MS = 5_000;
const RENEW_EVERY_MS = 2_500;

export class LeaseLost extends Error {
  constructor() {
    super('the right to send has run out');
    this.name = 'LeaseLost';
  }
}

export class Lease {
  private validUntil: number;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly executionId: string,
    private readonly attemptId: string,
    claimedAt: number,
  ) {
    this.validUntil = claimedAt + SEND_BUDGET_MS;
    this.timer = setInterval(() => void this.renew(), RENEW_EVERY_MS);
    this.timer.unref();
  }

  /** Called immediately before bytes are handed to the socket. @throws LeaseLost */
  assertMaySend(): void {
    if (performance.now() >= this.validUntil) throw new LeaseLost();
  }

  end(): void {
    clearInterval(this.timer);
  }

  /** A renewal that fails is not an error: the right to send runs out by itself. */
  private async renew(): Promise<void> {
    const startedAt = performance.now();
    const { models, clock, workspaceId } = this.deps;
    const leaseUntil = new Date(clock.now().getTime() + LEASE_MS);
    try {
      const renewed = await models.executions.updateOne(
        { _id: this.executionId, workspaceId, status: 'executing', 'attempt.id': this.attemptId },
        { $set: { 'attempt.leaseUntil': leaseUntil, nextActionAt: leaseUntil } },
      );
      if (renewed.matchedCount === 1) this.validUntil = startedAt + SEND_BUDGET_MS;
    } catch {
      // The database is away; the next renewal may get through, and until then time runs.
    }
  }
}
