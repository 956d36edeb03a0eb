/**
 * What a card has no room for is approved by nobody who did not have all of it before her (abuse case 28). The card
 * and Details place their buttons so; here a decision is held to it as well, whatever was clicked. Reading belongs to
 * a person and to what is asked: after an edit it is another text.
 */
import type { ApprovalCard } from '../../blocks/approval-card.js';
import { detailPages, isWholeOnCard } from '../../blocks/parts/reading.js';
import { shortHash } from '../services/binding.js';
import { askedOf } from './approval-view.js';
import type { SlackEdge } from './edge.js';

const pageMark = (userId: string, hash: string, page: number): string => `${userId}:${hash}:${page}`;

/** From here on every approval in this process is held to what was read. */
export function holdToReading({ services, deps }: Pick<SlackEdge, 'services' | 'deps'>): void {
  services.decisions.holdToReading(async (approval, execution, userId) => {
    const asked = await askedOf(execution, approval, services, deps);
    if (!asked || isWholeOnCard(asked)) return false;
    const read = new Set(approval.read);
    const hash = shortHash(approval.bindingHash);
    return detailPages(asked).some((_page, at) => !read.has(pageMark(userId, hash, at)));
  });
}

/** Stored before the page is shown. @param page 0-based as it was asked for; undefined: all of them are shown at once */
export async function noteReading(
  { deps: { models, workspaceId } }: Pick<SlackEdge, 'deps'>,
  card: ApprovalCard,
  userId: string,
  page?: number,
): Promise<void> {
  if (card.status !== 'pending_approval' || isWholeOnCard(card)) return;
  const pages = detailPages(card);
  const shown = page === undefined ? [...pages.keys()] : [Math.min(Math.max(0, page), pages.length - 1)];
  await models.approvals.updateOne(
    { workspaceId, executionId: card.executionId, status: 'pending' },
    { $addToSet: { read: { $each: shown.map((at) => pageMark(userId, card.hash, at)) } } },
  );
}
