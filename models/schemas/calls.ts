/** Connections, who may use them, and the calls that come of it. */
import { Schema } from 'mongoose';
import type * as T from '../types.js';
import { any, count, list, maybeText, maybeWhen, schemaOf, text, when } from './schema.js';

const { Mixed } = Schema.Types;

export const connection = schemaOf<T.ConnectionDocument>(
  {
    key: text,
    connector: text,
    name: text,
    purpose: { type: String, default: '' },
    identity: text,
    ownerId: text,
    businessOwnerId: maybeText,
    auth: text,
    config: { type: Mixed, required: true },
    enabledFunctions: list,
    raisedRisks: { type: Mixed, default: {} },
    askEveryTime: list,
    policy: { type: Mixed, required: true },
    access: { type: [Mixed], default: [] },
    visibility: { type: Mixed, required: true },
    status: text,
    paused: any,
    scopesReviewedAt: maybeWhen,
    readTestedAt: maybeWhen,
    writeTestedAt: maybeWhen,
    health: text,
    rev: count,
    createdBy: text,
    createdAt: when,
    updatedAt: when,
    lastUsedAt: maybeWhen,
  },
  'connections',
);

connection.index(
  { workspaceId: 1, key: 1 },
  { unique: true, partialFilterExpression: { status: { $in: ['draft', 'ready'] } } },
);

export const credential = schemaOf<T.CredentialDocument>(
  {
    connectionId: text,
    subject: text,
    kind: text,
    generation: count,
    version: count,
    fields: { type: Mixed, required: true },
    scopes: list,
    account: maybeText,
    expiresAt: maybeWhen,
    status: text,
    refresh: any,
    failing: any,
    createdBy: text,
    createdAt: when,
    rotatedAt: when,
    renewedAt: maybeWhen,
  },
  'credentials',
);

credential.index({ workspaceId: 1, connectionId: 1, subject: 1 }, { unique: true });

credential.index({ status: 1, expiresAt: 1 });

export const authorization = schemaOf<T.AuthorizationDocument>(
  {
    connectionId: text,
    memberId: text,
    account: text,
    scopes: list,
    status: text,
    createdAt: when,
    updatedAt: when,
  },
  'authorizations',
);

authorization.index({ workspaceId: 1, connectionId: 1, memberId: 1 }, { unique: true });

authorization.index({ workspaceId: 1, memberId: 1 });

export const consent = schemaOf<T.ConsentDocument>(
  {
    memberId: text,
    callerId: text,
    connectionId: text,
    status: text,
    furtherHash: maybeText,
    decidedAt: when,
  },
  'consents',
);

consent.index({ workspaceId: 1, memberId: 1, callerId: 1, connectionId: 1 }, { unique: true });

export const caller = schemaOf<T.CallerDocument>(
  {
    name: text,
    nameKey: text,
    kind: text,
    ownerId: text,
    stage: text,
    tokenHash: text,
    tokenPrefix: text,
    status: text,
    paused: any,
    createdBy: text,
    createdAt: when,
  },
  'callers',
);

caller.index({ tokenHash: 1 }, { unique: true });

caller.index({ workspaceId: 1, nameKey: 1 }, { unique: true, partialFilterExpression: { status: 'active' } });

export const execution = schemaOf<T.ExecutionDocument>(
  {
    rev: count,
    status: text,
    connectionId: text,
    connectionKey: text,
    connectionName: text,
    connectionOwnerId: text,
    connector: text,
    function: text,
    functionTitle: text,
    risk: text,
    callerId: text,
    callerName: text,
    callerOwnerId: text,
    requesterId: text,
    onBehalfOf: maybeText,
    subject: text,
    reason: maybeText,
    requirement: text,
    approvalStatus: text,
    approvalId: maybeText,
    policyVersion: count,
    definitionHash: text,
    credentialGeneration: count,
    bindingHash: maybeText,
    idempotencyKey: text,
    requestHash: text,
    handedOut: { type: Boolean },
    attempt: any,
    error: any,
    note: maybeText,
    grantId: maybeText,
    editedBy: maybeText,
    replacedBy: maybeText,
    replaces: maybeText,
    targetHeld: maybeText,
    resolution: any,
    truncated: { type: Boolean, default: false },
    createdAt: when,
    updatedAt: when,
    decidedAt: maybeWhen,
    startedAt: maybeWhen,
    finishedAt: maybeWhen,
    expiresAt: maybeWhen,
    nextActionAt: maybeWhen,
    delay: maybeText,
    frozenAt: maybeWhen,
    told: { type: Boolean },
  },
  'executions',
);

execution.index({ workspaceId: 1, callerId: 1, idempotencyKey: 1 }, { unique: true });

