/** One valid block and one valid element of each kind, with as many of their fields as fit together. */
import type { Surface } from '../../blocks/validator/index.js';

const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
const image = { type: 'image', alt_text: 'A cat', image_url: 'https://pictures.example/cat.png' };
const confirm = { title: plain('Sure?'), text: mrkdwn('*Really*'), confirm: plain('Yes'), deny: plain('No') };
const option = { text: plain('One'), value: 'one', description: plain('The first') };
const fancy = { text: mrkdwn('*One*'), value: 'one', description: mrkdwn('_first_') };
const button = { type: 'button', action_id: 'go', text: plain('Go'), value: '1', style: 'primary', confirm };
const richText = {
  type: 'rich_text',
  elements: [
    {
      type: 'rich_text_section',
      elements: [
        { type: 'text', text: 'Hello', style: { bold: true, code: false } },
        { type: 'user', user_id: 'U1' },
        { type: 'usergroup', usergroup_id: 'S1' },
        { type: 'channel', channel_id: 'C1' },
        { type: 'team', team_id: 'T1' },
        { type: 'emoji', name: 'tada', unicode: '1f389' },
        { type: 'broadcast', range: 'here' },
        { type: 'color', value: '#F405B3' },
        { type: 'date', timestamp: 1_720_710_212, format: '{date_num} at {time}', fallback: 'then' },
        { type: 'link', url: 'https://docs.example', text: 'Docs' },
      ],
    },
    {
      type: 'rich_text_list',
      style: 'ordered',
      indent: 1,
      border: 0,
      elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'One' }] }],
    },
    { type: 'rich_text_quote', border: 1, elements: [{ type: 'text', text: 'Quoted' }] },
    {
      type: 'rich_text_preformatted',
      elements: [
        { type: 'text', text: '{}' },
        { type: 'link', url: 'https://a.example' },
      ],
    },
  ],
};
const cell = (text: string) => ({ type: 'raw_text', text });
const card = {
  type: 'card',
  hero_image: image,
  slack_icon: { type: 'icon', name: 'bot' },
  title: mrkdwn('Title'),
  subtitle: mrkdwn('Subtitle'),
  body: mrkdwn('Body'),
  subtext: mrkdwn('Subtext'),
  actions: [button],
};
const axisChart = (type: string) => ({
  type,
  series: [{ name: 'Pies', data: [{ label: 'Apple', value: -7 }] }],
  axis_config: { categories: ['Apple'], x_label: 'Pie', y_label: 'Sold' },
});
const visualization = (chart: object) => ({ type: 'data_visualization', title: 'Pies', chart });
const task = {
  type: 'task_card',
  task_id: 't1',
  title: 'Look it up',
  status: 'complete',
  details: richText,
  output: richText,
  sources: [{ type: 'url', url: 'https://docs.example', text: 'Docs' }],
};

const on =
  (surface: Surface) =>
  <T extends object>(block: T): { surface: Surface; block: T } => ({ surface, block });

