/** The load report: what is counted, what is suggested, and that one process a week sends it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadReportMessage } from '../../blocks/load-report.js';
import { bar, duration } from '../../blocks/parts/bars.js';
import { validateMessage } from '../../blocks/validator/index.js';
import type { ApprovalDocument, Risk } from '../../models/types.js';
import { createServices } from '../../src/services/index.js';
import { type LoadReportService, loadReport, type Question } from '../../src/services/load-report.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';
import { approval, execution } from './documents.js';

const TO = new Date('2026-05-11T10:00:00Z');
const FROM = new Date('2026-05-04T10:00:00Z');
const DAY_MS = 24 * 3_600_000;

function questions(
  count: number,
  status: ApprovalDocument['status'],
  seconds: number,
  name = 'create_ticket',
  risk: Risk = 'write',
): Question[] {
  return Array.from({ length: count }, (_, at) => {
    const createdAt = new Date(TO.getTime() - (at + 1) * 60_000);
    return {
      executionId: `ex_${at}`,
      status,
      createdAt,
      endedAt: status === 'pending' ? null : new Date(createdAt.getTime() + seconds * 1_000),
      decisions: [],
      call: { _id: `ex_${at}`, connectionKey: 'helpdesk', function: name, risk },
      shownAt: null,
    };
  });
}
const report = (...all: Question[][]) => loadReport(all.flat(), FROM, TO);

describe('counting', () => {
  it('tells ends apart, and takes the median of decisions alone', () => {
    const { totals } = report(
      questions(2, 'approved', 10),
      questions(1, 'denied', 40),
      questions(3, 'expired', 3_600),
      questions(1, 'cancelled', 1),
      questions(1, 'pending', 0),
    );
    expect(totals).toEqual({
      asked: 8,
      approved: 2,
      denied: 1,
      expired: 3,
      cancelled: 1,
      quick: 0,
      medianMs: 10_000,
    });
    expect(report(questions(1, 'approved', 10), questions(1, 'approved', 20)).totals.medianMs).toBe(15_000);
    expect(report(questions(2, 'expired', 9)).totals.medianMs).toBeNull();
  });

  it('counts what was decided in under three seconds, and not what took three', () => {
    expect(report(questions(4, 'approved', 2.9), questions(3, 'denied', 3)).totals.quick).toBe(4);
  });

  it('counts from when the card was posted, not from when it was asked', () => {
    const late = (posted: number) =>
      questions(1, 'approved', 20).map((each) => ({
        ...each,
        shownAt: new Date(each.createdAt.getTime() + posted * 1_000),
      }));
    const { totals } = report(late(18), late(16));
    expect(totals).toMatchObject({ quick: 1, medianMs: 20_000 });
  });

  it('has every day, also those without a question, and the five functions with most', () => {
    const names = Array.from({ length: 7 }, (_, at) => questions(at + 1, 'approved', 60, `function_${at}`));
    const { days, functions } = report(...names);
    expect(days.map(({ day }) => day)).toEqual(
      ['04', '05', '06', '07', '08', '09', '10', '11'].map((day) => `2026-05-${day}`),
    );
    expect(days.at(-1)?.asked).toBe(28);
    expect(functions.map((each) => [each.function, each.asked])).toEqual([
      ['function_6', 7],
      ['function_5', 6],
      ['function_4', 5],
      ['function_3', 4],
      ['function_2', 3],
    ]);
  });
});

describe('suggestions', () => {
  const kinds = (...all: Question[][]) => report(...all).suggestions.map(({ kind }) => kind);

  it('ask less where everything was approved, but never about what destroys', () => {
    const suggested = report(questions(48, 'approved', 60, 'search_messages', 'read')).suggestions;
    expect(suggested).toMatchObject([{ kind: 'always_approved', count: 48, of: 48 }]);
    expect(kinds(questions(19, 'approved', 60))).toEqual([]);
    expect(kinds(questions(48, 'approved', 60), questions(1, 'denied', 60))).toEqual([]);
    expect(kinds(questions(48, 'approved', 60, 'delete_ticket', 'destructive'))).toEqual([]);
  });

  it('block what is always denied, ask others where nobody answers, and name what nobody reads', () => {
    expect(kinds(questions(5, 'denied', 60))).toEqual(['always_denied']);
    expect(kinds(questions(5, 'expired', 60), questions(15, 'approved', 60))).toEqual(['often_expired']);
    expect(kinds(questions(5, 'expired', 60), questions(16, 'approved', 60))).toEqual([]);
    expect(kinds(questions(10, 'approved', 1, 'delete_ticket', 'destructive'))).toEqual(['too_quick']);
  });
});

describe('the message', () => {
  it('is one that Slack takes, however much there is, and names are inert in it', () => {
    const name = `a_${'<!channel>`*'.repeat(6)}`;
    const many = Array.from({ length: 7 }, () => questions(200, 'approved', 1, name));
    const message = loadReportMessage(report(...many), 'not_subscribed');
    expect(validateMessage(message)).toEqual([]);
    const mrkdwn = message.blocks.filter(({ type }) => type === 'section' || type === 'context');
    expect(JSON.stringify(mrkdwn)).not.toContain('<!channel>');
    expect(validateMessage(loadReportMessage(report(), 'subscribed'))).toEqual([]);
  });

  it('draws bars in proportion, and something for one', () => {
    expect([bar(0, 10, 4), bar(10, 10, 4), bar(5, 10, 4), bar(1, 1_000, 4)]).toEqual(['', '████', '██', '▏']);
    expect([duration(44_600), duration(90_000), duration(5_400_000)]).toEqual(['45 s', '2 min', '1.5 h']);
  });
});

describe('every week', () => {
  let app: PagesApp;
  let one: LoadReportService;
  let two: LoadReportService;
  const reports = () => app.models.outbox.countDocuments({ 'message.kind': 'load_report' });

  beforeAll(async () => {
    app = await startPagesApp();
    one = app.services.loadReports;
    two = createServices({ ...app.deps, processId: 'another' }).loadReports;
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    await app.models.outbox.deleteMany({});
    await app.models.throttles.deleteMany({});
  });

  it('is for admins', async () => {
    await expect(one.reportFor('U0BEN')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(one.subscribe('U0BEN', true)).rejects.toMatchObject({ code: 'forbidden' });
    expect((await one.reportFor('U0ADA')).totals.asked).toBe(0);
  });

  it('comes a week after it was wanted, from one of all processes, and ends when it is stopped', async () => {
    await one.sendWeekly();
    expect(await reports()).toBe(0);
    await one.subscribe('U0ADA', true);
    expect(await one.isSubscribed('U0ADA')).toBe(true);
    await one.sendWeekly();
    expect(await reports()).toBe(0);

    await app.models.throttles.updateMany({}, { $set: { until: new Date(Date.now() - 1_000) } });
    await Promise.all([one, two, one, two].map((each) => each.sendWeekly()));
    expect(await reports()).toBe(1);
    const [turn] = await app.models.throttles.find({ _id: /^report:/ }).lean();
    expect(turn?.until.getTime()).toBeGreaterThan(Date.now() + 6 * DAY_MS);
    // Nothing ran for long, and the database dropped the turn.
    await app.models.throttles.deleteMany({});
    await Promise.all([one, two, one, two].map((each) => each.sendWeekly()));
    expect(await reports()).toBe(2);

    await one.subscribe('U0ADA', false);
    await app.models.throttles.deleteMany({});
    await one.sendWeekly();
    expect(await reports()).toBe(2);
  });

  it('takes the time of the copy that the decider had before her, or of the channel’s', async () => {
    const now = app.deps.clock.now().getTime();
    const ago = (seconds: number): Date => new Date(now - seconds * 1_000);
    const { workspaceId } = app.deps;
    const asked = async (to: string, postedAgo: number) => {
      const call = execution({ _id: `ex_${to}`, workspaceId, idempotencyKey: to, createdAt: ago(30) });
      await app.models.executions.create([call]);
      const decisions = [{ userId: 'U0BEN', decision: 'approved' as const, reason: null, at: ago(1) }];
      const question = { _id: `ap_${to}`, executionId: call._id, createdAt: ago(30), endedAt: ago(1) };
      await app.models.approvals.create([approval({ ...question, workspaceId, decisions })]);
      await app.services.outbox.show('approval', call._id, to, null);
      const ts = String((now - postedAgo * 1_000) / 1_000);
      await app.models.outbox.updateOne({ subjectId: call._id }, { $set: { ts } });
    };
    await asked('U0BEN', 3);
    await asked('C0APPROVALS', 2);
    await asked('U0CLEO', 2);
    expect((await one.reportFor('U0ADA')).totals).toMatchObject({ asked: 3, approved: 3, quick: 2 });
  });

  it('does not go to who is no admin any more', async () => {
    await app.services.settings.change({ kind: 'user', id: 'U0ADA' }, { reportTo: ['U0BEN', 'U0ADA'] });
    await one.sendWeekly();
    const rows = await app.models.outbox.find({ 'message.kind': 'load_report' }).lean();
    expect(rows.map(({ to }) => to)).toEqual(['U0ADA']);
  });
});
