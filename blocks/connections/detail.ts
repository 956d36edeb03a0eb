/** `/connections show KEY`: everything that is to be known about a connection, and what can be done with it. */
import type { KnownBlock, View } from '@slack/types';
import type { Effect, Risk } from '../../models/types.js';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { type GrantRow, grantsOfConnection } from '../grants.js';
import { modal } from '../parts/inputs.js';
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
} from '../parts/text.js';
import { EFFECT_WORDS, type Question, questionText, RISK_MARKS } from '../parts/words.js';

export interface FunctionLine {
  readonly name: string;
  readonly title: string;
  readonly risk: Risk;
  readonly effect: Effect;
  /** How it is asked; null unless it needs approval. */
  readonly question: Question | null;
}

export interface AccessLine {
  readonly caller: string;
  readonly kind: string;
  readonly stage: 'test' | 'production';
  /** Null for all that are turned on. */
  readonly functions: number | null;
}

export interface ReadinessLine {
  readonly label: string;
  readonly done: boolean;
  readonly next: string;
}

export interface PauseNote {
  readonly by: string;
  readonly at: Date;
  readonly reason: string;
}

/** What everybody sees who may see the connection at all. */
export interface ConnectionSummary {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly connector: string;
  readonly identity: 'shared' | 'private';
  readonly purpose: string;
  readonly ownerId: string;
  readonly businessOwnerId: string | null;
  readonly status: 'draft' | 'ready';
  readonly paused: PauseNote | null;
  /** The viewer's own authorization of a private connection. */
  readonly mine: { readonly account: string } | null;
}

/** What admins and the owner see besides. */
export interface ConnectionManagement {
  readonly admin: boolean;
  /** Whose account it acts as; null while there is no credential, or when there is none to have. */
  readonly account: string | null;
  readonly signIn: string;
  readonly hasCredential: boolean;
  /** False where it signs in to nothing. */
  readonly entersCredential: boolean;
  /** Null where no credential is needed or each member has her own. */
  readonly credential: { readonly since: Date; readonly ageDays: number; readonly by: string } | null;
  /** Why somebody has to: the provider refused it, or not all that is asked for was granted. */
  readonly needsReconnect: 'refused' | 'scopes' | null;
  readonly health: string;
  readonly lastUsedAt: Date | null;
  /** Members who authorized a private connection. */
  readonly authorizations: number;
  /** The member whose own account is behind a shared connection. */
  readonly personalAccountOf: string | null;
  readonly scopes: { readonly needed: readonly string[]; readonly granted: readonly string[] | null };
  readonly scopesReviewedAt: Date | null;
  /** One page of them. */
  readonly functions: readonly FunctionLine[];
  readonly functionsFrom: number;
  readonly functionsTotal: number;
  /** Where functions can be read again: from the system itself, or from a document; null where they are fixed. */
  readonly functionsFromSource: 'document' | 'system' | null;
  readonly access: readonly AccessLine[];
  readonly visibility: string;
  readonly readiness: readonly ReadinessLine[];
  readonly grants?: readonly GrantRow[];
}

export interface ConnectionDetail {
  readonly summary: ConnectionSummary;
  readonly management: ConnectionManagement | null;
  /** What just happened: a test's outcome, a change. */
  readonly notice: string | null;
}

/** Functions on one page of the view. */
export const FUNCTIONS_PER_PAGE = 40;
const MOST_CALLERS = 20;
const MOST_SCOPES = 20;

function summaryBlocks({ summary, notice }: ConnectionDetail): KnownBlock[] {
  const { key, connector, identity, purpose, ownerId, businessOwnerId, paused } = summary;
  const status = summary.status === 'ready' ? ':white_check_mark: ready' : ':memo: draft';
  const business = businessOwnerId ? person(businessOwnerId) : ':warning: nobody yet';
  return [
    ...(notice === null ? [] : [section(notice), divider]),
    header(summary.name),
    context(`\`${key}\` · ${said(connector, 60)} · ${identity} · ${status}`),
    ...(paused
      ? [
          section(
            `:double_vertical_bar: *Paused* by ${person(paused.by)} since ${moment(paused.at)}: ${said(paused.reason, 300)}`,
          ),
        ]
      : []),
    section(purpose === '' ? '_No purpose is written yet._' : said(purpose, 500)),
    section(`*Owner* ${person(ownerId)}   *Business owner* ${business}`),
  ];
}

function ownBlocks({ id, identity, mine }: ConnectionSummary): KnownBlock[] {
  if (identity === 'shared') return [];
  if (mine === null) {
    return [
      section(
        '*Your account:* not connected. An agent that you allow can act for you once it is.',
        button('Connect my account', ACTIONS.connectionConnect, id),
      ),
    ];
  }
  return [
    section(
      `*Your account:* connected as ${said(mine.account, 100)}`,
      button('Disconnect', ACTIONS.connectionDisconnect, id, {
        style: 'danger',
        confirm: {
          title: 'Disconnect your account?',
          text: 'Its credential is deleted at once, and no agent can act for you here any more.',
          yes: 'Disconnect',
        },
      }),
    ),
  ];
}

