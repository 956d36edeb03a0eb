/** What people and operators type as a credential, checked against the fields that the auth method asks for. */
import type { FormField } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import type { Secret } from './credentials.js';

/** A service-account key has 2.4 KB, a certificate chain up to some tens; nothing real is longer. */
export const SECRET_LIMIT_BYTES = 64 * 1024;

export interface SecretProblem {
  /** Name of the field, `''` for the whole. */
  readonly field: string;
  readonly message: string;
}

/** Says what is wrong with which field, never what was typed. */
export class SecretInputError extends AppError {
  constructor(readonly problems: readonly SecretProblem[]) {
    const [first] = problems;
    super('invalid_arguments', first?.message ?? 'The credential is not valid.', {
      path: `/${first?.field ?? ''}`,
    });
    this.name = 'SecretInputError';
  }
}

/**
 * The values to store. Blanks around a pasted key are not part of it; around a password they may be.
 * @throws SecretInputError with every problem
 */
export function checkSecret(
  fields: readonly FormField[],
  given: Readonly<Record<string, string | readonly string[]>>,
): Secret {
  const names = new Set(fields.map((field) => field.name));
  const problems: SecretProblem[] = Object.keys(given)
    .filter((name) => !names.has(name))
    .slice(0, 1)
    .map(() => ({ field: '', message: `Only these fields are asked for: ${[...names].join(', ')}.` }));
  const secret: Record<string, string> = {};
  for (const field of fields) {
    const value = given[field.name] ?? '';
    const text = typeof value === 'string' && field.name !== 'password' ? value.trim() : value;
    const message = problemOf(field, text);
    if (message !== null) problems.push({ field: field.name, message });
    else if (typeof text === 'string' && text !== '') secret[field.name] = text;
  }
  if (problems.length > 0) throw new SecretInputError(problems);
  return secret;
}

function problemOf(field: FormField, value: string | readonly string[]): string | null {
  if (typeof value !== 'string') return `${field.label} was sent more than once.`;
  if (value === '') return field.optional ? null : `${field.label} is missing.`;
  if (Buffer.byteLength(value) > SECRET_LIMIT_BYTES) return `${field.label} is longer than 64 KiB.`;
  const lines = field.kind === 'secret_multiline' || field.kind === 'multiline';
  const control = lines ? /(?![\n\r\t])\p{Cc}/u : /\p{Cc}/u;
  return control.test(value) ? `${field.label} contains characters that cannot be typed.` : null;
}
