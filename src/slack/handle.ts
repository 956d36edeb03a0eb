/** How clicks and submitted modals are taken in: acked in time, and every failure becomes words for the person. */

import type {
  BlockAction,
  BlockElementAction,
  ViewOutput,
  ViewResponseAction,
  ViewSubmitAction,
} from '@slack/bolt';
import type { View } from '@slack/types';
import { explained } from '../../blocks/parts/text.js';
import { AppError } from '../errors.js';
import { explain, type SlackEdge } from './edge.js';
import { problemModal, type Trigger, updateView } from './modal.js';
import { withNames } from './plain-names.js';
import { tellUser } from './tell.js';
import { FormState } from './view-state.js';

export interface Click extends Trigger {
  readonly userId: string;
  /** The button's value, an id; empty for other elements. */
  readonly value: string;
  readonly body: BlockAction;
}

/** Acks first, then acts. What goes wrong is told where it was clicked, or by DM. */
export function onClick(edge: SlackEdge, actionId: string, act: (click: Click) => Promise<void>): void {
  edge.app.action<BlockAction>(actionId, async ({ ack, action, body }) => {
    await ack();
    const { trigger_id, view } = body;
    try {
      await act({ userId: body.user.id, value: buttonValue(action), body, trigger_id, view });
    } catch (error) {
      await tellUser(edge, body, explained(explain(error, edge.log)));
    }
  });
}

function buttonValue(action: BlockElementAction): string {
  return action.type === 'button' ? (action.value ?? '') : '';
}

export interface Submission {
  readonly userId: string;
  readonly form: FormState;
  readonly view: ViewOutput;
}

/** Without an answer the modal closes. `after` runs once Slack has it. */
export interface Answer {
  readonly show?: ViewResponseAction;
  readonly after?: () => Promise<void>;
}

/**
 * Handles a submitted modal. An error is shown at the input that it names (`AppError.path`), else at `fallback`; one
 * that comes after the answer replaces the modal.
 */
export function onSubmit(
  edge: SlackEdge,
  callbackId: string,
  fallback: string,
  act: (submission: Submission) => Promise<Answer>,
): void {
  edge.app.view<ViewSubmitAction>(callbackId, async ({ ack, body, view }) => {
    let answer: Answer;
    try {
      answer = await act({ userId: body.user.id, form: new FormState(view), view });
    } catch (error) {
      await ack({ response_action: 'errors', errors: await formErrors(error, view, fallback, edge) });
      return;
    }
    await (answer.show ? ack(answer.show) : ack());
    await answer
      .after?.()
      .catch((error: unknown) => updateView(edge, view.id, problemModal(edge, 'Not done', error)));
  });
}

/** Closes the modal and draws the one below anew; where nothing is below, it becomes what `draw` says. */
export async function backTo(edge: SlackEdge, view: ViewOutput, draw: () => Promise<View>): Promise<Answer> {
  const below = view.previous_view_id;
  if (!below) return { show: { response_action: 'update', view: await draw() } };
  return {
    after: async () => {
      await updateView(edge, below, await draw());
    },
  };
}

/** Problems at several inputs at once: block id → sentence. */
export class FormProblems extends Error {
  constructor(readonly errors: Readonly<Record<string, string>>) {
    super('the form has problems');
  }
}

/** Slack shows them as plain text. */
async function formErrors(
  error: unknown,
  view: ViewOutput,
  fallback: string,
  edge: SlackEdge,
): Promise<Record<string, string>> {
  if (error instanceof FormProblems) return { ...error.errors };
  const inputs = new Set(
    view.blocks.flatMap((block) => (block.type === 'input' && block.block_id ? [block.block_id] : [])),
  );
  const parts = error instanceof AppError ? (error.path ?? '').split('/').reverse() : [];
  const named = parts.flatMap((part) => [part, `field.${part}`]).find((block) => inputs.has(block));
  const block = named ?? (inputs.has(fallback) ? fallback : ([...inputs][0] ?? fallback));
  return { [block]: await withNames(edge, explain(error, edge.log)) };
}
