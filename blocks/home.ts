/** App Home: what waits for me, what acts in my name, and, for admins, the first steps. Pure. */
import type { KnownBlock, MrkdwnElement, PlainTextElement, View } from '@slack/types';
import type { Risk } from '../models/types.js';
import { ACTIONS } from '../src/slack/ids.js';
import { type Absence, awayBlocks } from './away.js';
import { doneInMyNameBlocks } from './done-in-my-name.js';
import { type ExecutionRow, executionRow } from './executions.js';
import { type GrantList, grantsAtHome } from './grants.js';
import { plain, visible } from './inert.js';
import { type MyAuthorization, myAuthorizationBlocks } from './my-authorizations.js';
import { momentOf, type ShownField } from './parts/arguments.js';
import { actions, button, channel, context, divider, header, moment, said, section } from './parts/text.js';
import { MORE_WAIT, RISK_MARKS } from './parts/words.js';
import { proofBlocks } from './second-proof.js';

/** Code points of a value in a list, with its label. */
const HINT = 80;

export interface WaitingApproval {
  readonly executionId: string;
  readonly hash: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly risk: Risk;
  readonly expiresAt: Date;
  /** The kill switch: its time stands still. */
  readonly frozen?: boolean;
  /** How many ask the very same; absent for one. */
  readonly count?: number;
  /** What tells it from the others: values as the caller gave them. */
  readonly about?: readonly Pick<ShownField, 'label' | 'value' | 'kind'>[];
}

export interface WaitingList {
  /** Soonest to expire first. */
  readonly rows: readonly WaitingApproval[];
  /** Besides these, others wait as well. */
  readonly more: boolean;
}

export interface HomeData {
  readonly waiting: WaitingList;
  readonly authorizations: readonly MyAuthorization[];
  readonly connections: readonly {
    readonly key: string;
    readonly name: string;
    readonly status: string;
    readonly purpose: string;
  }[];
  /** Newest first. */
  readonly doneInMyName: { readonly rows: readonly ExecutionRow[]; readonly more: boolean };
  /** What she may see of others' calls. */
  readonly executions: readonly ExecutionRow[];
  /** Only admins see the set-up; null when it is done or not theirs. */
  readonly setup: {
    readonly namedRoles: boolean;
    readonly channel: string | null;
    readonly anyConnection: boolean;
  } | null;
  readonly isAdmin: boolean;
  /** Who decides for her at present; null while she is there. */
  readonly away?: Absence | null;
  /** What is not asked again: hers, or everybody's for an admin. */
  readonly grants?: GrantList;
  /** Since when she has a second proof. */
  readonly proofSince: Date | null;
}

/** Together with `SHOWN_AT_HOME`, and with everything full, these stay below the hundred blocks of a view. */
export const SHOWN = { waiting: 10, done: 5, connections: 7, executions: 5 } as const;

const MOST_LISTED = 40;
const COMES_BY_DM = 'What has to be decided comes to you by DM as well.';

/** As much of a list as Home shows, and where the rest is. */
function part<T>(
  items: readonly T[],
  most: number,
  rest: string,
  draw: (item: T) => readonly KnownBlock[],
): KnownBlock[] {
  const left = items.length - most;
  return [
    ...items.slice(0, most).flatMap(draw),
    ...(left > 0 ? [context(`and ${left} more${rest === '' ? '' : `: ${rest}`}`)] : []),
  ];
}

function setup({ namedRoles, channel: route, anyConnection }: NonNullable<HomeData['setup']>): KnownBlock[] {
  const steps = [
    {
      id: 'roles',
      done: namedRoles,
      title: 'Name admins and auditors',
      about: 'Until then, workspace owners are admins.',
      next: { text: 'Name them', action: ACTIONS.settingsOpen },
    },
    {
      id: 'channel',
      done: route !== null,
      title: `Choose the approvals channel${route === null ? '' : `: ${channel(route)}`}`,
      about: 'Cards are posted there, besides the DMs to approvers.',
      next: { text: 'Choose it', action: ACTIONS.settingsOpen },
    },
    {
      id: 'connection',
      done: anyConnection,
      title: 'Add the first connection',
      about: 'A system that agents may use, and on what terms.',
      next: { text: 'Add a connection', action: ACTIONS.connectionAdd },
    },
  ];
  const first = steps.find(({ done }) => !done);
  return [
    header('Set up Siesta Connections'),
    ...steps.map((step) => {
      const { id, done, title, about, next } = step;
      if (done) return section(`:white_check_mark: *${title}*`);
      const style = step === first ? ({ style: 'primary' } as const) : {};
      const row = section(
        `:white_circle: *${title}*\n${about}`,
        button(next.text, next.action, 'setup', style),
      );
      return { ...row, block_id: `setup.${id}` };
    }),
    divider,
  ];
}

