import { describe, expect, it } from 'vitest';
import {
  LIMITS,
  type Surface,
  type ValidationError,
  validateBlocks,
  validateView,
} from '../../blocks/validator/index.js';
import CASE_LIST from './block-kit-invalid-cases.json' with { type: 'json' };
import { CASES, type Payload } from './validator-cases.js';
import { VALID_BLOCKS, VALID_ELEMENTS } from './validator-valid.js';

const errorsOf = (payload: Payload): ValidationError[] =>
  'view' in payload ? validateView(payload.view) : validateBlocks(payload.blocks, payload.surface);

const constraints = (errors: readonly ValidationError[]): string[] => [
  ...new Set(errors.map(({ constraint }) => constraint)),
];

const plain = (text: string) => ({ type: 'plain_text', text });
const inMessage = (block: unknown) => validateBlocks([block], 'message');

describe('the constraints that Slack enforces', () => {
  it('has a case for each of them', () => {
    expect(Object.keys(CASES).sort()).toEqual(CASE_LIST.cases.map(({ id }) => id).sort());
    expect(CASE_LIST.cases).toHaveLength(106);
  });

  /** A chart with too many points or categories cannot also have one point for each category. */
  const FOLLOWS: Record<string, string> = {
    'data-point-label-too-long': 'data_visualization.points',
    'axis-too-many-categories': 'data_visualization.points',
    'axis-category-label-too-long': 'data_visualization.points',
  };

  it.each(CASE_LIST.cases)('$id: refused for $constraint, and taken when repaired', ({ id, constraint }) => {
    const { refused, repaired } = CASES[id] ?? expect.fail(`no case ${id}`);
    const found = constraints(errorsOf(refused));
    expect(found.filter((name) => name !== FOLLOWS[id])).toEqual([constraint]);
    expect(errorsOf(repaired)).toEqual([]);
  });

  it('names rows of the table: a limit is never missing', () => {
    const lengthCases = CASE_LIST.cases.filter(({ category }) => /length|range/.test(category));
    for (const { constraint } of lengthCases.filter((each) => each.constraint !== 'number_input.range')) {
      const [, row, name] = /^(.*)\.(\w+)$/.exec(constraint) ?? [];
      expect(LIMITS, constraint).toHaveProperty([row ?? '', name ?? '']);
    }
  });
});

describe('what is valid', () => {
  it.each(VALID_BLOCKS)('takes a $block.type block', ({ block, surface }) => {
    expect(validateBlocks([block], surface)).toEqual([]);
  });

  it.each(VALID_ELEMENTS)('takes a $element.type', ({ element, surface }) => {
    const label = plain('Label');
    expect(validateBlocks([{ type: 'input', label, element }], surface)).toEqual([]);
  });

  it('counts code points, not UTF-16 units', () => {
    expect(inMessage({ type: 'header', text: plain('😀'.repeat(150)) })).toEqual([]);
    expect(inMessage({ type: 'header', text: plain('😀'.repeat(151)) })).toHaveLength(1);
  });

  it('takes a field that is undefined as absent, as JSON does', () => {
    expect(inMessage({ type: 'section', text: plain('x'), fields: undefined })).toEqual([]);
  });
});

