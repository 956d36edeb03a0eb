/** What was done in a member's name: the newest calls, then page by page, each to be opened. */
import type { View } from '@slack/types';
import { DONE_PER_PAGE, doneInMyNameModal, NEWEST } from '../../../../blocks/done-in-my-name.js';
import { type ExecutionRow, executionDetail } from '../../../../blocks/executions.js';
import type { SlackEdge } from '../../edge.js';
import { type Click, onClick } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { executionDetailOf, executionRowOf } from '../executions/rows.js';

export interface DonePage {
  readonly rows: readonly ExecutionRow[];
  /** Where the older ones begin; null when there are none. Names a place in the list and carries no authority. */
  readonly next: string | null;
}

export async function donePage(
  edge: SlackEdge,
  memberId: string,
  limit: number,
  cursor = NEWEST,
): Promise<DonePage> {
  const [at, id] = cursor.split('|');
  const before = at && id ? { createdAt: new Date(Number(at)), id } : null;
  const query = { limit: limit + 1, ...(before ? { before } : {}) };
  const found = await edge.services.executions.inNameOf(memberId, query);
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const next = found.length > limit && last ? `${last.createdAt.getTime()}|${last._id}` : null;
  return { rows: shown.map(executionRowOf), next };
}

async function doneView(edge: SlackEdge, memberId: string, cursor: string): Promise<View> {
  const { rows, next } = await donePage(edge, memberId, DONE_PER_PAGE, cursor);
  return doneInMyNameModal(rows, { isNewest: cursor === NEWEST, next });
}

/** Turns the page where there is one, opens it where there is none. */
async function showDone(edge: SlackEdge, click: Click): Promise<void> {
  const { userId, value, view, body } = click;
  const draw = () => doneView(edge, userId, value);
  if (view && body.view?.callback_id === VIEWS.executionsMine) {
    await updateView(edge, view.id, await draw());
  } else await showModal(edge, click, 'Done in my name', draw);
}

export function registerDone(edge: SlackEdge): void {
  for (const action of [ACTIONS.executionsMine, ACTIONS.executionsMineOlder]) {
    onClick(edge, action, (click) => showDone(edge, click));
  }
  onClick(edge, ACTIONS.executionOpenMine, (click) =>
    showModal(edge, click, 'Tool execution', async () => {
      const execution = await edge.services.executions.visibleTo(click.userId, click.value);
      return executionDetail(await executionDetailOf(edge, click.userId, execution));
    }),
  );
}
