import { AppError } from '../../../errors.js';
import type { Register, SlackEdge } from '../../edge.js';
import { type Click, onClick } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, updateView } from '../../modal.js';
import { FormState } from '../../view-state.js';
import { publishHome } from '../home/publish.js';
import { myAuthorizationsView, reconnectView } from './mine.js';

interface Mine {
  readonly connectionId: string;
  readonly memberId: string;
  readonly callerId: string | null;
  /** Of the further approvers that the DM told her of. */
  readonly furtherHash: string | null;
}

/** A button names connection, member and caller; it works for that member only. @throws AppError `forbidden` */
function mine({ value, userId }: Click): Mine {
  const [connectionId, memberId, caller, furtherHash = null] = value.split('|');
  if (!connectionId || memberId !== userId || !caller) {
    throw new AppError('forbidden', 'That button is for somebody else.');
  }
  return { connectionId, memberId, callerId: caller === '-' ? null : caller, furtherHash };
}

/** Where she clicked, and Home behind it, show what is true now. */
async function redraw(edge: SlackEdge, { userId, body, view }: Click): Promise<void> {
  if (!view || !body.view) return;
  if (body.view.callback_id === VIEWS.authorizations) {
    const page = Number(new FormState(body.view).metadata.page ?? 0);
    await updateView(edge, view.id, await myAuthorizationsView(edge, userId, page));
  }
  await publishHome(edge, userId);
}

export const registerAuthorizations: Register = (edge) => {
  const { app, services } = edge;
  const { members, connections } = services;
  const onMine = (actionId: string, act: (target: Mine, click: Click) => Promise<void>): void =>
    onClick(edge, actionId, (click) => act(mine(click), click));

  // A link button still sends a payload, which has to be acked.
  app.action(ACTIONS.authorizationConnect, async ({ ack }) => ack());
  onMine(ACTIONS.authorizationNewLink, ({ connectionId, memberId }) =>
    members.refreshDms(connectionId, memberId),
  );
  onMine(ACTIONS.authorizationAllow, async ({ connectionId, memberId, callerId, furtherHash }) => {
    if (callerId === null) return;
    await members.decideConsent(memberId, callerId, connectionId, 'allowed', furtherHash);
    await members.refreshDms(connectionId, memberId);
    await services.authorizationFlow.resume(memberId, connectionId);
  });
  onMine(ACTIONS.authorizationRefuse, async ({ connectionId, memberId, callerId }) => {
    if (callerId !== null) await services.executions.refuseMember(memberId, connectionId, callerId);
  });
  onMine(ACTIONS.authorizationRevoke, async ({ connectionId, memberId }, click) => {
    const connection = await connections.find(connectionId);
    if (connection) await services.disconnect.member(connection, memberId);
    await redraw(edge, click);
  });
  onMine(ACTIONS.consentRevoke, async ({ connectionId, memberId, callerId }, click) => {
    if (callerId === null) return;
    await members.decideConsent(memberId, callerId, connectionId, 'revoked');
    await members.refreshDms(connectionId, memberId);
    await redraw(edge, click);
  });
  onMine(ACTIONS.authorizationReconnect, async ({ connectionId, memberId }, click) => {
    const draw = () => reconnectView(edge, memberId, connectionId);
    const { view, body } = click;
    if (view && body.view?.callback_id === VIEWS.authorizationReconnect) {
      await updateView(edge, view.id, await draw());
    } else await showModal(edge, click, 'Reconnect', draw);
  });

  onClick(edge, ACTIONS.authorizationList, (click) =>
    showModal(edge, click, 'My authorizations', () => myAuthorizationsView(edge, click.userId, 0)),
  );
  for (const action of [ACTIONS.authorizationPageBack, ACTIONS.authorizationPageOn]) {
    onClick(edge, action, async ({ userId, value, view }) => {
      if (view) await updateView(edge, view.id, await myAuthorizationsView(edge, userId, Number(value)));
    });
  }
};
