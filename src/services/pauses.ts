/**
 * The kill switch. A pause holds from the next claim on, because every claim asks the database; what is said here besides
 * is when that is certain for every process, what runs at that moment, and what becomes of those who wait.
 */
import type { ClientSession, QueryFilter } from 'mongoose';
import type { Actor, ApprovalDocument, ExecutionDocument, Pause } from '../../models/types.js';
import { AppError } from '../errors.js';
import type { ApprovalService } from './approvals.js';
import type { CallerService } from './callers.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { requestsChanged } from './home-rows.js';
import { PAGE, pages } from './pages.js';
import type { Covered, PauseRecord, PausesInForce } from './pause-record.js';
import type { PausedAuthorizations } from './paused-authorizations.js';
import type { Confirmation, ProcessService } from './processes.js';
import type { PauseOfAll, SettingsService } from './settings.js';

/** So many change together: few enough that nobody else's change is in the way for long. */
const AT_ONCE = 100;
const MOST_RUNNING = 50;
const WAITING = ['pending_approval', 'pending_authorization'] as const;
const CONFIRM_EVERY_MS = 200;

export type PauseTarget =
  | { readonly kind: 'all' }
  | { readonly kind: 'connection'; readonly id: string }
  | { readonly kind: 'caller'; readonly id: string };

/** A pause of everything is lifted from where somebody saw it: two who do so at once skip no step. */
export type ResumeTarget =
  | Exclude<PauseTarget, { readonly kind: 'all' }>
  | { readonly kind: 'all'; readonly seen: PauseOfAll };

export interface PauseTaken {
  /** What processes confirm. */
  readonly version: number;
  readonly at: Date;
  /** Calls that were on their way: they are not interrupted. Oldest first. */
  readonly running: readonly ExecutionDocument[];
  /** Requests that stand still, or were cancelled. */
  readonly waiting: number;
}

/** How far the kill switch is lifted: `done` when nothing is held back any more. */
export type ResumeStage = 'reads' | 'asks' | 'done';

