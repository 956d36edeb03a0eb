/**
 * A caller's arguments on cards and in Details. The labels are ours; a value stands in rich text, where Slack parses
 * nothing, and takes more than one line only inside a box, so that no value can pass for the next label.
 */
import type { KnownBlock, RichTextBlock } from '@slack/types';
import { excerpt, hostOf, plain, preformatted, visible, whole } from '../inert.js';
import { ended, hostRemarks } from './hosts.js';
import { bytesOf, ROOM } from './room.js';

export interface ShownField {
  readonly label: string;
  /** The caller's value, as it is. */
  readonly value: string;
  /** `time`: begins with an ISO time with an offset, which each reader sees in her own time zone as well. */
  readonly kind: 'short' | 'long' | 'link' | 'time';
  /** What there is to know about the value, a line each. It may quote the value: shown inert. */
  readonly marks?: readonly string[];
  /** Not an argument, but a line of ours for marks that belong to none. */
  readonly aside?: true;
}

type Line = RichTextBlock['elements'][number] & { type: 'rich_text_section' };
type Piece = Line['elements'][number];

/** What a card shows of one value (RELIABILITY.md 2.5); the rest is for Details. */
const CARD_VALUE = 900;
const CARD_FIELDS = 14;
/** A longer value in a line of its own would hide where it ends. */
const LINE_VALUE = 120;
const HASH_DIGITS = 16;

/** A page of Details is small enough for a view (250 kB, 100 blocks), and to be read. */
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

function boxBlock({ label, about, body, marks }: Box): RichTextBlock {
  const heading: Line = {
    type: 'rich_text_section',
    elements: [bold(label), ...(about.length > 0 ? [said(`  ${about.join(' · ')}`)] : [])],
  };
  const remarks: Line = { type: 'rich_text_section', elements: markPieces(marks, '') };
  return { type: 'rich_text', elements: [heading, ...body, ...(marks.length > 0 ? [remarks] : [])] };
}

/** Where a link really leads. */
function leadsTo({ kind, value }: ShownField): string[] {
  const host = kind === 'link' ? hostOf(value) : null;
  return host === null ? [] : [`leads to ${ended(visible(host))}`];
}

/** A value that takes more than a line, or a part of one. */
interface Box {
  readonly label: string;
  readonly about: readonly string[];
  /** Inert. */
  readonly text: string;
  /** The text as it is drawn, once: it is measured before it is shown. */
  readonly body: RichTextBlock['elements'];
  readonly marks: readonly string[];
}

function boxOf(label: string, about: readonly string[], text: string, marks: readonly string[] = []): Box {
  return { label, about, text, body: preformatted(text).elements, marks };
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
    blocks.push(boxBlock(entry));
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
    return boxOf(field.label, [...leadsTo(field), ...cut], text, field.marks);
  });
  return { blocks: entryBlocks(entries), left: fields.length - shown.length, whole };
}

/** What of a page is taken. */
interface Taken {
  readonly entries: number;
  readonly characters: number;
  readonly bytes: number;
}

const NOTHING: Taken = { entries: 0, characters: 0, bytes: 0 };

interface Placed {
  readonly entry: Row | Box;
  readonly needs: Taken;
  /** Remarks that were handed in with the value. */
  readonly noticed: readonly string[];
}

function together(one: Taken, other: Taken): Taken {
  return {
    entries: one.entries + other.entries,
    characters: one.characters + other.characters,
    bytes: one.bytes + other.bytes,
  };
}

function fits({ entries, characters, bytes }: Taken): boolean {
  return entries <= PAGE_BOXES && characters <= PAGE_CHARACTERS && bytes <= ROOM.arguments;
}

/**
 * Every character of every argument, page by page; at least one page. Remarks that are handed in come and go with what
 * could be found out in time, and who read what is noted by the number of the page: no page ends elsewhere for them.
 */
export function argumentPages(fields: readonly ShownField[]): readonly (readonly KnownBlock[])[] {
  const pages: Placed[][] = [[]];
  let taken = NOTHING;
  for (const placed of fields.flatMap(wholeEntries)) {
    const all = together(taken, placed.needs);
    if (fits(all)) pages.at(-1)?.push(placed);
    else pages.push([placed]);
    taken = fits(all) ? all : placed.needs;
  }
  return pages.map((page) => entryBlocks(withRemarks(page)));
}

/** With as many of the remarks as there is room for; the others are counted where they would stand. */
function withRemarks(page: readonly Placed[]): (Row | Box)[] {
  let room: number = ROOM.remarks;
  return page.map(({ entry, noticed }) => {
    const shown: string[] = [];
    for (const mark of noticed) {
      const needs = bytesOf(markPieces([mark]));
      if (needs > room) break;
      room -= needs;
      shown.push(mark);
    }
    const left = noticed.length - shown.length;
    const rest = left > 0 ? [`and ${left} more remarks, for which this page has no room`] : [];
    return noticed.length === 0 ? entry : { ...entry, marks: [...entry.marks, ...shown, ...rest] };
  });
}

function wholeEntries({ marks = [], ...value }: ShownField): readonly Placed[] {
  const field = withHosts(value);
  const row = rowOf(field);
  const entries = row ? [row] : boxesOf(field);
  return entries.map((entry, at) => ({
    entry,
    needs: field.aside ? NOTHING : needsOf(entry),
    noticed: at === 0 ? marks : [],
  }));
}

function needsOf(entry: Row | Box): Taken {
  return { entries: 1, characters: entry.text.length, bytes: bytesOf(entryBlocks([entry])) };
}

function boxesOf(field: ShownField): Box[] {
  const { label, value, marks } = field;
  return boxfuls(whole(value)).map((text, at) =>
    at === 0 ? boxOf(label, leadsTo(field), text, marks) : boxOf(`${label} (continued)`, [], text),
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
  const lineEnd = characters.slice(from, end).lastIndexOf('\n') + 1;
  return lineEnd > BOX_CHARACTERS / 2 ? from + lineEnd : end;
}

/** Two payloads of four-byte characters still fit into a view (250 kB). */
const PAYLOAD_CHARACTERS = 20_000;
const LONGEST_CHARACTER = 4;

/**
 * A stored payload for those who may read it: from its beginning, as far as a view has room.
 * @param room in bytes, where more than two share a view
 */
export function payloadBlocks(label: string, json: string, room = Number.POSITIVE_INFINITY): KnownBlock[] {
  const characters = [...visible(json)];
  const most = characters.slice(0, PAYLOAD_CHARACTERS);
  const count = bytesOf(most.join('')) > room ? Math.floor(room / LONGEST_CHARACTER) : PAYLOAD_CHARACTERS;
  const cut = characters.length > count ? [`the first ${count} of ${characters.length} characters`] : [];
  return boxfuls(most.slice(0, count).join('')).map((text, at) =>
    boxBlock(boxOf(at === 0 ? label : `${label} (continued)`, at === 0 ? cut : [], text)),
  );
}
