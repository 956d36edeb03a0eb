/** Gathers what an approval card shows, as plain data for `blocks/`. */
import type { ApprovalCard, ShownField } from '../../blocks/approval-card.js';
import type { ShownEdit } from '../../blocks/parts/edited.js';
import type { Asked } from '../../blocks/parts/reading.js';
import { readableName } from '../../blocks/parts/schema-fields.js';
import type { ShownTarget } from '../../blocks/parts/target.js';
import { type ApprovalDocument, type ExecutionDocument, SHARED } from '../../models/types.js';
import type { Arguments, CardField, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { shortHash } from '../services/binding.js';
import type { Dependencies } from '../services/dependencies.js';
import { changedFields } from '../services/edited-fields.js';
import { delayOf } from '../services/execution-store.js';
import { allFunctions } from '../services/functions.js';
import { canBeLimited } from '../services/grant-scope.js';
import type { Services } from '../services/index.js';
import { personOf } from '../services/person-caller-id.js';
import { awaitsTarget } from '../services/targets.js';
import { markedFields } from './card-marks.js';
import { whoDecides } from './who-decides.js';

/**
 * Null when the execution has no approval request.
 * @param patienceMs how long it may wait for the remarks on the arguments; as for a person who waits, where absent
 */
export async function approvalCard(
  executionId: string,
  services: Services,
  deps: Dependencies,
  patienceMs?: number,
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
    services.payloads.arguments({ _id: execution._id, bindingHash: approval.bindingHash }).catch(() => null),
  ]);
  const fn = connection
    ? allFunctions(await deps.connector(execution.connector), connection).find(
        (each) => each.name === execution.function,
      )
    : undefined;
  const { deciders, further, attention } = await whoDecides(
    execution,
    approval,
    connection,
    caller,
    services,
    deps,
  );
  const byHand = personOf(execution.callerId) !== null;
  // None is made from what was not approved.
  const grant = approval.status === 'approved' ? await services.grants.madeFrom(execution) : null;
  // Nobody weighs it any more once it is decided.
  const marks =
    args && connection && statusOf(execution, approval) === 'pending_approval'
      ? await services.cardMarks.of(execution, approval.bindingHash, connection, args, patienceMs)
      : { marks: [], note: null };
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
      callerKind: caller?.kind ?? (byHand ? 'person' : 'caller'),
      callerStage: caller?.stage ?? (byHand ? 'no agent' : 'removed'),
      requesterId: execution.requesterId,
      onBehalfOf: execution.onBehalfOf,
      risk: approval.edited?.risk ?? execution.risk,
      rememberable:
        approval.rememberable === true &&
        approval.quorum === 1 &&
        args !== null &&
        canBeLimited(execution.risk, args),
      remembered: grant && { by: grant.grantedBy, until: grant.expiresAt, counted: grant.usesLeft !== null },
      suggestsGrant: await services.grants.suggests(execution, approval).catch(() => false),
      editable: args !== null && fn !== undefined && fn.editable !== false,
      target: await shownTarget(execution, approval, services),
      outcome:
        execution.status === 'outcome_unknown'
          ? {
              executionId,
              resolution: execution.resolution ?? null,
              replacedBy: execution.replacedBy ?? null,
            }
          : null,
      edited: await shownEdit(execution, approval, args, services),
      stepUp: approval.stepUp ?? null,
      marksNote: marks.note,
      fields: args
        ? markedFields(await argumentFields(args, fn, execution, services), marks.marks)
        : [{ label: 'Arguments', value: 'no longer kept', kind: 'short' }],
      reason: execution.reason,
      deciders,
      further,
      attention,
      quorum: approval.quorum,
      decisions: approval.decisions,
      status: statusOf(execution, approval),
      expiresAt: approval.expiresAt,
      // A denial is told by who denied it and why.
      note:
        execution.status === 'denied'
          ? null
          : (execution.error?.message ?? delayOf(execution) ?? execution.note),
    },
  };
}

/** The target as it was read when this was asked; for a call that asks again, what moved. */
async function shownTarget(
  execution: ExecutionDocument,
  approval: ApprovalDocument,
  services: Services,
): Promise<ShownTarget | null> {
  const { targetCheck, target, targetNote, edited } = approval;
  const again = execution.replaces ? await services.targets.askedAgainFor(execution.replaces) : null;
  if (!targetCheck && !again) return null;
  // It was read for the call as it stood then; what asks again carries its edit from the beginning.
  const editedSince = edited ? edited.at >= approval.createdAt : false;
  const isSeen = target === 'bound' || target === 'best_effort';
  const { observation, moved } = isSeen
    ? await services.targets.seen(execution)
    : { observation: null, moved: null };
  return {
    // What an edit makes of it stands with the edit.
    fields: (observation?.fields ?? []).map(({ label, value, after }) => ({
      label,
      value,
      ...(after === undefined || editedSince ? {} : { after }),
    })),
    note: targetCheck && !isSeen ? (targetNote ?? 'It was not read.') : null,
    blocked: awaitsTarget(approval),
    moved: moved ?? [],
    again,
    held: execution.targetHeld ?? null,
  };
}

/** What an approver made of the arguments that were asked for. */
async function shownEdit(
  execution: ExecutionDocument,
  { edited }: ApprovalDocument,
  args: Arguments | null,
  services: Services,
): Promise<ShownEdit | null> {
  if (!edited || !args) return null;
  const { by, at, voided } = edited;
  const original = await services.payloads.originalArguments(execution).catch(() => null);
  const changes = changedFields(original ?? {}, args).map(({ path, before, after }) => ({
    label: path.split('.').map(readableName).join(' · '),
    before: before === undefined ? null : asText(before),
    after: after === undefined ? null : asText(after),
  }));
  return { by, at, voided, changes };
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

/** What a person decides about, without the remarks; null when the arguments are not kept. */
export async function askedOf(
  execution: ExecutionDocument,
  approval: ApprovalDocument,
  services: Services,
  deps: Dependencies,
): Promise<Asked | null> {
  const { models, workspaceId } = deps;
  const [connection, args, target] = await Promise.all([
    models.connections.findOne({ _id: execution.connectionId, workspaceId }).lean(),
    services.payloads.arguments({ _id: execution._id, bindingHash: approval.bindingHash }).catch(() => null),
    shownTarget(execution, approval, services),
  ]);
  if (!args || !connection) return null;
  const all = allFunctions(await deps.connector(execution.connector), connection);
  const fn = all.find(({ name }) => name === execution.function);
  return { fields: await argumentFields(args, fn, execution, services), target };
}

async function argumentFields(
  args: Arguments,
  fn: FunctionDefinition | undefined,
  execution: ExecutionDocument,
  services: Services,
): Promise<ShownField[]> {
  return [...shownFields(args, fn?.card), ...(await fileFields(args, fn, execution, services))];
}

/** As the connector lays them out; as they are, where the function is gone. */
export function shownFields(
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
