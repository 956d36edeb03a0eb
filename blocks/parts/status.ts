/** How an execution stands, and who decided what: the same words and marks on cards, in lists and in details. */
import type { KnownBlock } from '@slack/types';
import type { ExecutionStatus, SecondProof } from '../../models/types.js';
import { excerpt, quote } from '../inert.js';
import { context, moment, person } from './text.js';

export const STATUS_MARKS: Readonly<Record<ExecutionStatus, string>> = {
  pending_authorization: ':key:',
  pending_approval: ':hourglass_flowing_sand:',
  queued: ':gear:',
  executing: ':gear:',
  succeeded: ':white_check_mark:',
  failed: ':warning:',
  outcome_unknown: ':question:',
  denied: ':no_entry:',
  expired: ':alarm_clock:',
  cancelled: ':heavy_minus_sign:',
};

/** `outcome_unknown` as a person reads it. */
export function readable(name: string): string {
  return name.replaceAll('_', ' ');
}

export interface ShownDecision {
  readonly userId: string;
  readonly decision: 'approved' | 'denied';
  readonly reason: string | null;
  readonly at: Date;
  /** On top of the click. */
  readonly proof?: SecondProof;
  /** For whom, while she is away. */
  readonly delegateOf?: string;
  /** About her own request. */
  readonly soleOperator?: true;
}

const PROVEN: Readonly<Record<SecondProof, string>> = {
  totp: ' · :lock: second proof given',
  oidc: ' · :lock: signed in for it',
};

const DECIDED = { approved: ':white_check_mark: *Approved*', denied: ':no_entry: *Denied*' } as const;

/** "Approved by Ben · Today 3:20 PM". */
export function decided(decision: ShownDecision): string {
  return `${DECIDED[decision.decision]} ${decider(decision)}`;
}

/** "by Cleo for Ben · Today 3:20 PM". */
export function decider({
  userId,
  at,
  delegateOf,
  soleOperator,
  proof,
}: Omit<ShownDecision, 'decision' | 'reason'>): string {
  const whose = delegateOf ? ` for ${person(delegateOf)}` : '';
  const own = soleOperator ? ' · sole operator, her own request' : '';
  const proven = proof ? PROVEN[proof] : '';
  return `by ${person(userId)}${whose} · ${moment(at)}${own}${proven}`;
}

const REASON_ROOM = 1_000;

/** Decisions in the order in which they were made, each with what its maker wrote. */
export function decisionBlocks(decisions: readonly ShownDecision[]): KnownBlock[] {
  return decisions.flatMap((each) => [
    context(decided(each)),
    ...(each.reason ? [quote(excerpt(each.reason, REASON_ROOM).shown)] : []),
  ]);
}
