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
  /** What of the kill switch is lifted again: reads first, then what asks, then the rest. */
  resuming?: 'reads' | 'asks' | null;
  /** Rises with every pause and resume of anything: processes confirm the number that they have seen. */
  pauseVersion?: number;
  /** One-person workspaces: the requester may approve on shared connections. Shown on every such card. */
  soleOperator?: boolean;
  /** Mail domains of the company, for conditions; empty: those of admins and owners. */
  companyDomains?: string[];
  /** Admins who want the weekly load report. */
  reportTo?: string[];
  /** `removed`: the app was uninstalled or its tokens were revoked; no call runs, nothing is posted. */
  slack: 'active' | 'removed';
  updatedAt: Date;
}

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
  /** What becomes of the requests that wait for people; default `freeze`: their time stands still. */
  pending?: 'freeze' | 'cancel';
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
  /** It waits for its member, and the kill switch stopped its time then. */
  frozenAt?: Date | null;
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

/** An app process that claims calls, and how far it has followed the kill switch. Gone a minute after its last sign. */
export interface ProcessDocument {
  _id: string;
  workspaceId: string;
  /** Every claim that it began before it saw this version of the pauses is over. */
  pauseVersion: number;
  at: Date;
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

/** How a call ended that somebody was asked about, as its requester is told. */
export interface ToldOutcome {
  executionId: string;
  functionTitle: string;
  connectionName: string;
  callerName: string;
  status: 'denied' | 'expired' | 'failed' | 'outcome_unknown';
  /** Who denied it. */
  by: string | null;
  note: string | null;
}

/** Questions and their ends of some days, as `src/services/load-report.ts` counts them. Metadata only. */
export interface LoadReport {
  from: Date;
  to: Date;
  /** More questions than are counted: the newest are. */
  cut: boolean;
  /** Oldest first. */
  days: { day: string; asked: number }[];
  totals: LoadCounts;
  /** Those with the most questions first. */
  functions: (LoadCounts & { connectionKey: string; function: string })[];
  suggestions: {
    kind: 'always_approved' | 'always_denied' | 'often_expired' | 'too_quick';
    connectionKey: string;
    function: string;
    risk: Risk;
    count: number;
    of: number;
  }[];
}

export interface LoadCounts {
  asked: number;
  approved: number;
  denied: number;
  expired: number;
  cancelled: number;
  /** Decided in less than three seconds after it was asked. */
  quick: number;
  /** To the decision; null where nothing was decided. */
  medianMs: number | null;
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
  | { kind: 'outcomes'; items: ToldOutcome[]; more: number }
  | { kind: 'approval_voided'; executionId: string; by: string; functionTitle: string }
  | { kind: 'needs_reconnect' | 'needs_more_scopes'; connectionKey: string }
  | { kind: 'credential_stored'; name: string }
  | { kind: 'load_report'; report: LoadReport }
  | { kind: 'connecting_failed'; connectionKey: string | null; reason: string };

export interface OutboxDocument {
  _id: string;
  workspaceId: string;
  /** A channel id, or a user id whose DM is opened first. */
  to: string;
  /** What it shows: a view drawn from the current state of `subjectId`, or the notice in `message`. */
  view: 'approval' | 'authorization' | 'oauth_code' | 'notice' | 'reminder';
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
  /** When it was last asked to be posted anew. */
  askedAt?: Date | null;
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
  purpose: 'secret' | 'caller_token' | 'oauth' | 'second_factor' | 'step_up' | 'step_up_state';
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

/** A Slack delivery that was taken in, so that the same one again has no second effect. */
export interface DeliveryDocument {
  _id: string;
  workspaceId: string;
  at: Date;
}
