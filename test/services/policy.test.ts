import { describe, expect, it } from 'vitest';
import type { PolicyRule, Risk } from '../../models/types.js';
import type { FunctionDefinition } from '../../src/connectors/framework.js';
import { evaluate, hasApprover, higherRisk, isTighter, limitOf, riskOf } from '../../src/services/policy.js';
import { connection, fn, rule } from './documents.js';

const under = (...rules: ReturnType<typeof rule>[]) => connection({ policy: { version: 1, rules } });

describe('which rule holds', () => {
  it('the first that matches, whatever comes after it', () => {
    const both = under(rule({ id: 'first', effect: 'deny' }), rule({ id: 'second', effect: 'allow' }));
    expect(evaluate(both, fn())).toMatchObject({
      effect: 'deny',
      requirement: 'blocked',
      rule: { id: 'first' },
    });
  });

  it('a rule for other functions or other risks does not match', () => {
    const other = under(
      rule({ id: 'function', functions: ['delete_ticket'], effect: 'deny' }),
      rule({ id: 'risk', risks: ['destructive'], effect: 'deny' }),
      rule({ id: 'mine', functions: ['create_ticket'], risks: ['write'], effect: 'allow' }),
    );
    expect(evaluate(other, fn())).toMatchObject({
      effect: 'allow',
      requirement: 'none',
      rule: { id: 'mine' },
    });
  });

  it('an empty list of functions or risks matches nothing', () => {
    const empty = under(rule({ functions: [], effect: 'deny' }), rule({ risks: [], effect: 'deny' }));
    expect(evaluate(empty, fn()).rule.id).toBe('default');
  });

  it.each([
    ['auto', 'read', 'allow'],
    ['ask', 'write', 'ask'],
    ['off', 'destructive', 'ask'],
    ['auto', 'write', 'allow'],
  ] as const)('without a rule the catalogue decides: %s, %s → %s', (approval, risk, effect) => {
    expect(evaluate(under(), fn({ approval, risk })).effect).toBe(effect);
  });

  it('without a rule nobody may approve, so nothing is approved by accident', () => {
    expect(hasApprover(evaluate(under(), fn()).rule)).toBe(false);
  });

  it('"ask every time" turns an allow into a question, and leaves a deny alone', () => {
    const always = fn({ askEveryTime: true });
    expect(evaluate(under(rule({ effect: 'allow' })), always)).toMatchObject({
      effect: 'ask',
      requirement: 'required',
    });
    expect(evaluate(under(rule({ effect: 'deny' })), always).effect).toBe('deny');
  });
});

describe('“ask every time”, set by an admin', () => {
  const always = (...rules: PolicyRule[]) => ({ ...under(...rules), askEveryTime: ['create_ticket'] });

  it('is as if the function did so by itself: an allow asks, and nothing is remembered', () => {
    const asked = evaluate(always(rule({ effect: 'allow', limitPerHour: 5, rememberable: true })), fn());
    expect(asked).toMatchObject({ effect: 'ask', requirement: 'required', rememberable: false });
    expect(evaluate(always(rule({ effect: 'deny' })), fn()).effect).toBe('deny');
    expect(limitOf(asked)).toBeNull();
  });

  it('is about that function and no other', () => {
    const other = fn({ name: 'close_ticket' });
    expect(evaluate(always(rule({ effect: 'allow' })), other).effect).toBe('allow');
  });
});

describe('how risky a call is', () => {
  const byArguments = fn({
    risk: 'destructive',
    riskOf: (args) => (args.purge === true ? 'destructive' : 'write'),
  });

  it('the highest it can be before the arguments are known, then what they say', () => {
    expect(riskOf(connection(), byArguments)).toBe('destructive');
    expect(riskOf(connection(), byArguments, { purge: false })).toBe('write');
    expect(riskOf(connection(), byArguments, { purge: true })).toBe('destructive');
  });

  it('an admin raises it, and never lowers it', () => {
    const raised = connection({ raisedRisks: { create_ticket: 'destructive', list_tickets: 'write' } });
    expect(riskOf(raised, fn())).toBe('destructive');
    const lowered = connection({ raisedRisks: { create_ticket: 'read' } });
    expect(riskOf(lowered, fn())).toBe('write');
  });

  it('a read that was raised no longer runs by itself', () => {
    const read = fn({ name: 'list_tickets', risk: 'read', approval: 'auto' });
    const raised = connection({ policy: { version: 1, rules: [] }, raisedRisks: { list_tickets: 'write' } });
    expect(evaluate(raised, read)).toMatchObject({ risk: 'write', effect: 'ask' });
  });

  it('is ordered read < write < destructive', () => {
    expect(higherRisk('read', 'write')).toBe('write');
    expect(higherRisk('destructive', 'write')).toBe('destructive');
    expect(higherRisk('read', 'read')).toBe('read');
  });
});

it.each([
  [{ users: [], usergroups: [], connectionOwner: false }, false],
  [{ users: ['U0BEN'], usergroups: [], connectionOwner: false }, true],
  [{ users: [], usergroups: ['S0FINANCE'], connectionOwner: false }, true],
  [{ users: [], usergroups: [], connectionOwner: true }, true],
  [{ users: [], usergroups: [], connectionOwner: false, businessOwner: true }, true],
  [{ users: [], usergroups: [], connectionOwner: false, requesterManager: true }, true],
])('%o names an approver: %s', (approvers, expected) => {
  expect(hasApprover(rule({ approvers }))).toBe(expected);
});

describe('whether an approver may answer for the next calls too', () => {
  const destroys = fn({ name: 'delete_ticket', risk: 'destructive' });
  const remembers = (on: FunctionDefinition, rules: PolicyRule[], raised: Record<string, Risk> = {}) =>
    evaluate(connection({ policy: { version: 1, rules }, raisedRisks: raised }), on).rememberable;

  it('is no, for what destroys, unless an admin said so in its rule', () => {
    expect(remembers(destroys, [])).toBe(false);
    expect(remembers(destroys, [rule()])).toBe(false);
    expect(remembers(destroys, [rule({ rememberable: true })])).toBe(true);
    expect(remembers(fn(), [rule()], { create_ticket: 'destructive' })).toBe(false);
  });

  it('is yes for other writes, unless their rule says no', () => {
    expect(remembers(fn(), [])).toBe(true);
    expect(remembers(fn(), [rule()])).toBe(true);
    expect(remembers(fn(), [rule({ rememberable: false })])).toBe(false);
  });

  it('is no where the function asks every time, whatever the rule says', () => {
    const always = fn({ risk: 'destructive', askEveryTime: true });
    expect(remembers(always, [rule({ rememberable: true })])).toBe(false);
    expect(remembers(fn({ askEveryTime: true }), [rule({ rememberable: true })])).toBe(false);
  });

  it('is for an admin to allow, not for an owner', () => {
    const asks = connection({ policy: { version: 1, rules: [rule()] } });
    expect(isTighter(asks, [rule({ rememberable: true })], [destroys])).toBe(false);
    expect(isTighter(asks, [rule({ rememberable: false })], [destroys, fn()])).toBe(true);
  });
});
