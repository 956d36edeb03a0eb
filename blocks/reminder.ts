/** The reminder: one DM that lists what still waits for a person. Pure. */
import type { KnownBlock } from '@slack/types';
import { howMany, type WaitingList, waitingRow } from './home.js';
import { context, header } from './parts/text.js';

const MOST = 20;

export function reminderMessage(list: WaitingList): { text: string; blocks: KnownBlock[] } {
  const { rows } = list;
  const all = howMany(list);
  const text = all === '1' ? 'One request still waits for you' : `${all} requests still wait for you`;
  const left = rows.length - MOST;
  return {
    text,
    blocks: [
      header(text),
      ...rows.slice(0, MOST).map(waitingRow),
      ...(left > 0 ? [context(`and ${left} more: \`/approvals\` lists them`)] : []),
      context('Away for a while? Name a delegate in the Home tab.'),
    ],
  };
}
