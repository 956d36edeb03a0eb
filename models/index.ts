/** Mongoose models and their indexes. */
import type { Connection, Model, Schema } from 'mongoose';
import * as calls from './schemas/calls.js';
import * as workspace from './schemas/workspace.js';
import type * as T from './types.js';

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
  readonly pendingPlaces: Model<T.PendingPlacesDocument>;
  readonly deliveries: Model<T.DeliveryDocument>;
}

function bind<Document>(connection: Connection, name: string, schema: Schema<Document>): Model<Document> {
  return connection.model<Document>(name, schema);
}

/** The models on one connection. Several apps in one process (tests) each have their own. */
export function createModels(connection: Connection): Models {
  return {
    settings: bind(connection, 'Settings', workspace.settings),
    connections: bind(connection, 'Connection', calls.connection),
    credentials: bind(connection, 'Credential', calls.credential),
    authorizations: bind(connection, 'Authorization', calls.authorization),
    consents: bind(connection, 'Consent', calls.consent),
    callers: bind(connection, 'Caller', calls.caller),
    executions: bind(connection, 'Execution', calls.execution),
    payloads: bind(connection, 'Payload', calls.payload),
    approvals: bind(connection, 'Approval', calls.approval),
    grants: bind(connection, 'Grant', calls.grant),
    delegations: bind(connection, 'Delegation', workspace.delegation),
    processes: bind(connection, 'Process', workspace.process),
    secondFactors: bind(connection, 'SecondFactor', workspace.secondFactor),
    auditEvents: bind(connection, 'AuditEvent', workspace.auditEvent),
    outbox: bind(connection, 'Outbox', workspace.outbox),
    oauthStates: bind(connection, 'OAuthState', workspace.oauthState),
    oneTimeLinks: bind(connection, 'OneTimeLink', workspace.oneTimeLink),
    connectionDrafts: bind(connection, 'ConnectionDraft', workspace.connectionDraft),
    files: bind(connection, 'File', calls.file),
    fileChunks: bind(connection, 'FileChunk', calls.fileChunk),
    throttles: bind(connection, 'Throttle', workspace.throttle),
    callLimits: bind(connection, 'CallLimit', calls.callLimit),
    pendingPlaces: bind(connection, 'PendingPlaces', calls.pendingPlaces),
    deliveries: bind(connection, 'Delivery', workspace.delivery),
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