function identityText({ identity }: ConnectionSummary, management: ConnectionManagement): string {
  if (identity === 'private') {
    const count = management.authorizations;
    const members = count === 1 ? '1 member has' : `${count} members have`;
    return `Acts as each member · private · ${members} authorized it`;
  }
  if (management.account !== null) return `Acts as *${said(management.account, 100)}* · shared`;
  if (!management.hasCredential) return ':warning: No credential is entered yet · shared';
  return `Acts with the credential that was entered (${said(management.signIn, 60)}) · shared`;
}

const RECONNECT = {
  refused: 'its credential was refused.',
  scopes: 'not all that is asked for was granted.',
} as const;

function identityBlocks(summary: ConnectionSummary, management: ConnectionManagement): KnownBlock[] {
  const { credential, personalAccountOf } = management;
  const age = credential
    ? `\nCredential entered by ${person(credential.by)} ${moment(credential.since)}, ${credential.ageDays} days old`
    : '';
  const used = management.lastUsedAt ? moment(management.lastUsedAt) : 'never';
  const reconnect = management.needsReconnect
    ? `\n:warning: *Needs reconnect:* ${RECONNECT[management.needsReconnect]}`
    : '';
  return [
    divider,
    section(
      `*Identity*\n${identityText(summary, management)}${age}${reconnect}\nHealth: ${said(management.health, 60)} · last used ${used}`,
    ),
    ...(personalAccountOf === null
      ? []
      : [
          section(
            `:warning: *A personal account is behind this shared connection:* it is that of ${person(personalAccountOf)}. Everybody’s calls act as this person, and stop when the account goes. Use a service or business account.`,
          ),
        ]),
    ...scopeBlocks(management),
  ];
}

function scopeLines(title: string, scopes: readonly string[]): string[] {
  const shown = scopes.slice(0, MOST_SCOPES).map((scope) => `• \`${said(scope, 120)}\``);
  const rest = scopes.length - shown.length;
  return [title, ...(shown.length === 0 ? ['none'] : shown), ...(rest > 0 ? [`…and ${rest} more`] : [])];
}

function scopeBlocks({ scopes, scopesReviewedAt }: ConnectionManagement): KnownBlock[] {
  const { needed, granted } = scopes;
  const reviewed = scopesReviewedAt ? `reviewed ${moment(scopesReviewedAt)}` : 'not reviewed yet';
  if (needed.length === 0 && granted === null) {
    return [
      section(
        `*Scopes* (${reviewed})\nIts credential has no scopes of its own: it may do what the account may do.`,
      ),
    ];
  }
  const missing = granted === null ? [] : needed.filter((scope) => !granted.includes(scope));
  const extra = granted === null ? [] : granted.filter((scope) => !needed.includes(scope));
  return [
    ...lines(scopeLines(`*Scopes needed* (${reviewed})`, needed)),
    ...(granted === null ? [] : lines(scopeLines('*Granted*', granted))),
    ...(missing.length > 0 ? lines(scopeLines(':warning: *Missing*', missing)) : []),
    ...(extra.length > 0 ? lines(scopeLines(':warning: *More than needed*', extra)) : []),
  ];
}

function functionLine(fn: FunctionLine): string {
  return `• \`${fn.name}\` ${said(fn.title, 75)} · ${RISK_MARKS[fn.risk]}`;
}

function noFunctionsText({ functionsFromSource: source, hasCredential }: ConnectionManagement): string {
  const none = 'None is turned on yet, so nothing can be called.';
  if (source !== 'system') return none;
  const first = hasCredential ? '' : 'Enter the credential first. ';
  return `${none}\n:point_right: ${first}*Read functions again* asks the system what it offers; pick there what is turned on.`;
}

