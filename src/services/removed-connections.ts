/**
 * What waits for people on a connection that was removed: nobody can decide about it, and nothing could run. It ends as
 * cancelled; whoever asked, and whoever was asked, sees why.
 */
import type { ApprovalService } from './approvals.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionStore } from './execution-store.js';
import type { MemberService } from './members.js';

export const REMOVED = 'The connection was removed.';
/** One sweep ends so many; the next one the rest. */
const BATCH = 2_000;

export class RemovedConnections {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId'>,
    private readonly approvals: Pick<ApprovalService, 'end'>,
    private readonly executions: Pick<ExecutionStore, 'endWaiting'>,
    private readonly members: Pick<MemberService, 'refreshDms'>,
  ) {}

  /** For the sweeper: what a crash left, and what was being recorded while the connection went. */
  async reconcile(): Promise<void> {
    const { models, workspaceId } = this.deps;
    const [asked, waiting] = await Promise.all([
      models.approvals.find({ workspaceId, status: 'pending' }).distinct('connectionId'),
      models.executions.find({ workspaceId, status: 'pending_authorization' }).distinct('connectionId'),
    ]);
    const ids = [...new Set([...asked, ...waiting])];
    if (ids.length === 0) return;
    const removed = { workspaceId, _id: { $in: ids }, status: 'removed' as const };
    for (const { _id } of await models.connections.find(removed, { _id: 1 }).lean()) await this.end(_id);
  }

  /** Ends everything that waits on it. Doing it twice changes nothing. */
  async end(connectionId: string): Promise<void> {
    const { models, workspaceId } = this.deps;
    const asked = { workspaceId, connectionId, status: 'pending' as const };
    for (const approval of await models.approvals.find(asked).limit(BATCH).lean())
      await this.approvals.end(approval, 'cancelled', REMOVED);
    const waiting = await models.executions
      .find({ workspaceId, connectionId, status: 'pending_authorization' })
      .limit(BATCH)
      .lean();
    // First: the DMs say so whatever becomes of the calls, and no sweep would look for those of calls that have ended.
    const members = new Set(waiting.flatMap(({ onBehalfOf }) => onBehalfOf ?? []));
    for (const memberId of members) await this.members.refreshDms(connectionId, memberId);
    for (const call of waiting)
      await this.executions.endWaiting(call, 'cancelled', { code: 'cancelled', message: REMOVED });
  }
}
