/**
 * Clicks on a card. Approve and Deny are the exception to "ack first" (G7): the decision is stored, then the click is
 * acked, within 2.5 s; if it cannot be stored, the person is told to press again.
 */
import type {
  AllMiddlewareArgs,
  BlockButtonAction,
  SlackActionMiddlewareArgs,
  SlackViewMiddlewareArgs,
  ViewSubmitAction,
} from '@slack/bolt';
import type { View } from '@slack/types';
import { cardBlock, denyForm } from '../../../../blocks/approval-card.js';
import { escapeMrkdwn } from '../../../../blocks/inert.js';
import type { ApprovalDocument } from '../../../../models/types.js';
import { crashAt } from '../../../kill-points.js';
import type { Click, DecisionOutcome } from '../../../services/decisions.js';
import { type SlackEdge, sentenceModal } from '../../edge.js';
import { showModal } from '../../modal.js';
import { noteRefusal } from '../../refusals.js';
import { tellUser } from '../../tell.js';
import { FormState } from '../../view-state.js';
import { detailsView, redrawDetails } from './details.js';
import { askForProof } from './proof.js';

type ActionArgs = AllMiddlewareArgs & SlackActionMiddlewareArgs<BlockButtonAction>;
type ViewArgs = AllMiddlewareArgs & SlackViewMiddlewareArgs<ViewSubmitAction>;

/** The click is acked by then, stored or not: 2.5 s (G7) less what the receiver took. Slack gives up at 3 s. */
export const STORE_LIMIT_MS = 2_000;
export const NOT_RECORDED =
  'Your decision was *not recorded*: the database or Slack did not answer in time. Press again.';

export interface Target {
  readonly executionId: string;
  readonly hash: string;
}

/** A button's value is the execution and the first digits of its digest: a name, never authority. */
export function parseTarget(value: string | undefined): Target | null {
  const match = /^(ex_[a-z0-9]{20}):([0-9a-f]{8})(?::\d{1,4})?$/.exec(value ?? '');
  return match?.[1] && match[2] ? { executionId: match[1], hash: match[2] } : null;
}

export const approveClicked =
  (edge: SlackEdge) =>
  async ({ action, body, ack }: ActionArgs): Promise<void> => {
    const target = parseTarget(action.value);
    const outcome = target
      ? await decideInTime(edge, { ...target, userId: body.user.id, decision: 'approved', reason: null })
      : await notOurs('button');
    crashAt('before_slack_ack');
    await ack();
    // The trigger lives three seconds: the form comes before anything else.
    const asks =
      target && outcome !== 'not_recorded' && outcome.kind === 'refused' ? outcome.proof : undefined;
    if (target && asks) await askForProof(edge, body, target, asks);
    // First what was decided; which copy it was pressed on can wait.
    if (!asks) await afterClick(edge, body, outcome, target);
    if (outcome !== 'not_recorded') await adoptCopy(edge, body, action.block_id, target);
  };

export const proofSubmitted =
  (edge: SlackEdge) =>
  async ({ view, body, ack }: ViewArgs): Promise<void> => {
    const target = parseTarget(view.private_metadata);
    const proof = new FormState({ ...view, private_metadata: '' }).text('code');
    const outcome = target
      ? await decideInTime(edge, {
          ...target,
          userId: body.user.id,
          decision: 'approved',
          reason: null,
          proof,
        })
      : await notOurs('form');
    crashAt('before_slack_ack');
    if (outcome === 'not_recorded' || (outcome.kind === 'refused' && outcome.proof === 'code')) {
      const code = outcome === 'not_recorded' ? NOT_RECORDED.replaceAll('*', '') : outcome.reason;
      await ack({ response_action: 'errors', errors: { code } });
      return;
    }
    if (outcome.kind !== 'recorded') {
      await ack(inItsPlace('Not approved', outcome));
      return;
    }
    await ack({ response_action: 'clear' });
    await afterClick(edge, { user: body.user }, outcome);
  };

export const denyClicked =
  (edge: SlackEdge) =>
  async ({ action, body, ack }: ActionArgs): Promise<void> => {
    await ack();
    const target = parseTarget(action.value);
    if (!target) {
      await afterClick(edge, body, await notOurs('button'));
      return;
    }
    await showModal(edge, body, 'Deny', async () => {
      const { models, workspaceId } = edge.deps;
      const execution = await models.executions.findOne({ _id: target.executionId, workspaceId }).lean();
      if (execution) {
        const { functionTitle, callerName } = execution;
        return denyForm({ ...target, functionTitle, callerName });
      }
      await noteRefusal('That request does not exist any more.');
      return sentenceModal('Deny', 'That request does not exist any more.');
    });
  };

export const denySubmitted =
  (edge: SlackEdge) =>
  async ({ view, body, ack }: ViewArgs): Promise<void> => {
    const target = parseTarget(view.private_metadata);
    const reason = view.state.values.reason?.reason?.value?.trim() || null;
    const outcome = target
      ? await decideInTime(edge, { ...target, userId: body.user.id, decision: 'denied', reason })
      : await notOurs('form');
    crashAt('before_slack_ack');
    if (outcome === 'not_recorded') {
      await ack({ response_action: 'errors', errors: { reason: NOT_RECORDED.replaceAll('*', '') } });
      return;
    }
    if (outcome.kind !== 'recorded') {
      await ack(inItsPlace('Not denied', outcome));
      return;
    }
    await ack({ response_action: 'clear' });
    await afterClick(edge, { user: body.user }, outcome);
  };

