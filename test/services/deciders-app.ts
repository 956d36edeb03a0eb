/** Services on a real database, with a connection whose calls are asked about, and people who decide. */

import { noticeMessage } from '../../blocks/notices.js';
import type { ConnectionDocument, ExecutionDocument, PolicyRule } from '../../models/types.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { shortHash } from '../../src/services/binding.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';
import { rule } from './documents.js';

export const MINUTE = 60_000;
const WORKSPACE = 'T0TEST';

const DOCUMENT = JSON.stringify({
  openapi: '3.0.3',
  info: { title: 'Helpdesk', version: '1' },
  servers: [{ url: 'https://helpdesk.example.com' }],
  paths: {
    '/tickets': {
      post: {
        operationId: 'create_ticket',
        summary: 'Create a ticket',
        responses: { 201: { description: 'made' } },
      },
      get: {
        operationId: 'list_tickets',
        summary: 'List tickets',
        responses: { 200: { description: 'found' } },
      },
    },
  },
});

export type DecidersApp = Awaited<ReturnType<typeof startDecidersApp>>;

export async function startDecidersApp() {
  const app: PagesApp = await startPagesApp();
  const { services, models, directory } = app;
  for (const id of ['U0BEN', 'U0CLEO', 'U0DANA', 'U0ADA']) {
    directory.change(id, { email: `${id.slice(2).toLowerCase()}@corp.example` });
  }
  const { operations } = await importOpenApi(DOCUMENT);
  let made = 0;

  /** A connection of Ada's under one rule, and a caller of Cleo's that may use it. */
  const desk = async (given: Partial<PolicyRule> = {}, connection: Partial<ConnectionDocument> = {}) => {
    made += 1;
    const created = await services.connections.create(ADA, {
      connector: 'rest',
      identity: 'shared',
      name: `Helpdesk ${made}`,
      key: `desk-${made}`,
      purpose: 'Tickets',
      ownerId: 'U0ADA',
      businessOwnerId: connection.businessOwnerId ?? 'U0DANA',
      auth: 'none',
      config: {
        base_url: 'https://helpdesk.example.com',
        operations: operations.map((each) => ({ ...each })),
      },
      enabledFunctions: ['create_ticket'],
      rules: [rule(given)],
    });
    const { caller } = await services.callers.create(ADA, {
      name: `Agent ${made}`,
      kind: 'agent',
      ownerId: 'U0CLEO',
      stage: 'test',
    });
    await services.connections.setAccess(ADA, created, [{ callerId: caller._id, functions: null }]);
    return { connectionId: created._id, key: created.key, caller };
  };
  type Desk = Awaited<ReturnType<typeof desk>>;

  const ask = async (
    { connectionId, caller }: Pick<Desk, 'connectionId' | 'caller'>,
    onBehalfOf: string | null = null,
  ): Promise<ExecutionDocument> => {
    made += 1;
    const { execution } = await services.submissions.submit(caller, {
      connection: connectionId,
      function: 'create_ticket',
      arguments: {},
      onBehalfOf,
      reason: null,
      idempotencyKey: `key-${made}`,
    });
    await services.approvals.announce(execution);
    return execution;
  };

  const approvalOf = async ({ _id }: Pick<ExecutionDocument, '_id'>) => {
    const approval = await services.approvals.ofExecution(_id);
    if (!approval) throw new Error('there is no request');
    return approval;
  };

  const decide = async (
    execution: ExecutionDocument,
    userId: string,
    decision: 'approved' | 'denied' = 'approved',
  ) => {
    const { bindingHash } = await approvalOf(execution);
    const outcome = await services.decisions.decide({
      executionId: execution._id,
      hash: shortHash(bindingHash),
      userId,
      decision,
      reason: null,
    });
    if (outcome.kind === 'recorded') await services.approvals.settle(outcome.approval);
    return outcome;
  };

  /** The clock of these requests moves: every moment of theirs is so much earlier. */
  const pass = async (minutes: number, ...executions: readonly ExecutionDocument[]): Promise<void> => {
    const earlier = (moment: string) => ({ $subtract: [moment, minutes * MINUTE] });
    const maybe = (moment: string) => ({ $cond: [{ $ifNull: [moment, false] }, earlier(moment), null] });
    await models.approvals.updateMany(
      { workspaceId: WORKSPACE, executionId: { $in: executions.map(({ _id }) => _id) } },
      [
        {
          $set: {
            createdAt: earlier('$createdAt'),
            expiresAt: earlier('$expiresAt'),
            frozenAt: maybe('$frozenAt'),
            nextReminderAt: maybe('$nextReminderAt'),
            escalateAt: maybe('$escalateAt'),
            remindersLeft: { $map: { input: '$remindersLeft', as: 'at', in: earlier('$$at') } },
          },
        },
      ],
      { updatePipeline: true },
    );
  };

  /** One step of lifting the kill switch, from where it stands. */
  const liftAll = async () => {
    const seen = await services.pauses.ofAll();
    return seen ? services.pauses.resume(ADA, { kind: 'all', seen }) : ('done' as const);
  };

  /** Who has a copy of the card. */
  const copies = async ({ _id }: ExecutionDocument): Promise<string[]> => {
    const rows = await models.outbox
      .find({ workspaceId: WORKSPACE, view: 'approval', subjectId: _id })
      .lean();
    return rows.map(({ to }) => to).sort();
  };

  const outcomesTold = async (userId: string): Promise<string[]> => {
    const rows = await models.outbox.find({ workspaceId: WORKSPACE, to: userId, view: 'notice' }).lean();
    return rows.flatMap(({ message }) =>
      message?.kind === 'outcomes' ? [JSON.stringify(noticeMessage(message).blocks)] : [],
    );
  };

  const audited = (action: string, id: string): Promise<number> =>
    models.auditEvents.countDocuments({ workspaceId: WORKSPACE, action, 'subject.id': id });

  return { ...app, desk, ask, approvalOf, decide, pass, liftAll, copies, outcomesTold, audited };
}
