/** Who may act in a member's name, as she sees it: in App Home, in full, and on the way to connecting again. Pure. */
import type { Button, KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { modal } from './parts/inputs.js';
import { actions, button, context, divider, moment, said, section } from './parts/text.js';

export interface AllowedCaller {
  readonly name: string;
  readonly allowedAt: Date;
  /** Names connection, member and caller for the button. */
  readonly subject: string;
}

export interface MyAuthorization {
  readonly connectionName: string;
  /** Names connection and member for the buttons; the handler checks the clicking user against it. */
  readonly subject: string;
  readonly identity:
    | { readonly kind: 'shared' }
    | {
        readonly kind: 'private';
        readonly account: string | null;
        readonly state: 'connected' | 'needs_reconnect';
      };
  /** Titles of the functions that her consent does not cover. */
  readonly uncovered: readonly string[];
  readonly callers: readonly AllowedCaller[];
}

const SHOWN_TITLES = 8;

/** "*Send a mail*, *Delete a mail* and 3 more". */
export function titleList(titles: readonly string[]): string {
  const left = titles.length - SHOWN_TITLES;
  const list = titles
    .slice(0, SHOWN_TITLES)
    .map((title) => `*${said(title, 60)}*`)
    .join(', ');
  return `${list}${left > 0 ? ` and ${left} more` : ''}`;
}

/** Which functions will not work, and what helps; nothing where the consent covers all of them. */
export function uncoveredBlocks(titles: readonly string[]): KnownBlock[] {
  if (titles.length === 0) return [];
  const [what, them] = titles.length === 1 ? ['This function', 'it'] : ['These functions', 'them'];
  return [
    context(
      `:warning: ${what} will not work, because your consent does not cover ${them}: ${titleList(titles)}. Reconnect, and leave every box ticked.`,
    ),
  ];
}

function standing({ identity }: MyAuthorization): string {
  if (identity.kind === 'shared')
    return ':busts_in_silhouette: shared · acts with its own identity, and in your name';
  const as = identity.account === null ? '' : ` as ${said(identity.account)}`;
  return identity.state === 'connected'
    ? `:large_green_circle: connected${as}`
    : `:red_circle: needs reconnect${as === '' ? '' : ` · was connected${as}`}`;
}

function callerRow({ name, allowedAt, subject }: AllowedCaller): KnownBlock {
  return section(
    `:robot_face: *${said(name, 60)}* may act for you · since ${moment(allowedAt)}`,
    button('Revoke', ACTIONS.consentRevoke, subject),
  );
}

function ownButtons({ identity, subject, uncovered }: MyAuthorization): Button[] {
  if (identity.kind === 'shared') return [];
  const needed = identity.state === 'needs_reconnect' || uncovered.length > 0;
  return [
    button('Reconnect', ACTIONS.authorizationReconnect, subject, needed ? { style: 'primary' } : {}),
    button('Disconnect', ACTIONS.authorizationRevoke, subject, {
      style: 'danger',
      confirm: {
        title: 'Disconnect?',
        text: 'The stored credential is deleted at once, and calls in your name stop.',
        yes: 'Disconnect',
      },
    }),
  ];
}

const heading = (item: MyAuthorization): KnownBlock[] => [
  section(`*${said(item.connectionName)}*\n${standing(item)}`),
  ...uncoveredBlocks(item.uncovered),
];

function callerBlocks({ callers }: MyAuthorization): KnownBlock[] {
  return callers.length === 0
    ? [context('No caller may act for you here. One that wants to asks you by DM first.')]
    : callers.map(callerRow);
}

function buttonBlocks(item: MyAuthorization): KnownBlock[] {
  const buttons = ownButtons(item);
  return buttons.length > 0 ? [actions(buttons)] : [];
}

/** One authorization with as many of the callers that it was given to as App Home has room for. */
function authorizationAtHome(item: MyAuthorization): KnownBlock[] {
  const callers = item.callers.slice(0, SHOWN_AT_HOME.callers);
  const left = item.callers.length - callers.length;
  return [
    ...heading(item),
    ...callerBlocks({ ...item, callers }),
    ...(left > 0 ? [context(`and ${left} more that may act for you: *Show all* lists them`)] : []),
    ...buttonBlocks(item),
  ];
}

/** What fits into App Home: at most nine blocks each for five, and one for all of them. */
export const SHOWN_AT_HOME = { authorizations: 5, callers: 5 } as const;

/** The part of App Home; without its header. */
export function myAuthorizationBlocks(items: readonly MyAuthorization[]): KnownBlock[] {
  const { authorizations, callers } = SHOWN_AT_HOME;
  const partial = items.length > authorizations || items.some((item) => item.callers.length > callers);
  return [
    ...items.slice(0, authorizations).flatMap(authorizationAtHome),
    ...(partial
      ? [
          actions(
            [button(`Show all ${items.length} authorizations`, ACTIONS.authorizationList, 'all')],
            'authorizations.all',
          ),
        ]
      : []),
  ];
}

const CALLERS_TOGETHER = 20;
/** A modal holds a hundred blocks, and below the page are a divider and the buttons. */
const PAGE_ROOM = 90;

/** Its blocks in pieces that stay together: how it stands is said in the first, and its buttons are in the last. */
function piecesOf(item: MyAuthorization): KnownBlock[][] {
  const rows = callerBlocks(item);
  const pieces: KnownBlock[][] = [];
  for (let from = 0; from < rows.length; from += CALLERS_TOGETHER) {
    const to = from + CALLERS_TOGETHER;
    pieces.push([
      ...(from === 0 ? heading(item) : []),
      ...rows.slice(from, to),
      ...(to >= rows.length ? buttonBlocks(item) : []),
    ]);
  }
  return pieces;
}

/** Every authorization with every caller, cut where a page is full; what goes on on the next says there whose it is. */
function pagesOf(items: readonly MyAuthorization[]): KnownBlock[][] {
  const pages: KnownBlock[][] = [[]];
  for (const item of items) {
    for (const [at, piece] of piecesOf(item).entries()) {
      const last = pages.at(-1) ?? [];
      if (last.length + piece.length <= PAGE_ROOM) last.push(...piece);
      else
        pages.push([...(at === 0 ? [] : [section(`*${said(item.connectionName)}*, continued`)]), ...piece]);
    }
  }
  return pages;
}

/** All of it. A page that is no longer there means the last one. */
export function myAuthorizationsModal(items: readonly MyAuthorization[], wanted: number): View {
  const pages = pagesOf(items);
  const page = Math.max(0, Math.min(Math.trunc(wanted), pages.length - 1));
  const turns = [
    ...(page > 0 ? [button('Back', ACTIONS.authorizationPageBack, String(page - 1))] : []),
    ...(page < pages.length - 1 ? [button('Next', ACTIONS.authorizationPageOn, String(page + 1))] : []),
  ];
  return modal({
    title: 'My authorizations',
    callback: VIEWS.authorizations,
    metadata: { page: String(page) },
    blocks: [
      ...(items.length === 0
        ? [section('Nothing and nobody acts in your name any more.')]
        : (pages[page] ?? [])),
      ...(turns.length > 0 ? [divider, actions(turns, 'authorizations.turn')] : []),
    ],
  });
}

export interface Reconnect {
  readonly connectionName: string;
  readonly connectorTitle: string;
  readonly subject: string;
  /** The account that it is; another one is refused. */
  readonly account: string | null;
  readonly uncovered: readonly string[];
  /** Made for this drawing and nothing else. */
  readonly url: string;
  readonly expiresAt: Date;
}

export function reconnectModal(reconnect: Reconnect): View {
  const { connectionName, connectorTitle, subject, account, url, expiresAt } = reconnect;
  const as = account === null ? '' : ` Use the same account as before: *${said(account)}*.`;
  return modal({
    title: 'Reconnect',
    callback: VIEWS.authorizationReconnect,
    blocks: [
      section(
        `Connect your own account to *${said(connectionName)}* again.${as} The callers that may act for you stay the same.`,
      ),
      ...uncoveredBlocks(reconnect.uncovered),
      actions(
        [
          button(`Connect ${connectorTitle}`, ACTIONS.authorizationConnect, subject, {
            url,
            style: 'primary',
          }),
          button('New link', ACTIONS.authorizationReconnect, subject),
        ],
        'reconnect',
      ),
      context(`:lock: The link is for you alone and works once, until ${moment(expiresAt)}.`),
    ],
  });
}
