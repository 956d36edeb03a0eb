/**
 * How the 250 kB of a view are shared out, so that Slack never refuses one for its size: bytes of UTF-8 of its JSON.
 * What is in no part below takes some 20 kB at most, and what a caller says 25 kB. Pure.
 */
export const ROOM = {
  /** Arguments on one page of Details, with what there is to say about hosts in them. */
  arguments: 140_000,
  /** Remarks on them that come from elsewhere, on one page. */
  remarks: 40_000,
  /** What an approver changed: stands on every page. */
  edited: 20_000,
  /** A page without remarks, and the result below it. */
  withResult: 180_000,
  /** A stored payload, where there are three. */
  third: 64_000,
} as const;

const utf8 = new TextEncoder();

/** What a part of a view takes. */
export function bytesOf(drawn: unknown): number {
  return utf8.encode(JSON.stringify(drawn)).length;
}