/** Functions that are treated alike stand under one line that says how. */
function functionBlocks(summary: ConnectionSummary, management: ConnectionManagement): KnownBlock[] {
  const { functions, functionsFrom, functionsTotal } = management;
  if (functionsTotal === 0) return [divider, section(`*Functions*\n${noFunctionsText(management)}`)];
  const alike = new Map<string, FunctionLine[]>();
  for (const fn of functions) {
    const how = fn.question ? ` ${questionText(fn.question, summary.identity)}` : '';
    const heading = `*${EFFECT_WORDS[fn.effect]}*${how}`;
    alike.set(heading, [...(alike.get(heading) ?? []), fn]);
  }
  const to = functionsFrom + functions.length;
  const range = functionsTotal > functions.length ? ` ${functionsFrom + 1}–${to} of ${functionsTotal}` : '';
  const page = (from: number): string => `${summary.id}:${from}`;
  return [
    divider,
    section(`*Functions*${range}`),
    ...[...alike].flatMap(([heading, group]) => lines([heading, ...group.map(functionLine)])),
    ...(functionsFrom > 0
      ? [
          actions(
            [
              button(
                'Functions before',
                ACTIONS.connectionMoreFunctions,
                page(Math.max(0, functionsFrom - FUNCTIONS_PER_PAGE)),
              ),
            ],
            'functions.back',
          ),
        ]
      : []),
    ...(to < functionsTotal
      ? [
          actions(
            [button(`${functionsTotal - to} more functions`, ACTIONS.connectionMoreFunctions, page(to))],
            'functions.next',
          ),
        ]
      : []),
  ];
}

function accessBlocks({ access, visibility }: ConnectionManagement): KnownBlock[] {
  const shown = access.slice(0, MOST_CALLERS).map(({ caller, kind, stage, functions }) => {
    const what = functions === null ? 'all functions' : `${functions} functions`;
    return `• *${said(caller, 60)}* · ${kind} · ${stage} · ${what}`;
  });
  const rest =
    access.length > shown.length
      ? [`…and ${access.length - shown.length} more: *Access* shows them all`]
      : [];
  const none = ['Nobody yet. *Access* gives a caller access.'];
  return [
    divider,
    ...lines(['*Who may call it*', ...(shown.length > 0 ? [...shown, ...rest] : none)]),
    section(`*Who sees it*\n${visibility}`),
  ];
}

function readinessBlocks({ readiness }: ConnectionManagement): KnownBlock[] {
  const done = readiness.filter((item) => item.done).length;
  return [
    divider,
    ...lines([
      `*Readiness: ${done} of ${readiness.length}*`,
      ...readiness.map(({ done: is, label, next }) =>
        is ? `:white_check_mark: ${label}` : `:white_circle: ${label} – ${said(next, 200)}`,
      ),
    ]),
  ];
}

function buttonBlocks(
  { id, name, paused }: ConnectionSummary,
  management: ConnectionManagement,
): KnownBlock[] {
  const { admin, hasCredential, entersCredential, needsReconnect, scopesReviewedAt } = management;
  const { functionsFromSource, functionsTotal } = management;
  const credential = needsReconnect || hasCredential ? 'Reconnect' : 'Enter credential';
  const todo = (open: boolean) => (open ? ({ style: 'primary' } as const) : {});
  const everyday = [
    ...(entersCredential
      ? [
          button(
            credential,
            ACTIONS.connectionSecretLink,
            id,
            todo(!hasCredential || needsReconnect !== null),
          ),
        ]
      : []),
    button('Test', ACTIONS.connectionTest, id),
    button('Edit', ACTIONS.connectionEdit, id),
    button('Policy', ACTIONS.connectionPolicy, id),
    ...(functionsFromSource === null
      ? []
      : [
          button(
            'Read functions again',
            ACTIONS.connectionReread,
            id,
            todo(functionsFromSource === 'system' && functionsTotal === 0 && hasCredential),
          ),
        ]),
    paused
      ? button('Resume', ACTIONS.connectionResume, id, { style: 'primary' })
      : button('Pause', ACTIONS.connectionPause, id),
  ];
  const setUp = [
    button('Functions', ACTIONS.connectionFunctions, id),
    button('Access', ACTIONS.connectionAccess, id),
    ...(scopesReviewedAt === null
      ? [
          button('Scopes reviewed', ACTIONS.connectionReviewScopes, id, {
            confirm: {
              title: 'Scopes reviewed?',
              text: 'You compared what is granted with what is needed, and nothing is granted that is not needed.',
              yes: 'Yes, reviewed',
            },
          }),
        ]
      : []),
    button('Remove', ACTIONS.connectionRemove, id, { style: 'danger' }),
  ];
  return [
    divider,
    actions(admin ? [...everyday, ...setUp] : everyday, `do.${id}`),
    context(`What happened on ${said(name, 80)}: \`/executions\``),
  ];
}

export function connectionDetailModal(detail: ConnectionDetail): View {
  const { summary, management } = detail;
  return modal({
    title: 'Connection',
    callback: VIEWS.connectionDetail,
    metadata: { connection: summary.id },
    blocks: [
      ...summaryBlocks(detail),
      ...ownBlocks(summary),
      ...(management
        ? [
            ...identityBlocks(summary, management),
            ...functionBlocks(summary, management),
            ...accessBlocks(management),
            ...grantsOfConnection(management.grants ?? []),
            ...readinessBlocks(management),
            ...buttonBlocks(summary, management),
          ]
        : []),
    ],
  });
}
