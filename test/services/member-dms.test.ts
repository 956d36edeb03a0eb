/** A member's DMs about a connection are found by an index, however many messages went out to others. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { authorizationSubject } from '../../src/services/members.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

const ask = (connectionId: string, memberId: string, callerId: string | null) =>
  app.services.outbox.show(
    'authorization',
    authorizationSubject(connectionId, memberId, callerId),
    memberId,
    null,
  );
const wanted = async (): Promise<Record<string, number>> => {
  const rows = await app.models.outbox.find({ view: 'authorization' }).lean();
  return Object.fromEntries(rows.map((each) => [each.subjectId, each.wanted]));
};

it('draws hers anew and nobody else’s, and reads no more of the outbox than those', async () => {
  await ask('con_1', 'U0DANA', 'cal_1');
  await ask('con_1', 'U0DANA', null);
  for (const [connectionId, memberId] of [
    ['con_1', 'U0DANAE'],
    ['con_10', 'U0DANA'],
    ['con.1', 'U0DANA'],
  ] as const)
    await ask(connectionId, memberId, 'cal_1');
  for (let n = 0; n < 50; n += 1) {
    await app.services.outbox.notify('U0DANA', { kind: 'sentence', text: `Another ${n}` });
  }
  const before = await wanted();
  const find = vi.spyOn(app.models.outbox, 'find');
  await app.services.members.refreshDms('con_1', 'U0DANA');
  const [filter] = find.mock.calls[0] ?? [];
  find.mockRestore();

  const redrawn = Object.entries(await wanted()).filter(([subject, times]) => times > (before[subject] ?? 0));
  expect(redrawn.map(([subject]) => subject).sort()).toEqual(['con_1|U0DANA|-', 'con_1|U0DANA|cal_1']);
  const { executionStats, queryPlanner } = await explained(filter ?? {});
  expect(JSON.stringify(queryPlanner.winningPlan)).toMatch(
    /"stage":"IXSCAN".*"indexName":"workspaceId_1_subjectId_1"/,
  );
  expect(executionStats.totalDocsExamined).toBe(2);
  // An index is entered once more than it has hits, to find where they end.
  expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(3);
});

interface Explained {
  readonly queryPlanner: { readonly winningPlan: unknown };
  readonly executionStats: { readonly totalDocsExamined: number; readonly totalKeysExamined: number };
}

async function explained(filter: object): Promise<Explained> {
  return (await app.models.outbox.find(filter).explain('executionStats')) as unknown as Explained;
}
