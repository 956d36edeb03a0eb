/** What was done in a member's name: all of hers, nobody else's, newest first, and no dearer the more there is. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createModels, ensureIndexes } from '../../models/index.js';
import { systemClock } from '../../src/database/clock.js';
import { ExecutionStore } from '../../src/services/execution-store.js';
import { Signals } from '../../src/services/signals.js';
import { testDatabase } from '../setup/database.js';
import { execution } from './documents.js';

const { database } = await testDatabase();
const models = createModels(database.connection);
const store = new ExecutionStore({
  models,
  clock: systemClock,
  workspaceId: 'T0TEST',
  signals: new Signals(),
});

const OWN = 45;
const at = (minute: number) => new Date(Date.UTC(2026, 4, 4, 10, minute));
const made = (number: number, onBehalfOf: string | null, more: object = {}) =>
  execution({
    _id: `ex_${onBehalfOf}_${String(number).padStart(3, '0')}`,
    onBehalfOf,
    // Three at the same moment, so that a page may end between them.
    createdAt: at(Math.floor(number / 3)),
    idempotencyKey: `key-${onBehalfOf}-${number}`,
    ...more,
  });

beforeAll(async () => {
  await ensureIndexes(createModels(database.background));
  await models.executions.insertMany([
    ...Array.from({ length: OWN }, (_, number) => made(number, 'U0CLEO')),
    ...Array.from({ length: 300 }, (_, number) => made(number, 'U0BEN')),
    ...Array.from({ length: 300 }, (_, number) => made(number, null)),
  ]);
});

const page = (before?: { createdAt: Date; id: string }) =>
  store.list({ onBehalfOf: 'U0CLEO', limit: 10, ...(before ? { before } : {}) });

describe('what was done in her name', () => {
  it('is all there, once each, newest first', async () => {
    const seen: string[] = [];
    for (let shown = await page(); shown.length > 0; ) {
      expect(shown.every(({ onBehalfOf }) => onBehalfOf === 'U0CLEO')).toBe(true);
      seen.push(...shown.map(({ _id }) => _id));
      const last = shown.at(-1);
      shown = last ? await page({ createdAt: last.createdAt, id: last._id }) : [];
    }
    const all = Array.from({ length: OWN }, (_, number) => `ex_U0CLEO_${String(number).padStart(3, '0')}`);
    expect(seen).toEqual(all.reverse());
  });

  it('costs the same however much there is and however deep the page', async () => {
    const { db } = models.executions.db;
    let shown = await page();
    await db?.command({ profile: 2 });
    for (let turned = 0; turned < 3; turned++) {
      const last = shown.at(-1);
      shown = await page(last && { createdAt: last.createdAt, id: last._id });
    }
    await db?.command({ profile: 0 });
    const read = await db
      ?.collection<{ nreturned: number; docsExamined: number }>('system.profile')
      .find({ 'command.find': 'executions' })
      .toArray();
    expect(read?.map(({ nreturned }) => nreturned)).toEqual([10, 10, 10]);
    // Those of the same moment as the last one of the page before are looked at again.
    expect(Math.max(...(read ?? []).map(({ docsExamined }) => docsExamined))).toBeLessThanOrEqual(13);
  });

  it('tells which of her calls her consent did not reach to, since she gave it', async () => {
    const lacking = { error: { code: 'needs_more_scopes', message: 'more', retryAfter: null } };
    await models.executions.insertMany([
      made(900, 'U0CLEO', { ...lacking, createdAt: at(40), connectionId: 'con_1' }),
      made(901, 'U0CLEO', { ...lacking, createdAt: at(42), connectionId: 'con_1' }),
      made(902, 'U0CLEO', { ...lacking, createdAt: at(43), connectionId: 'con_2' }),
      made(900, 'U0BEN', { ...lacking, createdAt: at(44), connectionId: 'con_1' }),
    ]);
    const found = async (since: Date) =>
      (await store.lackingScopes('U0CLEO', 'con_1', since, 20)).map(({ _id }) => _id);
    expect(await found(at(30))).toEqual(['ex_U0CLEO_901', 'ex_U0CLEO_900']);
    expect(await found(at(41))).toEqual(['ex_U0CLEO_901']);
  });
});
