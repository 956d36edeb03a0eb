/**
 * Decisions: what a click comes to. Everything is asked first, who it is last of all, and then one compare-and-set on
 * the approval request decides (G3): of any number of clicks, in any number of processes, one wins.
 */
import type { ApprovalDocument, Decision, ExecutionDocument, Risk, SecondProof } from '../../models/types.js';
import { crashAt } from '../kill-points.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import { shortHash } from './binding.js';
import type { CallerService } from './callers.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { type EligibilityService, isSameVote } from './eligibility.js';
import type { ExecutionStore } from './execution-store.js';
import { isSideApproved } from './further-approvers.js';
import type { OutboxService } from './outbox.js';
import { higherRisk } from './policy.js';
import { freezingPause } from './recheck.js';
import { PROOF_PROBLEMS, type SecondFactorService } from './second-factors.js';
import type { SettingsService } from './settings.js';
import { awaitsTarget } from './targets.js';
import type { WaitingAnew } from './waiting-plan.js';

/** A destructive call is not decided within a second of its card: nobody reads that fast (abuse case 20). */
const READING_TIME_MS = 1_000;

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

/** Of what a request takes from its rule: who decides, and when. */
export type AskedByRule = Pick<ApprovalDocument, 'approvers' | 'quorum' | 'route'> & WaitingAnew;

/** The call as an approver made it; `src/services/edits.ts` has checked it. */
export interface EditedCall {
  readonly bindingHash: string;
  readonly risk: Risk;
  /** What its rule asks, as far as it is not what was asked before. */
  readonly rule: Partial<AskedByRule>;
  /** Whether a grant may answer the next one. */
  readonly rememberable: boolean;
  /** What it asks of its target, which was read, where that is more than was asked before. */
  readonly targetCheck: 'required' | 'best_effort' | null;
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

export const OUT_OF_DATE =
  'This card is out of date: the request it shows has changed. Use the current card.';
const GONE = 'That request does not exist (any more).';
const COUNTED = 'Your approval is counted already; the others are still to come.';
const SIDE_COUNTED =
  'A further approver has approved this already; the member whose account it is decides what is left.';
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

export interface DecisionParts {
  readonly approvals: Pick<ApprovalService, 'ofExecution' | 'end'>;
  readonly executions: ExecutionStore;
  readonly connections: Pick<ConnectionService, 'find'>;
  readonly callers: Pick<CallerService, 'get'>;
  readonly eligibility: EligibilityService;
  readonly settings: SettingsService;
  readonly proofs: Pick<SecondFactorService, 'enrolledSince' | 'prove'>;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
}

export class DecisionService {
  private hasToRead: HasToRead = async () => false;

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly parts: DecisionParts,
  ) {}

  /** Whoever draws the cards knows what they show; where none are drawn nobody clicks either. */
  holdToReading(hasToRead: HasToRead): void {
    this.hasToRead = hasToRead;
  }

