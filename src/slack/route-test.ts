/** Whether the app can post to a channel. Slack says so for certain only when it is tried. */
import { WebAPIPlatformError } from '@slack/web-api';
import { AppError } from '../errors.js';
import { type SlackEdge, sentence } from './edge.js';

const PROBLEMS: Readonly<Record<string, string>> = {
  not_in_channel:
    'The app is not in that channel. Invite it there with /invite @Siesta Connections, then save again.',
  channel_not_found:
    'The app cannot see that channel. Invite it there with /invite @Siesta Connections, then save again.',
  is_archived: 'That channel is archived. Choose another.',
  restricted_action: 'The workspace’s settings do not let the app post in that channel. Choose another.',
  restricted_action_read_only_channel: 'Only some people may post in that channel. Choose another.',
};

/**
 * Posts one line that people of the channel can use anyway.
 * @param path of the error: the input that named the channel
 * @throws AppError `invalid_arguments`
 */
export async function postTestLine(
  edge: SlackEdge,
  channel: string,
  text: string,
  path: string,
): Promise<void> {
  try {
    await edge.clients.fast.chat.postMessage({ channel, text, blocks: sentence(text) });
  } catch (error) {
    const code = error instanceof WebAPIPlatformError ? error.data.error : null;
    const known = code === null ? undefined : PROBLEMS[code];
    if (known === undefined) edge.log.warn({ err: error, channel }, 'channel test failed');
    const message =
      known ?? 'Slack did not take a test message for that channel just now. Try again, or choose another.';
    throw new AppError('invalid_arguments', message, { path, cause: error });
  }
}
