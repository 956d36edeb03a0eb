/** Stopping things: a pause with its reason, and the removal of a connection. */
import type { View } from '@slack/types';
import { VIEWS } from '../../src/slack/ids.js';
import { type Choice, modal, radio, textInput } from '../parts/inputs.js';
import { person, said, section } from '../parts/text.js';

export interface PauseForm {
  readonly target:
    | { readonly kind: 'connection'; readonly id: string; readonly key: string; readonly name: string }
    | { readonly kind: 'caller'; readonly id: string; readonly name: string }
    | { readonly kind: 'all' };
}

function effectText({ target }: PauseForm): string {
  if (target.kind === 'all') return '*Everything stops:* no call of any caller runs.';
  const name = said(target.name, 80);
  return target.kind === 'connection'
    ? `*${name} stops:* no call runs on it.`
    : `*The caller ${name} stops:* none of its calls runs.`;
}

const PENDING: readonly Choice[] = [
  { value: 'freeze', label: 'Stand still', description: 'Their time stops; they have it back afterwards' },
  { value: 'cancel', label: 'Cancel them', description: 'Their callers are told; nothing comes back' },
];

export function pauseModal(form: PauseForm): View {
  const { target } = form;
  return modal({
    title: 'Pause',
    callback: VIEWS.pause,
    submit: 'Pause',
    metadata: {
      kind: target.kind,
      ...(target.kind === 'all' ? {} : { id: target.id }),
    },
    blocks: [
      section(
        `${effectText(form)} A call that was approved and has not begun is refused; calls on their way are not interrupted, and you are shown which.`,
      ),
      textInput({
        block: 'reason',
        label: 'Reason',
        hint: 'Callers and colleagues see it.',
        max: 300,
        placeholder: 'The helpdesk is being migrated until noon',
      }),
      radio({
        block: 'pending',
        label: 'Requests that wait for people',
        choices: PENDING,
        initial: 'freeze',
      }),
    ],
  });
}

export interface RemoveForm {
  readonly connection: {
    readonly id: string;
    readonly key: string;
    readonly name: string;
    readonly ownerId: string;
    readonly identity: 'shared' | 'private';
  };
  readonly callers: number;
  readonly authorizations: number;
}

export function connectionRemoveModal({ connection, callers, authorizations }: RemoveForm): View {
  const { id, key, name, ownerId, identity } = connection;
  const credentials =
    identity === 'private'
      ? `the credentials of ${authorizations} ${authorizations === 1 ? 'member' : 'members'} are deleted`
      : 'its credential is deleted';
  return modal({
    title: 'Remove',
    callback: VIEWS.connectionRemove,
    submit: 'Remove',
    metadata: { connection: id },
    blocks: [
      section(
        `*Remove ${said(name, 80)}* \`${key}\`, owned by ${person(ownerId)}?\n${callers} ${callers === 1 ? 'caller loses' : 'callers lose'} it and ${credentials}. Its executions and their audit stay. This cannot be undone.`,
      ),
      textInput({
        block: 'confirm',
        label: `Type the key “${key}” to remove it`,
        max: 20,
        placeholder: key,
      }),
    ],
  });
}
