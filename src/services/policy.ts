/** Policy: which rule a call falls under, and what that asks. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { ConnectionDocument, Effect, PolicyRule, Requirement, Risk } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments, FunctionDefinition } from '../connectors/framework.js';
import { holds } from './condition-truth.js';
import type { Condition, Known, Truth } from './conditions.js';

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

/** No grant, no limit and no rule skips the question: the connector says so, or an admin does. */
export function asksEveryTime(
  connection: Pick<ConnectionDocument, 'askEveryTime'>,
  fn: Pick<FunctionDefinition, 'name' | 'askEveryTime'>,
): boolean {
  return fn.askEveryTime === true || (connection.askEveryTime?.includes(fn.name) ?? false);
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

/** What of a connection a verdict comes from. */
type Judged = Pick<ConnectionDocument, 'policy' | 'raisedRisks' | 'askEveryTime'>;

export interface Verdict {
  readonly risk: Risk;
  readonly effect: Effect;
  readonly requirement: Requirement;
  readonly rule: PolicyRule;
  /**
   * A grant may answer the question: never where somebody has to be asked every time, or to prove who she is; for what
   * destroys only where an admin said so in the rule.
   */
  readonly rememberable: boolean;
}

export const STRICTNESS: Readonly<Record<Effect, number>> = { allow: 0, ask: 1, deny: 2 };

/**
 * First match wins; then the default. "Ask every time" turns an allow into a question, whatever the rule says. Where a
 * condition cannot be told (no arguments yet, nobody to look up), the strictest of what may be is what counts.
 */
export function evaluate(
  connection: Judged,
  fn: FunctionDefinition,
  args?: Arguments,
  known: Known = {},
): Verdict {
  const risk = riskOf(connection, fn, args);
  const reachesUnnamed =
    typeof fn.reachesUnnamed === 'function' ? args && fn.reachesUnnamed(args) : fn.reachesUnnamed;
  const facts = { ...known, function: fn.name, risk, args, reachesUnnamed };
  const always = asksEveryTime(connection, fn);
  return verdictUnder(connection.policy.rules, fn, { risk, always }, (condition) => holds(condition, facts));
}

interface Call {
  readonly risk: Risk;
  /** It is asked about every time. */
  readonly always: boolean;
}

function verdictUnder(
  rules: readonly PolicyRule[],
  fn: FunctionDefinition,
  call: Call,
  truth: (condition: Condition) => Truth,
): Verdict {
  const { risk, always } = call;
  const possible = possibleRules(rules, fn, risk, truth);
  const rule = strictestOf(possible, call);
  const effect = effectUnder(rule, call);
  const requirement = ({ allow: 'none', ask: 'required', deny: 'blocked' } as const)[effect];
  const allowed = possible.every((each) => (each.rememberable ?? risk !== 'destructive') && !each.stepUp);
  return { risk, effect, requirement, rule, rememberable: allowed && !always };
}

function effectUnder({ effect }: PolicyRule, { always }: Call): Effect {
  return effect === 'allow' && always ? 'ask' : effect;
}

/** The rules one of which decides, in order: up to the first that holds, or to the default. At least one. */
function possibleRules(
  rules: readonly PolicyRule[],
  fn: FunctionDefinition,
  risk: Risk,
  truth: (condition: Condition) => Truth,
): PolicyRule[] {
  const possible: PolicyRule[] = [];
  const open = new Set<string>();
  for (const rule of rules) {
    if (!matches(rule, fn.name, risk)) continue;
    const held = rule.when ? truth(rule.when) : true;
    if (held === true) return [...possible, rule];
    if (held === false || !rule.when) continue;
    // Of two with one condition only the first is ever asked.
    const key = keyOf(rule.when);
    if (!open.has(key)) possible.push(rule);
    open.add(key);
  }
  return [...possible, defaultRule(fn, risk)];
}

/**
 * Which of the rules that may hold counts. What makes a condition unknown may be the caller's choice (an amount as text),
 * so no rule may win for standing first: by effect; of those that allow the smallest limit; then the second proof, the
 * quorum, the check of the target and a further approver. Of two that ask alike it is the later one, whose approvers
 * answer for what the earlier one does not fit.
 */
function strictestOf(possible: readonly PolicyRule[], call: Call): PolicyRule {
  const strictness = (rule: PolicyRule): readonly number[] => {
    const effect = effectUnder(rule, call);
    return [
      STRICTNESS[effect],
      effect === 'allow' ? -(rule.limitPerHour ?? Infinity) : 0,
      rule.stepUp ? 1 : 0,
      rule.quorum,
      TARGET_CHECKS.indexOf(targetCheckOf({ risk: call.risk, rule })),
      rule.furtherApprovers ? 1 : 0,
    ];
  };
  return possible.reduce((one, other) => (isLess(strictness(other), strictness(one)) ? one : other));
}

/** The first number in which they differ decides. */
function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((each, index) => each !== other[index]);
  return (one[at] ?? 0) < (other[at] ?? 0);
}

/** Every rule that may decide about a call of this function before anything of the call is known, at each risk it may have. */
export function mayDecide(
  connection: Judged,
  fn: FunctionDefinition,
): readonly Pick<Verdict, 'risk' | 'effect' | 'rule'>[] {
  const always = asksEveryTime(connection, fn);
  return asEachRisk(connection, fn).flatMap(({ risk }) =>
    possibleRules(connection.policy.rules, fn, risk, () => 'unknown').map((rule) => ({
      risk,
      rule,
      effect: effectUnder(rule, { risk, always }),
    })),
  );
}

