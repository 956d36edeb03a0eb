/** "Don't ask for this again": the form that makes a grant, and the lists that grants stand in. Pure. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../src/slack/ids.js';
import { modal, multiSelect, numberInput, radio } from './parts/inputs.js';
import { button, context, divider, header, moment, person, said, section } from './parts/text.js';

export interface GrantForm {
  readonly executionId: string;
  /** First 8 hex digits of the digest. */
  readonly hash: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  readonly actingAs: string;
  /** Making the grant approves the request as well. */
  readonly approves: boolean;
  readonly choices: readonly {
    readonly name: string;
    readonly kind: 'equals' | 'domain';
    readonly shown: string;
    readonly preselected: boolean;
  }[];
  readonly needsLimit: boolean;
}

const LASTS = [
  { value: 'hour', label: 'For one hour' },
  { value: 'day', label: 'For one day' },
  { value: 'uses', label: 'For a number of calls', description: 'As many as below, within seven days' },
];

export function grantForm(form: GrantForm): View {
  const { choices, approves } = form;
  const limits = choices.map(({ name, kind, shown }, index) => ({
    value: String(index),
    label: kind === 'domain' ? `Same domain of ${name}: ${shown}` : `Same ${name}: ${shown}`,
  }));
  const which =
    choices.length === 0
      ? 'as long as they have no argument that this call lacks'
      : 'as long as *everything chosen below* stays the same and they have no argument that this call lacks';
  return modal({
    title: 'Don’t ask again',
    callback: VIEWS.grant,
    submit: approves ? 'Approve and remember' : 'Remember',
    metadata: { execution: form.executionId, hash: form.hash },
    blocks: [
      section(
        `*What will no longer be asked*\nCalls of *${said(form.functionTitle)}* on *${said(form.connectionName)}* by *${said(form.callerName)}*, acting as ${said(form.actingAs)}, ${which}. All other calls are asked as before.`,
      ),
      radio({ block: 'lasts', label: 'How long', choices: LASTS, initial: 'hour' }),
      numberInput({
        block: 'uses',
        label: 'Number of calls',
        optional: true,
        hint: 'Only for “For a number of calls”: 1 to 100.',
        initial: 10,
        min: 1,
        max: 100,
      }),
      ...(limits.length === 0
        ? []
        : [
            multiSelect({
              block: 'limits',
              label: 'Only where this stays the same',
              optional: !form.needsLimit,
              groups: [{ label: 'Arguments of this call', choices: limits }],
              initial: choices.flatMap(({ preselected }, index) => (preselected ? [String(index)] : [])),
              search: ACTIONS.functionSearch,
            }),
          ]),
      context(
        'It ends at once when the policy, the credential or the function changes. App Home and the connection list it; *Revoke* there takes it back.',
      ),
    ],
  });
}

export interface GrantRow {
  readonly id: string;
  readonly functionTitle: string;
  readonly connectionName: string;
  readonly callerName: string;
  /** Names of arguments that must be as they were; of addresses, their domain. */
  readonly same: readonly string[];
  readonly domains: readonly { readonly name: string; readonly domain: string }[];
  readonly grantedBy: string;
  readonly expiresAt: Date;
  readonly usesLeft: number | null;
}

const NAMED_LIMITS = 6;

function limitsText({ same, domains }: GrantRow): string {
  const all = [
    ...domains.map(({ name, domain }) => `${said(name, 40)} at ${said(domain, 60)}`),
    ...same.map((name) => `the same ${said(name, 40)}`),
  ];
  if (all.length === 0) return 'whatever its arguments say';
  const more = all.length - NAMED_LIMITS;
  return `only with ${all.slice(0, NAMED_LIMITS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function grantRow(row: GrantRow): KnownBlock {
  const uses = row.usesLeft === null ? [] : [`${row.usesLeft} ${row.usesLeft === 1 ? 'call' : 'calls'} left`];
  const about = [`until ${moment(row.expiresAt)}`, ...uses, `by ${person(row.grantedBy)}`];
  return {
    ...section(
      `*${said(row.functionTitle)}* on ${said(row.connectionName)} for *${said(row.callerName, 60)}*: ${limitsText(row)}\n${about.join(' · ')}`,
      button('Revoke', ACTIONS.grantRevoke, row.id),
    ),
    block_id: `grant:${row.id}`,
  };
}

export interface GrantList {
  readonly rows: readonly GrantRow[];
  /** An admin sees everybody's. */
  readonly everybodys: boolean;
}

const SHOWN_AT_HOME = 3;
/** Of the hundred blocks of a view. */
const MOST_LISTED = 90;

/** In App Home: nothing at all while there is none. */
export function grantsAtHome({ rows, everybodys }: GrantList): KnownBlock[] {
  if (rows.length === 0) return [];
  const left = rows.length - SHOWN_AT_HOME;
  return [
    divider,
    header(everybodys ? 'Not asked again' : 'Not asked again, because of me'),
    ...rows.slice(0, SHOWN_AT_HOME).map(grantRow),
    ...(left > 0 ? [section(`and ${left} more`, button('Show all', ACTIONS.grantList, 'all'))] : []),
  ];
}

/** In the detail view of a connection. */
export function grantsOfConnection(rows: readonly GrantRow[]): KnownBlock[] {
  if (rows.length === 0) return [];
  const left = rows.length - SHOWN_AT_HOME;
  return [
    section('*Not asked again*'),
    ...rows.slice(0, SHOWN_AT_HOME).map(grantRow),
    ...(left > 0 ? [context(`and ${left} more: App Home lists them`)] : []),
  ];
}

export function grantsModal({ rows }: GrantList): View {
  const left = rows.length - MOST_LISTED;
  return modal({
    title: 'Not asked again',
    callback: VIEWS.grants,
    blocks: [
      ...(rows.length === 0
        ? [
            section('*There is none.* Whatever a policy asks about is asked.'),
            context(
              'Where the policy allows it, a card offers *Don’t ask again…*; what is made there is listed here.',
            ),
          ]
        : []),
      ...rows.slice(0, MOST_LISTED).map(grantRow),
      ...(left > 0 ? [context(`and ${left} more, made before these`)] : []),
    ],
  });
}
