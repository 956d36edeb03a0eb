/** The functions of a connection read again: what is different, and which are on from now on. */
import type { KnownBlock, View } from '@slack/types';
import type { Risk } from '../../models/types.js';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { modal, multiSelect, textInput } from '../parts/inputs.js';
import { context, divider, lines, said, section } from '../parts/text.js';
import { RISK_MARKS } from '../parts/words.js';
import { type FunctionChoice, functionGroups } from './functions.js';

export interface RereadForm {
  readonly connection: { readonly id: string; readonly name: string };
  /** Where it was read from before; null when it was pasted. */
  readonly documentUrl: string | null;
}

export function rereadModal({ connection, documentUrl }: RereadForm): View {
  return modal({
    title: 'Read functions again',
    callback: VIEWS.connectionReread,
    submit: 'Read',
    metadata: { connection: connection.id },
    blocks: [
      section(
        `The OpenAPI document of *${said(connection.name, 80)}* is read again and compared. Nothing changes before you have seen what is different.`,
      ),
      textInput({
        block: 'openapi',
        label: 'OpenAPI document',
        optional: documentUrl !== null,
        multiline: true,
        hint:
          documentUrl === null
            ? 'Its address, or the document itself. It was pasted before, so nothing says where it is.'
            : `Left empty, it is read from ${documentUrl}`,
        placeholder: 'https://api.example.com/openapi.json',
      }),
    ],
  });
}

/** A function that is another one now, or gone. */
export interface AffectedLine {
  readonly name: string;
  readonly title: string;
  readonly risk: Risk;
  readonly enabled: boolean;
  /** What changed, a few words each; empty for one that is gone. */
  readonly what: readonly string[];
}

export interface FunctionReview {
  readonly draftId: string;
  readonly name: string;
  readonly changed: readonly AffectedLine[];
  readonly removed: readonly AffectedLine[];
  readonly unchanged: number;
  readonly added: number;
  /** Every function that there would be. */
  readonly functions: readonly FunctionChoice[];
  readonly picked: readonly string[];
  readonly notes: readonly string[];
  /** The owner may look; an admin applies. */
  readonly mayApply: boolean;
}

/** Those that were on are all named, and so many of them described; a view ends at 250 kB. */
const MOST_DESCRIBED = 30;
const MOST_OFF = 10;
const MOST_NOTES = 10;

function affectedLines(title: string, all: readonly AffectedLine[]): string[] {
  if (all.length === 0) return [];
  const on = all.filter(({ enabled }) => enabled);
  const off = all.filter(({ enabled }) => !enabled);
  const named = on.slice(MOST_DESCRIBED).map(({ name }) => `• \`${name}\` · *is on*`);
  const rest = off.length > MOST_OFF ? [`…and ${off.length - MOST_OFF} more that are off`] : [];
  return [
    title,
    ...on.slice(0, MOST_DESCRIBED).map(affectedLine),
    ...named,
    ...off.slice(0, MOST_OFF).map(affectedLine),
    ...rest,
  ];
}

function affectedLine({ name, title, risk, enabled, what }: AffectedLine): string {
  const how = what.length === 0 ? '' : `\n    ${said(what.join(' · '), 200)}`;
  return `• \`${name}\` ${said(title, 60)} · ${RISK_MARKS[risk]}${enabled ? ' · *is on*' : ''}${how}`;
}

function summaryText({ name, changed, removed, unchanged, added }: FunctionReview): string {
  const first = changed.length + removed.length + unchanged === 0;
  if (first) return `*${said(name, 80)}* offers ${added} functions. All are off until you pick them.`;
  const rest = `${unchanged} as before, ${added} more on offer.`;
  if (changed.length + removed.length === 0)
    return `*${said(name, 80)}*: nothing that it has is different. ${rest}`;
  return `*${said(name, 80)}*: ${changed.length} changed, ${removed.length} gone, ${rest}`;
}

function consequences({ changed, removed, mayApply }: FunctionReview): KnownBlock[] {
  const on = [...changed, ...removed].filter(({ enabled }) => enabled).length;
  if (on === 0) return [];
  const those = on === 1 ? '1 of them is on' : `${on} of them are on`;
  return [
    section(
      `:warning: ${those}. A changed function is off from now on unless ${mayApply ? 'you pick it below' : 'the admin who applies this picks it'}. Requests that wait for approval of a function that changed or is gone are refused when they would run, also if they were approved. Rules and access go by name: they hold for a changed function that is picked.`,
    ),
  ];
}

export function functionReviewModal(review: FunctionReview): View {
  const { changed, removed, functions, picked, notes, mayApply } = review;
  const offered = functionGroups(functions);
  const moreNotes = notes.length > MOST_NOTES ? [`• …and ${notes.length - MOST_NOTES} more`] : [];
  return modal({
    title: 'What is different',
    callback: VIEWS.connectionReview,
    ...(mayApply && { submit: 'Apply' }),
    metadata: { draft: review.draftId },
    blocks: [
      section(summaryText(review)),
      ...lines(affectedLines('*Changed*', changed)),
      ...lines(affectedLines('*Gone*', removed)),
      ...consequences(review),
      ...(mayApply && functions.length > 0
        ? [
            multiSelect({
              block: 'functions',
              label: 'Functions that are on from now on',
              optional: true,
              hint: 'The fewer, the safer: a caller sees exactly these.',
              groups: offered,
              initial: picked,
              search: ACTIONS.functionSearch,
            }),
          ]
        : []),
      ...(mayApply ? [] : [context('As owner you may look. An admin applies it.')]),
      ...(notes.length === 0
        ? []
        : [
            divider,
            context('What it offers that we cannot use:'),
            ...lines([...notes.slice(0, MOST_NOTES).map((note) => `• ${said(note, 200)}`), ...moreNotes]),
          ]),
    ],
  });
}
