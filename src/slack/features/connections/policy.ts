/** `/connections policy KEY`: the rules in order, and the form of one. */
import type { View } from '@slack/types';
import {
  connectionPolicyModal,
  connectionRuleModal,
  type RuleForm,
  type RuleScope,
  scopeText,
} from '../../../../blocks/connections/policy.js';
import { explained, said } from '../../../../blocks/parts/text.js';
import type { ConnectionDocument, Effect, PolicyRule, SecondProof } from '../../../../models/types.js';
import { canonicalHash } from '../../../canonical.js';
import { AppError } from '../../../errors.js';
import { newId } from '../../../ids.js';
import { type CommonCondition, conditionFrom, enteredFrom } from '../../../services/common-conditions.js';
import { allFunctions } from '../../../services/functions.js';
import { DEFAULT_EXPIRY_MINUTES, isTighter } from '../../../services/policy.js';
import type { Warning } from '../../../services/policy-preview.js';
import { conditionWords } from '../../../services/policy-words.js';
import { DEFAULT_REMINDERS } from '../../../services/waiting-plan.js';
import { explain, type Register, type SlackEdge } from '../../edge.js';
import { type Answer, backTo, type Click, onClick, onSubmit, type Submission } from '../../handle.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { showModal, type Trigger, updateView } from '../../modal.js';
import { postTestLine } from '../../route-test.js';
import { groupChoices } from '../../usergroups.js';
import { FormState } from '../../view-state.js';
import { functionLines } from './detail.js';
import { furtherApproversOf } from './further-form.js';
import { enabledGroups } from './picker.js';
import { NO_APPROVERS, questionOf } from './question-form.js';
import { coveredBy, scopeOf, withRule } from './rules.js';
import { waitingOf } from './waiting-form.js';

/** @throws AppError `not_found` | `forbidden` */
async function policyView(
  edge: SlackEdge,
  userId: string,
  keyOrId: string,
  notice: string | null = null,
): Promise<View> {
  const { connections, roles } = edge.services;
  const connection = await connections.managed(userId, keyOrId, true);
  const { _id: id, name, identity, policy } = connection;
  return connectionPolicyModal({
    connection: { id, name, identity },
    version: policy.version,
    rules: policy.rules.map((rule) => ({ ...rule, condition: rule.when ? conditionWords(rule.when) : null })),
    warnings: await edge.services.policyPreview.warnings(connection, policy.rules),
    functions: await functionLines(edge, connection),
    ownerOnly: !(await roles.of(userId)).admin,
    notice,
  });
}

export async function openPolicy(
  edge: SlackEdge,
  trigger: Trigger,
  userId: string,
  keyOrId: string,
): Promise<void> {
  await showModal(edge, trigger, 'Policy', () => policyView(edge, userId, keyOrId));
}

/** @throws AppError `forbidden` when an owner relaxes something */
async function saveRules(
  edge: SlackEdge,
  userId: string,
  connection: ConnectionDocument,
  rules: readonly PolicyRule[],
): Promise<void> {
  const { connections, roles } = edge.services;
  const functions = allFunctions(await edge.deps.connector(connection.connector), connection);
  if (!(await roles.of(userId)).admin && !isTighter(connection, rules, functions)) {
    const message =
      'That would relax the policy, or change who decides. As owner you may tighten it; an admin may do the rest.';
    throw new AppError('forbidden', message, { path: '/effect' });
  }
  await connections.setPolicy({ kind: 'user', id: userId }, connection, rules);
}

/** @param ruleId null for a rule that is not stored yet, whatever was entered so far */
async function ruleForm(
  edge: SlackEdge,
  connection: ConnectionDocument,
  rule: PolicyRule | null,
  ruleId: string | null = rule?.id ?? null,
  found: RuleForm['found'] = null,
  warned?: string,
): Promise<View> {
  const entered = enteredFrom(rule?.when);
  const { approvalsChannel } = await edge.services.settings.get();
  const approvers = rule?.approvers ?? NO_APPROVERS;
  return connectionRuleModal({
    connectionId: connection._id,
    ruleId,
    found,
    ...(warned === undefined ? {} : { warned }),
    condition: {
      ...entered,
      asIs: rule?.when && entered.kind === 'as_is' ? conditionWords(rule.when) : null,
    },
    rememberable: rule?.rememberable ?? null,
    targetCheck: rule?.targetCheck ?? null,
    scope: rule ? scopeOf(rule) : 'functions',
    scopeAsIs: rule && scopeOf(rule) === 'as_is' ? scopeText(rule) : null,
    functions: rule?.functions ?? [],
    choices: await enabledGroups(edge, connection),
    effect: rule?.effect ?? 'ask',
    quorum: rule?.quorum ?? 1,
    limitPerHour: rule?.limitPerHour ?? null,
    stepUp: rule?.stepUp ?? null,
    offersSignIn: edge.services.stepUpSignIns.isConfigured,
    identity: connection.identity,
    approvers,
    groups: await groupChoices(edge, approvers.usergroups),
    further: rule?.furtherApprovers ?? null,
    furtherGroups: await groupChoices(edge, rule?.furtherApprovers?.usergroups ?? []),
    route: rule ? rule.route : approvalsChannel,
    expiresInMinutes: rule?.expiresInMinutes ?? DEFAULT_EXPIRY_MINUTES,
    reminders: rule?.reminders ?? DEFAULT_REMINDERS,
    escalation: rule?.escalation ?? null,
    escalationGroups: await groupChoices(edge, rule?.escalation?.approvers.usergroups ?? []),
  });
}

