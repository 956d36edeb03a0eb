/** A call whose caller was told "nothing was executed" is taken back, unless a repeat was given its id meanwhile. */
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

beforeAll(() => ensureIndexes(createModels(database.background)));

const pending = (id: string) =>
  execution({ _id: id, status: 'pending_approval', rev: 1, idempotencyKey: `key-${id}`, attempt: null });

describe('taking back a record', () => {
  it('ends it and frees its key', async () => {
    const record = pending('ex_one');
    await store.insert(record);
    expect(await store.withdraw(record)).toBe(true);
    expect(await store.byIdempotencyKey(record.callerId, record.idempotencyKey)).toBeNull();
    expect((await store.get(record._id))?.status).toBe('cancelled');
  });

  it('leaves it alone once a repeat has its id', async () => {
    const record = pending('ex_two');
    await store.insert(record);
    expect(await store.handOut(record)).toBe(true);
    expect(await store.withdraw(record)).toBe(false);
    expect((await store.get(record._id))?.status).toBe('pending_approval');
  });

  it('gives no id away that was taken back', async () => {
    const record = pending('ex_three');
    await store.insert(record);
    await store.withdraw(record);
    expect(await store.handOut(record)).toBe(false);
  });

  it('takes the place of a record that is still on its way', async () => {
    const record = pending('ex_four');
    expect(await store.withdraw(record)).toBe(true);
    expect(await store.insert(record)).toBe(false);
  });
});
