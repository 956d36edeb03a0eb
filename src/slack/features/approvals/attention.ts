/** "I have it". */
import { explained } from '../../../../blocks/parts/text.js';
import type { SlackEdge } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS } from '../../ids.js';
import { noteRefusal } from '../../refusals.js';
import { tellUser } from '../../tell.js';
import { notOurs, parseTarget } from './handlers.js';

export function registerAttention(edge: SlackEdge): void {
  onClick(edge, ACTIONS.looking, async ({ userId, value, body }) => {
    const target = parseTarget(value);
    const problem = target
      ? await edge.services.attention.toggle(target.executionId, userId)
      : (await notOurs('button')).reason;
    if (problem === null) return;
    if (target) await noteRefusal(problem, { kind: 'execution', id: target.executionId });
    await tellUser(edge, body, explained(problem));
  });
}
