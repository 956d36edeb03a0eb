/** Puts the marks of a call under the fields of its card that they are about. */
import type { ShownField } from '../../blocks/approval-card.js';
import type { Mark } from '../services/card-marks.js';

/** Longer ones are told by their beginning; the whole stands in the field above. */
const VALUE = 80;

/** `cleo@other.example (outside) · new here, and so is its domain`. */
function markText({ value, says }: Mark): string {
  const characters = [...value];
  const shown = characters.length > VALUE ? `${characters.slice(0, VALUE - 1).join('')}…` : value;
  const outside = says.includes('outside') ? ' (outside)' : '';
  const rest = says.filter((each) => each !== 'outside');
  return `${shown}${outside}${outside === '' && rest.length > 0 ? ': ' : rest.length > 0 ? ' · ' : ''}${rest.join(' · ')}`;
}

/** As a word of its own: an amount of 100 is not in 1003. */
function isIn(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const around = [text[at - 1], text[at + value.length]];
    if (around.every((character) => character === undefined || !/[\p{L}\p{N}]/u.test(character))) return true;
  }
  return false;
}

/** Every mark stands somewhere: under the fields that show its value, else under a line of its own at the end. */
export function markedFields(fields: readonly ShownField[], marks: readonly Mark[]): ShownField[] {
  const texts = fields.map(({ value }) => value.toLowerCase());
  const found = new Set<Mark>();
  const marked = fields.map((field, index) => {
    const own = marks.filter(({ value }) => isIn(texts[index] ?? '', value.toLowerCase()));
    for (const mark of own) found.add(mark);
    return own.length === 0 ? field : { ...field, marks: [...(field.marks ?? []), ...own.map(markText)] };
  });
  const left = marks.filter((mark) => !found.has(mark));
  if (left.length === 0) return marked;
  return [
    ...marked,
    { label: 'Noticed', value: 'in the arguments', kind: 'short', marks: left.map(markText), aside: true },
  ];
}
