/** Block elements: buttons, menus, pickers and inputs. */
import { RICH_TEXT_VALUE } from './block.js';
import { ELEMENT_SURFACES, LIMITS, type LimitId } from './limits.js';
import {
  CHOICE_OPTION,
  CONFIRM,
  CONVERSATION_FILTER,
  DISPATCH_CONFIG,
  initialIsOffered,
  OPTION_GROUP,
  OVERFLOW_OPTION,
  plainText,
  SELECT_OPTION,
  STYLE,
} from './objects.js';
import {
  type Across,
  anything,
  boolean,
  checkLength,
  codePoints,
  exactlyOne,
  type Fields,
  integer,
  list,
  matching,
  object,
  type Rule,
  refuse,
  required,
  string,
} from './rules.js';

const uniqueActionId: Across = ({ action_id: id }, at, run) => {
  if (typeof id !== 'string') return;
  if (run.actionIds.has(id))
    refuse(run, `${at}/action_id`, 'action_id.unique', 'must be unique in its block');
  run.actionIds.add(id);
};

/** An interactive element of one type: its own fields, an `action_id`, and where it may stand. */
function element(
  type: string,
  fields: Parameters<typeof object>[0],
  ...across: readonly Across[]
): Record<string, Rule> {
  const shape = object(
    { type: anything, action_id: string('action_id'), ...fields },
    uniqueActionId,
    ...across,
  );
  const surfaces = ELEMENT_SURFACES[type];
  const rule: Rule = (value, at, run) => {
    if (surfaces && !surfaces.includes(run.surface)) {
      refuse(run, `${at}/type`, 'element.surface', `a ${type} cannot stand in a ${run.surface}`);
    }
    shape(value, at, run);
  };
  return { [type]: rule };
}

const focusOnLoad: Rule = (value, at, run) => {
  boolean(value, at, run);
  if (value !== true) return;
  run.focused += 1;
  if (run.focused > LIMITS.focus_on_load.max_items) {
    refuse(run, at, 'focus_on_load.max_items', 'only one element may have the focus');
  }
};

const MENU = { confirm: CONFIRM, focus_on_load: focusOnLoad };
const PICKER = { ...MENU, placeholder: plainText('placeholder') };
const SELECT = { ...MENU, placeholder: plainText('select.placeholder') };
const MULTI = { ...SELECT, max_selected_items: integer('multi_select.max_selected_items') };
const INPUT = {
  focus_on_load: focusOnLoad,
  placeholder: plainText('placeholder'),
  dispatch_action_config: DISPATCH_CONFIG,
};

export const BUTTON = element('button', {
  text: required(plainText('button.text')),
  url: string('button.url'),
  value: string('button.value'),
  style: STYLE,
  confirm: CONFIRM,
  accessibility_label: string('button.accessibility_label'),
});

const WORKFLOW = object({
  trigger: required(
    object({
      url: required(string()),
      customizable_input_parameters: list(object({ name: required(string()), value: required(string()) })),
    }),
  ),
});

const WORKFLOW_BUTTON = element('workflow_button', {
  text: required(plainText('button.text')),
  workflow: required(WORKFLOW),
  style: STYLE,
  confirm: CONFIRM,
  accessibility_label: string('button.accessibility_label'),
});

const feedbackButton = object({
  text: required(plainText('feedback_button.text')),
  value: required(string('feedback_button.value')),
  accessibility_label: string('feedback_button.accessibility_label'),
});

export const CONTEXT_ACTIONS = {
  ...element('feedback_buttons', {
    positive_button: required(feedbackButton),
    negative_button: required(feedbackButton),
  }),
  ...element('icon_button', {
    icon: required(string()),
    text: required(plainText()),
    value: string('button.value'),
    confirm: CONFIRM,
    accessibility_label: string('icon_button.accessibility_label'),
    visible_to_user_ids: list(string(), 'icon_button.visible_to_user_ids'),
  }),
};

const choices = (options: LimitId, initial: Record<string, Rule>) => ({
  ...MENU,
  ...initial,
  options: required(list(CHOICE_OPTION, options)),
});

const optionSource = {
  options: list(SELECT_OPTION, 'select.options'),
  option_groups: list(OPTION_GROUP, 'select.option_groups'),
};

const CONVERSATIONS = { default_to_current_conversation: boolean, filter: CONVERSATION_FILTER };
const EXTERNAL = { min_query_length: integer('external_select.min_query_length') };
const IDS = list(string());

