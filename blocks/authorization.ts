/** DMs to a member about her own identity: connect, allow, refuse, the code, and how it ended. Pure. */
import type { KnownBlock } from '@slack/types';
import type { Approvers } from '../models/types.js';
import { ACTIONS } from '../src/slack/ids.js';
import { excerpt, quote } from './inert.js';
import { titleList, uncoveredBlocks } from './my-authorizations.js';
import { pausedWords } from './parts/attention.js';
import { actions, button, context, header, moment, said, section } from './parts/text.js';
import { approversText } from './parts/words.js';

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
  /** The lists of which somebody has to approve besides her; empty or absent where nobody has. */
  readonly further?: readonly Approvers[];
  /** Names those lists: what she allows, she allows knowing them. */
  readonly furtherHash?: string | null;
  /** Null when she connects without a caller asking. */
  readonly callerName: string | null;
  /** Names member, connection and caller for the buttons; the handler checks the clicking user against it. */
  readonly subject: string;
  readonly waiting: readonly WaitingCall[];
  /** The kill switch: the time of what waits stands still. */
  readonly paused: { readonly by: string; readonly reason: string } | null;
  readonly state:
    | { readonly kind: 'connect'; readonly url: string; readonly expiresAt: Date; readonly again: boolean }
    | { readonly kind: 'consent'; readonly account: string | null }
    | {
        readonly kind: 'connected';
        readonly account: string | null;
        readonly callerAllowed: boolean;
        /** Titles of the functions that her consent does not cover. */
        readonly uncovered: readonly string[];
        /** Calls that failed for that reason since she consented. */
        readonly failed: readonly { readonly callerName: string; readonly functionTitle: string }[];
      }
    | { readonly kind: 'refused' }
    /** Nothing waits any more; `because` is what became of the last call, in words. */
    | { readonly kind: 'over'; readonly because: string | null };
}

interface Message {
  text: string;
  blocks: KnownBlock[];
}
type Of<Kind extends AuthorizationDm['state']['kind']> = Extract<AuthorizationDm['state'], { kind: Kind }>;

const SHOWN_TITLES = 8;
const SHOWN_REASONS = 3;
/** Of further approvers: as many as fit into one section, however long. */
const SHOWN_LISTS = 2;
const ACTIONS_BLOCK = 'authorization';

/** What waits for her answer, and what the caller says about it. */
function waitingCalls(dm: AuthorizationDm): KnownBlock[] {
  if (dm.waiting.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { functionTitle } of dm.waiting) counts.set(functionTitle, (counts.get(functionTitle) ?? 0) + 1);
  const titles = [...counts].map(
    ([title, count]) => `*${said(title, 60)}*${count > 1 ? ` (${count} times)` : ''}`,
  );
  const left = titles.length - SHOWN_TITLES;
  const list = titles.slice(0, SHOWN_TITLES).join(', ');
  const reasons = dm.waiting.flatMap(({ reason }) => (reason ? [reason] : [])).slice(0, SHOWN_REASONS);
  return [
    context(`Waiting: ${list}${left > 0 ? ` and ${left} more` : ''}`),
    ...pausedBlocks(dm),
    ...(reasons.length > 0 ? [context(`*Said by ${callerOf(dm)}*, not checked`)] : []),
    ...reasons.map((reason) => quote(excerpt(reason, 300).shown)),
  ];
}

/** She may answer all the same: what she allows is the caller, for this call and later ones. */
function pausedBlocks({ paused, waiting }: AuthorizationDm): KnownBlock[] {
  if (!paused || waiting.length === 0) return [];
  const rest =
    'What waits for you: its time stands still, and it goes on after your answer once it is resumed.';
  return [context(`${pausedWords(paused)}\n${rest}`)];
}

/** The subject, and what she was told of further approvers. */
const allows = ({ subject, furtherHash }: AuthorizationDm): string =>
  furtherHash ? `${subject}|${furtherHash}` : subject;

const refuse = (dm: AuthorizationDm) =>
  button('Refuse', ACTIONS.authorizationRefuse, dm.subject, { style: 'danger' });
const callerOf = (dm: AuthorizationDm): string => (dm.callerName === null ? 'A caller' : said(dm.callerName));
const confirmsWrites = (dm: AuthorizationDm): string =>
  dm.isPrivate
    ? `Nobody else can use your account, and you confirm every write here.${besidesYou(dm.further ?? [])}`
    : 'Writes still need an approver.';

/** Told before she connects or allows: by that she consents to it. */
function besidesYou(lists: readonly Approvers[]): string {
  if (lists.length === 0) return '';
  const shown = lists.slice(0, SHOWN_LISTS).map((list) => `*one of* ${approversText(list)}`);
  const left = lists.length - shown.length;
  const who = `${shown.join(', or ')}${left > 0 ? `, or one of ${left} more lists` : ''}`;
  return `\n:eyes: Besides you, ${who} has to approve what an admin chose, and sees what it is about.`;
}

