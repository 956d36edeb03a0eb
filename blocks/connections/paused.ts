/** What came of the kill switch: requested, confirmed by every process, and what still runs. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { modal } from '../parts/inputs.js';
import { actions, button, context, divider, lines, moment, person, said, section } from '../parts/text.js';

export interface RunningCall {
  readonly executionId: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  /** How long it has been running when the pause began. */
  readonly seconds: number;
}

export interface PausedReport {
  /** mrkdwn of ours, names in it made inert. */
  readonly what: string;
  readonly by: string;
  readonly at: Date;
  readonly reason: string;
  readonly pending: 'freeze' | 'cancel';
  /** Requests that wait for people. */
  readonly waiting: number;
  readonly confirmation: { readonly processes: number; readonly confirmed: number; readonly all: boolean };
  /** The time that it was waited for is over. */
  readonly gaveUp: boolean;
  readonly running: readonly RunningCall[];
  /** How it is ended, as typed. */
  readonly resume: string;
}

const MOST_RUNNING = 15;

function confirmed({ confirmation, gaveUp }: PausedReport): string {
  const { processes, confirmed: number, all } = confirmation;
  const count = `${number} of ${processes}`;
  if (all) return `:white_check_mark: *Confirmed by all processes* (${count}): nothing new begins.`;
  if (gaveUp)
    return `:warning: *Not confirmed by all processes yet* (${count}). It holds at the next claim of each all the same.`;
  return `:hourglass_flowing_sand: *Waiting for the confirmation of all processes* (${count})`;
}

export function pausedModal(report: PausedReport): View {
  const { what, by, at, reason, pending, waiting, running } = report;
  const fate =
    pending === 'freeze' ? 'their time stands still, and they have it back afterwards' : 'they are cancelled';
  const shown = running.slice(0, MOST_RUNNING);
  return modal({
    title: 'Paused',
    blocks: [
      section(`:double_vertical_bar: *${what} is paused*\n${said(reason, 300)}`),
      section(`:white_check_mark: *Requested* by ${person(by)} ${moment(at)}\n${confirmed(report)}`),
      section(
        waiting === 0 ? 'Nothing waits for people.' : `Requests that wait for people: ${waiting}; ${fate}.`,
      ),
      divider,
      ...(running.length === 0
        ? [section('*Nothing was running.*')]
        : [
            ...lines([
              `*${running.length === 1 ? 'One call was' : `${running.length} calls were`} on the way and not interrupted:*`,
              ...shown.map(
                (call) =>
                  `• ${said(call.functionTitle, 60)} on ${said(call.connectionName, 60)} by ${said(call.callerName, 60)}, for ${call.seconds} s · ${call.executionId}`,
              ),
              ...(running.length > shown.length ? [`and ${running.length - shown.length} more`] : []),
            ]),
          ]),
      context(`\`${report.resume}\` ends it.`),
    ],
  });
}

/** How the kill switch for everything stands: on, lifted in part, just lifted, or off. */
export type AllStands =
  | { readonly stage: 'paused'; readonly by: string; readonly at: Date; readonly reason: string }
  | { readonly stage: 'reads' | 'asks'; readonly at: Date }
  | { readonly stage: 'done' | 'off' };

/** What a button of it says that was seen; another pause, or another stage, is another button. */
export function seenOf({ stage, at }: Extract<AllStands, { readonly at: Date }>): string {
  return `${stage} ${at.toISOString()}`;
}

/** The answer to `/connections resume all`, and to its button: where it stands, and the next step. */
export function resumeMessage(stands: AllStands, notice?: string): { text: string; blocks: KnownBlock[] } {
  const { text, rest, next } = stepOf(stands);
  const all = [...(notice === undefined ? [] : [notice]), text];
  return {
    text: all.join('\n'),
    blocks: [
      section([...all, ...(rest === null ? [] : [rest])].join('\n')),
      ...(next === null || !('at' in stands)
        ? []
        : [actions([button(next, ACTIONS.resumeNext, seenOf(stands), { style: 'primary' })])]),
    ],
  };
}

function stepOf(stands: AllStands): { text: string; rest: string | null; next: string | null } {
  switch (stands.stage) {
    case 'paused': {
      const { by, at, reason } = stands;
      return {
        text: `:double_vertical_bar: *Everything is paused* by ${person(by)} since ${moment(at)}: ${said(reason, 300)}`,
        rest: 'It is lifted in three steps: reads that need no approval, then what needs approval, then the rest.',
        next: 'Resume reads',
      };
    }
    case 'reads':
      return {
        text: ':arrow_forward: Step 1 of 3: reads that need no approval run again.',
        rest: 'Everything else is still paused, and requests that wait for people stand still.',
        next: 'Next: what needs approval',
      };
    case 'asks':
      return {
        text: ':arrow_forward: Step 2 of 3: what needs approval runs again, and requests go on with the time that they had left.',
        rest: 'Writes that run without approval are still paused.',
        next: 'Next: the rest',
      };
    case 'done':
      return { text: ':arrow_forward: Everything runs again.', rest: null, next: null };
    case 'off':
      return {
        text: ':arrow_forward: There is no pause of everything.',
        rest: '`/connections resume KEY` and `/connections resume caller:NAME` lift that of a connection or a caller.',
        next: null,
      };
  }
}
