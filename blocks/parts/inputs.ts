/** Inputs of modals. The block id names the input; the element's action id is `value` unless somebody listens to it. */
import type { ConversationsSelect, InputBlock, KnownBlock, ModalView, PlainTextOption } from '@slack/types';
import { plain } from '../inert.js';

export const VALUE = 'value';

export interface Labelled {
  readonly block: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly optional?: boolean | undefined;
  /** Set where choosing is to be heard at once. */
  readonly listen?: string | undefined;
}

function input(about: Labelled, element: InputBlock['element']): InputBlock {
  return {
    type: 'input',
    block_id: about.block,
    label: plain(about.label, 150, 'ellipsis'),
    optional: about.optional === true,
    ...(about.hint ? { hint: plain(about.hint, 300, 'ellipsis') } : {}),
    ...(about.listen ? { dispatch_action: true } : {}),
    element,
  };
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string | undefined;
}

/** Slack compares `initial_option` with the options field by field, so both are made here. */
export function option({ value, label, description }: Choice): PlainTextOption {
  return {
    text: plain(label, 75, 'ellipsis'),
    value,
    ...(description ? { description: plain(description, 75, 'ellipsis') } : {}),
  };
}

export function textInput(
  about: Labelled & {
    readonly initial?: string | undefined;
    readonly max?: number;
    readonly multiline?: boolean;
    readonly placeholder?: string | undefined;
  },
): InputBlock {
  return input(about, {
    type: 'plain_text_input',
    action_id: about.listen ?? VALUE,
    max_length: about.max ?? 3_000,
    multiline: about.multiline === true,
    ...(about.initial ? { initial_value: about.initial } : {}),
    ...(about.placeholder ? { placeholder: plain(about.placeholder, 150, 'ellipsis') } : {}),
  });
}

/** One address; Slack refuses what is none. */
export function emailInput(about: Labelled & { readonly initial: string | null }): InputBlock {
  return input(about, {
    type: 'email_text_input',
    action_id: VALUE,
    ...(about.initial === null ? {} : { initial_value: about.initial }),
  });
}

export function numberInput(
  about: Labelled & { readonly initial: number | null; readonly min: number; readonly max: number },
): InputBlock {
  return input(about, {
    type: 'number_input',
    action_id: VALUE,
    is_decimal_allowed: false,
    ...(about.initial === null ? {} : { initial_value: String(about.initial) }),
    min_value: String(about.min),
    max_value: String(about.max),
  });
}

export function select(
  about: Labelled & { readonly choices: readonly Choice[]; readonly initial?: string | undefined },
): InputBlock {
  const initial = about.choices.find(({ value }) => value === about.initial);
  return input(about, {
    type: 'static_select',
    action_id: about.listen ?? VALUE,
    options: about.choices.map(option),
    ...(initial ? { initial_option: option(initial) } : {}),
  });
}

export function radio(
  about: Labelled & { readonly choices: readonly Choice[]; readonly initial?: string | undefined },
): InputBlock {
  const initial = about.choices.find(({ value }) => value === about.initial);
  return input(about, {
    type: 'radio_buttons',
    action_id: about.listen ?? VALUE,
    options: about.choices.map(option),
    ...(initial ? { initial_option: option(initial) } : {}),
  });
}

/** Ten options at most (shared/SLACK.md §1c). */
export function checkboxes(
  about: Labelled & { readonly choices: readonly Choice[]; readonly checked: readonly string[] },
): InputBlock {
  const initial = about.choices.filter(({ value }) => about.checked.includes(value)).map(option);
  return input(
    { ...about, optional: about.optional ?? true },
    {
      type: 'checkboxes',
      action_id: VALUE,
      options: about.choices.map(option),
      ...(initial.length > 0 ? { initial_options: initial } : {}),
    },
  );
}

export function checkbox(
  about: Labelled & { readonly choice: Choice; readonly checked?: boolean },
): InputBlock {
  return checkboxes({
    ...about,
    choices: [about.choice],
    checked: about.checked ? [about.choice.value] : [],
  });
}

export interface ChoiceGroup {
  readonly label: string;
  readonly choices: readonly Choice[];
}

/** A menu holds a hundred options; what does not fit is searched for. */
export const MENU_LIMIT = 100;

