/** How many questions people were asked, how they ended, and which of them a better policy would spare. */
import type {
  ApprovalDocument,
  ExecutionDocument,
  LoadCounts,
  LoadReport,
  OutboxDocument,
} from '../../models/types.js';
import { isDuplicateKey, upserting } from '../database/duplicate-key.js';
import type { Dependencies } from './dependencies.js';
import type { OutboxService } from './outbox.js';
import type { RoleService } from './roles.js';
import type { SettingsService } from './settings.js';

const DAY_MS = 24 * 3_600_000;
export const REPORT_DAYS = 7;
const WEEK_MS = 7 * DAY_MS;
const QUICK_MS = 3_000;
/** More than a company answers in a week; beyond it the newest are counted. */
const MOST_QUESTIONS = 20_000;
const MOST_FUNCTIONS = 5;
const MOST_SUGGESTIONS = 5;

/** From how many on a pattern is one. */
const ENOUGH = { alwaysApproved: 20, alwaysDenied: 5, expired: 5, quick: 10 } as const;

type AskedAbout = Pick<ApprovalDocument, 'executionId' | 'status' | 'createdAt' | 'endedAt' | 'decisions'>;
type Copy = Pick<OutboxDocument, 'to' | 'ts'>;
type Called = Pick<ExecutionDocument, '_id' | 'connectionKey' | 'function' | 'risk'>;

/** One question with what it was about. */
export interface Question extends AskedAbout {
  readonly call: Called;
  /** When whoever decided it had the card before her; null where that is not known. */
  readonly shownAt: Date | null;
}

export class LoadReportService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'log'>,
    private readonly settings: SettingsService,
    private readonly roles: RoleService,
    private readonly outbox: OutboxService,
  ) {}

  /** For admins: the last seven days. @throws AppError `forbidden` */
  async reportFor(userId: string): Promise<LoadReport> {
    await this.roles.require(userId, 'admin');
    return this.report();
  }

  /** Whether this admin gets it every week. */
  async isSubscribed(userId: string): Promise<boolean> {
    return ((await this.settings.get()).reportTo ?? []).includes(userId);
  }

  /** From now on every week, or never again. @throws AppError `forbidden` */
  async subscribe(userId: string, wants: boolean): Promise<void> {
    // Who is no longer admin may still end it.
    if (wants) await this.roles.require(userId, 'admin');
    const others = ((await this.settings.get()).reportTo ?? []).filter((id) => id !== userId);
    const reportTo = wants ? [...others, userId] : others;
    await this.settings.change({ kind: 'user', id: userId }, { reportTo });
    if (wants) await this.startWeek();
  }

  /** For the sweeper: one process a week sends it, to those who are admins still. */
  async sendWeekly(): Promise<void> {
    const { reportTo = [] } = await this.settings.get();
    if (reportTo.length === 0 || !(await this.takeTurn())) return;
    const report = await this.report();
    for (const userId of reportTo) {
      if ((await this.roles.of(userId)).admin)
        await this.outbox.notify(userId, { kind: 'load_report', report });
    }
  }

  private async report(): Promise<LoadReport> {
    const { models, workspaceId, clock } = this.deps;
    const to = clock.now();
    const from = new Date(to.getTime() - REPORT_DAYS * DAY_MS);
    const approvals: AskedAbout[] = await models.approvals
      .find(
        { workspaceId, createdAt: { $gte: from, $lt: to } },
        { executionId: 1, status: 1, createdAt: 1, endedAt: 1, decisions: 1 },
      )
      .sort({ createdAt: -1 })
      .limit(MOST_QUESTIONS + 1)
      .lean();
    const ids = approvals.map(({ executionId }) => executionId);
    const calls: Called[] = await models.executions
      .find({ workspaceId, _id: { $in: ids } }, { connectionKey: 1, function: 1, risk: 1 })
      .lean();
    const byId = new Map(calls.map((call) => [call._id, call]));
    const copies = await this.copiesOf(ids);
    const questions = approvals.slice(0, MOST_QUESTIONS).flatMap((approval) => {
      const call = byId.get(approval.executionId);
      const shownAt = shownTo(approval, copies.get(approval.executionId) ?? []);
      return call ? [{ ...approval, call, shownAt }] : [];
    });
    return loadReport(questions, from, to, approvals.length > MOST_QUESTIONS);
  }

  /** The cards that were posted, by what they are about. */
  private async copiesOf(executionIds: readonly string[]): Promise<ReadonlyMap<string, readonly Copy[]>> {
    const { models, workspaceId } = this.deps;
    const rows = await models.outbox
      .find(
        { workspaceId, subjectId: { $in: [...executionIds] }, view: 'approval', ts: { $ne: null } },
        { subjectId: 1, to: 1, ts: 1 },
      )
      .lean();
    const copies = new Map<string, Copy[]>();
    for (const { subjectId, to, ts } of rows) {
      const copy = { to, ts };
      const others = copies.get(subjectId ?? '');
      if (others) others.push(copy);
      else copies.set(subjectId ?? '', [copy]);
    }
    return copies;
  }

  /** The first one comes in a week: she has this week's before her. */
  private async startWeek(): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const until = new Date(clock.now().getTime() + WEEK_MS);
    const turn = { _id: `report:${workspaceId}`, workspaceId };
    await upserting(() => models.throttles.updateOne(turn, { $setOnInsert: { until } }, { upsert: true }));
  }

  /** By compare-and-set. A turn that was missed for long has left the database: then it is due. */
  private async takeTurn(): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const until = new Date(clock.now().getTime() + WEEK_MS);
    const turn = { _id: `report:${workspaceId}`, workspaceId };
    const due = { _id: turn._id, workspaceId, $expr: { $lte: ['$until', '$$NOW'] } };
    const taken = await models.throttles.updateOne(due, { $set: { until } });
    if (taken.modifiedCount === 1) return true;
    try {
      const missing = await models.throttles.updateOne(turn, { $setOnInsert: { until } }, { upsert: true });
      return missing.upsertedCount === 1;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}