const MENUS = {
  ...element(
    'checkboxes',
    choices('checkboxes.options', { initial_options: list(CHOICE_OPTION) }),
    initialIsOffered,
  ),
  ...element(
    'radio_buttons',
    choices('radio_buttons.options', { initial_option: CHOICE_OPTION }),
    initialIsOffered,
  ),
  ...element(
    'static_select',
    { ...SELECT, ...optionSource, initial_option: SELECT_OPTION },
    exactlyOne('static_select.choice_source', 'options', 'option_groups'),
    initialIsOffered,
  ),
  ...element(
    'multi_static_select',
    { ...MULTI, ...optionSource, initial_options: list(SELECT_OPTION) },
    exactlyOne('multi_static_select.choice_source', 'options', 'option_groups'),
    initialIsOffered,
  ),
  ...element('external_select', { ...SELECT, ...EXTERNAL, initial_option: SELECT_OPTION }),
  ...element('multi_external_select', { ...MULTI, ...EXTERNAL, initial_options: list(SELECT_OPTION) }),
  ...element('users_select', { ...SELECT, initial_user: string() }),
  ...element('multi_users_select', { ...MULTI, initial_users: IDS }),
  ...element('channels_select', { ...SELECT, initial_channel: string(), response_url_enabled: boolean }),
  ...element('multi_channels_select', { ...MULTI, initial_channels: IDS }),
  ...element('conversations_select', {
    ...SELECT,
    ...CONVERSATIONS,
    initial_conversation: string(),
    response_url_enabled: boolean,
  }),
  ...element('multi_conversations_select', { ...MULTI, ...CONVERSATIONS, initial_conversations: IDS }),
};

const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const date: Rule = (value, at, run) => {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(String(value)) ?? [];
  const days = month === '02' && !isLeap(Number(year)) ? 28 : (DAYS_IN_MONTH[Number(month) - 1] ?? 0);
  if (typeof value !== 'string' || !day || Number(day) < 1 || Number(day) > days) {
    refuse(run, at, 'format', 'must be a date as YYYY-MM-DD');
  }
};

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const unixSeconds: Rule = (value, at, run) => {
  if (!Number.isInteger(value) || String(value).length !== 10) {
    refuse(run, at, 'format', 'must be a Unix time of 10 digits, in seconds');
  }
};

const PICKERS = {
  ...element('datepicker', { ...PICKER, initial_date: date }),
  ...element('datetimepicker', { ...MENU, initial_date_time: unixSeconds }),
  ...element('timepicker', {
    ...PICKER,
    initial_time: matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time as HH:mm'),
    timezone: string(),
  }),
};

const RICH_TEXT_INPUT = element('rich_text_input', {
  ...INPUT,
  initial_value: RICH_TEXT_VALUE,
  min_lines: integer('rich_text_input.min_lines'),
  max_lines: integer('rich_text_input.max_lines'),
});

const NUMERIC = matching(/^[+-]?(\d+\.?\d*|\.\d+)$/, 'a number, as a string');
const NUMBERS = ['initial_value', 'min_value', 'max_value'] as const;

const numbersFit: Across = (fields, at, run) => {
  const { min_value: min, max_value: max } = fields;
  if (typeof min === 'string' && typeof max === 'string' && Number(min) > Number(max)) {
    refuse(run, at, 'number_input.range', 'min_value must not exceed max_value');
  }
  if (fields.is_decimal_allowed !== false) return;
  for (const name of NUMBERS) {
    if (String(fields[name] ?? '').includes('.')) {
      refuse(run, `${at}/${name}`, 'number_input.decimal', 'must be whole: decimals are not allowed here');
    }
  }
};

const lengthsFit: Across = (fields: Fields, at, run) => {
  const { min_length: min, max_length: max, initial_value: initial } = fields;
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    refuse(run, at, 'plain_text_input.range', 'min_length must not exceed max_length');
  }
  if (typeof initial !== 'string') return;
  checkLength(initial, 'plain_text_input.initial_value', `${at}/initial_value`, run);
  if (typeof max === 'number' && codePoints(initial) > max) {
    refuse(run, `${at}/initial_value`, 'plain_text_input.range', 'must not be longer than max_length');
  }
};

const INPUTS = {
  ...element('email_text_input', { ...INPUT, initial_value: string() }),
  ...element('url_text_input', { ...INPUT, initial_value: string() }),
  ...element(
    'number_input',
    {
      ...INPUT,
      is_decimal_allowed: required(boolean),
      initial_value: NUMERIC,
      min_value: NUMERIC,
      max_value: NUMERIC,
    },
    numbersFit,
  ),
  ...element(
    'plain_text_input',
    {
      ...INPUT,
      initial_value: string(),
      multiline: boolean,
      min_length: integer('plain_text_input.min_length'),
      max_length: integer('plain_text_input.max_length'),
    },
    lengthsFit,
  ),
  ...element('file_input', { filetypes: list(string()), max_files: integer('file_input.max_files') }),
};

const OVERFLOW = element('overflow', {
  confirm: CONFIRM,
  options: required(list(OVERFLOW_OPTION, 'overflow.options')),
});

/** What may stand beside a section, apart from an image. */
export const ACCESSORIES = { ...BUTTON, ...WORKFLOW_BUTTON, ...OVERFLOW, ...MENUS, ...PICKERS };

/** What may stand in an actions block. */
export const ACTIONS = { ...ACCESSORIES, ...RICH_TEXT_INPUT };

/** What may stand in an input block. */
export const INPUT_ELEMENTS = { ...MENUS, ...PICKERS, ...INPUTS, ...RICH_TEXT_INPUT };
