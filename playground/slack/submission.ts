import { findElement } from './elements.js';
import { refuseAnswer } from './inspection.js';
import { type Channel, type Fields, fieldsOf, isFields, stringOf, type View } from './protocol.js';
import { closeView, pushView, replaceView } from './views.js';
import type { Workspace } from './workspace.js';

const WHERE = 'ack:view_submission';

/** The channels chosen in menus with `response_url_enabled`: each gets a response_url in the submission. */
export function responseChannels(workspace: Workspace, view: View): { entry: Fields; channel: Channel }[] {
  return Object.entries(view.state.values).flatMap(([block_id, actions]) =>
    Object.entries(actions).flatMap(([action_id, entry]) => {
      const enabled = findElement(view.blocks, block_id, action_id)?.element.response_url_enabled === true;
      const id = stringOf(entry.selected_conversation ?? entry.selected_channel);
      const channel = enabled ? workspace.channels.get(id) : undefined;
      return channel ? [{ entry: { block_id, action_id }, channel }] : [];
    }),
  );
}

/**
 * Does what the app answered to a submission: close (no answer), update, push, clear; or gives back its errors by
 * block id. An answer that Slack would not take throws and is recorded as a violation.
 */
export function applySubmission(
  workspace: Workspace,
  userId: string,
  view: View,
  answer: Fields,
): Record<string, string> | null {
  const given = isFields(answer.view) ? answer.view : null;
  switch (answer.response_action) {
    case undefined:
      closeView(workspace, userId, view.id);
      return null;
    case 'clear':
      workspace.stacks.set(userId, []);
      return null;
    case 'update':
      if (!given) throw refuseAnswer(workspace, WHERE, 'update without a view', answer);
      replaceView(workspace, view.id, given, WHERE);
      return null;
    case 'push':
      if (!given) throw refuseAnswer(workspace, WHERE, 'push without a view', answer);
      pushView(workspace, userId, given, WHERE);
      return null;
    case 'errors':
      return errorsOf(workspace, view, answer);
    default:
      throw refuseAnswer(workspace, WHERE, `unknown response_action ${answer.response_action}`, answer);
  }
}

function errorsOf(workspace: Workspace, view: View, answer: Fields): Record<string, string> {
  const inputs = new Set(
    view.blocks.filter((block) => block.type === 'input').map((block) => block.block_id),
  );
  const errors: Record<string, string> = {};
  for (const [block_id, text] of Object.entries(fieldsOf(answer.errors))) {
    if (!inputs.has(block_id) || typeof text !== 'string' || text === '') {
      throw refuseAnswer(
        workspace,
        WHERE,
        `errors name "${block_id}", no input block or no sentence`,
        answer,
      );
    }
    errors[block_id] = text;
  }
  if (Object.keys(errors).length > 0) return errors;
  throw refuseAnswer(workspace, WHERE, 'response_action errors without any', answer);
}
