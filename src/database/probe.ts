import { randomUUID } from 'node:crypto';
import mongodb from 'mongodb';
import { DUPLICATE_KEY } from './duplicate-key.js';

/** The database speaks MongoDB's protocol and does not keep its promises; the message says which one. */
export class UnsuitableDatabaseError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(
      `This database cannot be used: ${reason}. Siesta Connections needs a MongoDB replica set, version 4.2 or later ` +
        '(a single member will do), because approvals rest on what was tested here.',
      options,
    );
    this.name = 'UnsuitableDatabaseError';
  }
}

/** The part of a driver's collection that the probe uses. */
export interface ProbeCollection {
  insertOne(document: mongodb.Document, options?: { writeConcern: WriteConcern }): Promise<unknown>;
  findOne(filter: mongodb.Document): Promise<mongodb.Document | null>;
  findOneAndUpdate(filter: mongodb.Document, update: mongodb.Document): Promise<mongodb.Document | null>;
  updateOne(filter: mongodb.Document, update: mongodb.Document[]): Promise<{ modifiedCount: number }>;
  createIndex(
    keys: Record<string, 1>,
    options: { unique: true; partialFilterExpression: mongodb.Document },
  ): Promise<unknown>;
  drop(): Promise<unknown>;
}

interface WriteConcern {
  readonly w: 'majority';
  readonly j: true;
}

/** What is probed; a mongoose connection fits. */
export interface ProbeTarget {
  readonly db?:
    | {
        command(command: mongodb.Document): Promise<mongodb.Document>;
        collection(name: string): ProbeCollection;
      }
    | undefined;
}

const CONTENDERS = 50;

/**
 * Tests that the database keeps the promises the app is built on: replica set, durable majority writes, one winner
 * among concurrent compare-and-sets, unique partial indexes, updates by pipeline on the database's clock. Takes about a
 * tenth of a second, in a collection of its own that it drops; several processes may probe at once.
 * Throws UnsuitableDatabaseError when a promise is broken, and the driver's error when the database is unreachable.
 */
export async function probeDatabase(connection: ProbeTarget): Promise<void> {
  const { db } = connection;
  if (!db) throw new Error('The database is not connected.');
  await promise('it does not say what it is', async () => {
    const hello = await db.command({ hello: 1 });
    if (!hello.setName && hello.msg !== 'isdbgrid')
      throw new UnsuitableDatabaseError('it is not a replica set');
  });
  const collection = db.collection(`startup_probe_${randomUUID()}`);
  try {
    // Side by side, because each durable write waits for the disk; settled, so that nothing writes after the drop.
    const findings = await Promise.allSettled([
      promise('it does not take durable majority writes', () => takesDurableWrites(collection)),
      promise('it does not keep a unique partial index', () => keepsUniquePartialIndex(collection)),
      promise('it does not take updates by pipeline', () => updatesByPipeline(collection)),
      promise('it does not compare and set', () => hasOneWinner(collection)),
    ]);
    for (const finding of findings) if (finding.status === 'rejected') throw finding.reason;
  } finally {
    // What ends the probe is the finding, not a failure to clean up after it.
    await collection.drop().catch(() => undefined);
  }
}

/** Runs one check; a command the server refuses breaks the promise, whereas no answer says nothing about it. */
async function promise(broken: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof mongodb.MongoServerError)) throw error;
    throw new UnsuitableDatabaseError(`${broken} (${error.message})`, { cause: error });
  }
}

async function takesDurableWrites(collection: ProbeCollection): Promise<void> {
  await collection.insertOne({ _id: 'durable' }, { writeConcern: { w: 'majority', j: true } });
}

async function keepsUniquePartialIndex(collection: ProbeCollection): Promise<void> {
  await collection.createIndex({ slot: 1 }, { unique: true, partialFilterExpression: { open: true } });
  await collection.insertOne({ slot: 1, open: true });
  await collection.insertOne({ slot: 1, open: false });
  const refused = await collection.insertOne({ slot: 1, open: true }).then(
    () => false,
    (error: { code?: unknown }) => {
      if (error.code === DUPLICATE_KEY) return true;
      throw error;
    },
  );
  if (!refused) throw new UnsuitableDatabaseError('a unique partial index let a duplicate through');
}

async function updatesByPipeline(collection: ProbeCollection): Promise<void> {
  // User text may begin with a dollar sign: without $literal it would be read as a field's name.
  const text = '$rev';
  await collection.insertOne({ _id: 'piped', rev: 1 });
  const set = { $set: { at: '$$NOW', text: { $literal: text }, rev: { $add: ['$rev', 1] } } };
  await collection.updateOne({ _id: 'piped', $expr: { $lt: [new Date(0), '$$NOW'] } }, [set]);
  const found = await collection.findOne({ _id: 'piped' });
  const right = found?.at instanceof Date && found.text === text && found.rev === 2;
  if (!right) throw new UnsuitableDatabaseError('an update by pipeline with $$NOW and $literal went wrong');
}

async function hasOneWinner(collection: ProbeCollection): Promise<void> {
  await collection.insertOne({ _id: 'contested', rev: 0 });
  const claims = Array.from({ length: CONTENDERS }, (_, contender) =>
    collection.findOneAndUpdate(
      { _id: 'contested', rev: 0 },
      { $set: { winner: contender }, $inc: { rev: 1 } },
    ),
  );
  const winners = (await Promise.all(claims)).filter((before) => before !== null).length;
  if (winners === 1) return;
  throw new UnsuitableDatabaseError(
    `${winners} of ${CONTENDERS} concurrent compare-and-sets won instead of one`,
  );
}
