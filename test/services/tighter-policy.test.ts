/** What an owner may do to a policy: tighten it, and nothing else. */
import { describe, expect, it } from 'vitest';
import type { PolicyRule } from '../../models/types.js';
import type { FunctionDefinition } from '../../src/connectors/framework.js';
import { isTighter } from '../../src/services/policy.js';

const fn = (
  name: string,
  risk: FunctionDefinition['risk'],
  more: Partial<FunctionDefinition> = {},
): FunctionDefinition => ({
  name,
  title: name,
  description: name,
  risk,
  approval: risk === 'read' ? 'auto' : 'ask',
  scopes: [],
  idempotency: 'none',
  input: { jsonSchema: {}, parse: () => ({ ok: true, value: {} }) },
  output: '',
  card: () => [],
  run: async () => null,
  ...more,
});
const functions = [
  fn('list', 'read'),
  fn('create', 'write'),
  fn('request', 'destructive', {
    approval: 'off',
    riskOf: (args) => (args.method === 'GET' ? 'read' : 'destructive'),
  }),
];
const rule = (change: Partial<PolicyRule>): PolicyRule => ({
  id: 'rule',
  functions: null,
  risks: null,
  effect: 'ask',
  approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
  quorum: 1,
  route: null,
  expiresInMinutes: 60,
  ...change,
});
const writes = rule({ risks: ['write', 'destructive'] });
const FURTHER = { users: ['U0DANA'], usergroups: [], connectionOwner: false };
const tighter = (before: PolicyRule[], after: PolicyRule[]): boolean =>
  isTighter({ policy: { version: 1, rules: before }, raisedRisks: {} }, after, functions);

describe('a tighter policy', () => {
  it.each([
    ['the same', [writes], [writes]],
    ['a read that is asked about', [writes], [rule({ functions: ['list'] }), writes]],
    ['a write that is blocked', [writes], [rule({ functions: ['create'], effect: 'deny' }), writes]],
    [
      'what is blocked has no further approver',
      [{ ...writes, furtherApprovers: FURTHER }],
      [rule({ effect: 'deny' })],
    ],
    ['more approvals', [writes], [{ ...writes, quorum: 2 }]],
    ['a second proof', [{ ...writes, stepUp: null }], [{ ...writes, stepUp: 'totp' as const }]],
    ['no second proof, as before', [{ ...writes, stepUp: null }], [writes]],
    [
      'fewer approvers',
      [rule({ ...writes, approvers: { users: ['U0BEN', 'U0DANA'], usergroups: [], connectionOwner: true } })],
      [writes],
    ],
    ['another route and expiry', [writes], [{ ...writes, route: 'C0APPROVALS', expiresInMinutes: 5 }]],
  ])('is %s', (_, before, after) => {
    expect(tighter(before, after)).toBe(true);
  });

  it.each([
    ['a write that runs directly', [writes], [rule({ functions: ['create'], effect: 'allow' }), writes]],
    ['a rule taken away', [rule({ effect: 'deny' })], []],
    [
      'another approver',
      [writes],
      [rule({ ...writes, approvers: { users: ['U0CLEO'], usergroups: [], connectionOwner: false } })],
    ],
    [
      'the owner as approver',
      [writes],
      [rule({ ...writes, approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: true } })],
    ],
    ['no further approver any more', [{ ...writes, furtherApprovers: FURTHER }], [writes]],
    [
      'another further approver',
      [{ ...writes, furtherApprovers: FURTHER }],
      [{ ...writes, furtherApprovers: { ...FURTHER, connectionOwner: true } }],
    ],
    ['a further approver, whom an admin requires', [writes], [{ ...writes, furtherApprovers: FURTHER }]],
    [
      'no further approver once a limit is used up',
      [{ ...writes, effect: 'allow' as const, limitPerHour: 5, furtherApprovers: FURTHER }],
      [{ ...writes, effect: 'allow' as const, limitPerHour: 5 }],
    ],
    ['fewer approvals', [{ ...writes, quorum: 2 }], [writes]],
    ['no second proof any more', [{ ...writes, stepUp: 'totp' as const }], [{ ...writes, stepUp: null }]],
    [
      'a risk that only some arguments have',
      [rule({})],
      [rule({ functions: ['request'], risks: ['read'], effect: 'allow' }), rule({})],
    ],
  ])('is not %s', (_, before, after) => {
    expect(tighter(before, after)).toBe(false);
  });
});
