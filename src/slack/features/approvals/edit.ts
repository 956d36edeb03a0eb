/**
 * "Edit, then approve". The form is made from the function's schema and the arguments that fit the digest; what comes
 * back is read against the same. The decision is stored before the form is answered, as for Approve (G7).
 */
import type { ViewSubmitAction } from '@slack/bolt';
import type { View } from '@slack/types';
import { editForm, PROOF } from '../../../../blocks/edit-form.js';
import { escapeMrkdwn } from '../../../../blocks/inert.js';
import { explained } from '../../../../blocks/parts/text.js';
import { AppError } from '../../../errors.js';
import { crashAt } from '../../../kill-points.js';
import { shortHash } from '../../../services/binding.js';
import type { DecisionOutcome } from '../../../services/decisions.js';
import type { EditTarget } from '../../../services/edits.js';
import { explain, type SlackEdge, sentenceModal } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal } from '../../modal.js';
import { fieldProblems, formFor, memberOf, readSchemaForm } from '../../schema-form.js';
import { FormState } from '../../view-state.js';
import { afterClick, lateMessage, NOT_RECORDED, notOurs, parseTarget, STORE_LIMIT_MS } from './handlers.js';
import { signInView } from './proof.js';

type ViewState = ViewSubmitAction['view'];

type Submitted =
  | { readonly kind: 'decided'; readonly outcome: DecisionOutcome }
  /** What she made of it stands in a link to the company's sign-in. */
  | { readonly kind: 'sign_in'; readonly view: View }
  | { readonly kind: 'fields'; readonly errors: Record<string, string> }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not_recorded' };

async function submit(edge: SlackEdge, target: EditTarget, view: ViewState): Promise<Submitted> {
  const { edits } = edge.services;
  const found = await edits.current(target);
  const { fn, args, approval } = found;
  const isCurrent = approval.status === 'pending' && shortHash(approval.bindingHash) === target.hash;
  // What is too late or out of date is said by whoever decides, whatever was typed.
  if (!isCurrent) return decided(await edits.submit(target, args, found), {});
  const isMember = memberOf(edge.deps.directory);
  const form = await formFor(fn.input.jsonSchema, args, target.hash, isMember);
  // Slack sends every input, also an empty one; another form's would read as if everything had been emptied.
  const isOurs = form.fields.every(({ fixed, block }) => fixed !== null || block in view.state.values);
  if (!isOurs) return { kind: 'failed', reason: (await notOurs('form', target)).reason };
  const { args: changed, problems } = readSchemaForm(form, args, view);
  if (Object.keys(problems).length > 0) return { kind: 'fields', errors: problems };
  const outcome = await edits.submit(target, changed, found);
  if (outcome.kind === 'refused' && outcome.proof === 'sign_in') {
    const about = { ...found.execution, executionId: target.executionId, hash: target.hash };
    return { kind: 'sign_in', view: await signInView(edge, target.userId, about, changed) };
  }
  return decided(outcome, outcome.kind === 'invalid' ? fieldProblems(form, outcome.issues) : {});
}

function decided(
  outcome: Awaited<ReturnType<SlackEdge['services']['edits']['submit']>>,
  errors: Record<string, string>,
): Submitted {
  if (outcome.kind !== 'invalid') return { kind: 'decided', outcome };
  if (Object.keys(errors).length > 0) return { kind: 'fields', errors };
  return { kind: 'failed', reason: escapeMrkdwn(outcome.issues.map(({ message }) => message).join(' ')) };
}

async function inTime(edge: SlackEdge, work: Promise<Submitted>): Promise<Submitted> {
  const settled = work.catch((error: unknown): Submitted => {
    return { kind: 'failed', reason: explained(explain(error, edge.log)) };
  });
  const timeout = new Promise<Submitted>((resolve) => {
    setTimeout(() => resolve({ kind: 'not_recorded' }), STORE_LIMIT_MS).unref();
  });
  return Promise.race([settled, timeout]);
}

function proofIn(view: ViewState): { readonly proof?: string } {
  const proof = new FormState(view).text(PROOF);
  return proof === '' ? {} : { proof };
}

export function registerEdit(edge: SlackEdge): void {
  onClick(edge, ACTIONS.edit, async (click) => {
    const named = parseTarget(click.value);
    if (!named) throw new AppError('forbidden', 'This button is not one of ours.');
    await showModal(edge, click, 'Edit, then approve', async () => {
      const found = await edge.services.edits.open({ ...named, userId: click.userId });
      const { execution, approval, fn, args } = found;
      return editForm({
        executionId: execution._id,
        hash: named.hash,
        functionTitle: execution.functionTitle,
        callerName: execution.callerName,
        form: await formFor(fn.input.jsonSchema, args, named.hash, memberOf(edge.deps.directory)),
        approvals: approval.decisions.filter(({ userId }) => userId !== click.userId).length,
        quorum: approval.quorum,
        stepUp: approval.stepUp ?? null,
      });
    });
  });

  edge.app.view<ViewSubmitAction>(VIEWS.approvalEdit, async ({ ack, body, view }) => {
    const { metadata } = new FormState(view);
    const target = parseTarget(`${metadata.execution ?? ''}:${metadata.hash ?? ''}`);
    const answer = target
      ? await inTime(edge, submit(edge, { ...target, ...proofIn(view), userId: body.user.id }, view))
      : ({ kind: 'failed', reason: (await notOurs('form')).reason } as const);
    crashAt('before_slack_ack');
    const say = (text: string) =>
      ack({ response_action: 'update', view: sentenceModal('Not approved', text) });
    switch (answer.kind) {
      case 'fields':
        await ack({ response_action: 'errors', errors: answer.errors });
        return;
      case 'sign_in':
        await ack({ response_action: 'update', view: answer.view });
        return;
      case 'failed':
        await say(answer.reason);
        return;
      case 'not_recorded':
        await say(NOT_RECORDED.replace('Press again', 'Look at the card, and edit again'));
        return;
      case 'decided': {
        const { outcome } = answer;
        if (outcome.kind === 'refused' && outcome.proof === 'code' && 'proof' in proofIn(view)) {
          await ack({ response_action: 'errors', errors: { [PROOF]: outcome.reason } });
          return;
        }
        if (outcome.kind === 'refused') {
          await say(escapeMrkdwn(outcome.reason));
          return;
        }
        if (outcome.kind === 'too_late') {
          await say(lateMessage(outcome.approval));
          await edge.services.outbox.refresh('approval', outcome.approval.executionId);
          return;
        }
        await ack({ response_action: 'clear' });
        await afterClick(edge, { user: body.user }, outcome);
      }
    }
  });
}
