/** The parts of a `rich_text` block. */
import {
  anything,
  boolean,
  integer,
  list,
  matching,
  object,
  oneOf,
  type Rule,
  required,
  string,
  union,
} from './rules.js';

const TEXT_STYLE = object({
  bold: boolean,
  code: boolean,
  italic: boolean,
  strike: boolean,
  underline: boolean,
});

const inline = (fields: Parameters<typeof object>[0]): Rule =>
  object({ type: anything, style: TEXT_STYLE, ...fields });

const TEXT = inline({ text: required(string('rich_text.text')) });

const LINK = inline({ url: required(string()), text: string('rich_text.text'), unsafe: boolean });

const INLINE = union('rich_text.element', {
  broadcast: inline({ range: required(oneOf('here', 'channel', 'everyone')) }),
  channel: inline({ channel_id: required(string()) }),
  color: inline({ value: required(matching(/^#[0-9a-f]{6}$/i, 'a colour as #RRGGBB')) }),
  date: inline({
    timestamp: required(integer()),
    format: required(string()),
    url: string(),
    fallback: string(),
  }),
  emoji: inline({ name: required(string()), unicode: string(), url: string() }),
  link: LINK,
  team: inline({ team_id: required(string()) }),
  text: TEXT,
  user: inline({ user_id: required(string()) }),
  usergroup: inline({ usergroup_id: required(string()) }),
});

const BORDER = oneOf(0, 1);

const SECTION = object({ type: anything, elements: required(list(INLINE, 'rich_text.elements')) });

/** What stands directly in a `rich_text` block. */
export const RICH_TEXT_ELEMENT = union('rich_text.elements', {
  rich_text_section: SECTION,
  rich_text_list: object({
    type: anything,
    elements: required(
      list(union('rich_text_list.elements', { rich_text_section: SECTION }), 'rich_text.elements'),
    ),
    style: required(oneOf('bullet', 'ordered')),
    indent: integer('rich_text.indent'),
    offset: integer(),
    border: BORDER,
  }),
  rich_text_quote: object({
    type: anything,
    elements: required(list(INLINE, 'rich_text.elements')),
    border: BORDER,
  }),
  rich_text_preformatted: object({
    type: anything,
    elements: required(
      list(union('rich_text_preformatted.elements', { link: LINK, text: TEXT }), 'rich_text.elements'),
    ),
    border: BORDER,
  }),
});