export class PauseService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log' | 'signals'>,
    private readonly settings: SettingsService,
    private readonly connections: ConnectionService,
    private readonly callers: CallerService,
    private readonly approvals: ApprovalService,
    private readonly processes: ProcessService,
    private readonly record: PauseRecord,
    private readonly authorizations: PausedAuthorizations,
  ) {}

  /** Stops a connection, a caller or everything. Who may is asked before. @throws AppError `not_found` */
  async pause(
    actor: Actor,
    target: PauseTarget,
    reason: string,
    pending: NonNullable<Pause['pending']>,
  ): Promise<PauseTaken> {
    const at = this.deps.clock.now();
    await this.write(actor, target, { by: actor.id, at, reason, pending });
    const version = await this.settings.nextPauseVersion();
    const { models, workspaceId } = this.deps;
    // A claim that was checked before, by a process that was asleep since, finds another revision.
    await models.executions.updateMany(
      { workspaceId, status: 'queued', ...targeted(target) },
      { $inc: { rev: 1 } },
    );
    const waiting = await this.waitingOf(target);
    await this.reconcile();
    return { version, at, running: await this.running(target), waiting };
  }

  /** How the kill switch for everything stands; null where it is off. */
  async ofAll(): Promise<PauseOfAll | null> {
    const { paused, resuming } = await this.settings.get();
    return paused && { at: paused.at, lifted: resuming ?? null };
  }

  /**
   * Lifts a pause. Everything is lifted in three steps, one at a time: reads that run directly, then what people are
   * asked about, then the rest. `stale`, with nothing lifted, where it stands elsewhere by now than that person saw.
   */
  async resume(actor: Actor, target: ResumeTarget): Promise<ResumeStage | 'stale'> {
    const stage = target.kind === 'all' ? nextStage(target.seen) : 'done';
    if (target.kind !== 'all') await this.write(actor, target, null);
    else if (!(await this.settings.lift(actor, target.seen, stage))) return 'stale';
    await this.settings.nextPauseVersion();
    await this.reconcile();
    return stage;
  }

  /** Calls on their way, oldest first. */
  async running(target: PauseTarget): Promise<ExecutionDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.executions
      .find({ workspaceId, status: 'executing', ...targeted(target) })
      .sort({ startedAt: 1 })
      .limit(MOST_RUNNING)
      .lean();
  }

  /** Waits until every living process has confirmed a pause, or the time is over; says which either way. */
  async confirmed(version: number, milliseconds: number): Promise<Confirmation> {
    const until = performance.now() + milliseconds;
    for (;;) {
      const confirmation = await this.processes.confirmation(version);
      if (confirmation.all || performance.now() >= until) return confirmation;
      await new Promise((resolve) => setTimeout(resolve, CONFIRM_EVERY_MS));
    }
  }

  /**
   * Every request stands as the pauses say: covered ones stand still or are cancelled, the others go on and have the
   * time back that they lost. For the sweeper too: whatever a crash left half done is done at the next look.
   */
  async reconcile(): Promise<void> {
    const pauses = await this.record.all();
    await this.authorizations.reconcile(pauses);
    for await (const frozen of this.pending({ frozenAt: { $ne: null } })) await this.follow(frozen, pauses);
    if (!pauses.any) return;
    const moving = { frozenAt: null, ...(await this.scopeOf(pauses.overRequests)) };
    for await (const approvals of this.pending(moving)) await this.follow(approvals, pauses);
  }

  private async follow(approvals: readonly ApprovalDocument[], pauses: PausesInForce): Promise<void> {
    const callerOf = await this.callersOf(approvals);
    const held = (approval: ApprovalDocument): Pause | null =>
      pauses.overRequest(approval.connectionId, callerOf.get(approval.executionId) ?? null);
    const kept: ApprovalDocument[] = [];
    for (const approval of approvals) {
      const pause = held(approval);
      if (pause?.pending !== 'cancel') kept.push(approval);
      else await this.approvals.end(approval, 'cancelled', `Cancelled by a pause: ${pause.reason}`);
    }
    for (const pause of pauses.all) {
      await this.freeze(
        pause.at,
        kept.filter((each) => !each.frozenAt && held(each) === pause),
      );
    }
    await this.thaw(kept.filter((each) => each.frozenAt && held(each) === null));
  }

  /** Soonest to expire first: only what has been thawed comes later than before. */
  private pending(filter: QueryFilter<ApprovalDocument>): AsyncGenerator<readonly ApprovalDocument[], void> {
    const { models, workspaceId } = this.deps;
    return pages<ApprovalDocument>(
      (rest) =>
        models.approvals
          .find({ workspaceId, status: 'pending', $and: [filter, rest] })
          .sort({ expiresAt: 1, _id: 1 })
          .limit(PAGE)
          .lean(),
      ({ expiresAt, _id }) => ({
        $or: [{ expiresAt: { $gt: expiresAt } }, { expiresAt, _id: { $gt: _id } }],
      }),
    );
  }

  /** A request does not say who called; its execution does. */
  private async scopeOf(covered: Covered): Promise<QueryFilter<ApprovalDocument>> {
    if (covered === 'all') return {};
    const { models, workspaceId } = this.deps;
    const { connectionIds, callerIds } = covered;
    const calls =
      callerIds.length === 0
        ? []
        : await models.executions
            .find({ workspaceId, status: 'pending_approval', callerId: { $in: [...callerIds] } }, { _id: 1 })
            .lean();
    const executionIds = calls.map(({ _id }) => _id);
    return { $or: [{ connectionId: { $in: [...connectionIds] } }, { executionId: { $in: executionIds } }] };
  }

  private async freeze(at: Date, approvals: readonly ApprovalDocument[]): Promise<void> {
    if (approvals.length === 0) return;
    const { models, workspaceId } = this.deps;
    await this.together(approvals, async (some, session) => {
      const ids = some.map(({ _id }) => _id);
      await models.approvals.updateMany(
        { workspaceId, _id: { $in: ids }, status: 'pending', frozenAt: null, expiresAt: { $gt: at } },
        [{ $set: { frozenAt: { $max: [at, '$createdAt'] }, rev: { $add: ['$rev', 1] } } }],
        { updatePipeline: true, session },
      );
      // A card that cannot be delivered meanwhile is not given up: its request does not run out.
      await this.redraw(some, null, session);
    });
  }

  private async thaw(approvals: readonly ApprovalDocument[]): Promise<void> {
    if (approvals.length === 0) return;
    const { models, workspaceId } = this.deps;
    const later = (moment: string) => ({ $add: [moment, { $subtract: ['$$NOW', '$frozenAt'] }] });
    const reminders = {
      $map: { input: { $ifNull: ['$remindersLeft', []] }, as: 'at', in: later('$$at') },
    };
    await this.together(approvals, async (some, session) => {
      const stillWaiting = {
        workspaceId,
        _id: { $in: some.map(({ _id }) => _id) },
        status: 'pending',
      } as const;
      await models.approvals.updateMany(
        { ...stillWaiting, frozenAt: { $ne: null } },
        [
          {
            $set: {
              expiresAt: later('$expiresAt'),
              nextReminderAt: later('$nextReminderAt'),
              remindersLeft: reminders,
              escalateAt: later('$escalateAt'),
              frozenAt: null,
              rev: { $add: ['$rev', 1] },
            },
          },
        ],
        { updatePipeline: true, session },
      );
      const thawed = await models.approvals.find(stillWaiting, null, { session }).lean();
      for (const { executionId, expiresAt } of thawed) {
        await models.executions.updateOne(
          { _id: executionId, workspaceId, status: 'pending_approval' },
          { $set: { expiresAt } },
          { session },
        );
        await this.redraw([{ executionId }], expiresAt, session);
      }
    });
  }

  /** A request, its call and its cards stand still, or go on, at once: a crash in between leaves none of them behind. */
  private async together(
    approvals: readonly ApprovalDocument[],
    change: (some: readonly ApprovalDocument[], session: ClientSession) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < approvals.length; from += AT_ONCE) {
      const some = approvals.slice(from, from + AT_ONCE);
      await this.deps.models.approvals.db.transaction((session) => change(some, session));
      this.deps.signals.emit('outbox');
    }
  }

  /** Every copy is drawn anew, with another deadline for those that are still to be posted. */
  private async redraw(
    approvals: readonly Pick<ApprovalDocument, 'executionId'>[],
    deadline: Date | null,
    session: ClientSession,
  ): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const ids = approvals.map(({ executionId }) => executionId);
    await requestsChanged(this.deps, ids, session);
    await models.outbox.updateMany(
      { workspaceId, view: 'approval', subjectId: { $in: ids } },
      { $inc: { wanted: 1 }, $set: { notBefore: clock.now(), deadline } },
      { session },
    );
  }

  private async callersOf(approvals: readonly ApprovalDocument[]): Promise<ReadonlyMap<string, string>> {
    const { models, workspaceId } = this.deps;
    if (approvals.length === 0) return new Map();
    const ids = approvals.map(({ executionId }) => executionId);
    const found = await models.executions.find({ workspaceId, _id: { $in: ids } }, { callerId: 1 }).lean();
    return new Map(found.map(({ _id, callerId }) => [_id, callerId]));
  }

  private async waitingOf(target: PauseTarget): Promise<number> {
    const { models, workspaceId } = this.deps;
    return models.executions.countDocuments({
      workspaceId,
      status: { $in: [...WAITING] },
      ...targeted(target),
    });
  }

  private async write(actor: Actor, target: PauseTarget, pause: Pause | null): Promise<void> {
    if (target.kind === 'all') return this.settings.pause(actor, pause);
    if (target.kind === 'caller') return this.callers.pause(actor, target.id, pause);
    const connection = await this.connections.find(target.id);
    if (!connection) throw new AppError('not_found', 'There is no such connection any more.');
    await this.connections.pause(actor, connection, pause);
  }
}

function nextStage({ lifted }: PauseOfAll): ResumeStage {
  if (lifted === 'asks') return 'done';
  return lifted === 'reads' ? 'asks' : 'reads';
}

function targeted(target: PauseTarget): { connectionId?: string; callerId?: string } {
  if (target.kind === 'all') return {};
  return target.kind === 'caller' ? { callerId: target.id } : { connectionId: target.id };
}
