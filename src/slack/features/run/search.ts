/** The menus of "Run a function", where there is more than a menu holds. */
import type { BlockSuggestion } from '@slack/bolt';
import { type Choice, MENU_LIMIT, option } from '../../../../blocks/parts/inputs.js';
import { RISK_WORDS } from '../../../../blocks/parts/words.js';
import type { ConnectionDocument } from '../../../../models/types.js';
import type { FunctionDefinition } from '../../../connectors/framework.js';
import { enabledFunctions } from '../../../services/functions.js';
import { riskOf } from '../../../services/policy.js';
import type { SlackEdge } from '../../edge.js';
import { ACTIONS } from '../../ids.js';
import { FormState } from '../../view-state.js';

export function connectionChoices(connections: readonly ConnectionDocument[]): Choice[] {
  return connections.map(({ _id, name, purpose }) => ({
    value: _id,
    label: name,
    description: purpose.trim() === '' ? undefined : purpose,
  }));
}

export function functionChoices(
  connection: ConnectionDocument,
  fns: readonly FunctionDefinition[],
): Choice[] {
  return fns.map((fn) => ({
    value: fn.name,
    label: fn.title,
    description: `${RISK_WORDS[riskOf(connection, fn)]} · ${fn.name}`,
  }));
}

function fitting(choices: readonly Choice[], query: string): Choice[] {
  const words = query.toLowerCase().split(/\s+/);
  return choices
    .filter(({ label, value, description }) => {
      const text = `${label} ${value} ${description ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .slice(0, MENU_LIMIT);
}

async function functionsFor(edge: SlackEdge, { user, view }: BlockSuggestion): Promise<Choice[]> {
  const id = view ? new FormState(view).metadata.connection : undefined;
  const usable = await edge.services.people.connectionsOf(user.id);
  const connection = usable.find(({ _id }) => _id === id);
  if (!connection) return [];
  const connector = await edge.deps.connector(connection.connector);
  return functionChoices(connection, enabledFunctions(connector, connection));
}

export function registerRunSearch(edge: SlackEdge): void {
  const serve = (actionId: string, offer: (asked: BlockSuggestion) => Promise<Choice[]>): void =>
    edge.app.options<'block_suggestion'>(actionId, async ({ body, ack }) => {
      const choices = await offer(body).catch((error: unknown) => {
        edge.log.warn({ err: error, actionId }, 'menu not filled');
        return [];
      });
      await ack({ options: fitting(choices, body.value).map(option) });
    });
  serve(ACTIONS.runConnectionSearch, async ({ user }) =>
    connectionChoices(await edge.services.people.connectionsOf(user.id)),
  );
  serve(ACTIONS.runFunctionSearch, (asked) => functionsFor(edge, asked));
}
