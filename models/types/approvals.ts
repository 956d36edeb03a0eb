/** Questions to people, their answers, and what stands in for an answer. */
import type { EnvelopeRecord } from '../../src/credentials/envelope.js';
import type { Subject } from './connections.js';
import type { Approvers, Risk, SecondProof } from './policy.js';

export interface Decision {
  userId: string;
  decision: 'approved' | 'denied';
  reason: string | null;
  at: Date;
  /** Who is away, and for whom this delegate decided. */
  delegateOf?: string;
  /** The second proof that was given with it, where the request asks for one. */
  proof?: SecondProof;
  /** She decided about her own request, as the workspace's sole operator. */
  soleOperator?: true;
}

/** An approver changed the arguments; the request's digest is that of the changed ones. */
export interface Edit {
  by: string;
  at: Date;
  /** Of the changed call. */
  risk: Risk;
  /** Whose approvals were for other arguments, and do not count any more. */
  voided: string[];
}

export interface ApprovalDocument {
  _id: string;
  workspaceId: string;
  executionId: string;
  connectionId: string;
  rev: number;
  status: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';
  approvers: Approvers;
  quorum: number;
  /** On a private connection: one of these has to approve besides the member, who is in `approvers`. */
  further?: Approvers | null;
  /**
   * Who may not decide, whatever the list says: the requester and the caller's owner; none on a private connection
   * that asks the member alone. With `further`, it is about that list, and not about the member's own approval.
   */
  excluded: string[];
  decisions: Decision[];
  route: string | null;
  bindingHash: string;
  createdAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
  /** Why it ended without a decision, in words. */
  endNote: string | null;
  /** The execution has followed what was decided. */
  settled: boolean;
  /** What the policy asked of the target when this was asked; absent in older requests. */
  targetCheck?: 'required' | 'best_effort' | 'off' | null;
  /** SHA-256 over the target's shown fields and version; null where it was not, or could not be, read. */
  fingerprint?: string | null;
  /** Null: not looked at yet; with a `targetNote`, it has to be and could not be read (nobody can approve). */
  target?: 'bound' | 'best_effort' | 'unchecked' | null;
  /** Why the target stands unchecked, in words. */
  targetNote?: string | null;
  /** People who said "I have it", with when. */
  looking?: { userId: string; at: Date }[];
  nextReminderAt?: Date | null;
  remindersLeft?: Date[];
  escalateAt?: Date | null;
  escalatedAt?: Date | null;
  /** The second list: its people may decide once `escalatedAt` is set. */
  escalateTo?: Approvers | null;
  /** Whom the call is made for, otherwise the caller's owner: whose manager may be asked. */
  requesterId?: string | null;
  /** The requester was told how it ended; false while that is still to come. */
  told?: boolean;
  /** The clock stands still since then: the kill switch froze it. */
  frozenAt?: Date | null;
  stepUp?: SecondProof | null;
  rememberable?: boolean;
  edited?: Edit | null;
  /** Pages of Details that people had before them, where the card has no room for all: `src/slack/reading.ts`. */
  read?: string[];
}

/**
 * What a grant is limited to: an argument (JSON pointer) that must be the same, an address of the same domain, or, for
 * the arguments as a whole (path ''), which of them there may be. `equals` keeps a digest, never the value itself.
 */
export interface GrantScope {
  path: string;
  kind: 'equals' | 'domain';
  value: string;
}

export interface GrantDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  callerId: string;
  function: string;
  /** All of them have to fit. */
  scope?: GrantScope[];
  /** It ends when any of these changes. */
  policyVersion?: number;
  credentialGeneration?: number;
  definitionHash?: string;
  /** The rule whose question it answers, and no other's. */
  ruleId?: string;
  /** The highest risk that it answers for. */
  risk?: Risk;
  subject?: Subject;
  executionId?: string;
  grantedBy: string;
  createdAt: Date;
  expiresAt: Date;
  usesLeft: number | null;
  revokedAt: Date | null;
}

/** While away: who decides instead. */
export interface DelegationDocument {
  _id: string;
  workspaceId: string;
  memberId: string;
  delegateId: string;
  until: Date;
  createdAt: Date;
  /** The cards that it is about show it. */
  followed?: boolean;
}

/** A member's second proof: a sealed TOTP secret, and the last time step that was used. */
export interface SecondFactorDocument {
  _id: string;
  workspaceId: string;
  memberId: string;
  secret: EnvelopeRecord;
  confirmedAt: Date | null;
  lastStep: number;
  /** The newest tries that were not right, at most five. */
  tries: Date[];
  createdAt: Date;
}
