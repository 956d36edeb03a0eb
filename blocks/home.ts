/** App Home: what waits for me, what acts in my name, and, for admins, the first steps. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { slackTime } from './approval-card.js';
import { type ExecutionRow, executionRow } from './executions.js';
import { escapeMrkdwn, plain, visible } from './inert.js';

export interface WaitingApproval {
  readonly executionId: string;
  readonly hash: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly risk: string;
  readonly expiresAt: Date;
}

export interface MyAuthorization {
  readonly connectionName: string;
  readonly connectionKey: string;
  readonly account: string;
  /** Names connection and member for the button. */
  readonly subject: string;
  readonly callers: readonly { readonly name: string; readonly subject: string }[];
}

export interface HomeData {
  readonly waiting: readonly WaitingApproval[];
  readonly authorizations: readonly MyAuthorization[];
  readonly connections: readonly {
    readonly key: string;
    readonly name: string;
    readonly status: string;
    readonly purpose: string;
  }[];
  readonly executions: readonly ExecutionRow[];
  /** Only admins see the set-up; null when it is done or not theirs. */
  readonly setup: {
    readonly namedRoles: boolean;
    readonly channel: string | null;
    readonly anyConnection: boolean;
  } | null;
  readonly isAdmin: boolean;
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
const header = (text: string): KnownBlock => ({ type: 'header', text: plain(text, 150) });
const button = (action: string, text: string, payload: string, style?: 'primary' | 'danger') => ({
  type: 'button' as const,
  action_id: action,
  text: plain(text, 75),
  value: payload,
  ...(style ? { style } : {}),
});

const SHOWN = 10;

function setup({ namedRoles, channel, anyConnection }: NonNullable<HomeData['setup']>): KnownBlock[] {
  const mark = (done: boolean): string => (done ? ':white_check_mark:' : ':white_circle:');
  return [
    header('Set up Siesta Connections'),
    section('Three steps, and agents can ask:'),
    section(`${mark(namedRoles)} *Name admins and auditors.* Until then, workspace owners are admins.`),
    section(
      `${mark(channel !== null)} *Choose the approvals channel*${channel ? `: <#${channel}>` : ', where cards are posted besides DMs'}.`,
    ),
    section(`${mark(anyConnection)} *Add the first connection.*`),
    {
      type: 'actions',
      block_id: 'setup',
      elements: [
        button(
          'settings.open',
          'Roles and channel',
          'setup',
          namedRoles && channel !== null ? undefined : 'primary',
        ),
        button('connection.add', 'Add a connection', 'setup', anyConnection ? undefined : 'primary'),
      ],
    },
    { type: 'divider' },
  ];
}

function waiting(items: readonly WaitingApproval[]): KnownBlock[] {
  const blocks: KnownBlock[] = [header('Waiting for me')];
  if (items.length === 0)
    return [...blocks, context('Nothing waits for you. Cards come to you by DM as well.')];
  for (const item of items.slice(0, SHOWN)) {
    blocks.push({
      type: 'section',
      block_id: `waiting:${item.executionId}`,
      text: {
        type: 'mrkdwn',
        verbatim: true,
        text: `*${value(item.functionTitle)}* on ${value(item.connectionName)}\n${value(item.callerName)} · ${item.risk} · expires ${slackTime(item.expiresAt)}`,
      },
      accessory: button('approval.details', 'Details', `${item.executionId}:${item.hash}`),
    });
  }
  if (items.length > SHOWN)
    blocks.push(context(`and ${items.length - SHOWN} more: \`/approvals\` lists them.`));
  return blocks;
}

function authorizations(items: readonly MyAuthorization[]): KnownBlock[] {
  const blocks: KnownBlock[] = [header('Acting in my name')];
  if (items.length === 0) {
    return [
      ...blocks,
      context(
        'No private connection of yours is connected. An agent that needs one asks you by DM; or use `/connections connect KEY`.',
      ),
    ];
  }
  for (const item of items.slice(0, SHOWN)) {
    blocks.push({
      type: 'section',
      text: {
        type: 'mrkdwn',
        verbatim: true,
        text: `*${value(item.connectionName)}* as ${value(item.account)}`,
      },
      accessory: {
        ...button('authorization.revoke', 'Disconnect', item.subject, 'danger'),
        confirm: {
          title: plain('Disconnect?', 100),
          text: plain('The stored credential is deleted at once. Calls in your name stop.', 300),
          confirm: plain('Disconnect', 30),
          deny: plain('Keep', 30),
        },
      },
    });
    if (item.callers.length === 0) blocks.push(context('No caller may act for you yet.'));
    for (const caller of item.callers.slice(0, 5)) {
      blocks.push({
        type: 'section',
        text: { type: 'mrkdwn', verbatim: true, text: `• *${value(caller.name)}* may act for you` },
        accessory: button('consent.revoke', 'Stop', caller.subject),
      });
    }
    if (item.callers.length > 5) blocks.push(context(`and ${item.callers.length - 5} more callers`));
  }
  return blocks;
}

export function homeView(data: HomeData): View {
  const shown = data.connections.slice(0, SHOWN);
  const blocks: KnownBlock[] = [
    ...(data.setup ? setup(data.setup) : []),
    ...waiting(data.waiting),
    { type: 'divider' },
    ...authorizations(data.authorizations),
    { type: 'divider' },
    header('Connections'),
    ...(shown.length === 0
      ? [
          context(
            data.isAdmin
              ? 'There is none yet. `/connections add` makes the first.'
              : 'There is none that you can see yet. Admins add them with `/connections add`.',
          ),
        ]
      : shown.map(
          (each): KnownBlock => ({
            type: 'section',
            text: {
              type: 'mrkdwn',
              verbatim: true,
              text: `*${value(each.name)}* · ${each.status}\n${value(each.purpose).slice(0, 300) || '_no purpose written_'}`,
            },
            accessory: button('connection.open', 'Open', each.key),
          }),
        )),
    ...(data.connections.length > SHOWN
      ? [context(`and ${data.connections.length - SHOWN} more: \`/connections\` lists them.`)]
      : []),
    { type: 'divider' },
    header('Recent executions'),
    ...(data.executions.length === 0
      ? [context('Nothing has run yet.')]
      : data.executions.slice(0, 5).map(executionRow)),
  ];
  return { type: 'home', callback_id: 'home', blocks: blocks.slice(0, 100) };
}

/** The answer to `/approvals`. */
export function approvalList(items: readonly WaitingApproval[]): { text: string; blocks: KnownBlock[] } {
  const blocks = waiting(items);
  return { text: items.length === 0 ? 'Nothing waits for you.' : `${items.length} waiting for you`, blocks };
}