export const detailsClicked =
  (edge: SlackEdge) =>
  async ({ action, body, ack }: ActionArgs): Promise<void> => {
    await ack();
    const target = parseTarget(action.value);
    await showModal(edge, body, 'Details', async () =>
      target
        ? detailsView(edge, target.executionId, body.user.id, 0, null)
        : sentenceModal('Details', (await notOurs('button')).reason),
    );
    await adoptCopy(edge, body, action.block_id, target);
  };

export const pageTurned =
  (edge: SlackEdge) =>
  async ({ action, body, ack, client }: ActionArgs): Promise<void> => {
    await ack();
    const target = parseTarget(action.value);
    if (!target) await notOurs('button');
    if (!target || !body.view) return;
    const page = Number(action.value?.split(':')[2] ?? 0);
    const view = await detailsView(edge, target.executionId, body.user.id, page, null);
    await client.views.update({ view_id: body.view.id, view });
  };

/** A button or form that we did not make like this: refused, and on record. @param about what it names, if anything */
export async function notOurs(
  what: 'button' | 'form',
  about?: Pick<Target, 'executionId'>,
): Promise<Extract<DecisionOutcome, { kind: 'refused' }>> {
  const reason = `This ${what} is not one of ours.`;
  await noteRefusal(reason, about && { kind: 'execution', id: about.executionId });
  return { kind: 'refused', reason };
}

/** A form that came to nothing says so itself, with the answer that Slack waits for anyway. */
export function inItsPlace(
  title: string,
  outcome: Exclude<DecisionOutcome, { kind: 'recorded' }>,
): { response_action: 'update'; view: View } {
  const text = outcome.kind === 'too_late' ? lateMessage(outcome.approval) : escapeMrkdwn(outcome.reason);
  return { response_action: 'update', view: sentenceModal(title, text) };
}

/** Stores the decision, or says in time that it did not. A late success still counts, and the card will show it. */
export async function decideInTime(
  edge: SlackEdge,
  click: Click,
  milliseconds = STORE_LIMIT_MS,
): Promise<DecisionOutcome | 'not_recorded'> {
  const deciding = edge.services.decisions.decide(click).catch((error: unknown) => {
    edge.log.warn({ err: error, execution: click.executionId }, 'decision not recorded');
    return 'not_recorded' as const;
  });
  const timeout = new Promise<'not_recorded'>((resolve) => {
    setTimeout(() => resolve('not_recorded'), milliseconds).unref();
  });
  return Promise.race([deciding, timeout]);
}

interface ClickedOn {
  readonly user: { readonly id: string };
  readonly view?: { readonly id: string; readonly type: string } | undefined;
  readonly channel?: { readonly id: string } | undefined;
  readonly message?: { readonly ts: string } | undefined;
  readonly response_url?: string;
}

/**
 * After the ack: the call goes on, every copy changes, and the person is told where that is not enough.
 * @param target of a click that may have come from Details: there it is told, whatever it came to
 */
export async function afterClick(
  edge: SlackEdge,
  { view, ...body }: ClickedOn,
  outcome: DecisionOutcome | 'not_recorded',
  target: Target | null = null,
): Promise<void> {
  const message = outcome === 'not_recorded' ? NOT_RECORDED : await follow(edge, outcome);
  if (view?.type === 'modal' && target) {
    await redrawDetails(edge, { ...body, view }, target.executionId, Number.MAX_SAFE_INTEGER, message);
    return;
  }
  if (message) await tellUser(edge, body, message);
}

/** What the person has to be told besides the card; null when the card says it all. */
export async function follow(edge: SlackEdge, outcome: DecisionOutcome): Promise<string | null> {
  const { approvals, outbox } = edge.services;
  if (outcome.kind === 'refused') return escapeMrkdwn(outcome.reason);
  // Whoever ended the request has every copy drawn again: a burst of late clicks is nothing to draw.
  if (outcome.kind === 'too_late') return lateMessage(outcome.approval);
  if (outcome.approval.status === 'pending') {
    await outbox.refresh('approval', outcome.approval.executionId);
    const left = outcome.approval.quorum - outcome.approval.decisions.length;
    return `Your approval is recorded; ${left} more ${left === 1 ? 'is' : 'are'} needed.`;
  }
  await approvals.settle(outcome.approval);
  return null;
}

export function lateMessage(approval: ApprovalDocument): string {
  const winner = approval.decisions.at(-1);
  if (approval.status === 'approved' || approval.status === 'denied') {
    return `Too late: <@${winner?.userId ?? ''}> has ${approval.status} this already.`;
  }
  return `Too late: the request has ${approval.status === 'expired' ? 'expired' : 'been cancelled'}.`;
}

/**
 * A copy that was posted by a process which died before it could note it is kept up to date from now on. Only a card of
 * this request is a copy: what else names it, such as a reminder, stays what it is.
 */
async function adoptCopy(
  edge: SlackEdge,
  body: ClickedOn,
  blockId: string,
  target: Target | null,
): Promise<void> {
  if (!target || !body.channel || !body.message) return;
  if (blockId !== cardBlock(target.executionId)) return;
  await edge.services.outbox.adopt('approval', target.executionId, body.channel.id, body.message.ts);
}
