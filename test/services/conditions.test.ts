/** Conditions of rules: the fields, the comparisons, and what an unknown does. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Comparison, PolicyRule } from '../../models/types.js';
import type { Arguments } from '../../src/connectors/framework.js';
import { holds } from '../../src/services/condition-truth.js';
import {
  conditionProblem,
  FIELDS,
  isOutside,
  OPERATORS,
  recipientsOf,
} from '../../src/services/conditions.js';
import { evaluate, isTighter } from '../../src/services/policy.js';
import { policyWarnings } from '../../src/services/policy-words.js';
import { connection, fn, NOW, rule } from './documents.js';

const KNOWN = {
  now: NOW,
  timeZone: 'Europe/Madrid',
  companyDomains: ['corp.example'],
  callerName: 'Support agent',
};
const one = (field: string, op: string, value: Comparison['value']) => ({
  all: true,
  comparisons: [{ field, op, value }],
});
const truth = (args: Arguments, field: string, op: string, value: Comparison['value']) =>
  holds(one(field, op, value), { ...KNOWN, function: 'create_ticket', risk: 'write', args });

describe('a comparison', () => {
  it.each<[string, Arguments, string, string, Comparison['value'], boolean | 'unknown']>([
    ['a recipient outside', { to: ['a@corp.example', 'x@evil.test'] }, 'outside_recipients', '>=', 1, true],
    [
      'everybody inside',
      { to: 'A <a@CORP.example>, b@mail.corp.example' },
      'outside_recipients',
      '>=',
      1,
      false,
    ],
    ['a domain that only ends alike', { to: 'a@notcorp.example' }, 'outside_recipients', '=', 1, true],
    ['two at-signs', { to: 'a@evil.test@corp.example' }, 'outside_recipients', '>=', 1, true],
    ['an address in a text', { body: 'write to x@evil.test' }, 'outside_recipients', '>=', 1, false],
    [
      'attendees of an event',
      { event: { attendees: [{ email: 'x@evil.test' }] } },
      'outside_recipients',
      '=',
      1,
      true,
    ],
    ['an address as a whole value', { share_with: 'x@evil.test' }, 'outside_recipients', '=', 1, true],
    ['how many recipients', { to: 'a@b.c, d@e.f', cc: ['a@b.c', 'g@h.i'] }, 'recipients', '>', 2, true],
    ['rows', { rows: [[1], [2], [3]] }, 'rows', '>', 2, true],
    ['no rows', { title: 'x' }, 'rows', '>', 0, false],
    ['an amount', { deal: { amount: '1200.50' } }, 'amount', '>', 1000, true],
    ['an amount below zero', { unitAmount: -5000 }, 'amount', '>', 1000, true],
    ['an amount that is no number', { amount: '1.200 EUR' }, 'amount', '>', 1000, 'unknown'],
    ['no amount', { title: 'x' }, 'amount', '>', 1000, false],
    ['the hour, in Madrid', {}, 'hour', '=', 12, true],
    ['the weekday', {}, 'weekday', '=', 1, true],
    ['the risk', {}, 'risk', '=', 'write', true],
    ['the caller, however it is written', {}, 'caller', 'in', ['support agent', 'other'], true],
    ['another function', {}, 'function', 'not in', ['delete_ticket'], true],
    ['an argument', { project: 'OPS' }, 'argument.project', '=', 'ops', true],
    [
      'an argument deeper',
      { event: { summary: 'Board' } },
      'argument.event/summary',
      'contains',
      'board',
      true,
    ],
    ['an argument that is not there', {}, 'argument.project', '!=', 'OPS', true],
    ['a number of an argument', { size: '12' }, 'argument.size', '>', 10, true],
    ['text where a number is wanted', { size: 'many' }, 'argument.size', '>', 10, 'unknown'],
    ['a field that there is not', {}, 'phase_of_moon', '=', 'full', 'unknown'],
  ])('%s', (_, args, field, op, value, expected) => {
    expect(truth(args, field, op, value)).toBe(expected);
  });

  it('joins: all, or any; an unknown decides nothing', () => {
    const facts = { ...KNOWN, function: 'f', risk: 'write' as const, args: { amount: 'x' } };
    const unknown = { field: 'amount', op: '>', value: 1 };
    const yes = { field: 'risk', op: '=', value: 'write' };
    const no = { field: 'risk', op: '=', value: 'read' };
    const outcome = (all: boolean, ...comparisons: Comparison[]) => holds({ all, comparisons }, facts);
    expect([outcome(true, yes, unknown), outcome(true, no, unknown)]).toEqual(['unknown', false]);
    expect([outcome(false, yes, unknown), outcome(false, no, unknown)]).toEqual([true, 'unknown']);
    expect(holds({ all: true, comparisons: [] }, facts)).toBe('unknown');
  });

  it('takes whatever was written as a value, and never as part of the expression', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n"]) || (1 > 0', '\ud800'),
    );
    fc.assert(
      fc.property(text, text, (name, value) => {
        const field = `argument.${name.replaceAll('~', '~0').replaceAll('/', '~1') || 'x'}`;
        const args = JSON.parse(`{${JSON.stringify(name || 'x')}: ${JSON.stringify(value)}}`);
        expect(truth(args, field, '=', value)).toBe(true);
        expect(truth(args, field, 'in', ['another', value])).toBe(true);
        expect(truth(args, field, 'not in', [value])).toBe(false);
        expect(truth(args, field, '=', `${value}.`)).toBe(false);
        expect(truth(args, field, 'contains', value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('joins as Kleene does, whatever the order', () => {
    const comparison = fc.constantFrom<Comparison>(
      { field: 'rows', op: '=', value: 0 },
      { field: 'rows', op: '>', value: 5 },
      { field: 'hour', op: '>=', value: 0 },
      { field: 'argument.x', op: '<', value: 3 },
      { field: 'a field that is gone', op: '=', value: 1 },
    );
    // Nobody knows the time here, and `x` is no number.
    const facts = { function: 'create_ticket', risk: 'write', args: { x: 'many' } } as const;
    fc.assert(
      fc.property(fc.array(comparison, { minLength: 1, maxLength: 5 }), fc.boolean(), (comparisons, all) => {
        const each = comparisons.map((one) => holds({ all, comparisons: [one] }, facts));
        const decided = each.includes(!all) ? !all : each.includes('unknown') ? 'unknown' : all;
        expect(holds({ all, comparisons }, facts)).toBe(decided);
      }),
    );
  });

  it('knows an outsider, and finds recipients once', () => {
    expect(isOutside('a@corp.example', [])).toBe(true);
    expect(recipientsOf({ to: ['A@b.example', 'a@B.example'] })).toEqual(['a@b.example']);
  });

  it('says what is wrong with one', () => {
    expect(conditionProblem(one('amount', '>', 5))).toBeNull();
    for (const wrong of [
      one('moon', '=', 1),
      one('amount', '~', 1),
      one('amount', '>', 'much'),
      one('caller', 'in', 'x'),
      { all: true, comparisons: [] },
    ])
      expect(conditionProblem(wrong)).not.toBeNull();
  });
});

describe('a rule with a condition', () => {
  const outside = one('outside_recipients', '>=', 1);
  const under = connection({
    policy: {
      version: 1,
      rules: [rule({ id: 'outside', effect: 'ask', when: outside }), rule({ id: 'rest', effect: 'allow' })],
    },
  });

  it('holds where it holds, and is passed over where it does not', () => {
    expect(evaluate(under, fn(), { to: 'x@evil.test' }, KNOWN).rule.id).toBe('outside');
    expect(evaluate(under, fn(), { to: 'a@corp.example' }, KNOWN).rule.id).toBe('rest');
  });

  it('may hold while nobody can tell: the strictest counts', () => {
    expect(evaluate(under, fn()).effect).toBe('ask');
    expect(evaluate(under, fn(), { to: 'a@corp.example' }, { ...KNOWN, companyDomains: null }).effect).toBe(
      'ask',
    );
    const blocking = connection({
      policy: { version: 1, rules: [rule({ effect: 'deny', when: outside }), rule({})] },
    });
    expect(evaluate(blocking, fn()).effect).toBe('deny');
    const relaxing = connection({
      policy: { version: 1, rules: [rule({ effect: 'allow', when: outside })] },
    });
    expect(evaluate(relaxing, fn()).effect).toBe('ask');
  });

  it('is never looser for not being known', () => {
    const strictness = { allow: 0, ask: 1, deny: 2 };
    const effect = fc.constantFrom('allow' as const, 'ask' as const, 'deny' as const);
    const when = fc.constantFrom(null, outside, one('amount', '>', 10), one('hour', '<', 8));
    fc.assert(
      fc.property(
        fc.array(fc.record({ effect, when }), { maxLength: 5 }),
        fc.record({
          to: fc.constantFrom('a@corp.example', 'x@evil.test'),
          amount: fc.integer({ min: 0, max: 20 }),
        }),
        (rules, args) => {
          const some = connection({
            policy: {
              version: 1,
              rules: rules.map((each, index): PolicyRule => rule({ id: `r${index}`, ...each })),
            },
          });
          const exact = evaluate(some, fn(), args, KNOWN).effect;
          expect(strictness[evaluate(some, fn()).effect]).toBeGreaterThanOrEqual(strictness[exact]);
          expect(strictness[evaluate(some, fn(), args).effect]).toBeGreaterThanOrEqual(strictness[exact]);
        },
      ),
    );
  });

  it('is weighed both ways when an owner may only tighten', () => {
    const ask = rule({ id: 'ask' });
    const tighter = (before: PolicyRule[], after: PolicyRule[]) =>
      isTighter(connection({ policy: { version: 1, rules: before } }), after, [fn()]);
    expect(tighter([ask], [rule({ id: 'c', effect: 'allow', when: outside }), ask])).toBe(false);
    expect(tighter([ask], [rule({ id: 'c', effect: 'deny', when: outside }), ask])).toBe(true);
    expect(tighter([rule({ effect: 'allow' })], [{ ...ask, when: outside }, rule({ effect: 'allow' })])).toBe(
      true,
    );
    expect(tighter([{ ...ask, effect: 'deny' }], [{ ...ask, effect: 'deny', when: outside }])).toBe(false);
    expect(tighter([{ ...ask, rememberable: false }], [ask])).toBe(false);
    expect(tighter([{ ...ask, stepUp: 'totp' }], [ask])).toBe(false);
  });
});

describe('what the form warns of', () => {
  it('names the rule that is never reached, the one that allows everything, and the question without anybody', () => {
    const some = connection({ policy: { version: 1, rules: [] } });
    const nobody = { users: [], usergroups: [], connectionOwner: false };
    const warned = policyWarnings(
      some,
      [rule({ id: 'a', effect: 'allow' }), rule({ id: 'b', functions: ['create_ticket'] })],
      [fn()],
    );
    expect(warned).toEqual([
      { kind: 'allows_everything', rule: 'a', index: 0 },
      { kind: 'never_matches', rule: 'b', index: 1, why: 'covered' },
    ]);
    expect(policyWarnings(some, [rule({ approvers: nobody })], [fn()])).toEqual([
      { kind: 'no_approver', functions: ['create_ticket'] },
    ]);
    const conditional = [rule({ id: 'a', when: one('amount', '>', 1) }), rule({ id: 'b' })];
    expect(policyWarnings(some, conditional, [fn()])).toEqual([]);
  });

  it('tells a rule that is covered from one whose functions are off, or that is of no such risk', () => {
    const some = connection({ policy: { version: 1, rules: [] } });
    const whyOf = (...rules: PolicyRule[]) =>
      policyWarnings(some, rules, [fn()]).flatMap((each) =>
        each.kind === 'never_matches' ? [`${each.rule} ${each.why}`] : [],
      );
    const when = one('amount', '>', 1);
    expect(whyOf(rule({ id: 'a', when }), rule({ id: 'b', when, effect: 'deny' }))).toEqual(['b covered']);
    expect(whyOf(rule({ id: 'a', when }), rule({ id: 'b', when: one('amount', '>', 2) }))).toEqual([]);
    expect(whyOf(rule({ id: 'a', functions: ['delete_ticket'] }), rule({ id: 'b' }))).toEqual([
      'a turned_off',
    ]);
    expect(whyOf(rule({ id: 'a', risks: ['destructive'] }), rule({ id: 'b' }))).toEqual(['a no_such_risk']);
  });

  it('takes every function by name for everything, and lets reads run directly', () => {
    const some = connection({ policy: { version: 1, rules: [] } });
    const allow = rule({ effect: 'allow', functions: ['create_ticket', 'list_tickets'] });
    const read = fn({ name: 'list_tickets', risk: 'read' });
    const kinds = (functions: ReturnType<typeof fn>[]) =>
      policyWarnings(some, [allow], functions).map(({ kind }) => kind);
    expect(kinds([fn(), read])).toContain('allows_everything');
    expect(kinds([read])).not.toContain('allows_everything');
    expect(kinds([fn(), read, fn({ name: 'close_ticket' })])).not.toContain('allows_everything');
  });
});

describe('docs/conditions.md', () => {
  it('has every field and every operator as the code has it', () => {
    const page = readFileSync(new URL('../../docs/conditions.md', import.meta.url), 'utf8');
    for (const { name, about } of FIELDS) expect(page).toContain(`| \`${name}\` | ${about} |`);
    for (const [op, words] of Object.entries(OPERATORS)) expect(page).toContain(`| \`${op}\` | ${words} |`);
  });
});
