/**
 * Cards that follow delegations: when one begins, is ended or runs out, every pending card that it is about is drawn
 * anew, and a new delegate gets the copies that wait. What was followed is kept with the delegation, so a crash in
 * between is made up for by the sweeper.
 */
import type { ApprovalDocument, ConnectionDocument, DelegationDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import type { OutboxService } from './outbox.js';

/** So many pending requests are looked at, the newest first; the others show it when they are drawn next. */
const MOST_PENDING = 2_000;

interface Pending {
  readonly approval: ApprovalDocument;
  readonly connection: ConnectionDocument;
}

export class DelegationCards {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>,
    private readonly eligibility: EligibilityService,
    private readonly outbox: OutboxService,
  ) {}

  /** Everything that began or ended since the last look. What fails is due again at the next one. */
  async follow(): Promise<void> {
    const { models, workspaceId, clock, log } = this.deps;
    const now = clock.now();
    const due = await models.delegations
      .find({ workspaceId, $or: [{ followed: { $ne: true } }, { until: { $lte: now } }] })
      .limit(100)
      .lean();
    if (due.length === 0) return;
    const pending = await this.pending();
    for (const delegation of due) {
      try {
        await this.redraw(delegation, pending, now);
      } catch (error) {
        log.warn({ err: error, member: delegation.memberId }, 'cards of a delegation not redrawn yet');
      }
    }
  }

  private async redraw(
    delegation: DelegationDocument,
    pending: readonly Pending[],
    now: Date,
  ): Promise<void> {
    const { memberId, delegateId, until } = delegation;
    const isOver = until <= now;
    for (const { approval, connection } of pending) {
      if (!(await this.isAbout(approval, connection, memberId))) continue;
      const { executionId, expiresAt, frozenAt } = approval;
      const asks =
        !isOver && (await this.eligibility.mayDecide(approval, connection, delegateId, 'display')).ok;
      if (asks) await this.outbox.show('approval', executionId, delegateId, frozenAt ? null : expiresAt);
      await this.outbox.refresh('approval', executionId);
    }
    const { models, workspaceId } = this.deps;
    const { _id, createdAt } = delegation;
    // Replaced or ended meanwhile: that one is followed by itself.
    const same = { _id, workspaceId, createdAt, until };
    if (isOver) await models.delegations.deleteOne(same);
    else await models.delegations.updateOne(same, { $set: { followed: true } });
  }

  /** Whether its card names her, or would ask her: one that names her shows her delegate also once she has decided. */
  private async isAbout(
    approval: ApprovalDocument,
    connection: ConnectionDocument,
    memberId: string,
  ): Promise<boolean> {
    if (approval.approvers.users.includes(memberId)) return true;
    return (await this.eligibility.mayDecide(approval, connection, memberId, 'display')).ok;
  }

  /** Nobody stands in on a private connection. */
  private async pending(): Promise<Pending[]> {
    const { models, workspaceId } = this.deps;
    const approvals = await models.approvals
      .find({ workspaceId, status: 'pending' })
      .sort({ createdAt: -1 })
      .limit(MOST_PENDING)
      .lean();
    const ids = [...new Set(approvals.map(({ connectionId }) => connectionId))];
    const found = await models.connections
      .find({ workspaceId, _id: { $in: ids }, identity: 'shared' })
      .lean();
    const connections = new Map(found.map((connection) => [connection._id, connection]));
    return approvals.flatMap((approval) => {
      const connection = connections.get(approval.connectionId);
      return connection ? [{ approval, connection }] : [];
    });
  }
}
