import type { View } from '@slack/types';
import { approvalList } from '../../../../blocks/home.js';
import { explain, type Register, sentence, sentenceModal } from '../../edge.js';
import { COMMANDS, SHORTCUTS } from '../../ids.js';
import { problemModal, showModal } from '../../modal.js';
import { registerAway } from './away.js';
import { registerDone } from './done.js';
import { publishHome } from './publish.js';
import { waitingShown } from './waiting.js';

const WAITING = 'Waiting for me';

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
  app.shortcut(SHORTCUTS.open, async ({ ack, shortcut }) => {
    await ack();
    const draw = async (): Promise<View> => ({
      ...sentenceModal(WAITING, ''),
      blocks: approvalList(await waitingShown(edge, shortcut.user.id)).blocks,
    });
    await showModal(edge, shortcut, WAITING, () =>
      draw().catch((error: unknown) => problemModal(edge, WAITING, error)),
    );
  });
  app.command(COMMANDS.approvals, async ({ ack, command, respond }) => {
    await ack();
    try {
      await respond({
        response_type: 'ephemeral',
        ...approvalList(await waitingShown(edge, command.user_id)),
      });
    } catch (error) {
      const text = explain(error, log);
      await respond({ response_type: 'ephemeral', text, blocks: sentence(text) });
    }
  });
};
