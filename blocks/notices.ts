/** DMs that are told once and never change. Pure. */
import type { KnownBlock } from '@slack/types';
import type { Notice } from '../models/types.js';
import { said } from './parts/text.js';
import { sentenceMessage } from './sentence.js';

function words(notice: Notice): string {
  switch (notice.kind) {
    case 'sentence':
      return notice.text;
    case 'nobody_can_decide': {
      const what = `*${said(notice.functionTitle)}* on *${said(notice.connectionName)}*`;
      return `:warning: Nobody is left who may decide about ${what} (${notice.executionId}).\nName somebody with \`/connections policy ${notice.connectionKey}\`; until then nothing is approved.`;
    }
    case 'needs_reconnect':
      return `:warning: *${notice.connectionKey}* needs to be connected again: its credential was refused.\n\`/connections show ${notice.connectionKey}\` has the Reconnect button.`;
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
  return sentenceMessage(words(notice));
}
