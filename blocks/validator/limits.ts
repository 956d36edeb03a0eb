/**
 * Every Block Kit limit, as one table. A row's key and the limit's name together are the constraint that an error
 * names: row `button.text` and `max_length` make `button.text.max_length`.
 *
 * Units: `*_length` counts Unicode code points, `*_items` counts array items, `min`/`max` bound a number
 * (`exclusive_min`: the number must be greater), `max_bytes` counts UTF-8 bytes of JSON.
 *
 * Sources, one or more letters per row:
 * - T: `@slack/types` 3.2.0, the comments of its declarations
 * - P: slackapi/python-slack-sdk 3.43.0, the validators of `slack_sdk/models`
 * - S: nicklambourne/slackblocks `spec/limits.json` 1.0.1
 * - K: scrapes of docs.slack.dev (smstoslack/slack_kit, slack-ruby/slack-api-ref)
 * - D: docs.slack.dev
 * - V: vercel/chat `limits.ts` (third party, undocumented by Slack)
 * - E: error answers of the live API, reported in public issues
 * - R: from memory, on the strict side
 */
export interface Limit {
  readonly min_length?: number;
  readonly max_length?: number;
  readonly min_items?: number;
  readonly max_items?: number;
  readonly item_max_length?: number;
  readonly min?: number;
  readonly max?: number;
  readonly exclusive_min?: number;
  readonly max_bytes?: number;
  readonly source: string;
}

export const LIMITS = {
  // Surfaces
  'message.blocks': { max_items: 50, source: 'D' },
  // chat.update refuses more with msg_too_long; chat.postMessage would cut at 40,000. Every card is updated one day.
  'message.text': { max_length: 4000, source: 'K' },
  'message.markdown_text': { max_length: 12_000, source: 'K' },
  'message.attachments': { max_items: 100, source: 'K' },
  'message.tables': { max_items: 1, source: 'D' },
  'message.data_visualizations': { max_items: 2, source: 'V' },
  view: { max_bytes: 250_000, source: 'K' },
  'view.blocks': { min_items: 1, max_items: 100, source: 'D T P S' },
  'view.private_metadata': { max_length: 3000, source: 'T P S' },
  'view.callback_id': { max_length: 255, source: 'T P S' },
  'view.external_id': { max_length: 255, source: 'K' },
  'view.title': { max_length: 24, source: 'T P S' },
  'view.close': { max_length: 24, source: 'T P S' },
  'view.submit': { max_length: 24, source: 'T P S' },

  // Composition objects and what every block or element shares
  text: { min_length: 1, max_length: 3000, source: 'T P S' },
  block_id: { max_length: 255, source: 'T P S' },
  action_id: { max_length: 255, source: 'T P S' },
  placeholder: { max_length: 150, source: 'T' },
  focus_on_load: { max_items: 1, source: 'T' },
  'confirmation.title': { max_length: 100, source: 'T P S' },
  'confirmation.text': { max_length: 300, source: 'T P S' },
  'confirmation.confirm': { max_length: 30, source: 'T P S' },
  'confirmation.deny': { max_length: 30, source: 'T P S' },
  'option.text': { max_length: 75, source: 'P S D' },
  'option.value': { max_length: 150, source: 'P S D' }, // the comment in T still says 75
  'option.description': { max_length: 75, source: 'P S D' },
  'option.url': { max_length: 3000, source: 'P S D' },
  'option_group.label': { max_length: 75, source: 'T P S' },
  'option_group.options': { min_items: 1, max_items: 100, source: 'T P S' },
  'conversation_filter.include': { min_items: 1, source: 'T' },
  'url_source.url': { min_length: 1, max_length: 3000, source: 'S' },

  // Elements
  'button.text': { max_length: 75, source: 'T P S' },
  'button.url': { max_length: 3000, source: 'T P S' },
  'button.value': { max_length: 2000, source: 'T P S' },
  'button.accessibility_label': { max_length: 75, source: 'T P S' },
  'feedback_button.text': { max_length: 75, source: 'S' },
  'feedback_button.value': { max_length: 2000, source: 'S' },
  'feedback_button.accessibility_label': { max_length: 75, source: 'T S' },
  'icon_button.accessibility_label': { max_length: 75, source: 'T' },
  'icon_button.visible_to_user_ids': { max_items: 10, source: 'S' },
  'select.placeholder': { max_length: 150, source: 'T P S' },
  'select.options': { min_items: 1, max_items: 100, source: 'T P S R' },
  'select.option_groups': { min_items: 1, max_items: 100, source: 'T P S R' },
  'multi_select.max_selected_items': { min: 1, source: 'T' },
  'external_select.min_query_length': { min: 0, source: 'R' },
  'overflow.options': { min_items: 1, max_items: 5, source: 'P S' },
  'checkboxes.options': { min_items: 1, max_items: 10, source: 'T S' },
  'radio_buttons.options': { min_items: 1, max_items: 10, source: 'T S' },
  'plain_text_input.min_length': { min: 0, max: 3000, source: 'T S' },
  'plain_text_input.max_length': { min: 1, max: 3000, source: 'T S R' },
  'plain_text_input.initial_value': { max_length: 3000, source: 'R' },
  'rich_text_input.min_lines': { min: 1, max: 100, source: 'T' },
  'rich_text_input.max_lines': { min: 1, max: 100, source: 'T' },
  'file_input.max_files': { min: 1, max: 10, source: 'T S' },

  // Blocks
  'actions.elements': { min_items: 1, max_items: 25, source: 'T P S R' },
  'alert.text': { max_length: 200, source: 'S' },
  'card.title': { max_length: 150, source: 'T S' },
  'card.subtitle': { max_length: 150, source: 'T S' },
  'card.body': { max_length: 200, source: 'T S' },
  'card.subtext': { max_length: 200, source: 'S' },
  'card.actions': { max_items: 3, source: 'S' },
  'carousel.elements': { min_items: 1, max_items: 10, source: 'T S' },
  'container.title': { max_length: 150, source: 'T S' },
  'container.subtitle': { max_length: 150, source: 'T S' },
  'container.child_blocks': { max_items: 10, source: 'T S' },
  'context.elements': { min_items: 1, max_items: 10, source: 'T P S R' },
  'context_actions.elements': { max_items: 5, source: 'T S' },
  'data_table.rows': { min_items: 2, max_items: 201, source: 'S' }, // D says 101 with the header
  'data_table.columns': { min_items: 1, max_items: 20, source: 'D S' },
  'data_table.page_size': { min: 1, max: 100, source: 'T S' },
  'data_table.cell_text': { min_length: 1, source: 'T S' },
  'data_table.content': { max_length: 20_000, source: 'S' },
  'data_table.row_header_column_index': { min: 0, source: 'T' },
  'data_visualization.title': { max_length: 50, source: 'D S' },
  'data_visualization.segments': { min_items: 1, max_items: 12, source: 'S' },
  'data_visualization.segment.label': { max_length: 20, source: 'S' },
  'data_visualization.segment.value': { exclusive_min: 0, source: 'S' },
  'data_visualization.series': { min_items: 1, max_items: 12, source: 'S' },
  'data_visualization.series_name': { max_length: 20, source: 'S' },
  'data_visualization.data': { min_items: 1, max_items: 20, source: 'S' },
  'data_visualization.point_label': { max_length: 20, source: 'S' },
  'data_visualization.categories': { min_items: 1, max_items: 20, source: 'S' },
  'data_visualization.category_label': { max_length: 20, source: 'S' },
  'data_visualization.axis_label': { max_length: 50, source: 'S' },
  'header.text': { max_length: 150, source: 'T P S' },
  'image.image_url': { max_length: 3000, source: 'P S' },
  'image.alt_text': { max_length: 2000, source: 'T P S' },
  'image.title': { max_length: 2000, source: 'T P' },
  'input.label': { max_length: 2000, source: 'T P S' },
  'input.hint': { max_length: 2000, source: 'T P S' },
  'markdown.text': { min_length: 1, max_length: 12_000, source: 'T S' }, // over all markdown blocks of a message
  'rich_text.elements': { min_items: 1, source: 'E' },
  'rich_text.text': { min_length: 1, source: 'E' },
  'rich_text.indent': { min: 0, max: 8, source: 'T' },
  'section.text': { max_length: 3000, source: 'T P S' },
  'section.fields': { min_items: 1, max_items: 10, item_max_length: 2000, source: 'T P S R' },
  'table.rows': { min_items: 1, max_items: 100, source: 'T R' },
  'table.columns': { min_items: 1, max_items: 20, source: 'T R' },
  'table.column_settings': { max_items: 20, source: 'T' },
  'table.cell_text': { min_length: 1, source: 'T' },
  'table.content': { max_length: 10_000, source: 'V' },
  'video.alt_text': { min_length: 1, max_length: 200, source: 'S' },
  'video.title': { max_length: 200, source: 'T P S' },
  'video.author_name': { max_length: 50, source: 'T P S' },
  'video.description': { max_length: 200, source: 'P S' },
  'video.provider_name': { max_length: 50, source: 'S' },
} as const satisfies Record<string, Limit>;

