/** The kill switch at work: what was asked for, and, apart from that, what all processes have confirmed. */
import type { View } from '@slack/types';
import { type PausedReport, pausedModal, resumeMessage } from '../../../../blocks/connections/paused.js';
import { explained, said } from '../../../../blocks/parts/text.js';
import type { PauseTaken } from '../../../services/pauses.js';
import { explain, type SlackEdge } from '../../edge.js';

import { ACTIONS } from '../../ids.js';
import { updateView } from '../../modal.js';
import { tellUser } from '../../tell.js';
import type { Target } from './stop.js';

/** A process that has not confirmed by then is slow, or gone without a word. */
const CONFIRM_WAIT_MS = 12_000;

export interface PauseAsked {
  readonly target: Target;
  readonly name: string;
  readonly by: string;
  readonly reason: string;
  readonly pending: 'freeze' | 'cancel';
  readonly taken: PauseTaken;
}

export function pausedView(
  { target, name, by, reason, pending, taken }: PauseAsked,
  confirmation: PausedReport['confirmation'],
  gaveUp: boolean,
): View {
  const { at, waiting, running } = taken;
  const scope =
    target.kind === 'all' ? 'all' : target.kind === 'caller' ? `caller:${target.name}` : target.key;
  return pausedModal({
    what: name,
    by,
    at,
    reason,
    pending,
    waiting,
    confirmation,
    gaveUp,
    running: running.map((call) => ({
      executionId: call._id,
      functionTitle: call.functionTitle,
      connectionName: call.connectionName,
      callerName: call.callerName,
      seconds: Math.max(0, Math.round((at.getTime() - (call.startedAt ?? at).getTime()) / 1_000)),
    })),
    resume: `/connections resume ${said(scope, 60)}`,
  });
}

/** Says in the open modal what was confirmed, as soon as it is. */
export async function followConfirmation(edge: SlackEdge, viewId: string, asked: PauseAsked): Promise<void> {
  const confirmation = await edge.services.pauses.confirmed(asked.taken.version, CONFIRM_WAIT_MS);
  await updateView(edge, viewId, pausedView(asked, confirmation, true));
}

/** One more step of lifting the kill switch. @throws AppError `forbidden` */
export async function resumeAll(edge: SlackEdge, userId: string): Promise<ReturnType<typeof resumeMessage>> {
  await edge.services.roles.require(userId, 'admin');
  return resumeMessage(await edge.services.pauses.resume({ kind: 'user', id: userId }, { kind: 'all' }));
}

export function registerPaused(edge: SlackEdge): void {
  edge.app.action(ACTIONS.resumeNext, async ({ ack, action, body, respond }) => {
    await ack();
    try {
      const { resuming } = await edge.services.settings.get();
      const seen = action.type === 'button' ? action.value : null;
      // Pressed twice, or by two people at once: nobody skips a step.
      if (resuming !== seen) throw new Error('stale');
      await respond({
        response_type: 'ephemeral',
        replace_original: true,
        ...(await resumeAll(edge, body.user.id)),
      });
    } catch (error) {
      const stale = error instanceof Error && error.message === 'stale';
      const text = stale
        ? ':warning: Somebody else went on, or paused it again. `/connections resume all` says where it stands.'
        : explained(explain(error, edge.log));
      await tellUser(edge, { user: body.user }, text);
    }
  });
}
