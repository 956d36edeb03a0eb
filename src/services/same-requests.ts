/** Requests that ask the very same thing, so that people see one with a count. Pure; each stays its own execution. */
import type { ExecutionDocument } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments } from '../connectors/framework.js';

type Call = Pick<
  ExecutionDocument,
  '_id' | 'callerId' | 'connectionId' | 'function' | 'subject' | 'onBehalfOf'
>;

/** The same for calls of one caller with the same function, identity and arguments; unread arguments are like no others. */
export function sameRequestKey(call: Call, args: Arguments | null): string {
  const { _id, callerId, connectionId, subject, onBehalfOf } = call;
  if (!args) return _id;
  return canonicalHash({
    callerId,
    connectionId,
    function: call.function,
    subject,
    onBehalfOf,
    arguments: args,
  });
}

/** In the order of their first. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => string): (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}
