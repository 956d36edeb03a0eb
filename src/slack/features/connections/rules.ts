/** Which calls a rule of the form is about, and where among the others it stands. Pure. */
import type { RuleScope } from '../../../../blocks/connections/policy.js';
import type { PolicyRule } from '../../../../models/types.js';
import { AppError } from '../../../errors.js';
import { STRICTNESS } from '../../../services/policy.js';

type Covered = Pick<PolicyRule, 'functions' | 'risks'>;

export const RISKS_OF: Readonly<Record<Exclude<RuleScope, 'functions' | 'as_is'>, PolicyRule['risks']>> = {
  all: null,
  reads: ['read'],
  writes: ['write', 'destructive'],
  destructive: ['destructive'],
};

const isSame = (one: PolicyRule['risks'], other: PolicyRule['risks']): boolean =>
  JSON.stringify(one && [...one].sort()) === JSON.stringify(other && [...other].sort());

/** `as_is` for risks that the form does not offer by themselves: changing anything else must not change them. */
export function scopeOf({ functions, risks }: Covered): RuleScope {
  if (functions !== null) return 'functions';
  const usual = (['all', 'reads', 'writes', 'destructive'] as const).find((scope) =>
    isSame(RISKS_OF[scope], risks),
  );
  return usual ?? 'as_is';
}

/**
 * What the rule is about from now on; what was not changed stays.
 * @throws AppError `invalid_arguments` with the path of the input
 */
export function coveredBy(scope: RuleScope, chosen: string[] | null, before: Covered | null): Covered {
  const kept = before && scopeOf(before) === scope ? before.risks : null;
  switch (scope) {
    case 'functions':
      if (chosen?.length) return { functions: chosen, risks: kept };
      throw new AppError(
        'invalid_arguments',
        'Choose the functions that the rule is about, or another “Applies to”.',
        { path: chosen === null ? '/scope' : '/functions' },
      );
    case 'as_is':
      if (kept) return { functions: null, risks: kept };
      throw new AppError('invalid_arguments', 'Choose under “Applies to” what the rule is about.', {
        path: '/scope',
      });
    default:
      return { functions: null, risks: kept ?? RISKS_OF[scope] };
  }
}

/**
 * The first rule that fits decides. So what is about chosen functions comes before what is about all of a kind, but not
 * before a condition that guards all of them; and a rule with a condition comes before what would cover it.
 */
export function withRule(rules: readonly PolicyRule[], rule: PolicyRule): PolicyRule[] {
  if (rules.some(({ id }) => id === rule.id)) return rules.map((each) => (each.id === rule.id ? rule : each));
  const place = rule.when ? firstThatCovers(rules, rule) : firstThatIsWider(rules, rule);
  const at = place >= 0 ? place : rules.length;
  return [...rules.slice(0, at), rule, ...rules.slice(at)];
}

const isLooser = (one: PolicyRule, other: PolicyRule): boolean =>
  STRICTNESS[one.effect] < STRICTNESS[other.effect];

/** Behind it a rule with a condition would never be reached, or for some functions not, which it should hold back. */
function firstThatCovers(rules: readonly PolicyRule[], rule: PolicyRule): number {
  const names = rule.functions;
  return rules.findIndex(
    (each) =>
      !each.when &&
      (each.functions === null ||
        (names === null ? isLooser(each, rule) : names.some((name) => each.functions?.includes(name)))),
  );
}

function firstThatIsWider(rules: readonly PolicyRule[], rule: PolicyRule): number {
  if (rule.functions === null && scopeOf(rule) !== 'destructive') return -1;
  return rules.findIndex((each) => each.functions === null && (!each.when || isLooser(each, rule)));
}
