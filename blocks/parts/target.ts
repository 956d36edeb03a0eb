/**
 * What a call changes, on its card: as the outside system says it is now, and as it will be. Values stand as code in
 * rich text, where Slack parses nothing, so that none of them can pass for the arrow or for the next label.
 */
import type { KnownBlock, RichTextBlock } from '@slack/types';
import { excerpt, plain, visible } from '../inert.js';
import type { ShownField } from './arguments.js';
import { context, said } from './text.js';

export interface ShownTargetField {
  readonly label: string;
  readonly value: string;
  /** Absent where the call leaves it as it is. */
  readonly after?: string;
}

export interface ShownTarget {
  readonly fields: readonly ShownTargetField[];
  /** Why it was not checked, in words; null where it was. */
  readonly note: string | null;
  /** It has to be read before anybody may approve, and could not be. */
  readonly blocked: boolean;
  /** For a call that asks again: what moved since the one before. Empty: only its version did. */
  readonly moved: readonly {
    readonly label: string;
    readonly was: string | null;
    readonly now: string | null;
  }[];
  /** Why it asks again, and for which execution; null where it does not. */
  readonly again: { readonly id: string; readonly why: 'target_changed' | 'outcome_unknown' } | null;
  /** How it was held to what the approver saw, once it ran. */
  readonly held: 'condition' | 'read_again' | 'unchecked' | null;
}

/** What a card has room for; the rest is in Details. */
const CARD_FIELDS = 8;
const CARD_VALUE = 160;
const NOTE = 200;

type Piece = (RichTextBlock['elements'][number] & { type: 'rich_text_section' })['elements'][number];

const bold = (label: string): Piece => ({
  type: 'text',
  text: plain(label, 100, 'ellipsis').text,
  style: { bold: true },
});
const ours = (text: string): Piece => ({ type: 'text', text });

/** A value in one line, as code; line ends are shown as such. */
function code(value: string): { piece: Piece; complete: boolean } {
  const { shown, complete } = excerpt(value.replace(/\r?\n/g, ' ⏎ '), CARD_VALUE);
  const text = plain(shown.replaceAll('\n', ' '), CARD_VALUE + 100).text;
  return { piece: { type: 'text', text, style: { code: true } }, complete };
}

