/** "Don't ask again" on a card, and Revoke wherever a grant is listed. */
import type { ViewSubmitAction } from '@slack/bolt';
import { grantForm, grantsModal } from '../../../../blocks/grants.js';
import { escapeMrkdwn } from '../../../../blocks/inert.js';
import { SHARED } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { crashAt } from '../../../kill-points.js';
import type { GrantTerms } from '../../../services/grant-terms.js';
import { explain, type Register, type SlackEdge } from '../../edge.js';
import { type Click, onClick } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { tellUser } from '../../tell.js';
import { FormState } from '../../view-state.js';
import {
  afterClick,
  decideInTime,
  inItsPlace,
  NOT_RECORDED,
  notOurs,
  parseTarget,
  type Target,
} from '../approvals/handlers.js';
import { detailView } from '../connections/detail.js';
import { publishHome } from '../home/publish.js';
import { grantsFor } from './rows.js';

async function formView(edge: SlackEdge, userId: string, target: Target) {
  const { execution, approval, choices, needsLimit } = await edge.services.grants.offer(userId, target);
  const credential = await edge.services.credentials.find(execution.connectionId, execution.subject);
  return grantForm({
    ...target,
    functionTitle: execution.functionTitle,
    connectionName: execution.connectionName,
    callerName: execution.callerName,
    actingAs: credential?.account ?? (execution.subject === SHARED ? 'the shared identity' : 'yourself'),
    approves: approval.status === 'pending',
    choices,
    needsLimit,
  });
}

/** @throws AppError with the path of the input */
function termsIn(form: FormState): GrantTerms {
  const chosen = form.choices('limits').map(Number);
  const lasts = form.choice('lasts');
  if (lasts === 'uses') return { kind: 'uses', uses: form.number('uses'), chosen };
  return { kind: lasts === 'day' ? 'day' : 'hour', chosen };
}

function problemAt(error: unknown, edge: SlackEdge): Record<string, string> {
  const block = error instanceof AppError ? (error.path?.slice(1) ?? 'lasts') : 'lasts';
  return { [block]: explain(error, edge.log) };
}

/** Approve and remember: the decision first, as for Approve; a grant is never made without it. */
export const registerGrants: Register = (edge) => {
  const { grants } = edge.services;
  onClick(edge, ACTIONS.grantOffer, (click) => {
    const target = parseTarget(click.value);
    if (!target) throw new AppError('forbidden', 'This button is not one of ours.');
    return showModal(edge, click, 'Don’t ask again', () => formView(edge, click.userId, target));
  });

  edge.app.view<ViewSubmitAction>(VIEWS.grant, async ({ ack, body, view }) => {
    const form = new FormState(view);
    const target = parseTarget(`${form.metadata.execution ?? ''}:${form.metadata.hash ?? ''}`);
    const userId = body.user.id;
    const fail = (errors: Record<string, string>) => ack({ response_action: 'errors', errors });
    if (!target) return fail({ lasts: (await notOurs('form')).reason });
    const terms = termsIn(form);
    let pending: boolean;
    try {
      pending = (await grants.check(userId, target, terms)).approval.status === 'pending';
    } catch (error) {
      return fail(problemAt(error, edge));
    }
    const outcome = pending
      ? await decideInTime(edge, { ...target, userId, decision: 'approved', reason: null })
      : null;
    crashAt('before_slack_ack');
    if (outcome === 'not_recorded') return fail({ lasts: NOT_RECORDED.replaceAll('*', '') });
    if (outcome && outcome.kind !== 'recorded') {
      await ack(inItsPlace('Not remembered', outcome));
      if (outcome.kind === 'too_late')
        await edge.services.outbox.refresh('approval', outcome.approval.executionId);
      return;
    }
    await ack({ response_action: 'clear' });
    if (outcome) await afterClick(edge, { user: body.user }, outcome);
    const said = await grants.make(userId, target, terms).then(
      () => ':white_check_mark: Remembered. App Home lists it; *Revoke* there takes it back.',
      (error: unknown) => `Nothing is remembered: ${escapeMrkdwn(explain(error, edge.log))}`,
    );
    await edge.services.outbox.refresh('approval', target.executionId);
    await tellUser(edge, { user: body.user }, said);
  });

  onClick(edge, ACTIONS.grantList, (click) =>
    showModal(edge, click, 'Not asked again', async () => grantsModal(await grantsFor(edge, click.userId))),
  );
  onClick(edge, ACTIONS.grantRevoke, async (click) => {
    const { executionId } = await grants.revoke(click.userId, click.value);
    if (executionId) await edge.services.outbox.refresh('approval', executionId);
    await redraw(edge, click);
  });
};

/** Wherever it was clicked, it is gone there. */
async function redraw(edge: SlackEdge, { userId, body, view }: Click): Promise<void> {
  if (body.view?.callback_id === VIEWS.grants && view)
    await updateView(edge, view.id, grantsModal(await grantsFor(edge, userId)));
  if (body.view?.callback_id === VIEWS.connectionDetail && view) {
    const { connection } = new FormState(body.view).metadata;
    const notice = ':white_check_mark: Revoked: it is asked again.';
    if (connection) await updateView(edge, view.id, await detailView(edge, userId, connection, { notice }));
  }
  await publishHome(edge, userId);
}
