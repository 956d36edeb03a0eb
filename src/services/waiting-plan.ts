/** When people who have not decided are reminded, and when somebody else is asked besides. Pure. */
import type { ApprovalDocument, PolicyRule } from '../../models/types.js';

/** Parts of the time that a request has; shared/PRODUCT.md leaves the numbers to us, issue 5 names these. */
export const DEFAULT_REMINDERS: readonly number[] = [0.5, 0.9];
const MINUTE_MS = 60_000;

type Moments = Required<
  Pick<ApprovalDocument, 'nextReminderAt' | 'remindersLeft' | 'escalateAt' | 'escalateTo'>
>;
type Waits = Pick<PolicyRule, 'reminders' | 'escalation' | 'expiresInMinutes'>;

export type WaitingPlan = Moments & Required<Pick<ApprovalDocument, 'requesterId' | 'told'>>;

/** What becomes of a request's time when its call is changed to one of another rule. */
export type WaitingAnew = Moments & Required<Pick<ApprovalDocument, 'expiresAt' | 'escalatedAt'>>;

/** @param personal a private connection: its member is reminded, and nobody else is ever asked */
export function waitingPlan(rule: Waits, requesterId: string, now: Date, personal: boolean): WaitingPlan {
  return { ...moments(rule, now, personal), requesterId, told: false };
}

/** A new question, which counts from now on; it ends no later than its caller was told, nor than its rule lets it. */
export function waitingAnew(
  rule: Waits,
  { expiresAt }: Pick<ApprovalDocument, 'expiresAt'>,
  now: Date,
  personal: boolean,
): WaitingAnew {
  const left = (expiresAt.getTime() - now.getTime()) / MINUTE_MS;
  const expiresInMinutes = Math.min(left, rule.expiresInMinutes);
  return {
    ...moments({ ...rule, expiresInMinutes }, now, personal),
    expiresAt: new Date(now.getTime() + expiresInMinutes * MINUTE_MS),
    escalatedAt: null,
  };
}

function moments(
  { expiresInMinutes, reminders, escalation: second }: Waits,
  now: Date,
  personal: boolean,
): Moments {
  const span = expiresInMinutes * MINUTE_MS;
  const [next = null, ...left] = [...new Set(reminders ?? DEFAULT_REMINDERS)]
    .sort((a, b) => a - b)
    .map((part) => new Date(now.getTime() + Math.round(part * span)));
  const escalation = personal ? null : (second ?? null);
  // One that would come after the end never comes.
  const escalates = escalation !== null && escalation.afterMinutes < expiresInMinutes;
  return {
    nextReminderAt: next,
    remindersLeft: left,
    escalateAt: escalates ? new Date(now.getTime() + escalation.afterMinutes * MINUTE_MS) : null,
    escalateTo: escalates ? escalation.approvers : null,
  };
}
