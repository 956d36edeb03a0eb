/** `/connections`: one command, many sub-commands. */
import type { KnownBlock } from '@slack/types';
import { connectionHelpMessage } from '../../../../blocks/connections/help.js';
import { explained } from '../../../../blocks/parts/text.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import { explain, type Register, type SlackEdge, sentence } from '../../edge.js';
import { ACTIONS, COMMANDS } from '../../ids.js';
import type { Trigger } from '../../modal.js';
import { openCallerAdd, openCallers } from '../callers/register.js';
import { reportMessage } from '../report/register.js';
import { openProofReset } from '../second-proof/register.js';
import { openSettings } from '../settings/register.js';
import { openAccess, registerAccess } from './access.js';
import { openAdd, registerAdd } from './add.js';
import { isSubCommand, keyOf, nearest, parseCommand, SUB_COMMANDS, type SubCommand } from './command.js';
import { openEdit, registerEdit } from './edit.js';
import { registerFunctions } from './functions.js';
import { listMessage, pageOf } from './list.js';
import { connectMine, disconnectMine, openDetail, openTest, registerLook } from './look.js';
import { howAllStands } from './paused.js';
import { openPolicy, registerPolicy } from './policy.js';
import { registerReview } from './review.js';
import { registerSearch } from './search.js';
import { simulate } from './simulate.js';
import { endPause, openPause, openRemove, registerStop, targetName, targetOf } from './stop.js';

interface Message {
  readonly text: string;
  readonly blocks: KnownBlock[];
}

interface Typed {
  readonly userId: string;
  readonly trigger: Trigger;
  readonly rest: string;
}

const PASTED_SECRET =
  ':no_entry: *That looks like a secret, and Slack has seen it now.* Rotate it where it was issued. Nothing was stored here. Secrets are entered on a one-time web page: *Enter credential* in `/connections show KEY`.';

/** @throws AppError `invalid_arguments` when no key was typed */
function keyIn({ rest }: Typed, name: SubCommand): string {
  const key = keyOf(rest);
  if (key !== '') return key;
  throw new AppError(
    'invalid_arguments',
    `Say which connection: /connections ${name} KEY. /connections lists the keys.`,
  );
}

const said = (text: string): Message => ({ text, blocks: sentence(text) });

/** What each sub-command does; a message is the answer, nothing when a modal is. */
const RUN: Record<SubCommand, (edge: SlackEdge, typed: Typed) => Promise<Message | undefined>> = {
  list: (edge, { userId }) => listMessage(edge, userId, null),
  find: (edge, { userId, rest }) =>
    listMessage(edge, userId, rest.trim() === '' ? null : rest.trim().slice(0, 100)),
  show: open('show', openDetail),
  edit: open('edit', openEdit),
  policy: open('policy', openPolicy),
  access: open('access', openAccess),
  remove: open('remove', openRemove),
  test: open('test', openTest),
  add: async (edge, { trigger, userId }) => {
    await openAdd(edge, trigger, userId);
    return undefined;
  },
  pause: async (edge, { trigger, userId, rest }) => {
    await openPause(edge, trigger, () => targetOf(edge, userId, rest));
    return undefined;
  },
  resume: async (edge, { userId, rest }) => {
    const target = await targetOf(edge, userId, rest);
    if (target.kind === 'all') return howAllStands(edge, userId);
    await endPause(edge, userId, target);
    return said(`:arrow_forward: ${targetName(target)} runs again.`);
  },
  simulate: (edge, { userId, rest }) => simulate(edge, userId, rest),
  connect: async (edge, typed) => said(await connectMine(edge, typed.userId, keyIn(typed, 'connect'))),
  disconnect: async (edge, typed) =>
    said(await disconnectMine(edge, typed.userId, keyIn(typed, 'disconnect'))),
  callers: async (edge, { trigger, userId, rest }) => {
    await (rest.trim().toLowerCase() === 'add'
      ? openCallerAdd(edge, trigger, userId)
      : openCallers(edge, trigger, userId));
    return undefined;
  },
  report: (edge, { userId }) => reportMessage(edge, userId),
  'reset-proof': async (edge, { trigger, userId }) => {
    await openProofReset(edge, trigger, userId);
    return undefined;
  },
  settings: async (edge, { trigger, userId }) => {
    await openSettings(edge, trigger, userId);
    return undefined;
  },
  help: async () => help(null),
};

function open(
  name: SubCommand,
  show: (edge: SlackEdge, trigger: Trigger, userId: string, key: string) => Promise<void>,
) {
  return async (edge: SlackEdge, typed: Typed): Promise<undefined> => {
    await show(edge, typed.trigger, typed.userId, keyIn(typed, name));
    return undefined;
  };
}

function help(typed: string | null): Message {
  const unknown = typed === null ? null : { typed, nearest: nearest(typed) };
  return connectionHelpMessage({ lines: Object.values(SUB_COMMANDS), unknown });
}

async function answer(
  edge: SlackEdge,
  text: string,
  userId: string,
  trigger: Trigger,
): Promise<Message | undefined> {
  if (looksLikeSecret(text)) return said(PASTED_SECRET);
  const { name, rest } = parseCommand(text);
  if (!isSubCommand(name)) return help(name);
  return RUN[name](edge, { userId, trigger, rest });
}

export const registerConnections: Register = (edge) => {
  const { app, log } = edge;
  app.command(COMMANDS.connections, async ({ ack, command, respond }) => {
    await ack();
    const { text, user_id: userId, trigger_id } = command;
    const message = await answer(edge, text, userId, { trigger_id }).catch((error: unknown) =>
      said(explained(explain(error, log))),
    );
    if (message) await respond({ response_type: 'ephemeral', ...message });
  });
  app.action(ACTIONS.connectionPage, async ({ ack, action, body, respond }) => {
    await ack();
    const { page, search } = pageOf(action.type === 'button' ? (action.value ?? '') : '');
    const message = await listMessage(edge, body.user.id, search, page).catch((error: unknown) =>
      said(explained(explain(error, log))),
    );
    await respond({ response_type: 'ephemeral', replace_original: true, ...message });
  });
  for (const register of [
    registerAdd,
    registerFunctions,
    registerReview,
    registerLook,
    registerPolicy,
    registerAccess,
    registerEdit,
    registerStop,
    registerSearch,
  ]) {
    register(edge);
  }
};
