/** The allowed changes of state (shared/RELIABILITY.md, "Guarantees"). Nothing else may happen to a document. */
import type { ApprovalDocument, ExecutionDocument, ExecutionStatus } from './types.js';

export const EXECUTION_TRANSITIONS: Readonly<Record<ExecutionStatus, readonly ExecutionStatus[]>> = {
  pending_authorization: ['pending_approval', 'queued', 'denied', 'expired', 'cancelled'],
  pending_approval: ['queued', 'denied', 'expired', 'cancelled'],
  queued: ['executing', 'failed', 'expired', 'cancelled'],
  executing: ['succeeded', 'failed', 'outcome_unknown'],
  succeeded: [],
  failed: [],
  outcome_unknown: [],
  denied: [],
  expired: [],
  cancelled: [],
};

/**
 * The states a call may be recorded in at first. `denied`: policy blocks it, or it is paused. `failed`: the consent lacks
 * a scope that it needs. `cancelled`: it was to be asked again, and what it needs is gone.
 */
export const EXECUTION_STARTS: readonly ExecutionStatus[] = [
  'pending_authorization',
  'pending_approval',
  'queued',
  'executing',
  'denied',
  'failed',
  'cancelled',
];

export const APPROVAL_TRANSITIONS: Readonly<
  Record<ApprovalDocument['status'], readonly ApprovalDocument['status'][]>
> = {
  pending: ['approved', 'denied', 'expired', 'cancelled'],
  approved: [],
  denied: [],
  expired: [],
  cancelled: [],
};

export function isTerminal(status: ExecutionStatus): boolean {
  return EXECUTION_TRANSITIONS[status].length === 0;
}

/** @throws Error when the table does not allow the change: a bug of ours, never a user's. */
export function assertTransition(from: ExecutionStatus, to: ExecutionStatus): void {
  if (!EXECUTION_TRANSITIONS[from].includes(to)) throw new Error(`execution cannot go from ${from} to ${to}`);
}

/** The status of an approval request that an execution without one shows. */
export function initialApprovalStatus(
  requirement: ExecutionDocument['requirement'],
): ExecutionDocument['approvalStatus'] {
  return requirement === 'required' ? 'pending' : 'not_required';
}
