/**
 * "Edit, then approve": an approver changes the arguments, and what she made of them is the call that she approves.
 * Everything that was asked of the caller's arguments is asked of hers; then one compare-and-set on the approval
 * request stores the new digest together with her decision. The arguments are stored before it, under that digest.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import { bindingHash, shortHash } from './binding.js';
import type { CallFacts } from './call-facts.js';
import type { Known } from './conditions.js';
import type { ConnectionService } from './connections.js';
import { type DecisionOutcome, type DecisionService, type EditedCall, OUT_OF_DATE } from './decisions.js';
import type { Dependencies } from './dependencies.js';
import { changedFields } from './edited-fields.js';
import type { EligibilityService } from './eligibility.js';
import type { ExecutionStore } from './execution-store.js';
import { type FileService, missingFile } from './files.js';
import { definitionHashOf, enabledFunction } from './functions.js';
import { furtherOf } from './further-approvers.js';
import type { OutboxService } from './outbox.js';
import type { PayloadService } from './payloads.js';
import { evaluate, type Verdict } from './policy.js';
import { isRead, raisedCheck, type TargetService } from './targets.js';
import { waitingAnew } from './waiting-plan.js';

export interface EditParts {
  readonly executions: ExecutionStore;
  readonly payloads: PayloadService;
  readonly approvals: ApprovalService;
  readonly decisions: DecisionService;
  readonly eligibility: EligibilityService;
  readonly connections: ConnectionService;
  readonly files: FileService;
  readonly facts: CallFacts;
  readonly targets: TargetService;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
}

/** Who edits which request; the digest's first digits are those of what she was shown. */
export interface EditTarget {
  readonly executionId: string;
  readonly hash: string;
  readonly userId: string;
  /** Six digits of her second proof, where the request asks for one. */
  readonly proof?: string;
  /** As `Click.signedIn`. */
  readonly signedIn?: true;
}

/** What the form is made of. */
export interface OpenEdit {
  readonly execution: ExecutionDocument;
  readonly approval: ApprovalDocument;
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
}

export type EditOutcome =
  | DecisionOutcome
  | { readonly kind: 'invalid'; readonly issues: readonly { path: string; message: string }[] };

/** The click is answered within 2.5 s (G7). */
const LOOK_LIMIT_MS = 1_200;
const OTHER_TARGET =
  'With these changes the call would change something else than the card shows, or what it shows has moved meanwhile. Deny it, and let the caller ask for it like this.';
const UNSEEN_TARGET =
  'With these changes what the call would change has to be seen first, and the card does not show it. Deny it, and let the caller ask for it like this.';

export class EditService {
  constructor(
    private readonly deps: Pick<Dependencies, 'connector' | 'clock' | 'log'>,
    private readonly parts: EditParts,
  ) {}

  /**
   * For the form: the arguments as they stand, for somebody who may decide. That she reads them is on record.
   * @throws AppError `forbidden` | `not_found` | `invalid_arguments`, in words for the person
   * @throws DirectoryUnavailable
   */
  async open(target: EditTarget): Promise<OpenEdit> {
    const found = await this.current(target);
    const { approval, execution } = found;
    if (approval.status !== 'pending') {
      await this.noteLate(target, approval);
      throw new AppError('invalid_arguments', 'Too late: this is not waiting for anybody any more.');
    }
    if (shortHash(approval.bindingHash) !== target.hash) {
      await this.parts.outbox.refresh('approval', execution._id);
      throw await this.forbid(target, OUT_OF_DATE);
    }
    await this.note(target, 'payload.viewed');
    return found;
  }

  /**
   * Checks what she made of it and decides. `invalid` names what the function does not take; a refusal is in words.
   * @throws AppError as `open` does · DirectoryUnavailable: nothing was recorded
   */
  async submit(
    target: EditTarget,
    given: Readonly<Record<string, JsonValue>>,
    seen?: OpenEdit,
  ): Promise<EditOutcome> {
    // Whoever read the form has just loaded it; who may decide, and about what, is asked again with the decision.
    const found = seen ?? (await this.current(target));
    const { execution, approval, connection, fn } = found;
    if (approval.status !== 'pending') {
      await this.noteLate(target, approval);
      return { kind: 'too_late', approval };
    }
    if (shortHash(approval.bindingHash) !== target.hash) return this.refuse(target, OUT_OF_DATE);
    const parsed = fn.input.parse(given);
    if (!parsed.ok) return { kind: 'invalid', issues: parsed.issues };
    const args = parsed.value;
    if (canonicalHash(args) === canonicalHash(found.args)) {
      const message = 'Nothing is changed. To approve it as it is, press Approve on the card.';
      return { kind: 'invalid', issues: [{ path: '', message }] };
    }
    for (const reference of fn.files?.(args) ?? []) {
      if (await this.parts.files.find(execution.callerId, reference)) continue;
      return { kind: 'invalid', issues: [{ path: '', message: missingFile(reference) }] };
    }
    const { facts, targets } = this.parts;
    const known = await facts.known(connection, connection.policy.rules, execution.callerName);
    const verdict = evaluate(connection, fn, args, known);
    const rule = await this.ruleFor(found, target.userId, verdict, known);
    if ('refusal' in rule) return this.refuse(target, rule.refusal);
    const targetCheck = raisedCheck(fn, verdict, approval);
    if (targetCheck && !isRead(approval.target)) return this.refuse(target, UNSEEN_TARGET);
    if (!(await targets.pointsAtSame(execution, approval, args, LOOK_LIMIT_MS))) {
      return this.refuse(target, OTHER_TARGET);
    }
    const hash = bindingHash(execution, args);
    await this.parts.payloads.storeEdited(execution, hash, args);
    const outcome = await this.parts.decisions.decide({
      ...target,
      decision: 'approved',
      reason: null,
      edit: {
        bindingHash: hash,
        risk: verdict.risk,
        rule: rule.asked,
        rememberable: verdict.rememberable && !approval.further,
        targetCheck,
      },
    });
    if (outcome.kind === 'recorded') await this.tell(target, found, args, outcome.approval);
    return outcome;
  }

