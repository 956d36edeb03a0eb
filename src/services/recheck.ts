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
  Pause,
  Settings,
} from '../../models/types.js';
import { SHARED } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { personOf } from './person-caller-id.js';
import type { CallerIdentity } from './person-callers.js';

export interface Facts {
  readonly settings: Settings;
  readonly connection: ConnectionDocument | null;
  readonly caller: CallerIdentity | null;
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
  // Whoever makes a person a caller (`PersonCallers`) has asked whether she may.
  if (personOf(callerId) !== null) return true;
  const access = connection.access.find((each) => each.callerId === callerId);
  return access !== undefined && (access.functions === null || access.functions.includes(fn));
}

/** What stops every call of a connection: the kill switch, a pause, a draft used in production. */
export function stopped(
  settings: Settings,
  connection: ConnectionDocument,
  caller: Pick<CallerDocument, 'paused' | 'stage'>,
  call: Pick<ExecutionDocument, 'risk' | 'requirement'>,
): { code: 'paused' | 'not_ready'; message: string } | null {
  if (settings.slack === 'removed')
    return { code: 'paused', message: 'The app was removed from Slack; nothing runs.' };
  const pause = pauseOver(settings, connection, caller, call);
  if (pause) {
    const what =
      pause === settings.paused
        ? 'Everything'
        : pause === connection.paused
          ? `“${connection.name}”`
          : 'This caller';
    return { code: 'paused', message: `${what} is paused${pause.reason ? `: ${pause.reason}` : '.'}` };
  }
  if (caller.stage === 'production' && connection.status !== 'ready') {
    const message = `“${connection.name}” is a draft. A production caller can use it once it is ready; a test caller can use it now.`;
    return { code: 'not_ready', message };
  }
  return null;
}

/** The kill switch is lifted in stages: reads that run directly, then what a person is asked about, then the rest. */
function isResumed({ resuming }: Settings, call: Pick<ExecutionDocument, 'risk' | 'requirement'>): boolean {
  if (resuming === null || resuming === undefined) return false;
  const isDirectRead = call.risk === 'read' && call.requirement === 'none';
  // Where a grant has answered, nobody is asked: that is of the rest.
  const isAsked = call.requirement !== 'none' && call.requirement !== 'granted';
  return isDirectRead || (resuming === 'asks' && isAsked);
}

/** The pause that keeps a call from running, or from being asked about; of several one that cancels what waits. */
export function pauseOver(
  settings: Settings,
  connection: Pick<ConnectionDocument, 'paused'> | null,
  caller: Pick<CallerDocument, 'paused'> | null,
  call: Pick<ExecutionDocument, 'risk' | 'requirement'>,
): Pause | null {
  const everything = isResumed(settings, call) ? null : settings.paused;
  const all = [everything, connection?.paused, caller?.paused].filter((pause) => pause != null);
  return all.find(({ pending }) => pending === 'cancel') ?? all[0] ?? null;
}

/** The pause under which requests that wait for people stand still, or are cancelled. */
export function freezingPause(
  settings: Settings,
  connection: Pick<ConnectionDocument, 'paused'> | null,
  caller: Pick<CallerDocument, 'paused'> | null,
): Pause | null {
  return pauseOver(settings, connection, caller, { risk: 'write', requirement: 'required' });
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
    const stop = stopped(settings, connection, caller, execution);
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
    if (approval.further) {
      const hers = approvals.filter((each) => each.userId === execution.subject);
      if (hers.length === 0) return 'the member herself has not approved';
      if (hers.length === approvals.length) return 'no further approver has approved';
    }
    if (approval.stepUp && approvals.some((each) => each.proof !== approval.stepUp))
      return 'an approval lacks its second proof';
    if (approval.bindingHash !== execution.bindingHash) return 'the approval is for another call';
  }
  return null;
}
