/** App Home: who decides while somebody is away. */
import { awayModal } from '../../../../blocks/away.js';
import { AppError } from '../../../errors.js';
import { endOfDay } from '../../../services/delegations.js';
import type { SlackEdge } from '../../edge.js';
import { type Answer, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal } from '../../modal.js';
import { publishHome } from './publish.js';

async function submitAway(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const { delegations, delegationCards } = edge.services;
  const delegate = form.user('delegate');
  if (delegate === null) throw new AppError('invalid_arguments', 'Choose a person.', { path: '/delegate' });
  const person = await edge.deps.directory.person(userId);
  const until = endOfDay(form.date('until') ?? '', person?.timeZone ?? 'UTC');
  if (until === null) throw new AppError('invalid_arguments', 'Choose a day.', { path: '/until' });
  await delegations.set(userId, delegate, until);
  return {
    after: async () => {
      // What waits already is asked of the delegate too.
      await delegationCards.follow();
      await publishHome(edge, userId);
    },
  };
}

export function registerAway(edge: SlackEdge): void {
  onClick(edge, ACTIONS.awaySet, (click) =>
    showModal(edge, click, 'While I am away', async () => awayModal({ delegateId: null, day: null })),
  );
  onClick(edge, ACTIONS.awayEnd, async ({ userId }) => {
    await edge.services.delegations.end(userId);
    await publishHome(edge, userId);
    await edge.services.delegationCards.follow();
  });
  onSubmit(edge, VIEWS.away, 'delegate', (submission) => submitAway(edge, submission));
}
