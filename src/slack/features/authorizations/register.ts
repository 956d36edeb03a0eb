import type { AllMiddlewareArgs, BlockButtonAction, SlackActionMiddlewareArgs } from '@slack/bolt';
import { explained } from '../../../../blocks/parts/text.js';
import { explain, type Register, type SlackEdge } from '../../edge.js';
import { ACTIONS } from '../../ids.js';
import { tellUser } from '../../tell.js';
import { publishHome } from '../home/publish.js';

type Args = AllMiddlewareArgs & SlackActionMiddlewareArgs<BlockButtonAction>;

interface Mine {
  readonly connectionId: string;
  readonly memberId: string;
  readonly callerId: string | null;
}

/** A button names connection, member and caller; it works for that member only. */
function mine(value: string | undefined, userId: string): Mine | null {
  const [connectionId, memberId, caller] = (value ?? '').split('|');
  if (!connectionId || memberId !== userId || !caller) return null;
  return { connectionId, memberId, callerId: caller === '-' ? null : caller };
}

const handler =
  (edge: SlackEdge, act: (target: Mine) => Promise<void>) =>
  async ({ action, body, ack }: Args): Promise<void> => {
    await ack();
    const target = mine(action.value, body.user.id);
    try {
      if (target) await act(target);
      else await tellUser(edge, body, 'That button is for somebody else.');
      if (body.view?.type === 'home') await publishHome(edge, body.user.id);
    } catch (error) {
      await tellUser(edge, body, explained(explain(error, edge.log)));
    }
  };

export const registerAuthorizations: Register = (edge) => {
  const { app, services, deps } = edge;
  // A link button still sends a payload, which has to be acked.
  app.action(ACTIONS.authorizationConnect, async ({ ack }) => ack());
  app.action<BlockButtonAction>(
    ACTIONS.authorizationNewLink,
    handler(edge, ({ connectionId, memberId }) => services.members.refreshDms(connectionId, memberId)),
  );
  app.action<BlockButtonAction>(
    ACTIONS.authorizationAllow,
    handler(edge, async ({ connectionId, memberId, callerId }) => {
      if (callerId === null) return;
      await services.members.decideConsent(memberId, callerId, connectionId, 'allowed');
      await services.members.refreshDms(connectionId, memberId);
      await services.authorizationFlow.resume(memberId, connectionId);
    }),
  );
  app.action<BlockButtonAction>(
    ACTIONS.authorizationRefuse,
    handler(edge, async ({ connectionId, memberId, callerId }) => {
      if (callerId !== null) await services.executions.refuseMember(memberId, connectionId, callerId);
    }),
  );
  app.action<BlockButtonAction>(
    ACTIONS.authorizationRevoke,
    handler(edge, async ({ connectionId, memberId }) => {
      const { models, workspaceId } = deps;
      const connection = await models.connections.findOne({ _id: connectionId, workspaceId }).lean();
      if (connection) await services.disconnect.member(connection, memberId);
    }),
  );
  app.action<BlockButtonAction>(
    ACTIONS.consentRevoke,
    handler(edge, async ({ connectionId, memberId, callerId }) => {
      if (callerId === null) return;
      await services.members.decideConsent(memberId, callerId, connectionId, 'revoked');
      await services.members.refreshDms(connectionId, memberId);
    }),
  );
};
