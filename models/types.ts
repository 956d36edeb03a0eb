/** The documents as they are stored. Every one carries `workspaceId`, and every query names it. */
import type { EnvelopeRecord } from '../src/credentials/envelope.js';

export type Risk = 'read' | 'write' | 'destructive';
export type Effect = 'allow' | 'ask' | 'deny';
export type Identity = 'shared' | 'private';

/** `shared`, or the id of the member whose own identity is used. */
export type Subject = string;
export const SHARED: Subject = 'shared';

export interface Settings {
  /** The workspace's id. */
  _id: string;
  workspaceId: string;
  admins: string[];
  auditors: string[];
  approvalsChannel: string | null;
  /** Days after which arguments and results are dropped; the record of the call stays. */
  retentionDays: number;
  setupDoneAt: Date | null;
  /** The kill switch: nothing runs while it is set. */
  paused: Pause | null;
  /** `removed`: the app was uninstalled or its tokens were revoked; no call runs, nothing is posted. */
  slack: 'active' | 'removed';
  updatedAt: Date;
}

export interface Approvers {
  users: string[];
  usergroups: string[];
  connectionOwner: boolean;
}

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
  /** For `allow`: after so many calls an hour and caller it asks. Null or absent: no limit. */
  limitPerHour?: number | null;
}

export interface Access {
  callerId: string;
  /** Null for every enabled function. */
  functions: string[] | null;
}

export interface Pause {
  by: string;
  at: Date;
  reason: string;
}

export interface ConnectionDocument {
  _id: string;
  workspaceId: string;
  key: string;
  connector: string;
  name: string;
  purpose: string;
  identity: Identity;
  ownerId: string;
  businessOwnerId: string | null;
  auth: string;
  config: Record<string, unknown>;
  enabledFunctions: string[];
  /** Functions whose risk an admin raised. */
  raisedRisks: Record<string, Risk>;
  policy: { version: number; rules: PolicyRule[] };
  access: Access[];
  visibility: { everyone: boolean; users: string[]; usergroups: string[] };
  status: 'draft' | 'ready' | 'removed';
  paused: Pause | null;
  scopesReviewedAt: Date | null;
  readTestedAt: Date | null;
  writeTestedAt: Date | null;
  health: 'unknown' | 'ok' | 'needs_reauth' | 'temporarily_failing';
  rev: number;
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
  lastUsedAt: Date | null;
}

export interface CredentialDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  subject: Subject;
  /** `minted`: a secret, and beside it the short-lived token that was fetched with it. */
  kind: 'secret' | 'oauth' | 'minted' | 'oauth_app';
  /** Rises on reconnect and on rotation, never on a token refresh; bound by the digest of an approval. */
  generation: number;
  /** Rises with every write; a refresh is stored only over the version that it read. */
  version: number;
  fields: Record<string, EnvelopeRecord>;
  scopes: string[];
  /** Whose account it is at the outside system, e.g. `bot@corp.example`. */
  account: string | null;
  expiresAt: Date | null;
  status: 'active' | 'needs_reauth';
  refresh: { owner: string; until: Date } | null;
  /** The provider did not answer: how often in a row, and when it is asked again. */
  failing: { count: number; until: Date } | null;
  createdBy: string;
  createdAt: Date;
  rotatedAt: Date;
  /** When its tokens were last fetched. */
  renewedAt?: Date | null;
}

export interface AuthorizationDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  memberId: string;
  account: string;
  scopes: string[];
  status: 'active' | 'revoked';
  createdAt: Date;
  updatedAt: Date;
}

export interface ConsentDocument {
  _id: string;
  workspaceId: string;
  memberId: string;
  callerId: string;
  connectionId: string;
  status: 'allowed' | 'refused' | 'revoked';
  decidedAt: Date;
}

export interface CallerDocument {
  _id: string;
  workspaceId: string;
  name: string;
  /** Lower-case name, unique in the workspace. */
  nameKey: string;
  kind: 'agent' | 'workflow' | 'skill' | 'prompt';
  ownerId: string;
  stage: 'test' | 'production';
  tokenHash: string;
  tokenPrefix: string;
  status: 'active' | 'revoked';
  paused: Pause | null;
  createdBy: string;
  createdAt: Date;
}

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
}

