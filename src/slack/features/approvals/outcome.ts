/** Finding out what became of a call, saying so, and asking again; and reading a target again that has to be seen. */
import { escapeMrkdwn } from '../../../../blocks/inert.js';
import { type OutcomeWindow, outcomeWindow } from '../../../../blocks/outcome.js';
import { inertSentence } from '../../../../blocks/parts/text.js';
import type { ExecutionDocument } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import type { Finding } from '../../../services/outcomes.js';
import { explain, type SlackEdge } from '../../edge.js';
import { type Click, onClick, onSubmit } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { FormState } from '../../view-state.js';
import { redrawDetails } from './details.js';
import { parseTarget } from './handlers.js';

const TITLE = 'What became of it';

export function registerOutcome(edge: SlackEdge): void {
  const { outcomes } = edge.services;

  onClick(edge, ACTIONS.outcomeFind, async (click) => {
    await showModal(edge, click, TITLE, async () => {
      const execution = await outcomes.open(click.userId, click.value);
      const asks = !execution.resolution && (await outcomes.canFindOut(execution));
      const finding = asks ? await outcomes.findOut(click.userId, click.value) : null;
      return outcomeWindow(windowOf(execution, finding, null));
    });
  });

  onSubmit(edge, VIEWS.outcome, 'outcome', async ({ userId, form }) => {
    const outcome = form.choice('outcome');
    if (outcome !== 'applied' && outcome !== 'not_applied') {
      throw new AppError('invalid_arguments', 'Say what became of it.', { path: '/outcome' });
    }
    const { execution: id = '' } = form.metadata;
    const execution = await outcomes.resolve(userId, id, outcome, form.text('note') || null);
    const view = outcomeWindow(windowOf(execution, null, 'Recorded. The caller sees it with the call.'));
    return { show: { response_action: 'update', view } };
  });

  onClick(edge, ACTIONS.outcomeAskAgain, async ({ userId, value, view }) => {
    const replacedBy = await outcomes.askAgain(userId, value);
    if (!view) return;
    const execution = { ...(await outcomes.open(userId, value)), replacedBy };
    await updateView(
      edge,
      view.id,
      outcomeWindow(windowOf(execution, null, 'The approvers are asked again.')),
    );
  });

  onClick(edge, ACTIONS.targetReadAgain, async (click) => {
    const target = parseTarget(click.value);
    if (!target) throw new AppError('forbidden', 'This button is not one of ours.');
    const reading = readAgain(edge, click.userId, target.executionId);
    await (click.view?.type === 'modal' ? thenDetails(edge, click, target.executionId, reading) : reading);
  });
}

function windowOf(
  { _id, functionTitle, connectionName, resolution, replacedBy }: ExecutionDocument,
  finding: Finding | null,
  notice: string | null,
): OutcomeWindow {
  return {
    executionId: _id,
    functionTitle,
    connectionName,
    resolution: resolution ?? null,
    replacedBy: replacedBy ?? null,
    finding,
    notice: notice && escapeMrkdwn(notice),
  };
}

/** Pressed in Details: the page that she reads shows what there is to see now, or why that is still nothing. */
async function thenDetails(
  edge: SlackEdge,
  { userId, body: { view } }: Click,
  executionId: string,
  reading: Promise<void>,
): Promise<void> {
  const problem = await reading.then(
    () => null,
    (error: unknown) => inertSentence(explain(error, edge.log)),
  );
  if (!view) return;
  const page = Number(new FormState(view).metadata.page ?? 0);
  await redrawDetails(edge, { user: { id: userId }, view }, executionId, page, problem);
}

/** For those who may decide: what they have to see first is looked at once more, and every card shows it. */
async function readAgain(edge: SlackEdge, userId: string, executionId: string): Promise<void> {
  const { approvals, connections, eligibility, executions, outbox, targets } = edge.services;
  const approval = await approvals.ofExecution(executionId);
  const connection = approval ? await connections.find(approval.connectionId) : null;
  if (!approval || !connection) throw new AppError('not_found', 'That request does not exist any more.');
  const eligible = await eligibility.mayDecide(approval, connection, userId);
  if (!eligible.ok) throw new AppError('forbidden', eligible.reason);
  await targets.look(await executions.record(executionId), true);
  await outbox.refresh('approval', executionId);
  const now = await approvals.ofExecution(executionId);
  if (now?.status === 'pending' && !now.target) {
    throw new AppError('upstream_unavailable', `It still cannot be read: ${now.targetNote ?? 'no answer'}`);
  }
}
