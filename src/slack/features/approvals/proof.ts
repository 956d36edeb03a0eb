/** Approve, where the rule wants a second proof: the click opens the form, and its submission is the decision. */
import type { View } from '@slack/types';
import {
  type ProofForm,
  proofMissingModal,
  proofModal,
  signInModal,
} from '../../../../blocks/second-proof.js';
import type { Arguments } from '../../../connectors/framework.js';
import { NOT_CONFIGURED } from '../../../services/step-up-sign-ins.js';
import { type SlackEdge, sentenceModal } from '../../edge.js';
import { showModal, type Trigger } from '../../modal.js';

interface Clicked extends Trigger {
  readonly user: { readonly id: string };
}

const TITLE = 'Second proof';

/** @param asks what `DecisionService.decide` found missing: a code, any second proof at all, or a sign-in */
export async function askForProof(
  edge: SlackEdge,
  clicked: Clicked,
  { executionId, hash }: { readonly executionId: string; readonly hash: string },
  asks: 'code' | 'set_up' | 'sign_in',
): Promise<void> {
  await showModal(edge, clicked, TITLE, async () => {
    const { models, workspaceId } = edge.deps;
    const execution = await models.executions.findOne({ _id: executionId, workspaceId }).lean();
    return execution
      ? viewFor(edge, asks, clicked.user.id, { ...execution, executionId, hash })
      : sentenceModal(TITLE, 'That request does not exist any more.');
  });
}

async function viewFor(
  edge: SlackEdge,
  asks: 'code' | 'set_up' | 'sign_in',
  userId: string,
  form: ProofForm,
): Promise<View> {
  if (asks === 'code') return proofModal(form);
  return asks === 'set_up' ? proofMissingModal() : signInView(edge, userId, form);
}

/** The link to the company's sign-in, behind which the approval is made. @param edit her changes, where she made any */
export async function signInView(
  edge: SlackEdge,
  userId: string,
  form: ProofForm,
  edit?: Arguments,
): Promise<View> {
  const { stepUpSignIns } = edge.services;
  if (!stepUpSignIns.isConfigured) return sentenceModal(TITLE, NOT_CONFIGURED);
  const { executionId, hash } = form;
  return signInModal(
    form,
    await stepUpSignIns.offer(userId, { executionId, hash, ...(edit ? { edit } : {}) }),
  );
}
