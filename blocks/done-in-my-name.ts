/** What callers did in a member's name, as she sees it in App Home and page by page. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import type { ExecutionRow } from './executions.js';
import { modal } from './parts/inputs.js';
import { readable, STATUS_MARKS } from './parts/status.js';
import { actions, button, context, moment, said, section } from './parts/text.js';

/** Means the newest page wherever a cursor can stand. */
export const NEWEST = 'newest';
export const DONE_PER_PAGE = 20;

function doneRow(row: ExecutionRow): KnownBlock {
  const { id, functionTitle, connectionName, callerName, status, createdAt } = row;
  return {
    ...section(
      `${STATUS_MARKS[status]} *${said(functionTitle)}* on ${said(connectionName)}\n${said(callerName, 60)} · ${readable(status)} · ${moment(createdAt)}`,
      button('Open', ACTIONS.executionOpenMine, id),
    ),
    block_id: `mine:${id}`,
  };
}

/** The part of App Home; without its header. `more`: there are others than these. */
export function doneInMyNameBlocks(rows: readonly ExecutionRow[], more: boolean): KnownBlock[] {
  if (rows.length === 0) {
    return [
      context('Nothing yet. Every call that a caller makes for you is listed here, with what came of it.'),
    ];
  }
  return [
    ...rows.map(doneRow),
    ...(more ? [actions([button('Show all', ACTIONS.executionsMine, NEWEST)], 'mine.all')] : []),
  ];
}

/** One page of all of them. `next` says where the older ones begin; null on the last page. */
export function doneInMyNameModal(
  rows: readonly ExecutionRow[],
  { isNewest, next }: { readonly isNewest: boolean; readonly next: string | null },
): View {
  const turns = [
    ...(isNewest ? [] : [button('Newest', ACTIONS.executionsMine, NEWEST)]),
    ...(next === null ? [] : [button('Older', ACTIONS.executionsMineOlder, next)]),
  ];
  return modal({
    title: 'Done in my name',
    callback: VIEWS.executionsMine,
    blocks: [
      ...(rows.length === 0 ? [section('There are no others.')] : rows.map(doneRow)),
      ...(turns.length > 0 ? [actions(turns, 'mine.turn')] : []),
    ],
  });
}
