/** Whole documents from what a test cares about. */
import type {
  ApprovalDocument,
  CallerDocument,
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
  PolicyRule,
  Settings,
} from '../../models/types.js';
import type { FunctionDefinition } from '../../src/connectors/framework.js';

export const NOW = new Date('2026-05-04T10:00:00Z');
const WORKSPACE = 'T0TEST';

export function rule(given: Partial<PolicyRule> = {}): PolicyRule {
  return {
    id: 'rule',
    functions: null,
    risks: null,
    effect: 'ask',
    approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
    quorum: 1,
    route: null,
    expiresInMinutes: 60,
    ...given,
  };
}

export function fn(given: Partial<FunctionDefinition> = {}): FunctionDefinition {
  return {
    name: 'create_ticket',
    title: 'Create a ticket',
    description: 'Files a ticket.',
    risk: 'write',
    approval: 'ask',
    scopes: [],
    idempotency: 'none',
    input: { jsonSchema: { type: 'object' }, parse: () => ({ ok: true, value: {} }) },
    output: 'the ticket',
    card: () => [],
    run: async () => null,
    ...given,
  };
}

export function connection(given: Partial<ConnectionDocument> = {}): ConnectionDocument {
  return {
    _id: 'con_1',
    workspaceId: WORKSPACE,
    key: 'helpdesk',
    connector: 'rest',
    name: 'Helpdesk',
    purpose: 'Tickets',
    identity: 'shared',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {},
    enabledFunctions: ['create_ticket'],
    raisedRisks: {},
    policy: { version: 1, rules: [rule()] },
    access: [{ callerId: 'cal_1', functions: null }],
    visibility: { everyone: true, users: [], usergroups: [] },
    status: 'ready',
    paused: null,
    scopesReviewedAt: NOW,
    readTestedAt: NOW,
    writeTestedAt: NOW,
    health: 'ok',
    rev: 1,
    createdBy: 'U0ADA',
    createdAt: NOW,
    updatedAt: NOW,
    lastUsedAt: null,
    ...given,
  };
}

export function caller(given: Partial<CallerDocument> = {}): CallerDocument {
  return {
    _id: 'cal_1',
    workspaceId: WORKSPACE,
    name: 'Support agent',
    nameKey: 'support agent',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'production',
    tokenHash: 'hash',
    tokenPrefix: 'prefix',
    status: 'active',
    paused: null,
    createdBy: 'U0ADA',
    createdAt: NOW,
    ...given,
  };
}

export function settings(given: Partial<Settings> = {}): Settings {
  return {
    _id: WORKSPACE,
    workspaceId: WORKSPACE,
    admins: [],
    auditors: [],
    approvalsChannel: null,
    retentionDays: 90,
    setupDoneAt: null,
    paused: null,
    slack: 'active',
    updatedAt: NOW,
    ...given,
  };
}

export function credential(given: Partial<CredentialDocument> = {}): CredentialDocument {
  return {
    _id: 'cred_1',
    workspaceId: WORKSPACE,
    connectionId: 'con_1',
    subject: 'shared',
    kind: 'secret',
    generation: 1,
    version: 1,
    fields: {},
    scopes: [],
    account: null,
    expiresAt: null,
    status: 'active',
    refresh: null,
    failing: null,
    createdBy: 'U0ADA',
    createdAt: NOW,
    rotatedAt: NOW,
    ...given,
  };
}

export function approval(given: Partial<ApprovalDocument> = {}): ApprovalDocument {
  return {
    _id: 'ap_1',
    workspaceId: WORKSPACE,
    executionId: 'ex_1',
    connectionId: 'con_1',
    rev: 2,
    status: 'approved',
    approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
    quorum: 1,
    excluded: ['U0ADA'],
    decisions: [{ userId: 'U0BEN', decision: 'approved', reason: null, at: NOW }],
    route: null,
    bindingHash: 'digest',
    createdAt: NOW,
    expiresAt: new Date(NOW.getTime() + 3_600_000),
    endedAt: NOW,
    endNote: null,
    settled: true,
    ...given,
  };
}

export function execution(given: Partial<ExecutionDocument> = {}): ExecutionDocument {
  return {
    _id: 'ex_1',
    workspaceId: WORKSPACE,
    rev: 2,
    status: 'queued',
    connectionId: 'con_1',
    connectionKey: 'helpdesk',
    connectionName: 'Helpdesk',
    connectionOwnerId: 'U0ADA',
    connector: 'rest',
    function: 'create_ticket',
    functionTitle: 'Create a ticket',
    risk: 'write',
    callerId: 'cal_1',
    callerName: 'Support agent',
    callerOwnerId: 'U0ADA',
    requesterId: 'U0ADA',
    onBehalfOf: null,
    subject: 'shared',
    reason: null,
    requirement: 'required',
    approvalStatus: 'approved',
    approvalId: 'ap_1',
    policyVersion: 1,
    definitionHash: 'definition',
    credentialGeneration: 1,
    bindingHash: 'digest',
    idempotencyKey: 'key',
    requestHash: 'request',
    attempt: null,
    error: null,
    note: null,
    truncated: false,
    createdAt: NOW,
    updatedAt: NOW,
    decidedAt: NOW,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    nextActionAt: null,
    ...given,
  };
}
