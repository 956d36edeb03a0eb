/** Canonical JSON and the hashes built on it: bindings, definitions, the audit chain. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { JsonValue } from './connectors/framework.js';

// The package is CommonJS and its types announce an ES default export, which it does not have.
const canonicalize: (value: JsonValue) => string | undefined = createRequire(import.meta.url)('canonicalize');

/**
 * The one text of a JSON value (RFC 8785, JCS): keys sorted by UTF-16 code units, ECMAScript numbers, no space. Equal
 * values have equal texts, whatever the order of their keys.
 * @throws Error for what is not JSON: NaN, Infinity, undefined.
 */
export function canonicalJson(value: JsonValue): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('Only JSON values have a canonical form.');
  return text;
}

/** SHA-256, 64 lower-case hex digits. A string is hashed as UTF-8. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of the canonical JSON, 64 lower-case hex digits. */
export function canonicalHash(value: JsonValue): string {
  return sha256Hex(canonicalJson(value));
}
