/** Five approvals alike: then a card suggests a grant. It is never made without a person. */
import type { ApprovalDocument, ExecutionDocument } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments } from '../connectors/framework.js';
import type { ApprovalService } from './approvals.js';
import type { Dependencies } from './dependencies.js';
import { canBeLimited, scopeChoices, scopeFits, scopeOf } from './grant-scope.js';
import type { PayloadService } from './payloads.js';

/** The approvals, all alike, after which a card suggests a grant. */
export const SUGGESTED_AFTER = 5;
/** Decided requests that are looked at: those of other places may stand between those alike. */
const LOOKED_AT = SUGGESTED_AFTER * 4;
const ALIKE_WITHIN_MS = 30 * 86_400_000;

interface Parts {
  readonly approvals: Pick<ApprovalService, 'forExecutions'>;
  readonly payloads: Pick<PayloadService, 'arguments' | 'argumentsById'>;
}

/**
 * Whether the five that were decided last, of those like this one, were all approved as they were asked. Alike: asked by
 * this caller of the same people, with what a grant would be limited to unless somebody chose otherwise. One that was
 * edited counts as alike, and as no approval of what the caller wanted.
 */
export async function suggestsGrant(
  execution: ExecutionDocument,
  approval: ApprovalDocument,
  { models, workspaceId, clock }: Pick<Dependencies, 'models' | 'workspaceId' | 'clock'>,
  { approvals, payloads }: Parts,
): Promise<boolean> {
  if (approval.status !== 'pending' || !approval.rememberable || approval.quorum > 1) return false;
  const { callerId, connectionId, subject, policyVersion } = execution;
  const decided = await models.executions
    .find({
      workspaceId,
      callerId,
      connectionId,
      function: execution.function,
      subject,
      policyVersion,
      approvalStatus: { $in: ['approved', 'denied'] },
      createdAt: { $gt: new Date(clock.now().getTime() - ALIKE_WITHIN_MS) },
    })
    .sort({ createdAt: -1 })
    .limit(LOOKED_AT)
    .lean();
  if (decided.length < SUGGESTED_AFTER) return false;
  const list = listOf(approval);
  const earlier = (await approvals.forExecutions(decided.map(({ _id }) => _id)))
    .filter((each) => listOf(each) === list)
    .sort((one, other) => Number(other.endedAt) - Number(one.endedAt));
  if (earlier.length < SUGGESTED_AFTER) return false;
  const args = await payloads.arguments({ _id: execution._id, bindingHash: approval.bindingHash });
  if (!args || !canBeLimited(execution.risk, args)) return false;
  const known = await payloads.argumentsById(decided);
  const alike = earlier.filter(
    ({ executionId, edited }) => edited || isAlike(args, known.get(executionId) ?? null),
  );
  const newest = alike.slice(0, SUGGESTED_AFTER);
  return (
    newest.length === SUGGESTED_AFTER &&
    newest.every(({ status, edited }) => status === 'approved' && !edited)
  );
}

/** Null: not kept any more, so nobody can tell. */
function isAlike(args: Arguments, earlier: Arguments | null): boolean {
  if (!earlier) return false;
  const scope = scopeOf(
    'alike',
    args,
    scopeChoices(args).filter(({ preselected }) => preselected),
  );
  // Fewer arguments than this call has are still of its kind; that one has more is not.
  return scopeFits('alike', scope, earlier);
}

function listOf({ approvers, quorum }: ApprovalDocument): string {
  const { users, usergroups, connectionOwner, businessOwner, requesterManager } = approvers;
  return canonicalHash({
    users: [...users].sort(),
    usergroups: [...usergroups].sort(),
    roles: [connectionOwner, businessOwner === true, requesterManager === true],
    quorum,
  });
}
