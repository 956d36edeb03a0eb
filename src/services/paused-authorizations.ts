/** What the kill switch does with calls that wait for a member's consent: as with those that wait for an approver. */
import type { QueryFilter } from 'mongoose';
import type { ExecutionDocument, Pause } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionStore } from './execution-store.js';
import { authorizationSubject } from './members.js';
import type { OutboxService } from './outbox.js';
import { PAGE, pages } from './pages.js';
import type { Covered, PausesInForce } from './pause-record.js';

const WAITING = 'pending_authorization';

export class PausedAuthorizations {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId'>,
    private readonly executions: ExecutionStore,
    private readonly outbox: OutboxService,
  ) {}

  /** Each stands as the pauses say: still, or cancelled; or it goes on, and has the time back that it lost. */
  async reconcile(pauses: PausesInForce): Promise<void> {
    for await (const frozen of this.waiting({ frozenAt: { $ne: null } })) await this.follow(frozen, pauses);
    if (!pauses.any) return;
    const moving = { frozenAt: null, ...scopeOf(pauses.overCalls) };
    for await (const calls of this.waiting(moving)) await this.follow(calls, pauses);
  }

  private async follow(calls: readonly ExecutionDocument[], pauses: PausesInForce): Promise<void> {
    const changed: ExecutionDocument[] = [];
    const held = new Map<Pause, string[]>();
    for (const call of calls) {
      const pause = pauses.overCall(call);
      if (pause?.pending === 'cancel') {
        const message = `Cancelled by a pause: ${pause.reason}`;
        await this.executions.endWaiting(call, 'cancelled', { code: 'cancelled', message });
        changed.push(call);
      } else if (pause && !call.frozenAt) {
        held.set(pause, [...(held.get(pause) ?? []), call._id]);
        changed.push(call);
      }
    }
    for (const [pause, ids] of held) await this.freeze(pause.at, ids);
    const freed = calls.filter((call) => call.frozenAt && pauses.overCall(call) === null);
    await this.thaw(freed.map(({ _id }) => _id));
    await this.redraw([...changed, ...freed]);
  }

  /** Newest first: an order that nothing here changes. */
  private waiting(
    filter: QueryFilter<ExecutionDocument>,
  ): AsyncGenerator<readonly ExecutionDocument[], void> {
    const { models, workspaceId } = this.deps;
    return pages<ExecutionDocument>(
      (rest) =>
        models.executions
          .find({ workspaceId, status: WAITING, $and: [filter, rest] })
          .sort({ createdAt: -1, _id: -1 })
          .limit(PAGE)
          .lean(),
      ({ createdAt, _id }) => ({
        $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: _id } }],
      }),
    );
  }

  private async freeze(at: Date, ids: readonly string[]): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.executions.updateMany(
      { workspaceId, _id: { $in: ids }, status: WAITING, frozenAt: null, expiresAt: { $gt: at } },
      [{ $set: { frozenAt: { $max: [at, '$createdAt'] }, rev: { $add: ['$rev', 1] } } }],
      { updatePipeline: true },
    );
  }

  /** The sweeper looks at them next: whatever was allowed meanwhile goes on. */
  private async thaw(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { models, workspaceId } = this.deps;
    const expiresAt = { $add: ['$expiresAt', { $subtract: ['$$NOW', '$frozenAt'] }] };
    await models.executions.updateMany(
      { workspaceId, _id: { $in: ids }, status: WAITING, frozenAt: { $ne: null } },
      [{ $set: { expiresAt, frozenAt: null, nextActionAt: '$$NOW', rev: { $add: ['$rev', 1] } } }],
      { updatePipeline: true },
    );
  }

  private async redraw(calls: readonly ExecutionDocument[]): Promise<void> {
    const subjects = calls.flatMap(({ connectionId, onBehalfOf, callerId }) =>
      onBehalfOf === null ? [] : [authorizationSubject(connectionId, onBehalfOf, callerId)],
    );
    for (const subject of new Set(subjects)) await this.outbox.refresh('authorization', subject);
  }
}

function scopeOf(covered: Covered): QueryFilter<ExecutionDocument> {
  if (covered === 'all') return {};
  const { connectionIds, callerIds } = covered;
  return { $or: [{ connectionId: { $in: [...connectionIds] } }, { callerId: { $in: [...callerIds] } }] };
}
