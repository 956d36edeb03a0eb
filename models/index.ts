/** Mongoose models and their indexes. Schemas are strict: a field that is not declared here is an error. */
import { type Connection, type Model, Schema, type SchemaDefinition } from 'mongoose';
import type * as T from './types.js';

const { Mixed } = Schema.Types;
const DURABLE = { w: 'majority', j: true, wtimeout: 5_000 } as const;

const text = { type: String, required: true };
const when = { type: Date, required: true };
const maybeText = { type: String, default: null };
const maybeWhen = { type: Date, default: null };
const count = { type: Number, required: true };
const list = { type: [String], default: [] };
const any = { type: Mixed, default: null };

function schemaOf<Document>(fields: Record<string, unknown>, collection: string): Schema<Document> {
  const definition: Record<string, unknown> = { _id: text, workspaceId: text, ...fields };
  return new Schema<Document>(definition as SchemaDefinition<Document>, {
    collection,
    strict: 'throw',
    strictQuery: 'throw',
    versionKey: false,
    minimize: false,
    autoIndex: false,
    autoCreate: false,
    writeConcern: DURABLE,
  });
}

function schemas() {
  const settings = schemaOf<T.Settings>(
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
  const connection = schemaOf<T.ConnectionDocument>(
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

  const credential = schemaOf<T.CredentialDocument>(
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

  const authorization = schemaOf<T.AuthorizationDocument>(
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

  const consent = schemaOf<T.ConsentDocument>(
    { memberId: text, callerId: text, connectionId: text, status: text, decidedAt: when },
    'consents',
  );
  consent.index({ workspaceId: 1, memberId: 1, callerId: 1, connectionId: 1 }, { unique: true });

  const caller = schemaOf<T.CallerDocument>(
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
  caller.index(
    { workspaceId: 1, nameKey: 1 },
    { unique: true, partialFilterExpression: { status: 'active' } },
  );

  const execution = schemaOf<T.ExecutionDocument>(
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
      frozenAt: maybeWhen,
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
  execution.index(
    { status: 1, nextActionAt: 1 },
    { partialFilterExpression: { nextActionAt: { $type: 'date' } } },
  );

  const payload = schemaOf<T.PayloadDocument>(
    { executionId: text, kind: text, record: { type: Mixed, required: true }, createdAt: when },
    'payloads',
  );
  payload.index({ workspaceId: 1, executionId: 1 });

  const approval = schemaOf<T.ApprovalDocument>(
    {
      executionId: text,
      connectionId: text,
      rev: count,
      status: text,
      approvers: { type: Mixed, required: true },
      quorum: count,
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
  approval.index({ workspaceId: 1, executionId: 1 }, { unique: true });
  approval.index({ workspaceId: 1, endedAt: 1 }, { partialFilterExpression: { told: false } });
  approval.index({ workspaceId: 1, expiresAt: 1 }, { partialFilterExpression: { settled: false } });

  const grant = schemaOf<T.GrantDocument>(
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

  const delegation = schemaOf<T.DelegationDocument>(
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

  const process = schemaOf<T.ProcessDocument>({ pauseVersion: count, at: when }, 'processes');
  process.index({ at: 1 }, { expireAfterSeconds: 60 });

  const secondFactor = schemaOf<T.SecondFactorDocument>(
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

  const auditEvent = schemaOf<T.AuditEventDocument>(
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

  const outbox = schemaOf<T.OutboxDocument>(
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

  const oauthState = schemaOf<T.OAuthStateDocument>(
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
  const oneTimeLink = schemaOf<T.OneTimeLinkDocument>(
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
  const connectionDraft = schemaOf<T.ConnectionDraftDocument>(
    { userId: text, content: text, expiresAt: when },
    'connection_drafts',
  );
  const file = schemaOf<T.FileDocument>(
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
  const fileChunk = schemaOf<T.FileChunkDocument>(
    { fileId: text, record: { type: Mixed, required: true }, expiresAt: when },
    'file_chunks',
  );
  const throttle = schemaOf<T.ThrottleDocument>({ until: when }, 'throttles');
  const callLimit = schemaOf<T.CallLimitDocument>(
    { minutes: { type: [Mixed], default: [] }, taken: { type: Number, default: null }, until: when },
    'call_limits',
  );
  callLimit.index({ until: 1 }, { expireAfterSeconds: 0 });

  const delivery = schemaOf<T.DeliveryDocument>({ at: when }, 'deliveries');
  // Past their use the documents are clutter; an hour's grace lets a late visitor read "this link has expired".
  oauthState.index({ expiresAt: 1 }, { expireAfterSeconds: 3_600 });
  oneTimeLink.index({ expiresAt: 1 }, { expireAfterSeconds: 3_600 });
  connectionDraft.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
  file.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
  file.index({ workspaceId: 1, callerId: 1, expiresAt: 1 });
  fileChunk.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
  throttle.index({ until: 1 }, { expireAfterSeconds: 3_600 });
  delivery.index({ at: 1 }, { expireAfterSeconds: 900 });

  return {
    settings,
    connection,
    credential,
    authorization,
    consent,
    caller,
    execution,
    payload,
    approval,
    grant,
    delegation,
    process,
    secondFactor,
    auditEvent,
    outbox,
    oauthState,
    oneTimeLink,
    connectionDraft,
    file,
    fileChunk,
    throttle,
    callLimit,
    delivery,
  };
}

const SCHEMAS = schemas();

export interface Models {
  readonly settings: Model<T.Settings>;
  readonly connections: Model<T.ConnectionDocument>;
  readonly credentials: Model<T.CredentialDocument>;
  readonly authorizations: Model<T.AuthorizationDocument>;
  readonly consents: Model<T.ConsentDocument>;
  readonly callers: Model<T.CallerDocument>;
  readonly executions: Model<T.ExecutionDocument>;
  readonly payloads: Model<T.PayloadDocument>;
  readonly approvals: Model<T.ApprovalDocument>;
  readonly grants: Model<T.GrantDocument>;
  readonly delegations: Model<T.DelegationDocument>;
  readonly processes: Model<T.ProcessDocument>;
  readonly secondFactors: Model<T.SecondFactorDocument>;
  readonly auditEvents: Model<T.AuditEventDocument>;
  readonly outbox: Model<T.OutboxDocument>;
  readonly oauthStates: Model<T.OAuthStateDocument>;
  readonly oneTimeLinks: Model<T.OneTimeLinkDocument>;
  readonly connectionDrafts: Model<T.ConnectionDraftDocument>;
  readonly files: Model<T.FileDocument>;
  readonly fileChunks: Model<T.FileChunkDocument>;
  readonly throttles: Model<T.ThrottleDocument>;
  readonly callLimits: Model<T.CallLimitDocument>;
  readonly deliveries: Model<T.DeliveryDocument>;
}

function bind<Document>(connection: Connection, name: string, schema: Schema<Document>): Model<Document> {
  return connection.model<Document>(name, schema);
}

/** The models on one connection. Several apps in one process (tests) each have their own. */
export function createModels(connection: Connection): Models {
  return {
    settings: bind(connection, 'Settings', SCHEMAS.settings),
    connections: bind(connection, 'Connection', SCHEMAS.connection),
    credentials: bind(connection, 'Credential', SCHEMAS.credential),
    authorizations: bind(connection, 'Authorization', SCHEMAS.authorization),
    consents: bind(connection, 'Consent', SCHEMAS.consent),
    callers: bind(connection, 'Caller', SCHEMAS.caller),
    executions: bind(connection, 'Execution', SCHEMAS.execution),
    payloads: bind(connection, 'Payload', SCHEMAS.payload),
    approvals: bind(connection, 'Approval', SCHEMAS.approval),
    grants: bind(connection, 'Grant', SCHEMAS.grant),
    delegations: bind(connection, 'Delegation', SCHEMAS.delegation),
    processes: bind(connection, 'Process', SCHEMAS.process),
    secondFactors: bind(connection, 'SecondFactor', SCHEMAS.secondFactor),
    auditEvents: bind(connection, 'AuditEvent', SCHEMAS.auditEvent),
    outbox: bind(connection, 'Outbox', SCHEMAS.outbox),
    oauthStates: bind(connection, 'OAuthState', SCHEMAS.oauthState),
    oneTimeLinks: bind(connection, 'OneTimeLink', SCHEMAS.oneTimeLink),
    connectionDrafts: bind(connection, 'ConnectionDraft', SCHEMAS.connectionDraft),
    files: bind(connection, 'File', SCHEMAS.file),
    fileChunks: bind(connection, 'FileChunk', SCHEMAS.fileChunk),
    throttles: bind(connection, 'Throttle', SCHEMAS.throttle),
    callLimits: bind(connection, 'CallLimit', SCHEMAS.callLimit),
    deliveries: bind(connection, 'Delivery', SCHEMAS.delivery),
  };
}

/** Creates collections and indexes; safe from several processes at once. Done at start, before the app is ready. */
export async function ensureIndexes(models: Models): Promise<void> {
  await Promise.all(
    Object.values(models).map(async (model: Model<never>) => {
      await model.createCollection();
      await model.createIndexes();
    }),
  );
}
