/** Executions as the blocks want them. */
import type { ExecutionDetail, ExecutionRow } from '../../../../blocks/executions.js';
import { type ExecutionDocument, SHARED } from '../../../../models/types.js';
import { shortHash } from '../../../services/binding.js';
import type { SlackEdge } from '../../edge.js';
import { shownResult } from '../../shown-result.js';

export function executionRowOf(execution: ExecutionDocument): ExecutionRow {
  const {
    _id,
    functionTitle,
    connectionName,
    callerName,
    status,
    risk,
    requirement,
    approvalStatus,
    createdAt,
  } = execution;
  return {
    id: _id,
    functionTitle,
    connectionName,
    callerName,
    status,
    risk,
    requirement,
    approvalStatus,
    createdAt,
  };
}

/** With payloads where the viewer may see them; that look is recorded. */
export async function executionDetailOf(
  edge: Pick<SlackEdge, 'services'>,
  viewerId: string,
  execution: ExecutionDocument,
): Promise<ExecutionDetail> {
  const { approvals, credentials, executions } = edge.services;
  const [approval, credential, payloads] = await Promise.all([
    approvals.ofExecution(execution._id),
    credentials.find(execution.connectionId, execution.subject),
    executions.payloadsFor(viewerId, execution),
  ]);
  const account = credential?.account ?? null;
  return {
    ...executionRowOf(execution),
    connectionKey: execution.connectionKey,
    functionName: execution.function,
    actingAs:
      execution.subject === SHARED
        ? `${account ?? 'service credential'} · shared`
        : `${account ?? 'the member’s own'} · private`,
    requesterId: execution.requesterId,
    onBehalfOf: execution.onBehalfOf,
    reason: execution.reason,
    decisions: approval?.decisions ?? [],
    startedAt: execution.startedAt,
    finishedAt: execution.finishedAt,
    error: execution.error,
    hash: execution.bindingHash ? shortHash(execution.bindingHash) : null,
    outcome:
      execution.status === 'outcome_unknown'
        ? {
            executionId: execution._id,
            resolution: execution.resolution ?? null,
            replacedBy: execution.replacedBy ?? null,
          }
        : null,
    replacedBy: execution.replacedBy ?? null,
    payloads: payloads && {
      arguments: payloads.arguments ? JSON.stringify(payloads.arguments, null, 2) : 'no longer kept',
      original: payloads.original ? JSON.stringify(payloads.original, null, 2) : null,
      result: shownResult(execution, payloads.result),
    },
  };
}
