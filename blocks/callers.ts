/** Callers: the list, the form of a new one, one caller in detail, and the link to its token. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { type Choice, modal, radio, select, textInput, userInput } from './parts/inputs.js';
import {
  actions,
  button,
  context,
  divider,
  header,
  lines,
  moment,
  person,
  said,
  section,
} from './parts/text.js';

export interface CallerRow {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly stage: 'test' | 'production';
  readonly ownerId: string;
  readonly paused: boolean;
}

export interface CallerList {
  readonly rows: readonly CallerRow[];
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly notice: string | null;
}

function rowBlock(row: CallerRow): KnownBlock {
  const paused = row.paused ? ' · :double_vertical_bar: paused' : '';
  return section(
    `*${said(row.name, 60)}* · ${row.kind} · ${row.stage} · ${person(row.ownerId)}${paused}`,
    button('Open', ACTIONS.callerOpen, row.id),
  );
}

/** At most twenty rows a page. */
export function callerListModal({ rows, total, page, pages, notice }: CallerList): View {
  const turn = [
    ...(page > 1 ? [actions([button('Previous', ACTIONS.callerPage, String(page - 1))], 'page.back')] : []),
    ...(page < pages ? [actions([button('Next', ACTIONS.callerPage, String(page + 1))], 'page.next')] : []),
  ];
  const range = pages > 1 ? `, page ${page} of ${pages}` : '';
  return modal({
    title: 'Callers',
    callback: VIEWS.callers,
    metadata: { page: String(page) },
    blocks: [
      ...(notice === null ? [] : [section(notice)]),
      section(
        total === 0
          ? '*No caller is registered yet.*\nA caller is an agent, workflow, skill or prompt. It gets a token of its own, and uses only what you give it access to.'
          : `*${total} callers${range}*`,
      ),
      ...rows.map(rowBlock),
      ...turn,
      actions([button('Add a caller', ACTIONS.callerAdd, 'new', { style: 'primary' })], 'add'),
    ],
  });
}

const KINDS: readonly Choice[] = [
  { value: 'agent', label: 'Agent' },
  { value: 'workflow', label: 'Workflow' },
  { value: 'skill', label: 'Skill' },
  { value: 'prompt', label: 'Prompt' },
];
const STAGES: readonly Choice[] = [
  { value: 'test', label: 'Test', description: 'May use drafts' },
  { value: 'production', label: 'Production', description: 'Uses ready connections only' },
];

export interface CallerForm {
  readonly ownerId: string;
}

export function callerAddModal({ ownerId }: CallerForm): View {
  return modal({
    title: 'Add a caller',
    callback: VIEWS.callerAdd,
    submit: 'Add',
    blocks: [
      textInput({ block: 'name', label: 'Name', max: 60, placeholder: 'Support agent' }),
      select({ block: 'kind', label: 'Kind', choices: KINDS, initial: 'agent' }),
      userInput({
        block: 'owner',
        label: 'Owner',
        hint: 'Answers for it. On shared connections the owner never approves its calls.',
        initial: ownerId,
      }),
      radio({ block: 'stage', label: 'Stage', choices: STAGES, initial: 'test' }),
    ],
  });
}

export interface CallerToken {
  readonly caller: { readonly id: string; readonly name: string };
  readonly url: string;
  /** In place of an older token, which no longer works. */
  readonly rotated: boolean;
}

export function callerTokenModal({ caller, url, rotated }: CallerToken): View {
  const first = rotated
    ? `:white_check_mark: *${said(caller.name, 60)}* has a new token. The old one stopped working.`
    : `:white_check_mark: *${said(caller.name, 60)}* is registered.`;
  return modal({
    title: 'Caller’s token',
    blocks: [
      section(
        `${first}\nIts token is shown once, on a web page. Copy it to where the caller keeps its secrets, never into Slack.`,
      ),
      actions([button('Show the token once', ACTIONS.linkOpened, 'link', { url, style: 'primary' })], 'link'),
      context('The link works once, for ten minutes, and only for you. If you miss it, rotate the token.'),
      actions([button('Show the caller', ACTIONS.callerShow, caller.id)], 'after'),
    ],
  });
}

export interface CallerDetail {
  readonly caller: CallerRow;
  readonly createdAt: Date;
  readonly tokenPrefix: string;
  readonly pause: { readonly by: string; readonly at: Date; readonly reason: string } | null;
  readonly access: readonly {
    readonly key: string;
    readonly name: string;
    readonly functions: number | null;
  }[];
  readonly hasConnections: boolean;
  readonly notice: string | null;
}

const MOST_CONNECTIONS = 50;

function accessLines(access: CallerDetail['access']): string[] {
  if (access.length === 0) return ['Nothing yet. Without access it sees no function at all.'];
  const shown = access.slice(0, MOST_CONNECTIONS).map(({ key, name, functions }) => {
    const what = functions === null ? 'all functions' : `${functions} functions`;
    return `• *${said(name, 80)}* \`${key}\` · ${what}`;
  });
  const rest = access.length - shown.length;
  return rest > 0 ? [...shown, `…and ${rest} more`] : shown;
}

export function callerDetailModal(detail: CallerDetail): View {
  const { caller, createdAt, tokenPrefix, pause, access, hasConnections, notice } = detail;
  const { id, name } = caller;
  return modal({
    title: 'Caller',
    callback: VIEWS.callerDetail,
    metadata: { caller: id },
    blocks: [
      ...(notice === null ? [] : [section(notice), divider]),
      header(name),
      context(
        `${caller.kind} · ${caller.stage} · owner ${person(caller.ownerId)} · since ${moment(createdAt)} · token \`${said(tokenPrefix, 20)}…\``,
      ),
      ...(pause
        ? [
            section(
              `:double_vertical_bar: *Paused* by ${person(pause.by)} since ${moment(pause.at)}: ${said(pause.reason, 300)}`,
            ),
          ]
        : []),
      ...lines(['*What it may call*', ...accessLines(access)]),
      actions(
        [
          ...(hasConnections
            ? [button('Give access', ACTIONS.callerGive, id, access.length === 0 ? { style: 'primary' } : {})]
            : []),
          pause
            ? button('Resume', ACTIONS.callerResume, id, { style: 'primary' })
            : button('Pause', ACTIONS.callerPause, id),
          button('Rotate token', ACTIONS.callerRotate, id, {
            confirm: {
              title: 'Rotate the token?',
              text: 'The old token stops working at once.',
              yes: 'Rotate',
            },
          }),
          button('Revoke', ACTIONS.callerRevoke, id, {
            style: 'danger',
            confirm: {
              title: 'Revoke this caller?',
              text: `${name} can call nothing any more, and its token never works again. This cannot be undone.`,
              yes: 'Revoke',
            },
          }),
        ],
        `do.${id}`,
      ),
    ],
  });
}

export interface CallerGiveForm {
  readonly caller: { readonly id: string; readonly name: string };
  readonly connections: readonly Choice[];
}

/** First which connection; then, in the access form, which of its functions. */
export function callerGiveModal({ caller, connections }: CallerGiveForm): View {
  const shown = connections.slice(0, 100);
  return modal({
    title: 'Give access',
    callback: VIEWS.callerGive,
    submit: 'Continue',
    metadata: { caller: caller.id },
    blocks: [
      section(`Which connection may *${said(caller.name, 60)}* use?`),
      select({ block: 'connection', label: 'Connection', choices: shown }),
      ...(connections.length > shown.length
        ? [
            context(
              `These are the first ${shown.length} of ${connections.length}. \`/connections access KEY\` gives access to any other.`,
            ),
          ]
        : []),
    ],
  });
}
