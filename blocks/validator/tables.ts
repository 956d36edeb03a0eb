/** Blocks that show data: `table`, `data_table`, `data_visualization`. */
import { atMostPerMessage, block, RICH_TEXT } from './block.js';
import { LIMITS, type LimitId } from './limits.js';
import {
  type Across,
  anything,
  boolean,
  codePoints,
  integer,
  isObject,
  list,
  number,
  object,
  oneOf,
  type Rule,
  refuse,
  required,
  string,
  union,
} from './rules.js';

const cell = (constraint: string, text: LimitId): Rule =>
  union(constraint, {
    raw_text: object({ type: anything, text: required(string(text)) }),
    raw_number: object({ type: anything, value: required(number()), text: required(string(text)) }),
    ...RICH_TEXT,
  });

/** How deep text can lie in a cell: rich_text > list > section > text. */
const CELL_DEPTH = 4;

function textLength(value: unknown, depth = CELL_DEPTH): number {
  if (!isObject(value) || depth === 0) return 0;
  if (typeof value.text === 'string') return codePoints(value.text);
  if (!Array.isArray(value.elements)) return 0;
  return value.elements.reduce<number>((sum, inner) => sum + textLength(inner, depth - 1), 0);
}

const rowsOf = (rows: unknown): readonly (readonly unknown[])[] =>
  Array.isArray(rows) ? rows.filter((row) => Array.isArray(row)) : [];

const contentWithin =
  (id: 'table.content' | 'data_table.content'): Across =>
  ({ rows }, at, run) => {
    const { max_length: max } = LIMITS[id];
    let total = 0;
    for (const row of rowsOf(rows)) for (const value of row) total += textLength(value);
    if (total > max) {
      refuse(run, `${at}/rows`, `${id}.max_length`, `all cells together must be at most ${max} characters`);
    }
  };

const rowsAlike =
  (constraint: string): Across =>
  ({ rows }, at, run) => {
    const all = rowsOf(rows);
    const width = all[0]?.length;
    all.forEach((row, index) => {
      if (row.length !== width) {
        refuse(run, `${at}/rows/${index}`, constraint, `must have ${width} cells, as the first row has`);
      }
    });
  };

// T lets the settings be shorter than the row; the case list refuses any difference, and `{}` fills a gap.
const settingsMatchColumns: Across = ({ rows, column_settings: settings }, at, run) => {
  const width = rowsOf(rows)[0]?.length;
  if (Array.isArray(settings) && width !== undefined && settings.length !== width) {
    refuse(
      run,
      `${at}/column_settings`,
      'table.column_settings',
      `must have one item for each of ${width} columns`,
    );
  }
};

export const TABLE = block(
  'table',
  {
    rows: required(list(list(cell('table.cell', 'table.cell_text'), 'table.columns'), 'table.rows')),
    column_settings: list(
      object({ align: oneOf('left', 'center', 'right'), is_wrapped: boolean }),
      'table.column_settings',
    ),
  },
  rowsAlike('table.row_shape'),
  settingsMatchColumns,
  contentWithin('table.content'),
  atMostPerMessage('tables', 'message.tables'),
);

const headerColumnExists: Across = ({ rows, row_header_column_index: index }, at, run) => {
  const width = rowsOf(rows)[0]?.length;
  if (typeof index === 'number' && width !== undefined && index >= width) {
    refuse(run, `${at}/row_header_column_index`, 'data_table.row_header_column_index', 'must name a column');
  }
};

export const DATA_TABLE = block(
  'data_table',
  {
    caption: required(string('text')),
    rows: required(
      list(list(cell('data_table.cell', 'data_table.cell_text'), 'data_table.columns'), 'data_table.rows'),
    ),
    page_size: integer('data_table.page_size'),
    row_header_column_index: integer('data_table.row_header_column_index'),
  },
  rowsAlike('data_table.row_shape'),
  headerColumnExists,
  contentWithin('data_table.content'),
);

const SEGMENT = object({
  label: required(string('data_visualization.segment.label')),
  value: required(number('data_visualization.segment.value')),
});

const POINT = object({
  label: required(string('data_visualization.point_label')),
  value: required(number()),
});

const SERIES = object({
  name: required(string('data_visualization.series_name')),
  data: required(list(POINT, 'data_visualization.data')),
});

const AXIS_CONFIG = object({
  categories: required(list(string('data_visualization.category_label'), 'data_visualization.categories')),
  x_label: string('data_visualization.axis_label'),
  y_label: string('data_visualization.axis_label'),
});

const namesOf = (items: unknown, field: string): readonly unknown[] =>
  Array.isArray(items) ? items.map((item) => (isObject(item) ? item[field] : undefined)) : [];

/** Series have names of their own (docs.slack.dev, as read by the Rust clients slack-messaging and slack-morphism). */
const uniqueSeries: Across = ({ series }, at, run) => {
  const seen = new Set<unknown>();
  namesOf(series, 'name').forEach((name, index) => {
    if (seen.has(name)) {
      refuse(run, `${at}/series/${index}/name`, 'data_visualization.series_name.unique', 'must be unique');
    }
    seen.add(name);
  });
};

/** Each series has one point for each category (same source). A list that is empty has its own refusal. */
const pointsMatchCategories: Across = ({ series, axis_config: axis }, at, run) => {
  const categories = isObject(axis) && Array.isArray(axis.categories) ? axis.categories : [];
  namesOf(series, 'data').forEach((data, index) => {
    const labels = new Set(namesOf(data, 'label'));
    if (categories.length === 0 || labels.size === 0) return;
    const alike = labels.size === categories.length && categories.every((name) => labels.has(name));
    if (!alike) {
      refuse(
        run,
        `${at}/series/${index}/data`,
        'data_visualization.points',
        'must have one point for each category',
      );
    }
  });
};

const AXIS_CHART = object(
  {
    type: anything,
    series: required(list(SERIES, 'data_visualization.series')),
    axis_config: required(AXIS_CONFIG),
  },
  uniqueSeries,
  pointsMatchCategories,
);

export const DATA_VISUALIZATION = block(
  'data_visualization',
  {
    title: required(string('data_visualization.title')),
    chart: required(
      union('data_visualization.chart', {
        pie: object({ type: anything, segments: required(list(SEGMENT, 'data_visualization.segments')) }),
        bar: AXIS_CHART,
        area: AXIS_CHART,
        line: AXIS_CHART,
      }),
    ),
  },
  atMostPerMessage('charts', 'message.data_visualizations'),
);
