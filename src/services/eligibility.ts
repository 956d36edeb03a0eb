/** Who may decide an approval request. Asked at the click and again before the call runs. */
import type { ApprovalDocument, Approvers, ConnectionDocument, Decision } from '../../models/types.js';
import type { DelegationService } from './delegations.js';
import type { Dependencies } from './dependencies.js';
import type { Freshness, Person } from './directory.js';
import type { RoleService } from './roles.js';
import type { SettingsService } from './settings.js';

export type Eligibility =
  | {
      ok: true;
      /** Who is away, and for whom this person decides. */
      delegateOf?: string;
      /** It is her own request, and she is the workspace's sole operator. */
      soleOperator?: true;
    }
  | { ok: false; reason: string };

type Vote = Pick<Decision, 'userId' | 'delegateOf'>;

const refuse = (reason: string): Eligibility => ({ ok: false, reason });
const OWN = 'You asked for this call, or own the caller that did. Somebody else has to decide it.';
const OWN_ACCOUNT =
  'This account has the same verified email as somebody who asked for this call. Somebody else has to decide it.';

type Question = Pick<ApprovalDocument, 'approvers' | 'excluded'> &
  Partial<Pick<ApprovalDocument, 'escalatedAt' | 'escalateTo' | 'further' | 'requesterId'>>;
type Asked = Pick<ConnectionDocument, 'ownerId'> &
  Partial<Pick<ConnectionDocument, 'businessOwnerId' | 'identity'>>;

export class EligibilityService {
  constructor(
    private readonly deps: Pick<Dependencies, 'directory'>,
    private readonly parts: {
      readonly settings: SettingsService;
      readonly roles: RoleService;
      readonly delegations: DelegationService;
    },
  ) {}

  /** @throws DirectoryUnavailable: then nothing is recorded and nothing runs (G7) */
  async mayDecide(
    approval: Question,
    connection: Asked,
    userId: string,
    freshness: Freshness = 'decision',
  ): Promise<Eligibility> {
    // All that Slack is asked, it is asked at once: a click waits for one answer, not for three.
    const [person, own, listed] = await Promise.all([
      this.deps.directory.person(userId, freshness),
      isMembersOwn(approval, userId) ? null : this.ownRequest(approval, userId, freshness),
      this.isListed(approval, connection, userId, freshness),
    ]);
    if (own !== null) {
      const sole = listed && (await this.isSoleOperator(userId));
      if (!sole) return refuse(own);
    }
    const absent = listed ? null : await this.absentApprover(approval, connection, userId, freshness);
    if (!listed && absent === null) return refuse('You are not on the list of people who may decide this.');
    if (!person?.active) return refuse('A deactivated account cannot decide.');
    if (person.outsider || person.isBot)
      return refuse('Guests, apps and people of other workspaces cannot decide.');
    return {
      ok: true,
      ...(absent === null ? {} : { delegateOf: absent }),
      ...(own === null ? {} : { soleOperator: true as const }),
    };
  }

  /**
   * Everybody who may decide now, for the card's copies. Excluded and deactivated people are left out.
   * @param enough no more are looked for: Slack is asked about each, and about all of a large group it does not answer
   */
  async deciders(
    approval: Question,
    connection: Asked,
    enough = Number.POSITIVE_INFINITY,
  ): Promise<readonly string[]> {
    const listed = (
      await Promise.all(listsOf(approval).map((list) => this.named(list, approval, connection)))
    ).flat();
    const delegates = isPersonal(connection) ? [] : await this.parts.delegations.among(listed);
    const able: string[] = [];
    for (const userId of new Set([...listed, ...delegates.map(({ delegateId }) => delegateId)])) {
      if (able.length >= enough) break;
      if ((await this.mayDecide(approval, connection, userId, 'display')).ok) able.push(userId);
    }
    return able;
  }

  /**
   * Whether no two of these votes are known to be one person's, whichever of her accounts they came from, and whether
   * she gave them herself or who stands in for her did: her approval counts once. @throws DirectoryUnavailable
   */
  async areDistinct(votes: readonly Vote[], freshness: Freshness = 'decision'): Promise<boolean> {
    const voices = await Promise.all(
      votes.map((vote) =>
        Promise.all(accountsOf(vote).map((id) => this.deps.directory.person(id, freshness))),
      ),
    );
    return !voices.some((one, at) =>
      voices
        .slice(at + 1)
        .some((other) => one.some((mine) => other.some((hers) => isSamePerson(mine, hers)))),
    );
  }