function lines(rows: readonly (readonly Piece[])[]): RichTextBlock {
  const elements = rows.flatMap((row, at): Piece[] => [...(at > 0 ? [ours('\n')] : []), ...row]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

interface TargetRow {
  readonly row: readonly Piece[];
  readonly complete: boolean;
}

function unchanged(label: string, value: string): TargetRow {
  const { piece, complete } = code(value);
  return { row: [bold(label), ours('  '), piece], complete };
}

/** In our own voice, not as code: no value can pass for it. */
const side = (value: string | null): ReturnType<typeof code> =>
  value === null ? { piece: ours('not there'), complete: true } : code(value);

function change(label: string, before: string | null, after: string | null): TargetRow {
  const from = side(before);
  const to = side(after);
  return {
    row: [bold(label), ours('  '), from.piece, ours(' → '), to.piece],
    complete: from.complete && to.complete,
  };
}

export interface CardTarget {
  readonly blocks: readonly KnownBlock[];
  /** All that says what would happen is on the card in full: every change; of what is only named, all of it. */
  readonly whole: boolean;
}

/** The target on the card of a call that waits for a person. */
export function cardTarget(target: ShownTarget | null | undefined): CardTarget {
  if (!target) return { blocks: [], whole: true };
  const changes = target.fields.filter(({ after }) => after !== undefined);
  const rest = target.fields.filter(({ after }) => after === undefined);
  const changed = changes
    .slice(0, CARD_FIELDS)
    .map(({ label, value, after }) => change(label, value, after ?? ''));
  const kept = rest
    .slice(0, Math.max(0, CARD_FIELDS - changed.length))
    .map(({ label, value }) => unchanged(label, value));
  const rows = [...changed, ...kept].map(({ row }) => row);
  // Where the call says nothing of what it makes of it, such as a delete, what it is about is all there is to read.
  const [all, shown] = changes.length > 0 ? [changes, changed] : [rest, kept];
  const moved = movedRows(target);
  const whole =
    all.length === shown.length &&
    moved.left === 0 &&
    [...shown, ...moved.rows].every(({ complete }) => complete);
  const left = target.fields.length - rows.length;
  return {
    whole,
    blocks: [
      ...againBlocks(target, 'card'),
      ...(rows.length > 0
        ? [
            context(
              changes.length > 0 ? '*What it changes*, now → after' : '*What it is about*, as it is now',
            ),
            lines(rows),
          ]
        : []),
      ...(left > 0 ? [context(`and ${left} more of it in *Details*`)] : []),
      ...noteBlocks(target),
    ],
  };
}

/** What moved since the call before, as far as the card has room. */
function movedRows({ again, moved }: ShownTarget): { rows: readonly TargetRow[]; left: number } {
  const all = again?.why === 'target_changed' ? moved : [];
  const rows = all.slice(0, CARD_FIELDS).map(({ label, was, now }) => change(label, was, now));
  return { rows, left: all.length - rows.length };
}

/** Why this is asked a second time, and what moved; in Details each value that moved is a field of its own. */
function againBlocks(target: ShownTarget, place: 'card' | 'details'): KnownBlock[] {
  const { again, moved } = target;
  if (!again) return [];
  if (again.why === 'outcome_unknown') {
    return [
      context(
        `:repeat: *Asked again* by a person: what became of ${again.id} could not be recorded when it ran`,
      ),
    ];
  }
  const asked = `:repeat: *Asked again*: ${again.id} was approved and not sent;`;
  if (moved.length === 0) return [context(`${asked} it was changed since, in nothing that is shown here`)];
  if (place === 'details')
    return [context(`${asked} what moved since is listed with the arguments, as it was and as it is`)];
  const { rows, left } = movedRows(target);
  return [
    context(`${asked} this moved since:`),
    lines(rows.map(({ row }) => row)),
    ...(left > 0 ? [context(`and ${left} more, in *Details*`)] : []),
  ];
}

function noteBlocks({ note, blocked }: ShownTarget): KnownBlock[] {
  if (note === null) return [];
  return [
    context(
      blocked
        ? `:no_entry: *Nobody can approve this yet*: what it would change could not be read (${said(note, NOTE)})`
        : `:grey_question: *Target not checked*: ${said(note, NOTE)}`,
    ),
  ];
}

const HELD = {
  condition: 'The outside system itself held it to what the approver saw',
  read_again: 'Its target was read again just before, and held to what the approver saw',
  unchecked: 'Its target was not held to what the approver saw',
} as const;

/** How its target was held, once it ran. */
export function heldBlocks(target: ShownTarget | null | undefined): KnownBlock[] {
  return target?.held ? [context(HELD[target.held])] : [];
}

/** Every character of the target, for the pages of Details. */
export function targetFields(target: ShownTarget | null | undefined): ShownField[] {
  if (!target) return [];
  const field = (label: string, value: string): ShownField => ({
    label,
    value,
    kind: [...visible(value)].length > CARD_VALUE || value.includes('\n') ? 'long' : 'short',
  });
  const moved = target.again?.why === 'target_changed' ? target.moved : [];
  return [
    ...moved.flatMap(({ label, was, now }) => [
      ...(was === null ? [] : [field(now === null ? `${label}, gone since` : `${label}, before`, was)]),
      ...(now === null ? [] : [field(was === null ? `${label}, new since` : `${label}, since`, now)]),
    ]),
    ...target.fields.flatMap(({ label, value, after }) => [
      field(`${label}, now`, value),
      ...(after === undefined ? [] : [field(`${label}, after`, after)]),
    ]),
  ];
}

/** In Details, above the arguments. */
export function detailTarget(target: ShownTarget | null | undefined): KnownBlock[] {
  return target ? [...againBlocks(target, 'details'), ...noteBlocks(target), ...heldBlocks(target)] : [];
}