export type LimitId = keyof typeof LIMITS;

export type Surface = 'message' | 'modal' | 'home';

const EVERYWHERE: readonly Surface[] = ['message', 'modal', 'home'];

/** Where a block may appear (SLACK.md 1b: docs.slack.dev `blocks.json`, the rest on the strict side). */
export const BLOCK_SURFACES: Readonly<Record<string, readonly Surface[]>> = {
  actions: EVERYWHERE,
  alert: ['modal'],
  card: EVERYWHERE,
  carousel: ['message', 'home'],
  container: ['message'],
  context: EVERYWHERE,
  context_actions: ['message'],
  data_table: ['message'],
  data_visualization: ['message'],
  divider: EVERYWHERE,
  file: [], // Slack shows it; an app cannot send it
  header: EVERYWHERE,
  image: EVERYWHERE,
  input: EVERYWHERE,
  markdown: ['message'],
  plan: ['message'],
  rich_text: EVERYWHERE,
  section: EVERYWHERE,
  table: ['message'],
  task_card: ['message'],
  video: EVERYWHERE,
};

/** Elements that not every surface takes (SLACK.md 1c: the api.slack.com compatibility matrix). */
export const ELEMENT_SURFACES: Readonly<Record<string, readonly Surface[]>> = {
  datetimepicker: ['message', 'modal'],
  email_text_input: ['modal'],
  file_input: ['modal'],
  number_input: ['modal'],
  rich_text_input: ['modal', 'home'],
};
