/** What waits for a person, as rows: soonest to expire first, requests for the very same together. */
import type { WaitingApproval, WaitingList } from '../../../../blocks/home.js';
import type { ShownField } from '../../../../blocks/parts/arguments.js';
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../../../models/types.js';
import type { Arguments } from '../../../connectors/framework.js';
import { shortHash } from '../../../services/binding.js';
import { allFunctions } from '../../../services/functions.js';
import { grouped, sameRequestKey } from '../../../services/same-requests.js';
import { shownFields } from '../../approval-view.js';
import type { SlackEdge } from '../../edge.js';
import { tellingFields } from '../../telling.js';

const MOST = 50;

type Edge = Pick<SlackEdge, 'services' | 'deps'>;

interface Found {
  readonly execution: ExecutionDocument;
  readonly row: WaitingApproval;
  readonly args: Arguments | null;
  readonly fields: readonly ShownField[];
}

/**
 * Whoever a request waits for was asked to decide it, and may see its arguments: the rows say a little of them.
 * @throws DirectoryUnavailable
 */
export async function waitingRows(edge: Edge, userId: string): Promise<WaitingList> {
  const approvals = await edge.services.approvals.waitingFor(userId, MOST + 1);
  const found = await withTheirCalls(edge, approvals.slice(0, MOST));
  const groups = grouped(found, ({ execution, args }) => sameRequestKey(execution, args));
  const rows = groups.map((group): WaitingApproval => {
    const [first] = group;
    const others = groups.flatMap(([each]) => (each !== first && isAlike(each, first) ? [each.fields] : []));
    return {
      ...first.row,
      about: tellingFields(first.fields, others),
      ...(group.length === 1 ? {} : { count: group.length }),
    };
  });
  return { rows, more: approvals.length > MOST };
}

/** As `waitingRows`, for somebody who comes to look: that she sees something of the arguments is on record first. */
export async function waitingShown(edge: Edge, userId: string): Promise<WaitingList> {
  const list = await waitingRows(edge, userId);
  const seen = list.rows.filter(({ about = [] }) => about.length > 0);
  await edge.services.executions.noteListed(
    userId,
    seen.map(({ executionId }) => executionId),
  );
  return list;
}

function isAlike({ execution: one }: Found, { execution: other }: Found): boolean {
  return one.connectionId === other.connectionId && one.function === other.function;
}

/** Three questions to the database, however many there are. */
async function withTheirCalls(edge: Edge, approvals: readonly ApprovalDocument[]): Promise<Found[]> {
  const { models, workspaceId } = edge.deps;
  const calls = [...new Set(approvals.map(({ executionId }) => executionId))];
  const places = [...new Set(approvals.map(({ connectionId }) => connectionId))];
  const [executions, connections, args] = await Promise.all([
    models.executions.find({ workspaceId, _id: { $in: calls } }).lean(),
    models.connections.find({ workspaceId, _id: { $in: places } }).lean(),
    edge.services.payloads.argumentsById(
      approvals.map(({ executionId, bindingHash }) => ({ _id: executionId, bindingHash })),
    ),
  ]);
  const executionOf = new Map(executions.map((each) => [each._id, each]));
  const connectionOf = new Map(connections.map((each) => [each._id, each]));
  const found = approvals.map(async (approval): Promise<Found | null> => {
    const execution = executionOf.get(approval.executionId);
    if (!execution) return null;
    const { _id, functionTitle, connectionName, callerName } = execution;
    const row: WaitingApproval = {
      executionId: _id,
      hash: shortHash(approval.bindingHash),
      functionTitle,
      connectionName,
      callerName,
      risk: approval.edited?.risk ?? execution.risk,
      expiresAt: approval.expiresAt,
      ...(approval.frozenAt ? { frozen: true } : {}),
    };
    const given = args.get(_id) ?? null;
    const connection = connectionOf.get(execution.connectionId);
    const fields = given && connection ? await fieldsOf(edge, execution, connection, given) : [];
    return { execution, row, args: given, fields };
  });
  return (await Promise.all(found)).filter((each) => each !== null);
}

/** As its card shows them; none where its card cannot be drawn: the others are listed all the same. */
async function fieldsOf(
  { deps }: Edge,
  execution: ExecutionDocument,
  connection: ConnectionDocument,
  args: Arguments,
): Promise<readonly ShownField[]> {
  try {
    const functions = allFunctions(await deps.connector(execution.connector), connection);
    return shownFields(args, functions.find(({ name }) => name === execution.function)?.card);
  } catch (error) {
    deps.log.warn({ err: error, execution: execution._id }, 'a request is listed without its fields');
    return [];
  }
}
