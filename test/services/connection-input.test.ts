import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyRule } from '../../models/types.js';
import {
  checkAccess,
  checkKey,
  checkName,
  checkPurpose,
  checkRules,
  slugOf,
} from '../../src/services/connection-input.js';
import { rule } from './documents.js';

/** What a refusal says and where. */
function refusal(work: () => unknown): { code: string; path: string; message: string } {
  try {
    work();
  } catch (error) {
    const { code, path, message } = error as { code: string; path: string; message: string };
    return { code, path, message };
  }
  throw new Error('it was taken');
}

describe('a key', () => {
  it.each([
    ['Helpdesk – Support FAQ', 'helpdesk-support-faq'],
    ['  Año Nuevo!', 'ano-nuevo'],
    ['2nd Helpdesk', 'nd-helpdesk'],
    ['日本', 'connection'],
    ['A very long name of a connection', 'a-very-long-name-of'],
  ])('is made from a name: %s → %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it('that is made is always one that is taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => checkKey(slugOf(name)) === slugOf(name)),
    );
  });

  it.each(['', 'A', '1a', 'a_b', 'a b', '-a', 'a'.repeat(21), 'a\n'])('%j is refused', (key) => {
    expect(refusal(() => checkKey(key))).toMatchObject({ code: 'invalid_arguments', path: '/key' });
  });
});

describe('name and purpose', () => {
  it('are trimmed and counted in characters, not in UTF-16 units', () => {
    expect(checkName('  Helpdesk ')).toBe('Helpdesk');
    expect(checkName('🦥'.repeat(80))).toBe('🦥'.repeat(80));
    expect(checkPurpose(' ')).toBe('');
  });

  it.each(['', '   ', 'x'.repeat(81)])('the name %j is refused', (name) => {
    expect(refusal(() => checkName(name))).toMatchObject({ code: 'invalid_arguments', path: '/name' });
  });

  it('a purpose has an end', () => {
    expect(checkPurpose('x'.repeat(500))).toHaveLength(500);
    expect(refusal(() => checkPurpose('x'.repeat(501)))).toMatchObject({ path: '/purpose' });
  });
});

describe('a policy', () => {
  it('is taken as it is', () => {
    const rules = [rule(), rule({ id: 'other', functions: ['create_ticket'], risks: ['write'], quorum: 10 })];
    expect(checkRules(rules)).toEqual(rules);
  });

  it.each<[string, unknown, string]>([
    ['an unknown effect', { effect: 'maybe' }, '/policy/rules/0/effect'],
    ['an unknown risk', { risks: ['fatal'] }, '/policy/rules/0/risks/0'],
    ['no approval at all', { quorum: 0 }, '/policy/rules/0/quorum'],
    ['half an approval', { quorum: 1.5 }, '/policy/rules/0/quorum'],
    ['no time to decide', { expiresInMinutes: 0 }, '/policy/rules/0/expiresInMinutes'],
    ['more than a week', { expiresInMinutes: 10_081 }, '/policy/rules/0/expiresInMinutes'],
    ['a route that is a name', { route: '#approvals' }, '/policy/rules/0/route'],
    ['a field of its own', { allowAll: true }, '/policy/rules/0/'],
    [
      'an approver that is a name',
      { approvers: { users: ['@ben'], usergroups: [], connectionOwner: false } },
      '/policy/rules/0/approvers/users/0',
    ],
  ])('with %s is refused', (_, change, path) => {
    const given = [{ ...rule(), ...(change as object) } as PolicyRule];
    const refused = refusal(() => checkRules(given));
    expect(refused.code).toBe('invalid_arguments');
    expect(`${refused.path}/`.startsWith(path.replace(/\/$/, ''))).toBe(true);
  });

  it('of more than 50 rules is refused', () => {
    expect(checkRules(Array(50).fill(rule()))).toHaveLength(50);
    expect(refusal(() => checkRules(Array(51).fill(rule()))).code).toBe('invalid_arguments');
  });
});

describe('an access list', () => {
  const ON = ['create_ticket'];

  it('may name functions that are turned on, or all', () => {
    const access = [
      { callerId: 'cal_1', functions: ['create_ticket'] },
      { callerId: 'cal_2', functions: null },
    ];
    expect(checkAccess(access, ON)).toEqual(access);
  });

  it('with a function that is off is refused, and says which entry', () => {
    const access = [
      { callerId: 'cal_1', functions: null },
      { callerId: 'cal_2', functions: ['delete_ticket'] },
    ];
    expect(refusal(() => checkAccess(access, ON))).toMatchObject({ path: '/access/1/functions' });
  });

  it('with anything else in it is refused', () => {
    const smuggled = [{ callerId: 'cal_1', functions: null, admin: true }];
    expect(refusal(() => checkAccess(smuggled, ON))).toMatchObject({ path: '/access' });
  });
});
