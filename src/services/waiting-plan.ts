/** When people who have not decided are reminded, and when somebody else is asked besides. Pure. */
import type { ApprovalDocument, PolicyRule } from '../../models/types.js';

/** Parts of the time that a request has; shared/PRODUCT.md leaves the numbers to us, issue 5 names these. */
export const DEFAULT_REMINDERS: readonly number[] = [0.5, 0.9];
const MINUTE_MS = 60_000;

export type WaitingPlan = Required<
  Pick<
    ApprovalDocument,
    'nextReminderAt' | 'remindersLeft' | 'escalateAt' | 'escalateTo' | 'requesterId' | 'told'
  >
>;

/** @param personal a private connection: its member is reminded, and nobody else is ever asked */
export function waitingPlan(
  rule: Pick<PolicyRule, 'reminders' | 'escalation' | 'expiresInMinutes'>,
  requesterId: string,
  now: Date,
  personal: boolean,
): WaitingPlan {
  const span = rule.expiresInMinutes * MINUTE_MS;
  const [next = null, ...left] = [...new Set(rule.reminders ?? DEFAULT_REMINDERS)]
    .sort((a, b) => a - b)
    .map((part) => new Date(now.getTime() + Math.round(part * span)));
  const escalation = personal ? null : (rule.escalation ?? null);
  // One that would come after the end never comes.
  const escalates = escalation !== null && escalation.afterMinutes < rule.expiresInMinutes;
  return {
    nextReminderAt: next,
    remindersLeft: left,
    escalateAt: escalates ? new Date(now.getTime() + escalation.afterMinutes * MINUTE_MS) : null,
    escalateTo: escalates ? escalation.approvers : null,
    requesterId,
    told: false,
  };
}
