/** DMs to a member about her own identity: connect, allow, refuse, the code, and how it ended. Pure. */
import type { KnownBlock } from '@slack/types';
import { slackTime } from './approval-card.js';
import { escapeMrkdwn, excerpt, quote, visible } from './inert.js';

export interface WaitingCall {
  readonly executionId: string;
  readonly functionTitle: string;
  readonly reason: string | null;
}

export interface AuthorizationDm {
  readonly connectionName: string;
  readonly connectionKey: string;
  readonly connectorTitle: string;
  readonly isPrivate: boolean;
  /** Null when she connects without a caller asking. */
  readonly callerName: string | null;
  /** Names member, connection and caller for the buttons; the handler checks the clicking user against it. */
  readonly subject: string;
  readonly waiting: readonly WaitingCall[];
  readonly state:
    | { readonly kind: 'connect'; readonly url: string; readonly expiresAt: Date; readonly again: boolean }
    | { readonly kind: 'consent'; readonly account: string | null }
    | { readonly kind: 'connected'; readonly account: string | null; readonly callerAllowed: boolean }
    | { readonly kind: 'refused' }
    | { readonly kind: 'over' };
}

const value = (text: string): string => escapeMrkdwn(visible(text));
const section = (text: string): KnownBlock => ({
  type: 'section',
  text: { type: 'mrkdwn', text, verbatim: true },
});
const context = (text: string): KnownBlock => ({
  type: 'context',
  elements: [{ type: 'mrkdwn', text, verbatim: true }],
});
const plainText = (text: string) => ({ type: 'plain_text' as const, text, emoji: false });

function calls(dm: AuthorizationDm): KnownBlock[] {
  const shown = dm.waiting.slice(0, 5);
  const blocks = shown.flatMap((call) => [
    context(`Waiting: *${value(call.functionTitle)}* · \`${call.executionId}\``),
    ...(call.reason ? [quote(excerpt(call.reason, 300).shown)] : []),
  ]);
  const left = dm.waiting.length - shown.length;
  return left > 0 ? [...blocks, context(`and ${left} more`)] : blocks;
}

const REFUSE = 'authorization.refuse';

export function authorizationMessage(dm: AuthorizationDm): { text: string; blocks: KnownBlock[] } {
  const name = value(dm.connectionName);
  const caller = dm.callerName === null ? null : value(dm.callerName);
  const refuse = {
    type: 'button' as const,
    action_id: REFUSE,
    text: plainText('Refuse'),
    value: dm.subject,
    style: 'danger' as const,
  };
  switch (dm.state.kind) {
    case 'connect': {
      const { url, expiresAt, again } = dm.state;
      const who = caller ? `*${caller}* wants to act for you on *${name}*. ` : '';
      const what = again
        ? `Your connection to *${name}* has ended; connect it again.`
        : `Connect *your own* account to *${name}*.`;
      const text = `${caller ? `${caller} wants to act for you on ${name}` : `Connect ${name}`}: open the link in this DM`;
      return {
        text,
        blocks: [
          section(`${who}${what} Nobody else can use it, and every write is confirmed by you, here.`),
          ...calls(dm),
          {
            type: 'actions',
            block_id: 'authorization',
            elements: [
              {
                type: 'button',
                action_id: 'authorization.connect',
                text: plainText(`Connect ${dm.connectorTitle}`.slice(0, 75)),
                url,
                style: 'primary',
              },
              {
                type: 'button',
                action_id: 'authorization.new_link',
                text: plainText('New link'),
                value: dm.subject,
              },
              ...(caller ? [refuse] : []),
            ],
          },
          context(`The link is for you alone, works once, and until ${slackTime(expiresAt)}.`),
        ],
      };
    }
    case 'consent':
      return {
        text: `${caller ?? 'A caller'} wants to act for you on ${name}: allow or refuse`,
        blocks: [
          section(
            `*${caller ?? 'A caller'}* wants to act for you on *${name}*${dm.state.account ? ` (${value(dm.state.account)})` : ''}. ${
              dm.isPrivate ? 'Every write is still confirmed by you, here.' : 'Writes still need an approver.'
            }`,
          ),
          ...calls(dm),
          {
            type: 'actions',
            block_id: 'authorization',
            elements: [
              {
                type: 'button',
                action_id: 'authorization.allow',
                text: plainText('Allow'),
                value: dm.subject,
                style: 'primary',
              },
              refuse,
            ],
          },
        ],
      };
    case 'connected': {
      const as = dm.state.account ? `connected as *${value(dm.state.account)}*` : 'allowed';
      const may = dm.state.callerAllowed && caller ? ` *${caller}* may act for you.` : '';
      return {
        text: `${name}: ${dm.state.account ? `connected as ${value(dm.state.account)}` : 'allowed'}`,
        blocks: [
          section(`:white_check_mark: *${name}*: ${as}.${may}`),
          context(
            `End it any time in the app’s Home tab, or with \`/connections disconnect ${value(dm.connectionKey)}\`.`,
          ),
        ],
      };
    }
    case 'refused':
      return {
        text: `${name}: you refused ${caller ?? 'the caller'}`,
        blocks: [
          section(
            `:no_entry: You refused *${caller ?? 'the caller'}* on *${name}*. What it asked for was ended as denied.`,
          ),
        ],
      };
    case 'over':
      return {
        text: `${name}: nothing is waiting any more`,
        blocks: [section(`Nothing is waiting for you on *${name}* any more.`)],
      };
  }
}

export interface CodeDm {
  readonly connectionName: string;
  readonly account: string | null;
  /** Null when it was used or has expired. */
  readonly code: string | null;
  readonly finished: boolean;
  readonly expiresAt: Date;
}

/** The proof that the person in the browser is this Slack user. */
export function codeMessage(dm: CodeDm): { text: string; blocks: KnownBlock[] } {
  const name = value(dm.connectionName);
  if (dm.code === null) {
    const text = dm.finished ? `The code for ${name} was used.` : `The code for ${name} has expired.`;
    return { text, blocks: [context(text)] };
  }
  const account = dm.account ? ` as *${value(dm.account)}*` : '';
  return {
    text: `Your code for connecting ${name} is in this DM`,
    blocks: [
      section(
        `You are about to connect *${name}*${account}. To prove that it is you in the browser, type this code there:`,
      ),
      { type: 'header', text: plainText(`${dm.code.slice(0, 3)} ${dm.code.slice(3)}`) },
      context(
        `Works until ${slackTime(dm.expiresAt)}. If you did not start this, do nothing and tell an admin.`,
      ),
    ],
  };
}
