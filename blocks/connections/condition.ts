/** "Only when": the common conditions of a rule, and what a rule would have done lately. Pure. */
import type { KnownBlock } from '@slack/types';
import { ACTIONS } from '../../src/slack/ids.js';
import { type Choice, select, textInput } from '../parts/inputs.js';
import { actions, button, context, divider, person, said, section } from '../parts/text.js';

export interface ConditionFields {
  readonly kind: string;
  readonly value: string;
  /** The condition in words, where it is none of the common ones; plain text. */
  readonly asIs: string | null;
}

const CHOICES: readonly Choice[] = [
  { value: 'always', label: 'Always' },
  { value: 'outside', label: 'A recipient is outside the company' },
  { value: 'recipients', label: 'There are more recipients than …', description: 'Value: a number' },
  { value: 'rows', label: 'There are more rows or items than …', description: 'Value: a number' },
  { value: 'amount', label: 'An amount is above …', description: 'Value: a number' },
  { value: 'hours', label: 'It is outside working hours', description: 'Value: the hours, like 8-18' },
  { value: 'caller', label: 'The caller is …', description: 'Value: its name' },
  { value: 'argument', label: 'An argument is …', description: 'Value: like project = OPS' },
];

export function conditionInputs({ kind, value, asIs }: ConditionFields): KnownBlock[] {
  const own = asIs === null ? [] : [{ value: 'as_is', label: 'As it is', description: asIs }];
  return [
    select({ block: 'when', label: 'Only when', choices: [...CHOICES, ...own], initial: kind }),
    textInput({
      block: 'when_value',
      label: 'Value',
      optional: true,
      hint: 'For the conditions above that end in “…”, and the working hours.',
      initial: value,
      max: 500,
    }),
  ];
}

export type ShownWarning =
  | {
      readonly kind: 'never_matches';
      readonly index: number;
      readonly why: 'covered' | 'turned_off' | 'no_such_risk';
    }
  | { readonly kind: 'allows_everything'; readonly index: number }
  | {
      readonly kind: 'quorum_too_large';
      readonly index: number;
      readonly quorum: number;
      readonly people: number;
    }
  | { readonly kind: 'group_empty'; readonly groupId: string }
  | { readonly kind: 'no_approver'; readonly functions: readonly string[] }
  | { readonly kind: 'approver_left'; readonly userId: string };

export interface ShownPreview {
  readonly days: number;
  readonly calls: number;
  readonly more: boolean;
  readonly asked: number;
  readonly direct: number;
  readonly blocked: number;
  readonly people: number;
  /** There may be others. */
  readonly morePeople: boolean;
  readonly askedThen: number;
}

const NAMED_FUNCTIONS = 6;

const UNREACHED = {
  covered: 'rules before it cover everything that it is about',
  turned_off: 'the functions that it names are turned off',
  no_such_risk: 'no function that is turned on and that it is about has such a risk',
} as const;

function warningText(warning: ShownWarning): string {
  switch (warning.kind) {
    case 'never_matches':
      return `Rule ${warning.index + 1} can never match: ${UNREACHED[warning.why]}.`;
    case 'allows_everything':
      return `Rule ${warning.index + 1} lets everything run directly.`;
    case 'no_approver': {
      const named = warning.functions.slice(0, NAMED_FUNCTIONS).map((name) => `\`${said(name, 42)}\``);
      const more = warning.functions.length - named.length;
      return `Nobody can approve ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}: no approver is named.`;
    }
    case 'quorum_too_large':
      return `Rule ${warning.index + 1} needs ${warning.quorum} approvals, and only ${warning.people === 1 ? 'one person' : `${warning.people} people`} on its lists can decide.`;
    case 'group_empty':
      return `Nobody in <!subteam^${warning.groupId}> can decide.`;
    case 'approver_left':
      return `${person(warning.userId)} is an approver, and cannot decide any more.`;
  }
}

const MOST_WARNINGS = 8;

export function warningBlocks(warnings: readonly ShownWarning[]): KnownBlock[] {
  const shown = warnings.slice(0, MOST_WARNINGS).map((each) => `:warning: ${warningText(each)}`);
  const more = warnings.length - shown.length;
  if (shown.length === 0) return [];
  return [section([...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'))];
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

function previewText(preview: ShownPreview): string {
  const { days, calls, more, asked, direct, blocked, people, morePeople, askedThen } = preview;
  if (calls === 0) return `*Preview:* there were no calls in the last ${days} days.`;
  const times = counted(asked, 'time', 'times');
  const which = more ? `the newest ${calls} calls of the last ${days} days` : `the last ${days} days`;
  return `*Preview:* in ${which} this policy would have asked *${times}*${asked > 0 ? `, ${morePeople ? 'at least ' : ''}${counted(people, 'person', 'people')}` : ''}. ${counted(direct, 'call', 'calls')} would have run directly, ${blocked} would have been blocked. In fact ${askedThen} were asked about.`;
}

export interface Found {
  /** Null where *Save* was pressed: then it is the warnings that she has to see. */
  readonly preview: ShownPreview | null;
  readonly warnings: readonly ShownWarning[];
}

function foundBlocks({ preview, warnings }: Found): KnownBlock[] {
  if (preview) return [section(previewText(preview)), ...warningBlocks(warnings)];
  return [
    section('*It is not saved yet.* Look at this first; *Save* once more saves it as it is.'),
    ...warningBlocks(warnings),
  ];
}

/** Under the inputs: the button, and what it found. */
export function previewBlocks(connectionId: string, found: Found | null): KnownBlock[] {
  return [
    divider,
    ...(found ? foundBlocks(found) : []),
    actions([button('Preview', ACTIONS.rulePreview, connectionId)], 'preview'),
    context('What this would have asked in the last 7 days. Nothing is saved by it.'),
  ];
}
