/**
 * Approval requests: asking, deciding, ending. The request is where a decision is made, by one compare-and-set
 * (G3); the execution follows what was decided, at once or, after a crash, by the sweeper.
 */
import type {
  ApprovalDocument,
  ConnectionDocument,
  Decision,
  ExecutionDocument,
  Risk,
  SecondProof,
} from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { newId } from '../ids.js';
import { crashAt } from '../kill-points.js';
import type { AuditService } from './audit.js';
import { shortHash } from './binding.js';
import type { Dependencies } from './dependencies.js';
import { type EligibilityService, isSameVote } from './eligibility.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { isFirstWithin } from './once-in-a-while.js';
import type { OutboxService } from './outbox.js';
import { higherRisk, type Verdict } from './policy.js';
import { freezingPause } from './recheck.js';
import type { RoleService } from './roles.js';
import { PROOF_PROBLEMS, type SecondFactorService } from './second-factors.js';
import type { SettingsService } from './settings.js';
import { awaitsTarget } from './targets.js';
import { requestsFor } from './waiting-for.js';
import { waitingPlan } from './waiting-plan.js';

/** shared/RELIABILITY.md, G5: at most 15 minutes from the decision to the claim. */
export const CLAIM_WINDOW_MS = 15 * 60_000;
/** A destructive call is not decided within a second of its card: nobody reads that fast (abuse case 20). */
const READING_TIME_MS = 1_000;
const QUIET_MS = 3_600_000;
/** Copies in DMs. A list longer than that is a channel's job. */
const DM_LIMIT = 30;

export interface Click {
  readonly executionId: string;
  /** First 8 hex digits of the digest that the card showed. */
  readonly hash: string;
  readonly userId: string;
  readonly decision: Decision['decision'];
  readonly reason: string | null;
  /** She changed the arguments first: what she approves is this call, and it takes the place of the one asked for. */
  readonly edit?: EditedCall;
  /** Six digits of her second proof. Never logged, never audited. */
  readonly proof?: string;
  /** She has just signed in at the company's provider, to approve this (`StepUpSignIns` alone says so). */
  readonly signedIn?: true;
}

/** The call as an approver made it; `src/services/edits.ts` has checked it. */
export interface EditedCall {
  readonly bindingHash: string;
  readonly risk: Risk;
  /** The rule that it falls under, where that is another one. */
  readonly rule: Pick<ApprovalDocument, 'approvers' | 'quorum' | 'route'> | null;
}

export type DecisionOutcome =
  | { readonly kind: 'recorded'; readonly approval: ApprovalDocument }
  | { readonly kind: 'too_late'; readonly approval: ApprovalDocument }
  /** `proof`: an approval needs the second proof besides: a code, setting one up first, or a sign-in. */
  | { readonly kind: 'refused'; readonly reason: string; readonly proof?: 'code' | 'set_up' | 'sign_in' };

const NEEDS_PROOF =
  'This approval needs your second proof: press Approve on its card, and enter the six digits.';

const NEEDS_SIGN_IN =
  'This approval needs a fresh sign-in with your company account: press Approve on its card, and follow the link.';

const GONE = 'That request does not exist (any more).';
const COUNTED = 'Your approval is counted already; the others are still to come.';
const PAUSED = 'This is paused at the moment: nothing can be approved until it is resumed.';

/** Whether this person has still to read what the card has no room for (abuse case 28). */
export type HasToRead = (
  approval: ApprovalDocument,
  execution: ExecutionDocument,
  userId: string,
) => Promise<boolean>;

const UNREAD = 'The card does not show all of it. Read every page of Details first; Approve is there.';

/** How somebody decides: with a second proof, for one who is away, or about her own request. */
type DecidesAs = Pick<Decision, 'proof' | 'delegateOf' | 'soleOperator'>;

