/** The workspace's people and groups, asked of Slack and kept for as long as the question allows. */
import { WebAPIPlatformError, WebAPIRateLimitedError, type WebClient } from '@slack/web-api';
import { type Directory, DirectoryUnavailable, type Freshness, type Person } from '../services/directory.js';

/** A minute for what is shown; two seconds for a decision, so that a burst of clicks is one look-up (G7). */
const MAX_AGE_MS: Record<Freshness, number> = { display: 60_000, decision: 2_000 };
const NOT_FOUND = new Set([
  'user_not_found',
  'users_not_found',
  'no_such_subteam',
  'subteam_not_found',
  'user_not_visible',
]);

interface Kept<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

function isMissingScope(error: unknown): boolean {
  return error instanceof WebAPIPlatformError && error.data.error === 'missing_scope';
}

interface ProfileField {
  label?: string;
  value?: string;
}

interface SlackUser {
  id?: string;
  team_id?: string;
  name?: string;
  real_name?: string;
  deleted?: boolean;
  is_bot?: boolean;
  is_restricted?: boolean;
  is_ultra_restricted?: boolean;
  is_stranger?: boolean;
  is_owner?: boolean;
  is_primary_owner?: boolean;
  tz?: string;
  profile?: { email?: string; display_name?: string; real_name?: string };
  enterprise_user?: { id?: string };
}

/** How workspaces call the field of the profile; Slack's own has the first name. */
const MANAGER_FIELD = /^(?:manager|line manager|reports to|supervisor)$/i;

export class SlackDirectory implements Directory {
  private readonly kept = new Map<string, Kept<unknown>>();
  /** Until when (`performance.now()`) Slack wants to hear no more questions of a kind; each kind is one method. */
  private readonly heldUntil = new Map<string, number>();

  constructor(
    private readonly client: WebClient,
    private readonly teamId: string,
  ) {}

  person(id: string, freshness: Freshness = 'display'): Promise<Person | null> {
    return this.ask(`user:${id}`, freshness, `the user ${id}`, null, async () => {
      const answer = await this.client.users.info({ user: id });
      return answer.user ? this.toPerson(answer.user as SlackUser) : null;
    });
  }

  personByEmail(email: string): Promise<Person | null> {
    const address = email.toLowerCase();
    return this.ask(`email:${address}`, 'display', 'a user by email', null, async () => {
      const answer = await this.client.users.lookupByEmail({ email: address });
      return answer.user ? this.toPerson(answer.user as SlackUser) : null;
    });
  }

  groupMembers(groupId: string, freshness: Freshness = 'display'): Promise<readonly string[]> {
    return this.ask(`group:${groupId}`, freshness, `the members of the group ${groupId}`, [], async () => {
      const answer = await this.client.usergroups.users.list({ usergroup: groupId });
      return (answer.users ?? []) as readonly string[];
    });
  }

  managerOf(userId: string, freshness: Freshness = 'display'): Promise<string | null> {
    return this.ask(
      `manager:${userId}:${freshness}`,
      freshness,
      `the manager of ${userId}`,
      null,
      async () => {
        const answer = await this.profileOf(userId).catch((error: unknown) => {
          // Installed before the scope was asked for: the others get their cards, and nobody decides as the manager.
          if (freshness === 'display' && isMissingScope(error)) return null;
          throw error;
        });
        const fields = Object.values((answer?.profile?.fields ?? {}) as Record<string, ProfileField>);
        const manager = fields.find(({ label }) => MANAGER_FIELD.test(label?.trim() ?? ''));
        return /^[UW][A-Z0-9]{1,20}$/.exec(manager?.value ?? '')?.[0] ?? null;
      },
    );
  }

  /** An event said that this person changed. */
  forget(userId: string): void {
    this.kept.delete(`user:${userId}`);
    this.kept.delete(`manager:${userId}:display`);
    this.kept.delete(`manager:${userId}:decision`);
  }

  /** Concurrent questions share one look-up; a failed one is not kept. None is asked inside a Retry-After. */
  private async ask<T>(
    key: string,
    freshness: Freshness,
    what: string,
    absent: T,
    look: () => Promise<T>,
  ): Promise<T> {
    const known = this.kept.get(key) as Kept<T> | undefined;
    if (known && performance.now() - known.at < MAX_AGE_MS[freshness]) return known.value;
    const [kind = ''] = key.split(':');
    if (performance.now() < (this.heldUntil.get(kind) ?? 0)) {
      throw new DirectoryUnavailable(what, new Error('inside a Retry-After'));
    }
    const value = look().catch((error: unknown) => {
      if (error instanceof WebAPIPlatformError && NOT_FOUND.has(error.data.error)) return absent;
      if (error instanceof WebAPIRateLimitedError) {
        this.heldUntil.set(kind, performance.now() + error.retryAfter * 1_000);
      }
      this.kept.delete(key);
      throw new DirectoryUnavailable(what, error);
    });
    if (this.kept.size > 10_000) this.kept.clear();
    this.kept.set(key, { at: performance.now(), value });
    return value;
  }

  private profileOf(user: string) {
    return this.client.users.profile.get({ user, include_labels: true });
  }

  private toPerson(user: SlackUser): Person {
    return {
      id: user.id ?? '',
      name: user.profile?.display_name || user.real_name || user.name || user.id || 'somebody',
      email: user.profile?.email ?? null,
      timeZone: user.tz ?? 'UTC',
      active: user.deleted !== true,
      outsider:
        user.is_restricted === true ||
        user.is_ultra_restricted === true ||
        user.is_stranger === true ||
        (user.team_id !== undefined && user.team_id !== this.teamId),
      isBot: user.is_bot === true,
      isWorkspaceOwner: user.is_owner === true || user.is_primary_owner === true,
      enterpriseUserId: user.enterprise_user?.id ?? null,
    };
  }
}
