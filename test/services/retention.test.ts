/** What is older than the retention goes, however much came in an hour. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';

const DAY_MS = 86_400_000;
const OLD = 2_500;

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.models.payloads.deleteMany({});
  const kept = (workspaceId: string, days: number, n: number) => ({
    _id: `pl_${workspaceId}_${days}_${n}`,
    workspaceId,
    executionId: `ex_${n}`,
    kind: 'result' as const,
    record: {},
    createdAt: new Date(Date.now() - days * DAY_MS),
  });
  await app.models.payloads.collection.insertMany([
    ...Array.from({ length: OLD }, (_, n) => kept('T0TEST', 91, n)),
    kept('T0TEST', 89, 0),
    kept('T0THEIRS', 91, 0),
  ] as never);
});

const left = () => app.models.payloads.countDocuments({});

it('goes in one run, and nothing else with it', async () => {
  await app.services.recovery.dropOldPayloads(90);
  expect(await left()).toBe(2);
});

it('goes in several runs where it is more than one may take', async () => {
  await app.services.recovery.dropOldPayloads(90, 1_700);
  expect(await left()).toBe(OLD - 1_700 + 2);
  await app.services.recovery.dropOldPayloads(90, 1_700);
  expect(await left()).toBe(2);
});
