/**
 * Nobody waits for nothing: who has not decided is reminded, a second list is asked, and whoever asked is told how it
 * ended. A reminder is stored before its moment is advanced, and the row it is stored in takes one a minute: two sweepers
 * at once remind once, and a crash in between loses nothing.
 */
import type {
  ApprovalDocument,
  ConnectionDocument,
  ExecutionDocument,
  ToldOutcome,
} from '../../models/types.js';
import { crashAt } from '../kill-points.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import type { OutboxService } from './outbox.js';

const BATCH = 200;
/** One person hears from us at most this often, however many requests are due. */
const REMIND_EVERY_MS = 60_000;
const TELL_EVERY_MS = 30_000;
/** What a DM about ends lists; the rest is a number. */
const MOST_TOLD = 20;
const TOLD: ReadonlySet<ExecutionDocument['status']> = new Set([
  'denied',
  'expired',
  'failed',
  'outcome_unknown',
]);
const ENDS: ReadonlySet<ExecutionDocument['status']> = new Set([...TOLD, 'succeeded', 'cancelled']);

interface Told {
  readonly approval: ApprovalDocument;
  readonly execution: ExecutionDocument;
}

export class ReminderService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>,
    private readonly eligibility: EligibilityService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
  ) {}

  /** Everything that is due now. What fails is due again at the next sweep. */
  async sweep(): Promise<void> {
    await this.escalate();
    await this.remind();
    await this.tell();
  }

  /** Reminds everybody who has not decided: one DM for each, whatever the number of requests. */
  async remind(): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now();
    const due = await models.approvals
      .find({
        workspaceId,
        status: 'pending',
        frozenAt: null,
        nextReminderAt: { $lte: now },
        expiresAt: { $gt: now },
      })
      .limit(BATCH)
      .lean();
    const reminded = new Set<string>();
    for (const approval of due) {
      await this.one(approval, async () => {
        // When Slack cannot say who decides, the moment stays due.
        for (const userId of await this.undecided(approval)) {
          if (reminded.has(userId)) continue;
          await this.outbox.showAgain('reminder', userId, userId, REMIND_EVERY_MS);
          reminded.add(userId);
        }
        crashAt('after_reminder');
        await this.advance(approval, now);
      });
    }
  }

  /** Asks the second list too. Its people get the card before they may decide, so that a crash in between loses nobody. */
  async escalate(): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const now = clock.now();
    const filter = { status: 'pending' as const, frozenAt: null, escalatedAt: null };
    const due = await models.approvals
      .find({ workspaceId, ...filter, escalateAt: { $lte: now }, expiresAt: { $gt: now } })
      .limit(BATCH)
      .lean();
    for (const approval of due) {
      await this.one(approval, async () => {
        const connection = await this.connection(approval.connectionId);
        if (!connection) return;
        const deciders = await this.eligibility.deciders({ ...approval, escalatedAt: now }, connection);
        for (const userId of deciders)
          await this.outbox.show('approval', approval.executionId, userId, approval.expiresAt);
        const entry = {
          actor: { kind: 'system', id: 'escalation' },
          action: 'approval.escalated',
          subject: { kind: 'execution', id: approval.executionId },
          details: { to: approval.escalateTo },
        } as const;
        const isMine = await models.approvals.db.transaction(async (session) => {
          const escalated = await models.approvals.updateOne(
            { _id: approval._id, workspaceId, ...filter },
            { $set: { escalatedAt: now }, $inc: { rev: 1 } },
            { session },
          );
          if (escalated.modifiedCount === 0) return false;
          await this.audit.record(entry, session);
          return true;
        });
        if (isMine) await this.outbox.refresh('approval', approval.executionId);
      });
    }
  }

  /**
   * Tells requesters and callers' owners what did not come to be: one DM for all that ended since the last one. What
   * succeeded is on the card, and a person's own denial is no news to her.
   */
  async tell(): Promise<void> {
    const { models, workspaceId } = this.deps;
    const over = await models.approvals
      .find({ workspaceId, told: false, status: { $ne: 'pending' }, endedAt: { $ne: null } })
      .sort({ endedAt: 1 })
      .limit(BATCH)
      .lean();
    if (over.length === 0) return;
    const executions = await models.executions
      .find({ workspaceId, _id: { $in: over.map(({ executionId }) => executionId) } })
      .lean();
    const byId = new Map(executions.map((execution) => [execution._id, execution]));
    const ended = over.flatMap((approval): Told[] => {
      const execution = byId.get(approval.executionId);
      return execution && ENDS.has(execution.status) ? [{ approval, execution }] : [];
    });
    const quiet = ended.filter((each) => recipients(each).length === 0);
    if (quiet.length > 0) {
      const ids = quiet.map(({ approval }) => approval._id);
      await models.approvals.updateMany({ workspaceId, _id: { $in: ids } }, { $set: { told: true } });
    }
    const news = ended.filter((each) => !quiet.includes(each));
    if (news.length > 0) await this.tellTogether(news);
  }

  /** The DMs and the note that they were written are stored together: nobody is told twice, and nobody not at all. */
  private async tellTogether(news: readonly Told[]): Promise<void> {
    const { models, workspaceId } = this.deps;
    if (await this.outbox.takeTurn('outcomes', TELL_EVERY_MS)) return;
    await models.approvals.db.transaction(async (session) => {
      const ids = news.map(({ approval }) => approval._id);
      const mine = await models.approvals.updateMany(
        { workspaceId, _id: { $in: ids }, told: false },
        { $set: { told: true } },
        { session },
      );
      // Another process tells some of them: all of it is looked at again.
      if (mine.modifiedCount !== ids.length) throw new Error('told by another process at the same time');
      for (const userId of new Set(news.flatMap(recipients))) {
        const hers = news.filter((each) => recipients(each).includes(userId)).map(outcomeOf);
        const items = hers.slice(0, MOST_TOLD);
        await this.outbox.notify(
          userId,
          { kind: 'outcomes', items, more: hers.length - items.length },
          session,
        );
      }
    });
  }

  private async undecided(approval: ApprovalDocument): Promise<readonly string[]> {
    const connection = await this.connection(approval.connectionId);
    if (!connection) return [];
    const decided = new Set(
      approval.decisions.flatMap(({ userId, delegateOf }) => [userId, delegateOf ?? userId]),
    );
    return (await this.eligibility.deciders(approval, connection)).filter((userId) => !decided.has(userId));
  }

  /** Of several moments that have passed, only one reminds. */
  private async advance(approval: ApprovalDocument, now: Date): Promise<void> {
    const { models, workspaceId } = this.deps;
    const [next = null, ...left] = (approval.remindersLeft ?? []).filter((at) => at > now);
    await models.approvals.updateOne(
      {
        _id: approval._id,
        workspaceId,
        status: 'pending',
        frozenAt: null,
        nextReminderAt: approval.nextReminderAt ?? null,
      },
      { $set: { nextReminderAt: next, remindersLeft: left } },
    );
  }

  private async one(approval: ApprovalDocument, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.deps.log.warn(
        { err: error, execution: approval.executionId },
        'reminder put off; the next sweep repeats it',
      );
    }
  }

  private connection(id: string): Promise<ConnectionDocument | null> {
    return this.deps.models.connections.findOne({ _id: id, workspaceId: this.deps.workspaceId }).lean();
  }
}

function recipients({ execution, approval }: Told): readonly string[] {
  if (!TOLD.has(execution.status)) return [];
  // A call that asks again for the same thing is no end.
  if (execution.replacedBy) return [];
  const denier = execution.status === 'denied' ? approval.decisions.at(-1)?.userId : undefined;
  return [...new Set([execution.requesterId, execution.callerOwnerId])].filter((id) => id !== denier).sort();
}

function outcomeOf({ execution, approval }: Told): ToldOutcome {
  const { _id, functionTitle, connectionName, callerName, error, note } = execution;
  const status = execution.status as ToldOutcome['status'];
  const denial = status === 'denied' ? approval.decisions.at(-1) : undefined;
  return {
    executionId: _id,
    functionTitle,
    connectionName,
    callerName,
    status,
    by: denial?.userId ?? null,
    note: status === 'denied' ? (denial?.reason ?? null) : (error?.message ?? note),
  };
}
