/**
 * The mark by which what a call wrote is found again: an extended property of our own, which stays with a draft when
 * it is sent and which no recipient sees (singleValueLegacyExtendedProperty, named property in a GUID set).
 */
import { createHash } from 'node:crypto';
import type { CallContext } from '../framework.js';
import { type JsonObject, objectsIn } from '../json.js';
import { callOutlook } from './api.js';

const PROPERTY = 'String {5b1d6a3e-7c0f-4e57-9d0a-2f6f4c1e8b35} Name SiestaExecution';

function marked(executionId: string): string {
  if (!/^[\w.-]{1,128}$/.test(executionId)) throw new Error('execution id');
  return executionId;
}

/** The member that carries the mark when something is created. */
export function markerOf(executionId: string): JsonObject {
  return { singleValueExtendedProperties: [{ id: PROPERTY, value: marked(executionId) }] };
}

/**
 * What this execution created: at most two, for one is expected.
 * @param path of the collection, e.g. `/messages`
 * @throws UpstreamError
 */
export async function findMarked(context: CallContext, path: string, select: string): Promise<JsonObject[]> {
  const $filter =
    `singleValueExtendedProperties/Any(ep: ep/id eq '${PROPERTY}' ` +
    `and ep/value eq '${marked(context.executionId)}')`;
  const answer = await callOutlook(context, { path, query: { $filter, $select: select, $top: '2' } });
  return objectsIn(answer.value);
}

/** A GUID of this execution, always the same: by it Exchange knows a repeated event (event: transactionId). */
export function transactionIdOf(executionId: string): string {
  const hex = createHash('sha256').update(`siesta event ${executionId}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
