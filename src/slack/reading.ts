/**
 * What a card has no room for is approved by nobody who did not have all of it before her (abuse case 28). The card
 * and Details place their buttons so; here a decision is held to it as well, whatever was clicked. Reading belongs to
 * a person and to what is asked: after an edit it is another text.
 */
import type { ApprovalCard } from '../../blocks/approval-card.js';
import { detailPages, isWholeOnCard } from '../../blocks/parts/reading.js';
import { shortHash } from '../services/binding.js';
import type { HasToRead } from '../services/decisions.js';
import { askedOf } from './approval-view.js';
import type { SlackEdge } from './edge.js';

const pageMark = (userId: string, hash: string, page: number): string => `${userId}:${hash}:${page}`;

/** From here on every approval in this process, and every grant, is held to what was read. */
export function holdToReading({ services, deps }: Pick<SlackEdge, 'services' | 'deps'>): void {
  const hasToRead: HasToRead = async (approval, execution, userId) => {
    const asked = await askedOf(execution, approval, services, deps);
    if (!asked || isWholeOnCard(asked)) return false;
    const read = new Set(approval.read);
    const hash = shortHash(approval.bindingHash);
    return detailPages(asked).some((_page, at) => !read.has(pageMark(userId, hash, at)));
  };
  services.decisions.holdToReading(hasToRead);
  services.grants.holdToReading(hasToRead);
}

/**
 * Stored before the page is shown; also once it is approved, while a grant can still be made from it.
 * @param page 0-based as it was asked for; undefined: all of them are shown at once
 */
export async function noteReading(
  { deps: { models, workspaceId } }: Pick<SlackEdge, 'deps'>,
  card: ApprovalCard,
  userId: string,
  page?: number,
): Promise<void> {
  const isPending = card.status === 'pending_approval';
  if (!(isPending || card.rememberable) || isWholeOnCard(card)) return;
  const pages = [...detailPages(card).keys()];
  // Behind the last one there may be the result, once it ran.
  const last = isPending ? pages.length - 1 : Number.POSITIVE_INFINITY;
  const at = page === undefined ? null : Math.min(Math.max(0, page), last);
  const shown = pages.filter((each) => at === null || each === at);
  await models.approvals.updateOne(
    { workspaceId, executionId: card.executionId, status: { $in: ['pending', 'approved'] } },
    { $addToSet: { read: { $each: shown.map((at) => pageMark(userId, card.hash, at)) } } },
  );
}
