/** Conditions of rules: the fields, the comparisons, and what an unknown does. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Comparison, PolicyRule } from '../../models/types.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../../src/connectors/framework.js';
import { holds } from '../../src/services/condition-truth.js';
import {
  conditionProblem,
  FIELDS,
  isOutside,
  OPERATORS,
  recipientsOf,
} from '../../src/services/conditions.js';
import { evaluate, isTighter, limitOf, targetCheckOf } from '../../src/services/policy.js';
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
    [
      'an amount with its currency',
      { amount: { value: '5000.00', currency_code: 'EUR' } },
      'amount',
      '=',
      5000,
      true,
    ],
    ['an amount further down', { total: { money: { units: 9 } } }, 'amount', '=', 9, true],
    ['several amounts', { amounts: [5, { value: '-70' }] }, 'amount', '=', 70, true],
    ['prices', { prices: [{ currency: 'EUR', unit: 3 }] }, 'amount', '=', 3, true],
    ['a numbered amount', { amount1: 7, fee_2: 3 }, 'amount', '=', 7, true],
    ['an amount that holds no number', { amount: { currency: 'EUR' } }, 'amount', '>', 0, 'unknown'],
    [
      'an amount beside a number',
      { amount: { value: '5.000,00', scale: 2 } },
      'amount',
      '>',
      1000,
      'unknown',
    ],
    ['one amount that is none', { total: 5, cost: { currency: 'EUR' } }, 'amount', '>', 9, 'unknown'],
    ['a word that only begins alike', { summary: 7, sumac: 8, price_list: [] }, 'amount', '=', 0, true],
    ['no amount yet', { amount: null, prices: [], total: {} }, 'amount', '=', 0, true],
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

  it.each<[string, JsonValue]>([
    ['a quoted name', '"john"@evil.com'],
    ['a quoted address', '"x@corp.example"@evil.com'],
    ['a quoted name with a comma', '"a,b"@evil.com'],
    ['a comment', 'john(x)@evil.com'],
    ['a comment inside the domain', 'x@corp.example(y).evil.com'],
    ['a space', 'john @evil.com'],
    ['a literal', 'a@[1.2.3.4]'],
    ['another at-sign', 'x＠evil.com'],
    ['a small at-sign', 'x﹫evil.com'],
    ['one of several', 'sam@corp.example, "john"@evil.com'],
    ['in a list', ['sam@corp.example', 'john(x)@evil.com']],
  ])('does not count the recipients of an address with %s', (_, value) => {
    for (const args of [{ to: value }, { share_with: value }, { event: { attendees: [{ email: value }] } }]) {
      expect(truth(args, 'outside_recipients', '>=', 1)).toBe('unknown');
      expect(truth(args, 'recipients', '>', 5)).toBe('unknown');
    }
  });

  it.each<[string, Arguments]>([
    ['a domain in pieces', { to: 'x@corp.example .evil.com' }],
    ['a path behind the domain', { to: 'x@evil.com/.corp.example' }],
    ['a name with a comma that nobody reads', { share_with: '"Smith, Sam" <x@evil.test>' }],
    ['an address as a name', { to: { 'x@evil.test': 'Sam' } }],
  ])('does not count recipients either with %s', (_, args) => {
    expect(truth(args, 'outside_recipients', '>=', 1)).toBe('unknown');
  });

  it.each<[string, Arguments, number]>([
    ['a display form', { to: 'Sam <sam@corp.example>' }, 1],
    ['a quoted display form', { to: '"Smith, Sam" <sam@corp.example>; ben@corp.example' }, 2],
    ['a display form that repeats the address', { to: "'sam@corp.example' <sam@corp.example>" }, 1],
    ['a display form elsewhere', { owner: 'Sam <sam@corp.example>' }, 1],
    ['lines', { recipients: 'sam@corp.example\nBen <ben@corp.example>\n' }, 2],
    ['a group', { to: 'Team: sam@corp.example, ben@corp.example;' }, 2],
    ['an umlaut', { to: 'jürgen@corp.example' }, 1],
    ['no address', { to: 'everybody', members: ['U0BEN'] }, 0],
    ['a text', { body: 'see @channel' }, 0],
    ['a text with an odd address', { body: 'Please write to "john"@evil.test (today).' }, 0],
    ['code', { body: '@app.route("/x")\ndef show(a): return a @ b' }, 0],
    ['a quotation', { subject: '"Hello" (again) @sam' }, 0],
    ['a package', { body: 'npm install @types/node (and more)' }, 0],
    ['names of JSON', { '@type': 'Mail', '@odata.type': '#x' }, 0],
  ])('knows the recipients of %s', (_, args, count) => {
    expect(truth(args, 'recipients', '=', count)).toBe(true);
    expect(truth(args, 'outside_recipients', '=', 0)).toBe(true);
  });

  it('does not know recipients that the arguments do not name', () => {
    const [outside, many] = [one('outside_recipients', '>=', 1), one('recipients', '>', 5)];
    const deny = [rule({ effect: 'deny', when: outside }), rule({ effect: 'allow' })];
    const under = connection({ policy: { version: 1, rules: deny } });
    const effect = (reachesUnnamed: FunctionDefinition['reachesUnnamed'], args: Arguments) =>
      evaluate(under, fn(reachesUnnamed === undefined ? {} : { reachesUnnamed }), args, KNOWN).effect;
    expect(effect(undefined, { id: 'm1' })).toBe('allow');
    expect(effect(true, { id: 'm1' })).toBe('deny');
    const all = (args: Arguments): boolean => args.all === true;
    expect([effect(all, { all: true }), effect(all, { all: false })]).toEqual(['deny', 'allow']);
    const facts = { ...KNOWN, function: 'reply', risk: 'write' as const, args: { id: 'm1' } };
    expect([outside, many].map((when) => holds(when, { ...facts, reachesUnnamed: true }))).toEqual([
      'unknown',
      'unknown',
    ]);
  });

  it('takes no longer over a text that nobody would write', () => {
    const long = 60_000;
    const texts = ['@', '(', '[', '"', 'a@', '\\"', ' @', '"a"@', 'a@b.', 'a@b  ', '＠', "'", '(a', '<a@'];
    for (const text of [...texts.map((each) => each.repeat(long)), `a@b${' '.repeat(long)}.`]) {
      const since = performance.now();
      truth({ to: text, body: text }, 'recipients', '>', 0);
      expect(performance.now() - since, text.slice(0, 8)).toBeLessThan(1_000);
    }
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

  it('asks as the strictest of those that may hold', () => {
    const amount = one('amount', '<=', 100);
    const unknown = { amount: '5000 EUR' };
    const verdict = (rules: PolicyRule[], change = {}) =>
      evaluate(connection({ policy: { version: 1, rules } }), fn(change), unknown, KNOWN);
    const small = rule({ id: 'small', when: amount, rememberable: true });
    const proof = rule({ id: 'proof', quorum: 2, stepUp: 'totp' });
    expect(verdict([small, proof])).toMatchObject({ rule: { id: 'proof' }, rememberable: false });
    expect(verdict([{ ...proof, when: amount }, small]).rule.id).toBe('proof');
    const two = rule({ id: 'two', quorum: 2 });
    expect(
      verdict([
        { ...two, when: amount },
        { ...rule(), stepUp: 'totp' },
      ]).rule.stepUp,
    ).toBe('totp');
    expect(verdict([{ ...two, when: amount }, rule({ targetCheck: 'required' })]).rule.id).toBe('two');
    const checked = rule({ id: 'checked', when: amount, targetCheck: 'required' });
    expect(targetCheckOf(verdict([checked, rule()]))).toBe('required');
    const further = { users: ['U0DANA'], usergroups: [], connectionOwner: false };
    expect(verdict([{ ...small, furtherApprovers: further }, rule()]).rule.id).toBe('small');
    expect(verdict([small, rule({ id: 'later' })]).rule.id).toBe('later');
  });

  it('is remembered where every rule that may hold lets it, and runs as often as the least of them', () => {
    const when = one('amount', '<=', 100);
    const verdict = (...rules: PolicyRule[]) =>
      evaluate(connection({ policy: { version: 1, rules } }), fn(), { amount: '5000 EUR' }, KNOWN);
    expect(verdict(rule({ when }), rule({ rememberable: false })).rememberable).toBe(false);
    expect(verdict(rule({ when, rememberable: false }), rule()).rememberable).toBe(false);
    expect(verdict(rule({ when }), rule()).rememberable).toBe(true);
    const allow = (limitPerHour: number | null, change = {}) =>
      rule({ effect: 'allow', limitPerHour, ...change });
    expect(limitOf(verdict(allow(5, { when }), allow(null)))).toBe(5);
    expect(limitOf(verdict(allow(null, { when }), allow(5)))).toBe(5);
    expect(limitOf(verdict(allow(9, { when, quorum: 3 }), allow(5)))).toBe(5);
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

  it('names the question without anybody behind a condition, and at a lower risk', () => {
    const some = connection({ policy: { version: 1, rules: [] } });
    const nobody = [{ kind: 'no_approver', functions: ['create_ticket'] }];
    const when = one('amount', '>', 1000);
    expect(policyWarnings(some, [rule({ when })], [fn()])).toEqual(nobody);
    expect(policyWarnings(some, [rule({ when, effect: 'deny' })], [fn()])).toEqual(nobody);
    expect(policyWarnings(some, [rule({ when })], [fn({ approval: 'auto' })])).toEqual([]);
    const either = fn({ risk: 'destructive', riskOf: () => 'write' });
    expect(policyWarnings(some, [rule({ risks: ['destructive'] })], [either])).toEqual(nobody);
    // Of two with one condition only the first is ever asked.
    const unnamed = { users: [], usergroups: [], connectionOwner: false };
    const twice = [rule({ when }), rule({ id: 'twice', when, approvers: unnamed }), rule({ id: 'rest' })];
    expect(policyWarnings(some, twice, [fn()]).map(({ kind }) => kind)).toEqual(['never_matches']);
    const always = { ...some, askEveryTime: ['create_ticket'] };
    expect(policyWarnings(always, [rule({ effect: 'allow', approvers: unnamed })], [fn()])).toContainEqual(
      nobody[0],
    );
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
