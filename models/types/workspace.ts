/** The workspace itself: settings, audit, processes, one-time links, and turns that are taken. */
import type { EnvelopeRecord } from '../../src/credentials/envelope.js';
import type { Pause, Subject } from './connections.js';

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

/** An app process that claims calls, and how far it has followed the kill switch. Gone a minute after its last sign. */
export interface ProcessDocument {
  _id: string;
  workspaceId: string;
  /** Every claim that it began before it saw this version of the pauses is over. */
  pauseVersion: number;
  at: Date;
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
