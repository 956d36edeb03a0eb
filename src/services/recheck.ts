/**
 * Everything that was true when a call was accepted or approved is asked again just before it runs (G5).
 * The answer is a reason to refuse, or null. @throws DirectoryUnavailable when people cannot be looked up
 */
import type {
  ApprovalDocument,
  CallerDocument,
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
  Settings,
} from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';

export interface Facts {
  readonly settings: Settings;
  readonly connection: ConnectionDocument | null;
  readonly caller: CallerDocument | null;
  /** Null when the function is gone or turned off. */
  readonly fn: FunctionDefinition | null;
  readonly definitionHash: string | null;
  readonly credential: CredentialDocument | null;
  readonly approval: ApprovalDocument | null;
  /** For a call made for a member: she allows this caller, and has authorized a private connection. */
  readonly memberAllows: boolean;
}

/** May this caller use this function of this connection? Denied by default. */
export function hasAccess(connection: ConnectionDocument, callerId: string, fn: string): boolean {
  const access = connection.access.find((each) => each.callerId === callerId);
  return access !== undefined && (access.functions === null || access.functions.includes(fn));
}

/** What stops every call of a connection: the kill switch, a pause, a draft used in production. */
export function stopped(
  settings: Settings,
  connection: ConnectionDocument,
  caller: Pick<CallerDocument, 'paused' | 'stage'>,
): { code: 'paused' | 'not_ready'; message: string } | null {
  if (settings.slack === 'removed')
    return { code: 'paused', message: 'The app was removed from Slack; nothing runs.' };
  const pause = settings.paused ?? connection.paused ?? caller.paused;
  if (pause) {
    const what = settings.paused ? 'Everything' : connection.paused ? `“${connection.name}”` : 'This caller';
    return { code: 'paused', message: `${what} is paused${pause.reason ? `: ${pause.reason}` : '.'}` };
  }
  if (caller.stage === 'production' && connection.status !== 'ready') {
    const message = `“${connection.name}” is a draft. A production caller can use it once it is ready; a test caller can use it now.`;
    return { code: 'not_ready', message };
  }
  return null;
}

/** The pure part of the re-check. People are checked by `EligibilityService` besides. */
export function reasonToRefuse(
  execution: ExecutionDocument,
  facts: Facts,
  isSystemCaller: boolean,
): string | null {
  const { settings, connection, caller, fn, credential, approval } = facts;
  if (!connection || connection.status === 'removed') return 'the connection was removed';
  if (!isSystemCaller) {
    if (caller?.status !== 'active') return 'the caller is no longer active';
    if (caller.ownerId !== execution.callerOwnerId) return 'the caller has another owner now';
    const stop = stopped(settings, connection, caller);
    if (stop) return stop.message;
    if (!hasAccess(connection, execution.callerId, execution.function))
      return 'the caller has no access any more';
  }
  if (connection.ownerId !== execution.connectionOwnerId) return 'the connection has another owner now';
  if (!fn) return 'the function was turned off';
  if (facts.definitionHash !== execution.definitionHash) return 'the definition of the function changed';
  if ((credential?.generation ?? 0) !== execution.credentialGeneration) return 'the credential was replaced';
  if (credential?.status === 'needs_reauth') return 'the connection needs to be reconnected';
  if (execution.onBehalfOf && !facts.memberAllows)
    return 'the member no longer allows this caller to act for her';
  if (execution.subject !== SHARED && execution.subject !== execution.onBehalfOf)
    return 'the identity does not fit the member';
  if (execution.requirement === 'required') {
    if (approval?.status !== 'approved') return 'there is no approval';
    const approvals = approval.decisions.filter((each) => each.decision === 'approved');
    if (approvals.length < approval.quorum) return 'the approvals are too few';
    if (approval.bindingHash !== execution.bindingHash) return 'the approval is for another call';
  }
  return null;
}
