/**
 * Text that other people's programs wrote, made inert: nothing in it is parsed, mentions anybody, links anywhere,
 * hides, or passes for the card's own voice (RELIABILITY.md 2.5).
 *
 * Our own marks stand in white square brackets: `⟦U+202E⟧`, `⟦9300 of 10000 characters not shown⟧`. `visible` and
 * `excerpt` take the opening bracket from everybody else, so a value that went through one of them can imitate no
 * mark but that of a single character. `plain`, `preformatted` and `quote` keep the brackets, so that such a value
 * reads the same in them.
 *
 * All functions are pure and none throws, whatever the string, lone surrogates included.
 */
import { createHash } from 'node:crypto';
import type { PlainTextElement, RichTextBlock } from '@slack/types';

/** Line ends, tabs, spaces and the wide space of CJK text are ordinary; any other blank imitates them. */
const UNSEEN = /(?![\n\t \u3000])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** More marks than any script stacks on one letter: the rest paint over the lines around. */
const STACKED_MARKS = 4;
const MARK = /\p{M}/u;

/** The bracket of our marks, and the one that looks the same. */
const BRACKET = /[⟦〚]/;
const CODE_MARK = /^⟦U\+[0-9A-F]{4,6}⟧/;
const LONGEST_CODE_MARK = '⟦U+10FFFF⟧'.length;

const codeMark = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return `⟦U+${code.toString(16).toUpperCase().padStart(4, '0')}⟧`;
};

type Brackets = 'ours' | 'anybodys';

/** What a reader sees for each code point of the text. */
function* seen(text: string, brackets: Brackets): Generator<string> {
  let stacked = 0;
  let at = 0;
  for (const character of text) {
    stacked = MARK.test(character) ? stacked + 1 : 0;
    const forged =
      brackets === 'ours' &&
      BRACKET.test(character) &&
      !CODE_MARK.test(text.slice(at, at + LONGEST_CODE_MARK));
    yield forged || stacked > STACKED_MARKS || UNSEEN.test(character) ? codeMark(character) : character;
    at += character.length;
  }
}

/** The text with `&`, `<` and `>` as Slack's mrkdwn wants them: no mention, link or date can begin. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * The text with every character that cannot be seen written out as `⟦U+202E⟧`: controls, bidi, zero-width, tags,
 * variation selectors, unusual blanks, unassigned and private code points, lone surrogates, and combining marks
 * stacked more than four high. Line feed, tab and space stay. Idempotent.
 */
export function visible(text: string): string {
  return [...seen(text, 'ours')].join('');
}

/** A piece of an excerpt: what is shown, and the code points of the original that it stands for. */
interface Piece {
  readonly shown: string;
  readonly length: number;
  readonly stands: number;
}

/** Over three line feeds in a row (blank lines may hold blanks), and blanks that push text out of sight. */
const FLOOD = /\n(?:[ \t\r\u3000]*\n){3,}|[ \t\u3000]{33,}/g;

const lineFeeds = (text: string): number => text.split('\n').length - 1;
const sizeOf = (text: string): number => [...text].length;

function floodPiece(flood: string): Piece {
  const lines = lineFeeds(flood);
  const shown = lines > 0 ? `\n⟦${lines - 1} blank lines⟧\n` : `⟦${flood.length} blanks⟧`;
  return { shown, length: sizeOf(shown), stands: flood.length };
}

function* characterPieces(text: string, brackets: Brackets): Generator<Piece> {
  for (const shown of seen(text, brackets)) yield { shown, length: sizeOf(shown), stands: 1 };
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { 0: flood, index } of text.matchAll(FLOOD)) {
    for (const piece of characterPieces(text.slice(from, index), 'ours')) pieces.push(piece);
    pieces.push(floodPiece(flood));
    from = index + flood.length;
  }
  for (const piece of characterPieces(text.slice(from), 'ours')) pieces.push(piece);
  return pieces;
}

/** How many pieces, taken in this order, fit into so many code points and lines. */
function fitting(pieces: readonly Piece[], characters: number, lines = Number.POSITIVE_INFINITY): number {
  let length = 0;
  let feeds = 0;
  let count = 0;
  for (const piece of pieces) {
    length += piece.length;
    feeds += lineFeeds(piece.shown);
    if (length > characters || feeds > lines) break;
    count += 1;
  }
  return count;
}

const total = (pieces: readonly Piece[], measure: 'length' | 'stands'): number =>
  pieces.reduce((sum, piece) => sum + piece[measure], 0);

