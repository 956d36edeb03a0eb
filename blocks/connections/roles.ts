/** Whom a list names by what she is, as forms offer it. */
import type { Approvers } from '../../models/types.js';
import type { Choice } from '../parts/inputs.js';

export const ROLES = [
  { value: 'owner', label: 'The connection’s owner', of: 'connectionOwner' },
  { value: 'business_owner', label: 'The connection’s business owner', of: 'businessOwner' },
  { value: 'manager', label: 'The requester’s manager', of: 'requesterManager' },
] as const satisfies readonly (Choice & { of: keyof Approvers })[];

export function initialRoles(list: Approvers | null): string[] {
  return ROLES.filter(({ of }) => list?.[of] === true).map(({ value }) => value);
}