  /** Why this counts as her own request; null when it is not. */
  private async ownRequest(
    { excluded }: Question,
    userId: string,
    freshness: Freshness,
  ): Promise<string | null> {
    if (excluded.includes(userId)) return OWN;
    const [person = null, ...others] = await Promise.all(
      [userId, ...excluded].map((id) => this.deps.directory.person(id, freshness)),
    );
    return others.some((other) => isSamePerson(person, other)) ? OWN_ACCOUNT : null;
  }

  private async isSoleOperator(userId: string): Promise<boolean> {
    if ((await this.parts.settings.get()).soleOperator !== true) return false;
    return (await this.parts.roles.of(userId)).admin;
  }

  /**
   * Somebody who is away, named this person, and could decide herself. Never on a private connection: there her own yes
   * is what counts, and hers alone.
   */
  private async absentApprover(
    approval: Question,
    connection: Asked,
    userId: string,
    freshness: Freshness,
  ): Promise<string | null> {
    if (isPersonal(connection)) return null;
    for (const memberId of await this.parts.delegations.awayFor(userId)) {
      if (!(await this.isListed(approval, connection, memberId, freshness))) continue;
      const member = await this.deps.directory.person(memberId, freshness);
      if (!member?.active || member.outsider) continue;
      if ((await this.ownRequest(approval, memberId, freshness)) === null) return memberId;
    }
    return null;
  }

  private async isListed(
    approval: Question,
    connection: Asked,
    userId: string,
    freshness: Freshness,
  ): Promise<boolean> {
    for (const list of listsOf(approval)) {
      if (list.users.includes(userId)) return true;
      if (list.connectionOwner && connection.ownerId === userId) return true;
      if (list.businessOwner && connection.businessOwnerId === userId) return true;
      for (const group of list.usergroups) {
        if ((await this.deps.directory.groupMembers(group, freshness)).includes(userId)) return true;
      }
      // Last, so that a workspace that does not say who the manager is holds up nobody else.
      if (list.requesterManager && (await this.managerOf(approval, freshness)) === userId) return true;
    }
    return false;
  }

  private async named(list: Approvers, approval: Question, connection: Asked): Promise<readonly string[]> {
    const groups = await Promise.all(list.usergroups.map((group) => this.deps.directory.groupMembers(group)));
    const manager = list.requesterManager ? await this.managerOf(approval, 'display') : null;
    const business = list.businessOwner ? connection.businessOwnerId : null;
    return [
      ...list.users,
      ...groups.flat(),
      ...(list.connectionOwner ? [connection.ownerId] : []),
      ...(business ? [business] : []),
      ...(manager ? [manager] : []),
    ];
  }

  /** The manager of whom the call is made for. A request from before that was kept names her first of all excluded. */
  private async managerOf(approval: Question, freshness: Freshness): Promise<string | null> {
    const requesterId = approval.requesterId ?? approval.excluded[0];
    return requesterId ? this.deps.directory.managerOf(requesterId, freshness) : null;
  }
}

function isPersonal(connection: Asked): boolean {
  return connection.identity === 'private';
}

/** The second list decides too, from its escalation on; a further list, from the beginning. */
function listsOf({ approvers, escalatedAt, escalateTo, further }: Question): readonly Approvers[] {
  return [approvers, ...(escalatedAt && escalateTo ? [escalateTo] : []), ...(further ? [further] : [])];
}

/** Where a further approver is asked, the member decides about her own account; whoever asked is not that other one. */
function isMembersOwn({ approvers, further }: Question, userId: string): boolean {
  return Boolean(further) && approvers.users.includes(userId);
}

/** An approver and her delegate have one vote together. */
export function isSameVote(
  each: Vote,
  userId: string,
  { delegateOf }: Pick<Decision, 'delegateOf'>,
): boolean {
  const voters = accountsOf(each);
  return voters.includes(userId) || (delegateOf !== undefined && voters.includes(delegateOf));
}

/** Who gave it, and for whom. */
function accountsOf({ userId, delegateOf }: Vote): readonly string[] {
  return delegateOf ? [userId, delegateOf] : [userId];
}

/** Known to be one person: the same account, the same verified email, or the same member of the organization. */
export function isSamePerson(one: Person | null, other: Person | null): boolean {
  if (!one || !other) return false;
  if (one.id === other.id) return true;
  if (one.enterpriseUserId && one.enterpriseUserId === other.enterpriseUserId) return true;
  const email = mailbox(one.email);
  return email !== null && email === mailbox(other.email);
}

/** `Ada+test@Corp.example` is the mailbox of `ada@corp.example`. */
function mailbox(email: string | null): string | null {
  const [, local = '', domain = ''] =
    /^([^@+]+)(?:\+[^@]*)?@(.+)$/.exec(email?.trim().toLowerCase() ?? '') ?? [];
  return local === '' ? null : `${local}@${domain}`;
}