execution.index({ workspaceId: 1, createdAt: -1, _id: -1 });

execution.index({ workspaceId: 1, status: 1, createdAt: -1, _id: -1 });

execution.index({ workspaceId: 1, connectionId: 1, createdAt: -1, _id: -1 });

execution.index({ workspaceId: 1, callerId: 1, createdAt: -1, _id: -1 });

execution.index(
  { workspaceId: 1, onBehalfOf: 1, createdAt: -1, _id: -1 },
  { partialFilterExpression: { onBehalfOf: { $type: 'string' } } },
);

execution.index({ workspaceId: 1, finishedAt: 1 }, { partialFilterExpression: { told: false } });

execution.index(
  { workspaceId: 1, updatedAt: -1 },
  { partialFilterExpression: { approvalId: { $type: 'string' } } },
);

execution.index(
  { status: 1, nextActionAt: 1 },
  { partialFilterExpression: { nextActionAt: { $type: 'date' } } },
);

export const payload = schemaOf<T.PayloadDocument>(
  { executionId: text, kind: text, record: { type: Mixed, required: true }, createdAt: when },
  'payloads',
);

payload.index({ workspaceId: 1, executionId: 1 });

export const approval = schemaOf<T.ApprovalDocument>(
  {
    executionId: text,
    connectionId: text,
    rev: count,
    status: text,
    approvers: { type: Mixed, required: true },
    quorum: count,
    further: any,
    excluded: list,
    decisions: { type: [Mixed], default: [] },
    route: maybeText,
    bindingHash: text,
    createdAt: when,
    expiresAt: when,
    endedAt: maybeWhen,
    endNote: maybeText,
    settled: { type: Boolean, default: false },
    targetCheck: maybeText,
    fingerprint: maybeText,
    target: maybeText,
    targetNote: maybeText,
    looking: { type: [Mixed], default: [] },
    nextReminderAt: maybeWhen,
    remindersLeft: { type: [Date], default: [] },
    escalateAt: maybeWhen,
    escalatedAt: maybeWhen,
    escalateTo: any,
    requesterId: maybeText,
    told: { type: Boolean },
    frozenAt: maybeWhen,
    stepUp: maybeText,
    rememberable: { type: Boolean, default: false },
    edited: any,
    read: { type: [String], default: [] },
  },
  'approval_requests',
);

approval.index({ workspaceId: 1, status: 1, createdAt: -1 });

approval.index({ workspaceId: 1, expiresAt: 1, _id: 1 }, { partialFilterExpression: { status: 'pending' } });

approval.index({ workspaceId: 1, executionId: 1 }, { unique: true });

approval.index({ workspaceId: 1, endedAt: 1 }, { partialFilterExpression: { told: false } });

approval.index({ workspaceId: 1, expiresAt: 1 }, { partialFilterExpression: { settled: false } });

export const grant = schemaOf<T.GrantDocument>(
  {
    connectionId: text,
    callerId: text,
    function: text,
    scope: { type: [Mixed], default: [] },
    policyVersion: { type: Number, default: 0 },
    credentialGeneration: { type: Number, default: 0 },
    definitionHash: { type: String, default: '' },
    ruleId: { type: String, default: '' },
    risk: { type: String, default: 'read' },
    subject: { type: String, default: '' },
    executionId: { type: String, default: '' },
    grantedBy: text,
    createdAt: when,
    expiresAt: when,
    usesLeft: { type: Number, default: null },
    revokedAt: maybeWhen,
  },
  'grants',
);

grant.index({ workspaceId: 1, connectionId: 1, callerId: 1, function: 1 });

grant.index({ workspaceId: 1, expiresAt: 1 });

export const file = schemaOf<T.FileDocument>(
  {
    callerId: text,
    executionId: maybeText,
    name: text,
    type: text,
    size: count,
    sha256: text,
    createdAt: when,
    expiresAt: when,
  },
  'files',
);

export const fileChunk = schemaOf<T.FileChunkDocument>(
  { fileId: text, record: { type: Mixed, required: true }, expiresAt: when },
  'file_chunks',
);

export const callLimit = schemaOf<T.CallLimitDocument>(
  { minutes: { type: [Mixed], default: [] }, taken: { type: Number, default: null }, until: when },
  'call_limits',
);

callLimit.index({ until: 1 }, { expireAfterSeconds: 0 });

export const pendingPlaces = schemaOf<T.PendingPlacesDocument>(
  { taken: { type: [Mixed], default: [] }, until: when },
  'pending_places',
);

pendingPlaces.index({ until: 1 }, { expireAfterSeconds: 0 });

file.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

file.index({ workspaceId: 1, callerId: 1, expiresAt: 1 });

fileChunk.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
