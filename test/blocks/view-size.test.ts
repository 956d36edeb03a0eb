/** A view that is larger than 250 kB is refused whole: whatever a caller sends, every page stays below it in bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ApprovalCard, approvalDetails, type ShownField } from '../../blocks/approval-card.js';
import { type BatchItem, batchModal } from '../../blocks/batch.js';
import { executionDetail } from '../../blocks/executions.js';
import { argumentPages } from '../../blocks/parts/arguments.js';
import type { ShownEdit } from '../../blocks/parts/edited.js';
import { validateView } from '../../blocks/validator/index.js';
import { markedFields } from '../../src/slack/card-marks.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { ticket } from '../fixtures/views/approval-card.js';
import { detail } from '../fixtures/views/executions.js';
import { objectsIn, readTexts } from './what-slack-reads.js';

const MOST_BYTES = 250_000;
const bytes = (view: unknown): number => Buffer.byteLength(JSON.stringify(view));
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const text = (payload: unknown): string => readTexts(payload).join('\n');

const SMILE = '\u{1f600}';
const EVIL = 'http://a@b1.co';
const links = (count: number): string => times(count, (at) => `http://a@b${at}.co`).join(' ');
const long = (label: string, value: string): ShownField => ({ label, value, kind: 'long' });
const marksOf = (count: number): string[] => times(count, (at) => `${at} ${SMILE.repeat(230)}`);

const offersApprove = (payload: unknown): boolean =>
  [...objectsIn(payload)].some(({ action_id: id }) => id === ACTIONS.approve);

/** Every page of Details and of the list, held to what Slack takes. */
function hold(card: ApprovalCard) {
  const details = [approvalDetails(card, { page: 0, mayDecide: true, notice: null })];
  for (let page = 1; !offersApprove(details.at(-1)) && page < 200; page += 1)
    details.push(approvalDetails(card, { page, mayDecide: true, notice: null }));
  const items = times(
    3,
    (at): BatchItem => ({
      requests: [{ executionId: `ex_${String(at).padStart(20, '0')}`, hash: card.hash }],
      card: { ...card, executionId: `ex_${String(at).padStart(20, '0')}` },
      reasons: card.reason ? [card.reason] : [],
      alone: at === 2 ? SMILE.repeat(300) : null,
    }),
  );
  const batch = times(2, (page) => batchModal(items, page, true));
  for (const view of [...details, ...batch]) {
    expect(bytes(view)).toBeLessThanOrEqual(MOST_BYTES);
    expect(validateView(view).map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([]);
  }
  return details;
}

const edit = (count: number, value: string): ShownEdit => ({
  by: 'U0BEN',
  at: new Date(0),
  voided: times(20, (at) => `U0VOIDED${at}`),
  changes: times(count, (at) => ({
    label: `${at} ${SMILE.repeat(90)}`,
    before: value,
    after: `${value}${at}`,
  })),
});

describe('each page of Details, and of the list, is small enough in bytes', () => {
  it('with links that lead elsewhere, each with its remark', () => {
    const fields = times(40, (at) => long(`Field ${at}`, links(100)));
    const pages = hold({ ...ticket, fields });
    const remarks = pages.reduce((sum, page) => sum + text(page).split('leads to').length - 1, 0);
    expect(remarks).toBe(4_000);
  });

  it('with characters of four bytes', () => {
    hold({ ...ticket, fields: times(30, (at) => long(`${at}`, SMILE.repeat(2_900))) });
  });

  it('with a host that is longer than a name can be', () => {
    const value = `https://${'a'.repeat(120_000)}.evil.example/`;
    const [page] = hold({ ...ticket, fields: [{ label: 'Link', value, kind: 'link' }] });
    expect(text(page)).toMatch(/leads to …a+\.evil\.example/);
  });

  it('with more remarks than there is room for: they are counted', () => {
    const fields = times(50, (at) => ({ ...long(`${at}`, `value ${at}.`), marks: marksOf(50) }));
    const [first] = hold({ ...ticket, fields });
    expect(text(first)).toMatch(/↳ 0 \u{1f600}/u);
    expect(text(first)).toMatch(/↳ and \d+ more remarks, for which this page has no room/);
  });

  it('with long texts that an approver changed: what has no room is counted', () => {
    const few = hold({ ...ticket, edited: edit(3, 'x'.repeat(1_500)) });
    expect(text(few)).toContain('x'.repeat(1_500));
    for (const value of [SMILE.repeat(1_900), '"'.repeat(1_900), SMILE.repeat(4_000)]) {
      const [page] = hold({ ...ticket, edited: edit(40, value) });
      expect(text(page)).toMatch(/before\n/);
      expect(text(page)).toMatch(/and \d+ more changes/);
    }
  });

  it('with all of it at once', () => {
    const fields = times(12, (at) => ({
      ...long(`${at}${SMILE.repeat(90)}`, `${SMILE.repeat(2_000)} ${links(100)}`),
      marks: marksOf(50),
    }));
    const moved = times(14, (at) => ({ label: `${at}`, was: SMILE.repeat(900), now: links(20) }));
    hold({
      ...ticket,
      fields,
      functionTitle: SMILE.repeat(300),
      connectionName: '&'.repeat(300),
      callerName: '&'.repeat(300),
      actingAs: '&'.repeat(300),
      reason: '\u0001'.repeat(2_000),
      marksNote: '&'.repeat(400),
      quorum: 10,
      decisions: times(10, (at) => ({
        userId: `U0APPROVER${at}`,
        decision: 'approved',
        reason: at === 9 ? SMILE.repeat(1_000) : null,
        at: new Date(0),
        delegateOf: `U0MEMBER${at}`,
        proof: 'oidc',
      })),
      edited: edit(40, SMILE.repeat(2_000)),
      target: {
        fields: times(14, (at) => ({ label: `${at}`, value: EVIL, after: SMILE.repeat(900) })),
        note: '&'.repeat(400),
        blocked: false,
        moved,
        again: { id: `ex_${'0'.repeat(20)}`, why: 'target_changed' },
        held: null,
      },
    });
  });

  it('whatever the fields and their remarks', () => {
    const part = fc.constantFrom(SMILE, '"', '\n', ' ', 'a', 'ž', EVIL, ' http://c@d2.co', '\u0001', '漢');
    const value = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 300 }))
      .map(([parts, count]) => parts.join('').repeat(count));
    const field = fc.record({
      label: fc.string({ unit: 'binary', maxLength: 120 }),
      value,
      kind: fc.constantFrom('short', 'long', 'link', 'time' as const),
      marks: fc.oneof(
        fc.constant([]),
        value.map((mark) => times(30, (at) => `${at}${mark}`)),
      ),
    });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), fc.option(value), (fields, changed) => {
        hold({ ...ticket, fields, edited: changed === null ? null : edit(20, changed) });
      }),
      { numRuns: Number(process.env.HOSTILE_RUNS ?? 5) },
    );
  });
});

