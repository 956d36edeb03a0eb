/** What the functions of every connector are made of: typed arguments, card lines. Pure. */
import { z } from 'zod';
import { type Arguments, type CardField, type InputSchema, type JsonValue, zodInput } from './framework.js';
import { readableLines } from './lines.js';

/** The schema of a function twice: for callers, and typed for its own code. */
export function input<Output extends Arguments>(
  schema: z.ZodType<Output>,
): { readonly schema: InputSchema; readonly read: (args: Arguments) => Output } {
  return { schema: zodInput(schema), read: (args) => schema.parse(args) };
}

/** A line of the card; none for a value that is not given. Lists are joined with commas. */
export function short(label: string, value: JsonValue | undefined): CardField[] {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
  return [{ label, value: [value].flat().join(', '), kind: 'short' }];
}

/** A box of the card, for texts. */
export function long(label: string, value: string | undefined): CardField[] {
  return value === undefined ? [] : [{ label, value, kind: 'long' }];
}

/** A link; the card shows its real host. */
export function link(label: string, value: string | undefined): CardField[] {
  return value === undefined ? [] : [{ label, value, kind: 'link' }];
}

/** The card of a read: its arguments as they are. */
export function plainCard(args: Arguments): CardField[] {
  return Object.entries(args).flatMap(([label, value]) => short(label, readableLines(value).join(', ')));
}

/** True for anything that could end a header line, and for other invisible control characters. */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** One line of text without control characters, 1 to `longest` characters. */
export function oneLine(longest: number) {
  return z
    .string()
    .min(1)
    .max(longest)
    .refine((text) => !hasControls(text), 'must be one line without control characters');
}

/** A text of several lines, 1 to `longest` characters; the common cap is 64 KiB (shared/CONNECTORS.md). */
export function manyLines(longest = 64 * 1_024) {
  return z.string().min(1).max(longest);
}

/** A page token as the outside system gave it: printable, no spaces. */
export const pageToken = z
  .string()
  .min(1)
  .max(2_048)
  .regex(/^[\x21-\x7e]+$/, 'is not a page token');

/** How many items a page has; the default of the whole catalogue is 25. */
export function pageSize(most: number) {
  return z.int().min(1).max(most).default(Math.min(25, most)).describe(`How many, at most ${most}.`);
}
