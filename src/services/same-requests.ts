/** Requests that ask the very same thing, so that people see one with a count. Pure; each stays its own execution. */
import type { ApprovalDocument, ExecutionDocument } from '../../models/types.js';
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

type Question = Pick<
  ApprovalDocument,
  'targetCheck' | 'target' | 'targetNote' | 'fingerprint' | 'stepUp' | 'edited' | 'decisions'
>;

/**
 * As `sameRequestKey`, for the list in which one tick decides several: what it shows of the first has to be true of
 * each. Two identical calls around a change of their target are bound to different looks at it, and people voted on
 * one and not on the other; one that asks again, or was edited, has a story that no other has. Home decides nothing:
 * it counts calls.
 */
export function sameCardKey(
  call: Call & Pick<ExecutionDocument, 'risk' | 'replaces'>,
  { targetCheck, target, targetNote, fingerprint, stepUp, edited, decisions }: Question,
  args: Arguments | null,
): string {
  if (call.replaces || edited) return call._id;
  return canonicalHash({
    request: sameRequestKey(call, args),
    risk: call.risk,
    target: [targetCheck ?? null, target ?? null, targetNote ?? null, fingerprint ?? null],
    stepUp: stepUp ?? null,
    votes: decisions.map(({ userId, decision, reason, proof, delegateOf, soleOperator }) => [
      userId,
      decision,
      reason,
      proof ?? null,
      delegateOf ?? null,
      soleOperator ?? false,
    ]),
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
