import { optionLabel, optionsOf, STATE_FIELDS } from './elements.js';
import { type Fields, fieldsOf, stringOf } from './protocol.js';

/** What a person gives for an input: text, an option's label or value, a person, a channel; lists for multi ones. */
export type Given = string | number | boolean | null | readonly string[];

export interface Lookup {
  /** Options that the app offers for this query. */
  options(query: string): Promise<Fields[]>;
  /** A user id from an id or a name. */
  user(given: string): string;
  /** A conversation id from an id, `#name` or a person. */
  channel(given: string): string;
}

function pick(options: readonly Fields[], given: string): Fields {
  const found =
    options.find((option) => option.value === given) ??
    options.find((option) => optionLabel(option) === given) ??
    options.find((option) => optionLabel(option).toLowerCase().startsWith(given.toLowerCase()));
  if (found) return found;
  const offered = options.map((option) => `"${optionLabel(option)}" (${option.value})`).join(', ');
  throw new Error(`no option "${given}"; there are: ${offered || 'none'}`);
}

const richText = (text: string): Fields => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
});

/** The `state.values` entry for an element and what a person gives for it; `null` empties the input. */
export async function entryFor(element: Fields, given: Given, lookup: Lookup): Promise<Fields> {
  const type = stringOf(element.type);
  const keeps = STATE_FIELDS[type];
  if (!keeps) throw new Error(`a ${type} keeps no value`);
  if (given === null || (Array.isArray(given) && given.length === 0))
    return { type, [keeps.field]: keeps.empty };
  const wanted = Array.isArray(given) ? given.map(String) : [String(given)];
  const single = wanted[0] ?? '';
  const one = async (value: string): Promise<unknown> => {
    switch (keeps.field) {
      case 'selected_option':
      case 'selected_options':
        return pick(type.includes('external') ? await lookup.options(value) : optionsOf(element), value);
      case 'selected_user':
      case 'selected_users':
        return lookup.user(value);
      case 'selected_conversation':
      case 'selected_conversations':
      case 'selected_channel':
      case 'selected_channels':
        return lookup.channel(value);
      case 'selected_date_time':
        return Number(value);
      case 'rich_text_value':
        return richText(value);
      default:
        return value;
    }
  };
  const value = keeps.empty === null ? await one(single) : await Promise.all(wanted.map(one));
  return { type, [keeps.field]: value };
}

/** Words that name an element, for messages that list what is there. */
export function describe(element: Fields, label: string): string {
  const value = typeof element.value === 'string' ? ` value=${element.value}` : '';
  return `${stringOf(element.type)} "${label}" (${stringOf(element.action_id)}${value})`;
}

/** A confirmation dialog's title, or null. */
export function confirmTitle(element: Fields): string | null {
  return element.confirm === undefined ? null : stringOf(fieldsOf(fieldsOf(element.confirm).title).text);
}
