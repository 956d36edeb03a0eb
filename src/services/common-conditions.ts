/** The conditions that the form of a rule offers, so that nobody has to write one. Pure. */
import type { Comparison } from '../../models/types.js';
import { AppError } from '../errors.js';
import type { Condition } from './conditions.js';

export type CommonCondition =
  | 'always'
  | 'outside'
  | 'recipients'
  | 'rows'
  | 'amount'
  | 'hours'
  | 'caller'
  | 'argument'
  | 'as_is';

export interface EnteredCondition {
  readonly kind: CommonCondition;
  /** What was typed beside it. */
  readonly value: string;
}

const wrong = (message: string): AppError =>
  new AppError('invalid_arguments', message, { path: '/when_value' });

/**
 * @param before the rule's condition so far, which `as_is` keeps
 * @throws AppError `invalid_arguments` with the path of the value
 */
export function conditionFrom(
  { kind, value }: EnteredCondition,
  before: Condition | null = null,
): Condition | null {
  switch (kind) {
    case 'always':
      return null;
    case 'as_is':
      return before;
    case 'outside':
      return { all: true, comparisons: [{ field: 'outside_recipients', op: '>=', value: 1 }] };
    case 'recipients':
    case 'rows':
    case 'amount':
      return { all: true, comparisons: [{ field: kind, op: '>', value: numberFrom(value) }] };
    case 'hours':
      return { all: false, comparisons: outsideHours(value) };
    case 'caller':
      if (value.trim() === '') throw wrong('Give the name of the caller.');
      return { all: true, comparisons: [{ field: 'caller', op: '=', value: value.trim() }] };
    case 'argument': {
      const [, name = '', wanted = ''] = /^\s*([^=]{1,150}?)\s*=\s*(.{1,400})$/s.exec(value) ?? [];
      if (name === '') throw wrong('Write it like this: project = OPS');
      return { all: true, comparisons: [{ field: `argument.${name}`, op: '=', value: wanted.trim() }] };
    }
  }
}

function numberFrom(value: string): number {
  const number = Number(value.trim());
  if (value.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw wrong('Give a number, 0 or more.');
}

/** Outside of Monday to Friday, from the first hour until the second. */
function outsideHours(value: string): Comparison[] {
  const [, from, to] = /^\s*(\d{1,2})\s*[-–]\s*(\d{1,2})\s*$/.exec(value) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (!(from && to && first < last && last <= 24)) throw wrong('Give the working hours like this: 8-18');
  return [
    { field: 'hour', op: '<', value: first },
    { field: 'hour', op: '>=', value: last },
    { field: 'weekday', op: '>', value: 5 },
  ];
}

/** How the form shows a condition: as one of the common ones where it is one. */
export function enteredFrom(when: Condition | null | undefined): EnteredCondition {
  if (!when) return { kind: 'always', value: '' };
  const [first, second] = when.comparisons;
  const candidates: EnteredCondition[] = [
    { kind: 'outside', value: '' },
    ...(['recipients', 'rows', 'amount', 'caller'] as const).map((kind) => ({
      kind,
      value: String(first?.value ?? ''),
    })),
    { kind: 'hours', value: `${String(first?.value)}-${String(second?.value)}` },
    { kind: 'argument', value: `${first?.field.replace(/^argument\./, '')} = ${String(first?.value)}` },
  ];
  return candidates.find((each) => isSame(each, when)) ?? { kind: 'as_is', value: '' };
}

function isSame(entered: EnteredCondition, when: Condition): boolean {
  try {
    const made = conditionFrom(entered);
    const text = ({ all, comparisons }: Condition): string =>
      JSON.stringify([all, comparisons.map(({ field, op, value }) => [field, op, value])]);
    return made !== null && text(made) === text(when);
  } catch {
    return false;
  }
}
