/** People, groups and channels of the workspace, as the services need to know them. Implemented in `src/slack`. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  /** IANA name, e.g. `Europe/Madrid`. */
  readonly timeZone: string;
  readonly active: boolean;
  /** A guest, or somebody of another workspace (Slack Connect). Never decides. */
  readonly outsider: boolean;
  readonly isBot: boolean;
  readonly isWorkspaceOwner: boolean;
  /** Who this is in the company's organization (Enterprise Grid); several accounts may be one person. */
  readonly enterpriseUserId?: string | null;
}

/** How old an answer may be: `display` up to a minute; `decision` at most two seconds (RELIABILITY.md G7). */
export type Freshness = 'display' | 'decision';

export interface Directory {
  /** Null when there is no such person. @throws DirectoryUnavailable */
  person(id: string, freshness?: Freshness): Promise<Person | null>;
  /** @throws DirectoryUnavailable */
  personByEmail(email: string): Promise<Person | null>;
  /** Ids of the members of a user group; empty when it does not exist. @throws DirectoryUnavailable */
  groupMembers(groupId: string, freshness?: Freshness): Promise<readonly string[]>;
  /**
   * Whom the Slack profile names as this person's manager; null where it names nobody and, for display, where the app may
   * not look. @throws DirectoryUnavailable
   */
  managerOf(userId: string, freshness?: Freshness): Promise<string | null>;
}

/** Slack could not be asked. Who needed the answer refuses, or tries again later; nobody guesses. */
export class DirectoryUnavailable extends Error {
  constructor(what: string, cause?: unknown) {
    super(`Slack did not answer when asked for ${what}`, { cause });
    this.name = 'DirectoryUnavailable';
  }
}
