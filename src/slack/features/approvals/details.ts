/** The Details of a request: everything that its card has no room for, and, after a click in them, what came of it. */
import type { View } from '@slack/types';
import { approvalDetails } from '../../../../blocks/approval-card.js';
import { approvalCard } from '../../approval-view.js';
import { explain, type SlackEdge, sentenceModal } from '../../edge.js';
import { updateView } from '../../modal.js';
import { noteReading } from '../../reading.js';
import { noteRefusal } from '../../refusals.js';
import { shownResult } from '../../shown-result.js';
import { tellUser } from '../../tell.js';

const GONE = 'That request does not exist any more.';
const NOT_FOR_YOU =
  'Arguments are shown to those who were asked to decide, the requester, the member concerned and auditors.';

/** A modal that somebody clicked in. */
export interface ClickedIn {
  readonly user: { readonly id: string };
  readonly view: { readonly id: string };
}

/**
 * What is in Details is arguments: only for those who may see payloads.
 * @param notice mrkdwn of ours: what her click came to. It is said whatever else can be shown; a refusal that it tells
 *   of is on record already.
 */
export async function detailsView(
  edge: SlackEdge,
  executionId: string,
  userId: string,
  page: number,
  notice: string | null,
): Promise<View> {
  try {
    const found = await approvalCard(executionId, edge.services, edge.deps);
    if (!found) {
      if (notice === null) await noteRefusal(GONE);
      return sentenceModal('Details', notice ?? GONE);
    }
    const payloads = await edge.services.executions.payloadsFor(userId, found.execution);
    if (!payloads) {
      if (notice === null) await noteRefusal(NOT_FOR_YOU, { kind: 'execution', id: executionId });
      return sentenceModal('Details', notice ?? NOT_FOR_YOU);
    }
    const connection = await edge.services.connections.find(found.execution.connectionId);
    const eligible = connection
      ? await edge.services.eligibility.mayDecide(found.approval, connection, userId, 'display')
      : null;
    const mayDecide = eligible?.ok === true;
    if (mayDecide) await noteReading(edge, found.card, userId, page);
    const result = shownResult(found.execution, payloads.result);
    return approvalDetails(found.card, { page, mayDecide, notice, result });
  } catch (error) {
    const problem = explain(error, edge.log);
    return sentenceModal('Details', notice ?? problem);
  }
}

/** After a click in Details: drawn anew, with what came of it; by DM where she has closed them meanwhile. */
export async function redrawDetails(
  edge: SlackEdge,
  { user, view: { id } }: ClickedIn,
  executionId: string,
  page: number,
  notice: string | null,
): Promise<void> {
  const view = await detailsView(edge, executionId, user.id, page, notice);
  const shown = await updateView(edge, id, view).catch((error: unknown) => {
    edge.log.warn({ err: error }, 'details not updated');
    return false;
  });
  if (!shown && notice !== null) await tellUser(edge, { user }, notice);
}
