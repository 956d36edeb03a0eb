/** Composition objects: text, confirmation, option, conversation filter, image source. */
import { LIMITS, type LimitId } from './limits.js';
import {
  type Across,
  anything,
  boolean,
  checkLength,
  codePoints,
  exactlyOne,
  isObject,
  list,
  object,
  oneOf,
  type Rule,
  refuse,
  required,
  sameJson,
  string,
  union,
} from './rules.js';

/** A text's own length, within the limit of the place it stands in, else within that of any text object. */
const textWithin =
  (place: LimitId): Rule =>
  (value, at, run) => {
    if (typeof value !== 'string') refuse(run, at, 'type', 'must be a string');
    else if (value.length < LIMITS.text.min_length) checkLength(value, 'text', at, run);
    else checkLength(value, place, at, run);
  };

const plainObject = (value: Rule): Rule =>
  object({ type: oneOf('plain_text'), text: required(value), emoji: boolean });
const mrkdwnObject = (value: Rule): Rule =>
  object({ type: oneOf('mrkdwn'), text: required(value), verbatim: boolean });

/** A `plain_text` object and nothing else. */
export const plainText = (place: LimitId = 'text'): Rule =>
  union('text.type', { plain_text: plainObject(textWithin(place)) });

const textKinds = (value: Rule): Record<'plain_text' | 'mrkdwn', Rule> => ({
  plain_text: plainObject(value),
  mrkdwn: mrkdwnObject(value),
});

/** A `plain_text` or `mrkdwn` object. */
export const anyText = (place: LimitId = 'text'): Rule => union('text.type', textKinds(textWithin(place)));

/** Both kinds of text, for unions that take other objects too. */
export const TEXT_KINDS = textKinds(textWithin('text'));

const FIELD_LENGTH = LIMITS['section.fields'].item_max_length;

/** One of a section's `fields`, whose limit is given per item. */
export const fieldText: Rule = union(
  'text.type',
  textKinds((value, at, run) => {
    textWithin('text')(value, at, run);
    if (typeof value === 'string' && codePoints(value) > FIELD_LENGTH) {
      refuse(run, at, 'section.fields.item_max_length', `must be at most ${FIELD_LENGTH} characters`);
    }
  }),
);

export const STYLE = oneOf('primary', 'danger');

export const CONFIRM = object({
  title: plainText('confirmation.title'),
  text: required(anyText('confirmation.text')),
  confirm: plainText('confirmation.confirm'),
  deny: plainText('confirmation.deny'),
  style: STYLE,
});

const onlyInOverflow: Rule = (_value, at, run) =>
  refuse(run, at, 'option.url', 'is only available in overflow menus');

const option = (text: (place: LimitId) => Rule, url: Rule): Rule =>
  object({
    text: required(text('option.text')),
    value: required(string('option.value')),
    description: text('option.description'),
    url,
  });

/** An option of a select menu. */
export const SELECT_OPTION = option(plainText, onlyInOverflow);
/** An option of checkboxes or radio buttons, which may carry mrkdwn. */
export const CHOICE_OPTION = option(anyText, onlyInOverflow);
export const OVERFLOW_OPTION = option(plainText, string('option.url'));

export const OPTION_GROUP = object({
  label: required(plainText('option_group.label')),
  options: required(list(SELECT_OPTION, 'option_group.options')),
});

const optionsOf = (menu: unknown): readonly unknown[] => {
  if (!isObject(menu)) return [];
  const own = Array.isArray(menu.options) ? menu.options : [];
  const groups = Array.isArray(menu.option_groups) ? menu.option_groups : [];
  return [...own, ...groups.flatMap(optionsOf)];
};

/** `initial_option` and each of `initial_options` must equal one of the options on offer, field by field. */
export const initialIsOffered: Across = (fields, at, run) => {
  const { initial_option: one, initial_options: many } = fields;
  if (one === undefined && many === undefined) return;
  const offered = optionsOf(fields);
  const check = (initial: unknown, place: string): void => {
    if (!offered.some((candidate) => sameJson(candidate, initial))) {
      refuse(run, place, 'initial_option.offered', 'must equal one of the options exactly');
    }
  };
  if (one !== undefined) check(one, `${at}/initial_option`);
  if (Array.isArray(many))
    many.forEach((initial, index) => void check(initial, `${at}/initial_options/${index}`));
};

export const CONVERSATION_FILTER = object(
  {
    include: list(oneOf('im', 'mpim', 'private', 'public'), 'conversation_filter.include'),
    exclude_external_shared_channels: boolean,
    exclude_bot_users: boolean,
  },
  (fields, at, run) => {
    if (Object.keys(fields).length === 0) {
      refuse(run, at, 'conversation_filter.content', 'must have at least one field');
    }
  },
);

export const DISPATCH_CONFIG = object({
  trigger_actions_on: list(oneOf('on_enter_pressed', 'on_character_entered')),
});

const SLACK_FILE = object({ id: string(), url: string() }, exactlyOne('slack_file.source', 'id', 'url'));

/** Fields of an image, as an element and as a block. */
export const IMAGE_FIELDS = {
  alt_text: required(string('image.alt_text')),
  image_url: string('image.image_url'),
  slack_file: SLACK_FILE,
};

export const imageSource = exactlyOne('image.source', 'image_url', 'slack_file');

export const IMAGE_ELEMENT = union('image.type', {
  image: object({ type: anything, ...IMAGE_FIELDS }, imageSource),
});

export const URL_SOURCE = union('url_source.type', {
  url: object({ type: anything, url: required(string('url_source.url')), text: required(string()) }),
});

export const SLACK_ICON = union('slack_icon.type', {
  icon: object({ type: anything, name: required(string()) }),
});
