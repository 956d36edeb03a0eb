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
const NOT_THERE = '⟦not there⟧';

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

function change(label: string, before: string, after: string): { row: Piece[]; complete: boolean } {
  const from = code(before);
  const to = code(after);
  return {
    row: [bold(label), ours('  '), from.piece, ours(' → '), to.piece],
    complete: from.complete && to.complete,
  };
}

export interface CardTarget {
  readonly blocks: readonly KnownBlock[];
  /** Every change is on the card in full. */
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
  const kept = rest.slice(0, Math.max(0, CARD_FIELDS - changed.length));
  const rows = [
    ...changed.map(({ row }) => row),
    ...kept.map(({ label, value }) => [bold(label), ours('  '), code(value).piece]),
  ];
  const whole = changes.length === changed.length && changed.every(({ complete }) => complete);
  const left = target.fields.length - rows.length;
  return {
    whole,
    blocks: [
      ...againBlocks(target),
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

/** Why this is asked a second time, and what moved. */
export function againBlocks({ again, moved }: ShownTarget): KnownBlock[] {
  if (!again) return [];
  if (again.why === 'outcome_unknown') {
    return [
      context(
        `:repeat: *Asked again* by a person: what became of ${again.id} could not be recorded when it ran`,
      ),
    ];
  }
  const rows = moved
    .slice(0, CARD_FIELDS)
    .map(({ label, was, now }) => change(label, was ?? NOT_THERE, now ?? NOT_THERE).row);
  const what = moved.length > 0 ? 'this moved since:' : 'it was changed since, in nothing that is shown here';
  return [
    context(`:repeat: *Asked again*: ${again.id} was approved and not sent; ${what}`),
    ...(rows.length > 0 ? [lines(rows)] : []),
    ...(moved.length > rows.length ? [context(`and ${moved.length - rows.length} more, in *Details*`)] : []),
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
  return target.fields.flatMap(({ label, value, after }) => [
    field(`${label}, now`, value),
    ...(after === undefined ? [] : [field(`${label}, after`, after)]),
  ]);
}

/** In Details, above the arguments. */
export function detailTarget(target: ShownTarget | null | undefined): KnownBlock[] {
  return target ? [...againBlocks(target), ...noteBlocks(target), ...heldBlocks(target)] : [];
}
