/** Gathers what an approval card shows, as plain data for `blocks/`. */
import type { ApprovalCard, ShownField } from '../../blocks/approval-card.js';
import { type ApprovalDocument, type ExecutionDocument, SHARED } from '../../models/types.js';
import type { Arguments, CardField, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { shortHash } from '../services/binding.js';
import type { Dependencies } from '../services/dependencies.js';
import { allFunctions } from '../services/functions.js';
import type { Services } from '../services/index.js';

/** Null when the execution has no approval request. */
export async function approvalCard(
  executionId: string,
  services: Services,
  deps: Dependencies,
): Promise<{ card: ApprovalCard; execution: ExecutionDocument; approval: ApprovalDocument } | null> {
  const { models, workspaceId } = deps;
  const [execution, approval] = await Promise.all([
    models.executions.findOne({ _id: executionId, workspaceId }).lean(),
    services.approvals.ofExecution(executionId),
  ]);
  if (!execution || !approval) return null;
  const [connection, caller, credential, args] = await Promise.all([
    models.connections.findOne({ _id: execution.connectionId, workspaceId }).lean(),
    services.callers.get(execution.callerId),
    services.credentials.find(execution.connectionId, execution.subject),
    services.payloads.arguments(execution).catch(() => null),
  ]);
  const fn = connection
    ? allFunctions(await deps.connector(execution.connector), connection).find(
        (each) => each.name === execution.function,
      )
    : undefined;
  const { users, usergroups, connectionOwner } = approval.approvers;
  const owner = connectionOwner && connection ? [connection.ownerId] : [];
  const able = [...new Set([...users, ...owner])].filter((id) => !approval.excluded.includes(id));
  return {
    execution,
    approval,
    card: {
      executionId,
      hash: shortHash(approval.bindingHash),
      functionTitle: execution.functionTitle,
      connectionName: execution.connectionName,
      connectionKey: execution.connectionKey,
      actingAs: await actingAs(execution, credential?.account ?? null, deps),
      callerName: execution.callerName,
      callerKind: caller?.kind ?? 'caller',
      callerStage: caller?.stage ?? 'removed',
      requesterId: execution.requesterId,
      onBehalfOf: execution.onBehalfOf,
      risk: execution.risk,
      fields: args
        ? [...shownFields(args, fn?.card), ...(await fileFields(args, fn, execution, services))]
        : [{ label: 'Arguments', value: 'no longer kept', kind: 'short' }],
      reason: execution.reason,
      deciders: { users: able, groups: usergroups },
      quorum: approval.quorum,
      decisions: approval.decisions,
      status: statusOf(execution, approval),
      expiresAt: approval.expiresAt,
      // A denial is told by who denied it and why.
      note: execution.status === 'denied' ? null : (execution.error?.message ?? execution.note),
    },
  };
}

/** The decision is where the truth is; the execution may be a moment behind. */
function statusOf(execution: ExecutionDocument, approval: ApprovalDocument): ApprovalCard['status'] {
  if (execution.status === 'pending_authorization') return 'pending_approval';
  if (execution.status !== 'pending_approval' || approval.status === 'pending') return execution.status;
  return approval.status === 'approved' ? 'queued' : approval.status;
}

async function actingAs(
  execution: ExecutionDocument,
  account: string | null,
  deps: Dependencies,
): Promise<string> {
  if (execution.subject === SHARED) return `${account ?? 'service credential'} · shared`;
  const member = await deps.directory.person(execution.subject).catch(() => null);
  return `${account ?? member?.email ?? execution.subject} · ${member?.name ?? 'the member'}’s own`;
}

/** The connector's layout first; whatever it left out follows, so that every argument is on the card. */
function shownFields(
  args: Arguments,
  layout: ((args: Arguments) => readonly CardField[]) | undefined,
): ShownField[] {
  if (!layout)
    return Object.entries(args).map(([label, each]) => ({ label, value: asText(each), kind: 'long' }));
  return layout(args).map((field) => ({ ...field }));
}

/** A reference says nothing to a person: the file's name, kind and size do, and its digest says which bytes. */
async function fileFields(
  args: Arguments,
  fn: FunctionDefinition | undefined,
  { callerId }: ExecutionDocument,
  services: Services,
): Promise<ShownField[]> {
  const references = fn?.files?.(args) ?? [];
  return Promise.all(
    references.map(async (reference): Promise<ShownField> => {
      const file = await services.files.find(callerId, reference);
      const about = file
        ? `${file.name} · ${file.type} · ${file.size.toLocaleString('en')} bytes · sha256 ${file.sha256.slice(0, 16)}`
        : 'no longer kept';
      return { label: `File ${reference}`, value: about, kind: 'long' };
    }),
  );
}

function asText(each: JsonValue): string {
  return typeof each === 'string' ? each : JSON.stringify(each, null, 2);
}