/** What the policy asks of the target: `required` for what destroys, unless its rule says otherwise. */
export function targetCheckOf({
  risk,
  rule,
}: Pick<Verdict, 'risk' | 'rule'>): NonNullable<PolicyRule['targetCheck']> {
  return rule.targetCheck ?? (risk === 'destructive' ? 'required' : 'best_effort');
}

const TARGET_CHECKS = ['off', 'best_effort', 'required'] as const;

function targetHeldNoLess(before: Verdict, after: Verdict): boolean {
  const strength = (verdict: Verdict): number => TARGET_CHECKS.indexOf(targetCheckOf(verdict));
  return strength(after) >= strength(before);
}

/** How many calls an hour one caller may make before an allow becomes a question; null where nothing is counted. */
export function limitOf({ effect, rule }: Pick<Verdict, 'effect' | 'rule'>): number | null {
  return effect === 'allow' ? (rule.limitPerHour ?? null) : null;
}

/** The verdict once the limit is used up. */
export function overLimit(verdict: Verdict): Verdict {
  return { ...verdict, effect: 'ask', requirement: 'required' };
}

export function hasApprover(rule: Pick<PolicyRule, 'approvers'>): boolean {
  const { users, usergroups, connectionOwner, businessOwner, requesterManager } = rule.approvers;
  const byRole = connectionOwner || businessOwner === true || requesterManager === true;
  return users.length > 0 || usergroups.length > 0 || byRole;
}

/** What relaxes a function: an owner may only tighten, an admin may do both (PRODUCT.md, "Approvals"). */
export function isTighter(
  connection: Judged,
  rules: readonly PolicyRule[],
  functions: readonly FunctionDefinition[],
): boolean {
  const before = connection.policy.rules;
  const functionsAtRisk = functions.flatMap((fn) => asEachRisk(connection, fn));
  const truths = everyTruth([...before, ...rules]);
  if (truths === null) return false;
  return truths.every((truth) =>
    functionsAtRisk.every(({ fn, risk }) => {
      const call = { risk, always: asksEveryTime(connection, fn) };
      return noLooser(verdictUnder(before, fn, call, truth), verdictUnder(rules, fn, call, truth));
    }),
  );
}

function noLooser(before: Verdict, after: Verdict): boolean {
  if (after.effect !== 'deny' && !furtherKept(before.rule, after.rule)) return false;
  if (STRICTNESS[after.effect] !== STRICTNESS[before.effect])
    return STRICTNESS[after.effect] > STRICTNESS[before.effect];
  if (after.effect === 'allow') return limitNoHigher(before.rule, after.rule);
  return (
    after.effect !== 'ask' ||
    (asksNoFewer(before.rule, after.rule) &&
      targetHeldNoLess(before, after) &&
      after.rememberable <= before.rememberable)
  );
}

/** More different conditions than this are not played through: then an admin has to look. */
const MOST_CONDITIONS = 8;

/** Every way in which the conditions of these rules may come out. Null when they are too many. */
function everyTruth(rules: readonly PolicyRule[]): ((condition: Condition) => boolean)[] | null {
  const keys = [...new Set(rules.flatMap(({ when }) => (when ? [keyOf(when)] : [])))];
  if (keys.length > MOST_CONDITIONS) return null;
  return Array.from(
    { length: 2 ** keys.length },
    (_, bits) => (condition: Condition) => ((bits >> keys.indexOf(keyOf(condition))) & 1) === 1,
  );
}

/** The same for conditions that say the same. */
export function keyOf({ all, comparisons }: Condition): string {
  return canonicalHash({ all, comparisons: comparisons.map((each) => ({ ...each })) });
}

/** A function whose risk depends on its arguments, once for every risk that a call of it may have. */
export function asEachRisk(
  connection: Pick<ConnectionDocument, 'raisedRisks'>,
  fn: FunctionDefinition,
): { fn: FunctionDefinition; risk: Risk }[] {
  const risks = fn.riskOf ? RISKS.filter((risk) => higherRisk(risk, fn.risk) === fn.risk) : [fn.risk];
  const raised = connection.raisedRisks[fn.name];
  return [...new Set(risks.map((risk) => (raised ? higherRisk(risk, raised) : risk)))].map((risk) => ({
    fn,
    risk,
  }));
}

function limitNoHigher(before: PolicyRule, after: PolicyRule): boolean {
  return (after.limitPerHour ?? Infinity) <= (before.limitPerHour ?? Infinity);
}

/** A further approver sees what is the member's: an admin requires one, and takes one away. */
function furtherKept(before: PolicyRule, after: PolicyRule): boolean {
  return isDeepStrictEqual(before.furtherApprovers ?? null, after.furtherApprovers ?? null);
}

/** The same people or fewer of them, and as many approvals: who decides is an admin's choice. */
function asksNoFewer(before: PolicyRule, after: PolicyRule): boolean {
  const someoneNew =
    after.approvers.users.some((id) => !before.approvers.users.includes(id)) ||
    after.approvers.usergroups.some((id) => !before.approvers.usergroups.includes(id)) ||
    (after.approvers.connectionOwner && !before.approvers.connectionOwner) ||
    (after.approvers.businessOwner && !before.approvers.businessOwner) ||
    (after.approvers.requesterManager && !before.approvers.requesterManager) ||
    (after.escalation && !isDeepStrictEqual(after.escalation, before.escalation));
  const proofKept = !before.stepUp || after.stepUp === before.stepUp;
  return after.quorum >= before.quorum && proofKept && !someoneNew;
}
