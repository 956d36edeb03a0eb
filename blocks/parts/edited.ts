/** What an approver changed before she approved: who, what it was, what it is. Pure. */
import type { KnownBlock, RichTextBlock } from '@slack/types';
import { excerpt, plain, preformatted } from '../inert.js';
import { bytesOf, ROOM } from './room.js';
import { context, moment, person } from './text.js';

export interface ShownChange {
  readonly label: string;
  /** Null where the argument was not there, or is no longer. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface ShownEdit {
  readonly by: string;
  readonly at: Date;
  /** Whose approvals were for the old arguments. */
  readonly voided: readonly string[];
  readonly changes: readonly ShownChange[];
}

/** In Details a value has less room where there is none for as much of each. */
const SHOWN = {
  card: { changes: 6, values: [300], bytes: Number.POSITIVE_INFINITY },
  details: { changes: 30, values: [2_000, 300], bytes: ROOM.edited },
} as const;
const LINE = 80;
const NAMED = 8;

type Element = RichTextBlock['elements'][number];
type Piece = Extract<Element, { type: 'rich_text_section' }>['elements'][number];

const text = (value: string, style?: { bold?: boolean; strike?: boolean; italic?: boolean }): Piece => ({
  type: 'text',
  text: value,
  ...(style ? { style } : {}),
});
const line = (...elements: Piece[]): Element => ({ type: 'rich_text_section', elements });

/** In one line, where both values are short; null where one of them needs a box. */
function oneLine({ label, before, after }: ShownChange): RichTextBlock | null {
  const shown = [before, after].map((value) => (value === null ? null : excerpt(value, LINE)));
  if (shown.some((each) => each !== null && (!each.complete || each.shown.includes('\n')))) return null;
  const value = (at: 0 | 1): string | null => {
    const each = shown[at];
    return each ? plain(each.shown, LINE).text : null;
  };
  const [old, now] = [value(0), value(1)];
  return {
    type: 'rich_text',
    elements: [
      line(
        text(plain(label, 100, 'ellipsis').text, { bold: true }),
        text('  '),
        old === null ? text('not given', { italic: true }) : text(old, { strike: true }),
        text('  →  '),
        now === null ? text('not given', { italic: true }) : text(now),
      ),
    ],
  };
}

function boxes({ label, before, after }: ShownChange, room: number): RichTextBlock {
  const box = (about: string, value: string | null): Element[] => [
    line(
      text(plain(label, 100, 'ellipsis').text, { bold: true }),
      text(`  ${about}${value === null ? ': not given' : ''}`),
    ),
    ...(value === null ? [] : preformatted(excerpt(value, room).shown).elements),
  ];
  return { type: 'rich_text', elements: [...box('before', before), ...box('now', after)] };
}

function voidedText(voided: readonly string[]): string {
  if (voided.length === 0) return '';
  const left = voided.length - NAMED;
  const who = `${voided.slice(0, NAMED).map(person).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
  return `. Approved before by ${who}: for the old arguments, so that does not count any more`;
}

/** As many of the changes as there is room for. */
function changeBlocks(changes: readonly ShownChange[], value: number, room: number): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let left = room;
  for (const change of changes) {
    const block = oneLine(change) ?? boxes(change, value);
    left -= bytesOf(block);
    if (left < 0) break;
    blocks.push(block);
  }
  return blocks;
}

/** Nothing where nobody changed anything. The new values stand whole among the arguments. */
export function editedBlocks(edit: ShownEdit | null | undefined, place: 'card' | 'details'): KnownBlock[] {
  if (!edit) return [];
  const { changes: most, values, bytes } = SHOWN[place];
  const changes = edit.changes.slice(0, most);
  const drawn = values.map((value) => changeBlocks(changes, value, bytes));
  const shown = drawn.find(({ length }) => length === changes.length) ?? drawn.at(-1) ?? [];
  const left = edit.changes.length - shown.length;
  return [
    context(`:pencil2: *Edited* by ${person(edit.by)} · ${moment(edit.at)}${voidedText(edit.voided)}`),
    ...shown,
    ...(left > 0 ? [context(`and ${left} more ${left === 1 ? 'change' : 'changes'}`)] : []),
  ];
}
