import { validateBlocks, validateMessage, validateView } from '../../blocks/validator/index.js';
import { type Fields, type Finding, SlackError } from './protocol.js';
import type { Workspace } from './workspace.js';

/** A view may have 250 kB at most (`view_too_large`). */
const VIEW_BYTES = 250_000;

const inWords = (findings: readonly Finding[], root = ''): Fields => ({
  response_metadata: {
    messages: findings.map((found) => `[ERROR] ${found.message} [json-pointer:${root}${found.pointer}]`),
  },
});

function record(
  workspace: Workspace,
  where: string,
  refused: boolean,
  findings: readonly Finding[],
  payload: unknown,
): void {
  for (const found of findings) {
    workspace.log(workspace.violations, { ...found, at: workspace.clock(), where, refused, payload });
  }
}

/**
 * Holds a message against the Block Kit validator. A refused one throws `invalid_blocks` (or
 * `invalid_blocks_format` when blocks is no list) with Slack's `response_metadata.messages`; blocks without a
 * fallback `text` are accepted, as Slack does, and written down.
 */
export function inspectMessage(workspace: Workspace, where: string, message: Fields): void {
  const { text, blocks, attachments } = message;
  if (blocks !== undefined && blocks !== null && !Array.isArray(blocks)) {
    throw new SlackError('invalid_blocks_format');
  }
  // The text is judged by the method (some cut it, some refuse it); here it only has to be there.
  const findings = validateMessage({
    text: 'text',
    ...(blocks ? { blocks } : {}),
    ...(attachments ? { attachments } : {}),
  });
  if (findings.length > 0) {
    record(workspace, where, true, findings, message);
    throw new SlackError('invalid_blocks', {
      errors: findings.map((found) => found.message),
      ...inWords(findings),
    });
  }
  if (!text && blocks && blocks.length > 0) {
    const constraint = 'message.text.required';
    const missing = { pointer: '/text', message: 'blocks without a fallback `text`', constraint };
    record(workspace, where, false, [missing], message);
  }
}

/** The same for a view: `view_too_large`, or `invalid_arguments` that names the pointer. */
export function inspectView(workspace: Workspace, where: string, view: Fields, kind: 'modal' | 'home'): void {
  if (Buffer.byteLength(JSON.stringify(view)) > VIEW_BYTES) throw new SlackError('view_too_large');
  const findings: readonly Finding[] =
    view.type === kind
      ? validateView(view)
      : [{ pointer: '/type', message: `must be ${kind}`, constraint: 'view.type' }];
  if (findings.length === 0) return;
  record(workspace, where, true, findings, view);
  throw new SlackError('invalid_arguments', inWords(findings, '/view'));
}

/** Options that the app answers to a menu: at most 100 (or groups of them), each within an option's limits. */
export function inspectOptions(workspace: Workspace, answer: Fields): void {
  const { options, option_groups } = answer;
  if (Array.isArray(options) && options.length === 0) return;
  const menu: Fields = {
    type: 'static_select',
    action_id: 'options',
    ...(option_groups === undefined ? { options } : { option_groups }),
  };
  const findings = validateBlocks([{ type: 'actions', elements: [menu] }], 'message');
  if (findings.length === 0) return;
  record(workspace, 'ack:block_suggestion', true, findings, answer);
  throw new SlackError('invalid_options', inWords(findings));
}

/** A refusal that no validator knows of: an answer to an interaction that Slack would not take. */
export function refuseAnswer(
  workspace: Workspace,
  where: string,
  message: string,
  payload: unknown,
): SlackError {
  record(workspace, where, true, [{ pointer: '', message, constraint: where }], payload);
  return new SlackError('dispatch_failed', { response_metadata: { messages: [message] } });
}
