/** "I have it". */
import { explained } from '../../../../blocks/parts/text.js';
import type { SlackEdge } from '../../edge.js';
import { onClick } from '../../handle.js';
import { ACTIONS } from '../../ids.js';
import { tellUser } from '../../tell.js';
import { parseTarget } from './handlers.js';

export function registerAttention(edge: SlackEdge): void {
  onClick(edge, ACTIONS.looking, async ({ userId, value, body }) => {
    const target = parseTarget(value);
    if (!target) return;
    const problem = await edge.services.attention.toggle(target.executionId, userId);
    if (problem !== null) await tellUser(edge, body, explained(problem));
  });
}
