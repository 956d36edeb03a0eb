/** Rules and their conditions in words, and what a policy should be warned of. Pure. */
import type { ConnectionDocument, PolicyRule, Risk } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { type Condition, OPERATORS } from './conditions.js';
import { asEachRisk, evaluate, hasApprover } from './policy.js';

const EFFECTS = { allow: 'runs directly', ask: 'needs approval', deny: 'is blocked' } as const;

const FIELD_WORDS: Readonly<Record<string, string>> = {
  outside_recipients: 'the number of recipients outside the company',
  recipients: 'the number of recipients',
  rows: 'the number of rows or items',
  amount: 'the amount',
  hour: 'the hour',
  weekday: 'the day of the week (1 is Monday)',
  risk: 'the risk',
  caller: 'the caller',
  function: 'the function',
};

/** "the number of recipients outside the company is at least 1 and the hour is less than 8"; plain text. */
export function conditionWords({ all, comparisons }: Condition): string {
  return comparisons
    .map(({ field, op, value }) => {
      const what = FIELD_WORDS[field] ?? field.replace(/^argument\./, 'the argument ');
      const word = (OPERATORS as Readonly<Record<string, string>>)[op] ?? op;
      const how = /^(?:is|contains)\b/.test(word) ? word : `is ${word}`;
      return `${what} ${how} ${Array.isArray(value) ? value.join(', ') : String(value)}`;
    })
    .join(all ? ' and ' : ' or ');
}

/** One rule as a sentence; plain text. */
export function ruleWords(rule: PolicyRule, fn?: Pick<FunctionDefinition, 'askEveryTime'>): string {
  const { functions, risks, effect, when } = rule;
  const which = functions
    ? functions.join(', ')
    : risks
      ? `every ${risks.join(' or ')} function`
      : 'every function';
  const only = functions && risks ? ` when ${risks.join(' or ')}` : '';
  const condition = when ? `, only when ${conditionWords(when)}` : '';
  const always = fn?.askEveryTime && effect === 'allow' ? '; the function asks every time' : '';
  const name = rule.id === 'default' ? 'No rule fits; the default: ' : '';
  return `${name}${which}${only} ${EFFECTS[effect]}${condition}${always}`;
}

export type PolicyWarning =
  | { readonly kind: 'never_matches'; readonly rule: string; readonly index: number }
  | { readonly kind: 'allows_everything'; readonly rule: string; readonly index: number }
  | { readonly kind: 'no_approver'; readonly functions: readonly string[] };

/** What is wrong with these rules as far as they alone tell; who has left is asked of the directory besides. */
export function policyWarnings(
  connection: Pick<ConnectionDocument, 'raisedRisks' | 'identity'>,
  rules: readonly PolicyRule[],
  functions: readonly FunctionDefinition[],
): PolicyWarning[] {
  const calls = functions.flatMap((fn) => asEachRisk(connection, fn));
  const fits = (rule: PolicyRule, name: string, risk: Risk): boolean =>
    (rule.functions?.includes(name) ?? true) && (rule.risks?.includes(risk) ?? true);
  const reached = new Set(
    calls.flatMap(({ fn, risk }) => {
      const fitting = rules.filter((rule) => fits(rule, fn.name, risk));
      const last = fitting.findIndex(({ when }) => !when);
      return last < 0 ? fitting : fitting.slice(0, last + 1);
    }),
  );
  const warnings: PolicyWarning[] = rules.flatMap((rule, index): PolicyWarning[] => {
    if (calls.length > 0 && !reached.has(rule)) return [{ kind: 'never_matches', rule: rule.id, index }];
    const everything =
      rule.effect === 'allow' && rule.functions === null && !rule.when && coversEveryRisk(rule.risks);
    return everything ? [{ kind: 'allows_everything', rule: rule.id, index }] : [];
  });
  if (connection.identity === 'private') return warnings;
  const policy = { version: 0, rules: [...rules] };
  const unanswerable = functions.filter((fn) => {
    const { effect, rule, risk } = evaluate({ ...connection, policy }, fn);
    return effect === 'ask' && risk !== 'read' && !hasApprover(rule);
  });
  return unanswerable.length === 0
    ? warnings
    : [...warnings, { kind: 'no_approver', functions: unanswerable.map(({ name }) => name) }];
}

function coversEveryRisk(risks: PolicyRule['risks']): boolean {
  return risks === null || (['read', 'write', 'destructive'] as const).every((risk) => risks.includes(risk));
}
