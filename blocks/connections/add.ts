/** The first step of `/connections add`: which system, as whom, what for, and the connector's own fields. */
import type { KnownBlock, View } from '@slack/types';
import { ACTIONS, VIEWS } from '../../src/slack/ids.js';
import { type Choice, checkbox, modal, radio, select, textInput, userInput } from '../parts/inputs.js';
import { context, explained, person, said, section } from '../parts/text.js';

/** A field of the connector's own, as its definition names it. */
export interface ConnectorField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'url' | 'multiline' | 'select';
  readonly optional: boolean;
  readonly hint?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly options: readonly Choice[];
  /** What was typed, or the connector's default. */
  readonly value: string | undefined;
}

export interface ChosenConnector {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly identities: readonly ('shared' | 'private')[];
  readonly auth: readonly Choice[];
  /** What is asked depends on how it signs in, so that choosing is heard at once. */
  readonly fieldsByAuth: boolean;
  /** Which way of signing in fits which identity best, and why. */
  readonly recommended: readonly {
    readonly identity: 'shared' | 'private';
    readonly auth: string;
    readonly why: string;
  }[];
  /** What an admin should know before adding one. */
  readonly notice: string | null;
  readonly fields: readonly ConnectorField[];
}

export interface Duplicate {
  readonly key: string;
  readonly name: string;
  readonly ownerId: string;
}

export interface AddForm {
  readonly connectors: readonly Choice[];
  readonly chosen: ChosenConnector | null;
  readonly identity?: string | undefined;
  readonly auth?: string | undefined;
  readonly name?: string | undefined;
  readonly key?: string | undefined;
  readonly purpose?: string | undefined;
  readonly ownerId: string | null;
  readonly businessOwnerId: string | null;
  /** What went wrong after the form was sent. */
  readonly problem: string | null;
  readonly duplicates: readonly Duplicate[];
}

/** Input blocks of the connector's own fields. */
export const fieldBlock = (name: string): string => `field.${name}`;

const IDENTITY_CHOICES: Record<'shared' | 'private', Choice> = {
  shared: { value: 'shared', label: 'Shared', description: 'One service identity for everybody' },
  private: { value: 'private', label: 'Private', description: 'Each member authorizes her own account' },
};

export function connectorFieldInput(field: ConnectorField): KnownBlock {
  const about = {
    block: fieldBlock(field.name),
    label: field.label,
    hint: field.hint,
    optional: field.optional,
  };
  if (field.kind === 'select') return select({ ...about, choices: field.options, initial: field.value });
  return textInput({
    ...about,
    multiline: field.kind === 'multiline',
    placeholder: field.placeholder,
    initial: field.value,
  });
}

function duplicateBlocks(duplicates: readonly Duplicate[]): KnownBlock[] {
  if (duplicates.length === 0) return [];
  const shown = duplicates.slice(0, 5);
  const rest = duplicates.length > shown.length ? `\n…and ${duplicates.length - shown.length} more` : '';
  const names = shown.map((each) => `• *${said(each.name, 80)}* \`${each.key}\`, ${person(each.ownerId)}`);
  return [
    section(`:warning: *This may exist already:*\n${names.join('\n')}${rest}`),
    checkbox({
      block: 'anyway',
      label: 'Create another one?',
      choice: { value: 'yes', label: 'Yes, create it anyway' },
    }),
  ];
}

function recommendations({ recommended, auth }: ChosenConnector): KnownBlock[] {
  const lines = recommended.map(({ identity, auth: id, why }) => {
    const label = auth.find(({ value }) => value === id)?.label ?? id;
    return `Recommended when ${identity}: *${said(label, 60)}*, because ${said(why, 200)}.`;
  });
  return lines.length === 0 ? [] : [context(lines.join('\n'))];
}

export function connectionAddModal(form: AddForm): View {
  const { chosen } = form;
  const blocks: KnownBlock[] = [
    ...(form.problem === null ? [] : [section(explained(form.problem))]),
    ...duplicateBlocks(form.duplicates),
    select({
      block: 'connector',
      label: 'Connector',
      hint: 'The kind of system.',
      listen: ACTIONS.connectionChoose,
      choices: form.connectors,
      initial: chosen?.id,
    }),
  ];
  if (chosen) {
    blocks.push(
      context(said(chosen.description, 300)),
      ...(chosen.notice === null ? [] : [context(`:warning: ${said(chosen.notice, 600)}`)]),
      radio({
        block: `identity.${chosen.id}`,
        label: 'Identity',
        choices: chosen.identities.map((each) => IDENTITY_CHOICES[each]),
        initial: form.identity ?? (chosen.identities.length === 1 ? chosen.identities[0] : undefined),
      }),
      select({
        block: `auth.${chosen.id}`,
        label: 'How it signs in',
        hint: 'The secret itself is entered later, on a web page. Never type one here.',
        listen: chosen.fieldsByAuth ? ACTIONS.connectionChoose : undefined,
        choices: chosen.auth,
        initial: form.auth ?? chosen.auth[0]?.value,
      }),
      ...recommendations(chosen),
      textInput({
        block: 'name',
        label: 'Name',
        optional: true,
        max: 80,
        hint: 'Say the system, what it is for and what it may do. Left empty, we make one from the purpose.',
        placeholder: `${chosen.title} - Support FAQ - read only`,
        initial: form.name,
      }),
      textInput({
        block: 'purpose',
        label: 'Purpose',
        max: 500,
        multiline: true,
        placeholder: 'Support agents answer customers from tickets and the FAQ',
        initial: form.purpose,
      }),
      userInput({ block: 'owner', label: 'Owner', hint: 'Looks after it.', initial: form.ownerId }),
      userInput({
        block: 'business_owner',
        label: 'Business owner',
        hint: 'Answers for what agents do with it.',
        initial: form.businessOwnerId,
      }),
      ...chosen.fields.map(connectorFieldInput),
      textInput({
        block: 'key',
        label: 'Key',
        optional: true,
        max: 20,
        hint: 'Callers and commands name it by this, and it never changes. Left empty, it is made from the name.',
        placeholder: 'helpdesk',
        initial: form.key,
      }),
    );
  }
  return modal({ title: 'Add a connection', callback: VIEWS.connectionAdd, submit: 'Continue', blocks });
}
