/** Where a new rule goes, and which calls a rule stays about when something else of it is changed. */
import { describe, expect, it } from 'vitest';
import { connectionRuleModal, type RuleForm } from '../../blocks/connections/policy.js';
import type { PolicyRule } from '../../models/types.js';
import { coveredBy, RISKS_OF, scopeOf, withRule } from '../../src/slack/features/connections/rules.js';
import { rule } from '../services/documents.js';

const when = { all: true, comparisons: [{ field: 'outside_recipients', op: '>=', value: 1 }] };
const WRITES = RISKS_OF.writes;
const ask = rule({ id: 'ask', risks: WRITES });
const send = rule({ id: 'send', functions: ['send_message'], effect: 'allow' });
const guard = rule({ id: 'guard', risks: WRITES, effect: 'deny', when });
const order = (...rules: PolicyRule[]): string[] =>
  rules.reduce<PolicyRule[]>(withRule, []).map(({ id }) => id);

describe('a new rule', () => {
  it('about chosen functions stands before what is about all of a kind, and behind what guards them all', () => {
    expect(order(ask, send)).toEqual(['send', 'ask']);
    expect(order(ask, guard, send)).toEqual(['guard', 'send', 'ask']);
    const twice = rule({ ...guard, id: 'twice', effect: 'ask', quorum: 2 });
    expect(order(ask, twice, { ...send, effect: 'ask' })).toEqual(['twice', 'send', 'ask']);
    expect(order(ask, guard, rule({ id: 'destroys', risks: RISKS_OF.destructive }))).toEqual([
      'guard',
      'destroys',
      'ask',
    ]);
  });

  it('that guards them all stands before chosen functions that would pass it by', () => {
    expect(order(ask, send, guard)).toEqual(['guard', 'send', 'ask']);
    const blocked = rule({ id: 'blocked', functions: ['delete_ticket'], effect: 'deny' });
    const direct = rule({ ...guard, id: 'direct', effect: 'allow' });
    expect(order(ask, blocked, direct)).toEqual(['blocked', 'direct', 'ask']);
  });

  it('that blocks chosen functions stands before what lets all run directly on a condition', () => {
    const direct = rule({ ...guard, id: 'direct', effect: 'allow' });
    expect(order(ask, direct, { ...send, effect: 'deny' })).toEqual(['send', 'direct', 'ask']);
  });

  it('about all of a kind comes last, and a rule that is changed stays in its place', () => {
    expect(order(ask, rule({ id: 'reads', risks: RISKS_OF.reads }))).toEqual(['ask', 'reads']);
    expect(order(guard, ask, { ...guard, effect: 'ask' })).toEqual(['guard', 'ask']);
  });
});

describe('what a rule applies to', () => {
  const unusual = rule({ risks: ['write'] });

  it('is one of the usual kinds only where it is exactly that', () => {
    const scopes = (...risks: PolicyRule['risks'][]) => risks.map((each) => scopeOf(rule({ risks: each })));
    expect(
      scopes(null, ['read'], ['write', 'destructive'], ['destructive', 'write'], ['destructive']),
    ).toEqual(['all', 'reads', 'writes', 'writes', 'destructive']);
    expect(scopes(['write'], ['read', 'write'], ['read', 'write', 'destructive'], [])).toEqual(
      Array.from({ length: 4 }, () => 'as_is'),
    );
    expect(scopeOf(rule({ functions: ['send_message'], risks: ['write'] }))).toBe('functions');
  });

  it('stays as it is unless another kind is chosen', () => {
    expect(coveredBy('as_is', [], unusual)).toEqual({ functions: null, risks: ['write'] });
    const turned = rule({ risks: ['destructive', 'write'] });
    expect(coveredBy('writes', [], turned)).toEqual({ functions: null, risks: ['destructive', 'write'] });
    expect(coveredBy('reads', [], unusual)).toEqual({ functions: null, risks: ['read'] });
    const chosen = rule({ functions: ['a'], risks: ['write'] });
    expect(coveredBy('functions', ['a', 'b'], chosen)).toEqual({ functions: ['a', 'b'], risks: ['write'] });
    expect(coveredBy('functions', ['a'], unusual)).toEqual({ functions: ['a'], risks: null });
    expect(() => coveredBy('as_is', [], null)).toThrow(/Applies to/);
    expect(() => coveredBy('functions', [], null)).toThrow(/Choose the functions/);
  });

  it('is offered as it is, in words, where it is none of the usual kinds', () => {
    const form: RuleForm = {
      connectionId: 'con_1',
      ruleId: 'rule_1',
      scope: 'as_is',
      scopeAsIs: 'every read and write function',
      functions: [],
      choices: [],
      effect: 'ask',
      quorum: 1,
      limitPerHour: null,
      stepUp: null,
      offersSignIn: false,
      identity: 'shared',
      approvers: { users: [], usergroups: [], connectionOwner: false },
      groups: [],
      route: null,
      expiresInMinutes: 60,
    };
    const drawn = (given: RuleForm) =>
      JSON.stringify(connectionRuleModal(given).blocks.find((block) => block.block_id === 'scope'));
    expect(drawn(form)).toMatch(/"initial_option":\{[^}]*"text":\{[^}]*As it is/);
    expect(drawn(form)).toContain('every read and write function');
    expect(drawn({ ...form, scope: 'all', scopeAsIs: null })).not.toContain('As it is');
  });
});