function connect(dm: AuthorizationDm, { url, expiresAt, again }: Of<'connect'>): Message {
  const name = said(dm.connectionName);
  const asked = dm.callerName === null ? '' : `*${callerOf(dm)}* wants to act for you on *${name}*.\n`;
  const what = again
    ? `Your account is no longer connected to *${name}*; connect it again.`
    : dm.callerName === null
      ? `Connect your own account to *${name}*.`
      : 'For that, connect your own account.';
  return {
    text:
      dm.callerName === null
        ? `Connect ${name}: the link is in this DM`
        : `${callerOf(dm)} wants to act for you on ${name}: the link is in this DM`,
    blocks: [
      section(`${asked}${what} ${confirmsWrites(dm)}`),
      ...waitingCalls(dm),
      actions(
        [
          button(`Connect ${dm.connectorTitle}`, ACTIONS.authorizationConnect, dm.subject, {
            url,
            style: 'primary',
          }),
          button('New link', ACTIONS.authorizationNewLink, dm.subject),
          ...(dm.callerName === null ? [] : [refuse(dm)]),
        ],
        ACTIONS_BLOCK,
      ),
      context(`:lock: The link is for you alone and works once, until ${moment(expiresAt)}.`),
    ],
  };
}

function consent(dm: AuthorizationDm, { account }: Of<'consent'>): Message {
  const name = said(dm.connectionName);
  const as = account ? ` as ${said(account)}` : '';
  return {
    text: `${callerOf(dm)} wants to act for you on ${name}: allow or refuse`,
    blocks: [
      section(`*${callerOf(dm)}* wants to act for you on *${name}*${as}.\n${confirmsWrites(dm)}`),
      ...waitingCalls(dm),
      actions(
        [button('Allow', ACTIONS.authorizationAllow, allows(dm), { style: 'primary' }), refuse(dm)],
        ACTIONS_BLOCK,
      ),
    ],
  };
}

/** What she lets a caller do here: as her account where it is private, as the connection itself where it is shared. */
function connected(dm: AuthorizationDm, state: Of<'connected'>): Message {
  const { account, callerAllowed, uncovered } = state;
  const name = said(dm.connectionName);
  const as = account ? `connected as ${said(account)}` : dm.isPrivate ? 'connected' : 'allowed';
  const may = callerAllowed && dm.callerName !== null ? `\n*${callerOf(dm)}* may act for you.` : '';
  const end = dm.isPrivate ? ` or with \`/connections disconnect ${dm.connectionKey}\`` : '';
  const asks = state.failed.length > 0;
  return {
    text: asks ? `${name}: your consent does not reach far enough; reconnect` : `${name}: ${as}`,
    blocks: [
      section(asks ? reachesTooLittle(dm, state) : `:white_check_mark: *${name}*: ${as}.${may}`),
      ...pausedBlocks(dm),
      ...uncoveredBlocks(uncovered),
      ...(dm.isPrivate
        ? [
            actions(
              [
                button(
                  'Reconnect',
                  ACTIONS.authorizationReconnect,
                  dm.subject,
                  asks || uncovered.length > 0 ? { style: 'primary' } : {},
                ),
              ],
              ACTIONS_BLOCK,
            ),
          ]
        : []),
      context(`You can end this any time in the app’s Home tab${end}.`),
    ],
  };
}

function reachesTooLittle({ connectionName }: AuthorizationDm, { account, failed }: Of<'connected'>): string {
  const callers = [...new Set(failed.map(({ callerName }) => callerName))];
  const rest = callers.length > 1 ? ` and ${callers.length - 1} more` : '';
  const tried = titleList([...new Set(failed.map(({ functionTitle }) => functionTitle))]);
  const as = account ? ` as ${said(account)}` : '';
  return `:key: *${said(callers[0] ?? 'A caller', 60)}*${rest} tried to use ${tried} on *${said(connectionName)}*${as}, which needs more than you have consented to. Nothing was done. Reconnect to allow it, or leave it as it is.`;
}

/** The one DM about a member, a connection and a caller, as it stands now. */
export function authorizationMessage(dm: AuthorizationDm): Message {
  const name = said(dm.connectionName);
  switch (dm.state.kind) {
    case 'connect':
      return connect(dm, dm.state);
    case 'consent':
      return consent(dm, dm.state);
    case 'connected':
      return connected(dm, dm.state);
    case 'refused':
      return {
        text: `${name}: you refused ${callerOf(dm)}`,
        blocks: [
          section(`:no_entry: You refused *${callerOf(dm)}* on *${name}*.\nWhat it asked for is denied.`),
        ],
      };
    case 'over':
      return {
        text: `${name}: nothing waits for you any more`,
        blocks: [
          section(`Nothing waits for you on *${name}* any more.`),
          ...(dm.state.because === null ? [] : [context(said(dm.state.because, 400))]),
        ],
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

/** The proof that the person in the browser is this Slack user. The code itself never stands in `text`. */
export function codeMessage(dm: CodeDm): Message {
  const name = said(dm.connectionName);
  if (dm.code === null) {
    const text = dm.finished ? `The code for ${name} was used.` : `The code for ${name} has expired.`;
    return { text, blocks: [context(text)] };
  }
  const account = dm.account ? ` as *${said(dm.account)}*` : '';
  return {
    text: `Your code for connecting ${name} is in this DM`,
    blocks: [
      section(
        `You are connecting *${name}*${account}. Type this code in the browser, to prove that it is you:`,
      ),
      header(`${dm.code.slice(0, 3)} ${dm.code.slice(3)}`),
      context(`Works until ${moment(dm.expiresAt)}. If you did not start this, tell an admin.`),
    ],
  };
}
