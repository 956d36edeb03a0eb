/** Reminders and escalation: what a rule does about people who do not answer. */
import type { KnownBlock } from '@slack/types';
import type { Escalation } from '../../models/types.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { type Choice, checkboxes, groupsInput, numberInput, textInput, usersInput } from '../parts/inputs.js';
import { initialRoles, ROLES } from './roles.js';

export interface WaitingFields {
  readonly identity: 'shared' | 'private';
  /** Parts of the time: 0.5 is half of it. */
  readonly reminders: readonly number[];
  readonly escalation: Escalation | null;
  /** The groups of the escalation by name. */
  readonly escalationGroups: readonly Choice[];
}

/** A private connection asks its member alone: there is nobody to escalate to. */
export function waitingInputs({
  identity,
  reminders,
  escalation,
  escalationGroups,
}: WaitingFields): KnownBlock[] {
  const reminder = textInput({
    block: 'reminders',
    label: 'Remind after % of the time',
    optional: true,
    hint: 'Up to five numbers. One DM lists all that waits for a person. Empty: no reminder.',
    initial: reminders.map((part) => Math.round(part * 100)).join(', '),
    max: 40,
    placeholder: '50, 90',
  });
  if (identity === 'private') return [reminder];
  return [
    reminder,
    numberInput({
      block: 'escalate_after',
      label: 'Minutes until a second list is asked too',
      optional: true,
      hint: 'Empty: nobody else is asked.',
      initial: escalation?.afterMinutes ?? null,
      min: 1,
      max: 10_080,
    }),
    usersInput({
      block: 'escalate_to',
      label: 'Second list',
      optional: true,
      initial: escalation?.approvers.users ?? [],
    }),
    groupsInput({
      block: 'escalate_groups',
      label: 'Second list: user groups',
      optional: true,
      initial: escalationGroups,
      search: ACTIONS.groupSearch,
    }),
    checkboxes({
      block: 'escalate_roles',
      label: 'Second list: by their role',
      choices: ROLES,
      checked: initialRoles(escalation?.approvers ?? null),
    }),
  ];
}
