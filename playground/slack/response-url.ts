import { withIds } from './elements.js';
import { inspectMessage } from './inspection.js';
import { type Fields, type Message, SlackError, stringOf } from './protocol.js';
import { RESPONSE_URL_USES, type Workspace } from './workspace.js';

const KNOWN = new Set([
  'text',
  'blocks',
  'attachments',
  'response_type',
  'replace_original',
  'delete_original',
  'thread_ts',
  'mrkdwn',
  'unfurl_links',
  'unfurl_media',
  'metadata',
]);

/** Posts what an app answered, to a channel or to one person. `response_type` is ephemeral unless it says in_channel. */
export function postAnswer(
  workspace: Workspace,
  where: string,
  to: { user: string; channel: string },
  answer: Fields,
): Message {
  const text = stringOf(answer.text);
  const blocks = Array.isArray(answer.blocks) && answer.blocks.length > 0 ? answer.blocks : null;
  if (!text && !blocks) throw new SlackError('no_text');
  inspectMessage(workspace, where, answer);
  const inChannel = answer.response_type === 'in_channel';
  return workspace.addMessage({
    channel: to.channel,
    user: workspace.app.bot_user,
    text,
    ...(blocks ? { blocks: withIds(blocks) } : {}),
    ...(inChannel ? {} : { ephemeral: true as const, visible_to: to.user }),
  });
}

/**
 * One use of a response_url.
 * Errors: `expired_url` (unknown or after 30 minutes), `used_url` (sixth use), `invalid_arguments` (a field Slack does
 * not know), and those of a message.
 */
export function respond(workspace: Workspace, id: string, answer: Fields): void {
  const url = workspace.responseUrls.get(id);
  if (!url || workspace.clock() > url.expires) throw new SlackError('expired_url');
  if (url.uses >= RESPONSE_URL_USES) throw new SlackError('used_url');
  const unknown = Object.keys(answer).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0) throw new SlackError('invalid_arguments', { unknown });
  const original = url.ts === null ? null : workspace.message(url.channel, url.ts);
  if (answer.delete_original === true && original) {
    workspace.removeMessage(url.channel, original.ts);
  } else if (answer.replace_original === true && original) {
    inspectMessage(workspace, 'response_url', answer);
    const { blocks: _, ...kept } = original;
    workspace.replaceMessage({
      ...kept,
      text: stringOf(answer.text),
      ...(Array.isArray(answer.blocks) && answer.blocks.length > 0 ? { blocks: withIds(answer.blocks) } : {}),
    });
  } else {
    postAnswer(workspace, 'response_url', url, answer);
  }
  url.uses += 1;
}
