/** The documents as they are stored. Every one carries `workspaceId`, and every query names it. */
export * from './types/approvals.js';
export * from './types/connections.js';
export * from './types/executions.js';
export * from './types/messages.js';
export * from './types/policy.js';
export * from './types/workspace.js';