export function waitingRow(item: WaitingApproval): KnownBlock {
  const until = item.frozen
    ? ':double_vertical_bar: paused, its time stands still'
    : `expires ${moment(item.expiresAt)}`;
  const terms = [RISK_MARKS[item.risk], said(item.callerName, 60), until];
  const { about = [] } = item;
  const row = section(
    `${item.count && item.count > 1 ? `${item.count} × ` : ''}*${said(item.functionTitle)}* on ${said(item.connectionName)}\n${terms.join(' · ')}`,
    button('Details', ACTIONS.details, `${item.executionId}:${item.hash}`),
  );
  return {
    ...row,
    ...(about.length > 0 ? { fields: about.map(hint) } : {}),
    block_id: `waiting:${item.executionId}`,
  };
}

/** A value of the caller's in one line; what is cut is counted. */
function hint(field: NonNullable<WaitingApproval['about']>[number]): PlainTextElement | MrkdwnElement {
  const label = plain(field.label, 30, 'ellipsis').text;
  const at = momentOf(field);
  if (at !== null)
    return { type: 'mrkdwn', text: `${said(label)}: ${moment(new Date(at * 1_000))}`, verbatim: true };
  const line = field.value
    .trim()
    .replace(/\s*\n\s*/g, ' ⏎ ')
    .replace(/\s+/g, ' ');
  return plain(`${label}: ${visible(line)}`, HINT);
}

/** How many requests, each counted. */
export function howMany({ rows, more }: WaitingList): string {
  return `${rows.reduce((sum, { count }) => sum + (count ?? 1), 0)}${more ? '+' : ''}`;
}

/** A list in which each has its own tick, where there is more than one to decide. */
function severalButton(list: WaitingList): KnownBlock[] {
  return ['0', '1'].includes(howMany(list))
    ? []
    : [actions([button('Decide several', ACTIONS.batchOpen, 'waiting')], 'approvals.several')];
}

function waiting(list: WaitingList): KnownBlock[] {
  const { rows } = list;
  if (rows.length === 0) return [header('Waiting for me'), context(`Nothing. ${COMES_BY_DM}`)];
  return [
    header(`Waiting for me (${howMany(list)})`),
    ...part(rows, SHOWN.waiting, '`/approvals` lists them', (item) => [waitingRow(item)]),
    ...severalButton(list),
  ];
}

function authorizations(items: readonly MyAuthorization[]): KnownBlock[] {
  const title = header('My authorizations');
  if (items.length > 0) return [title, ...myAuthorizationBlocks(items)];
  return [
    title,
    context(
      'Nobody acts in your name, and none of your own accounts is connected. A caller that needs one asks you by DM; `/connections connect KEY` connects one now.',
    ),
  ];
}

const STATUS_MARKS: Readonly<Record<string, string>> = {
  ready: ':large_green_circle:',
  draft: ':white_circle:',
  paused: ':double_vertical_bar:',
};

function connections({ connections: items, isAdmin }: HomeData): KnownBlock[] {
  const title = header('Connections');
  if (items.length === 0) {
    const next = isAdmin ? '`/connections add` makes the first.' : 'Admins add them.';
    return [title, context(`There is none that you can use yet. ${next}`)];
  }
  return [
    title,
    ...part(items, SHOWN.connections, '`/connections` lists them', ({ key, name, status, purpose }) => [
      section(
        `${STATUS_MARKS[status] ?? ''} *${said(name)}* · ${status}\n${purpose.trim() === '' ? '_no purpose written_' : said(purpose, 200)}`.trim(),
        button('Open', ACTIONS.connectionOpen, key),
      ),
    ]),
  ];
}

export function homeView(data: HomeData): View {
  return {
    type: 'home',
    callback_id: 'home',
    blocks: [
      ...(data.setup ? setup(data.setup) : []),
      ...waiting(data.waiting),
      ...awayBlocks(data.away ?? null),
      divider,
      ...authorizations(data.authorizations),
      ...(data.grants ? grantsAtHome(data.grants) : []),
      divider,
      header('Done in my name'),
      ...doneInMyNameBlocks(data.doneInMyName.rows.slice(0, SHOWN.done), data.doneInMyName.more),
      divider,
      ...connections(data),
      divider,
      header('Other recent executions'),
      ...(data.executions.length === 0
        ? [context('None lately. `/executions` lists every one that you may see.')]
        : data.executions.slice(0, SHOWN.executions).map(executionRow)),
      divider,
      ...proofBlocks(data.proofSince),
    ],
  };
}

/** The answer to `/approvals`, and what the global shortcut shows. */
export function approvalList(list: WaitingList): { text: string; blocks: KnownBlock[] } {
  const { rows, more } = list;
  if (rows.length === 0) {
    const text = 'Nothing waits for you.';
    return { text, blocks: [section(`*${text}*`), context(COMES_BY_DM)] };
  }
  const hidden = more || rows.length > MOST_LISTED;
  return {
    text: `${howMany(list)} waiting for you`,
    blocks: [
      header(`Waiting for me (${howMany(list)})`),
      ...rows.slice(0, MOST_LISTED).map(waitingRow),
      ...(hidden ? [context(MORE_WAIT)] : []),
      ...severalButton(list),
    ],
  };
}
