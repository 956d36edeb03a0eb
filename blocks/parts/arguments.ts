/**
 * A caller's arguments on cards and in Details. The labels are ours; a value stands in rich text, where Slack parses
 * nothing, and takes more than one line only inside a box, so that no value can pass for the next label.
 */
import type { KnownBlock, RichTextBlock } from '@slack/types';
import { excerpt, hostOf, plain, preformatted, visible, whole } from '../inert.js';
import { hostRemarks } from './hosts.js';

export interface ShownField {
  readonly label: string;
  /** The caller's value, as it is. */
  readonly value: string;
  /** `time`: begins with an ISO time with an offset, which each reader sees in her own time zone as well. */
  readonly kind: 'short' | 'long' | 'link' | 'time';
  /** What there is to know about the value, a line each. It may quote the value: shown inert. */
  readonly marks?: readonly string[];
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

/** More remarks than this are for Details. */
const CARD_MARKS = 5;
const MARK = 240;

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})/;

/** The moment that a time value begins with, in Unix seconds. */
export function momentOf({ kind, value }: Pick<ShownField, 'kind' | 'value'>): number | null {
  const at = kind === 'time' ? Date.parse(ISO_TIME.exec(value)?.[0] ?? '') : Number.NaN;
  return Number.isNaN(at) ? null : Math.floor(at / 1_000);
}

/** `value` in one line; null when it needs a box. */
function oneLine({ kind, value }: ShownField): string | null {
  if (kind !== 'short' && kind !== 'time') return null;
  const { shown, complete } = excerpt(value, LINE_VALUE);
  return complete && !shown.includes('\n') ? plain(shown, LINE_VALUE).text : null;
}

interface Row {
  readonly label: string;
  readonly text: string;
  /** Unix seconds. */
  readonly at: number | null;
  readonly marks: readonly string[];
}

/** Set apart from values by where it stands: no value in a line has a line end. */
const markPieces = (marks: readonly string[], before = '\n'): Piece[] =>
  marks.map((mark, at) => ({
    type: 'text',
    text: `${at === 0 ? before : '\n'}      ↳ ${plain(mark.replace(/\s+/g, ' '), MARK, 'ellipsis').text}`,
    style: { italic: true },
  }));

/** In the reader's own time zone, before the text that was given. */
const timePieces = (at: number | null, text: string): Piece[] =>
  at === null
    ? [said(`  ${text}`)]
    : [
        said('  '),
        { type: 'date', timestamp: at, format: '{date_long_pretty} {time}', fallback: text },
        said(`  (${text})`),
      ];