  /**
   * Records one click. The answer says what it came to; a race is lost to whoever was first, by name. What is refused
   * or too late is on record as one audit event: who, what, why.
   * @throws DirectoryUnavailable when Slack cannot say who the person is: nothing was recorded
   */
  async decide(click: Click): Promise<DecisionOutcome> {
    const [approval, execution, settings] = await Promise.all([
      this.parts.approvals.ofExecution(click.executionId),
      this.parts.executions.get(click.executionId),
      this.parts.settings.get(),
    ]);
    if (!approval || !execution) return this.refuse(click, GONE);
    const [connection, caller] = await Promise.all([
      this.parts.connections.find(approval.connectionId),
      this.parts.callers.get(execution.callerId),
    ]);
    if (!connection) return this.refuse(click, 'The connection was removed.');
    if (shortHash(approval.bindingHash) !== click.hash && approval.status === 'pending') {
      return this.outOfDate(click);
    }
    const eligible = await this.parts.eligibility.mayDecide(approval, connection, click.userId);
    if (!eligible.ok) return this.refuse(click, eligible.reason);
    if (approval.status !== 'pending') return this.tooLate(click, approval);
    if (click.decision === 'approved' && (approval.frozenAt ?? freezingPause(settings, connection, caller))) {
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
      await this.parts.approvals.end(approval, 'cancelled', 'The policy changed after this was asked.');
      return this.refuse(
        click,
        'The policy of this connection changed after this was asked, so the request is void.',
      );
    }
    const as = {
      ...(eligible.delegateOf ? { delegateOf: eligible.delegateOf } : {}),
      ...(eligible.soleOperator ? { soleOperator: true as const } : {}),
    };
    const counted = await this.counted(click, approval, as);
    if (counted !== null) return this.refuse(click, counted);
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

  /** Why this click adds nothing to what is decided already; null when it does. An edit is a question anew. */
  private async counted(click: Click, approval: ApprovalDocument, as: DecidesAs): Promise<string | null> {
    if (click.edit) return null;
    if (await this.hasVoted(approval, click.userId, as)) return COUNTED;
    // Any number of further approvers are no approval of the member's; one of them can still deny.
    return click.decision === 'approved' && isSideApproved(approval, click.userId) ? SIDE_COUNTED : null;
  }

  /** One person counts once, whatever the number of her accounts, and with whoever she decides for. */
  private async hasVoted({ decisions }: ApprovalDocument, userId: string, as: DecidesAs): Promise<boolean> {
    if (decisions.length === 0) return false;
    if (decisions.some((each) => isSameVote(each, userId, as))) return true;
    return !(await this.parts.eligibility.areDistinct([...decisions, { ...as, userId }]));
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
      if (await this.parts.proofs.enrolledSince(click.userId))
        return { kind: 'refused', proof: 'code', reason: NEEDS_PROOF };
      await this.auditClick(click, 'approval.refused_click', { reason: 'second proof: none' });
      return { kind: 'refused', proof: 'set_up', reason: PROOF_PROBLEMS.none };
    }
    const result = await this.parts.proofs.prove(click.userId, click.proof);
    if (result === 'ok') return null;
    await this.auditClick(click, 'approval.refused_click', { reason: `second proof: ${result}` });
    const proof = result === 'none' ? 'set_up' : 'code';
    return { kind: 'refused', proof, reason: PROOF_PROBLEMS[result] };
  }

  private async record(click: Click, seen: ApprovalDocument, as: DecidesAs): Promise<DecisionOutcome> {
    const { models, workspaceId, clock } = this.deps;
    let current = seen;
    for (;;) {
      if (current.status !== 'pending') return this.tooLate(click, current);
      // Somebody changed the arguments meanwhile: this click was about others.
      if (current.bindingHash !== seen.bindingHash) return this.outOfDate(click);
      const { edit } = click;
      const counted = current === seen ? null : await this.counted(click, current, as);
      if (counted !== null) return this.refuse(click, counted);
      const approvals = edit ? 1 : current.decisions.length + 1;
      const quorum = edit?.rule.quorum ?? current.quorum;
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
      const reread = await this.parts.approvals.ofExecution(click.executionId);
      if (!reread) return this.refuse(click, GONE);
      if (reread.rev === current.rev) {
        if (reread.frozenAt) return this.refuse(click, PAUSED);
        const expired = await this.parts.approvals.end(reread, 'expired', 'Nobody decided in time.');
        return this.tooLate(
          click,
          expired ?? (await this.parts.approvals.ofExecution(click.executionId)) ?? reread,
        );
      }
      current = reread;
    }
  }

  /** Whoever has an old card gets the current one. */
  private async outOfDate(click: Click): Promise<DecisionOutcome> {
    await this.parts.outbox.refresh('approval', click.executionId);
    return this.refuse(click, OUT_OF_DATE);
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
    await this.parts.audit.record({
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
}

/** A request whose time stands still can be denied, and not approved. */
function inTime(decision: Decision['decision']) {
  const open = { $expr: { $gt: ['$expiresAt', '$$NOW'] } };
  return decision === 'approved' ? { frozenAt: null, ...open } : { $or: [{ frozenAt: { $ne: null } }, open] };
}

/** An edit is a new question and its first answer: approvals of the old arguments do not count for the new ones. */
function replaced(
  { decisions }: ApprovalDocument,
  { bindingHash, risk, rule, rememberable, targetCheck }: EditedCall,
  first: Decision,
): Partial<ApprovalDocument> {
  const others = decisions.map(({ userId }) => userId).filter((id) => id !== first.userId);
  const edited = { by: first.userId, at: first.at, risk, voided: [...new Set(others)] };
  const target = targetCheck === 'required' ? 'bound' : 'best_effort';
  const held = targetCheck ? ({ targetCheck, target } as const) : {};
  return { bindingHash, edited, decisions: [first], rememberable, ...rule, ...held };
}
