import { BLOCK_SURFACES, LIMITS } from './limits.js';
import { RICH_TEXT_ELEMENT } from './rich-text.js';
import {
  type Across,
  anything,
  list,
  object,
  type Rule,
  type Run,
  refuse,
  required,
  string,
  union,
} from './rules.js';

const uniqueBlockId: Across = ({ block_id: id }, at, run) => {
  if (typeof id !== 'string') return;
  if (run.blockIds.has(id)) refuse(run, `${at}/block_id`, 'block_id.unique', 'must be unique on its surface');
  run.blockIds.add(id);
};

/** Elements of a block share a scope for their `action_id`; a block inside a block opens its own. */
const inOwnActionScope = (run: Run, walk: () => void): void => {
  const outer = run.actionIds;
  run.actionIds = new Set();
  walk();
  run.actionIds = outer;
};

/** A block of one type: the fields that every block has, its own, and where it may stand. */
export function block(
  type: string,
  fields: Parameters<typeof object>[0],
  ...across: readonly Across[]
): Record<string, Rule> {
  const shape = object({ type: anything, block_id: string('block_id'), ...fields }, uniqueBlockId, ...across);
  const surfaces = BLOCK_SURFACES[type] ?? [];
  const rule: Rule = (value, at, run) => {
    if (!surfaces.includes(run.surface)) {
      refuse(run, `${at}/type`, 'block.surface', `a ${type} block cannot stand in a ${run.surface}`);
    }
    inOwnActionScope(run, () => shape(value, at, run));
  };
  return { [type]: rule };
}

export const RICH_TEXT = block('rich_text', {
  elements: required(list(RICH_TEXT_ELEMENT, 'rich_text.elements')),
});

/** A `rich_text` block as a value inside another block. */
export const RICH_TEXT_VALUE = union('rich_text.type', RICH_TEXT);

/** Counts blocks of which a message takes only so many. */
export const atMostPerMessage =
  (counter: 'tables' | 'charts', id: 'message.tables' | 'message.data_visualizations'): Across =>
  (_fields, at, run) => {
    run[counter] += 1;
    const { max_items: max } = LIMITS[id];
    if (run[counter] > max) refuse(run, at, `${id}.max_items`, `a message takes at most ${max} of these`);
  };
