/** The state machine as a table; test/services/interleavings.test.ts holds the services to it. */
import { describe, expect, it } from 'vitest';
import {
  APPROVAL_TRANSITIONS,
  assertTransition,
  EXECUTION_STARTS,
  EXECUTION_TRANSITIONS,
  initialApprovalStatus,
  isTerminal,
} from '../../models/state-machines.js';
import type { ExecutionStatus } from '../../models/types.js';

const STATUSES = Object.keys(EXECUTION_TRANSITIONS) as ExecutionStatus[];

/** Everything that can be reached, the state itself included. */
function reachable(from: ExecutionStatus): Set<ExecutionStatus> {
  const seen = new Set([from]);
  for (const status of seen) for (const next of EXECUTION_TRANSITIONS[status]) seen.add(next);
  return seen;
}

describe('the table', () => {
  it('ends in exactly the states that PRODUCT.md calls ends', () => {
    const ends = ['succeeded', 'failed', 'outcome_unknown', 'denied', 'expired', 'cancelled'];
    expect(STATUSES.filter(isTerminal).sort()).toEqual(ends.sort());
  });

  it('reaches every state from the starts, an end from every state, and never itself', () => {
    const all = new Set(EXECUTION_STARTS.flatMap((start) => [...reachable(start)]));
    expect([...all].sort()).toEqual([...STATUSES].sort());
    for (const status of STATUSES) {
      expect([...reachable(status)].some(isTerminal), status).toBe(true);
      expect(EXECUTION_TRANSITIONS[status]).not.toContain(status);
    }
  });

  it('sends only from one state, which is entered only from the queue', () => {
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('executing'))).toEqual([
      'queued',
    ]);
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('succeeded'))).toEqual([
      'executing',
    ]);
    expect(STATUSES.filter((status) => EXECUTION_TRANSITIONS[status].includes('outcome_unknown'))).toEqual([
      'executing',
    ]);
  });

  it('refuses every change that it does not name', () => {
    for (const from of STATUSES) {
      for (const to of STATUSES) {
        const change = () => assertTransition(from, to);
        if (EXECUTION_TRANSITIONS[from].includes(to)) expect(change).not.toThrow();
        else expect(change, `${from} → ${to}`).toThrow(`cannot go from ${from} to ${to}`);
      }
    }
  });

  it('decides an approval once', () => {
    for (const [status, next] of Object.entries(APPROVAL_TRANSITIONS)) {
      expect(next.length > 0, status).toBe(status === 'pending');
    }
    expect(initialApprovalStatus('required')).toBe('pending');
    for (const other of ['none', 'granted', 'blocked'] as const) {
      expect(initialApprovalStatus(other)).toBe('not_required');
    }
  });
});
