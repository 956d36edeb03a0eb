/** Who may decide an approval request. Asked at the click and again before the call runs. */
import type { ApprovalDocument, ConnectionDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import type { Freshness } from './directory.js';

export type Eligibility = { ok: true } | { ok: false; reason: string };

const refuse = (reason: string): Eligibility => ({ ok: false, reason });

type Question = Pick<ApprovalDocument, 'approvers' | 'excluded'>;

export class EligibilityService {
  constructor(private readonly deps: Pick<Dependencies, 'directory'>) {}

  /** @throws DirectoryUnavailable: then nothing is recorded and nothing runs (G7) */
  async mayDecide(
    approval: Question,
    connection: Pick<ConnectionDocument, 'ownerId'>,
    userId: string,
    freshness: Freshness = 'decision',
  ): Promise<Eligibility> {
    if (approval.excluded.includes(userId)) {
      return refuse('You asked for this call, or own the caller that did. Somebody else has to decide it.');
    }
    const listed = await this.isListed(approval, connection, userId, freshness);
    if (!listed) return refuse('You are not on the list of people who may decide this.');
    const person = await this.deps.directory.person(userId, freshness);
    if (!person?.active) return refuse('A deactivated account cannot decide.');
    if (person.outsider) return refuse('Guests and people of other workspaces cannot decide.');
    return { ok: true };
  }

  /** Everybody who may decide now, for the card's copies. Excluded and deactivated people are left out. */
  async deciders(
    approval: Question,
    connection: Pick<ConnectionDocument, 'ownerId'>,
  ): Promise<readonly string[]> {
    const { users, usergroups, connectionOwner } = approval.approvers;
    const groups = await Promise.all(usergroups.map((group) => this.deps.directory.groupMembers(group)));
    const all = new Set([...users, ...groups.flat(), ...(connectionOwner ? [connection.ownerId] : [])]);
    const able: string[] = [];
    for (const userId of all) {
      if ((await this.mayDecide(approval, connection, userId, 'display')).ok) able.push(userId);
    }
    return able;
  }

  private async isListed(
    approval: Question,
    connection: Pick<ConnectionDocument, 'ownerId'>,
    userId: string,
    freshness: Freshness,
  ): Promise<boolean> {
    const { users, usergroups, connectionOwner } = approval.approvers;
    if (users.includes(userId)) return true;
    if (connectionOwner && connection.ownerId === userId) return true;
    for (const group of usergroups) {
      if ((await this.deps.directory.groupMembers(group, freshness)).includes(userId)) return true;
    }
    return false;
  }
}
