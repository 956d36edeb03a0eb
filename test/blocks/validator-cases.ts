/**
 * For each case of `block-kit-invalid-cases.json` a payload that breaks that one constraint, and the same payload
 * with as little changed as makes it valid. Numbers are written out: they must not come from the table under test.
 */
import type { Surface } from '../../blocks/validator/index.js';

export type Payload =
  | { readonly surface: Surface; readonly blocks: readonly unknown[] }
  | { readonly view: unknown };

export interface Case {
  readonly refused: Payload;
  readonly repaired: Payload;
}

const message = (...blocks: unknown[]): Payload => ({ surface: 'message', blocks });
const modal = (...blocks: unknown[]): Payload => ({ surface: 'modal', blocks });

const x = (count: number): string => 'x'.repeat(count);
const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const divider = { type: 'divider' };

const of = <T>(make: (value: T) => Payload, refused: T, repaired: T): Case => ({
  refused: make(refused),
  repaired: make(repaired),
});
/** One character too many, and none too many. */
const tooLong = (max: number, make: (text: string) => Payload): Case => of(make, x(max + 1), x(max));
const empty = (make: (text: string) => Payload): Case => of(make, '', 'x');
/** The wrong and the right number of items, or number itself. */
const count = (refused: number, repaired: number, make: (count: number) => Payload): Case =>
  of(make, refused, repaired);

const actions = (element: object) => message({ type: 'actions', elements: [element] });
const button = (extra: object) => actions({ type: 'button', text: plain('Go'), ...extra });
const confirm = (extra: object) => button({ confirm: { text: plain('Sure?'), ...extra } });
const option = (extra: object = {}) => ({ text: plain('One'), value: 'one', ...extra });
const options = (length: number) => many(length, (i) => option({ value: `${i}` }));
const menu = (type: string, extra: object) => actions({ type, ...extra });
const select = (extra: object) => menu('static_select', { options: options(1), ...extra });
const choice = (extra: object) => select({ options: [option(extra)] });
const group = (extra: object = {}) => ({ label: plain('Group'), options: options(1), ...extra });
const groups = (option_groups: unknown[]) => menu('static_select', { option_groups });
const input = (element: object, extra: object = {}) =>
  modal({ type: 'input', label: plain('Label'), element, ...extra });
const field = (extra: object) => input({ type: 'plain_text_input', ...extra });
const image = (extra: object) => ({ type: 'image', alt_text: 'A cat', ...extra });
const CAT = 'https://pictures.example/cat.png';
const video = (extra: object) =>
  message({
    type: 'video',
    video_url: 'https://videos.example/embed/1',
    thumbnail_url: CAT,
    alt_text: 'A film',
    title: plain('Film'),
    ...extra,
  });
const card = (extra: object) => message({ type: 'card', body: mrkdwn('Body'), ...extra });
const container = (extra: object) => message({ type: 'container', child_blocks: [divider], ...extra });
const iconButton = (extra: object) =>
  message({
    type: 'context_actions',
    elements: [{ type: 'icon_button', icon: 'trash', text: plain('Delete'), ...extra }],
  });
const feedback = (extra: object) =>
  message({
    type: 'context_actions',
    elements: [
      {
        type: 'feedback_buttons',
        positive_button: { text: plain('Good'), value: 'good', ...extra },
        negative_button: { text: plain('Bad'), value: 'bad' },
      },
    ],
  });
const view = (extra: object): Payload => ({
  view: { type: 'modal', title: plain('Title'), blocks: [divider], ...extra },
});
const cell = (text: string) => ({ type: 'raw_text', text });
const rows = (height: number, width: number) => many(height, () => many(width, () => cell('x')));
const table = (extra: object) => message({ type: 'table', rows: rows(2, 2), ...extra });
const dataTable = (extra: object) =>
  message({ type: 'data_table', caption: 'Scores', rows: rows(2, 2), ...extra });
const chart = (chart: object, title = 'Chart') => message({ type: 'data_visualization', title, chart });
const pie = (segments: object[], title?: string) => chart({ type: 'pie', segments }, title);
const segment = { label: 'A', value: 1 };
const bar = (series: object[], categories: string[], extra: object = {}) =>
  chart({ type: 'bar', series, axis_config: { categories, ...extra } });
