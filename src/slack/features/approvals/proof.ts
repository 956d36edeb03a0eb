/** Approve, where the rule wants a second proof: the click opens the form, and its submission is the decision. */
import { proofMissingModal, proofModal } from '../../../../blocks/second-proof.js';
import type { SlackEdge } from '../../edge.js';

interface Clicked {
  readonly trigger_id: string;
  readonly view?: { readonly type: string } | undefined;
}

/** @param asks what `ApprovalService.decide` found missing: a code, or any second proof at all */
export async function askForProof(
  edge: SlackEdge,
  { trigger_id, view: below }: Clicked,
  { executionId, hash }: { readonly executionId: string; readonly hash: string },
  asks: 'code' | 'set_up',
): Promise<void> {
  const { models, workspaceId } = edge.deps;
  const execution = await models.executions.findOne({ _id: executionId, workspaceId }).lean();
  const view =
    asks === 'code' && execution ? proofModal({ ...execution, executionId, hash }) : proofMissingModal();
  const { views } = edge.clients.fast;
  await (below?.type === 'modal' ? views.push({ trigger_id, view }) : views.open({ trigger_id, view }));
}
