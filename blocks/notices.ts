/** DMs that are told once and never change. Pure. */
import type { KnownBlock } from '@slack/types';
import type { Notice, ToldOutcome } from '../models/types.js';
import { ACTIONS } from '../src/slack/ids.js';
import { loadReportMessage } from './load-report.js';
import { actions, button, lines, person, said } from './parts/text.js';
import { sentenceMessage } from './sentence.js';

const ENDED: Readonly<Record<ToldOutcome['status'], string>> = {
  succeeded: ':white_check_mark: *Done*',
  denied: ':no_entry: *Denied*',
  expired: ':alarm_clock: *Expired*',
  cancelled: ':heavy_minus_sign: *Cancelled*',
  failed: ':warning: *Failed*',
  outcome_unknown: ':question: *Outcome unknown*',
};

/** As much of a reason as tells whether to look. */
const NOTE_ROOM = 120;

function outcomesMessage({ items, more }: Extract<Notice, { kind: 'outcomes' }>) {
  const rows = items.map(({ status, functionTitle, connectionName, callerName, by, note, executionId }) => {
    const who = by === null ? '' : ` by ${person(by)}`;
    const why = note === null ? '' : ` · ${said(note, NOTE_ROOM)}`;
    return `${ENDED[status]}${who}: ${said(functionTitle, 60)} on ${said(connectionName, 60)}, asked by ${said(callerName, 40)}${why} · ${executionId}`;
  });
  const count = items.length + more;
  const text = count === 1 ? 'How a call of yours ended' : `How ${count} calls of yours ended`;
  const rest = more > 0 ? [`and ${more} more`] : [];
  return { text, blocks: lines([`*${text}*`, ...rows, ...rest, '`/executions show ID` has the details.']) };
}

function words(notice: Exclude<Notice, { kind: 'load_report' | 'outcomes' }>): string {
  switch (notice.kind) {
    case 'sentence':
      return notice.text;
    case 'nobody_can_decide': {
      const what = `*${said(notice.functionTitle)}* on *${said(notice.connectionName)}*`;
      const { left = 0, quorum = 1 } = notice;
      const who =
        left === 0
          ? 'Nobody is left who may decide'
          : `Only ${left} of the ${quorum} people needed may decide`;
      return `:warning: ${who} about ${what} (${notice.executionId}).\nName somebody with \`/connections policy ${notice.connectionKey}\`; until then nothing is approved.`;
    }
    case 'approval_voided':
      return `:pencil2: ${person(notice.by)} changed the arguments of *${said(notice.functionTitle)}* after you had approved it (${notice.executionId}). Your approval was for the old ones and no longer counts; the card shows the new ones.`;
    case 'needs_reconnect':
      return `:warning: *${notice.connectionKey}* needs to be connected again: its credential was refused. It keeps its id, its policy and its access.`;
    case 'needs_more_scopes':
      return `:warning: *${notice.connectionKey}* was asked for something that it has no consent for yet. Reconnect it, and the sign-in asks for what is missing.`;
    case 'credential_stored':
      return `:white_check_mark: Credential for *${said(notice.name)}* stored.\nIf that was not you, enter it anew and tell an admin.`;
    case 'connecting_failed': {
      const key = notice.connectionKey;
      const again = key === null ? '' : `\n\`/connections connect ${key}\` gives you a new link.`;
      return `:warning: Connecting ${key ?? 'a connection'} was not completed: ${said(notice.reason, 300)}. Nothing was stored.${again}`;
    }
  }
}

export function noticeMessage(notice: Notice): { text: string; blocks: KnownBlock[] } {
  if (notice.kind === 'outcomes') return outcomesMessage(notice);
  if (notice.kind === 'load_report') return loadReportMessage(notice.report, 'subscribed');
  const message = sentenceMessage(words(notice));
  if (notice.kind !== 'needs_reconnect' && notice.kind !== 'needs_more_scopes') return message;
  // The link itself is made at the click, so that a DM that was read late still works.
  const reconnect = button('Reconnect', ACTIONS.connectionReconnect, notice.connectionKey, {
    style: 'primary',
  });
  return { ...message, blocks: [...message.blocks, actions([reconnect], 'reconnect')] };
}
