/** `/connections access KEY`: which callers may use a connection, and which of its functions. */
import type { View } from '@slack/types';
import { accessFormModal, connectionAccessModal } from '../../../../blocks/connections/access.js';
import { explained } from '../../../../blocks/parts/text.js';
import type { Access, CallerDocument, ConnectionDocument } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { explain, type Register, type SlackEdge } from '../../edge.js';
import { type Answer, backTo, type Click, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { callerView } from '../callers/view.js';
import { enabledGroups } from './picker.js';

/** @throws AppError `not_found` | `forbidden` */
async function accessView(
  edge: SlackEdge,
  userId: string,
  keyOrId: string,
  notice: string | null = null,
): Promise<View> {
  const connection = await edge.services.connections.managed(userId, keyOrId, false);
  const callers = await edge.services.callers.list();
  const byId = new Map(callers.map((caller) => [caller._id, caller]));
  return connectionAccessModal({
    connection: {
      id: connection._id,
      name: connection.name,
      status: connection.status === 'ready' ? 'ready' : 'draft',
    },
    access: connection.access.flatMap(({ callerId, functions }) => {
      const caller = byId.get(callerId);
      if (!caller) return [];
      const { name, kind, stage } = caller;
      return [{ callerId, name, kind, stage, functions }];
    }),
    hasCallers: callers.length > 0,
    notice,
  });
}

export async function openAccess(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Access', () => accessView(edge, userId, keyOrId));
}

/** The form for one caller, or with a menu of callers that have no access yet. */
export async function accessForm(
  edge: SlackEdge,
  connection: ConnectionDocument,
  caller: CallerDocument | null,
  from: 'access' | 'caller',
): Promise<View> {
  const have = new Set(connection.access.map(({ callerId }) => callerId));
  const others = caller ? [] : (await edge.services.callers.list()).filter(({ _id }) => !have.has(_id));
  if (!caller && others.length === 0) {
    throw new AppError(
      'invalid_arguments',
      'Every caller has access already. Change what one may call, or register another.',
    );
  }
  const current = connection.access.find(({ callerId }) => callerId === caller?._id);
  return accessFormModal({
    connection: { id: connection._id, name: connection.name },
    from,
    caller: caller ? { id: caller._id, name: caller.name } : null,
    callers: others.map(({ _id, name, kind, stage }) => ({
      value: _id,
      label: name,
      description: `${kind} · ${stage}`,
    })),
    functions: await enabledGroups(edge, connection),
    chosen: current?.functions ?? null,
  });
}

async function submitAccess(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const { connections, callers } = edge.services;
  const { connection: connectionId = '', caller, from } = form.metadata;
  const connection = await connections.managed(userId, connectionId, false);
  const callerIds = caller
    ? [caller]
    : [form.choice('caller') ?? '', ...form.choices('caller')].filter((id) => id !== '');
  for (const id of callerIds) {
    if ((await callers.get(id))?.status === 'active') continue;
    throw new AppError('not_found', 'This caller was revoked meanwhile.', { path: '/caller' });
  }
  const functions = form.choice('extent') === 'chosen' ? form.choices('functions') : null;
  if (functions?.length === 0) {
    throw new AppError('invalid_arguments', 'Choose at least one function.', {
      path: form.has('functions') ? '/functions' : '/extent',
    });
  }
  const given = callerIds.map((callerId): Access => ({ callerId, functions }));
  await save(edge, userId, connection, [
    ...connection.access.filter(({ callerId }) => !callerIds.includes(callerId)),
    ...given,
  ]);
  const notice = ':white_check_mark: Access is saved.';
  return backTo(edge, view, () =>
    from === 'caller' && caller
      ? callerView(edge, userId, caller, notice)
      : accessView(edge, userId, connectionId, notice),
  );
}

/** What was granted for functions that are turned off since goes with them. */
async function save(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  access: readonly Access[],
): Promise<void> {
  const on = new Set(connection.enabledFunctions);
  const current = access.map(({ callerId, functions }) => ({
    callerId,
    functions: functions?.filter((name) => on.has(name)) ?? null,
  }));
  await edge.services.connections.setAccess({ kind: 'user', id: userId }, connection, current);
}

async function takeAway(edge: SlackEdge, click: Click): Promise<void> {
  const [connectionId = '', callerId = ''] = click.value.split(':');
  let notice = ':white_check_mark: Access is taken away.';
  try {
    const connection = await edge.services.connections.managed(click.userId, connectionId, false);
    await save(
      edge,
      click.userId,
      connection,
      connection.access.filter((each) => each.callerId !== callerId),
    );
  } catch (error) {
    notice = explained(explain(error, edge.log));
  }
  if (click.view)
    await updateView(edge, click.view.id, await accessView(edge, click.userId, connectionId, notice));
}

export const registerAccess: Register = (edge) => {
  const { connections, callers } = edge.services;
  onClick(edge, ACTIONS.connectionAccess, (click) => openAccess(edge, click, click.userId, click.value));
  onClick(edge, ACTIONS.accessGive, (click) =>
    showModal(edge, click, 'Give access', async () =>
      accessForm(edge, await connections.managed(click.userId, click.value, false), null, 'access'),
    ),
  );
  onClick(edge, ACTIONS.accessChange, (click) =>
    showModal(edge, click, 'Change access', async () => {
      const [connectionId = '', callerId = ''] = click.value.split(':');
      const connection = await connections.managed(click.userId, connectionId, false);
      const caller = await callers.get(callerId);
      if (!caller) throw new AppError('not_found', 'There is no such caller any more.');
      return accessForm(edge, connection, caller, 'access');
    }),
  );
  onClick(edge, ACTIONS.accessRemove, (click) => takeAway(edge, click));
  onSubmit(edge, VIEWS.connectionAccessForm, 'extent', (submission) => submitAccess(edge, submission));
};
