/** The kill points of shared/RELIABILITY.md, "Fault tests". */
export const KILL_POINTS = [
  'before_intent',
  'after_intent',
  'before_card_post',
  'after_card_post',
  'before_decision',
  'after_decision',
  'before_slack_ack',
  'before_claim',
  'after_claim',
  'before_send',
  'after_send',
  'before_outcome',
  'after_outcome',
  'before_card_update',
] as const;

export type KillPoint = (typeof KILL_POINTS)[number];

/** Where one write follows another besides (test/process/follow-ups.test.ts). */
export type FollowUp =
  /** The end of a call whose target changed is stored, the call that asks again is not. */
  | 'after_target_changed'
  /** A reminder is stored, its moment is not advanced. */
  | 'after_reminder';

const armed = process.env.NODE_ENV === 'test' ? process.env.CRASH_AT : undefined;

/** Ends the process as `kill -9` would, when the named point is armed by `CRASH_AT` (only under NODE_ENV=test). */
export function crashAt(point: KillPoint | FollowUp): void {
  if (armed === point) process.kill(process.pid, 'SIGKILL');
}
