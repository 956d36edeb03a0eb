/**
 * Approval requests: asking and ending. The request is where a decision is made (`decisions.ts`); the execution follows
 * what was decided, at once or, after a crash, by the sweeper.
 */
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { newId } from '../ids.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { furtherOf } from './further-approvers.js';
import { isFirstWithin } from './once-in-a-while.js';
import type { OutboxService } from './outbox.js';
import type { Verdict } from './policy.js';
import type { RoleService } from './roles.js';
import { requestsFor } from './waiting-for.js';
import { waitingPlan } from './waiting-plan.js';

/** shared/RELIABILITY.md, G5: at most 15 minutes from the decision to the claim. */
export const CLAIM_WINDOW_MS = 15 * 60_000;
const QUIET_MS = 3_600_000;
/** Copies in DMs. A list longer than that is a channel's job. */
const DM_LIMIT = 30;

/** So many deciders are looked for: as many as get a copy, and as it takes. Slack tells of about a hundred people a minute. */
export function enoughFor({ quorum }: Pick<ApprovalDocument, 'quorum'>): number {
  return Math.max(DM_LIMIT, quorum);
}

export class ApprovalService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'signals' | 'log'>,
    private readonly executions: ExecutionStore,
    private readonly outbox: OutboxService,
    private readonly eligibility: EligibilityService,
    private readonly roles: RoleService,
  ) {}

  async ofExecution(executionId: string): Promise<ApprovalDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.approvals.findOne({ workspaceId, executionId }).lean();
  }

  async forExecutions(executionIds: readonly string[]): Promise<ApprovalDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.approvals.find({ workspaceId, executionId: { $in: [...executionIds] } }).lean();
  }

  /** The request as it is stored; the execution that it is about names it and is stored next. */
  draft(
    execution: ExecutionDocument,
    connection: ConnectionDocument,
    verdict: Verdict,
    hash: string,
  ): ApprovalDocument {
    const now = this.deps.clock.now();
    const isPrivate = execution.subject !== SHARED;
    const owner = { users: [execution.subject], usergroups: [], connectionOwner: false };
    const further = isPrivate ? furtherOf(connection, verdict.rule) : null;
    const alone = isPrivate && !further;
    const asking = [execution.requesterId, execution.callerOwnerId];
    return {
      _id: newId('ap'),
      workspaceId: this.deps.workspaceId,
      executionId: execution._id,
      connectionId: connection._id,
      rev: 1,
      status: 'pending',
      // A private connection acts as the member: her own yes is what counts, and hers alone unless one more is required.
      approvers: isPrivate ? owner : verdict.rule.approvers,
      quorum: further ? 2 : isPrivate ? 1 : verdict.rule.quorum,
      further,
      excluded: alone ? [] : [...new Set(further ? [execution.subject, ...asking] : asking)],
      decisions: [],
      route: isPrivate ? null : verdict.rule.route,
      bindingHash: hash,
      stepUp: verdict.rule.stepUp ?? null,
      // Nobody alone can answer for the next ones.
      rememberable: verdict.rememberable && !further,
      ...waitingPlan(verdict.rule, execution.requesterId, now, isPrivate),
      createdAt: now,
      expiresAt: new Date(now.getTime() + verdict.rule.expiresInMinutes * 60_000),
      endedAt: null,
      endNote: null,
      settled: false,
    };
  }

  async insert(approval: ApprovalDocument): Promise<void> {
    await this.deps.models.approvals.create([approval]);
  }

  /** As `insert`, when two processes may do it for the same execution at once: both end up with the same request. */
  async prepare(approval: ApprovalDocument): Promise<ApprovalDocument> {
    // The revision only ever rises: by it a card is told from what it should show.
    const { _id, rev: _, ...fields } = approval;
    const { workspaceId, executionId } = approval;
    try {
      await this.deps.models.approvals.updateOne(
        { workspaceId, executionId, status: 'pending', decisions: { $size: 0 } },
        { $set: fields, $setOnInsert: { _id }, $inc: { rev: 1 } },
        { upsert: true },
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return (await this.ofExecution(executionId)) ?? approval;
  }

  /** Its execution was not accepted after all (the idempotency key was used before). */
  async discard(approvalId: string): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.approvals.deleteOne({ _id: approvalId, workspaceId, decisions: [] });
  }

  /** Puts the cards into the outbox. Doing it twice changes nothing. */
  async announce(execution: ExecutionDocument): Promise<void> {
    const approval = await this.ofExecution(execution._id);
    const connection = await this.connection(execution.connectionId);
    // A pause may cancel a request while its call is still being recorded: then nobody has followed yet.
    if (approval && approval.status !== 'pending') return this.settle(approval);
    if (!approval || !connection) return;
    const { route, expiresAt } = approval;
    // First, because it waits for no look-up: the channel is asked also while Slack does not say who decides.
    if (route) await this.outbox.show('approval', execution._id, route, expiresAt);
    const deciders = await this.eligibility.deciders(approval, connection, enoughFor(approval));
    for (const userId of deciders.slice(0, DM_LIMIT)) {
      await this.outbox.show('approval', execution._id, userId, expiresAt);
    }
    await this.noteDeciders(approval, execution, connection, deciders.length);
    await this.executions.lookAgain(execution._id, 'pending_approval', null);
  }

  /** Ends a pending request without a decision; `told` when nobody has to hear of it. Null when somebody was first. */
  async end(
    approval: ApprovalDocument,
    status: 'expired' | 'cancelled',
    endNote: string,
    told = false,
  ): Promise<ApprovalDocument | null> {
    const { models, workspaceId, clock } = this.deps;
    const onlyDue = status === 'expired' ? { frozenAt: null, $expr: { $lte: ['$expiresAt', '$$NOW'] } } : {};
    const updated = await models.approvals
      .findOneAndUpdate(
        { _id: approval._id, workspaceId, status: 'pending', ...onlyDue },
        { $set: { status, endedAt: clock.now(), endNote, told }, $inc: { rev: 1 } },
        { returnDocument: 'after' },
      )
      .lean();
    if (updated) await this.settle(updated);
    return updated;
  }

  /** What was decided came to nothing by the will of whoever would hear of it. */
  async needsNoTelling({ _id }: Pick<ExecutionDocument, '_id'>): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.approvals.updateOne({ workspaceId, executionId: _id }, { $set: { told: true } });
  }

  /** Makes the execution follow what was decided. Repeating it changes nothing. */
  async settle(approval: ApprovalDocument): Promise<void> {
    const execution = await this.executions.get(approval.executionId);
    if (execution?.status === 'pending_approval') await this.follow(execution, approval);
    const { models, workspaceId } = this.deps;
    await models.approvals.updateOne({ _id: approval._id, workspaceId }, { $set: { settled: true } });
    await this.outbox.refresh('approval', approval.executionId);
  }

  /** Requests that ended and whose execution has not followed, and those whose time is over. For the sweeper. */
  async unsettled(limit = 100): Promise<ApprovalDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.approvals
      .find({
        workspaceId,
        settled: false,
        $or: [{ status: { $ne: 'pending' } }, { frozenAt: null, $expr: { $lte: ['$expiresAt', '$$NOW'] } }],
      })
      .limit(limit)
      .lean();
  }

  /** Requests that wait for this person, soonest to expire first. @throws DirectoryUnavailable */
  async waitingFor(userId: string, limit = 50): Promise<ApprovalDocument[]> {
    return requestsFor(userId, limit, this.deps, this.eligibility);
  }

  /** Whether this person is, or was, one of those asked to decide. */
  async wasAsked(userId: string, execution: ExecutionDocument): Promise<boolean> {
    const [approval, connection] = await Promise.all([
      this.ofExecution(execution._id),
      this.connection(execution.connectionId),
    ]);
    if (!approval || !connection) return false;
    if (approval.decisions.some((each) => each.userId === userId)) return true;
    return (await this.eligibility.mayDecide(approval, connection, userId, 'display')).ok;
  }

  private async follow(execution: ExecutionDocument, approval: ApprovalDocument): Promise<void> {
    const now = this.deps.clock.now();
    const note = approval.decisions.at(-1)?.reason ?? approval.endNote;
    // What was decided is what is on record from here on, also where the end is another than a run.
    const { edited } = approval;
    const call = edited ? { bindingHash: approval.bindingHash, editedBy: edited.by, risk: edited.risk } : {};
    if (approval.status === 'approved') {
      const decidedAt = approval.endedAt ?? now;
      const queued = await this.executions.transition(execution, 'queued', {
        ...call,
        approvalStatus: 'approved',
        decidedAt,
        note,
        expiresAt: new Date(decidedAt.getTime() + CLAIM_WINDOW_MS),
        nextActionAt: new Date(now.getTime() + 2_000),
      });
      if (queued) this.deps.signals.emit('queued', queued._id);
      return;
    }
    if (approval.status === 'pending') return;
    const messages = {
      denied: 'A person denied this call.',
      expired: approval.endNote ?? 'Nobody decided in time.',
      cancelled: approval.endNote ?? 'The request was cancelled.',
    };
    await this.executions.transition(execution, approval.status, {
      ...call,
      approvalStatus: approval.status,
      decidedAt: approval.status === 'denied' ? approval.endedAt : null,
      note,
      ...ended(now, { code: approval.status, message: messages[approval.status] }),
    });
  }

  /**
   * Admins are asked to name somebody where fewer people than it takes may decide: once an hour for a function, however
   * many calls of it wait.
   */
  async noteDeciders(
    { quorum }: Pick<ApprovalDocument, 'quorum'>,
    execution: Pick<ExecutionDocument, '_id' | 'function' | 'functionTitle'>,
    connection: ConnectionDocument,
    left: number,
  ): Promise<void> {
    if (left >= quorum) return;
    const what = `nobody_can_decide:${connection._id}:${execution.function}`;
    if (!(await isFirstWithin(this.deps, QUIET_MS, what))) return;
    for (const admin of await this.roles.admins()) {
      await this.outbox.notify(admin, {
        kind: 'nobody_can_decide',
        left,
        quorum,
        executionId: execution._id,
        functionTitle: execution.functionTitle,
        connectionName: connection.name,
        connectionKey: connection.key,
      });
    }
  }

  private async connection(id: string): Promise<ConnectionDocument | null> {
    return this.deps.models.connections.findOne({ _id: id, workspaceId: this.deps.workspaceId }).lean();
  }
}
