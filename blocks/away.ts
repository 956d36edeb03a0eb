/** While away: the part of App Home, and the form that names a delegate. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { dateInput, modal, userInput } from './parts/inputs.js';
import { button, day, person, section } from './parts/text.js';

export interface Absence {
  readonly delegateId: string;
  readonly until: Date;
}

export function awayBlocks(absence: Absence | null): KnownBlock[] {
  if (absence === null) {
    return [
      section(
        '*While I am away*\nSomebody else can decide what waits for you.',
        button('Name a delegate', ACTIONS.awaySet, 'away'),
      ),
    ];
  }
  const { delegateId, until } = absence;
  // It ends at midnight: the day that was chosen is the one before.
  const lastDay = new Date(until.getTime() - 1);
  return [
    section(
      `*While I am away*\n:palm_tree: ${person(delegateId)} decides for you until the end of ${day(lastDay)}.`,
      button('I am back', ACTIONS.awayEnd, 'away'),
    ),
  ];
}

/** @param initial day of the end, YYYY-MM-DD */
export function awayModal(initial: {
  readonly delegateId: string | null;
  readonly day: string | null;
}): View {
  return modal({
    title: 'While I am away',
    callback: VIEWS.away,
    submit: 'Save',
    blocks: [
      section(
        'Until the end of the last day your delegate is asked besides you, and may decide for you: by the same rules, and never about her own requests. Calls in your own name stay with you.',
      ),
      userInput({ block: 'delegate', label: 'Delegate', initial: initial.delegateId }),
      dateInput({
        block: 'until',
        label: 'Last day',
        hint: 'It ends at midnight after that day, where you are.',
        initial: initial.day,
      }),
    ],
  });
}
