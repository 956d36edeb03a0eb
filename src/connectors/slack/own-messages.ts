/** The mark that messages sent from here carry, and how it is found again. */
import { UpstreamError } from '../../errors.js';
import type { CallContext, Reconciled } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callSlack } from './api.js';

const EVENT = 'siesta_execution';
/** With pages of 200: the newest thousand messages. */
const MOST_PAGES = 5;

/** Message metadata (docs.slack.dev, "Message metadata"): people do not see it, apps of the workspace may. */
export function markOf(executionId: string) {
  return { event_type: EVENT, event_payload: { execution_id: executionId } };
}

export function sentResult(answer: JsonObject): JsonObject {
  return { channel: textOf(answer.channel), ts: textOf(answer.ts) };
}

/**
 * Whether the message of this execution stands in a channel, or in one of its threads.
 * @throws UpstreamError when Slack cannot be asked
 */
export async function findOwnMessage(
  context: CallContext,
  channel: string,
  threadTs?: string,
): Promise<Reconciled> {
  const method = threadTs === undefined ? 'conversations.history' : 'conversations.replies';
  const place = { channel, ts: threadTs, include_all_metadata: true, limit: 200 };
  let cursor: string | null = null;
  try {
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await callSlack(context, method, { ...place, cursor });
      const own = objectsIn(answer.messages).find((message) => isOwn(message, context.executionId));
      if (own) return { status: 'applied', result: sentResult({ channel, ts: own.ts ?? null }) };
      cursor = textOrNull(objectOf(answer.response_metadata).next_cursor);
      if (cursor === null) return { status: 'not_applied' };
    }
  } catch (error) {
    if (!(error instanceof UpstreamError) || !error.definite || error.code === 'rate_limited') throw error;
    return { status: 'unknown', reason: `The conversation cannot be read: ${error.message}` };
  }
  return { status: 'unknown', reason: 'It is not among the newest messages, and there are older ones.' };
}

function isOwn(message: JsonObject, executionId: string): boolean {
  const { event_type: type, event_payload: payload } = objectOf(message.metadata);
  return type === EVENT && objectOf(payload).execution_id === executionId;
}
