import type { JsonValue } from '../framework.js';

/** Why one operation cannot be called; the others still can. */
export class Unsupported extends Error {}

/** A text of the document, at most so long; empty for anything else. */
export function text(value: JsonValue | undefined, longest: number): string {
  if (typeof value !== 'string') return '';
  const trimmed = value.trim();
  return trimmed.length > longest ? `${trimmed.slice(0, longest - 1)}…` : trimmed;
}