export const VALID_BLOCKS: readonly { readonly surface: Surface; readonly block: object }[] = [
  ...[
    {
      type: 'actions',
      block_id: 'b1',
      elements: [button, { type: 'overflow', options: [{ ...option, url: 'https://a.example' }] }],
    },
    card,
    { type: 'carousel', elements: [card] },
    {
      type: 'container',
      title: plain('Details'),
      rich_text_title: richText,
      subtitle: mrkdwn('Subtitle'),
      icon: image,
      width: 'wide',
      is_collapsible: true,
      default_collapsed: true,
      has_header_divider: true,
      child_blocks: [{ type: 'divider' }, richText, { type: 'section', text: plain('x') }],
    },
    { type: 'context', elements: [image, plain('x'), mrkdwn('y')] },
    {
      type: 'context_actions',
      elements: [
        {
          type: 'feedback_buttons',
          action_id: 'f',
          positive_button: { text: plain('Good'), value: '+', accessibility_label: 'Good' },
          negative_button: { text: plain('Bad'), value: '-' },
        },
        { type: 'icon_button', action_id: 'i', icon: 'trash', text: plain('Delete'), value: '1', confirm },
      ],
    },
    {
      type: 'data_table',
      caption: 'Scores',
      page_size: 5,
      row_header_column_index: 1,
      rows: [
        [cell('Name'), cell('Score')],
        [richText, { type: 'raw_number', value: 42, text: '42' }],
      ],
    },
    visualization({ type: 'pie', segments: [{ label: 'Apple', value: 7 }] }),
    visualization(axisChart('bar')),
    visualization(axisChart('area')),
    visualization(axisChart('line')),
    { type: 'divider' },
    { type: 'header', text: plain('Header') },
    { ...image, title: plain('Cat'), block_id: 'cat' },
    { type: 'image', alt_text: 'A cat', slack_file: { url: 'https://files.example/cat.png' } },
    { type: 'markdown', text: '# Title' },
    { type: 'plan', title: 'Plan', tasks: [task] },
    richText,
    {
      type: 'section',
      text: mrkdwn('x'),
      fields: [plain('a'), mrkdwn('b')],
      accessory: button,
      expand: true,
    },
    { type: 'section', text: mrkdwn('x'), accessory: image },
    {
      type: 'section',
      text: plain('x'),
      accessory: {
        type: 'workflow_button',
        text: plain('Run'),
        workflow: {
          trigger: {
            url: 'https://workflows.example/1',
            customizable_input_parameters: [{ name: 'a', value: 'b' }],
          },
        },
      },
    },
    {
      type: 'table',
      rows: [[cell('a'), richText]],
      column_settings: [{ align: 'right', is_wrapped: true }, {}],
    },
    task,
    {
      type: 'video',
      video_url: 'https://videos.example/embed/1',
      thumbnail_url: 'https://videos.example/1.png',
      alt_text: 'A film',
      title: plain('Film'),
      title_url: 'https://videos.example/1',
      author_name: 'Ann',
      provider_name: 'Videos',
      provider_icon_url: 'https://videos.example/icon.png',
      description: plain('About cats'),
    },
  ].map(on('message')),
  ...[
    { type: 'alert', text: mrkdwn('Careful'), level: 'warning' },
    {
      type: 'input',
      label: plain('Name'),
      hint: plain('Any'),
      optional: true,
      dispatch_action: true,
      element: { type: 'plain_text_input', action_id: 'name' },
    },
  ].map(on('modal')),
];

const common = { action_id: 'a', focus_on_load: true };
const menu = { ...common, confirm, placeholder: plain('Pick') };
const text = {
  ...common,
  placeholder: plain('Type'),
  dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] },
};
const group = { label: plain('Group'), options: [option] };
const filter = { include: ['im', 'private'], exclude_bot_users: true };

export const VALID_ELEMENTS: readonly { readonly surface: Surface; readonly element: object }[] = [
  { type: 'checkboxes', ...common, confirm, options: [fancy], initial_options: [fancy] },
  { type: 'radio_buttons', ...common, options: [fancy], initial_option: fancy },
  { type: 'static_select', ...menu, option_groups: [group], initial_option: option },
  {
    type: 'multi_static_select',
    ...menu,
    options: [option],
    initial_options: [option],
    max_selected_items: 1,
  },
  { type: 'external_select', ...menu, min_query_length: 0, initial_option: option },
  { type: 'multi_external_select', ...menu, min_query_length: 3, initial_options: [option] },
  { type: 'users_select', ...menu, initial_user: 'U1' },
  { type: 'multi_users_select', ...menu, initial_users: ['U1'] },
  { type: 'channels_select', ...menu, initial_channel: 'C1', response_url_enabled: true },
  { type: 'multi_channels_select', ...menu, initial_channels: ['C1'] },
  { type: 'conversations_select', ...menu, filter, default_to_current_conversation: true },
  { type: 'multi_conversations_select', ...menu, filter, initial_conversations: ['C1'] },
  { type: 'datepicker', ...menu, initial_date: '2024-02-29' },
  { type: 'datetimepicker', ...common, confirm, initial_date_time: 1_628_633_820 },
  { type: 'timepicker', ...menu, initial_time: '23:59', timezone: 'Europe/Prague' },
  { type: 'email_text_input', ...text, initial_value: 'a@b.example' },
  { type: 'url_text_input', ...text, initial_value: 'https://a.example' },
  {
    type: 'number_input',
    ...text,
    is_decimal_allowed: true,
    min_value: '-1',
    max_value: '2.5',
    initial_value: '.5',
  },
  {
    type: 'plain_text_input',
    ...text,
    multiline: true,
    min_length: 1,
    max_length: 5,
    initial_value: '😀😀😀😀😀',
  },
  { type: 'rich_text_input', ...text, initial_value: richText, min_lines: 1, max_lines: 100 },
  { type: 'file_input', action_id: 'a', filetypes: ['csv'], max_files: 1 },
].map((element) => ({ surface: 'modal', element }));
