/** Approvers, route and expiry, as two forms ask for them. */
import type { Approvers } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { requireMembers } from '../../../services/people.js';
import { DEFAULT_EXPIRY_MINUTES, hasApprover } from '../../../services/policy.js';
import type { SlackEdge } from '../../edge.js';
import type { FormState } from '../../view-state.js';

export interface AskedQuestion {
  readonly approvers: Approvers;
  readonly quorum: number;
  readonly route: string | null;
  readonly expiresInMinutes: number;
}

export const NO_APPROVERS: Approvers = { users: [], usergroups: [], connectionOwner: false };

/**
 * Reads the inputs of `questionInputs`.
 * @param required somebody has to be named
 * @throws AppError `invalid_arguments` with the path of the input
 */
export async function questionOf(
  edge: SlackEdge,
  form: FormState,
  required: boolean,
): Promise<AskedQuestion> {
  const approvers: Approvers = {
    users: form.users('approvers'),
    usergroups: form.choices('approver_groups'),
    connectionOwner: form.choices('approver_owner').includes('owner'),
    ...(form.choices('approver_business_owner').length > 0 ? { businessOwner: true } : {}),
    ...(form.choices('approver_manager').length > 0 ? { requesterManager: true } : {}),
  };
  if (required && form.has('approvers') && !hasApprover({ approvers })) {
    throw new AppError(
      'invalid_arguments',
      'Name at least one approver, a user group, an owner, or the manager.',
      {
        path: '/approvers',
      },
    );
  }
  await requireMembers(edge.deps.directory, approvers.users, '/approvers');
  const expiresInMinutes = form.has('expiry') ? form.number('expiry') : DEFAULT_EXPIRY_MINUTES;
  if (!Number.isInteger(expiresInMinutes) || expiresInMinutes < 1 || expiresInMinutes > 10_080) {
    throw new AppError('invalid_arguments', 'Give whole minutes, 1 to 10080 (a week).', { path: '/expiry' });
  }
  return {
    approvers,
    quorum: form.has('quorum') ? form.number('quorum') : 1,
    route: form.channel('route'),
    expiresInMinutes,
  };
}
