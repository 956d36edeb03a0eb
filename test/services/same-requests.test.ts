/** Which requests people see as one: those whose call is the same; in the list with ticks, those whose card is. */
import { describe, expect, it } from 'vitest';
import type { ApprovalDocument } from '../../models/types.js';
import { sameCardKey, sameRequestKey } from '../../src/services/same-requests.js';

const CALL = {
  callerId: 'ca_1',
  connectionId: 'con_1',
  function: 'change_record',
  subject: 'shared',
  onBehalfOf: null,
  risk: 'write',
} as const;
const one = { ...CALL, _id: 'ex_1' };
const other = { ...CALL, _id: 'ex_2' };
const ARGS = { id: 'r1', title: 'after' };
const SEEN = { targetCheck: 'required', target: 'bound', targetNote: null, fingerprint: 'f1' } as const;
type Question = Parameters<typeof sameCardKey>[1];
const question = (given: Partial<ApprovalDocument> = {}): Question => ({ decisions: [], ...SEEN, ...given });
const vote = { userId: 'U0DANA', decision: 'approved', reason: null } as const;

describe('two calls of one caller with the same arguments', () => {
  it('are one request', () => {
    expect(sameRequestKey(one, ARGS)).toBe(sameRequestKey(other, ARGS));
    expect(sameRequestKey(one, ARGS)).not.toBe(sameRequestKey({ ...other, onBehalfOf: 'U0CLEO' }, ARGS));
    expect(sameRequestKey(one, null)).not.toBe(sameRequestKey(other, null));
  });

  it('have one card where their targets were seen to be the same', () => {
    expect(sameCardKey(one, question(), ARGS)).toBe(sameCardKey(other, question(), ARGS));
    const old = { decisions: [] };
    const none = question({ targetCheck: null, target: null, fingerprint: null });
    expect(sameCardKey(one, old, ARGS)).toBe(sameCardKey(other, none, ARGS));
    expect(sameCardKey(one, question(), null)).not.toBe(sameCardKey(other, question(), null));
  });

  it.each<[string, Partial<ApprovalDocument>]>([
    ['something else was seen', { fingerprint: 'f2' }],
    ['nobody has looked yet', { target: null, fingerprint: null }],
    ['it is not held to what was seen', { target: 'best_effort' }],
    ['it was not looked at', { target: 'unchecked', fingerprint: null, targetNote: 'It could not be read.' }],
    ['the arguments are an edit', { edited: { by: 'U0BEN', at: new Date(0), risk: 'write', voided: [] } }],
    ['somebody voted', { decisions: [{ ...vote, at: new Date(0) }] }],
    ['it asks for a second proof', { stepUp: 'totp' }],
  ])('have two where of one %s', (_what, given) => {
    expect(sameCardKey(one, question(), ARGS)).not.toBe(sameCardKey(other, question(given), ARGS));
  });

  it('have two where one asks again, or is riskier', () => {
    const key = sameCardKey(one, question(), ARGS);
    expect(sameCardKey({ ...other, replaces: 'ex_0' }, question(), ARGS)).not.toBe(key);
    expect(sameCardKey({ ...other, risk: 'destructive' }, question(), ARGS)).not.toBe(key);
  });

  it('have one where the same people voted, whenever they did', () => {
    const [early, late] = [0, 1].map((at) => question({ decisions: [{ ...vote, at: new Date(at) }] }));
    if (!early || !late) throw new Error('two of them');
    expect(sameCardKey(one, early, ARGS)).toBe(sameCardKey(other, late, ARGS));
  });
});
