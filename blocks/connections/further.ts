/** A further approver: on a private connection, who has to approve besides the member. */
import type { KnownBlock } from '@slack/types';
import type { Approvers } from '../../models/types.js';
import { ACTIONS } from '../../src/slack/ids.js';
import { type Choice, checkboxes, groupsInput, usersInput } from '../parts/inputs.js';
import { initialRoles, ROLES } from './roles.js';

export interface FurtherFields {
  readonly further: Approvers | null;
  /** The groups of `further` by name. */
  readonly furtherGroups: readonly Choice[];
}

export function furtherInputs({ further, furtherGroups }: FurtherFields): KnownBlock[] {
  return [
    usersInput({
      block: 'further',
      label: 'A further approver',
      optional: true,
      hint: 'One of these has to approve besides the member, and sees what it is about. Members are told, and asked for their consent again.',
      initial: further?.users ?? [],
    }),
    groupsInput({
      block: 'further_groups',
      label: 'A further approver: user groups',
      optional: true,
      initial: furtherGroups,
      search: ACTIONS.groupSearch,
    }),
    checkboxes({
      block: 'further_roles',
      label: 'A further approver: by their role',
      choices: ROLES,
      checked: initialRoles(further),
    }),
  ];
}