const series = (name: string, labels: string[]) => ({
  name,
  data: labels.map((label) => ({ label, value: 1 })),
});
const labels = (length: number) => many(length, (i) => `L${i}`);

export const CASES: Readonly<Record<string, Case>> = {
  'text-empty': empty((text) => message({ type: 'section', text: mrkdwn(text) })),
  'text-too-long': tooLong(3000, (text) => message({ type: 'context', elements: [plain(text)] })),
  'button-action-id-too-long': tooLong(255, (action_id) => button({ action_id })),
  'button-text-too-long': tooLong(75, (text) => button({ text: plain(text) })),
  'button-url-too-long': tooLong(3000, (url) => button({ url })),
  'button-value-too-long': tooLong(2000, (value) => button({ value })),
  'button-accessibility-label-too-long': tooLong(75, (label) => button({ accessibility_label: label })),
  'confirmation-title-too-long': tooLong(100, (text) => confirm({ title: plain(text) })),
  'confirmation-text-too-long': tooLong(300, (text) => confirm({ text: mrkdwn(text) })),
  'confirmation-confirm-too-long': tooLong(30, (text) => confirm({ confirm: plain(text) })),
  'confirmation-deny-too-long': tooLong(30, (text) => confirm({ deny: plain(text) })),
  'option-text-too-long': tooLong(75, (text) => choice({ text: plain(text) })),
  'option-value-too-long': tooLong(150, (value) => choice({ value })),
  'option-url-too-long': of(
    (url: string) => menu('overflow', { options: [option({ url })] }),
    '😀'.repeat(3001),
    '😀'.repeat(3000),
  ),
  'option-description-too-long': tooLong(75, (text) => choice({ description: plain(text) })),
  'option-group-label-too-long': tooLong(75, (text) => groups([group({ label: plain(text) })])),
  'option-group-empty': count(0, 1, (n) => groups([group({ options: options(n) })])),
  'option-group-too-many-options': count(101, 100, (n) => groups([group({ options: options(n) })])),
  'select-placeholder-too-long': tooLong(150, (text) => select({ placeholder: plain(text) })),
  'select-too-many-options': count(101, 100, (n) => select({ options: options(n) })),
  'select-too-many-option-groups': count(101, 100, (n) => groups(many(n, () => group()))),
  'overflow-empty': count(0, 1, (n) => menu('overflow', { options: options(n) })),
  'overflow-too-many-options': count(6, 5, (n) => menu('overflow', { options: options(n) })),
  'checkboxes-empty': count(0, 1, (n) => menu('checkboxes', { options: options(n) })),
  'checkboxes-too-many-options': count(11, 10, (n) => menu('checkboxes', { options: options(n) })),
  'radio-buttons-empty': count(0, 1, (n) => menu('radio_buttons', { options: options(n) })),
  'radio-buttons-too-many-options': count(11, 10, (n) => menu('radio_buttons', { options: options(n) })),
  'url-source-url-empty': empty((url) => source(url)),
  'url-source-url-too-long': tooLong(3000, (url) => source(url)),
  'table-too-many-rows': count(101, 100, (n) => table({ rows: rows(n, 2) })),
  'table-ragged-rows': count(1, 2, (n) => table({ rows: [...rows(1, 2), ...rows(1, n)] })),
  'table-column-settings-mismatch': count(3, 2, (n) =>
    table({ column_settings: many(n, () => ({ align: 'right' })) }),
  ),
  'file-input-max-files-too-small': count(0, 1, (n) => input({ type: 'file_input', max_files: n })),
  'file-input-max-files-too-large': count(11, 10, (n) => input({ type: 'file_input', max_files: n })),
  'plain-text-input-max-length-too-large': count(3001, 3000, (n) => field({ max_length: n })),
  'number-input-inverted-range': of(
    (min_value: string) =>
      input({ type: 'number_input', is_decimal_allowed: true, min_value, max_value: '10' }),
    '10.5',
    '9.5',
  ),
  'actions-too-many-elements': count(26, 25, (n) =>
    message({ type: 'actions', elements: many(n, () => ({ type: 'button', text: plain('Go') })) }),
  ),
  'context-too-many-elements': count(11, 10, (n) =>
    message({ type: 'context', elements: many(n, () => plain('x')) }),
  ),
  'context-invalid-element': of(
    (element: object) => message({ type: 'context', elements: [element] }),
    { type: 'button', text: plain('Go') },
    image({ image_url: CAT }),
  ),
  'header-text-too-long': tooLong(150, (text) => message({ type: 'header', text: plain(text) })),
  'image-url-too-long': tooLong(3000, (url) => message(image({ image_url: url }))),
  'image-alt-text-too-long': tooLong(2000, (text) => message(image({ image_url: CAT, alt_text: text }))),
  'image-url-and-slack-file': of(
    (extra: object) =>
      message({ type: 'context', elements: [image({ slack_file: { id: 'F1' }, ...extra })] }),
    { image_url: CAT },
    {},
  ),
  'input-label-too-long': tooLong(2000, (text) =>
    input({ type: 'plain_text_input' }, { label: plain(text) }),
  ),
  'input-hint-too-long': tooLong(2000, (text) => input({ type: 'plain_text_input' }, { hint: plain(text) })),
  'input-invalid-element': of(
    input,
    { type: 'button', text: plain('Go') } as object,
    { type: 'datepicker' } as object,
  ),
  'markdown-empty': empty((text) => message({ type: 'markdown', text })),
  'markdown-too-long': tooLong(12_000, (text) => message({ type: 'markdown', text })),
  'section-text-too-long': tooLong(3000, (text) => message({ type: 'section', text: mrkdwn(text) })),
  'section-too-many-fields': count(11, 10, (n) =>
    message({ type: 'section', fields: many(n, () => plain('x')) }),
  ),
  'section-field-too-long': tooLong(2000, (text) => message({ type: 'section', fields: [mrkdwn(text)] })),
  'section-missing-content': of(
    (extra: object) => message({ type: 'section', ...extra }),
    {},
    { fields: [plain('x')] },
  ),
  'static-select-options-and-groups': of(select, { option_groups: [group()] }, {}),
  'video-alt-text-empty': empty((alt_text) => video({ alt_text })),
  'video-alt-text-too-long': tooLong(200, (alt_text) => video({ alt_text })),
  'video-title-too-long': tooLong(200, (text) => video({ title: plain(text) })),
  'video-author-name-too-long': tooLong(50, (author_name) => video({ author_name })),
  'video-description-too-long': tooLong(200, (text) => video({ description: plain(text) })),
  'video-provider-name-too-long': tooLong(50, (provider_name) => video({ provider_name })),
  'view-missing-blocks': count(0, 1, (n) => view({ blocks: many(n, () => divider) })),
  'view-too-many-blocks': count(101, 100, (n) => view({ blocks: many(n, () => divider) })),
  'view-private-metadata-too-long': tooLong(3000, (private_metadata) => view({ private_metadata })),
  'view-callback-id-too-long': tooLong(255, (callback_id) => view({ callback_id })),
  'view-title-too-long': tooLong(24, (text) => view({ title: plain(text) })),
  'view-close-too-long': tooLong(24, (text) => view({ close: plain(text) })),
  'view-submit-too-long': tooLong(24, (text) => view({ submit: plain(text) })),
  'block-id-too-long': tooLong(255, (block_id) => message({ type: 'divider', block_id })),
  'alert-text-too-long': tooLong(200, (text) => modal({ type: 'alert', text: mrkdwn(text) })),
  'card-title-too-long': tooLong(150, (text) => card({ title: mrkdwn(text) })),
  'card-subtitle-too-long': tooLong(150, (text) => card({ subtitle: mrkdwn(text) })),
  'card-body-too-long': tooLong(200, (text) => card({ body: mrkdwn(text) })),
  'card-subtext-too-long': tooLong(200, (text) => card({ subtext: mrkdwn(text) })),
  'card-too-many-actions': count(4, 3, (n) =>
    card({ actions: many(n, () => ({ type: 'button', text: plain('Go') })) }),
  ),
  'carousel-empty': count(0, 1, (n) => carousel(n)),
  'carousel-too-many-cards': count(11, 10, (n) => carousel(n)),
  'container-title-too-long': tooLong(150, (text) => container({ title: plain(text) })),
  'container-subtitle-too-long': tooLong(150, (text) => container({ subtitle: mrkdwn(text) })),
  'container-too-many-child-blocks': count(11, 10, (n) =>
    container({ child_blocks: many(n, () => divider) }),
  ),
  'context-actions-too-many-elements': count(6, 5, (n) =>
    message({
      type: 'context_actions',
      elements: many(n, () => ({ type: 'icon_button', icon: 'trash', text: plain('Delete') })),
    }),
  ),
  'feedback-button-text-too-long': tooLong(75, (text) => feedback({ text: plain(text) })),
  'feedback-button-value-too-long': tooLong(2000, (value) => feedback({ value })),
  'feedback-button-accessibility-label-too-long': tooLong(75, (text) =>
    feedback({ accessibility_label: text }),
  ),
  'icon-button-too-many-visible-users': count(11, 10, (n) =>
    iconButton({ visible_to_user_ids: many(n, (i) => `U${i}`) }),
  ),
  'data-table-too-few-rows': count(1, 2, (n) => dataTable({ rows: rows(n, 2) })),
  'data-table-too-many-rows': count(202, 201, (n) => dataTable({ rows: rows(n, 2) })),
  'data-table-too-few-columns': count(0, 1, (n) => dataTable({ rows: rows(2, n) })),
  'data-table-too-many-columns': count(21, 20, (n) => dataTable({ rows: rows(2, n) })),
  'data-table-page-size-too-small': count(0, 1, (page_size) => dataTable({ page_size })),
  'data-table-page-size-too-large': count(101, 100, (page_size) => dataTable({ page_size })),
  'data-table-cell-text-empty': empty((text) => dataTable({ rows: [[cell('Head')], [cell(text)]] })),
  'data-table-content-too-long': tooLong(19_996, (text) =>
    dataTable({ rows: [[cell('Head')], [cell(text)]] }),
  ),
  'data-visualization-title-too-long': tooLong(50, (title) => pie([segment], title)),
  'pie-chart-empty': count(0, 1, (n) => pie(many(n, () => segment))),
  'pie-chart-too-many-segments': count(13, 12, (n) => pie(many(n, () => segment))),
  'chart-segment-label-too-long': tooLong(20, (label) => pie([{ label, value: 1 }])),
  'chart-segment-value-not-positive': count(0, 0.1, (value) => pie([{ label: 'A', value }])),
  'chart-series-empty': count(0, 1, (n) =>
    bar(
      many(n, () => series('S', ['A'])),
      ['A'],
    ),
  ),
  'chart-too-many-series': count(13, 12, (n) =>
    bar(
      many(n, (i) => series(`S${i}`, ['A'])),
      ['A'],
    ),
  ),
  'data-series-name-too-long': tooLong(20, (name) => bar([series(name, ['A'])], ['A'])),
  'data-series-empty': count(0, 1, (n) => bar([series('S', labels(n))], labels(1))),
  'data-series-too-many-points': count(21, 20, (n) =>
    bar([{ name: 'S', data: many(n, (i) => ({ label: `L${i % 20}`, value: i })) }], labels(20)),
  ),
  'data-point-label-too-long': of(
    (label: string) => bar([series('S', [label])], [label.slice(0, 20)]),
    x(21),
    x(20),
  ),
  'axis-categories-empty': count(0, 1, (n) => bar([series('S', labels(1))], labels(n))),
  'axis-too-many-categories': count(21, 20, (n) => bar([series('S', labels(20))], labels(n))),
  'axis-category-label-too-long': tooLong(20, (label) => bar([series('S', [label.slice(0, 20)])], [label])),
  'axis-label-too-long': tooLong(50, (x_label) => bar([series('S', ['A'])], ['A'], { x_label })),
};

function source(url: string): Payload {
  const sources = [{ type: 'url', url, text: 'Source' }];
  return message({ type: 'task_card', task_id: 't1', title: 'Task', status: 'complete', sources });
}

function carousel(length: number): Payload {
  return message({
    type: 'carousel',
    elements: many(length, () => ({ type: 'card', title: mrkdwn('Card') })),
  });
}
