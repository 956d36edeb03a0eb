/** Whether a card shows all of what is decided about, and what there is to read where it does not. Pure. */
import type { KnownBlock } from '@slack/types';
import { argumentPages, cardArguments, payloadBlocks, type ShownField } from './arguments.js';
import { bytesOf, ROOM } from './room.js';
import { cardTarget, type ShownTarget, targetFields } from './target.js';
import { context } from './text.js';

/** What is decided about. */
export interface Asked {
  readonly fields: readonly ShownField[];
  readonly target?: ShownTarget | null;
}

/** True when the card alone is enough to decide: it shows every argument and every change in full. */
export function isWholeOnCard({ fields, target }: Asked): boolean {
  return cardArguments(fields).whole && cardTarget(target).whole;
}

/** What Details show, page by page; at least one page. */
export function detailPages({ fields, target }: Asked): readonly (readonly KnownBlock[])[] {
  return argumentPages([...fields, ...targetFields(target)]);
}

/** What a call came back with, for those who may see payloads. */
export interface ShownResult {
  /** JSON, or why there is none. */
  readonly text: string;
  /** Only the beginning is kept. */
  readonly truncated: boolean;
}

/** @param room as of `payloadBlocks` */
export function resultBlocks({ text, truncated }: ShownResult, room?: number): KnownBlock[] {
  return [
    ...payloadBlocks('Result', text, room),
    ...(truncated ? [context('The answer was too large: only its beginning is kept')] : []),
  ];
}

/** The result below the last page, or on a page of its own where both are too much for one view. */
export function withResult(
  pages: readonly (readonly KnownBlock[])[],
  result: ShownResult | null | undefined,
): readonly (readonly KnownBlock[])[] {
  if (!result) return pages;
  const blocks = resultBlocks(result);
  const together = [...(pages.at(-1) ?? []), ...blocks];
  return bytesOf(together) > ROOM.withResult ? [...pages, blocks] : [...pages.slice(0, -1), together];
}
