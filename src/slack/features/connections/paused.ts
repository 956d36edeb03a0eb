/** The kill switch at work: what was asked for, and, apart from that, what all processes have confirmed. */
import type { View } from '@slack/types';
import {
  type AllStands,
  type PausedReport,
  pausedModal,
  resumeMessage,
} from '../../../../blocks/connections/paused.js';
import { explained, said } from '../../../../blocks/parts/text.js';
import type { PauseTaken } from '../../../services/pauses.js';
import type { PauseOfAll } from '../../../services/settings.js';
import { explain, type SlackEdge } from '../../edge.js';

import { ACTIONS } from '../../ids.js';
import { updateView } from '../../modal.js';
import { tellUser } from '../../tell.js';
import type { Target } from './stop.js';

/** A process that has not confirmed by then is slow, or gone without a word. */
const CONFIRM_WAIT_MS = 12_000;
const STALE =
  ':warning: Somebody else went on, or paused it again, so nothing was lifted. This is how it stands now:';

type ResumeMessage = ReturnType<typeof resumeMessage>;

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

/** Says where the kill switch stands, and lifts nothing: its button does. @throws AppError `forbidden` */
export async function howAllStands(edge: SlackEdge, userId: string): Promise<ResumeMessage> {
  await edge.services.roles.require(userId, 'admin');
  return resumeMessage(await standsNow(edge));
}

/** One more step of lifting the kill switch, from the one that the button shows. @throws AppError `forbidden` */
async function liftFurther(edge: SlackEdge, userId: string, value: string): Promise<ResumeMessage> {
  const { pauses, roles } = edge.services;
  await roles.require(userId, 'admin');
  const seen = seenIn(value);
  const stage = seen
    ? await pauses.resume({ kind: 'user', id: userId }, { kind: 'all', seen })
    : ('stale' as const);
  if (stage === 'stale' || !seen) return resumeMessage(await standsNow(edge), STALE);
  return resumeMessage(stage === 'done' ? { stage } : { stage, at: seen.at });
}

async function standsNow(edge: SlackEdge): Promise<AllStands> {
  const { paused, resuming } = await edge.services.settings.get();
  if (!paused) return { stage: 'off' };
  const { by, at, reason } = paused;
  return resuming ? { stage: resuming, at } : { stage: 'paused', by, at, reason };
}

/** What a button was drawn from; null for one of an older version. */
function seenIn(value: string): PauseOfAll | null {
  const [, stage, since = ''] = /^(paused|reads|asks) (\S+)$/.exec(value) ?? [];
  const at = new Date(since);
  if (Number.isNaN(at.getTime())) return null;
  return { at, lifted: stage === 'reads' || stage === 'asks' ? stage : null };
}

export function registerPaused(edge: SlackEdge): void {
  edge.app.action(ACTIONS.resumeNext, async ({ ack, action, body, respond }) => {
    await ack();
    try {
      const value = action.type === 'button' ? (action.value ?? '') : '';
      const message = await liftFurther(edge, body.user.id, value);
      await respond({ response_type: 'ephemeral', replace_original: true, ...message });
    } catch (error) {
      await tellUser(edge, { user: body.user }, explained(explain(error, edge.log)));
    }
  });
}
