/**
 * Whether a condition holds. Its comparisons become one expression of the Common Expression Language (CEL), over the
 * fields of `conditions.ts` and nothing else. CEL is made for policies: it cannot loop or reach anything, and its `&&`
 * and `||` take an operand that cannot be evaluated as what it is, unknown, wherever it stands
 * (https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators).
 */
import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import type { Comparison } from '../../models/types.js';
import {
  ARGUMENT,
  type Condition,
  type Facts,
  fieldNamed,
  isOperator,
  numberIn,
  type Truth,
  UNKNOWN,
  type Value,
} from './conditions.js';

type Wanted = string | number | boolean;

/** No field has that name: what asks for it is unknown. (A name that is not declared would spoil the whole expression.) */
const NOTHING_KNOWN = 'same(call[""], true)';
const environment = new Environment({ unlistedVariablesAreDyn: false })
  // A map, because `function` is a word of CEL's own.
  .registerVariable('call', 'map<string, dyn>')
  .registerVariable('argument', 'map<string, dyn>')
  .registerVariable('at', 'list<string>')
  .registerVariable('wanted', 'list<dyn>')
  .registerFunction('same(dyn, dyn): bool', same)
  .registerFunction('number(dyn): double', ordered)
  .registerFunction('includes(dyn, dyn): bool', includes);

/** The same rules are asked at every call; conditions of more rules than that are read again. */
const MOST_KEPT = 500;
const kept = new Map<string, ReturnType<Environment['parse']>>();

/** Whether it holds. What cannot be evaluated (a field that is gone, a look-up that failed) is unknown, never false. */
export function holds(condition: Condition, facts: Facts): Truth {
  if (condition.comparisons.length === 0) return 'unknown';
  try {
    return parsed(expressionOf(condition))(contextOf(condition, facts)) === true;
  } catch (error) {
    if (error instanceof EvaluationError) return 'unknown';
    throw error;
  }
}

/**
 * As CEL: `number(call["amount"]) > wanted[0] && same(argument[at[1]], wanted[1])`. What people and callers wrote comes in
 * as values and is no part of the text.
 */
export function expressionOf({ all, comparisons }: Condition): string {
  return comparisons.map(comparisonText).join(all ? ' && ' : ' || ');
}

function comparisonText({ field, op, value }: Comparison, nth: number): string {
  if (!fieldNamed(field) || !isOperator(op)) return NOTHING_KNOWN;
  const isList = op === 'in' || op === 'not in';
  if (isList !== Array.isArray(value)) return NOTHING_KNOWN;
  const actual = field.startsWith(ARGUMENT) ? `argument[at[${nth}]]` : `call["${field}"]`;
  const wanted = `wanted[${nth}]`;
  switch (op) {
    case '=':
      return `same(${actual}, ${wanted})`;
    case '!=':
      return `!same(${actual}, ${wanted})`;
    case 'in':
      return `${wanted}.exists(each, same(${actual}, each))`;
    case 'not in':
      return `!${wanted}.exists(each, same(${actual}, each))`;
    case 'contains':
      return `includes(${actual}, ${wanted})`;
    default:
      return Number.isFinite(Number(value)) ? `number(${actual}) ${op} number(${wanted})` : NOTHING_KNOWN;
  }
}

function parsed(expression: string): ReturnType<Environment['parse']> {
  const known = kept.get(expression);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const program = environment.parse(expression);
  kept.set(expression, program);
  return program;
}

/** Values of the fields that it names (one that is unknown is left out), and what they are compared with. */
function contextOf({ comparisons }: Condition, facts: Facts) {
  const call = new Map<string, Value>();
  const argument = new Map<string, Value>();
  for (const { field } of comparisons) {
    const value = fieldNamed(field)?.value(facts, field);
    if (value === undefined || typeof value === 'symbol') continue;
    if (field.startsWith(ARGUMENT)) argument.set(pointerIn(field), value);
    else call.set(field, value);
  }
  return {
    call,
    argument,
    at: comparisons.map(({ field }) => pointerIn(field)),
    wanted: comparisons.map(({ value }) => value),
  };
}

const pointerIn = (field: string): string => field.slice(ARGUMENT.length);

/** Text without regard to case: how an argument is written is the caller's choice. */
function same(actual: Value, wanted: Wanted): boolean {
  if (actual === null) return false;
  if (typeof actual === 'number' || typeof wanted === 'number') return Number(actual) === Number(wanted);
  return String(actual).trim().toLowerCase() === String(wanted).trim().toLowerCase();
}

function includes(actual: Value, wanted: Wanted): boolean {
  return String(actual ?? '')
    .toLowerCase()
    .includes(String(wanted).toLowerCase());
}

/** Nothing is in no order to anything (NaN); what is no number cannot be compared. @throws EvaluationError */
function ordered(actual: Value): number {
  if (actual === null) return Number.NaN;
  const number = typeof actual === 'boolean' ? UNKNOWN : numberIn(actual);
  if (typeof number === 'symbol') throw new EvaluationError('no number');
  return number;
}