export function multiSelect(
  about: Labelled & {
    readonly groups: readonly ChoiceGroup[];
    readonly initial: readonly string[];
    /** Listens for searches when the options do not fit into a menu. */
    readonly search: string;
  },
): InputBlock {
  const groups = about.groups.filter(({ choices }) => choices.length > 0);
  const all = groups.flatMap(({ choices }) => choices);
  const initial = all.filter(({ value }) => about.initial.includes(value)).map(option);
  const chosen = initial.length > 0 ? { initial_options: initial } : {};
  if (all.length > MENU_LIMIT) {
    return input(about, {
      type: 'multi_external_select',
      action_id: about.search,
      min_query_length: 0,
      placeholder: plain('Type to search', 150),
      ...chosen,
    });
  }
  return input(about, {
    type: 'multi_static_select',
    action_id: VALUE,
    option_groups: groups.map(({ label, choices }) => ({
      label: plain(label, 75, 'ellipsis'),
      options: choices.map(option),
    })),
    ...chosen,
  });
}

/** User groups have no menu of their own in Slack: the app offers them. */
export function groupsInput(
  about: Labelled & { readonly initial: readonly Choice[]; readonly search: string },
): InputBlock {
  return input(about, {
    type: 'multi_external_select',
    action_id: about.search,
    min_query_length: 0,
    max_selected_items: 10,
    placeholder: plain('Type to search for user groups', 150),
    ...(about.initial.length > 0 ? { initial_options: about.initial.map(option) } : {}),
  });
}

export function userInput(about: Labelled & { readonly initial?: string | null | undefined }): InputBlock {
  return input(about, {
    type: 'users_select',
    action_id: VALUE,
    ...(about.initial ? { initial_user: about.initial } : {}),
  });
}

export function usersInput(
  about: Labelled & { readonly initial: readonly string[]; readonly max?: number },
): InputBlock {
  return input(about, {
    type: 'multi_users_select',
    action_id: VALUE,
    max_selected_items: about.max ?? 25,
    ...(about.initial.length > 0 ? { initial_users: [...about.initial] } : {}),
  });
}

/** Public and private channels; no DMs, and none that other workspaces share. */
export function channelInput(about: Labelled & { readonly initial?: string | null | undefined }): InputBlock {
  const filter: ConversationsSelect['filter'] = {
    include: ['public', 'private'],
    exclude_bot_users: true,
    exclude_external_shared_channels: true,
  };
  return input(about, {
    type: 'conversations_select',
    action_id: VALUE,
    filter,
    ...(about.initial ? { initial_conversation: about.initial } : {}),
  });
}

export interface Modal {
  readonly title: string;
  readonly blocks: readonly KnownBlock[];
  readonly callback?: string;
  readonly submit?: string;
  readonly close?: string;
  /** Ids that the handler loads things by. Never authority: what they name is checked again. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export function modal({ title, blocks, callback, submit, close, metadata }: Modal): ModalView {
  return {
    type: 'modal',
    title: plain(title, 24, 'ellipsis'),
    close: plain(close ?? (submit ? 'Cancel' : 'Close'), 24),
    ...(submit ? { submit: plain(submit, 24) } : {}),
    ...(callback ? { callback_id: callback } : {}),
    ...(metadata ? { private_metadata: JSON.stringify(metadata) } : {}),
    blocks: [...blocks],
  };
}

/** Slack takes numbers of an input as text; bounds beyond what it can hold are left to whoever reads the form. */
export function decimalInput(
  about: Labelled & {
    readonly initial: string | null;
    readonly whole: boolean;
    readonly min: number | null;
    readonly max: number | null;
  },
): InputBlock {
  return input(about, {
    type: 'number_input',
    action_id: VALUE,
    is_decimal_allowed: !about.whole,
    ...(about.initial === null ? {} : { initial_value: about.initial }),
    ...(about.min === null ? {} : { min_value: String(about.min) }),
    ...(about.max === null ? {} : { max_value: String(about.max) }),
  });
}

/** @param about.initial YYYY-MM-DD */
export function dateInput(about: Labelled & { readonly initial: string | null }): InputBlock {
  return input(about, {
    type: 'datepicker',
    action_id: VALUE,
    ...(about.initial === null ? {} : { initial_date: about.initial }),
  });
}

/** A date and time, in the reader's own time zone. @param about.initial Unix seconds */
export function momentInput(about: Labelled & { readonly initial: number | null }): InputBlock {
  return input(about, {
    type: 'datetimepicker',
    action_id: VALUE,
    ...(about.initial === null ? {} : { initial_date_time: about.initial }),
  });
}

/** A menu of what the app finds; for lists that may be longer than a menu holds. */
export function searchSelect(about: Labelled & { readonly search: string }): InputBlock {
  return input(
    { ...about, listen: undefined },
    {
      type: 'external_select',
      action_id: about.search,
      min_query_length: 0,
      placeholder: plain('Type to search', 150),
    },
  );
}
