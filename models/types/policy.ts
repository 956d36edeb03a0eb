/** What an admin decides: who may be asked, when, and how. */

export type Risk = 'read' | 'write' | 'destructive';

export type Effect = 'allow' | 'ask' | 'deny';

export interface Approvers {
  users: string[];
  usergroups: string[];
  connectionOwner: boolean;
  businessOwner?: boolean;
  /** The manager in the Slack profile of whom the call is made for. */
  requesterManager?: boolean;
}

/** A second list that is asked when the first has not decided after a part of the time. */
export interface Escalation {
  approvers: Approvers;
  afterMinutes: number;
}

/** One comparison of a rule's condition; the fields that there are stand in `src/services/conditions.ts`. */
export interface Comparison {
  field: string;
  op: string;
  value: string | number | boolean | string[];
}

/** Six digits of an authenticator app, or a sign-in at the company's provider. */
export type SecondProof = 'totp' | 'oidc';

export interface PolicyRule {
  id: string;
  /** Names of functions; null for every function. */
  functions: string[] | null;
  /** Null for every risk. */
  risks: Risk[] | null;
  effect: Effect;
  approvers: Approvers;
  quorum: number;
  /** Channel of the card besides the approvers' DMs; null for DMs only. */
  route: string | null;
  expiresInMinutes: number;
  /** The rule holds only where these are true of the call; absent or null: always. */
  when?: { all: boolean; comparisons: Comparison[] } | null;
  /** Parts of the time after which who has not decided is reminded; default 0.5 and 0.9. */
  reminders?: number[];
  escalation?: Escalation | null;
  /**
   * Whether the card offers "Don't ask for this again"; default yes, but for destructive calls no. Where the function
   * asks every time it never does.
   */
  rememberable?: boolean;
  /** A fresh second proof of the approver, on top of the click. */
  stepUp?: SecondProof | null;
  /** Whether the target is held to what the approver saw; default `required` for destructive calls, else `best_effort`. */
  targetCheck?: 'required' | 'best_effort' | 'off';
  /** On a private connection: one of these has to approve besides the member. Null or absent: nobody. */
  furtherApprovers?: Approvers | null;
  /** For `allow`: after so many calls an hour and caller it asks. Null or absent: no limit. */
  limitPerHour?: number | null;
}
