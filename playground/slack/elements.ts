import { randomBytes } from 'node:crypto';
import {
  type Block,
  type Fields,
  fieldsOf,
  isFields,
  listOf,
  type StateValues,
  stringOf,
} from './protocol.js';

/** An interactive element and the block that holds it. */
export interface Placed {
  readonly block: Block;
  readonly element: Fields;
}

interface StateField {
  /** The field that carries the value, both in an action and in `state.values`. */
  readonly field: string;
  readonly initial: string;
  readonly empty: null | readonly never[];
}

const one = (field: string, initial: string): StateField => ({ field, initial, empty: null });
const many = (field: string, initial: string): StateField => ({ field, initial, empty: [] });

/** Elements that keep a value, and where Slack puts it. Buttons and overflow menus keep none. */
export const STATE_FIELDS: Readonly<Record<string, StateField>> = {
  plain_text_input: one('value', 'initial_value'),
  email_text_input: one('value', 'initial_value'),
  url_text_input: one('value', 'initial_value'),
  number_input: one('value', 'initial_value'),
  rich_text_input: one('rich_text_value', 'initial_value'),
  static_select: one('selected_option', 'initial_option'),
  external_select: one('selected_option', 'initial_option'),
  radio_buttons: one('selected_option', 'initial_option'),
  users_select: one('selected_user', 'initial_user'),
  conversations_select: one('selected_conversation', 'initial_conversation'),
  channels_select: one('selected_channel', 'initial_channel'),
  datepicker: one('selected_date', 'initial_date'),
  timepicker: one('selected_time', 'initial_time'),
  datetimepicker: one('selected_date_time', 'initial_date_time'),
  multi_static_select: many('selected_options', 'initial_options'),
  multi_external_select: many('selected_options', 'initial_options'),
  checkboxes: many('selected_options', 'initial_options'),
  multi_users_select: many('selected_users', 'initial_users'),
  multi_conversations_select: many('selected_conversations', 'initial_conversations'),
  multi_channels_select: many('selected_channels', 'initial_channels'),
  file_input: many('files', 'initial_files'),
};

const made = (): string => randomBytes(4).toString('base64url').slice(0, 5);

function holders(block: Fields): Fields[] {
  const nested = [
    ...listOf(block.child_blocks),
    ...(block.type === 'carousel' ? listOf(block.elements) : []),
  ];
  return [block, ...nested.flatMap(holders)];
}

function heldBy(block: Fields): Fields[] {
  const single = [block.accessory, block.element].filter(isFields);
  const rows = block.type === 'actions' || block.type === 'context_actions' ? listOf(block.elements) : [];
  const buttons = block.type === 'card' ? listOf(block.actions) : [];
  return [...single, ...rows, ...buttons].filter((element) => element.type !== 'image');
}

/** A copy of blocks with the ids that Slack makes up where the app gave none. */
export function withIds(blocks: unknown): Block[] {
  const copy: unknown = structuredClone(blocks);
  const list = listOf(copy);
  for (const block of list.flatMap(holders)) {
    block.block_id ||= made();
    for (const element of heldBy(block)) element.action_id ||= made();
  }
  return list.map((block) => ({ ...block, type: stringOf(block.type), block_id: stringOf(block.block_id) }));
}

/** Every interactive element of these blocks, in reading order. */
export function elementsOf(blocks: readonly Block[]): Placed[] {
  return blocks.flatMap(holders).flatMap((holder) =>
    heldBy(holder).map((element) => ({
      block: { ...holder, type: stringOf(holder.type), block_id: stringOf(holder.block_id) },
      element,
    })),
  );
}

export function findElement(blocks: readonly Block[], block_id: string, action_id: string): Placed | null {
  return (
    elementsOf(blocks).find(
      ({ block, element }) => block.block_id === block_id && element.action_id === action_id,
    ) ?? null
  );
}

/** All options of a menu, whether grouped or not. */
export function optionsOf(element: Fields): Fields[] {
  return [
    ...listOf(element.options),
    ...listOf(element.option_groups).flatMap((group) => listOf(group.options)),
  ];
}

export function optionLabel(option: Fields): string {
  return stringOf(fieldsOf(option.text).text);
}

/** The words on an element: its own text, or the label of its input block. */
export function labelOf({ block, element }: Placed): string {
  if (block.type === 'input') return stringOf(fieldsOf(block.label).text);
  return stringOf(fieldsOf(element.text).text) || stringOf(fieldsOf(element.placeholder).text);
}

/**
 * `state.values` as Slack sends it: one entry for every element that keeps a value, with what was entered where
 * something was entered and the element's initial value otherwise.
 */
export function completeState(blocks: readonly Block[], entered: StateValues): StateValues {
  const values: StateValues = {};
  for (const { block, element } of elementsOf(blocks)) {
    const type = stringOf(element.type);
    const keeps = STATE_FIELDS[type];
    if (!keeps) continue;
    const action_id = stringOf(element.action_id);
    const given = entered[block.block_id]?.[action_id];
    const value =
      given?.type === type && keeps.field in given
        ? given[keeps.field]
        : (element[keeps.initial] ?? keeps.empty);
    values[block.block_id] = {
      ...values[block.block_id],
      [action_id]: { type, [keeps.field]: Array.isArray(value) ? [...value] : value },
    };
  }
  return values;
}

/** A selected option that its menu does not offer (menus fed by the app are not checked: their options come later). */
export function foreignOption(element: Fields, entry: Fields): Fields | null {
  if (element.type === 'external_select' || element.type === 'multi_external_select') return null;
  const offered = new Set(optionsOf(element).map((option) => option.value));
  const chosen = [entry.selected_option, ...listOf(entry.selected_options)].filter(isFields);
  return chosen.find((option) => !offered.has(option.value)) ?? null;
}

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** What Slack's own client says before it lets a modal be submitted: `{block_id: sentence}`, empty when all is well. */
export function inputErrors(blocks: readonly Block[], values: StateValues): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { block, element } of elementsOf(blocks)) {
    const keeps = STATE_FIELDS[stringOf(element.type)];
    const entry = values[block.block_id]?.[stringOf(element.action_id)];
    if (block.type !== 'input' || !keeps || !entry) continue;
    const message = entryError(element, entry[keeps.field], block.optional === true);
    if (message) errors[block.block_id] = message;
  }
  return errors;
}

function entryError(element: Fields, value: unknown, optional: boolean): string | null {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) {
    return optional ? null : 'Please complete this required field.';
  }
  if (typeof value !== 'string') return null;
  const length = [...value].length;
  const { min_length, max_length, min_value, max_value } = element;
  if (typeof min_length === 'number' && length < min_length)
    return `Must be at least ${min_length} characters.`;
  const longest = typeof max_length === 'number' ? max_length : 3000;
  if (length > longest) return `Must be at most ${longest} characters.`;
  if (element.type === 'email_text_input' && !EMAIL.test(value)) return 'Please enter a valid email address.';
  if (element.type === 'url_text_input' && !URL.canParse(value)) return 'Please enter a valid URL.';
  if (element.type !== 'number_input') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) return 'Please enter a number.';
  if (element.is_decimal_allowed !== true && !Number.isInteger(number)) return 'Please enter a whole number.';
  if (min_value !== undefined && number < Number(min_value)) return `Must be at least ${min_value}.`;
  if (max_value !== undefined && number > Number(max_value)) return `Must be at most ${max_value}.`;
  return null;
}
