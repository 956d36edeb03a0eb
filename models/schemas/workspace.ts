/** The workspace, its people, and what is kept to run the app. */
import { Schema } from 'mongoose';
import type * as T from '../types.js';
import { any, count, list, maybeText, maybeWhen, schemaOf, text, when } from './schema.js';

const { Mixed } = Schema.Types;

export const settings = schemaOf<T.Settings>(
  {
    admins: list,
    auditors: list,
    approvalsChannel: maybeText,
    retentionDays: count,
    setupDoneAt: maybeWhen,
    paused: any,
    resuming: maybeText,
    pauseVersion: { type: Number, default: 0 },
    soleOperator: { type: Boolean, default: false },
    companyDomains: list,
    reportTo: list,
    slack: text,
    updatedAt: when,
  },
  'settings',
);

export const delegation = schemaOf<T.DelegationDocument>(
  {
    memberId: text,
    delegateId: text,
    until: when,
    createdAt: when,
    followed: { type: Boolean, default: false },
  },
  'delegations',
);

delegation.index({ workspaceId: 1, memberId: 1 }, { unique: true });

delegation.index({ workspaceId: 1, delegateId: 1 });

export const process = schemaOf<T.ProcessDocument>({ pauseVersion: count, at: when }, 'processes');

process.index({ at: 1 }, { expireAfterSeconds: 60 });

export const secondFactor = schemaOf<T.SecondFactorDocument>(
  {
    memberId: text,
    secret: { type: Mixed, required: true },
    confirmedAt: maybeWhen,
    lastStep: count,
    tries: { type: [Date], default: [] },
    createdAt: when,
  },
  'second_factors',
);

secondFactor.index({ workspaceId: 1, memberId: 1 }, { unique: true });

export const auditEvent = schemaOf<T.AuditEventDocument>(
  {
    at: when,
    actor: { type: Mixed, required: true },
    action: text,
    subject: { type: Mixed, required: true },
    details: { type: Mixed, default: {} },
  },
  'audit_events',
);

auditEvent.index({ workspaceId: 1, at: -1, _id: -1 });

export const outbox = schemaOf<T.OutboxDocument>(
  {
    to: text,
    view: text,
    subjectId: text,
    message: any,
    wanted: count,
    shown: count,
    drawn: count,
    channel: maybeText,
    ts: maybeText,
    attempts: count,
    notBefore: maybeWhen,
    lease: any,
    deadline: maybeWhen,
    failed: maybeText,
    askedAt: maybeWhen,
    createdAt: when,
  },
  'outbox',
);

outbox.index({ workspaceId: 1, subjectId: 1 });

outbox.index({ notBefore: 1 }, { partialFilterExpression: { notBefore: { $type: 'date' } } });

export const oauthState = schemaOf<T.OAuthStateDocument>(
  {
    status: text,
    userId: text,
    connectionId: text,
    subject: text,
    provider: text,
    cookieHash: text,
    sealed: { type: Mixed, required: true },
    account: maybeText,
    scopes: list,
    codeHash: maybeText,
    attempts: count,
    expiresAt: when,
  },
  'oauth_states',
);

export const oneTimeLink = schemaOf<T.OneTimeLinkDocument>(
  {
    purpose: text,
    userId: text,
    connectionId: maybeText,
    callerId: maybeText,
    sealed: any,
    usedAt: maybeWhen,
    expiresAt: when,
  },
  'one_time_links',
);

export const connectionDraft = schemaOf<T.ConnectionDraftDocument>(
  { userId: text, content: text, expiresAt: when },
  'connection_drafts',
);

export const throttle = schemaOf<T.ThrottleDocument>({ until: when }, 'throttles');

export const delivery = schemaOf<T.DeliveryDocument>({ at: when }, 'deliveries');

// Past their use the documents are clutter; an hour's grace lets a late visitor read "this link has expired".
oauthState.index({ expiresAt: 1 }, { expireAfterSeconds: 3_600 });

oneTimeLink.index({ expiresAt: 1 }, { expireAfterSeconds: 3_600 });

connectionDraft.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

throttle.index({ until: 1 }, { expireAfterSeconds: 3_600 });

delivery.index({ at: 1 }, { expireAfterSeconds: 900 });
