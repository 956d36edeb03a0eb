/** When who has not decided is reminded, and when somebody else is asked besides. */
import { describe, expect, it } from 'vitest';
import { waitingAnew, waitingPlan } from '../../src/services/waiting-plan.js';
import { NOW, rule } from './documents.js';

const minutes = (count: number) => new Date(NOW.getTime() + count * 60_000);
const second = { users: ['U0DANA'], usergroups: [], connectionOwner: false };

describe('a request of 60 minutes', () => {
  it('reminds after a half and nine tenths of it', () => {
    const plan = waitingPlan(rule(), 'U0CLEO', NOW, false);
    expect([plan.nextReminderAt, ...plan.remindersLeft]).toEqual([minutes(30), minutes(54)]);
    expect(plan).toMatchObject({ escalateAt: null, escalateTo: null, requesterId: 'U0CLEO', told: false });
  });

  it('reminds when its rule says so, in order and once each', () => {
    const plan = waitingPlan(rule({ reminders: [0.75, 0.25, 0.75] }), 'U0CLEO', NOW, false);
    expect([plan.nextReminderAt, ...plan.remindersLeft]).toEqual([minutes(15), minutes(45)]);
    expect(waitingPlan(rule({ reminders: [] }), 'U0CLEO', NOW, false).nextReminderAt).toBeNull();
  });

  it('asks a second list, unless that would come after the end, or concerns a member’s own account', () => {
    const escalation = { approvers: second, afterMinutes: 20 };
    expect(waitingPlan(rule({ escalation }), 'U0CLEO', NOW, false)).toMatchObject({
      escalateAt: minutes(20),
      escalateTo: second,
    });
    const late = { approvers: second, afterMinutes: 60 };
    expect(waitingPlan(rule({ escalation: late }), 'U0CLEO', NOW, false).escalateAt).toBeNull();
    expect(waitingPlan(rule({ escalation }), 'U0CLEO', NOW, true).escalateAt).toBeNull();
  });
});

describe('a request whose call was changed to one of another rule', () => {
  const ends = { expiresAt: minutes(40) };
  const escalation = { approvers: second, afterMinutes: 20 };

  it('counts from the change, and keeps the end that its caller was told', () => {
    expect(waitingAnew(rule({ escalation, reminders: [0.25, 0.5] }), ends, NOW, false)).toEqual({
      expiresAt: minutes(40),
      nextReminderAt: minutes(10),
      remindersLeft: [minutes(20)],
      escalateAt: minutes(20),
      escalateTo: second,
      escalatedAt: null,
    });
  });

  it('ends earlier where its rule gives it less', () => {
    const plan = waitingAnew(rule({ escalation, expiresInMinutes: 20, reminders: [0.5] }), ends, NOW, false);
    expect(plan).toMatchObject({ expiresAt: minutes(20), nextReminderAt: minutes(10), escalateTo: null });
  });
});
