/** What a call came back with, said alike in Details and in a tool execution. */
import type { ShownResult } from '../../blocks/parts/reading.js';
import type { ExecutionDocument } from '../../models/types.js';
import type { JsonValue } from '../connectors/framework.js';

/** Null for a call that did not succeed: it came back with nothing. */
export function shownResult(
  { status, truncated }: Pick<ExecutionDocument, 'status' | 'truncated'>,
  result: JsonValue | null,
): ShownResult | null {
  if (status !== 'succeeded') return null;
  if (result === null) return { text: 'empty, or no longer kept', truncated: false };
  return { text: JSON.stringify(result, null, 2), truncated };
}
