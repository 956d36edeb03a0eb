/** The policy of a connection: its rules in order, and the form of one rule. */
import type { KnownBlock, View } from '@slack/types';
import type { Effect, Risk, SecondProof } from '../../models/types.js';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import {
  type Choice,
  type ChoiceGroup,
  checkbox,
  modal,
  multiSelect,
  numberInput,
  radio,
  select,
} from '../parts/inputs.js';
import { actions, button, context, divider, lines, said, section } from '../parts/text.js';
import {
  EFFECT_WORDS,
  type Question,
  questionText,
  RISK_MARKS,
  TARGET_CHECK_WORDS,
  type TargetCheck,
} from '../parts/words.js';
import { type QuestionFields, questionInputs } from './approvers.js';
import {
  type ConditionFields,
  conditionInputs,
  previewBlocks,
  type ShownWarning,
  warningBlocks,
} from './condition.js';
import type { FunctionLine } from './detail.js';
import { type FurtherFields, furtherInputs } from './further.js';
import { type WaitingFields, waitingInputs } from './waiting.js';

export interface RuleLine extends Question {
  readonly id: string;
  readonly functions: readonly string[] | null;
  readonly risks: readonly Risk[] | null;
  readonly effect: Effect;
  readonly limitPerHour?: number | null;
  /** In words; plain text. */
  readonly condition?: string | null;
}

export interface PolicyOverview {
  readonly connection: {
    readonly id: string;
    readonly name: string;
    readonly identity: 'shared' | 'private';
  };
  readonly version: number;
  readonly rules: readonly RuleLine[];
  readonly functions: readonly FunctionLine[];
  /** May only tighten. */
  readonly ownerOnly: boolean;
  readonly notice: string | null;
  readonly warnings?: readonly ShownWarning[];
}

const MOST_RULES = 20;
const MOST_FUNCTIONS = 60;

export function scopeText({ functions, risks }: Pick<RuleLine, 'functions' | 'risks'>): string {
  const which =
    risks === null
      ? 'every function'
      : risks.length === 0
        ? 'no function'
        : `every ${risks.join(' and ')} function`;
  if (functions === null) return which;
  const shown = functions.slice(0, 6).map((name) => `\`${name}\``);
  const rest = functions.length > shown.length ? ` and ${functions.length - shown.length} more` : '';
  return shown.join(', ') + rest + (risks === null ? '' : ` when ${risks.join(' or ')}`);
}

function ruleBlocks(rule: RuleLine, index: number, { connection }: PolicyOverview): KnownBlock[] {
  const limit = rule.effect === 'allow' && rule.limitPerHour ? `, at most ${rule.limitPerHour} an hour` : '';
  const how = rule.effect === 'ask' ? ` ${questionText(rule, connection.identity)}` : limit;
  const value = `${connection.id}:${rule.id}`;
  return [
    section(
      `*${index + 1}.* ${scopeText(rule)}${rule.condition ? `, only when ${said(rule.condition, 300)}` : ''} → *${EFFECT_WORDS[rule.effect]}*${how}`,
    ),
    actions(
      [
        button('Change', ACTIONS.ruleEdit, value),
        ...(index > 0 ? [button('Move up', ACTIONS.ruleUp, value)] : []),
        button('Remove', ACTIONS.ruleRemove, value, {
          confirm: {
            title: 'Remove this rule?',
            text: 'What it covered falls under the next rule that fits. Requests that wait are asked again.',
            yes: 'Remove',
          },
        }),
      ],
      `rule.${rule.id}`,
    ),
  ];
}