describe('where and why', () => {
  it('points at the value and says what to do', () => {
    const blocks = [{ type: 'divider' }, { type: 'context', elements: [plain('x'.repeat(3001))] }];
    expect(validateBlocks(blocks, 'message')).toEqual([
      {
        pointer: '/blocks/1/elements/0/text',
        message: 'must be at most 3000 characters',
        constraint: 'text.max_length',
      },
    ]);
  });

  it.each<[string, unknown, string, string]>([
    ['a block that is no object', 7, '/blocks/0', 'type'],
    ['a missing field', { type: 'header' }, '/blocks/0/text', 'required'],
    ['a typo', { type: 'divider', 'blok/id': '1' }, '/blocks/0/blok~1id', 'unknown_property'],
    [
      'a name of Object',
      JSON.parse('{"type":"divider","__proto__":{}}'),
      '/blocks/0/__proto__',
      'unknown_property',
    ],
    ['an unknown block', { type: 'nonsense' }, '/blocks/0/type', 'block.type'],
    ['a block named like an Object method', { type: 'constructor' }, '/blocks/0/type', 'block.type'],
    [
      'an unknown element',
      { type: 'actions', elements: [{ type: 'lever' }] },
      '/blocks/0/elements/0/type',
      'actions.elements',
    ],
    [
      'mrkdwn in a header',
      { type: 'header', text: { type: 'mrkdwn', text: 'x' } },
      '/blocks/0/text/type',
      'text.type',
    ],
    [
      'a number as text',
      { type: 'header', text: { type: 'plain_text', text: 1 } },
      '/blocks/0/text/text',
      'type',
    ],
    ['an image without a source', { type: 'image', alt_text: 'x' }, '/blocks/0', 'image.source'],
    ['a card without content', { type: 'card', subtitle: plain('x') }, '/blocks/0', 'card.content'],
    ['a file', { type: 'file', source: 'remote', external_id: '1' }, '/blocks/0/type', 'block.surface'],
    [
      'an empty rich text',
      { type: 'rich_text', elements: [] },
      '/blocks/0/elements',
      'rich_text.elements.min_items',
    ],
  ])('refuses %s', (_what, block, pointer, constraint) => {
    expect(inMessage(block)).toEqual([expect.objectContaining({ pointer, constraint })]);
  });

  it.each<[string, object, string]>([
    ['a date that does not exist', { type: 'datepicker', initial_date: '2023-02-29' }, 'format'],
    ['a month that does not exist', { type: 'datepicker', initial_date: '2024-13-01' }, 'format'],
    ['a date of another form', { type: 'datepicker', initial_date: '1.2.2024' }, 'format'],
    ['an hour that does not exist', { type: 'timepicker', initial_time: '24:00' }, 'format'],
    ['milliseconds', { type: 'datetimepicker', initial_date_time: 1_700_000_000_000 }, 'format'],
    ['words for a number', { type: 'number_input', is_decimal_allowed: true, min_value: 'ten' }, 'format'],
    [
      'a decimal where none may be',
      { type: 'number_input', is_decimal_allowed: false, min_value: '1.5' },
      'number_input.decimal',
    ],
    [
      'min_length over max_length',
      { type: 'plain_text_input', min_length: 5, max_length: 4 },
      'plain_text_input.range',
    ],
    [
      'an initial value that is too long',
      { type: 'plain_text_input', max_length: 2, initial_value: 'abc' },
      'plain_text_input.range',
    ],
    ['no lines at all', { type: 'rich_text_input', min_lines: 0 }, 'rich_text_input.min_lines.min'],
    [
      'an empty filter',
      { type: 'conversations_select', filter: { include: [] } },
      'conversation_filter.include.min_items',
    ],
    ['a select without options', { type: 'static_select' }, 'static_select.choice_source'],
    ['a button', { type: 'button', text: plain('Go') }, 'input.element'],
  ])('refuses %s in an input', (_what, element, constraint) => {
    const errors = validateBlocks([{ type: 'input', label: plain('Label'), element }], 'modal');
    expect(constraints(errors)).toEqual([constraint]);
  });

  it('refuses colours, indents and texts that Slack would not draw', () => {
    const section = (element: object) => ({ type: 'rich_text_section', elements: [element] });
    const richText = (element: object) => constraints(inMessage({ type: 'rich_text', elements: [element] }));
    expect(richText(section({ type: 'color', value: '#ff00' }))).toEqual(['format']);
    expect(richText(section({ type: 'text', text: '' }))).toEqual(['rich_text.text.min_length']);
    const item = section({ type: 'text', text: 'x' });
    const bullets = { type: 'rich_text_list', style: 'bullet', elements: [item] };
    expect(richText({ ...bullets, indent: 8 })).toEqual([]);
    expect(richText({ ...bullets, indent: 9 })).toEqual(['rich_text.indent.max']);
  });
});

describe('initial options', () => {
  const option = (value: string) => ({ text: plain(value), value });
  const menu = (extra: object) =>
    constraints(inMessage({ type: 'actions', elements: [{ type: 'static_select', ...extra }] }));

  it('must equal an option, in whatever order its keys are', () => {
    const options = [option('a'), option('b')];
    expect(
      menu({ options, initial_option: { value: 'b', text: { text: 'b', type: 'plain_text' } } }),
    ).toEqual([]);
    expect(menu({ options, initial_option: option('c') })).toEqual(['initial_option.offered']);
    expect(menu({ options, initial_option: { ...option('b'), text: plain('B') } })).toEqual([
      'initial_option.offered',
    ]);
    expect(menu({ option_groups: [{ label: plain('G'), options }], initial_option: option('a') })).toEqual(
      [],
    );
  });

  it('each of several must', () => {
    const boxes = { type: 'checkboxes', options: [option('a')], initial_options: [option('a'), option('z')] };
    const [error, ...more] = inMessage({ type: 'actions', elements: [boxes] });
    expect(error?.pointer).toBe('/blocks/0/elements/0/initial_options/1');
    expect(more).toEqual([]);
  });
});

