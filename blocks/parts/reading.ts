/** Whether a card shows all of what is decided about, and what there is to read where it does not. Pure. */
import type { KnownBlock } from '@slack/types';
import { argumentPages, cardArguments, type ShownField } from './arguments.js';
import { cardTarget, type ShownTarget, targetFields } from './target.js';

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
