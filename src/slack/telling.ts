/** What tells one request from the others of its function, in a line of a list: a few fields of its own card. */
import type { ShownField } from '../../blocks/parts/arguments.js';

const MOST = 2;

/**
 * In the order of the card: where others of its function wait too, what is not the same in all of them; else its first
 * short fields. Links are left to the card, which shows where they lead.
 * @param others the fields of the others
 */
export function tellingFields(
  fields: readonly ShownField[],
  others: readonly (readonly ShownField[])[],
): readonly ShownField[] {
  const shown = fields.filter(({ kind, value }) => kind !== 'link' && value.trim() !== '');
  const differing = shown.filter((field) =>
    others.some((other) => !other.some((each) => isSame(each, field))),
  );
  const from = differing.length > 0 ? differing : shown;
  const short = from.filter(({ kind }) => kind !== 'long');
  return (short.length > 0 ? short : from).slice(0, MOST);
}

const isSame = (one: ShownField, other: ShownField): boolean =>
  one.label === other.label && one.value === other.value;