export function connectionPolicyModal(overview: PolicyOverview): View {
  const { connection, rules, functions, version, ownerOnly, notice } = overview;
  const shown = rules.slice(0, MOST_RULES);
  const listed = functions.slice(0, MOST_FUNCTIONS);
  const results = listed.map((fn) => `• \`${fn.name}\` ${RISK_MARKS[fn.risk]} → ${EFFECT_WORDS[fn.effect]}`);
  const more = functions.length - listed.length;
  return modal({
    title: 'Policy',
    callback: VIEWS.connectionPolicy,
    metadata: { connection: connection.id },
    blocks: [
      ...(notice === null ? [] : [section(notice), divider]),
      section(
        `*${said(connection.name, 80)}* · policy version ${version}\nThe first rule that fits a call decides. Where none fits, reads run directly and everything else needs approval.`,
      ),
      ...(ownerOnly ? [context('As owner you may tighten the policy. An admin may relax it.')] : []),
      ...warningBlocks(overview.warnings ?? []),
      ...(rules.length === 0 ? [section('_There are no rules yet._')] : []),
      ...shown.flatMap((rule, index) => ruleBlocks(rule, index, overview)),
      ...(rules.length > shown.length
        ? [
            section(
              `…and ${rules.length - shown.length} more rules. \`npm run admin -- connection:show\` prints them all.`,
            ),
          ]
        : []),
      actions([button('Add a rule', ACTIONS.ruleAdd, connection.id, { style: 'primary' })], 'add'),
      divider,
      ...lines([
        '*What that means now*',
        ...(results.length > 0 ? results : ['No function is turned on yet.']),
        ...(more > 0 ? [`…and ${more} more: the connection’s own view shows them all`] : []),
      ]),
    ],
  });
}

/** What a rule is about, as the form offers it; `as_is`: as it was stored, with risks that are none of these kinds. */
export type RuleScope = 'all' | 'reads' | 'writes' | 'destructive' | 'functions' | 'as_is';

const SCOPES: readonly (Choice & { value: RuleScope })[] = [
  { value: 'writes', label: 'All writes, destructive ones too' },
  { value: 'destructive', label: 'All destructive functions' },
  { value: 'reads', label: 'All reads' },
  { value: 'all', label: 'Every function' },
  { value: 'functions', label: 'The functions chosen below' },
];

function scopeAsItIs(description: string): Choice & { value: RuleScope } {
  return { value: 'as_is', label: 'As it is', description };
}

const EFFECTS: readonly (Choice & { value: Effect })[] = [
  { value: 'allow', label: EFFECT_WORDS.allow, description: 'Nobody is asked' },
  { value: 'ask', label: EFFECT_WORDS.ask, description: 'A person decides each call' },
  { value: 'deny', label: EFFECT_WORDS.deny, description: 'The call is refused and recorded' },
];

export interface RuleForm
  extends QuestionFields,
    Partial<Omit<WaitingFields, 'identity'>>,
    Partial<FurtherFields> {
  readonly connectionId: string;
  /** Null for a new rule. */
  readonly ruleId: string | null;
  readonly scope: RuleScope;
  /** In words, where it is none of the usual kinds; plain text. */
  readonly scopeAsIs?: string | null;
  readonly functions: readonly string[];
  readonly choices: readonly ChoiceGroup[];
  readonly effect: Effect;
  readonly quorum: number;
  /** Null: no limit. */
  readonly limitPerHour: number | null;
  readonly stepUp: SecondProof | null;
  /** Whether the operator configured the company's sign-in. */
  readonly offersSignIn: boolean;
  /** Null or absent: what the risk asks for. */
  readonly rememberable?: boolean | null;
  /** Null or absent: what the risk asks for. */
  readonly targetCheck?: TargetCheck | null;
  readonly condition?: ConditionFields;
  /** Names the warnings that she has seen: with these and no others *Save* saves. */
  readonly warned?: string;
  /** What the Preview button found, or what to see before saving; null or absent before either was pressed. */
  readonly found?: Parameters<typeof previewBlocks>[1];
}

function stepUpInput({ stepUp, offersSignIn }: Pick<RuleForm, 'stepUp' | 'offersSignIn'>): KnownBlock {
  if (offersSignIn || stepUp === 'oidc') {
    return radio({
      block: 'step_up',
      label: 'Second proof',
      hint: 'What the approver has to show on top of the click.',
      choices: [
        { value: 'none', label: 'None: the click is enough' },
        { value: 'totp', label: 'Six digits of an authenticator app' },
        { value: 'oidc', label: 'A fresh sign-in with the company account' },
      ],
      initial: stepUp ?? 'none',
    });
  }
  return checkbox({
    block: 'step_up',
    label: 'Second proof',
    hint: 'On top of the click. Who has none sets it up in App Home.',
    choice: {
      value: 'totp',
      label: 'Ask the approver for a second proof',
      description: 'Six digits of an authenticator app, fresh for each approval',
    },
    checked: stepUp === 'totp',
  });
}