async function ruleOf(
  edge: SlackEdge,
  form: FormState,
  connection: ConnectionDocument,
  before: PolicyRule | null,
): Promise<PolicyRule> {
  const scope = (form.choice('scope') ?? 'functions') as RuleScope;
  const effect = (form.choice('effect') ?? 'ask') as Effect;
  const covered = coveredBy(scope, form.has('functions') ? form.choices('functions') : null, before);
  const question = await questionOf(edge, form, effect === 'ask' && connection.identity === 'shared');
  const limitPerHour = effect === 'allow' ? limitOf(form) : null;
  const waiting = await waitingOf(edge, form, question.expiresInMinutes);
  const stepUp = stepUpIn(form);
  const entered = {
    kind: (form.choice('when') ?? 'always') as CommonCondition,
    value: form.text('when_value'),
  };
  const when = conditionFrom(entered, before?.when ?? null);
  const { targetCheck: _, rememberable: __, ...kept } = before ?? {};
  return {
    // What the form does not show stays as it was.
    ...kept,
    ...targetCheckOf(form),
    ...rememberableOf(form),
    id: before?.id ?? newId('rule'),
    ...covered,
    effect,
    ...question,
    ...(await furtherApproversOf(edge, form)),
    ...waiting,
    limitPerHour,
    stepUp,
    when,
  };
}

/** Nothing where the rule leaves it to the risk. */
function targetCheckOf(form: FormState): Pick<PolicyRule, 'targetCheck'> {
  const chosen = form.choice('target_check');
  return chosen === 'required' || chosen === 'best_effort' || chosen === 'off' ? { targetCheck: chosen } : {};
}

/** Nothing where the rule leaves it to the risk. */
function rememberableOf(form: FormState): Pick<PolicyRule, 'rememberable'> {
  const chosen = form.choice('rememberable');
  return chosen === 'yes' || chosen === 'no' ? { rememberable: chosen === 'yes' } : {};
}

/** One tick, or one of three where the company's sign-in is configured. */
function stepUpIn(form: FormState): SecondProof | null {
  const chosen = form.choices('step_up')[0] ?? form.choice('step_up');
  return chosen === 'totp' || chosen === 'oidc' ? chosen : null;
}

/** @throws AppError with the path of the input */
function limitOf(form: FormState): number | null {
  if (form.text('limit') === '') return null;
  const limit = form.number('limit');
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100_000) return limit;
  throw new AppError('invalid_arguments', 'Give a whole number, 1 to 100000, or nothing.', {
    path: '/limit',
  });
}

/** What these rules should not be saved without being told, and the saved ones have not. */
async function newWarnings(edge: SlackEdge, connection: ConnectionDocument, next: readonly PolicyRule[]) {
  const { policyPreview } = edge.services;
  const [before, after] = await Promise.all(
    [connection.policy.rules, next].map((rules) => policyPreview.warnings(connection, rules)),
  );
  const seen = new Set((before ?? []).map(aboutWhat));
  return (after ?? []).filter((warning) => !seen.has(aboutWhat(warning)));
}

/** Where a rule stands is not what the warning is about. */
function aboutWhat(warning: Warning): string {
  return JSON.stringify({ ...warning, index: null });
}

