/** Texts of a server that nobody has vouched for: no invisible characters, no more than fits. Pure. */

/**
 * Controls (but tab and newline), and whatever draws nothing or turns the reading direction: zero-width characters,
 * bidi marks, private use, halves of characters, and the tags and variation selectors in which instructions for a
 * model are hidden from people (Unicode 15.1: General_Category C, Default_Ignorable_Code_Point).
 */
const INVISIBLE = /(?![\n\t])[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** Several lines, cut to `longest` characters; empty for what is no text. */
export function cleanText(value: unknown, longest: number): string {
  if (typeof value !== 'string') return '';
  const text = value
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(INVISIBLE, '')
    .trim();
  return text.length > longest ? `${withoutHalf(text.slice(0, longest - 1))}…` : text;
}

/** The same on one line. */
export function cleanLine(value: unknown, longest: number): string {
  return typeof value === 'string' ? cleanText(value.replace(/\s+/g, ' '), longest) : '';
}

/** True when people see all of it. */
export function isPlain(text: string): boolean {
  return text === cleanLine(text, Number.POSITIVE_INFINITY);
}

/** At most `longest` characters as they stand, and whether something was cut. */
export function cut(text: string, longest: number): { readonly text: string; readonly truncated?: true } {
  return text.length > longest ? { text: withoutHalf(text.slice(0, longest)), truncated: true } : { text };
}

/** A cut may part the two halves of a character beyond U+FFFF. */
function withoutHalf(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '');
}
