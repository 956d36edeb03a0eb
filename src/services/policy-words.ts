/** Rules and their conditions in words, and what a policy should be warned of. Pure. */
import type { ConnectionDocument, PolicyRule, Risk } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { type Condition, OPERATORS } from './conditions.js';
import { asEachRisk, hasApprover, mayDecide } from './policy.js';

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

/** One rule as a sentence; plain text. @param always the function asks every time */
export function ruleWords(rule: PolicyRule, always = false): string {
  const { functions, risks, effect, when } = rule;
  const which = functions
    ? functions.join(', ')
    : risks
      ? `every ${risks.join(' or ')} function`
      : 'every function';
  const only = functions && risks ? ` when ${risks.join(' or ')}` : '';
  const condition = when ? `, only when ${conditionWords(when)}` : '';
  const asked = always && effect === 'allow' ? '; the function asks every time' : '';
  const name = rule.id === 'default' ? 'No rule fits; the default: ' : '';
  return `${name}${which}${only} ${EFFECTS[effect]}${condition}${asked}`;
}

export type PolicyWarning =
  | {
      readonly kind: 'never_matches';
      readonly rule: string;
      readonly index: number;
      /** Rules before it cover all that it is about; its functions are off; none of them has a risk that it names. */
      readonly why: 'covered' | 'turned_off' | 'no_such_risk';
    }
  | { readonly kind: 'allows_everything'; readonly rule: string; readonly index: number }
  | { readonly kind: 'no_approver'; readonly functions: readonly string[] };

/**
 * What is wrong with these rules as far as they alone tell; who has left is asked of the directory besides.
 * @param functions those that are turned on
 */
export function policyWarnings(
  connection: Pick<ConnectionDocument, 'raisedRisks' | 'askEveryTime' | 'identity'>,
  rules: readonly PolicyRule[],
  functions: readonly FunctionDefinition[],
): PolicyWarning[] {
  const calls = functions.flatMap((fn) => asEachRisk(connection, fn));
  const under = { ...connection, policy: { version: 0, rules: [...rules] } };
  const decisions = functions.map((fn) => ({ fn, possible: mayDecide(under, fn) }));
  const reached = new Set(decisions.flatMap(({ possible }) => possible.map(({ rule }) => rule)));
  const warnings: PolicyWarning[] = rules.flatMap((rule, index): PolicyWarning[] => {
    if (calls.length > 0 && !reached.has(rule)) {
      const why = whyUnreached(rule, calls);
      return [{ kind: 'never_matches', rule: rule.id, index, why }];
    }
    return allowsEverything(rule, calls) ? [{ kind: 'allows_everything', rule: rule.id, index }] : [];
  });
  if (connection.identity === 'private') return warnings;
  const unanswerable = decisions.filter(({ possible }) =>
    possible.some(({ effect, rule, risk }) => effect === 'ask' && risk !== 'read' && !hasApprover(rule)),
  );
  return unanswerable.length === 0
    ? warnings
    : [...warnings, { kind: 'no_approver', functions: unanswerable.map(({ fn }) => fn.name) }];
}

interface Call {
  readonly fn: Pick<FunctionDefinition, 'name'>;
  readonly risk: Risk;
}

const isNamed = (rule: PolicyRule, name: string): boolean => rule.functions?.includes(name) ?? true;
const hasRisk = (rule: PolicyRule, risk: Risk): boolean => rule.risks?.includes(risk) ?? true;

function whyUnreached(rule: PolicyRule, calls: readonly Call[]): 'covered' | 'turned_off' | 'no_such_risk' {
  const named = calls.filter(({ fn }) => isNamed(rule, fn.name));
  if (named.length === 0) return 'turned_off';
  return named.some(({ risk }) => hasRisk(rule, risk)) ? 'covered' : 'no_such_risk';
}

/** Every function by name is as much as all of them; reads that run directly are nothing to warn of. */
function allowsEverything(rule: PolicyRule, calls: readonly Call[]): boolean {
  if (rule.effect !== 'allow' || rule.when || !coversEveryRisk(rule.risks)) return false;
  if (rule.functions === null) return true;
  return calls.some(({ risk }) => risk !== 'read') && calls.every(({ fn }) => isNamed(rule, fn.name));
}

function coversEveryRisk(risks: PolicyRule['risks']): boolean {
  return risks === null || (['read', 'write', 'destructive'] as const).every((risk) => risks.includes(risk));
}
