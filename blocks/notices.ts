/** DMs that are told once and never change. Pure. */
import type { KnownBlock } from '@slack/types';
import type { Notice } from '../models/types.js';
import { ACTIONS } from '../src/slack/ids.js';
import { actions, button, said } from './parts/text.js';
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
  const message = sentenceMessage(words(notice));
  if (notice.kind !== 'needs_reconnect' && notice.kind !== 'needs_more_scopes') return message;
  // The link itself is made at the click, so that a DM that was read late still works.
  const reconnect = button('Reconnect', ACTIONS.connectionReconnect, notice.connectionKey, {
    style: 'primary',
  });
  return { ...message, blocks: [...message.blocks, actions([reconnect], 'reconnect')] };
}
