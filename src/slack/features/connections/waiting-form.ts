/** Reminders and escalation, as the form of a rule asks for them. */
import type { Approvers, Escalation, PolicyRule } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { requireMembers } from '../../../services/people.js';
import { hasApprover } from '../../../services/policy.js';
import { DEFAULT_REMINDERS } from '../../../services/waiting-plan.js';
import type { SlackEdge } from '../../edge.js';
import type { FormState } from '../../view-state.js';

const MOST_REMINDERS = 5;

/**
 * Reads the inputs of `waitingInputs`.
 * @throws AppError `invalid_arguments` with the path of the input
 */
export async function waitingOf(
  edge: SlackEdge,
  form: FormState,
  expiresInMinutes: number,
): Promise<Pick<PolicyRule, 'reminders' | 'escalation'>> {
  return {
    reminders: form.has('reminders') ? remindersOf(form.text('reminders')) : [...DEFAULT_REMINDERS],
    escalation: await escalationOf(edge, form, expiresInMinutes),
  };
}

function remindersOf(text: string): number[] {
  const parts = text.split(/[\s,;%]+/).filter((part) => part !== '');
  const numbers = parts.map(Number);
  if (
    parts.length <= MOST_REMINDERS &&
    numbers.every((each) => Number.isInteger(each) && each >= 1 && each <= 99)
  ) {
    return numbers.map((each) => each / 100);
  }
  const message = `Give up to ${MOST_REMINDERS} whole numbers from 1 to 99, like 50, 90.`;
  throw new AppError('invalid_arguments', message, { path: '/reminders' });
}

async function escalationOf(
  edge: SlackEdge,
  form: FormState,
  expiresInMinutes: number,
): Promise<Escalation | null> {
  const roles = form.choices('escalate_roles');
  const approvers: Approvers = {
    users: form.users('escalate_to'),
    usergroups: form.choices('escalate_groups'),
    connectionOwner: roles.includes('owner'),
    ...(roles.includes('business_owner') ? { businessOwner: true } : {}),
    ...(roles.includes('manager') ? { requesterManager: true } : {}),
  };
  const somebody = hasApprover({ approvers });
  if (form.text('escalate_after') === '') {
    if (!somebody) return null;
    throw new AppError('invalid_arguments', 'Say after how many minutes.', { path: '/escalate_after' });
  }
  if (!somebody) throw new AppError('invalid_arguments', 'Say who is asked then.', { path: '/escalate_to' });
  const afterMinutes = form.number('escalate_after');
  if (!Number.isInteger(afterMinutes) || afterMinutes < 1 || afterMinutes >= expiresInMinutes) {
    const message = `Give whole minutes, fewer than the ${expiresInMinutes} after which the request expires.`;
    throw new AppError('invalid_arguments', message, { path: '/escalate_after' });
  }
  await requireMembers(edge.deps.directory, approvers.users, '/escalate_to');
  return { approvers, afterMinutes };
}
