/** What becomes of a request, once everything about it is known: said by a dry run, done by a submission. Pure. */
import type { Verdict } from './policy.js';

/** shared/RELIABILITY.md, G15: what one caller may have waiting for people at a time. */
export const PENDING_LIMIT = 100;

export interface Examination {
  readonly verdict: Verdict;
  /** What stops every call of the connection or the caller. */
  readonly stop: { readonly code: 'paused' | 'not_ready'; readonly message: string } | null;
  /** The member whom the call is for lets this caller act for her; true where it is for nobody. */
  readonly allowed: boolean;
  /** How many calls of this caller wait for people, counted up to the limit. */
  readonly pending: number;
  /** The kill switch is lifted only as far as what a person is asked about: then people are asked, and no grant answers. */
  readonly onlyAsking: boolean;
  /** Scopes that the function needs and the consent left out. */
  readonly gap: readonly string[];
}

export type Fate =
  | 'stopped'
  | 'blocked'
  | 'too_many_pending'
  | 'waits_for_member'
  | 'needs_more_scopes'
  | 'asks'
  | 'granted'
  | 'runs';

/** Whether a grant is worth looking for: nothing but the question is in the way. */
export function grantWouldHelp({ verdict, stop, onlyAsking, allowed, gap }: Examination): boolean {
  return verdict.effect === 'ask' && stop === null && !onlyAsking && allowed && gap.length === 0;
}

export function fateOf(examined: Examination, hasGrant: boolean): Fate {
  const { verdict, stop, allowed, pending, gap } = examined;
  if (stop) return 'stopped';
  if (verdict.effect === 'deny') return 'blocked';
  const asks = verdict.effect === 'ask' && !hasGrant;
  if ((!allowed || asks) && pending >= PENDING_LIMIT) return 'too_many_pending';
  if (!allowed) return 'waits_for_member';
  if (gap.length > 0) return 'needs_more_scopes';
  if (asks) return 'asks';
  return verdict.effect === 'ask' ? 'granted' : 'runs';
}
