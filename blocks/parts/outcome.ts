/** What a person has said about an unknown outcome, on cards and in details. */
import type { Button, KnownBlock } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { excerpt, quote } from '../inert.js';
import { button, context, moment, person, section } from './text.js';

export interface ShownResolution {
  readonly outcome: 'applied' | 'not_applied';
  readonly by: string;
  readonly at: Date;
  readonly note: string | null;
}

/** On cards and in details of an execution whose outcome is unknown. */
export interface ShownOutcome {
  readonly executionId: string;
  readonly resolution: ShownResolution | null;
  /** The execution that asks again. */
  readonly replacedBy: string | null;
}

const SAID = {
  applied: ':white_check_mark: *It happened*',
  not_applied: ':heavy_minus_sign: *It did not happen*',
} as const;

/** What a person has said, and whether it is asked again. */
export function outcomeBlocks({ resolution, replacedBy }: ShownOutcome): KnownBlock[] {
  return [
    ...(resolution
      ? [
          section(`${SAID[resolution.outcome]}, says ${person(resolution.by)} · ${moment(resolution.at)}`),
          ...(resolution.note ? [quote(excerpt(resolution.note, 500).shown)] : []),
        ]
      : []),
    ...(replacedBy ? [context(`:repeat: Asked again as ${replacedBy}`)] : []),
  ];
}

/** Opens the window; nothing where there is nothing left to say or ask. */
export function outcomeButton({ executionId, resolution, replacedBy }: ShownOutcome): Button[] {
  if (resolution && (resolution.outcome === 'applied' || replacedBy)) return [];
  return [button(resolution ? 'Ask again' : 'Find out', ACTIONS.outcomeFind, executionId)];
}
