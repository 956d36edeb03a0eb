/** The inputs of a form that was made from a schema (`schema-fields.ts`). Pure. */
import type { KnownBlock } from '@slack/types';
import { plain } from '../inert.js';
import {
  dateInput,
  decimalInput,
  emailInput,
  momentInput,
  radio,
  select,
  textInput,
  userInput,
  usersInput,
} from './inputs.js';
import type { FormField, SchemaForm } from './schema-fields.js';
import { section, said as spoken } from './text.js';

export const NOT_SET = 'none';
/** A menu of people that the schema sets no bound. */
const MOST_MEMBERS = 100;

function fixedBlock(field: FormField): KnownBlock {
  return section(`*${spoken(field.label)}* cannot be edited here: ${field.fixed ?? ''}. It stays as it is.`);
}

/** A choice that may be left open needs an option for that: a Slack menu cannot be emptied again. */
function choicesOf(field: FormField) {
  const own = field.choices.map(({ label }, at) => ({
    value: String(at),
    label: label === '' ? '(empty)' : label,
  }));
  return field.required ? own : [...own, { value: NOT_SET, label: 'Not set' }];
}

function inputBlock(field: FormField): KnownBlock {
  const { block, label, initial } = field;
  const about = { block, label, hint: field.hint ?? undefined, optional: !field.required };
  switch (field.kind) {
    case 'choice': {
      const choices = choicesOf(field);
      const chosen = { ...about, choices, initial: initial ?? (field.required ? undefined : NOT_SET) };
      return choices.length <= 4 ? radio(chosen) : select(chosen);
    }
    case 'number':
      return decimalInput({ ...about, ...boundsOf(field), initial });
    case 'date':
      return dateInput({ ...about, initial });
    case 'moment':
      return momentInput({ ...about, initial: initial === null ? null : Number(initial) });
    case 'email':
      return emailInput({ ...about, initial });
    case 'member':
      // A menu of one cannot be emptied again; one of several can.
      return field.required
        ? userInput({ ...about, initial })
        : usersInput({ ...about, initial: initial === null ? [] : [initial], max: 1 });
    case 'members': {
      const chosen = initial?.split('\n') ?? [];
      return usersInput({
        ...about,
        initial: chosen,
        max: Math.max(field.max ?? MOST_MEMBERS, chosen.length, 1),
      });
    }
    default:
      return textInput({
        ...about,
        initial: initial ?? undefined,
        max: field.maxLength,
        multiline: field.multiline,
      });
  }
}

/** Bounds that the value itself breaks would make the form impossible to open or to send. */
function boundsOf({ min, max, initial, whole: wanted }: FormField) {
  const value = initial === null ? null : Number(initial);
  const whole = wanted && (value === null || Number.isInteger(value));
  const fits = (bound: number | null, ok: (bound: number, value: number) => boolean): number | null => {
    if (bound === null || (whole && !Number.isInteger(bound))) return null;
    return value === null || ok(bound, value) ? bound : null;
  };
  const low = fits(min, (bound, at) => at >= bound);
  const high = fits(max, (bound, at) => at <= bound);
  const crossed = low !== null && high !== null && low > high;
  return crossed ? { whole, min: null, max: null } : { whole, min: low, max: high };
}

const NAMED_LEFT = 20;

/** The form's blocks: at most 81. */
export function schemaFormBlocks({ fields, left }: SchemaForm): KnownBlock[] {
  const named = left.slice(0, NAMED_LEFT).map((label) => spoken(label, 60));
  const more = left.length - named.length;
  return [
    ...fields.map((field) => (field.fixed === null ? inputBlock(field) : fixedBlock(field))),
    ...(left.length > 0
      ? [
          section(
            `No room in this form, and left as they are: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
          ),
        ]
      : []),
    ...(fields.length === 0 && left.length === 0
      ? [{ type: 'section', text: plain('This function takes no arguments.', 100) } satisfies KnownBlock]
      : []),
  ];
}
