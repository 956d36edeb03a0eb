/** Setting up, changing and resetting the second proof; entering one is part of approving. */
import {
  proofLinkModal,
  proofManageModal,
  proofMissingModal,
  proofResetModal,
} from '../../../../blocks/second-proof.js';
import { AppError } from '../../../errors.js';
import type { Register, SlackEdge } from '../../edge.js';
import { sentenceModal } from '../../edge.js';
import { type Answer, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger } from '../../modal.js';
import { publishHome } from '../home/publish.js';

/** `/connections reset-proof`. */
export async function openProofReset(edge: SlackEdge, trigger: Trigger, userId: string): Promise<void> {
  await showModal(edge, trigger, 'Reset a second proof', async () => {
    await edge.services.roles.require(userId, 'admin');
    return proofResetModal();
  });
}

async function submitChange(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const { secondFactors } = edge.services;
  const code = form.text('code');
  if (form.choice('change') === 'remove') {
    await secondFactors.remove(userId, code);
    return {
      show: {
        response_action: 'update',
        view: sentenceModal('Second proof', ':unlock: Your second proof is removed.'),
      },
      after: () => publishHome(edge, userId),
    };
  }
  return {
    show: {
      response_action: 'update',
      view: proofLinkModal(await secondFactors.begin(userId, code)),
    },
  };
}

async function submitReset(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const memberId = form.user('member');
  if (memberId === null) throw new AppError('invalid_arguments', 'Choose a person.', { path: '/member' });
  await edge.services.secondFactors.reset(userId, memberId, form.text('reason'));
  return {
    show: {
      response_action: 'update',
      view: sentenceModal(
        'Second proof',
        `:unlock: The second proof of <@${memberId}> is reset. She is told.`,
      ),
    },
  };
}

export const registerSecondProof: Register = (edge) => {
  const { secondFactors } = edge.services;
  onClick(edge, ACTIONS.proofSetUp, (click) =>
    showModal(edge, click, 'Second proof', async () => {
      const since = await secondFactors.enrolledSince(click.userId);
      return since ? proofManageModal(since) : proofLinkModal(await secondFactors.begin(click.userId, null));
    }),
  );
  onClick(edge, ACTIONS.proofManage, (click) =>
    showModal(edge, click, 'Second proof', async () => {
      const since = await secondFactors.enrolledSince(click.userId);
      return since ? proofManageModal(since) : proofMissingModal();
    }),
  );
  onSubmit(edge, VIEWS.proofManage, 'code', (submission) => submitChange(edge, submission));
  onSubmit(edge, VIEWS.proofReset, 'member', (submission) => submitReset(edge, submission));
};
