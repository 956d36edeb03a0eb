import type mongodb from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ProbeCollection,
  type ProbeTarget,
  probeDatabase,
  UnsuitableDatabaseError,
} from '../../src/database/probe.js';
import { type TestDatabase, testDatabase } from '../setup/database.js';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});

function realDb(): mongodb.Db {
  const { db } = test.database.connection;
  if (!db) throw new Error('not connected');
  return db;
}

/** The real database with some of its answers changed. */
function unlike(
  change: (real: ProbeCollection) => Partial<ProbeCollection>,
  hello?: mongodb.Document,
): ProbeTarget {
  const db = realDb();
  return {
    db: {
      command: (command) => (hello ? Promise.resolve(hello) : db.command(command)),
      collection: (name) => {
        const real: ProbeCollection = db.collection(name);
        const base: ProbeCollection = {
          insertOne: (document, options) => real.insertOne(document, options),
          findOne: (filter) => real.findOne(filter),
          findOneAndUpdate: (filter, update) => real.findOneAndUpdate(filter, update),
          updateOne: (filter, update) => real.updateOne(filter, update),
          createIndex: (keys, options) => real.createIndex(keys, options),
          drop: () => real.drop(),
        };
        return { ...base, ...change(base) };
      },
    },
  };
}

const probeCollections = async (): Promise<string[]> =>
  (await realDb().listCollections().toArray())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('startup_probe_'));

describe('probeDatabase', () => {
  it('accepts a real replica set and leaves nothing behind', async () => {
    await probeDatabase(test.database.connection);
    expect(await probeCollections()).toEqual([]);
  });

  it('lets several processes probe at once', async () => {
    await Promise.all([1, 2, 3].map(() => probeDatabase(test.database.connection)));
    expect(await probeCollections()).toEqual([]);
  });

  it('refuses a database where two compare-and-sets win, and says so', async () => {
    // Look, then write: what a server without atomic updates does.
    const target = unlike((real) => ({
      findOneAndUpdate: async (filter, update) => {
        const found = await real.findOne(filter);
        return found && real.findOneAndUpdate({ _id: found._id }, update);
      },
    }));
    const error = await probeDatabase(target).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(UnsuitableDatabaseError);
    expect(String(error)).toMatch(/\d+ of 50 concurrent compare-and-sets won instead of one/);
    expect(await probeCollections()).toEqual([]);
  });

  it('refuses a database where no compare-and-set wins', async () => {
    const target = unlike(() => ({ findOneAndUpdate: () => Promise.resolve(null) }));
    await expect(probeDatabase(target)).rejects.toThrow('0 of 50 concurrent compare-and-sets won');
  });

  it('refuses a server that is no replica set', async () => {
    const target = unlike(() => ({}), { ok: 1, isWritablePrimary: true });
    await expect(probeDatabase(target)).rejects.toThrow('it is not a replica set');
  });

  it('refuses a unique index that lets duplicates through', async () => {
    const target = unlike(() => ({ createIndex: () => Promise.resolve('slot_1') }));
    await expect(probeDatabase(target)).rejects.toThrow('a unique partial index let a duplicate through');
  });

  it('refuses pipelines that are taken for plain values', async () => {
    const target = unlike(() => ({ updateOne: () => Promise.resolve({ modifiedCount: 1 }) }));
    await expect(probeDatabase(target)).rejects.toThrow(
      'an update by pipeline with $$NOW and $literal went wrong',
    );
  });

  it('names the promise when the server refuses the command, with the words of the server', async () => {
    const target = unlike((real) => ({
      updateOne: (filter) => real.updateOne(filter, [{ $noSuchStage: {} }]),
    }));
    await expect(probeDatabase(target)).rejects.toThrow(/does not take updates by pipeline \(.*noSuchStage/);
  });

  it('passes on the error when the database just cannot be reached', async () => {
    const gone = new Error('connection lost');
    const target = unlike(() => ({ insertOne: () => Promise.reject(gone) }));
    await expect(probeDatabase(target)).rejects.toBe(gone);
  });
});
