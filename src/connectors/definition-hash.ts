import { canonicalHash } from '../canonical.js';
import type { FunctionDefinition, JsonValue } from './framework.js';

/**
 * What a function is, as far as an approval depends on it. A function whose hash changed since it was approved is
 * another function (shared/RELIABILITY.md, abuse 34). Wording (title, description) is not part of it.
 * @returns sha256 of the canonical JSON, hex
 */
export function definitionHash(fn: FunctionDefinition): string {
  const identity = {
    name: fn.name,
    risk: fn.risk,
    approval: fn.approval,
    signature: fn.signature ?? null,
    jsonSchema: fn.input.jsonSchema,
  };
  // Through text: a schema object may hold undefined members, which are not JSON.
  return canonicalHash(JSON.parse(JSON.stringify(identity)) as JsonValue);
}
