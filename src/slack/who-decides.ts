/** Who may decide a request, as its card says it: by name where that is known, without asking Slack for more than that. */
import type { ShownAttention } from '../../blocks/parts/attention.js';
import type {
  ApprovalDocument,
  Approvers,
  CallerDocument,
  ConnectionDocument,
  ExecutionDocument,
} from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import type { Dependencies } from '../services/dependencies.js';
import { isSideApproved } from '../services/further-approvers.js';
import type { Services } from '../services/index.js';
import { freezingPause } from '../services/recheck.js';

export interface WhoDecides {
  readonly deciders: { readonly users: readonly string[]; readonly groups: readonly string[] };
  /** Besides the member; null where nobody is asked, or one of them has approved. */
  readonly further: { readonly users: readonly string[]; readonly groups: readonly string[] } | null;
  readonly attention: ShownAttention;
}

export async function whoDecides(
  execution: ExecutionDocument,
  approval: ApprovalDocument,
  connection: ConnectionDocument | null,
  caller: CallerDocument | null,
  services: Services,
  deps: Dependencies,
): Promise<WhoDecides> {
  const settings = await services.settings.get();
  const shared = execution.subject === SHARED;
  const soleOperator = shared && settings.soleOperator === true;
  const { escalateTo, escalateAt, escalatedAt } = approval;
  const isExcluded = (id: string): boolean => !soleOperator && approval.excluded.includes(id);
  const able = async (ids: string[]): Promise<string[]> =>
    approval.status === 'pending' ? stillThere(ids, (id) => canDecide(id, deps)) : ids;
  const namesOf = async (list: Approvers): Promise<string[]> => {
    const manager = list.requesterManager ? await managerOf(approval, deps) : null;
    const all = [
      ...list.users,
      ...(list.connectionOwner && connection ? [connection.ownerId] : []),
      ...(list.businessOwner && connection?.businessOwnerId ? [connection.businessOwnerId] : []),
      ...(manager ? [manager] : []),
    ];
    const open = [...new Set(all)].filter((id) => !isExcluded(id));
    return able(open);
  };
  const { further } = approval;
  // The member decides about her own account; `excluded` is about the others then.
  const own = approval.approvers.users;
  const isOpen = (userId: string): boolean =>
    approval.status !== 'pending' || !isSideApproved(approval, userId);
  const first = further ? await able(own.filter(isOpen)) : await namesOf(approval.approvers);
  const second = escalateTo ? await namesOf(escalateTo) : [];
  const users = [...new Set([...first, ...(escalatedAt ? second : [])])];
  const listed = [
    ...new Set([...approval.approvers.usergroups, ...(escalatedAt ? (escalateTo?.usergroups ?? []) : [])]),
  ];
  const hasMembers = async (id: string) => (await deps.directory.groupMembers(id)).length > 0;
  const present = async (ids: readonly string[]): Promise<readonly string[]> =>
    approval.status === 'pending' ? stillThere(ids, hasMembers) : ids;
  const groups = await present(listed);
  const pause = approval.frozenAt ? freezingPause(settings, connection, caller) : null;
  const delegations = shared ? await services.delegations.among(users) : [];
  // Nobody of the list has the member's id.
  const others =
    further && isOpen('')
      ? { users: await namesOf(further), groups: await present(further.usergroups) }
      : null;
  const asksAt = escalatedAt ?? escalateAt ?? null;
  return {
    deciders: { users, groups },
    further: others,
    attention: {
      several: isForSeveral(others ?? { users, groups }, delegations.length) || approval.route !== null,
      looking: approval.looking ?? [],
      delegates: delegations.filter(({ delegateId }) => !isExcluded(delegateId)),
      escalation:
        escalateTo && asksAt
          ? { at: asksAt, asked: Boolean(escalatedAt), users: second, groups: escalateTo.usergroups }
          : null,
      paused: approval.frozenAt ? { by: pause?.by ?? 'an admin', reason: pause?.reason ?? '' } : null,
      soleOperator,
    },
  };
}

/** A group counts as more than one. */
function isForSeveral({ users, groups }: WhoDecides['deciders'], delegates: number): boolean {
  return users.length + 2 * groups.length + delegates > 1;
}

async function canDecide(id: string, deps: Dependencies): Promise<boolean> {
  const person = await deps.directory.person(id);
  return person?.active === true && !person.outsider && !person.isBot;
}

/** Nobody waits for who has left. Whom Slack does not tell about just now stays named; deciding then refuses. */
async function stillThere(
  ids: readonly string[],
  isThere: (id: string) => Promise<boolean>,
): Promise<string[]> {
  const there = await Promise.all(ids.map((id) => isThere(id).catch(() => true)));
  return ids.filter((_, at) => there[at]);
}

/** A card is drawn also while Slack does not say who the manager is; deciding then refuses. */
async function managerOf(
  { requesterId, excluded }: ApprovalDocument,
  deps: Dependencies,
): Promise<string | null> {
  const of = requesterId ?? excluded[0];
  return of ? deps.directory.managerOf(of).catch(() => null) : null;
}
