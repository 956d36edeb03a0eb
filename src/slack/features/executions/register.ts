import type { BlockButtonAction } from '@slack/bolt';
import { EXECUTIONS_PER_PAGE, executionDetail, executionList } from '../../../../blocks/executions.js';
import { explain, type Register, type SlackEdge, sentence, sentenceModal } from '../../edge.js';
import { ACTIONS, COMMANDS } from '../../ids.js';
import { executionDetailOf, executionRowOf } from './rows.js';

const HELP = '`/executions` lists the latest tool executions; `/executions show ID` opens one.';

/** A page, and where the next one begins. The cursor names a place in the list and carries no authority. */
async function page(edge: SlackEdge, viewerId: string, cursor: string | null) {
  const [at, id] = (cursor ?? '').split('|');
  const before = at && id ? { createdAt: new Date(Number(at)), id } : null;
  const found = await edge.services.executions.list(viewerId, {
    limit: EXECUTIONS_PER_PAGE + 1,
    ...(before ? { before } : {}),
  });
  const shown = found.slice(0, EXECUTIONS_PER_PAGE);
  const last = shown.at(-1);
  const next = found.length > EXECUTIONS_PER_PAGE && last ? `${last.createdAt.getTime()}|${last._id}` : null;
  return executionList(shown.map(executionRowOf), next);
}

async function openDetail(
  edge: SlackEdge,
  triggerId: string,
  viewerId: string,
  executionId: string,
): Promise<void> {
  const { fast } = edge.clients;
  const opened = await fast.views.open({
    trigger_id: triggerId,
    view: sentenceModal('Tool execution', 'Opening…'),
  });
  const view = await detail(edge, viewerId, executionId);
  if (opened.view?.id) await fast.views.update({ view_id: opened.view.id, view });
}

async function detail(edge: SlackEdge, viewerId: string, executionId: string) {
  try {
    const execution = await edge.services.executions.visibleTo(viewerId, executionId);
    return executionDetail(await executionDetailOf(edge, viewerId, execution));
  } catch (error) {
    return sentenceModal('Tool execution', explain(error, edge.log));
  }
}

export const registerExecutions: Register = (edge) => {
  const { app, log } = edge;
  app.command(COMMANDS.executions, async ({ ack, command, respond }) => {
    await ack();
    const tell = (text: string) => respond({ response_type: 'ephemeral', text, blocks: sentence(text) });
    const [verb = 'list', id = ''] = command.text
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    try {
      if (verb === 'list')
        await respond({ response_type: 'ephemeral', ...(await page(edge, command.user_id, null)) });
      else if (verb === 'show' && /^ex_[a-z0-9]{20}$/.test(id))
        await openDetail(edge, command.trigger_id, command.user_id, id);
      else if (verb === 'show')
        await tell('Say which one: `/executions show ex_…`. `/executions` lists the latest.');
      else await tell(HELP);
    } catch (error) {
      await tell(explain(error, log));
    }
  });
  app.action<BlockButtonAction>(ACTIONS.executionOpen, async ({ ack, action, body }) => {
    await ack();
    await openDetail(edge, body.trigger_id, body.user.id, action.value ?? '');
  });
  app.action<BlockButtonAction>(ACTIONS.executionMore, async ({ ack, action, body, respond }) => {
    await ack();
    await respond({ replace_original: true, ...(await page(edge, body.user.id, action.value ?? null)) });
  });
};
