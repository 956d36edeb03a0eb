/** Calls: what was asked for, what became of it, and the files that go with it. */
import type { EnvelopeRecord } from '../../src/credentials/envelope.js';
import type { Subject } from './connections.js';
import type { Risk } from './policy.js';

export type ExecutionStatus =
  | 'pending_authorization'
  | 'pending_approval'
  | 'queued'
  | 'executing'
  | 'succeeded'
  | 'failed'
  | 'outcome_unknown'
  | 'denied'
  | 'expired'
  | 'cancelled';

export type Requirement = 'none' | 'required' | 'granted' | 'blocked';

export type ApprovalStatus = 'not_required' | 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

export interface ExecutionError {
  code: string;
  message: string;
  retryAfter: number | null;
}

export interface Attempt {
  id: string;
  process: string;
  claimedAt: Date;
  leaseUntil: Date;
}

export interface ExecutionDocument {
  _id: string;
  workspaceId: string;
  rev: number;
  status: ExecutionStatus;
  connectionId: string;
  connectionKey: string;
  connectionName: string;
  connectionOwnerId: string;
  connector: string;
  function: string;
  functionTitle: string;
  risk: Risk;
  callerId: string;
  callerName: string;
  callerOwnerId: string;
  /** The member the call is made for, otherwise the caller's owner. */
  requesterId: string;
  onBehalfOf: string | null;
  subject: Subject;
  reason: string | null;
  requirement: Requirement;
  approvalStatus: ApprovalStatus;
  approvalId: string | null;
  policyVersion: number;
  definitionHash: string;
  credentialGeneration: number;
  bindingHash: string | null;
  idempotencyKey: string;
  requestHash: string;
  /** A repeat of the request was given this id: the record stands. */
  handedOut?: boolean;
  attempt: Attempt | null;
  error: ExecutionError | null;
  /** What the person who decided wrote. */
  note: string | null;
  /** The grant that answered the question; requirement `granted`. */
  grantId?: string | null;
  /** The approver changed the arguments before she approved. */
  editedBy?: string | null;
  /** This one ended because its target had changed; that one asks again. */
  replacedBy?: string | null;
  /** The one that this asks again for. */
  replaces?: string | null;
  /** How the target was held to what the approver saw, once it ran. */
  targetHeld?: 'condition' | 'read_again' | 'unchecked' | null;
  /** What a person found out about an unknown outcome. */
  resolution?: Resolution | null;
  truncated: boolean;
  createdAt: Date;
  updatedAt: Date;
  decidedAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** When this state ends by itself: authorization, approval or claim deadline. */
  expiresAt: Date | null;
  /** When a sweeper should look; null once the execution has ended. */
  nextActionAt: Date | null;
  /** Why it does not run yet though it was decided, in words. */
  delay?: string | null;
  /** It waits for its member, and the kill switch stopped its time then. */
  frozenAt?: Date | null;
  /** Of an end that no approval request tells of: false until its requester was told. */
  told?: boolean;
}

export interface Resolution {
  outcome: 'applied' | 'not_applied';
  by: string;
  at: Date;
  note: string | null;
}

export interface PayloadDocument {
  _id: string;
  workspaceId: string;
  executionId: string;
  /**
   * `observation`: the target as the approver saw it. `edited`: the arguments as an approver changed them, one document
   * for each digest; `arguments` stay as they were asked for.
   */
  kind: 'arguments' | 'result' | 'observation' | 'edited';
  record: EnvelopeRecord;
  createdAt: Date;
}

/** Calls that ran directly under a limit, by the minute. Not the record: that is the executions. */
export interface CallLimitDocument {
  /** `<workspace>:<connection>:<function>:<caller>` */
  _id: string;
  workspaceId: string;
  /** Minutes since 1970, and how many places were taken in each. */
  minutes: { at: number; count: number }[];
  /** The minute of the place that was taken last; null when none was left. */
  taken: number | null;
  /** Nothing of it counts any more. */
  until: Date;
}

/** Requests of one caller that are being recorded and will wait for people: none is overlooked when they are counted. */
export interface PendingPlacesDocument {
  /** `<workspace>:<caller>` */
  _id: string;
  workspaceId: string;
  /** Executions in the order in which they took a place. */
  taken: { id: string; at: Date }[];
  until: Date;
}

/** A file of a caller: uploaded for a call, or the answer of one. Its bytes are in chunks of their own, sealed. */
export interface FileDocument {
  _id: string;
  workspaceId: string;
  callerId: string;
  /** The execution that it is an answer of; null for an upload. */
  executionId: string | null;
  name: string;
  type: string;
  size: number;
  sha256: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface FileChunkDocument {
  /** `<file>:<index>` */
  _id: string;
  workspaceId: string;
  fileId: string;
  record: EnvelopeRecord;
  expiresAt: Date;
}
