/** Callers: list, add, one in detail; tokens leave through one-time pages only. */
import type { View } from '@slack/types';
import {
  callerAddModal,
  callerGiveModal,
  callerListModal,
  callerTokenModal,
} from '../../../../blocks/callers.js';
import { explained, said } from '../../../../blocks/parts/text.js';
import type { CallerDocument } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { looksLikeSecret } from '../../../redact.js';
import { CALLER_KINDS, CALLER_STAGES } from '../../../services/callers.js';
import { requireMembers } from '../../../services/people.js';
import { explain, type Register, type SlackEdge } from '../../edge.js';
import { type Answer, type Click, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { accessForm } from '../connections/access.js';
import { callerView, managedCaller, rowOf } from './view.js';

const PER_PAGE = 20;

async function listView(
  edge: SlackEdge,
  userId: string,
  page: number,
  notice: string | null = null,
): Promise<View> {
  await edge.services.roles.require(userId, 'admin');
  const all = await edge.services.callers.list();
  const pages = Math.max(1, Math.ceil(all.length / PER_PAGE));
  const current = Math.min(Math.max(1, page), pages);
  const rows = all.slice((current - 1) * PER_PAGE, current * PER_PAGE).map(rowOf);
  return callerListModal({ rows, total: all.length, page: current, pages, notice });
}

export async function openCallers(edge: SlackEdge, trigger: Trigger, userId: string): Promise<void> {
  await showModal(edge, trigger, 'Callers', () => listView(edge, userId, 1));
}

export async function openCallerAdd(edge: SlackEdge, trigger: Trigger, userId: string): Promise<void> {
  await showModal(edge, trigger, 'Add a caller', async () => {
    await edge.services.roles.require(userId, 'admin');
    return callerAddModal({ ownerId: userId });
  });
}

/** The token goes into a sealed one-time link and nowhere else. */
async function tokenView(
  edge: SlackEdge,
  userId: string,
  caller: Pick<CallerDocument, '_id' | 'name'>,
  token: string,
  rotated: boolean,
): Promise<View> {
  const { _id: id, name } = caller;
  const url = await edge.services.links.create({
    purpose: 'caller_token',
    userId,
    callerId: id,
    content: token,
  });
  return callerTokenModal({ caller: { id, name }, url, rotated });
}

function oneOf<T extends string>(all: readonly T[], given: string | null, path: string): T {
  const found = all.find((each) => each === given);
  if (found) return found;
  throw new AppError('invalid_arguments', `Choose one of ${all.join(', ')}.`, { path });
}

async function submitAdd(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const { roles, callers } = edge.services;
  await roles.require(userId, 'admin');
  const name = form.text('name');
  if (looksLikeSecret(name)) {
    throw new AppError(
      'invalid_arguments',
      'This looks like a secret. If it is one, rotate it: Slack has seen it.',
      { path: '/name' },
    );
  }
  const ownerId = form.user('owner') ?? userId;
  await requireMembers(edge.deps.directory, [ownerId], '/owner');
  const { caller, token } = await callers.create(
    { kind: 'user', id: userId },
    {
      name,
      ownerId,
      kind: oneOf(CALLER_KINDS, form.choice('kind'), '/kind'),
      stage: oneOf(CALLER_STAGES, form.choice('stage'), '/stage'),
    },
  );
  return { show: { response_action: 'update', view: await tokenView(edge, userId, caller, token, false) } };
}

async function submitGive(edge: SlackEdge, { userId, form }: Submission): Promise<Answer> {
  const caller = await managedCaller(edge, userId, form.metadata.caller ?? '');
  const connection = await edge.services.connections.managed(userId, form.choice('connection') ?? '', false);
  return { show: { response_action: 'update', view: await accessForm(edge, connection, caller, 'caller') } };
}

async function giveView(edge: SlackEdge, { userId, value }: Click): Promise<View> {
  const { _id: id, name } = await managedCaller(edge, userId, value);
  const connections = await edge.services.connections.list(userId);
  if (connections.length === 0)
    throw new AppError('not_found', 'There is no connection yet. /connections add makes one.');
  return callerGiveModal({
    caller: { id, name },
    connections: connections.map((each) => ({
      value: each._id,
      label: each.name,
      description: `${each.key} · ${each.status}`,
    })),
  });
}

/** Does something to a caller, and draws its view anew with what came of it. */
async function inPlace(
  edge: SlackEdge,
  click: Click,
  act: (caller: CallerDocument) => Promise<View>,
): Promise<void> {
  const drawn = async (): Promise<View> => act(await managedCaller(edge, click.userId, click.value));
  const view = await drawn().catch((error: unknown) =>
    callerView(edge, click.userId, click.value, explained(explain(error, edge.log))),
  );
  if (click.view) await updateView(edge, click.view.id, view);
}

export const registerCallers: Register = (edge) => {
  const { callers } = edge.services;
  const actor = ({ userId }: Click) => ({ kind: 'user', id: userId }) as const;
  onClick(edge, ACTIONS.callerAdd, (click) => openCallerAdd(edge, click, click.userId));
  onClick(edge, ACTIONS.callerOpen, (click) =>
    showModal(edge, click, 'Caller', () => callerView(edge, click.userId, click.value)),
  );
  onClick(edge, ACTIONS.callerShow, async ({ userId, value, view }) => {
    if (view) await updateView(edge, view.id, await callerView(edge, userId, value));
  });
  onClick(edge, ACTIONS.callerPage, async ({ userId, value, view }) => {
    if (view) await updateView(edge, view.id, await listView(edge, userId, Number(value)));
  });
  onClick(edge, ACTIONS.callerGive, (click) =>
    showModal(edge, click, 'Give access', () => giveView(edge, click)),
  );
  onClick(edge, ACTIONS.callerResume, (click) =>
    inPlace(edge, click, async ({ _id }) => {
      await edge.services.pauses.resume(actor(click), { kind: 'caller', id: _id });
      return callerView(edge, click.userId, _id, ':arrow_forward: It may call again.');
    }),
  );
  onClick(edge, ACTIONS.callerRotate, (click) =>
    inPlace(edge, click, async (caller) => {
      const token = await callers.rotateToken(actor(click), caller._id);
      return tokenView(edge, click.userId, caller, token, true);
    }),
  );
  onClick(edge, ACTIONS.callerRevoke, (click) =>
    inPlace(edge, click, async ({ _id, name }) => {
      await callers.revoke(actor(click), _id);
      return listView(
        edge,
        click.userId,
        1,
        `:wastebasket: *${said(name, 60)}* is revoked. Its token never works again.`,
      );
    }),
  );
  onSubmit(edge, VIEWS.callerAdd, 'name', (submission) => submitAdd(edge, submission));
  onSubmit(edge, VIEWS.callerGive, 'connection', (submission) => submitGive(edge, submission));
};
