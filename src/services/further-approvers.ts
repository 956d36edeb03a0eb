/**
 * A further approver on a private connection (PRODUCT.md, "Approvals"): besides the member's own approval one of this
 * list has to approve. The member consents to it: her consent keeps a digest of the lists that she was told of.
 */
import type { ApprovalDocument, Approvers, ConnectionDocument, PolicyRule } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Directory } from './directory.js';
import { hasApprover } from './policy.js';

type Governed = Pick<ConnectionDocument, 'identity'> & {
  readonly policy: { readonly rules: readonly PolicyRule[] };
};

/** Null where none is required: on a shared connection always. */
export function furtherOf(
  { identity }: Pick<ConnectionDocument, 'identity'>,
  { furtherApprovers }: Pick<PolicyRule, 'furtherApprovers'>,
): Approvers | null {
  if (identity !== 'private' || !furtherApprovers) return null;
  return hasApprover({ approvers: furtherApprovers }) ? furtherApprovers : null;
}

/** The different lists that the rules of a connection require; empty where none is. */
export function furtherLists(connection: Governed): readonly Approvers[] {
  const lists = connection.policy.rules.flatMap((rule) => {
    const list = rule.effect === 'deny' ? null : furtherOf(connection, rule);
    return list ? [[digestOf(list), list] as const] : [];
  });
  return [...new Map(lists).values()];
}

/** What a consent is compared by: SHA-256 over the lists, whatever their order. Null where none is required. */
export function furtherHash(connection: Governed): string | null {
  const digests = furtherLists(connection).map(digestOf).sort();
  return digests.length === 0 ? null : canonicalHash(digests);
}

/** Whether what she was told of, when she consented, is what is required now. Nobody consents to less than nothing. */
export function coversFurther(told: string | null | undefined, connection: Governed): boolean {
  const required = furtherHash(connection);
  return required === null || told === required;
}

/**
 * The member has one approval to give, and the list one: whether the one that this person could give has been given.
 * False where no further approver is asked.
 */
export function isSideApproved(
  { further, approvers, decisions }: Pick<ApprovalDocument, 'further' | 'approvers' | 'decisions'>,
  userId: string,
): boolean {
  if (!further) return false;
  const isMember = (id: string): boolean => approvers.users.includes(id);
  return decisions.some((each) => each.decision === 'approved' && isMember(each.userId) === isMember(userId));
}

/** The people of each list by name, for a page in the browser; Slack names them itself. @throws DirectoryUnavailable */
export function furtherNames(
  connection: ConnectionDocument,
  memberId: string,
  directory: Directory,
): Promise<readonly (readonly string[])[]> {
  const namesOf = async (list: Approvers): Promise<readonly string[]> => {
    const groups = await Promise.all(list.usergroups.map((id) => directory.groupMembers(id)));
    const manager = list.requesterManager ? await directory.managerOf(memberId) : null;
    const ids = [
      ...list.users,
      ...groups.flat(),
      ...(list.connectionOwner ? [connection.ownerId] : []),
      ...(list.businessOwner && connection.businessOwnerId ? [connection.businessOwnerId] : []),
      ...(manager ? [manager] : []),
    ];
    const others = [...new Set(ids)].filter((id) => id !== memberId);
    return Promise.all(others.map(async (id) => (await directory.person(id))?.name ?? id));
  };
  return Promise.all(furtherLists(connection).map(namesOf));
}

function digestOf(list: Approvers): string {
  return canonicalHash({
    users: [...list.users].sort(),
    usergroups: [...list.usergroups].sort(),
    roles: [list.connectionOwner, list.businessOwner === true, list.requesterManager === true],
  });
}
