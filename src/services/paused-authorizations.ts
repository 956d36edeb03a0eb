/** What the kill switch does with calls that wait for a member's consent: as with those that wait for an approver. */
import type { ExecutionDocument, Pause } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionStore } from './execution-store.js';
import { authorizationSubject } from './members.js';
import type { OutboxService } from './outbox.js';
import type { PausesInForce } from './pause-record.js';

/** One sweep looks at so many calls; the next one at the rest. */
const BATCH = 2_000;
const WAITING = 'pending_authorization';

export class PausedAuthorizations {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId'>,
    private readonly executions: ExecutionStore,
    private readonly outbox: OutboxService,
  ) {}

  /** Each stands as the pauses say: still, or cancelled; or it goes on, and has the time back that it lost. */
  async reconcile(pauses: PausesInForce): Promise<void> {
    const { models, workspaceId } = this.deps;
    const waiting = { workspaceId, status: WAITING } as const;
    const frozen = await models.executions
      .find({ ...waiting, frozenAt: { $ne: null } })
      .limit(BATCH)
      .lean();
    const moving = pauses.any
      ? await models.executions
          .find({ ...waiting, frozenAt: null })
          .limit(BATCH)
          .lean()
      : [];
    const changed: ExecutionDocument[] = [];
    const held = new Map<Pause, string[]>();
    for (const call of [...frozen, ...moving]) {
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
    const freed = frozen.filter((call) => pauses.overCall(call) === null);
    await this.thaw(freed.map(({ _id }) => _id));
    await this.redraw([...changed, ...freed]);
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
