/**
 * The load report as a message. Pure. Its bars are text, for whoever cannot see the picture that comes with it
 * (`load-report-picture.ts`).
 */
import type { KnownBlock } from '@slack/types';
import type { LoadCounts, LoadReport } from '../models/types.js';
import { ACTIONS } from '../src/slack/ids.js';
import { preformatted } from './inert.js';
import { bar, cutTo, duration } from './parts/bars.js';
import { actions, button, context, header, lines, said, section } from './parts/text.js';

const BAR = 24;
const NAME_ROOM = 30;
const SMALL_BAR = 6;

const share = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${Math.round((part / whole) * 100)} %`;

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function chart({ days }: LoadReport): string {
  const largest = Math.max(...days.map(({ asked }) => asked), 0);
  return days
    .map(({ day, asked }) => {
      const weekday = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
      return `${weekday} ${day.slice(5)}  ${bar(asked, largest, BAR).padEnd(BAR)} ${asked}`;
    })
    .join('\n');
}

function table({ functions }: LoadReport): string {
  const largest = Math.max(...functions.map(({ asked }) => asked), 0);
  return functions
    .map((each) => {
      const name = cutTo(`${each.connectionKey} ${each.function}`, NAME_ROOM).padEnd(NAME_ROOM);
      const ends = [
        ...(each.approved > 0 ? [`${each.approved} approved`] : []),
        ...(each.denied > 0 ? [`${each.denied} denied`] : []),
        ...(each.expired > 0 ? [`${each.expired} expired`] : []),
        ...(each.medianMs === null ? [] : [duration(each.medianMs)]),
      ];
      return `${name} ${bar(each.asked, largest, SMALL_BAR).padEnd(SMALL_BAR)} ${String(each.asked).padStart(3)}: ${ends.join(', ')}`;
    })
    .join('\n');
}

function totalsText({ asked, approved, denied, expired, cancelled, quick, medianMs }: LoadCounts): string {
  const decided = approved + denied;
  const open = asked - decided - expired - cancelled;
  return [
    `*${asked}* ${asked === 1 ? 'request' : 'requests'}: ${approved} approved, ${denied} denied, ${expired} expired (${share(expired, asked)}), ${cancelled} cancelled, ${open} open`,
    `*Time to decision:* ${medianMs === null ? 'nothing was decided' : `${duration(medianMs)} (median)`}`,
    `*Decided in under 3 s:* ${quick} (${share(quick, decided)})`,
  ].join('\n');
}

type Suggestion = LoadReport['suggestions'][number];

function advice({ kind, risk, connectionKey }: Suggestion): string {
  const where = `\`/connections policy ${connectionKey}\``;
  switch (kind) {
    case 'always_approved':
      if (risk === 'read') return `consider letting it run directly, with a limit an hour: ${where}`;
      return risk === 'destructive'
        ? `consider a condition that lets the usual cases pass: ${where}`
        : `consider a condition, or “Don’t ask again” for the usual cases: ${where}`;
    case 'always_denied':
      return `consider blocking it, and tell the caller’s owner: ${where}`;
    case 'often_expired':
      return `consider more approvers, a channel, or a second list that is asked later: ${where}`;
    case 'too_quick':
      return `nobody reads that fast. Consider asking only where it matters: ${where}`;
  }
}

const HAPPENED: Readonly<Record<Suggestion['kind'], string>> = {
  always_approved: 'was approved',
  always_denied: 'was denied',
  often_expired: 'expired unanswered',
  too_quick: 'was decided in under 3 s',
};

function suggestionText(suggestion: Suggestion): string {
  const { kind, connectionKey, function: name, count, of } = suggestion;
  return `• *${said(name, 60)}* (${said(connectionKey, 30)}) ${HAPPENED[kind]} ${count} of ${of} times: ${advice(suggestion)}`;
}

const NOTHING =
  '*Nobody was asked anything.* Calls that a policy wants approved are counted here; `/connections policy KEY` shows what a connection asks about.';

/** @param reader whether this admin gets it every week already */
export function loadReportMessage(
  report: LoadReport,
  reader: 'subscribed' | 'not_subscribed',
): { text: string; blocks: KnownBlock[] } {
  const { totals, functions, suggestions, from, to, cut } = report;
  const period = `${from.toISOString().slice(0, 10)} to ${to.toISOString().slice(0, 10)}`;
  const toggle =
    reader === 'subscribed'
      ? button('Stop the weekly report', ACTIONS.reportStop, 'report')
      : button('Send me this weekly', ACTIONS.reportWeekly, 'report');
  return {
    text: `Approvals, ${period}: ${totals.asked} ${totals.asked === 1 ? 'request' : 'requests'}`,
    blocks: [
      header('Approvals of the last seven days'),
      section(totals.asked > 0 ? totalsText(totals) : NOTHING),
      ...(totals.asked > 0
        ? [preformatted(chart(report)), section('*Asked most often*'), preformatted(table(report))]
        : []),
      ...(suggestions.length > 0
        ? lines(['*Worth a change?* Nothing changes by itself.', ...suggestions.map(suggestionText)])
        : functions.length > 0
          ? [context('No pattern that would call for another policy.')]
          : []),
      context(`${period}, days in UTC${cut ? ' · only the newest requests were counted' : ''}`),
      actions([toggle], 'report'),
    ],
  };
}