/** Her own copy or a channel's, whichever came first. */
function shownTo({ decisions }: AskedAbout, copies: readonly Copy[]): Date | null {
  const decider = decisions.at(-1)?.userId;
  const posted = copies
    .filter(({ to }) => to === decider || !to.startsWith('U'))
    .map(({ ts }) => Number(ts) * 1_000);
  return posted.length === 0 ? null : new Date(Math.min(...posted));
}

/** Counts; pure. @param questions newest first */
export function loadReport(questions: readonly Question[], from: Date, to: Date, cut = false): LoadReport {
  const groups = new Map<string, Question[]>();
  for (const question of questions) {
    const key = `${question.call.connectionKey}\n${question.call.function}`;
    const group = groups.get(key);
    if (group) group.push(question);
    else groups.set(key, [question]);
  }
  const functions = [...groups.values()]
    .map((group) => ({ first: group[0], counts: countsOf(group) }))
    .flatMap(({ first, counts }) => (first ? [{ call: first.call, counts }] : []))
    .sort((a, b) => b.counts.asked - a.counts.asked);
  return {
    from,
    to,
    cut,
    days: daysOf(questions, from, to),
    totals: countsOf(questions),
    functions: functions.slice(0, MOST_FUNCTIONS).map(({ call, counts }) => ({
      connectionKey: call.connectionKey,
      function: call.function,
      ...counts,
    })),
    suggestions: functions.flatMap(suggestionsFor).slice(0, MOST_SUGGESTIONS),
  };
}

function countsOf(questions: readonly Question[]): LoadCounts {
  const ended = (status: ApprovalDocument['status']): number =>
    questions.filter((each) => each.status === status).length;
  const times = questions.flatMap((each) => timeToDecision(each) ?? []).sort((a, b) => a - b);
  // Nobody can read what is not posted yet: a card that came late is not to make a quick answer slow.
  const readingTimes = questions.flatMap(
    (each) => timeToDecision(each, each.shownAt ?? each.createdAt) ?? [],
  );
  return {
    asked: questions.length,
    approved: ended('approved'),
    denied: ended('denied'),
    expired: ended('expired'),
    cancelled: ended('cancelled'),
    quick: readingTimes.filter((time) => time < QUICK_MS).length,
    medianMs: medianOf(times),
  };
}

function timeToDecision({ status, createdAt, endedAt }: AskedAbout, from: Date = createdAt): number | null {
  if ((status !== 'approved' && status !== 'denied') || endedAt === null) return null;
  return endedAt.getTime() - from.getTime();
}

function medianOf(sorted: readonly number[]): number | null {
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

/** Days of UTC: a report is one text for admins of every zone. */
function daysOf(questions: readonly Question[], from: Date, to: Date): LoadReport['days'] {
  const asked = new Map<string, number>();
  for (let at = from.getTime(); at < to.getTime() + DAY_MS; at += DAY_MS) {
    const day = dayOf(new Date(Math.min(at, to.getTime())));
    asked.set(day, 0);
  }
  for (const { createdAt } of questions) asked.set(dayOf(createdAt), (asked.get(dayOf(createdAt)) ?? 0) + 1);
  return [...asked].sort(([a], [b]) => a.localeCompare(b)).map(([day, count]) => ({ day, asked: count }));
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

/** Never to ask less about what destroys, and never where somebody said no or nobody was there to say so. */
function suggestionsFor({ call, counts }: { call: Called; counts: LoadCounts }): LoadReport['suggestions'] {
  const { connectionKey, function: name, risk } = call;
  const { approved, denied, expired, quick, asked } = counts;
  const decided = approved + denied;
  const about = { connectionKey, function: name, risk };
  const found: LoadReport['suggestions'] = [];
  if (risk !== 'destructive' && approved >= ENOUGH.alwaysApproved && approved === decided)
    found.push({ kind: 'always_approved', ...about, count: approved, of: decided });
  if (denied >= ENOUGH.alwaysDenied && denied === decided)
    found.push({ kind: 'always_denied', ...about, count: denied, of: decided });
  if (expired >= ENOUGH.expired && expired * 4 >= asked)
    found.push({ kind: 'often_expired', ...about, count: expired, of: asked });
  if (quick >= ENOUGH.quick && quick * 2 >= decided)
    found.push({ kind: 'too_quick', ...about, count: quick, of: decided });
  return found;
}