export class ApprovalService {
  private hasToRead: HasToRead = async () => false;

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'signals' | 'log'>,
    private readonly executions: ExecutionStore,
    private readonly outbox: OutboxService,
    private readonly eligibility: EligibilityService,
    private readonly roles: RoleService,
    private readonly audit: AuditService,
    private readonly settings: SettingsService,
    private readonly proofs: Pick<SecondFactorService, 'enrolledSince' | 'prove'>,
  ) {}

  /** Whoever draws the cards knows what they show; where none are drawn nobody clicks either. */
  holdToReading(hasToRead: HasToRead): void {
    this.hasToRead = hasToRead;
  }

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
    return {
      _id: newId('ap'),
      workspaceId: this.deps.workspaceId,
      executionId: execution._id,
      connectionId: connection._id,
      rev: 1,
      status: 'pending',
      // A private connection acts as the member: her own yes is what counts, and hers alone.
      approvers: isPrivate ? owner : verdict.rule.approvers,
      quorum: isPrivate ? 1 : verdict.rule.quorum,
      excluded: isPrivate ? [] : [...new Set([execution.requesterId, execution.callerOwnerId])],
      decisions: [],
      route: isPrivate ? null : verdict.rule.route,
      bindingHash: hash,
      stepUp: verdict.rule.stepUp ?? null,
      rememberable: verdict.rememberable,
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
    const { _id, ...fields } = approval;
    const { workspaceId, executionId } = approval;
    try {
      await this.deps.models.approvals.updateOne(
        { workspaceId, executionId, status: 'pending', decisions: { $size: 0 } },
        { $set: fields, $setOnInsert: { _id } },
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
    const deciders = await this.eligibility.deciders(approval, connection);
    for (const userId of deciders.slice(0, DM_LIMIT)) {
      await this.outbox.show('approval', execution._id, userId, approval.expiresAt);
    }
    if (approval.route) await this.outbox.show('approval', execution._id, approval.route, approval.expiresAt);
    if (deciders.length === 0) await this.askForApprovers(execution, connection);
    await this.executions.lookAgain(execution._id, 'pending_approval', null);
  }

  /**
   * Records one click. The answer says what it came to; a race is lost to whoever was first, by name. What is refused
   * or too late is on record as one audit event: who, what, why.
   * @throws DirectoryUnavailable when Slack cannot say who the person is: nothing was recorded
   */
  async decide(click: Click): Promise<DecisionOutcome> {
    const [approval, execution, settings] = await Promise.all([
      this.ofExecution(click.executionId),
      this.executions.get(click.executionId),
      this.settings.get(),
    ]);
    if (!approval || !execution) return this.refuse(click, GONE);
    const connection = await this.connection(approval.connectionId);
    if (!connection) return this.refuse(click, 'The connection was removed.');
    if (shortHash(approval.bindingHash) !== click.hash && approval.status === 'pending') {
      return this.outOfDate(click);
    }
    const eligible = await this.eligibility.mayDecide(approval, connection, click.userId);
    if (!eligible.ok) return this.refuse(click, eligible.reason);
    if (approval.status !== 'pending') return this.tooLate(click, approval);
    if (click.decision === 'approved' && (approval.frozenAt ?? freezingPause(settings, connection, null))) {
      return this.refuse(click, PAUSED);
    }
    if (click.decision === 'approved' && awaitsTarget(approval)) {
      return this.refuse(
        click,
        `What this would change has to be seen first: ${approval.targetNote ?? 'it is being read'}`,
      );
    }
    const risk = higherRisk(approval.edited?.risk ?? execution.risk, click.edit?.risk ?? 'read');
    if (risk === 'destructive' && (await this.isTooFast(approval, click.userId))) {
      return this.refuse(
        click,
        'That was faster than anybody can read. Read what will be destroyed, then press again.',
      );
    }
    if (connection.policy.version !== execution.policyVersion && click.decision === 'approved') {
      await this.end(approval, 'cancelled', 'The policy changed after this was asked.');
      return this.refuse(
        click,
        'The policy of this connection changed after this was asked, so the request is void.',
      );
    }
    const as = {
      ...(eligible.delegateOf ? { delegateOf: eligible.delegateOf } : {}),
      ...(eligible.soleOperator ? { soleOperator: true as const } : {}),
    };
    if (!click.edit && (await this.hasVoted(approval, click.userId, as))) return this.refuse(click, COUNTED);
    if (click.decision === 'approved' && (await this.hasToRead(approval, execution, click.userId))) {
      return this.refuse(click, UNREAD);
    }
    if (!approval.stepUp || click.decision === 'denied') return this.recordAs(click, approval, as);
    return (
      (await this.askForProof(click, approval.stepUp)) ??
      this.recordAs(click, approval, { ...as, proof: approval.stepUp })
    );
  }

  /** Who decides for somebody else, or about her own request, is on record before it counts. */
  private async recordAs(click: Click, approval: ApprovalDocument, as: DecidesAs): Promise<DecisionOutcome> {
    if (as.soleOperator) await this.auditClick(click, 'approval.sole_operator', {});
    if (as.delegateOf) await this.auditClick(click, 'approval.delegate', { delegateOf: as.delegateOf });
    return this.record(click, approval, as);
  }

  /** One person counts once, whatever the number of her accounts, and with whoever she decides for. */
  private async hasVoted({ decisions }: ApprovalDocument, userId: string, as: DecidesAs): Promise<boolean> {
    if (decisions.length === 0) return false;
    if (decisions.some((each) => isSameVote(each, userId, as))) return true;
    return !(await this.eligibility.areDistinct([...decisions.map((each) => each.userId), userId]));
  }

  /** Last of all that is checked, so that no code is spent on a click that is refused anyway. Null: she proved it. */
  private async askForProof(click: Click, kind: SecondProof): Promise<DecisionOutcome | null> {
    if (kind === 'oidc') {
      if (click.signedIn) return null;
      return click.proof === undefined
        ? { kind: 'refused', proof: 'sign_in', reason: NEEDS_SIGN_IN }
        : this.refuse(click, NEEDS_SIGN_IN);
    }
    if (click.proof === undefined) {
      // No refusal yet: the form that asks for it comes next.
      if (await this.proofs.enrolledSince(click.userId))
        return { kind: 'refused', proof: 'code', reason: NEEDS_PROOF };
      await this.auditClick(click, 'approval.refused_click', { reason: 'second proof: none' });
      return { kind: 'refused', proof: 'set_up', reason: PROOF_PROBLEMS.none };
    }
    const result = await this.proofs.prove(click.userId, click.proof);
    if (result === 'ok') return null;
    await this.auditClick(click, 'approval.refused_click', { reason: `second proof: ${result}` });
    const proof = result === 'none' ? 'set_up' : 'code';
    return { kind: 'refused', proof, reason: PROOF_PROBLEMS[result] };
  }

  /** Ends a pending request without a decision. Null when somebody was first. */
  async end(
    approval: ApprovalDocument,
    status: 'expired' | 'cancelled',
    endNote: string,
  ): Promise<ApprovalDocument | null> {
    const { models, workspaceId, clock } = this.deps;
    const onlyDue = status === 'expired' ? { frozenAt: null, $expr: { $lte: ['$expiresAt', '$$NOW'] } } : {};
    const updated = await models.approvals
      .findOneAndUpdate(
        { _id: approval._id, workspaceId, status: 'pending', ...onlyDue },
        { $set: { status, endedAt: clock.now(), endNote }, $inc: { rev: 1 } },
        { returnDocument: 'after' },
      )
      .lean();
    if (updated) await this.settle(updated);
    return updated;
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

  private async record(click: Click, seen: ApprovalDocument, as: DecidesAs): Promise<DecisionOutcome> {
    const { models, workspaceId, clock } = this.deps;
    let current = seen;
    for (;;) {
      if (current.status !== 'pending') return this.tooLate(click, current);
      // Somebody changed the arguments meanwhile: this click was about others.
      if (current.bindingHash !== seen.bindingHash) return this.outOfDate(click);
      const { edit } = click;
      if (!edit && current !== seen && (await this.hasVoted(current, click.userId, as)))
        return this.refuse(click, COUNTED);
      const approvals = edit ? 1 : current.decisions.length + 1;
      const quorum = edit?.rule?.quorum ?? current.quorum;
      const status = click.decision === 'denied' ? 'denied' : approvals >= quorum ? 'approved' : 'pending';
      const now = clock.now();
      const decision: Decision = {
        userId: click.userId,
        decision: click.decision,
        reason: click.reason,
        at: now,
        ...as,
      };
      crashAt('before_decision');
      const updated = await models.approvals
        .findOneAndUpdate(
          {
            _id: current._id,
            workspaceId,
            status: 'pending',
            rev: current.rev,
            ...inTime(click.decision),
          },
          {
            ...(edit ? {} : { $push: { decisions: decision } }),
            $set: {
              status,
              endedAt: status === 'pending' ? null : now,
              ...(edit ? replaced(current, edit, decision) : {}),
            },
            $inc: { rev: 1 },
          },
          { returnDocument: 'after' },
        )
        .lean();
      if (updated) {
        crashAt('after_decision');
        return { kind: 'recorded', approval: updated };
      }
      const reread = await this.ofExecution(click.executionId);
      if (!reread) return this.refuse(click, GONE);
      if (reread.rev === current.rev) {
        if (reread.frozenAt) return this.refuse(click, PAUSED);
        const expired = await this.end(reread, 'expired', 'Nobody decided in time.');
        return this.tooLate(click, expired ?? (await this.ofExecution(click.executionId)) ?? reread);
      }
      current = reread;
    }
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

  /** Whoever has an old card gets the current one. */
  private async outOfDate(click: Click): Promise<DecisionOutcome> {
    await this.outbox.refresh('approval', click.executionId);
    return this.refuse(
      click,
      'This card is out of date: the request it shows has changed. Use the current card.',
    );
  }

  private async tooLate(click: Click, approval: ApprovalDocument): Promise<DecisionOutcome> {
    await this.auditClick(click, 'approval.late_click', { status: approval.status });
    return { kind: 'too_late', approval };
  }

  private async refuse(click: Click, reason: string): Promise<DecisionOutcome> {
    await this.auditClick(click, 'approval.refused_click', { reason });
    return { kind: 'refused', reason };
  }

  private async auditClick(click: Click, action: string, details: Record<string, unknown>): Promise<void> {
    await this.audit.record({
      actor: { kind: 'user', id: click.userId },
      action,
      subject: { kind: 'execution', id: click.executionId },
      details: { decision: click.decision, ...details },
    });
  }

  /** Measured from when this person's copy, or the channel's, was posted; until that is noted, from the question. */
  private async isTooFast({ executionId, createdAt }: ApprovalDocument, userId: string): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const copies = await models.outbox
      .find({ workspaceId, subjectId: executionId, view: 'approval', ts: { $ne: null } }, { ts: 1, to: 1 })
      .lean();
    const posted = copies
      .filter((copy) => copy.to === userId || !copy.to.startsWith('U'))
      .map((copy) => Number(copy.ts) * 1_000);
    const shown = posted.length === 0 ? createdAt.getTime() : Math.min(...posted);
    return clock.now().getTime() - shown < READING_TIME_MS;
  }

  /** Once an hour for a function, however many calls of it wait. */
  private async askForApprovers(execution: ExecutionDocument, connection: ConnectionDocument): Promise<void> {
    const what = `nobody_can_decide:${connection._id}:${execution.function}`;
    if (!(await isFirstWithin(this.deps, QUIET_MS, what))) return;
    for (const admin of await this.roles.admins()) {
      await this.outbox.notify(admin, {
        kind: 'nobody_can_decide',
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

/** A request whose time stands still can be denied, and not approved. */
function inTime(decision: Decision['decision']) {
  const open = { $expr: { $gt: ['$expiresAt', '$$NOW'] } };
  return decision === 'approved' ? { frozenAt: null, ...open } : { $or: [{ frozenAt: { $ne: null } }, open] };
}

/** An edit is a new question and its first answer: approvals of the old arguments do not count for the new ones. */
function replaced(
  { decisions }: ApprovalDocument,
  { bindingHash, risk, rule }: EditedCall,
  first: Decision,
): Partial<ApprovalDocument> {
  const others = decisions.map(({ userId }) => userId).filter((id) => id !== first.userId);
  const edited = { by: first.userId, at: first.at, risk, voided: [...new Set(others)] };
  return { bindingHash, edited, decisions: [first], ...(rule ?? {}) };
}
