/** Pause, resume, remove. */
import { connectionRemoveModal, type PauseForm, pauseModal } from '../../../../blocks/connections/stop.js';
import { said } from '../../../../blocks/parts/text.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import { type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { type Answer, backTo, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { callerView } from '../callers/view.js';
import { keyOf } from './command.js';
import { detailView } from './detail.js';
import { followConfirmation, pausedView, registerPaused } from './paused.js';

export type Target = PauseForm['target'];

/**
 * What `KEY`, `caller:NAME` or `all` means, if this person may stop it.
 * @throws AppError `not_found` | `forbidden` | `invalid_arguments`
 */
export async function targetOf(edge: SlackEdge, userId: string, text: string): Promise<Target> {
  const { connections, callers, roles } = edge.services;
  const [, callerName] = /^caller:(.+)$/is.exec(text.trim()) ?? [];
  if (callerName !== undefined) {
    await roles.require(userId, 'admin');
    const wanted = callerName.replace(/[`'"“”]/g, '').trim();
    const caller = await callers.byName(wanted);
    if (!caller)
      throw new AppError(
        'not_found',
        `There is no caller called “${wanted}”. /connections callers lists them.`,
      );
    return { kind: 'caller', id: caller._id, name: caller.name };
  }
  const key = keyOf(text);
  if (key === '') {
    throw new AppError('invalid_arguments', 'Say what: the KEY of a connection, caller:NAME, or all.');
  }
  if (key === 'all') {
    await roles.require(userId, 'admin');
    return { kind: 'all' };
  }
  const connection = await connections.managed(userId, key, true);
  return { kind: 'connection', id: connection._id, key: connection.key, name: connection.name };
}

/** By id, as a button or a form names it; checked as if it had been typed. */
async function targetById(edge: SlackEdge, userId: string, kind: string, id: string): Promise<Target> {
  if (kind !== 'caller') return targetOf(edge, userId, kind === 'all' ? 'all' : id);
  await edge.services.roles.require(userId, 'admin');
  const caller = await edge.services.callers.get(id);
  if (caller?.status !== 'active') throw new AppError('not_found', 'There is no such caller any more.');
  return { kind: 'caller', id, name: caller.name };
}

export async function openPause(
  edge: SlackEdge,
  trigger: Trigger,
  find: () => Promise<Target>,
): Promise<void> {
  await showModal(edge, trigger, 'Pause', async () => pauseModal({ target: await find() }));
}

/** Lifts the pause of a connection or a caller. @throws AppError where it is of everything: that is lifted in steps */
export async function endPause(edge: SlackEdge, userId: string, target: Target): Promise<void> {
  if (target.kind === 'all')
    throw new AppError('invalid_arguments', 'It is lifted in steps: type /connections resume all.');
  await edge.services.pauses.resume({ kind: 'user', id: userId }, target);
}

export function targetName(target: Target): string {
  return target.kind === 'all' ? 'Everything' : said(target.name, 80);
}

async function submitPause(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const { kind = 'connection', id = '' } = form.metadata;
  const target = await targetById(edge, userId, kind, id);
  const reason = form.text('reason');
  if (reason === '') throw new AppError('invalid_arguments', 'Say why.', { path: '/reason' });
  if (looksLikeSecret(reason)) {
    throw new AppError(
      'invalid_arguments',
      'This looks like a secret. If it is one, rotate it: Slack has seen it.',
      { path: '/reason' },
    );
  }
  const pending = form.choice('pending') === 'cancel' ? 'cancel' : 'freeze';
  const { pauses, processes } = edge.services;
  const taken = await pauses.pause({ kind: 'user', id: userId }, target, reason, pending);
  const asked = { target, name: targetName(target), by: userId, reason, pending, taken } as const;
  const soFar = await processes.confirmation(taken.version);
  return {
    show: { response_action: 'update', view: pausedView(asked, soFar, false) },
    after: async () => {
      await followConfirmation(edge, view.id, asked);
      await redrawBelow(edge, view.previous_view_id, userId, target);
    },
  };
}

/** What was looked at when the pause was pressed shows it, too. */
async function redrawBelow(
  edge: SlackEdge,
  below: string | null | undefined,
  userId: string,
  target: Target,
): Promise<void> {
  if (!below || target.kind === 'all') return;
  const drawn =
    target.kind === 'connection'
      ? await detailView(edge, userId, target.id)
      : await callerView(edge, userId, target.id);
  await updateView(edge, below, drawn);
}

export async function openRemove(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Remove', async () => {
    const { connections, members } = edge.services;
    const connection = await connections.managed(userId, keyOrId, false);
    const { _id: id, key, name, ownerId, identity, access } = connection;
    return connectionRemoveModal({
      connection: { id, key, name, ownerId, identity },
      callers: access.length,
      authorizations: identity === 'private' ? await members.authorizationCount(id) : 0,
    });
  });
}

async function submitRemove(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const { connections, disconnect } = edge.services;
  const connection = await connections.managed(userId, form.metadata.connection ?? '', false);
  if (keyOf(form.text('confirm')) !== connection.key) {
    throw new AppError('invalid_arguments', `That is not the key. Type ${connection.key}`, {
      path: '/confirm',
    });
  }
  await disconnect.connection({ kind: 'user', id: userId }, connection);
  const done = sentenceModal(
    'Removed',
    `:wastebasket: *${said(connection.name, 80)}* and its credential are gone. What it did stays in \`/executions\`.`,
  );
  return backTo(edge, view, async () => done);
}

export const registerStop: Register = (edge) => {
  registerPaused(edge);
  onClick(edge, ACTIONS.connectionPause, (click) =>
    openPause(edge, click, () => targetById(edge, click.userId, 'connection', click.value)),
  );
  onClick(edge, ACTIONS.callerPause, (click) =>
    openPause(edge, click, () => targetById(edge, click.userId, 'caller', click.value)),
  );
  onClick(edge, ACTIONS.connectionRemove, (click) => openRemove(edge, click, click.userId, click.value));
  onSubmit(edge, VIEWS.pause, 'reason', (submission) => submitPause(edge, submission));
  onSubmit(edge, VIEWS.connectionRemove, 'confirm', (submission) => submitRemove(edge, submission));
};
