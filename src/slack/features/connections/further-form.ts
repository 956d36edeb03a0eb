/** The further approver of a rule, as its form asks for her. */
import type { Approvers, PolicyRule } from '../../../../models/types.js';
import { requireMembers } from '../../../services/people.js';
import { hasApprover } from '../../../services/policy.js';
import type { SlackEdge } from '../../edge.js';
import type { FormState } from '../../view-state.js';

/**
 * Reads the inputs of `furtherInputs`; nothing where the form has none.
 * @throws AppError `invalid_arguments` with the path of the input
 */
export async function furtherApproversOf(
  edge: SlackEdge,
  form: FormState,
): Promise<Pick<PolicyRule, 'furtherApprovers'>> {
  if (!form.has('further')) return {};
  const roles = form.choices('further_roles');
  const approvers: Approvers = {
    users: form.users('further'),
    usergroups: form.choices('further_groups'),
    connectionOwner: roles.includes('owner'),
    ...(roles.includes('business_owner') ? { businessOwner: true } : {}),
    ...(roles.includes('manager') ? { requesterManager: true } : {}),
  };
  await requireMembers(edge.deps.directory, approvers.users, '/further');
  return { furtherApprovers: hasApprover({ approvers }) ? approvers : null };
}
