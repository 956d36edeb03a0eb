/**
 * A caller's arguments on cards and in Details. The labels are ours; a value stands in rich text, where Slack parses
 * nothing, and takes more than one line only inside a box, so that no value can pass for the next label.
 */
import type { KnownBlock, RichTextBlock } from '@slack/types';
import { excerpt, hostOf, plain, preformatted, visible } from '../inert.js';

export interface ShownField {
  readonly label: string;
  /** The caller's value, as it is. */
  readonly value: string;
  readonly kind: 'short' | 'long' | 'link';
}

type Line = RichTextBlock['elements'][number] & { type: 'rich_text_section' };
type Piece = Line['elements'][number];

/** What a card shows of one value (RELIABILITY.md 2.5); the rest is for Details. */
const CARD_VALUE = 900;
const CARD_FIELDS = 14;
/** A longer value in a line of its own would hide where it ends. */
const LINE_VALUE = 120;
const HASH_DIGITS = 16;

/** A page of Details is small enough for a view (250 kB, 100 blocks). */
const PAGE_CHARACTERS = 60_000;
const PAGE_BOXES = 40;
const BOX_CHARACTERS = 2_800;

const bold = (label: string): Piece => ({
  type: 'text',
  text: plain(label, 100, 'ellipsis').text,
  style: { bold: true },
});
const said = (text: string): Piece => ({ type: 'text', text });

/** `value` in one line; null when it needs a box. */
function oneLine({ kind, value }: ShownField): string | null {
  if (kind !== 'short') return null;
  const { shown, complete } = excerpt(value, LINE_VALUE);
  return complete && !shown.includes('\n') ? plain(shown, LINE_VALUE).text : null;
}

function linesBlock(rows: readonly { label: string; text: string }[]): RichTextBlock {
  const elements = rows.flatMap(({ label, text }, at): Piece[] => [
    ...(at > 0 ? [said('\n')] : []),
    bold(label),
    said(`  ${text}`),
  ]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

function boxBlock(label: string, about: readonly string[], text: string): RichTextBlock {
  const heading: Line = {
    type: 'rich_text_section',
    elements: [bold(label), ...(about.length > 0 ? [said(`  ${about.join(' · ')}`)] : [])],
  };
  return { type: 'rich_text', elements: [heading, ...preformatted(text).elements] };
}

/** Where a link really leads. */
function leadsTo({ kind, value }: ShownField): string[] {
  const host = kind === 'link' ? hostOf(value) : null;
  return host === null ? [] : [`leads to ${visible(host)}`];
}

/** Short values in lines, the others in boxes, in the order in which they came. */
function fieldBlocks(
  fields: readonly ShownField[],
  box: (field: ShownField) => readonly KnownBlock[],
): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let lines: { label: string; text: string }[] = [];
  const flush = (): void => {
    if (lines.length > 0) blocks.push(linesBlock(lines));
    lines = [];
  };
  for (const field of fields) {
    const text = oneLine(field);
    if (text === null) {
      flush();
      blocks.push(...box(field));
    } else lines.push({ label: field.label, text });
  }
  flush();
  return blocks;
}

export interface CardArguments {
  readonly blocks: readonly KnownBlock[];
  /** How many arguments are not on the card at all. */
  readonly left: number;
  /** Nothing was left out or cut: the card alone is enough to decide. */
  readonly whole: boolean;
}

/** The arguments as a card has room for them. */
export function cardArguments(fields: readonly ShownField[]): CardArguments {
  const shown = fields.slice(0, CARD_FIELDS);
  let whole = shown.length === fields.length;
  const blocks = fieldBlocks(shown, (field) => {
    const { shown: text, complete, length, sha256 } = excerpt(field.value, CARD_VALUE);
    if (!complete) whole = false;
    const cut = complete ? [] : [`${length} characters`, `sha256 ${(sha256 ?? '').slice(0, HASH_DIGITS)}…`];
    return [boxBlock(field.label, [...leadsTo(field), ...cut], text)];
  });
  return { blocks, left: fields.length - shown.length, whole };
}

/** Every character of every argument, page by page; at least one page. */
export function argumentPages(fields: readonly ShownField[]): readonly (readonly KnownBlock[])[] {
  const pages: ShownField[][] = [[]];
  let size = 0;
  for (const piece of fields.flatMap(boxfuls)) {
    const page = pages.at(-1) ?? [];
    if (size + piece.value.length > PAGE_CHARACTERS || page.length >= PAGE_BOXES) {
      pages.push([piece]);
      size = piece.value.length;
    } else {
      page.push(piece);
      size += piece.value.length;
    }
  }
  return pages.map((page) =>
    fieldBlocks(page, (field) => [boxBlock(field.label, leadsTo(field), field.value)]),
  );
}

/** One value as the boxes that hold all of it, every character visible, broken between lines where there are any. */
function boxfuls(field: ShownField): ShownField[] {
  const characters = [...visible(field.value)];
  const pieces: ShownField[] = [];
  let at = 0;
  do {
    const end = boxEnd(characters, at);
    pieces.push({
      label: at === 0 ? field.label : `${field.label} (continued)`,
      value: characters.slice(at, end).join(''),
      kind: at === 0 ? field.kind : 'long',
    });
    at = end;
  } while (at < characters.length);
  return pieces;
}

function boxEnd(characters: readonly string[], from: number): number {
  const end = from + BOX_CHARACTERS;
  if (end >= characters.length) return characters.length;
  const lineEnd = characters.lastIndexOf('\n', end - 1) + 1;
  return lineEnd > from + BOX_CHARACTERS / 2 ? lineEnd : end;
}

/** Two payloads of four-byte characters still fit into a view (250 kB). */
const PAYLOAD_CHARACTERS = 20_000;

/** A stored payload for those who may read it: from its beginning, as far as a view has room. */
export function payloadBlocks(label: string, json: string): KnownBlock[] {
  const { length } = [...json];
  const shown = [...visible(json)].slice(0, PAYLOAD_CHARACTERS).join('');
  const cut = length > PAYLOAD_CHARACTERS ? [`the first ${PAYLOAD_CHARACTERS} of ${length} characters`] : [];
  return boxfuls({ label, value: shown, kind: 'long' }).map((piece, at) =>
    boxBlock(piece.label, at === 0 ? cut : [], piece.value),
  );
}
