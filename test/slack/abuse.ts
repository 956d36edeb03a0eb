/** What the abuse cases have in common: a desk to ask at, every way to decide, and what an attempt may leave behind. */
import { expect } from 'vitest';
import type { AuditEventDocument, ExecutionDocument, PolicyRule } from '../../models/types.js';
import { person } from '../../playground/slack/person.js';
import { shortHash } from '../../src/services/binding.js';
import { seedHelpdesk, until } from '../harness/app-process.js';
import type { Response, SignedSlack } from '../harness/signed-slack.js';
import { ask } from '../harness/writes.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

export type Abuse = ReturnType<typeof abuseOf>;
type Attempt = (who: string, execution: ExecutionDocument) => Promise<Response>;

export const nameOf = ({ _id, bindingHash }: ExecutionDocument): string =>
  `${_id}:${shortHash(bindingHash ?? '')}`;
export const ticked = (name: string) => ({
  [`tick:${name}:1`]: { tick: { type: 'checkboxes', selected_options: [{ value: 'approve' }] } },
});

export function abuseOf(slack: SignedSlack) {
  const { world, looking, click, clickIn, submit } = slack;
  const { models, workspaceId } = looking.deps;
  let expected = 0;
  let desks = 0;

  /** A connection of Ada's and a caller of hers; her calls are decided under this rule. */
  const desk = async (approvers: readonly string[], change: Partial<PolicyRule> = {}) => {
    const seeded = await seedHelpdesk(looking, world.helpdesk, {
      approvers,
      route: null,
      name: `Desk ${++desks}`,
    });
    const connection = await looking.services.connections.find(seeded.key);
    const [rule] = connection?.policy.rules ?? [];
    if (!connection || !rule) throw new Error('there is no rule');
    await looking.services.connections.setPolicy(ADA, connection, [{ ...rule, ...change }]);
    return {
      ...seeded,
      ask: (subject: string) => ask(looking, seeded, subject),
      destroy: async (id: string): Promise<ExecutionDocument> => {
        const caller = await looking.services.callers.get(seeded.callerId);
        if (!caller) throw new Error('the caller is gone');
        const call = { connection: seeded.connectionId, function: 'delete_ticket', arguments: { id } };
        const more = { onBehalfOf: null, reason: null, idempotencyKey: `delete ${id}` };
        return (await looking.services.submissions.submit(caller, { ...call, ...more })).execution;
      },
    };
  };

  /** Where somebody could decide from; each names the execution as what was on her screen did. */
  const ways: Readonly<Record<string, Attempt>> = {
    'Approve on the card': (who, execution) => click(who, 'approval.approve', nameOf(execution)),
    'Approve in Details': (who, execution) =>
      clickIn(who, 'modal', 'approval.approve', nameOf(execution), `{"execution":"${execution._id}"}`),
    'Approve in App Home': (who, execution) => clickIn(who, 'home', 'approval.approve', nameOf(execution)),
    'the form of Deny': (who, execution) => submit(who, 'approval.deny', nameOf(execution)),
    'the form of Edit': (who, execution) => {
      const [id, hash] = nameOf(execution).split(':');
      return submit(who, 'approval.edit', JSON.stringify({ execution: id, hash }));
    },
    'the list with its tick': (who, execution) => {
      const requests = nameOf(execution);
      return submit(who, 'approval.batch', JSON.stringify({ requests }), ticked(requests));
    },
    'the form of a second proof': (who, execution) =>
      submit(who, 'second_proof.enter', nameOf(execution), { code: { code: { value: '123456' } } }),
    'the form of “Don’t ask again”': (who, execution) => {
      const [id, hash] = nameOf(execution).split(':');
      const lasts = { lasts: { type: 'radio_buttons', selected_option: { value: 'hour' } } };
      return submit(who, 'grant.make', JSON.stringify({ execution: id, hash }), { lasts });
    },
  };

  const approvalOf = async ({ _id }: Pick<ExecutionDocument, '_id'>) => {
    const approval = await looking.services.approvals.ofExecution(_id);
    if (!approval) throw new Error('there is no request');
    return approval;
  };

  const stateOf = async (execution: ExecutionDocument) => {
    const { status, approvalStatus } = await looking.services.executions.record(execution._id);
    const { rev, decisions, bindingHash, status: question } = await approvalOf(execution);
    return { status, approvalStatus, rev, decisions, bindingHash, question };
  };

  const statusOf = async ({ _id }: Pick<ExecutionDocument, '_id'>) =>
    (await looking.services.executions.record(_id)).status;

  /** Waits for the one event of an attempt that is expected to be refused, and answers with it. */
  const oneEvent = async (attempt: () => Promise<unknown>): Promise<AuditEventDocument> => {
    await attempt();
    let events: AuditEventDocument[] = [];
    await until(
      async () => {
        events = await slack.refusals();
        return events.length > expected;
      },
      5_000,
      () => JSON.stringify(events.slice(-3)),
    );
    const event = events.at(-1);
    if (!event) throw new Error('there is no event');
    expected += 1;
    return event;
  };

  /** The attempt changes nothing about this request, sends nothing, and leaves one event that names who, what and why. */
  const refused = async (
    who: string,
    execution: ExecutionDocument,
    attempt: () => Promise<Response>,
    why: RegExp,
  ): Promise<AuditEventDocument> => {
    const before = await stateOf(execution);
    const heard = world.helpdesk.requests.length;
    const event = await oneEvent(async () => expect((await attempt()).status).toBe(200));
    expect(event.actor).toEqual({ kind: 'user', id: who });
    expect(event.subject).toEqual({ kind: 'execution', id: execution._id });
    expect(String(event.details.reason ?? event.details.status)).toMatch(why);
    expect(await stateOf(execution)).toEqual(before);
    expect(world.helpdesk.requests).toHaveLength(heard);
    return event;
  };

  /** What only she was told, in the channel or by DM. */
  const told = (who: string): string => {
    const reader = person(world.slack, who);
    const shown = [...reader.messages('C0APPROVALS').filter(({ ephemeral }) => ephemeral), ...reader.dm()];
    return shown.map((message) => reader.text(message)).join('\n');
  };

  return {
    desk,
    ways,
    approvalOf,
    statusOf,
    oneEvent,
    refused,
    told,
    /** Adds attempts whose events were counted by the test itself. */
    expectMore: (attempts: number): void => {
      expected += attempts;
    },
    /** Every attempt so far has left its one event, and none has left two. */
    exactlyOneEach: async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      const events = await slack.refusals();
      expect(events.length, JSON.stringify(events.slice(expected - 2))).toBe(expected);
    },
    /** The first decision of a request, which nobody refuses. */
    counts: async (who: string, execution: ExecutionDocument, way = 'Approve on the card'): Promise<void> => {
      const before = (await approvalOf(execution)).decisions.length;
      await ways[way]?.(who, execution);
      await until(async () => (await approvalOf(execution)).decisions.length === before + 1, 5_000);
    },
    /** As if its time were over; nobody has noticed yet. */
    passTime: (execution: ExecutionDocument) =>
      models.approvals.updateOne(
        { workspaceId, executionId: execution._id },
        { $set: { expiresAt: new Date(Date.now() - 1_000) } },
      ),
  };
}
