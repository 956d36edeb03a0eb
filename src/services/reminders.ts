/**
 * Nobody waits for nothing: who has not decided is reminded, a second list is asked, and whoever asked is told how it
 * ended. A reminder is stored before its moment is advanced, and the row it is stored in takes one a minute: two sweepers
 * at once remind once, and a crash in between loses nothing.
 */
import type { ClientSession } from 'mongoose';
import { isTerminal } from '../../models/state-machines.js';
import type {
  ApprovalDocument,
  ConnectionDocument,
  ExecutionDocument,
  ToldOutcome,
} from '../../models/types.js';
import { crashAt } from '../kill-points.js';
import { type ApprovalService, enoughFor } from './approvals.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import { isSideApproved } from './further-approvers.js';
import type { OutboxService } from './outbox.js';

const BATCH = 200;
/** One person hears from us at most this often, however many requests are due. */
const REMIND_EVERY_MS = 60_000;
const TELL_EVERY_MS = 30_000;
/** The call of a request that is older is on record, or was never recorded: that takes seconds. */
const RECORDED_WITHIN_MS = 60_000;
/** What a DM about ends lists; the rest is a number. */
const MOST_TOLD = 20;

interface Told {
  /** Null where nobody was asked to decide: it ended while it waited for a member, or its outcome is unknown. */
  readonly approval: ApprovalDocument | null;
  readonly execution: ExecutionDocument;
}

