/** The digest that binds an approval to exactly one call (shared/RELIABILITY.md, G4). Pure. */
import type { ExecutionDocument } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments } from '../connectors/framework.js';

export type Bound = Pick<
  ExecutionDocument,
  | '_id'
  | 'workspaceId'
  | 'connectionId'
  | 'subject'
  | 'credentialGeneration'
  | 'function'
  | 'definitionHash'
  | 'callerId'
  | 'onBehalfOf'
  | 'policyVersion'
>;

/** SHA-256 over canonical JSON, hex. The card shows the first 8 digits. */
export function bindingHash(execution: Bound, args: Arguments): string {
  return canonicalHash({
    executionId: execution._id,
    workspaceId: execution.workspaceId,
    connectionId: execution.connectionId,
    identity: execution.subject,
    credentialGeneration: execution.credentialGeneration,
    functionId: execution.function,
    definitionHash: execution.definitionHash,
    arguments: args,
    callerId: execution.callerId,
    onBehalfOf: execution.onBehalfOf,
    policyVersion: execution.policyVersion,
  });
}

export function shortHash(hash: string): string {
  return hash.slice(0, 8);
}
