import { approvalList } from '../../../../blocks/home.js';
import { explain, type Register, sentence, sentenceModal } from '../../edge.js';
import { COMMANDS, SHORTCUTS } from '../../ids.js';
import { registerAway } from './away.js';
import { registerDone } from './done.js';
import { publishHome, waitingRows } from './publish.js';

export const registerHome: Register = (edge) => {
  const { app, log } = edge;
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab !== 'home') return;
    await publishHome(edge, event.user).catch((error: unknown) =>
      log.warn({ err: error }, 'App Home not published'),
    );
  });
  registerAway(edge);
  registerDone(edge);
  app.event('user_change', async ({ event }) => edge.directory.forget(event.user.id));
  app.shortcut(SHORTCUTS.open, async ({ ack, shortcut, client }) => {
    await ack();
    const opened = await client.views.open({
      trigger_id: shortcut.trigger_id,
      view: sentenceModal('Waiting for me', 'One moment…'),
    });
    const { blocks } = approvalList(await waitingRows(edge, shortcut.user.id));
    const view = { ...sentenceModal('Waiting for me', ''), blocks };
    if (opened.view?.id) await client.views.update({ view_id: opened.view.id, view });
  });
  app.command(COMMANDS.approvals, async ({ ack, command, respond }) => {
    await ack();
    try {
      await respond({
        response_type: 'ephemeral',
        ...approvalList(await waitingRows(edge, command.user_id)),
      });
    } catch (error) {
      const text = explain(error, log);
      await respond({ response_type: 'ephemeral', text, blocks: sentence(text) });
    }
  });
};