async function submitRule(edge: SlackEdge, { userId, form, view }: Submission): Promise<Answer> {
  const connection = await edge.services.connections.managed(userId, form.metadata.connection ?? '', true);
  const { rules } = connection.policy;
  const before = rules.find(({ id }) => id === form.metadata.rule) ?? null;
  if (form.metadata.rule !== undefined && before === null) {
    throw new AppError(
      'not_found',
      'Somebody removed this rule meanwhile. Close this and look at the policy again.',
    );
  }
  const rule = await ruleOf(edge, form, connection, before);
  const next = withRule(rules, rule);
  const warnings = await newWarnings(edge, connection, next);
  // A rule that is not stored yet has another id at each press.
  const warned = canonicalHash(warnings.map((each) => JSON.stringify({ ...each, rule: null })));
  if (warnings.length > 0 && form.metadata.warned !== warned) {
    const shown = await ruleForm(
      edge,
      connection,
      rule,
      before?.id ?? null,
      { preview: null, warnings },
      warned,
    );
    return { show: { response_action: 'update', view: shown } };
  }
  if (rule.route !== null && rule.route !== before?.route) {
    const text = `Approval requests for *${said(connection.name, 80)}* will be posted here. Everybody in this channel sees their arguments.`;
    await postTestLine(edge, rule.route, text, '/route');
  }
  await saveRules(edge, userId, connection, next);
  const notice = ':white_check_mark: The policy is saved. Requests that waited under the old one do not run.';
  return backTo(edge, view, () => policyView(edge, userId, connection._id, notice));
}

/** `connection:rule`, as the buttons of a rule carry it. */
async function named(
  edge: SlackEdge,
  { userId, value }: Click,
): Promise<{ connection: ConnectionDocument; rule: PolicyRule; index: number }> {
  const [connectionId = '', ruleId = ''] = value.split(':');
  const connection = await edge.services.connections.managed(userId, connectionId, true);
  const index = connection.policy.rules.findIndex(({ id }) => id === ruleId);
  const rule = connection.policy.rules[index];
  if (!rule) throw new AppError('not_found', 'Somebody removed this rule meanwhile.');
  return { connection, rule, index };
}

/** Changes the order or the number of rules, and draws the view anew with what came of it. */
async function rearrange(
  edge: SlackEdge,
  click: Click,
  change: (rules: readonly PolicyRule[], index: number) => PolicyRule[],
): Promise<void> {
  const [connectionId = ''] = click.value.split(':');
  let notice = ':white_check_mark: The policy is saved.';
  try {
    const { connection, index } = await named(edge, click);
    await saveRules(edge, click.userId, connection, change(connection.policy.rules, index));
  } catch (error) {
    notice = explained(explain(error, edge.log));
  }
  if (click.view)
    await updateView(edge, click.view.id, await policyView(edge, click.userId, connectionId, notice));
}

/** What the rule as it is entered would have done: drawn into the same form, saved nowhere. */
async function preview(edge: SlackEdge, { userId, body, view }: Click): Promise<void> {
  if (!view || !body.view) return;
  const form = new FormState(body.view);
  const connection = await edge.services.connections.managed(userId, form.metadata.connection ?? '', true);
  const before = connection.policy.rules.find(({ id }) => id === form.metadata.rule) ?? null;
  const rule = await ruleOf(edge, form, connection, before);
  const rules = withRule(connection.policy.rules, rule);
  const { policyPreview } = edge.services;
  const [found, warnings] = await Promise.all([
    policyPreview.preview(connection, rules),
    policyPreview.warnings(connection, rules),
  ]);
  await updateView(
    edge,
    view.id,
    await ruleForm(edge, connection, rule, before?.id ?? null, { preview: found, warnings }),
  );
}

export const registerPolicy: Register = (edge) => {
  const { connections } = edge.services;
  onClick(edge, ACTIONS.connectionPolicy, (click) => openPolicy(edge, click, click.userId, click.value));
  onClick(edge, ACTIONS.ruleAdd, (click) =>
    showModal(edge, click, 'New rule', async () =>
      ruleForm(edge, await connections.managed(click.userId, click.value, true), null),
    ),
  );
  onClick(edge, ACTIONS.ruleEdit, (click) =>
    showModal(edge, click, 'Change the rule', async () => {
      const { connection, rule } = await named(edge, click);
      return ruleForm(edge, connection, rule);
    }),
  );
  onClick(edge, ACTIONS.rulePreview, (click) => preview(edge, click));
  onClick(edge, ACTIONS.ruleUp, (click) =>
    rearrange(edge, click, (rules, index) => {
      const others = rules.filter((_, each) => each !== index);
      return [
        ...others.slice(0, Math.max(0, index - 1)),
        ...rules.slice(index, index + 1),
        ...others.slice(Math.max(0, index - 1)),
      ];
    }),
  );
  onClick(edge, ACTIONS.ruleRemove, (click) =>
    rearrange(edge, click, (rules, index) => rules.filter((_, each) => each !== index)),
  );
  onSubmit(edge, VIEWS.connectionRule, 'effect', (submission) => submitRule(edge, submission));
};