/** The value of the form for a rule that leaves it to the risk. */
const TARGET_BY_RISK = 'by_risk';

const TARGET_CHECKS: readonly Choice[] = [
  {
    value: TARGET_BY_RISK,
    label: 'As the risk asks (default)',
    description: 'Required for destructive calls, best effort for other writes',
  },
  {
    value: 'required',
    label: TARGET_CHECK_WORDS.required,
    description: 'Nobody can approve, and nothing runs, unless it can be read',
  },
  {
    value: 'best_effort',
    label: TARGET_CHECK_WORDS.best_effort,
    description: 'Unread, it runs all the same; changed, it does not',
  },
  { value: 'off', label: TARGET_CHECK_WORDS.off, description: 'The card says that it is not checked' },
];

function targetCheckInput(chosen: TargetCheck | null): KnownBlock {
  return radio({
    block: 'target_check',
    label: 'What the call changes has to be as the approver saw it',
    hint: 'It is read for the card and checked at the run. A function that cannot read it says so on its card.',
    choices: TARGET_CHECKS,
    initial: chosen ?? TARGET_BY_RISK,
  });
}

const REMEMBER: readonly Choice[] = [
  {
    value: 'by_risk',
    label: 'Yes, but for destructive calls (default)',
    description: 'Before anything is destroyed, somebody is asked every time',
  },
  {
    value: 'yes',
    label: 'Yes, for destructive calls too',
    description: 'Not for functions that ask every time by themselves',
  },
  { value: 'no', label: 'No, every call is asked about' },
];

function rememberInput(chosen: boolean | null): KnownBlock {
  return radio({
    block: 'rememberable',
    label: 'Don’t ask again: approvers may answer for the next calls too',
    hint: 'For a time or a number of calls, within limits; never alone for two.',
    choices: REMEMBER,
    initial: chosen === null ? 'by_risk' : chosen ? 'yes' : 'no',
  });
}

export function connectionRuleModal(form: RuleForm): View {
  const { choices, connectionId, ruleId } = form;
  const some = choices.some((group) => group.choices.length > 0);
  return modal({
    title: ruleId === null ? 'New rule' : 'Change the rule',
    callback: VIEWS.connectionRule,
    submit: 'Save',
    metadata: {
      connection: connectionId,
      ...(ruleId === null ? {} : { rule: ruleId }),
      ...(form.warned === undefined ? {} : { warned: form.warned }),
    },
    blocks: [
      select({
        block: 'scope',
        label: 'Applies to',
        choices: [...SCOPES, ...(form.scopeAsIs ? [scopeAsItIs(form.scopeAsIs)] : [])],
        initial: form.scope,
      }),
      ...(some
        ? [
            multiSelect({
              block: 'functions',
              label: 'Functions',
              optional: true,
              hint: 'Only for “The functions chosen below”.',
              groups: choices,
              initial: form.functions,
              search: ACTIONS.functionSearch,
            }),
          ]
        : []),
      ...conditionInputs(form.condition ?? { kind: 'always', value: '', asIs: null }),
      radio({ block: 'effect', label: 'Effect', choices: EFFECTS, initial: form.effect }),
      numberInput({
        block: 'limit',
        label: 'Most calls an hour',
        optional: true,
        hint: 'Only for “Runs directly”: counted per caller and function; what is over it needs approval. Empty: no limit.',
        initial: form.limitPerHour,
        min: 1,
        max: 100_000,
      }),
      ...questionInputs(form),
      ...(form.identity === 'private'
        ? furtherInputs({ further: form.further ?? null, furtherGroups: form.furtherGroups ?? [] })
        : [
            numberInput({
              block: 'quorum',
              label: 'Approvals needed',
              hint: 'One denial is enough to refuse.',
              initial: form.quorum,
              min: 1,
              max: 10,
            }),
          ]),
      ...waitingInputs({
        identity: form.identity,
        reminders: form.reminders ?? [0.5, 0.9],
        escalation: form.escalation ?? null,
        escalationGroups: form.escalationGroups ?? [],
      }),
      targetCheckInput(form.targetCheck ?? null),
      stepUpInput(form),
      rememberInput(form.rememberable ?? null),
      ...previewBlocks(connectionId, form.found ?? null),
    ],
  });
}
