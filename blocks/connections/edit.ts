/** `/connections edit KEY`: what may change after a connection was added. Its key, connector and identity may not. */
import type { View } from '@slack/types';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { type Choice, groupsInput, modal, radio, textInput, userInput, usersInput } from '../parts/inputs.js';
import { context } from '../parts/text.js';
import { type ConnectorField, connectorFieldInput } from './add.js';

export interface EditForm {
  readonly connection: {
    readonly id: string;
    readonly key: string;
    readonly name: string;
    readonly purpose: string;
    readonly ownerId: string;
    readonly businessOwnerId: string | null;
  };
  readonly fields: readonly ConnectorField[];
  readonly visibility: {
    readonly everyone: boolean;
    readonly users: readonly string[];
    readonly groups: readonly Choice[];
  };
}

const VISIBILITY: readonly Choice[] = [
  { value: 'everyone', label: 'Everybody in this workspace', description: 'Once it is ready' },
  { value: 'some', label: 'Only the people and groups below', description: 'And admins and its owners' },
];

export function connectionEditModal({ connection, fields, visibility }: EditForm): View {
  return modal({
    title: 'Edit the connection',
    callback: VIEWS.connectionEdit,
    submit: 'Save',
    metadata: { connection: connection.id },
    blocks: [
      context(`Its key \`${connection.key}\` never changes.`),
      textInput({ block: 'name', label: 'Name', max: 80, initial: connection.name }),
      textInput({
        block: 'purpose',
        label: 'Purpose',
        max: 500,
        multiline: true,
        initial: connection.purpose,
      }),
      userInput({ block: 'owner', label: 'Owner', hint: 'Looks after it.', initial: connection.ownerId }),
      userInput({
        block: 'business_owner',
        label: 'Business owner',
        hint: 'Answers for what agents do with it.',
        initial: connection.businessOwnerId,
      }),
      ...fields.map(connectorFieldInput),
      ...(fields.length > 0
        ? [context('Changing these settings asks for the tests again before the connection is ready.')]
        : []),
      radio({
        block: 'visibility',
        label: 'Who sees it',
        choices: VISIBILITY,
        initial: visibility.everyone ? 'everyone' : 'some',
      }),
      usersInput({
        block: 'visible_users',
        label: 'People who see it',
        optional: true,
        initial: visibility.users,
      }),
      groupsInput({
        block: 'visible_groups',
        label: 'User groups that see it',
        optional: true,
        initial: visibility.groups,
        search: ACTIONS.groupSearch,
      }),
    ],
  });
}
