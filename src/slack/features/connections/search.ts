/** The menus that are searched: functions of large connections, user groups, callers. */
import type { BlockSuggestion } from '@slack/bolt';
import { plain } from '../../../../blocks/inert.js';
import { type ChoiceGroup, MENU_LIMIT, option } from '../../../../blocks/parts/inputs.js';
import type { Register } from '../../edge.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { userGroups } from '../../usergroups.js';
import { FormState } from '../../view-state.js';
import { searchable } from './picker.js';

/** What fits the words, at most as many as a menu holds. */
function found(groups: readonly ChoiceGroup[], query: string) {
  const words = query.toLowerCase().split(/\s+/);
  let room = MENU_LIMIT;
  return groups.flatMap(({ label, choices }) => {
    const fitting = choices
      .filter((choice) => {
        const text = `${choice.label} ${choice.description ?? ''} ${choice.value}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .slice(0, room);
    room -= fitting.length;
    return fitting.length > 0 ? [{ label: plain(label, 75, 'ellipsis'), options: fitting.map(option) }] : [];
  });
}

export const registerSearch: Register = (edge) => {
  const { app, services, log } = edge;
  const serve = (
    actionId: string,
    offer: (asked: BlockSuggestion) => Promise<readonly ChoiceGroup[]>,
  ): void =>
    app.options<'block_suggestion'>(actionId, async ({ body, ack }) => {
      const groups = await offer(body).catch((error: unknown) => {
        log.warn({ err: error, actionId }, 'menu not filled');
        return [];
      });
      const option_groups = found(groups, body.value);
      await (option_groups.length > 0 ? ack({ option_groups }) : ack({ options: [] }));
    });

  serve(ACTIONS.functionSearch, async ({ view, user }) => {
    if (!view) return [];
    const on = view.callback_id === VIEWS.connectionFunctions ? 'all' : 'enabled';
    return searchable(edge, user.id, new FormState(view), on);
  });
  serve(ACTIONS.groupSearch, async () => [{ label: 'User groups', choices: await userGroups(edge) }]);
  serve(ACTIONS.callerSearch, async ({ user }) => {
    await services.roles.require(user.id, 'admin');
    const callers = await services.callers.list();
    const choices = callers.map(({ _id, name, kind, stage }) => ({
      value: _id,
      label: name,
      description: `${kind} · ${stage}`,
    }));
    return [{ label: 'Callers', choices }];
  });
};
