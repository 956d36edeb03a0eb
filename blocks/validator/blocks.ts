/** Every block that Slack knows, as rules. */
import { block, RICH_TEXT, RICH_TEXT_VALUE } from './block.js';
import { ACCESSORIES, ACTIONS, BUTTON, CONTEXT_ACTIONS, INPUT_ELEMENTS } from './elements.js';
import { LIMITS } from './limits.js';
import {
  anyText,
  fieldText,
  IMAGE_ELEMENT,
  IMAGE_FIELDS,
  imageSource,
  plainText,
  SLACK_ICON,
  TEXT_KINDS,
  URL_SOURCE,
} from './objects.js';
import {
  type Across,
  anything,
  boolean,
  checkLength,
  codePoints,
  list,
  matching,
  object,
  oneOf,
  type Rule,
  refuse,
  required,
  someOf,
  string,
  union,
} from './rules.js';
import { DATA_TABLE, DATA_VISUALIZATION, TABLE } from './tables.js';

const IMAGE_KIND: Record<string, Rule> = { image: object({ type: anything, ...IMAGE_FIELDS }, imageSource) };

const ACTIONS_BLOCK = block('actions', {
  elements: required(list(union('actions.elements', ACTIONS), 'actions.elements')),
});

const CONTEXT = block('context', {
  elements: required(list(union('context.elements', { ...TEXT_KINDS, ...IMAGE_KIND }), 'context.elements')),
});

const DIVIDER = block('divider', {});
const FILE = block('file', { source: required(string()), external_id: required(string()) });
const HEADER = block('header', { text: required(plainText('header.text')) });

const IMAGE = block('image', { ...IMAGE_FIELDS, title: plainText('image.title') }, imageSource);

const INPUT = block('input', {
  label: required(plainText('input.label')),
  hint: plainText('input.hint'),
  element: required(union('input.element', INPUT_ELEMENTS)),
  optional: boolean,
  dispatch_action: boolean,
});

const SECTION = block(
  'section',
  {
    text: anyText('section.text'),
    fields: list(fieldText, 'section.fields'),
    accessory: union('section.accessory', { ...ACCESSORIES, ...IMAGE_KIND }),
    expand: boolean,
  },
  someOf('section.content', 'text', 'fields'),
);

const HTTPS = matching(/^https:\/\//i, 'an https URL');

const VIDEO = block('video', {
  video_url: required(HTTPS),
  thumbnail_url: required(string()),
  alt_text: required(string('video.alt_text')),
  title: required(plainText('video.title')),
  title_url: HTTPS,
  author_name: string('video.author_name'),
  provider_name: string('video.provider_name'),
  provider_icon_url: string(),
  description: plainText('video.description'),
});

const ALERT = block('alert', {
  text: required(anyText('alert.text')),
  level: oneOf('default', 'info', 'warning', 'error', 'success'),
});

const oneIcon: Across = (fields, at, run) => {
  if (fields.icon !== undefined && fields.slack_icon !== undefined) {
    refuse(run, at, 'card.icon', 'must not have both icon and slack_icon');
  }
};

const CARD = block(
  'card',
  {
    hero_image: IMAGE_ELEMENT,
    icon: IMAGE_ELEMENT,
    slack_icon: SLACK_ICON,
    title: anyText('card.title'),
    subtitle: anyText('card.subtitle'),
    body: anyText('card.body'),
    subtext: anyText('card.subtext'),
    actions: list(union('card.actions', BUTTON), 'card.actions'),
  },
  someOf('card.content', 'hero_image', 'title', 'actions', 'body'),
  oneIcon,
);

const CAROUSEL = block('carousel', {
  elements: required(list(union('carousel.elements', CARD), 'carousel.elements')),
});

const collapsedIsCollapsible: Across = (fields, at, run) => {
  if (fields.default_collapsed === true && fields.is_collapsible !== true) {
    refuse(run, `${at}/default_collapsed`, 'container.default_collapsed', 'requires is_collapsible');
  }
};

const CHILD_BLOCKS = {
  ...ACTIONS_BLOCK,
  ...CONTEXT,
  ...DIVIDER,
  ...FILE,
  ...HEADER,
  ...IMAGE,
  ...INPUT,
  ...RICH_TEXT,
  ...SECTION,
  ...TABLE,
  ...VIDEO,
};

const CONTAINER = block(
  'container',
  {
    title: plainText('container.title'),
    rich_text_title: RICH_TEXT_VALUE,
    subtitle: anyText('container.subtitle'),
    child_blocks: required(list(union('container.child_blocks', CHILD_BLOCKS), 'container.child_blocks')),
    width: oneOf('narrow', 'standard', 'wide', 'full'),
    icon: IMAGE_ELEMENT,
    is_collapsible: boolean,
    default_collapsed: boolean,
    has_header_divider: boolean,
  },
  collapsedIsCollapsible,
);

const CONTEXT_ACTIONS_BLOCK = block('context_actions', {
  elements: required(list(union('context_actions.elements', CONTEXT_ACTIONS), 'context_actions.elements')),
});

/** The limit is for all markdown blocks of a message together; the block that goes over it is the one refused. */
const markdownText: Rule = (value, at, run) => {
  if (typeof value !== 'string') {
    refuse(run, at, 'type', 'must be a string');
    return;
  }
  const { min_length: min, max_length: max } = LIMITS['markdown.text'];
  if (value.length < min) checkLength(value, 'markdown.text', at, run);
  run.markdownLength += codePoints(value);
  if (run.markdownLength > max) {
    refuse(
      run,
      at,
      'markdown.text.max_length',
      `all markdown blocks together must be at most ${max} characters`,
    );
  }
};

const TASK_CARD = block('task_card', {
  task_id: required(string()),
  title: required(string('text')),
  details: RICH_TEXT_VALUE,
  output: RICH_TEXT_VALUE,
  sources: list(URL_SOURCE),
  status: required(oneOf('pending', 'in_progress', 'complete', 'error')),
});

const PLAN = block('plan', {
  title: required(string('text')),
  tasks: list(union('plan.tasks', TASK_CARD)),
});

/** Any block; an unknown type is refused with `block.type`. */
export const BLOCK: Rule = union('block.type', {
  ...CHILD_BLOCKS,
  ...ALERT,
  ...CARD,
  ...CAROUSEL,
  ...CONTAINER,
  ...CONTEXT_ACTIONS_BLOCK,
  ...DATA_TABLE,
  ...DATA_VISUALIZATION,
  ...block('markdown', { text: required(markdownText) }),
  ...PLAN,
  ...TASK_CARD,
});
