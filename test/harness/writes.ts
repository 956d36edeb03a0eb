/** A write that tests tell apart by its subject: asked for, approved, and counted where it arrives. */

import { isTerminal } from '../../models/state-machines.js';
import type { ExecutionDocument } from '../../models/types.js';
import type { Helpdesk } from '../../playground/helpdesk.js';
import type { Connected } from '../../src/bootstrap.js';
import { shortHash } from '../../src/services/binding.js';
import { call, type Seeded, until } from './app-process.js';

type Opened = Pick<Connected, 'services' | 'deps'>;

export const ticketArguments = (subject: string) => ({
  subject,
  body: 'Floor 3',
  requester: 'sam@example.com',
});

/** The body of a request for it over HTTP. */
export const ticketRequest = (subject: string, connection = 'helpdesk') => ({
  connection,
  function: 'create_ticket',
  arguments: ticketArguments(subject),
});

/**
 * Asks over HTTP until the app takes it, and gives its id. A machine with more to do than it can answers 503, and the
 * caller asks again with the same key.
 */
export async function submitted(
  origin: string,
  { token, key }: Pick<Seeded, 'token' | 'key'>,
  subject: string,
): Promise<string> {
  const again = { 'idempotency-key': subject.replaceAll(/\W+/g, '-') };
  for (;;) {
    const answer = await call(origin, token, '/v1/executions', ticketRequest(subject, key), again);
    if (answer.status === 202) return answer.body.id;
    if (answer.status !== 503) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

/** What the helpdesk received of it, counted before it answered. */
export function sent(helpdesk: Helpdesk, subject: string): readonly string[] {
  return helpdesk.requests
    .filter(({ method, body }) => method === 'POST' && body.includes(JSON.stringify(subject)))
    .map(({ body }) => body);
}

/** Asks in this process, without an app: nothing runs until somebody takes it. */
export async function ask(
  { services }: Opened,
  seeded: Seeded,
  subject: string,
  onBehalfOf: string | null = null,
): Promise<ExecutionDocument> {
  const caller = await services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  const { execution } = await services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: 'create_ticket',
    arguments: ticketArguments(subject),
    onBehalfOf,
    reason: null,
    idempotencyKey: subject,
  });
  return execution;
}

/** A person's yes, as the click would record it, and the execution following it. */
export async function approve(
  { services }: Opened,
  execution: ExecutionDocument,
  userId = 'U0BEN',
): Promise<void> {
  const outcome = await services.decisions.decide({
    executionId: execution._id,
    hash: shortHash(execution.bindingHash ?? ''),
    userId,
    decision: 'approved',
    reason: null,
  });
  if (outcome.kind !== 'recorded') throw new Error(`not approved: ${JSON.stringify(outcome)}`);
  await services.approvals.settle(outcome.approval);
}

/** How these executions ended, in the order asked for. */
export async function ends(
  { deps }: Opened,
  ids: readonly string[],
  milliseconds: number,
): Promise<ExecutionDocument[]> {
  const { models, workspaceId } = deps;
  let found: ExecutionDocument[] = [];
  await until(
    async () => {
      found = await models.executions.find({ workspaceId, _id: { $in: [...ids] } }).lean();
      return found.length === ids.length && found.every((each) => isTerminal(each.status));
    },
    milliseconds,
    () => JSON.stringify(found.filter((each) => !isTerminal(each.status)).map((each) => each.status)),
  );
  const byId = new Map(found.map((each) => [each._id, each]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Does the work for every item, a few at a time: two cores have to be enough. */
export async function eachOf<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  width = 8,
): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift())
      results[next[0]] = await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
