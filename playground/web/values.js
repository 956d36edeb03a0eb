/** What the inputs of a message or view hold, in the shape of Slack's `state.values`. No DOM. */

const EMPTY = {
  plain_text_input: { value: null },
  number_input: { value: null },
  email_text_input: { value: null },
  url_text_input: { value: null },
  rich_text_input: { rich_text_value: null },
  datepicker: { selected_date: null },
  timepicker: { selected_time: null },
  datetimepicker: { selected_date_time: null },
  static_select: { selected_option: null },
  external_select: { selected_option: null },
  radio_buttons: { selected_option: null },
  users_select: { selected_user: null },
  conversations_select: { selected_conversation: null },
  channels_select: { selected_channel: null },
  checkboxes: { selected_options: [] },
  multi_static_select: { selected_options: [] },
  multi_external_select: { selected_options: [] },
  multi_users_select: { selected_users: [] },
  multi_conversations_select: { selected_conversations: [] },
  multi_channels_select: { selected_channels: [] },
};

/** Name of an element's `initial_…` property for each property of its state. */
const INITIAL = {
  value: 'initial_value',
  rich_text_value: 'initial_value',
  selected_date: 'initial_date',
  selected_time: 'initial_time',
  selected_date_time: 'initial_date_time',
  selected_option: 'initial_option',
  selected_options: 'initial_options',
  selected_user: 'initial_user',
  selected_users: 'initial_users',
  selected_conversation: 'initial_conversation',
  selected_conversations: 'initial_conversations',
  selected_channel: 'initial_channel',
  selected_channels: 'initial_channels',
};

/** The property of the state that carries the value of an element type, e.g. `selected_option`; null for buttons. */
export function valueKey(type) {
  return Object.hasOwn(EMPTY, type) ? Object.keys(EMPTY[type])[0] : null;
}

/** An element's value before anybody touched it. */
export function initialValue(element, { timezone } = {}) {
  const key = valueKey(element.type);
  const value = element[INITIAL[key]] ?? EMPTY[element.type][key];
  return withExtras(element.type, key, value, timezone);
}

function withExtras(type, key, value, timezone) {
  const zone = type === 'timepicker' ? { timezone: timezone ?? 'UTC' } : {};
  return { type, [key]: Array.isArray(value) ? [...value] : value, ...zone };
}

/** The interactive elements of one block, in reading order. */
export function elementsOf(block) {
  if (block.type === 'input') return [block.element];
  if (block.type === 'section') return block.accessory ? [block.accessory] : [];
  return block.type === 'actions' ? block.elements : [];
}

/** Every option an element offers, flat; null when it does not carry its own (external, users …). */
export function ownOptions(element) {
  if (element.option_groups) return element.option_groups.flatMap((group) => group.options);
  return element.options ?? null;
}

/** The values of one container; survives a redraw where block, action and kind stay the same, as in Slack. */
export class FormState {
  #values = new Map();
  #timezone;

  /**
   * @param {object[]} blocks blocks of the message or view
   * @param {{previous?: FormState | undefined, timezone?: string}} [from] values typed before a redraw
   */
  constructor(blocks, { previous, timezone } = {}) {
    this.#timezone = timezone;
    for (const block of blocks) {
      for (const element of elementsOf(block)) {
        if (valueKey(element.type) === null) continue;
        const kept = previous?.get(block.block_id, element.action_id);
        const value = kept && stillValid(element, kept) ? kept : initialValue(element, { timezone });
        this.#values.set(keyOf(block.block_id, element.action_id), [
          block.block_id,
          element.action_id,
          value,
        ]);
      }
    }
  }

  /** State entry (`{type, value | selected_…}`) or undefined. */
  get(blockId, actionId) {
    return this.#values.get(keyOf(blockId, actionId))?.[2];
  }

  /** Stores a new value and returns the state entry. */
  set(blockId, actionId, type, value) {
    const entry = withExtras(type, valueKey(type), value, this.#timezone);
    this.#values.set(keyOf(blockId, actionId), [blockId, actionId, entry]);
    return entry;
  }

  /** `state.values`: block id → action id → entry. */
  values() {
    // Without a prototype: a block may be called `constructor`.
    const all = Object.create(null);
    for (const [blockId, actionId, entry] of this.#values.values()) {
      all[blockId] ??= Object.create(null);
      all[blockId][actionId] = entry;
    }
    return all;
  }
}

function keyOf(blockId, actionId) {
  return JSON.stringify([blockId, actionId]);
}

function stillValid(element, entry) {
  if (entry.type !== element.type) return false;
  const options = ownOptions(element);
  if (options === null) return true;
  const offered = new Set(options.map((option) => option.value));
  const chosen = entry.selected_options ?? [entry.selected_option].filter(Boolean);
  return chosen.every((option) => offered.has(option.value));
}

function isEmpty(value) {
  return (
    value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

/**
 * What Slack's own client checks before it sends a submission.
 * @returns {string | null} the sentence to show under the input
 */
export function validate(block, entry) {
  const { element } = block;
  const value = entry?.[valueKey(element.type)];
  if (isEmpty(value)) return block.optional ? null : 'Please complete this required field.';
  if (element.type === 'plain_text_input') return checkLength(element, value);
  if (element.type === 'number_input') return checkNumber(element, value);
  if (element.type === 'email_text_input' && !/^[^\s@]+@[^\s@]+$/.test(value)) {
    return 'Please enter a valid email address.';
  }
  if (element.type === 'url_text_input' && !/^https?:\/\/[^\s]+$/i.test(value)) {
    return 'Please enter a valid URL, beginning with https:// or http://.';
  }
  return null;
}

function checkLength(element, value) {
  const length = [...value].length;
  if (length < (element.min_length ?? 0)) return `Please enter at least ${element.min_length} characters.`;
  const max = element.max_length ?? 3000;
  return length > max ? `Please use at most ${max} characters (now ${length}).` : null;
}

function checkNumber(element, value) {
  const pattern = element.is_decimal_allowed ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/;
  if (!pattern.test(value))
    return element.is_decimal_allowed ? 'Please enter a number.' : 'Please enter a whole number.';
  if (element.min_value !== undefined && Number(value) < Number(element.min_value)) {
    return `Please enter a number of ${element.min_value} or more.`;
  }
  if (element.max_value !== undefined && Number(value) > Number(element.max_value)) {
    return `Please enter a number of ${element.max_value} or less.`;
  }
  return null;
}
