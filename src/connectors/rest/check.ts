/** Checks the arguments of an imported operation against its schema. Nothing is coerced, filled in or removed. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { InputIssue } from '../framework.js';

const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
addFormats.default(ajv);

const MOST_ISSUES = 20;
/** Compiling takes milliseconds and a call must not pay them again; picked operations of many connections fit. */
const MOST_COMPILED = 1_000;
const compiled = new Map<string, ValidateFunction>();

/** @returns what is wrong, with JSON pointers; empty when the arguments fit */
export function schemaIssues(schema: Record<string, unknown>, value: unknown): InputIssue[] {
  const validate = compile(schema);
  if (validate === undefined)
    return [{ path: '', message: 'The imported definition is broken. Import the document again.' }];
  if (validate(value)) return [];
  const issues = (validate.errors ?? []).map(toIssue);
  const told = issues.filter(
    (issue, index) =>
      issues.findIndex((other) => other.path === issue.path && other.message === issue.message) === index,
  );
  return told.slice(0, MOST_ISSUES);
}

/** Undefined for what is not a JSON Schema; an import does not let that in. */
function compile(schema: Record<string, unknown>): ValidateFunction | undefined {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } catch {
    return undefined;
  }
  // ajv keeps every schema it has seen; ours are kept here, and only the most recent.
  ajv.removeSchema(schema);
  const oldest = compiled.keys().next();
  if (compiled.size >= MOST_COMPILED && !oldest.done) compiled.delete(oldest.value);
  compiled.set(key, validate);
  return validate;
}

function toIssue(error: ErrorObject): InputIssue {
  const params: Record<string, unknown> = error.params;
  const at = error.instancePath;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return {
        path: `${at}/${pointer(params.additionalProperty ?? params.unevaluatedProperty)}`,
        message: 'is not an argument of this function',
      };
    case 'required':
      return { path: `${at}/${pointer(params.missingProperty)}`, message: 'is required' };
    case 'enum':
      return { path: at, message: `must be one of ${listed(params.allowedValues)}` };
    case 'const':
      return { path: at, message: `must be ${listed([params.allowedValue])}` };
    case 'format':
      return { path: at, message: `must be a valid ${String(params.format)}` };
    case 'type':
      return { path: at, message: `must be ${[params.type].flat().join(' or ')}` };
    default:
      return { path: at, message: error.message ?? 'is not valid' };
  }
}

function pointer(name: unknown): string {
  return String(name).replace(/~/g, '~0').replace(/\//g, '~1');
}

function listed(values: unknown): string {
  const list = Array.isArray(values) ? values : [];
  const shown = list.slice(0, 20).map((value) => JSON.stringify(value));
  return `${shown.join(', ')}${list.length > shown.length ? ' …' : ''}`;
}
