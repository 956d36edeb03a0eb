/** What a card has to show before it can be approved on it, and what Details and the list show of the rest. */
import { describe, expect, it } from 'vitest';
import { type ApprovalCard, approvalDetails, approvalMessage } from '../../blocks/approval-card.js';
import { type BatchItem, batchModal } from '../../blocks/batch.js';
import { isWholeOnCard } from '../../blocks/parts/reading.js';
import type { ShownTarget } from '../../blocks/parts/target.js';
import { validateView } from '../../blocks/validator/index.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { essay, ticket } from '../fixtures/views/approval-card.js';
import { objectsIn, readTexts } from './what-slack-reads.js';

const about = (given: Partial<ShownTarget>): ApprovalCard => ({
  ...ticket,
  target: { fields: [], note: null, blocked: false, moved: [], again: null, held: null, ...given },
});
const offersApprove = (payload: unknown): boolean =>
  [...objectsIn(payload)].some(({ action_id: id }) => id === ACTIONS.approve);
const text = (payload: unknown): string => readTexts(payload).join('\n');
const details = (card: ApprovalCard, given: Partial<Parameters<typeof approvalDetails>[1]> = {}) =>
  approvalDetails(card, { page: 0, mayDecide: true, notice: null, ...given });
const fields = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ label: `field ${at}`, value: `value ${at}.` }));

describe('what a call is about, where it says nothing of what it makes of it', () => {
  it('is on the card in full, or Approve is in Details only', () => {
    for (const [given, fits] of [
      [fields(8), true],
      [fields(9), false],
      [[{ label: 'text', value: 'x'.repeat(160) }], true],
      [[{ label: 'text', value: 'x'.repeat(161) }], false],
    ] as const) {
      const card = about({ fields: given });
      expect(offersApprove(approvalMessage(card))).toBe(fits);
      expect(isWholeOnCard(card)).toBe(fits);
      expect(offersApprove(details(card))).toBe(true);
      for (const { value } of given) expect(text(details(card))).toContain(value);
    }
  });

  it('may be longer than the card where the call says what it changes: that is what has to be there', () => {
    const change = { label: 'status', value: 'open', after: 'solved' };
    const card = about({ fields: [change, ...fields(20)] });
    expect(offersApprove(approvalMessage(card))).toBe(true);
    expect(offersApprove(approvalMessage(about({ fields: [{ ...change, after: essay }] })))).toBe(false);
  });
});

describe('what moved since the call before', () => {
  const again = { id: 'ex_4kq7w2m9x1c8v3b6n5z0', why: 'target_changed' } as const;
  const moved = Array.from({ length: 10 }, (_, at) => ({
    label: `field ${at}`,
    was: `was ${at}.`,
    now: `now ${at}.`,
  }));

  it('is in Details value by value, and nothing there points to Details', () => {
    const long = { label: 'text', was: `a${'x'.repeat(400)}b`, now: `c${'y'.repeat(400)}d` };
    const card = about({ moved: [...moved, long], again });
    expect(text(approvalMessage(card))).toContain('and 3 more, in *Details*');
    expect(offersApprove(approvalMessage(card))).toBe(false);
    const shown = text(details(card));
    for (const { was, now } of card.target?.moved ?? []) {
      expect(shown).toContain(was);
      expect(shown).toContain(now);
    }
    expect(shown).not.toMatch(/more, in \*Details\*|not shown/);
    expect(offersApprove(approvalMessage(about({ moved: moved.slice(0, 8), again })))).toBe(true);
  });

  it('is told apart from a value that reads so', () => {
    const card = about({
      moved: [
        { label: 'added', was: null, now: 'not there' },
        { label: 'removed', was: 'not there', now: null },
      ],
      again,
    });
    const pieces = [...objectsIn(approvalMessage(card))].filter((each) => each.text === 'not there');
    expect(pieces.map(({ style }) => style)).toEqual([undefined, { code: true }, { code: true }, undefined]);
    expect(text(details(card))).toMatch(/added, new since[\s\S]*removed, gone since/);
  });
});

describe('the result in Details', () => {
  const done: ApprovalCard = { ...ticket, status: 'succeeded' };

  it('stands under the arguments, and says that only its beginning is kept', () => {
    const shown = text(details(done, { result: { text: '{"id":"T-102"}', truncated: true } }));
    expect(shown).toMatch(/Result\n[\s\S]*\{"id":"T-102"\}[\s\S]*only its beginning is kept/);
    expect(text(details(done, { result: { text: '{"id":"T-102"}', truncated: false } }))).not.toContain(
      'only its beginning',
    );
    expect(text(details(done))).not.toContain('Result');
  });

  it('has a page of its own where a view has no room for both', () => {
    const full: ApprovalCard = {
      ...done,
      fields: [{ label: 'Text', value: '\u{1f600}'.repeat(30_000), kind: 'long' }],
    };
    const result = { text: '\u{1f600}'.repeat(40_000), truncated: false };
    const [first, second] = [0, 1].map((page) => details(full, { page, result }));
    expect(
      [first, second].flatMap((view) => (view ? [...validateView(view).map(String)] : ['no page'])),
    ).toEqual([]);
    expect(text(first)).not.toContain('Result');
    expect(text(first)).toContain('Next: page 2 of 2');
    expect(text(second)).toContain('the first 20000 of 40000 characters');
  });
});

it('the list of several shows who approved before, and what there is to say of the marks', () => {
  const card: ApprovalCard = {
    ...ticket,
    quorum: 2,
    decisions: [{ userId: 'U0DANA', decision: 'approved', reason: 'Checked it.', at: new Date(0) }],
    marksNote: 'Not compared with earlier calls.',
  };
  const request = { executionId: card.executionId, hash: card.hash };
  const shown = text(batchModal([{ requests: [request], card, reasons: [], alone: null }], 0));
  expect(shown).toMatch(/\*Approved\* by <@U0DANA>/);
  expect(shown).toContain('Checked it.');
  expect(shown).toContain('Not compared with earlier calls.');
});

it('the list of several can be turned both ways from a page in the middle', () => {
  const items = Array.from({ length: 60 }, (_, at): BatchItem => {
    const request = { executionId: `ex_${String(at).padStart(20, '0')}`, hash: ticket.hash };
    return { requests: [request], card: { ...ticket, ...request }, reasons: [], alone: null };
  });
  const view = batchModal(items, 1);
  expect(validateView(view)).toEqual([]);
  expect(text(view)).toMatch(/Back to page 1\nPage 3 of \d/);
});
