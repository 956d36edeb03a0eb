/** Who decides, where the card goes, and how long the question stands: a step of the add form, and part of a rule. */
import type { KnownBlock, View } from '@slack/types';
import type { Approvers } from '../../models/types.js';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import {
  type Choice,
  channelInput,
  checkbox,
  groupsInput,
  modal,
  numberInput,
  usersInput,
} from '../parts/inputs.js';
import { context, said, section } from '../parts/text.js';

export interface QuestionFields {
  readonly identity: 'shared' | 'private';
  readonly approvers: Approvers;
  /** The groups of `approvers` by name. */
  readonly groups: readonly Choice[];
  readonly route: string | null;
  readonly expiresInMinutes: number;
}

/** A private connection asks the member herself, so only the time is left to choose. */
export function questionInputs(fields: QuestionFields): KnownBlock[] {
  const expiry = numberInput({
    block: 'expiry',
    label: 'Minutes until an unanswered request expires',
    initial: fields.expiresInMinutes,
    min: 1,
    max: 10_080,
  });
  if (fields.identity === 'private') {
    return [
      context('This connection is private: each call is confirmed by the member it acts for, in her DM.'),
      expiry,
    ];
  }
  return [
    usersInput({
      block: 'approvers',
      label: 'Approvers',
      optional: true,
      hint: 'Nobody approves a call that they or their own agent asked for.',
      initial: fields.approvers.users,
    }),
    groupsInput({
      block: 'approver_groups',
      label: 'Approvers from user groups',
      optional: true,
      initial: fields.groups,
      search: ACTIONS.groupSearch,
    }),
    checkbox({
      block: 'approver_owner',
      label: 'The owner',
      choice: { value: 'owner', label: 'The connection’s owner may approve too' },
      checked: fields.approvers.connectionOwner,
    }),
    checkbox({
      block: 'approver_business_owner',
      label: 'The business owner',
      choice: { value: 'business_owner', label: 'The connection’s business owner may approve too' },
      checked: fields.approvers.businessOwner === true,
    }),
    checkbox({
      block: 'approver_manager',
      label: 'The manager',
      hint: 'Where the Slack profile has a field “Manager”. While Slack does not say who that is, nobody decides as the manager.',
      choice: { value: 'manager', label: 'The requester’s manager may approve too' },
      checked: fields.approvers.requesterManager === true,
    }),
    channelInput({
      block: 'route',
      label: 'Also post the card to a channel',
      optional: true,
      hint: 'Everybody in the channel sees the arguments. Left empty, approvers get it by DM only.',
      initial: fields.route,
    }),
    expiry,
  ];
}

export interface ApproversStep extends QuestionFields {
  readonly draftId: string;
  readonly name: string;
  /** Titles of the picked functions that wait for approval. */
  readonly asked: readonly string[];
  /** A remark on the name, when it does not say what it should. */
  readonly warning: string | null;
}

export function connectionApproversModal(step: ApproversStep): View {
  const shown = step.asked.slice(0, 8).map((title) => said(title, 60));
  const more = step.asked.length > shown.length ? ` and ${step.asked.length - shown.length} more` : '';
  return modal({
    title: 'Approval',
    callback: VIEWS.connectionApprovers,
    submit: 'Create',
    metadata: { draft: step.draftId },
    blocks: [
      ...(step.warning === null ? [] : [context(`:warning: ${said(step.warning, 300)}`)]),
      section(`*Before these run on ${said(step.name, 80)}, somebody is asked:*\n${shown.join(', ')}${more}`),
      ...questionInputs(step),
    ],
  });
}