function linesBlock(rows: readonly Row[]): RichTextBlock {
  const elements = rows.flatMap(({ label, text, at, marks }, index): Piece[] => [
    ...(index > 0 ? [said('\n')] : []),
    bold(label),
    ...timePieces(at, text),
    ...markPieces(marks),
  ]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

function boxBlock(
  label: string,
  about: readonly string[],
  text: string,
  marks: readonly string[] = [],
): RichTextBlock {
  const heading: Line = {
    type: 'rich_text_section',
    elements: [bold(label), ...(about.length > 0 ? [said(`  ${about.join(' · ')}`)] : [])],
  };
  const remarks: Line = { type: 'rich_text_section', elements: markPieces(marks, '') };
  return {
    type: 'rich_text',
    elements: [heading, ...preformatted(text).elements, ...(marks.length > 0 ? [remarks] : [])],
  };
}

/** Where a link really leads. */
function leadsTo({ kind, value }: ShownField): string[] {
  const host = kind === 'link' ? hostOf(value) : null;
  return host === null ? [] : [`leads to ${visible(host)}`];
}

/** A value that takes more than a line, or a part of one. */
interface Box {
  readonly label: string;
  readonly about: readonly string[];
  /** Inert. */
  readonly text: string;
  readonly marks: readonly string[];
}

/** Short values in lines, the others in boxes, in the order in which they came. */
function entryBlocks(entries: readonly (Row | Box)[]): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let lines: Row[] = [];
  const flush = (): void => {
    if (lines.length > 0) blocks.push(linesBlock(lines));
    lines = [];
  };
  for (const entry of entries) {
    if ('at' in entry) {
      lines.push(entry);
      continue;
    }
    flush();
    blocks.push(boxBlock(entry.label, entry.about, entry.text, entry.marks));
  }
  flush();
  return blocks;
}

/** Null when it needs a box. */
function rowOf(field: ShownField): Row | null {
  const text = oneLine(field);
  return text === null ? null : { label: field.label, text, at: momentOf(field), marks: field.marks ?? [] };
}

/** A link says where it leads beside its label. */
function withHosts(field: ShownField): ShownField {
  const remarks = field.kind === 'link' ? [] : hostRemarks(field.value);
  return remarks.length === 0 ? field : { ...field, marks: [...remarks, ...(field.marks ?? [])] };
}

export interface CardArguments {
  readonly blocks: readonly KnownBlock[];
  /** How many arguments are not on the card at all. */
  readonly left: number;
  /** Nothing was left out or cut: the card alone is enough to decide. */
  readonly whole: boolean;
}

function withFewMarks(field: ShownField): ShownField {
  const { marks = [] } = field;
  if (marks.length <= CARD_MARKS) return field;
  const left = marks.length - CARD_MARKS;
  return { ...field, marks: [...marks.slice(0, CARD_MARKS), `and ${left} more remarks, in Details`] };
}

/** The arguments as a card has room for them. */
export function cardArguments(fields: readonly ShownField[]): CardArguments {
  const shown = fields.slice(0, CARD_FIELDS).map(withHosts);
  let whole = shown.length === fields.length && shown.every(({ marks = [] }) => marks.length <= CARD_MARKS);
  const entries = shown.map(withFewMarks).map((field): Row | Box => {
    const row = rowOf(field);
    if (row) return row;
    const { shown: text, complete, length, sha256 } = excerpt(field.value, CARD_VALUE);
    if (!complete) whole = false;
    const cut = complete ? [] : [`${length} characters`, `sha256 ${(sha256 ?? '').slice(0, HASH_DIGITS)}…`];
    return { label: field.label, about: [...leadsTo(field), ...cut], text, marks: field.marks ?? [] };
  });
  return { blocks: entryBlocks(entries), left: fields.length - shown.length, whole };
}

/** Every character of every argument, page by page; at least one page. */
export function argumentPages(fields: readonly ShownField[]): readonly (readonly KnownBlock[])[] {
  const pages: (Row | Box)[][] = [[]];
  let size = 0;
  for (const entry of fields.map(withHosts).flatMap(wholeEntries)) {
    const page = pages.at(-1) ?? [];
    if (size + entry.text.length > PAGE_CHARACTERS || page.length >= PAGE_BOXES) {
      pages.push([entry]);
      size = entry.text.length;
    } else {
      page.push(entry);
      size += entry.text.length;
    }
  }
  return pages.map(entryBlocks);
}

function wholeEntries(field: ShownField): readonly (Row | Box)[] {
  const row = rowOf(field);
  if (row) return [row];
  const { label, marks = [] } = field;
  return boxfuls(whole(field.value)).map((text, at) =>
    at === 0
      ? { label, about: leadsTo(field), text, marks }
      : { label: `${label} (continued)`, about: [], text, marks: [] },
  );
}

/** An inert text as the boxes that hold all of it, broken between lines where there are any; at least one. */
export function boxfuls(text: string): readonly string[] {
  const characters = [...text];
  const pieces: string[] = [];
  let at = 0;
  do {
    const end = boxEnd(characters, at);
    pieces.push(characters.slice(at, end).join(''));
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
  return boxfuls(shown).map((text, at) =>
    boxBlock(at === 0 ? label : `${label} (continued)`, at === 0 ? cut : [], text),
  );
}