  /**
   * As it is now, for somebody who may decide now.
   * @throws AppError `forbidden` | `not_found` | `invalid_arguments`, in words for the person · DirectoryUnavailable
   */
  async current(target: EditTarget): Promise<OpenEdit> {
    const { executionId, userId } = target;
    const { approvals, executions, connections, payloads } = this.parts;
    const [approval, execution] = await Promise.all([
      approvals.ofExecution(executionId),
      executions.get(executionId),
    ]);
    const connection = approval ? await connections.find(approval.connectionId) : null;
    if (!approval || !execution || !connection) {
      throw await this.forbid(target, 'That request does not exist any more.', 'not_found');
    }
    const eligible = await this.parts.eligibility.mayDecide(approval, connection, userId);
    if (!eligible.ok) throw await this.forbid(target, eligible.reason);
    const connector = await this.deps.connector(connection.connector);
    const fn = enabledFunction(connector, connection, execution.function);
    const { bindingHash: digest } = approval;
    const args = fn ? await payloads.arguments({ _id: execution._id, bindingHash: digest }) : null;
    if (!fn || !args || definitionHashOf(connector, connection, fn) !== execution.definitionHash) {
      throw new AppError(
        'invalid_arguments',
        'The function was changed or turned off after this was asked, so it could not run anyway.',
      );
    }
    if (fn.editable === false) {
      const message = `“${fn.title}” does not let its arguments be changed. Approve it or deny it.`;
      throw await this.forbid(target, message);
    }
    return { approval, execution, connection, fn, args };
  }

  /** The policy of the changed call: no looser for her than for anybody who approves such a call. */
  private async ruleFor(
    { connection, execution, approval, fn, args: before }: OpenEdit,
    userId: string,
    verdict: Verdict,
    known: Known,
  ): Promise<{ readonly asked: EditedCall['rule'] } | { readonly refusal: string }> {
    if (verdict.effect === 'deny') {
      return { refusal: `With these changes the policy of “${connection.name}” blocks the call.` };
    }
    const { rule } = verdict;
    const old = evaluate(connection, fn, before, known).rule;
    // Nothing would be asked for the changed call alone; it was asked, and she answers.
    if (verdict.effect === 'allow' || JSON.stringify(rule) === JSON.stringify(old)) return { asked: {} };
    if (rule.stepUp && rule.stepUp !== approval.stepUp) {
      return {
        refusal:
          'With these changes another second proof is needed, which this request does not ask for. Deny it, and let the caller ask for it like this.',
      };
    }
    const isPrivate = execution.subject !== SHARED;
    const waits = waitingAnew(rule, approval, this.deps.clock.now(), isPrivate);
    // A private connection acts as the member: whoever else has to approve was asked with her, or is asked anew.
    if (isPrivate) {
      const further = furtherOf(connection, rule);
      if (further === null || isDeepStrictEqual(further, approval.further)) return { asked: waits };
      return {
        refusal:
          'With these changes another further approver is needed, whom this request does not ask. Deny it, and let the caller ask for it like this.',
      };
    }
    const question = { approvers: rule.approvers, excluded: approval.excluded };
    const eligible = await this.parts.eligibility.mayDecide(question, connection, userId);
    if (!eligible.ok) {
      return { refusal: `With these changes another rule of the policy applies. ${eligible.reason}` };
    }
    const { approvers, quorum, route } = rule;
    return { asked: { approvers, quorum, route, ...waits } };
  }

  private async forbid(
    target: EditTarget,
    reason: string,
    code: 'forbidden' | 'not_found' = 'forbidden',
  ): Promise<AppError> {
    await this.refuse(target, reason);
    return new AppError(code, reason, { refusal: 'recorded' });
  }

  private async refuse(target: EditTarget, reason: string): Promise<EditOutcome> {
    await this.note(target, 'approval.refused_edit', { reason });
    return { kind: 'refused', reason };
  }

  private async noteLate(target: EditTarget, { status }: ApprovalDocument): Promise<void> {
    await this.note(target, 'approval.late_click', { decision: 'approved', status });
  }

  private async note(
    { userId, executionId }: EditTarget,
    action: string,
    details: Record<string, unknown> = {},
  ): Promise<void> {
    const subject = { kind: 'execution', id: executionId };
    await this.parts.audit.record({ actor: { kind: 'user', id: userId }, action, subject, details });
  }

  /** The record of the change, without what it says; and whoever approved something else is told. */
  private async tell(
    target: EditTarget,
    { execution, args: before, approval: old }: OpenEdit,
    args: Arguments,
    approval: ApprovalDocument,
  ): Promise<void> {
    const voided = approval.edited?.voided ?? [];
    await this.note(target, 'approval.edited', {
      fields: changedFields(before, args).map(({ path }) => path),
      before: shortHash(old.bindingHash),
      after: shortHash(approval.bindingHash),
      voided,
    });
    const { _id: executionId, functionTitle } = execution;
    for (const other of voided) {
      const notice = { kind: 'approval_voided', executionId, by: target.userId, functionTitle } as const;
      await this.parts.outbox.notify(other, notice);
    }
    if (approval.status !== 'pending') return;
    await this.parts.executions.endsAt(executionId, 'pending_approval', approval.expiresAt);
    await this.parts.approvals.announce(execution);
  }
}
