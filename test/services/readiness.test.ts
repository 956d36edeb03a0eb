import { expect, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import { isReady, readiness } from '../../src/services/readiness.js';
import { connection, fn, rule } from './documents.js';

const READ = fn({ name: 'list_tickets', risk: 'read', approval: 'auto' });
const WRITE = fn();
const NOBODY = { users: [], usergroups: [], connectionOwner: false };

function open(given: Partial<ConnectionDocument>, enabled = [READ, WRITE], hasCredential = true): string[] {
  return readiness(connection(given), enabled, hasCredential)
    .filter(({ done }) => !done)
    .map(({ id }) => id);
}

it('is ready when every line is done', () => {
  const items = readiness(connection(), [READ, WRITE], true);
  expect(items).toHaveLength(8);
  expect(isReady(items)).toBe(true);
});

it.each<[string, Partial<ConnectionDocument>]>([
  ['owners', { businessOwnerId: null }],
  ['purpose', { purpose: '   ' }],
  ['scopes', { scopesReviewedAt: null }],
  ['read_test', { readTestedAt: null, policy: { version: 1, rules: [rule({ risks: ['write'] })] } }],
  ['write_test', { writeTestedAt: null }],
  ['approvers', { policy: { version: 1, rules: [rule({ approvers: NOBODY })] } }],
])('says what is missing: %s', (id, given) => {
  expect(open(given)).toEqual([id]);
});

it('wants a credential and at least one function', () => {
  expect(open({}, [READ, WRITE], false)).toEqual(['credential']);
  expect(open({}, [])).toEqual(['functions']);
});

it('names the write functions that nobody can approve, and no more than three', () => {
  const writes = ['one', 'two', 'three', 'four'].map((name) => fn({ name }));
  const items = readiness(connection({ policy: { version: 1, rules: [] } }), writes, true);
  expect(items.find(({ id }) => id === 'approvers')?.next).toBe('Name approvers for one, two, three');
});

it('is not ready while a smaller or a milder write would ask nobody', () => {
  const amount = { all: true, comparisons: [{ field: 'amount', op: '>', value: 1000 }] };
  const large = { version: 1, rules: [rule({ when: amount })] };
  expect(open({ policy: large })).toEqual(['approvers']);
  expect(open({ policy: { version: 1, rules: [rule({ when: amount }), rule({ id: 'rest' })] } })).toEqual([]);
  const either = fn({ risk: 'destructive', riskOf: (args) => (args.purge ? 'destructive' : 'write') });
  const worst = { version: 1, rules: [rule({ risks: ['destructive'] })] };
  expect(open({ policy: worst }, [READ, either])).toEqual(['approvers']);
  const limited = rule({ effect: 'allow', limitPerHour: 5, approvers: NOBODY, when: amount });
  expect(open({ policy: { version: 1, rules: [limited, rule()] } })).toEqual(['approvers']);
});

it('wants the test of a write that only some arguments ask about', () => {
  const outside = { all: true, comparisons: [{ field: 'outside_recipients', op: '>=', value: 1 }] };
  const policy = { version: 1, rules: [rule({ effect: 'deny', when: outside }), rule({ id: 'rest' })] };
  expect(open({ policy, writeTestedAt: null })).toEqual(['write_test']);
  expect(open({ policy, readTestedAt: null })).toEqual(['read_test']);
});

it('a write that is blocked or allowed needs no approver and no test with one', () => {
  for (const effect of ['deny', 'allow'] as const) {
    const policy = { version: 1, rules: [rule({ risks: ['write'], effect, approvers: NOBODY })] };
    expect(open({ policy, writeTestedAt: null })).toEqual([]);
  }
});

it('a private connection is approved by its member, so nobody has to be named', () => {
  expect(open({ identity: 'private', policy: { version: 1, rules: [] } })).toEqual([]);
});

it('no read to test where every read is blocked', () => {
  const policy = { version: 1, rules: [rule({ risks: ['read'], effect: 'deny' }), rule()] };
  expect(open({ policy, readTestedAt: null })).toEqual([]);
});
