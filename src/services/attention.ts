/** "I have it": who is looking at a request, for the others to see. It decides nothing and reserves nothing. */

import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import type { OutboxService } from './outbox.js';

/** More are not shown, so more are not kept. */
const MOST = 10;

export class AttentionService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly approvals: ApprovalService,
    private readonly eligibility: EligibilityService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
  ) {}

  /**
   * She looks at it, or, pressed again, no longer does. Null when that is so now, otherwise why not.
   * @throws DirectoryUnavailable
   */
  async toggle(executionId: string, userId: string): Promise<string | null> {
    const { models, workspaceId, clock } = this.deps;
    const approval = await this.approvals.ofExecution(executionId);
    const connection = approval
      ? await models.connections.findOne({ _id: approval.connectionId, workspaceId }).lean()
      : null;
    if (!approval || !connection) return 'That request does not exist (any more).';
    const eligible = await this.eligibility.mayDecide(approval, connection, userId, 'display');
    if (!eligible.ok) return eligible.reason;
    const filter = { _id: approval._id, workspaceId, status: 'pending' as const };
    const looks = approval.looking?.some((each) => each.userId === userId) === true;
    const change = looks
      ? { $pull: { looking: { userId } } }
      : { $push: { looking: { $each: [{ userId, at: clock.now() }], $slice: -MOST } } };
    const guard = looks ? {} : { 'looking.userId': { $ne: userId } };
    const changed = await models.approvals.updateOne(
      { ...filter, ...guard },
      { ...change, $inc: { rev: 1 } },
    );
    if (changed.modifiedCount === 0) return 'It has been decided already.';
    await this.audit.record({
      actor: { kind: 'user', id: userId },
      action: looks ? 'approval.put_back' : 'approval.looking',
      subject: { kind: 'execution', id: executionId },
    });
    await this.outbox.refresh('approval', executionId);
    return null;
  }
}
