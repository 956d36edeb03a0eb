/** The detail view and what its buttons do in place: test, review, resume, connect; and the credential step. */
import { connectionTestText } from '../../../../blocks/parts/test-outcome.js';
import { explained } from '../../../../blocks/parts/text.js';
import { explain, type Register, type SlackEdge, sentenceModal } from '../../edge.js';
import { type Click, onClick } from '../../handle.js';
import { ACTIONS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { credentialView } from './credential.js';
import { detailView, visible } from './detail.js';
import { endPause, targetOf } from './stop.js';

export async function openDetail(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Connection', () => detailView(edge, userId, keyOrId));
}

/** One harmless call. @returns mrkdwn of ours; @throws AppError */
export async function testConnection(edge: SlackEdge, userId: string, keyOrId: string): Promise<string> {
  const connection = await edge.services.connections.managed(userId, keyOrId, true);
  const person = await edge.deps.directory.person(userId);
  const { fn, execution, ended } = await edge.services.connectionTest.run(
    userId,
    person?.name ?? userId,
    connection,
  );
  const { status, error, startedAt, finishedAt } = execution;
  return connectionTestText({
    fn,
    executionId: execution._id,
    status,
    ended,
    error: error?.message ?? null,
    milliseconds: startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
  });
}

export async function openTest(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Test', async () => {
    const notice = await testConnection(edge, userId, keyOrId);
    return detailView(edge, userId, keyOrId, { notice });
  });
}

/** @returns mrkdwn of ours; @throws AppError */
export async function connectMine(edge: SlackEdge, userId: string, keyOrId: string): Promise<string> {
  const connection = await visible(edge, userId, keyOrId);
  if (connection.identity === 'shared') {
    return `\`${connection.key}\` is shared: it acts with one identity for everybody, so there is no account of yours to connect.`;
  }
  await edge.services.members.ask(connection._id, userId, null);
  return ':envelope: I sent you a DM with a link. It works once, for ten minutes.';
}

/** @returns mrkdwn of ours; @throws AppError */
export async function disconnectMine(edge: SlackEdge, userId: string, keyOrId: string): Promise<string> {
  const connection = await visible(edge, userId, keyOrId);
  if (connection.identity === 'shared') {
    return `\`${connection.key}\` is shared: no account of yours is connected to it.`;
  }
  const had = await edge.services.disconnect.member(connection, userId);
  return had
    ? ':white_check_mark: Your account is disconnected and its credential deleted. No agent can act for you there.'
    : 'No account of yours was connected.';
}

/** Does something in a detail view, and draws it anew with what came of it. */
async function inPlace(edge: SlackEdge, click: Click, act: () => Promise<string>): Promise<void> {
  const notice = await act().catch((error: unknown) => explained(explain(error, edge.log)));
  if (click.view)
    await updateView(edge, click.view.id, await detailView(edge, click.userId, click.value, { notice }));
}

export const registerLook: Register = (edge) => {
  const { app, services } = edge;
  // A link button still sends a payload, which has to be acked.
  app.action(ACTIONS.linkOpened, async ({ ack }) => ack());
  onClick(edge, ACTIONS.connectionOpen, (click) => openDetail(edge, click, click.userId, click.value));
  onClick(edge, ACTIONS.connectionShow, async ({ userId, value, view }) => {
    if (view) await updateView(edge, view.id, await detailView(edge, userId, value));
  });
  onClick(edge, ACTIONS.connectionMoreFunctions, async ({ userId, value, view }) => {
    const [id = '', from = '0'] = value.split(':');
    if (view)
      await updateView(edge, view.id, await detailView(edge, userId, id, { functionsFrom: Number(from) }));
  });
  for (const action of [ACTIONS.connectionSecretLink, ACTIONS.connectionNewLink]) {
    onClick(edge, action, async ({ userId, value, view }) => {
      const connection = await services.connections.managed(userId, value, true);
      if (view) await updateView(edge, view.id, await credentialView(edge, userId, connection));
    });
  }
  onClick(edge, ACTIONS.connectionRegisterClient, async ({ userId, value, view }) => {
    await services.roles.require(userId, 'admin');
    const connection = await services.connections.managed(userId, value, false);
    await services.serverSignIn.registerAgain({ kind: 'user', id: userId }, connection);
    if (view) await updateView(edge, view.id, await credentialView(edge, userId, connection));
  });
  onClick(edge, ACTIONS.connectionReconnect, (click) =>
    showModal(edge, click, 'Reconnect', async () => {
      const connection = await services.connections.managed(click.userId, click.value, true);
      return credentialView(edge, click.userId, connection);
    }),
  );
  onClick(edge, ACTIONS.connectionTest, async (click) => {
    if (click.view)
      await updateView(edge, click.view.id, sentenceModal('Test', 'Calling one read function…'));
    await inPlace(edge, click, () => testConnection(edge, click.userId, click.value));
  });
  onClick(edge, ACTIONS.connectionReviewScopes, (click) =>
    inPlace(edge, click, async () => {
      const connection = await services.connections.managed(click.userId, click.value, false);
      await services.connections.reviewScopes({ kind: 'user', id: click.userId }, connection);
      return ':white_check_mark: The scopes are reviewed.';
    }),
  );
  onClick(edge, ACTIONS.connectionResume, (click) =>
    inPlace(edge, click, async () => {
      await endPause(edge, click.userId, await targetOf(edge, click.userId, click.value));
      return ':arrow_forward: It runs again.';
    }),
  );
  onClick(edge, ACTIONS.connectionConnect, (click) =>
    inPlace(edge, click, () => connectMine(edge, click.userId, click.value)),
  );
  onClick(edge, ACTIONS.connectionDisconnect, (click) =>
    inPlace(edge, click, () => disconnectMine(edge, click.userId, click.value)),
  );
};
