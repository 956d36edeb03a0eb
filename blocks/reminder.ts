/** The reminder: one DM that lists what still waits for a person. Pure. */
import type { KnownBlock } from '@slack/types';
import { type WaitingApproval, waitingRow } from './home.js';
import { context, header } from './parts/text.js';

const MOST = 20;

/** @param items soonest to expire first */
export function reminderMessage(items: readonly WaitingApproval[]): { text: string; blocks: KnownBlock[] } {
  const text =
    items.length === 1 ? 'One request still waits for you' : `${items.length} requests still wait for you`;
  const left = items.length - MOST;
  return {
    text,
    blocks: [
      header(text),
      ...items.slice(0, MOST).map(waitingRow),
      ...(left > 0 ? [context(`and ${left} more: \`/approvals\` lists them`)] : []),
      context('Away for a while? Name a delegate in the Home tab.'),
    ],
  };
}
