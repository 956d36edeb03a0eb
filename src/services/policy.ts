/** Policy: which rule a call falls under, and what that asks. Pure. */
import type { ConnectionDocument, Effect, PolicyRule, Requirement, Risk } from '../../models/types.js';
import type { Arguments, FunctionDefinition } from '../connectors/framework.js';

/** PRODUCT.md, "Defaults": an approval expires after 60 minutes. */
export const DEFAULT_EXPIRY_MINUTES = 60;
const RISKS: readonly Risk[] = ['read', 'write', 'destructive'];

export function higherRisk(a: Risk, b: Risk): Risk {
  return RISKS.indexOf(a) >= RISKS.indexOf(b) ? a : b;
}

/** The risk of a call: the function's own, for these arguments, raised where an admin raised it. */
export function riskOf(
  connection: Pick<ConnectionDocument, 'raisedRisks'>,
  fn: FunctionDefinition,
  args?: Arguments,
): Risk {
  const own = args && fn.riskOf ? fn.riskOf(args) : fn.risk;
  const raised = connection.raisedRisks[fn.name];
  return raised ? higherRisk(own, raised) : own;
}

/** The rule that holds where no rule of the connection matches: the catalogue's default. */
function defaultRule(fn: FunctionDefinition, risk: Risk): PolicyRule {
  const raised = higherRisk(risk, fn.risk) !== fn.risk;
  return {
    id: 'default',
    functions: null,
    risks: null,
    effect: fn.approval === 'auto' && !raised ? 'allow' : 'ask',
    approvers: { users: [], usergroups: [], connectionOwner: false },
    quorum: 1,
    route: null,
    expiresInMinutes: DEFAULT_EXPIRY_MINUTES,
    limitPerHour: fn.budgetPerHour ?? null,
  };
}

function matches(rule: PolicyRule, name: string, risk: Risk): boolean {
  if (rule.functions && !rule.functions.includes(name)) return false;
  return rule.risks === null || rule.risks.includes(risk);
}

export interface Verdict {
  readonly risk: Risk;
  readonly effect: Effect;
  readonly requirement: Requirement;
  readonly rule: PolicyRule;
}

/** First match wins; then the default. "Ask every time" turns an allow into a question, whatever the rule says. */
export function evaluate(
  connection: Pick<ConnectionDocument, 'policy' | 'raisedRisks'>,
  fn: FunctionDefinition,
  args?: Arguments,
): Verdict {
  const risk = riskOf(connection, fn, args);
  const rule = connection.policy.rules.find((each) => matches(each, fn.name, risk)) ?? defaultRule(fn, risk);
  const effect: Effect = rule.effect === 'allow' && fn.askEveryTime ? 'ask' : rule.effect;
  const requirement = ({ allow: 'none', ask: 'required', deny: 'blocked' } as const)[effect];
  return { risk, effect, requirement, rule };
}

/** How many calls an hour one caller may make before an allow becomes a question; null where nothing is counted. */
export function limitOf({ effect, rule }: Verdict): number | null {
  return effect === 'allow' ? (rule.limitPerHour ?? null) : null;
}

/** The verdict once the limit is used up. */
export function overLimit(verdict: Verdict): Verdict {
  return { ...verdict, effect: 'ask', requirement: 'required' };
}

export function hasApprover(rule: Pick<PolicyRule, 'approvers'>): boolean {
  const { users, usergroups, connectionOwner } = rule.approvers;
  return users.length > 0 || usergroups.length > 0 || connectionOwner;
}

/** What relaxes a function: an owner may only tighten, an admin may do both (PRODUCT.md, "Approvals"). */
export function isTighter(
  connection: Pick<ConnectionDocument, 'policy' | 'raisedRisks'>,
  rules: readonly PolicyRule[],
  functions: readonly FunctionDefinition[],
): boolean {
  const strictness = { allow: 0, ask: 1, deny: 2 } as const;
  const next = { ...connection, policy: { version: 0, rules: [...rules] } };
  return functions.flatMap(asEachRisk).every((fn) => {
    const before = evaluate(connection, fn, {});
    const after = evaluate(next, fn, {});
    if (strictness[after.effect] !== strictness[before.effect])
      return strictness[after.effect] > strictness[before.effect];
    if (after.effect === 'allow') return limitNoHigher(before.rule, after.rule);
    return after.effect !== 'ask' || asksNoFewer(before.rule, after.rule);
  });
}

/** A function whose risk depends on its arguments, once for every risk that a call of it may have. */
function asEachRisk(fn: FunctionDefinition): FunctionDefinition[] {
  if (!fn.riskOf) return [fn];
  const risks = RISKS.filter((risk) => higherRisk(risk, fn.risk) === fn.risk);
  return risks.map((risk) => ({ ...fn, riskOf: () => risk }));
}

function limitNoHigher(before: PolicyRule, after: PolicyRule): boolean {
  return (after.limitPerHour ?? Infinity) <= (before.limitPerHour ?? Infinity);
}

/** The same people or fewer of them, and as many approvals: who decides is an admin's choice. */
function asksNoFewer(before: PolicyRule, after: PolicyRule): boolean {
  const someoneNew =
    after.approvers.users.some((id) => !before.approvers.users.includes(id)) ||
    after.approvers.usergroups.some((id) => !before.approvers.usergroups.includes(id)) ||
    (after.approvers.connectionOwner && !before.approvers.connectionOwner);
  return after.quorum >= before.quorum && !someoneNew;
}