const joined = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.shown).join('');

/**
 * The whole text as `visible` shows it, but for floods of line feeds or blanks, which are replaced by their count: that
 * hides nothing, and nobody has to leaf through them. Not idempotent: the result goes into `preformatted` as it is.
 */
export function whole(text: string): string {
  return joined(piecesOf(text));
}

const HEAD = { characters: 500, lines: 35 };
const TAIL = { characters: 200, lines: 15 };
const LINES = HEAD.lines + TAIL.lines;
/** Kept free for the marker, which is shorter for any text that fits in memory. */
const MARKER_ROOM = 80;

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

export interface Excerpt {
  /** Inert, and at most `limit` code points (80, should the limit be smaller). */
  readonly shown: string;
  /** False when a part is left out: then nobody may approve before seeing the whole. */
  readonly complete: boolean;
  /** Code points of the original. */
  readonly length: number;
  /** Of the original in UTF-8, in hex; given when a part is left out. */
  readonly sha256?: string;
}

/**
 * A value as a card shows it: whole when it takes at most `limit` code points and 50 lines, else its first 500 and
 * last 200 code points (less under a small limit; at most 35 and 15 lines) around a marker that counts what is left
 * out. Floods of line feeds or blanks are replaced by their count, which hides nothing: such a value is complete.
 */
export function excerpt(text: string, limit: number): Excerpt {
  const pieces = piecesOf(text);
  const length = total(pieces, 'stands');
  const whole = joined(pieces);
  if (total(pieces, 'length') <= limit && lineFeeds(whole) < LINES) {
    return { shown: whole, complete: true, length };
  }
  const room = Math.max(0, Math.min(HEAD.characters + TAIL.characters, limit - MARKER_ROOM));
  const headRoom = Math.ceil((room * HEAD.characters) / (HEAD.characters + TAIL.characters));
  const head = pieces.slice(0, fitting(pieces, headRoom, HEAD.lines));
  const rest = pieces.slice(head.length).reverse();
  const tail = rest.slice(0, fitting(rest, room - headRoom, TAIL.lines)).reverse();
  const left = length - total(head, 'stands') - total(tail, 'stands');
  const marker = `\n⟦${left} of ${length} characters not shown⟧\n`;
  return { shown: joined(head) + marker + joined(tail), complete: false, length, sha256: sha256(text) };
}

/**
 * The host that a URL really leads to, in ASCII (punycode): not the one in its user part, its label or its
 * look-alike letters. `null` when it has no host.
 */
export function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname || null : null;
}

/** An empty text object is refused by Slack, and an empty value should be seen to be empty. */
const EMPTY = '⟦empty⟧';

const orEmpty = (text: string): string => (text === '' ? EMPTY : text);

const plainText = (text: string): PlainTextElement => ({ type: 'plain_text', text, emoji: false });

/**
 * A `plain_text` object of at most `max` code points (`max` ≥ 1), never cut within a character, emoji codes left as
 * typed. A text that is too long ends in a count of what is missing (`⟦+123⟧`), or in `…` where the caller says that
 * the rest does not matter (labels, titles).
 */
export function plain(text: string, max: number, rest: 'counted' | 'ellipsis' = 'counted'): PlainTextElement {
  const pieces = [...characterPieces(orEmpty(text), 'anybodys')];
  if (total(pieces, 'length') <= max) return plainText(joined(pieces));
  const counted = (missing: number): string => `⟦+${missing}⟧`;
  const room = max - sizeOf(counted(pieces.length));
  if (rest === 'ellipsis' || room < 1) {
    return plainText(`${joined(pieces.slice(0, fitting(pieces, max - 1)))}…`);
  }
  const kept = pieces.slice(0, fitting(pieces, room));
  return plainText(joined(kept) + counted(pieces.length - kept.length));
}

const textOf = (text: string) => ({
  type: 'text' as const,
  text: joined([...characterPieces(orEmpty(text), 'anybodys')]),
});

/** A value in a box of its own: Slack parses nothing in it. */
export function preformatted(text: string): RichTextBlock {
  return { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [textOf(text)] }] };
}

/** Somebody else's words, such as an agent's reason, as a quotation in which Slack parses nothing. */
export function quote(text: string): RichTextBlock {
  return { type: 'rich_text', elements: [{ type: 'rich_text_quote', elements: [textOf(text)] }] };
}
