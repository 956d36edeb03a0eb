/**
 * What sweepers do (G8): after any crash every execution goes on or ends, with nobody's help. Each item is taken by
 * compare-and-set, so two sweepers at once are harmless.
 */
import type { ApprovalService } from './approvals.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, ended } from './execution-store.js';
import type { MemberService } from './members.js';
import type { OutboxService } from './outbox.js';
import type { RemovedConnections } from './removed-connections.js';
import type { ReplacementService } from './replacements.js';
import type { Runner } from './runner.js';
import type { WaitingCalls } from './waiting-calls.js';

/** Of what outlived the retention: few enough that nobody waits behind them, and in all what an hour may bring. */
const DROPPED_AT_ONCE = 1_000;
const MOST_DROPPED = 100 * DROPPED_AT_ONCE;

export interface RecoveryParts {
  readonly executions: ExecutionStore;
  readonly approvals: ApprovalService;
  readonly waiting: WaitingCalls;
  readonly members: MemberService;
  readonly runner: Runner;
  readonly outbox: OutboxService;
  readonly replacements: ReplacementService;
  readonly removed: Pick<RemovedConnections, 'reconcile'>;
}

export class RecoveryService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>,
    private readonly parts: RecoveryParts,
  ) {}

  /** Queued and unclaimed: the normal way to a claim. */
  async claimQueued(): Promise<void> {
    for (const execution of await this.parts.executions.due('queued')) this.parts.runner.take(execution._id);
  }

  /** Claimed, and the lease is over: whoever had it is gone, and what it sent nobody knows (G2). */
  async endAbandoned(): Promise<void> {
    for (const execution of await this.parts.executions.due('executing')) {
      const read = execution.risk === 'read';
      const status = read ? 'failed' : 'outcome_unknown';
      const message = read
        ? 'The process that ran this call stopped. Nothing was changed; ask again.'
        : 'The process that ran this call stopped before it could record the outcome. Whether the call took effect is unknown; it is not repeated.';
      const error = { code: read ? 'upstream_unavailable' : 'outcome_unknown', message };
      // `rev` does not change with a renewal, so the guard makes sure that the lease is still over.
      const stillOver = { $expr: { $lte: ['$attempt.leaseUntil', '$$NOW'] } };
      const done = await this.parts.executions.transition(
        execution,
        status,
        ended(this.deps.clock.now(), error),
        stillOver,
      );
      if (done) this.deps.log.warn({ execution: done._id, status }, 'ended an abandoned execution');
      await this.parts.outbox.showEnd(done);
    }
  }

  /** Accepted, but the process died before it asked anybody. */
  async announcePending(): Promise<void> {
    await this.endRemoved();
    for (const execution of await this.parts.executions.due('pending_approval')) {
      await this.one(execution._id, () => this.parts.waiting.ask(execution));
    }
    for (const execution of await this.parts.executions.due('pending_authorization')) {
      await this.one(execution._id, () => this.parts.waiting.revive(execution));
    }
    for (const status of ['failed', 'outcome_unknown'] as const) {
      for (const old of await this.parts.executions.due(status)) {
        await this.one(old._id, () => this.parts.replacements.make(old));
      }
    }
  }

  /** Decided but not followed, or out of time. */
  async settleApprovals(): Promise<void> {
    await this.endRemoved();
    for (const approval of await this.parts.approvals.unsettled()) {
      await this.one(approval.executionId, async () => {
        if (approval.status !== 'pending') {
          await this.parts.approvals.settle(approval);
          return;
        }
        const shown = await this.parts.outbox.wasShown('approval', approval.executionId);
        const note = shown
          ? 'Nobody decided in time.'
          : 'The card could not be delivered in time (undeliverable).';
        await this.parts.approvals.end(approval, 'expired', note);
      });
    }
  }

  /** Arguments and results go with the retention; the record of the call stays. @param most the next run takes the rest */
  async dropOldPayloads(retentionDays: number, most = MOST_DROPPED): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const before = new Date(clock.now().getTime() - retentionDays * 86_400_000);
    // One pass: no index has their age.
    const old = models.payloads
      .find({ workspaceId, createdAt: { $lt: before } }, { _id: 1 })
      .limit(most)
      .lean()
      .cursor({ batchSize: DROPPED_AT_ONCE });
    let ids: string[] = [];
    const drop = async (): Promise<void> => {
      await models.payloads.deleteMany({ workspaceId, _id: { $in: ids } });
      ids = [];
    };
    for await (const { _id } of old) if (ids.push(_id) === DROPPED_AT_ONCE) await drop();
    if (ids.length > 0) await drop();
  }

  /** Before anything runs out: on a connection that is gone, nobody failed to answer. */
  private async endRemoved(): Promise<void> {
    try {
      await this.parts.removed.reconcile();
    } catch (error) {
      this.deps.log.warn({ err: error }, 'what waits on removed connections not ended yet');
    }
  }

  /** One that fails does not keep the others waiting. */
  private async one(executionId: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.deps.log.warn(
        { err: error, execution: executionId },
        'recovery of one execution failed; it is tried again',
      );
    }
  }
}