export class ReminderService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>,
    private readonly approvals: Pick<ApprovalService, 'noteDeciders'>,
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

  /**
   * Reminds everybody who has not decided: one DM for each, whatever the number of requests. Where too few are left
   * since it was asked, admins are told, and the card names only who is.
   */
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
        // The first list has its cards, and counts for nothing of what the second may have.
        const second = { ...approval, approvers: approval.escalateTo ?? approval.approvers };
        const deciders = await this.eligibility.deciders(second, connection, enoughFor(approval));
        for (const userId of deciders)
          await this.outbox.show('approval', approval.executionId, userId, approval.expiresAt);
        const entry = {
          actor: { kind: 'system', id: 'escalation' },
          action: 'approval.escalated',
          subject: { kind: 'execution', id: approval.executionId },
          details: { to: approval.escalateTo },
        } as const;
        const isMine = await models.approvals.db.transaction(async (session) => {
          // An edit may have put another question meanwhile, with a second list and a time of its own.
          const escalated = await models.approvals.updateOne(
            { _id: approval._id, workspaceId, ...filter, escalateAt: approval.escalateAt ?? null },
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
   * Tells requesters and callers' owners how it ended: one DM for all that ended since the last one. A person's own
   * denial is no news to her, nor a success that her own card shows, nor to anybody what the caller itself took back.
   */
  async tell(): Promise<void> {
    const { models, workspaceId } = this.deps;
    const [over, unasked] = await Promise.all([
      models.approvals
        .find({ workspaceId, told: false, status: { $ne: 'pending' }, endedAt: { $ne: null } })
        .sort({ endedAt: 1 })
        .limit(BATCH)
        .lean(),
      models.executions.find({ workspaceId, told: false }).sort({ finishedAt: 1 }).limit(BATCH).lean(),
    ]);
    if (over.length + unasked.length === 0) return;
    const executions = await models.executions
      .find({ workspaceId, _id: { $in: over.map(({ executionId }) => executionId) } })
      .lean();
    const byId = new Map(executions.map((execution) => [execution._id, execution]));
    await this.noteLeftBehind(over.filter(({ executionId }) => !byId.has(executionId)));
    const decided = over.flatMap((approval): Told[] => {
      const execution = byId.get(approval.executionId);
      return execution && isTerminal(execution.status) ? [{ approval, execution }] : [];
    });
    const ended = [...decided, ...unasked.map((execution) => ({ approval: null, execution }))];
    const quiet = ended.filter((each) => recipients(each).length === 0);
    if (quiet.length > 0) await this.noteTold(quiet);
    const news = ended.filter((each) => !quiet.includes(each));
    if (news.length > 0) await this.tellTogether(news);
  }

  /** Nobody made these calls: their process died first. The oldest of all would be in the way of every other end. */
  private async noteLeftBehind(requests: readonly ApprovalDocument[]): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const before = new Date(clock.now().getTime() - RECORDED_WITHIN_MS);
    const ids = requests.filter(({ createdAt }) => createdAt < before).map(({ _id }) => _id);
    if (ids.length === 0) return;
    await models.approvals.updateMany({ workspaceId, _id: { $in: ids } }, { $set: { told: true } });
  }

  /** The DMs and the note that they were written are stored together: nobody is told twice, and nobody not at all. */
  private async tellTogether(news: readonly Told[]): Promise<void> {
    if (await this.outbox.takeTurn('outcomes', TELL_EVERY_MS)) return;
    await this.deps.models.approvals.db.transaction(async (session) => {
      // Another process tells some of them: all of it is looked at again.
      if ((await this.noteTold(news, session)) !== news.length)
        throw new Error('told by another process at the same time');
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

  /** How many of them nobody had noted before. */
  private async noteTold(all: readonly Told[], session?: ClientSession): Promise<number> {
    const { models, workspaceId } = this.deps;
    const asked = all.flatMap(({ approval }) => approval?._id ?? []);
    const unasked = all.flatMap(({ approval, execution }) => (approval ? [] : execution._id));
    const change = { $set: { told: true } };
    const options = session ? { session } : {};
    // One after the other: a session takes no two operations at once.
    const first = await models.approvals.updateMany(
      { workspaceId, _id: { $in: asked }, told: false },
      change,
      options,
    );
    const second = await models.executions.updateMany(
      { workspaceId, _id: { $in: unasked }, told: false },
      change,
      options,
    );
    return first.modifiedCount + second.modifiedCount;
  }

  private async undecided(approval: ApprovalDocument): Promise<readonly string[]> {
    const connection = await this.connection(approval.connectionId);
    if (!connection) return [];
    const deciders = await this.eligibility.deciders(approval, connection, enoughFor(approval));
    if (deciders.length < approval.quorum) await this.tooFew(approval, connection, deciders.length);
    const decided = new Set(
      approval.decisions.flatMap(({ userId, delegateOf }) => [userId, delegateOf ?? userId]),
    );
    return deciders.filter((userId) => !decided.has(userId) && !isSideApproved(approval, userId));
  }

  /** Somebody has left, or a group is empty, since it was asked. */
  private async tooFew(
    approval: ApprovalDocument,
    connection: ConnectionDocument,
    left: number,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    const execution = await models.executions.findOne({ _id: approval.executionId, workspaceId }).lean();
    if (execution) await this.approvals.noteDeciders(approval, execution, connection, left);
    await this.outbox.refresh('approval', approval.executionId);
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
  // A call that asks again for the same thing is no end.
  if (execution.replacedBy) return [];
  const approvers = approval?.decisions.map(({ userId }) => userId) ?? [];
  const knows = execution.status === 'succeeded' ? approvers : [denierOf({ execution, approval })];
  return [...new Set([execution.requesterId, execution.callerOwnerId])]
    .filter((id) => !knows.includes(id))
    .sort();
}

/** Who said no: the one who decided, or the member who lets that caller do nothing for her. */
function denierOf({ execution, approval }: Told): string | null {
  if (execution.status !== 'denied') return null;
  if (approval) return approval.decisions.at(-1)?.userId ?? null;
  return execution.error?.code === 'needs_authorization' ? execution.onBehalfOf : null;
}

function outcomeOf({ execution, approval }: Told): ToldOutcome {
  const { _id, functionTitle, connectionName, callerName, error, note } = execution;
  const status = execution.status as ToldOutcome['status'];
  const denial = status === 'denied' ? approval?.decisions.at(-1) : undefined;
  return {
    executionId: _id,
    functionTitle,
    connectionName,
    callerName,
    status,
    by: denierOf({ execution, approval }),
    note: denial ? denial.reason : (error?.message ?? note),
  };
}