describe('surfaces', () => {
  const input = (element: object) => ({ type: 'input', label: plain('Label'), element });
  it.each<[object, Record<Surface, string[]>]>([
    [
      { type: 'markdown', text: 'x' },
      { message: [], modal: ['block.surface'], home: ['block.surface'] },
    ],
    [
      { type: 'alert', text: plain('x') },
      { message: ['block.surface'], modal: [], home: ['block.surface'] },
    ],
    [
      { type: 'container', child_blocks: [] },
      { message: [], modal: ['block.surface'], home: ['block.surface'] },
    ],
    [
      { type: 'carousel', elements: [{ type: 'card', title: plain('x') }] },
      { message: [], modal: ['block.surface'], home: [] },
    ],
    [
      input({ type: 'email_text_input' }),
      { message: ['element.surface'], modal: [], home: ['element.surface'] },
    ],
    [input({ type: 'rich_text_input' }), { message: ['element.surface'], modal: [], home: [] }],
    [input({ type: 'datetimepicker' }), { message: [], modal: [], home: ['element.surface'] }],
    [input({ type: 'plain_text_input' }), { message: [], modal: [], home: [] }],
  ])('%j', (block, expected) => {
    for (const surface of ['message', 'modal', 'home'] as const) {
      expect(constraints(validateBlocks([block], surface)), surface).toEqual(expected[surface]);
    }
  });
});

describe('across a payload', () => {
  const button = (action_id: string) => ({ type: 'button', action_id, text: plain('Go') });

  it('block_id is unique, also inside a container', () => {
    const divider = { type: 'divider', block_id: 'same' };
    const inside = { type: 'container', child_blocks: [divider] };
    expect(validateBlocks([divider, inside], 'message')).toEqual([
      expect.objectContaining({
        pointer: '/blocks/1/child_blocks/0/block_id',
        constraint: 'block_id.unique',
      }),
    ]);
  });

  it('action_id is unique in its block, not beyond it', () => {
    const actions = (...ids: string[]) => ({ type: 'actions', elements: ids.map(button) });
    expect(validateBlocks([actions('a', 'b'), actions('a')], 'message')).toEqual([]);
    expect(constraints(inMessage(actions('a', 'a')))).toEqual(['action_id.unique']);
  });

  it('focus_on_load is true at most once', () => {
    const focused = {
      type: 'input',
      label: plain('L'),
      element: { type: 'plain_text_input', focus_on_load: true },
    };
    expect(validateBlocks([focused], 'modal')).toEqual([]);
    expect(constraints(validateBlocks([focused, focused], 'modal'))).toEqual(['focus_on_load.max_items']);
  });

  it('markdown blocks share one limit', () => {
    const half = { type: 'markdown', text: 'x'.repeat(6000) };
    expect(validateBlocks([half, half], 'message')).toEqual([]);
    expect(validateBlocks([half, half, { type: 'markdown', text: 'x' }], 'message')).toEqual([
      expect.objectContaining({ pointer: '/blocks/2/text', constraint: 'markdown.text.max_length' }),
    ]);
  });

  it('a message takes one table and 50 blocks', () => {
    const table = { type: 'table', rows: [[{ type: 'raw_text', text: 'x' }]] };
    expect(constraints(validateBlocks([table, table], 'message'))).toEqual(['message.tables.max_items']);
    const dividers = (count: number) => Array.from({ length: count }, () => ({ type: 'divider' }));
    expect(validateBlocks(dividers(50), 'message')).toEqual([]);
    expect(constraints(validateBlocks(dividers(51), 'message'))).toEqual(['message.blocks.max_items']);
  });

  it('a table holds 10,000 characters, rich text included', () => {
    const rich = (text: string) => ({
      type: 'rich_text',
      elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
    });
    const table = (length: number) => ({
      type: 'table',
      rows: [[rich('x'.repeat(length)), { type: 'raw_text', text: 'y' }]],
    });
    expect(inMessage(table(9999))).toEqual([]);
    expect(constraints(inMessage(table(10_000)))).toEqual(['table.content.max_length']);
  });

  it('a chart has unique series, each with one point for each category', () => {
    const series = (name: string, label: string) => ({ name, data: [{ label, value: 1 }] });
    const chart = (...all: object[]) => ({
      type: 'data_visualization',
      title: 'Chart',
      chart: { type: 'line', series: all, axis_config: { categories: ['Mon'] } },
    });
    expect(inMessage(chart(series('a', 'Mon'), series('b', 'Mon')))).toEqual([]);
    expect(constraints(inMessage(chart(series('a', 'Mon'), series('a', 'Mon'))))).toEqual([
      'data_visualization.series_name.unique',
    ]);
    expect(constraints(inMessage(chart(series('a', 'Tue'))))).toEqual(['data_visualization.points']);
  });
});