export interface PayloadDocument {
  _id: string;
  workspaceId: string;
  executionId: string;
  kind: 'arguments' | 'result';
  record: EnvelopeRecord;
  createdAt: Date;
}

export interface Decision {
  userId: string;
  decision: 'approved' | 'denied';
  reason: string | null;
  at: Date;
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
  /** Who may not decide, whatever the list says: the requester and the caller's owner on a shared connection. */
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
}

export interface GrantDocument {
  _id: string;
  workspaceId: string;
  connectionId: string;
  callerId: string;
  function: string;
  grantedBy: string;
  createdAt: Date;
  expiresAt: Date;
  usesLeft: number | null;
  revokedAt: Date | null;
}

export interface Actor {
  kind: 'user' | 'caller' | 'operator' | 'system';
  id: string;
}

export interface AuditEventDocument {
  _id: string;
  workspaceId: string;
  at: Date;
  actor: Actor;
  /** `subject.verb`, e.g. `policy.changed`. */
  action: string;
  subject: { kind: string; id: string };
  details: Record<string, unknown>;
}

/** What a DM outside of any card tells. `sentence` is mrkdwn of the Slack edge, every value in it escaped. */
export type Notice =
  | { kind: 'sentence'; text: string }
  | {
      kind: 'nobody_can_decide';
      executionId: string;
      functionTitle: string;
      connectionName: string;
      connectionKey: string;
    }
  | { kind: 'needs_reconnect' | 'needs_more_scopes'; connectionKey: string }
  | { kind: 'credential_stored'; name: string }
  | { kind: 'connecting_failed'; connectionKey: string | null; reason: string };

export interface OutboxDocument {
  _id: string;
  workspaceId: string;
  /** A channel id, or a user id whose DM is opened first. */
  to: string;
  /** What it shows: a view drawn from the current state of `subjectId`, or the notice in `message`. */
  view: 'approval' | 'authorization' | 'oauth_code' | 'notice';
  subjectId: string;
  message: Notice | null;
  /** Rises with every change to be shown; delivery is due while `shown` is behind. */
  wanted: number;
  shown: number;
  /** Version of the subject that was drawn last, for the sweeper that repairs stale cards. */
  drawn: number;
  channel: string | null;
  ts: string | null;
  attempts: number;
  /** Null while nothing is due. */
  notBefore: Date | null;
  lease: { owner: string; until: Date } | null;
  /** Delivery is pointless afterwards. */
  deadline: Date | null;
  failed: string | null;
  createdAt: Date;
}

export interface OAuthStateDocument {
  /** SHA-256 of the `state` parameter. */
  _id: string;
  workspaceId: string;
  /** `refused`: given up for a reason that its member was told. */
  status: 'started' | 'returned' | 'finished' | 'refused';
  userId: string;
  connectionId: string;
  subject: Subject;
  provider: string;
  cookieHash: string;
  /** Sealed: the PKCE verifier, then the token set and the code that proves the member. */
  sealed: EnvelopeRecord;
  account: string | null;
  scopes: string[];
  codeHash: string | null;
  attempts: number;
  expiresAt: Date;
}

export interface OneTimeLinkDocument {
  /** SHA-256 of the token in the link. */
  _id: string;
  workspaceId: string;
  purpose: 'secret' | 'caller_token' | 'oauth';
  userId: string;
  connectionId: string | null;
  callerId: string | null;
  sealed: EnvelopeRecord | null;
  usedAt: Date | null;
  expiresAt: Date;
}

/** What an admin has entered so far while a connection is added: its forms have several steps. */
export interface ConnectionDraftDocument {
  _id: string;
  workspaceId: string;
  userId: string;
  /** JSON, compressed and in base64: an imported API has megabytes of schemas. */
  content: string;
  expiresAt: Date;
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

/** A moment before which something must not be done: a channel's next message, a method's Retry-After. */
export interface ThrottleDocument {
  _id: string;
  workspaceId: string;
  until: Date;
}

/** A Slack delivery that was taken in, so that the same one again has no second effect. */
export interface DeliveryDocument {
  _id: string;
  workspaceId: string;
  at: Date;
}