describe('a page of Details', () => {
  const fields = times(90, (at) =>
    long(`Field ${at}`, `value ${at}. ${'x'.repeat(at === 50 ? 9_000 : 900)}`),
  );
  const valuesOn = (page: unknown): string[] => text(page).match(/value \d+\./g) ?? [];

  it('ends where it ends without the remarks: what is read is noted by the number of the page', () => {
    const marks = times(300, (at) => ({
      value: at % 3 === 0 ? `elsewhere ${at}` : `value ${at % 90}`,
      says: ['new here', SMILE.repeat(200)],
    }));
    const target = times(10, (at) => long(`Target ${at}`, `value ${100 + at}.`));
    const plain = argumentPages([...fields, ...target]);
    const marked = argumentPages([...markedFields(fields, marks), ...target]);
    expect(plain.length).toBeGreaterThan(2);
    expect(marked.map(valuesOn)).toEqual(plain.map(valuesOn));
    expect(text(marked)).toContain('Noticed');
    expect(text(marked)).toMatch(/↳ elsewhere 0: new here/);
    // The line of what was noticed is where a page would end.
    const full = fields.slice(0, 40);
    const noticed = markedFields(full, marks);
    expect(argumentPages(full)).toHaveLength(1);
    expect(argumentPages(noticed)).toHaveLength(1);
    expect(argumentPages([...noticed, ...target]).map(valuesOn)).toEqual(
      argumentPages([...full, ...target]).map(valuesOn),
    );
  });

  it('is drawn in a moment for the largest arguments there can be (256 KiB)', () => {
    const started = performance.now();
    for (const part of ['x', 'long\n', EVIL, SMILE]) {
      const value = part.repeat(262_144 / Buffer.byteLength(part));
      argumentPages([long('Text', value)]);
    }
    argumentPages(times(4_000, (at) => long(`${at}`, `${EVIL} ${'x'.repeat(40)}`)));
    expect(performance.now() - started).toBeLessThan(6_000);
  });
});

it('a tool execution with three payloads of four-byte characters is small enough', () => {
  const large = SMILE.repeat(30_000);
  const shown = (payload: string) =>
    executionDetail({
      ...detail,
      reason: SMILE.repeat(2_000),
      error: { code: 'upstream_rejected', message: SMILE.repeat(3_000) },
      payloads: { arguments: payload, original: payload, result: { text: payload, truncated: true } },
    });
  expect(bytes(shown(large))).toBeLessThanOrEqual(MOST_BYTES);
  expect(validateView(shown(large))).toEqual([]);
  expect(text(shown('x'.repeat(30_000)))).toContain('the first 20000 of 30000 characters');
});
