import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { connectDatabase, type Database, redactUri } from '../../src/database/connect.js';
import { type EmbeddedMongod, startEmbeddedMongod } from '../../src/database/embedded.js';
import type { Logger } from '../../src/log.js';
import { silentLog } from '../setup/database.js';
import { writtenPid } from './written-pid.js';

let lines: { fields: object; message: string }[];
let log: Logger;
let open: { close(): unknown }[];

beforeEach(() => {
  lines = [];
  const keep = (fields: object, message: string): void => void lines.push({ fields, message });
  log = { debug: keep, info: keep, warn: keep, error: keep };
  open = [];
});
afterEach(async () => {
  for (const each of open.reverse()) await each.close();
});

async function connected(
  options: Partial<Parameters<typeof connectDatabase>[0]> & { uri: string },
): Promise<Database> {
  const database = await connectDatabase({ log, ...options });
  open.push(database);
  return database;
}

/** An address on loopback that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Lets what arrives at `port` through to the run's MongoDB: a server that appears when the test wants it. */
async function passThrough(port: number): Promise<void> {
  const target = new URL(inject('mongoUri'));
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connectSocket(Number(target.port), target.hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => socket.destroy()));
    near.pipe(far).pipe(near);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}

describe('connectDatabase', () => {
  it('writes durably, reads what lasts, and waits for nothing in memory', async () => {
    const { connection, background, ping } = await connected({
      uri: inject('mongoUri'),
      dbName: 'test_connect',
    });
    await ping();
    for (const { db, name } of [connection, background]) {
      expect(name).toBe('test_connect');
      expect(db?.writeConcern).toMatchObject({ w: 'majority', j: true });
      expect(db?.readConcern).toMatchObject({ level: 'majority' });
    }
    expect(background.getClient().options).toMatchObject({ socketTimeoutMS: 0 });
    expect(connection.get('bufferCommands')).toBe(false);
  });

  it('waits for a server that appears later, and never logs the password', async () => {
    const port = await freePort();
    const uri = `mongodb://127.0.0.1:${port}/?directConnection=true&appName=fake-secret-canary-1`;
    const connecting = connected({ uri, dbName: 'test_connect' });
    await expect.poll(() => lines.length, { timeout: 5_000 }).toBeGreaterThan(0);
    expect(lines[0]).toMatchObject({
      message: 'Database: cannot be reached; trying on',
      fields: { uri: `mongodb://127.0.0.1:${port}/`, reason: expect.stringContaining('ECONNREFUSED') },
    });
    await passThrough(port);
    await (await connecting).ping();
    expect(lines.at(-1)?.message).toBe('Database: connected');
    expect(JSON.stringify(lines)).not.toContain('fake-secret-canary-1');
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const uri = `mongodb://127.0.0.1:${await freePort()}/`;
    const connecting = connectDatabase({ uri, log, signal: stop.signal });
    const reason = new Error('the app is stopping');
    setTimeout(() => stop.abort(reason), 300);
    const began = performance.now();
    await expect(connecting).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('does not wait when the server refuses the credentials', async () => {
    const { host } = new URL(inject('mongoUri'));
    const uri = `mongodb://someone:fake-secret-canary-1@${host}/?authSource=admin`;
    const error = await connectDatabase({ uri, log }).catch((refusal: unknown) => refusal);
    expect(String(error)).toContain(`The database at mongodb://***@${host}/ refuses: Authentication failed`);
    expect(JSON.stringify([String(error), lines])).not.toContain('fake-secret-canary-1');
  });

  it.each([
    'mongo://someone:fake-secret-canary-1@db',
    'mongodb://someone:fake-secret-canary-1@db:99999999/',
    'mongodb://someone:fake-secret-canary-1@db/?noSuchOption=1',
  ])('does not wait for a connection string that cannot be read: %s', async (uri) => {
    const error = await connectDatabase({ uri, log }).catch((refusal: unknown) => refusal);
    expect(String(error)).toMatch(/The database at .*\*\*\*@db.* refuses: /);
    expect(String(error)).not.toContain('fake-secret-canary-1');
  });
});

describe('the database in use', () => {
  it.each([
    ['the one asked for', '/named', 'test_asked', 'test_asked'],
    ['else the one in the connection string', '/test_named', undefined, 'test_named'],
    ['else our own', '/', undefined, 'siesta_connections'],
  ])('is %s', async (_, pathname, dbName, expected) => {
    const uri = `mongodb://${new URL(inject('mongoUri')).host}${pathname}?directConnection=true`;
    const { connection } = await connected({ uri, ...(dbName === undefined ? {} : { dbName }) });
    expect(connection.db?.databaseName).toBe(expected);
  });
});

describe('a connected database', () => {
  let dataDir: string;
  let server: EmbeddedMongod;
  const mongodPid = (): Promise<number> => writtenPid(dataDir);

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'siesta-connect-'));
    server = await startEmbeddedMongod({ dataDir, log: silentLog, env: process.env });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('recovers by itself within 10 s after the server was killed', async () => {
    const { connection, ping } = await connected({ uri: server.uri });
    const Word = connection.model('Word', new connection.base.Schema({ word: String }));
    await Word.create({ word: 'before' });
    const killed = await mongodPid();
    process.kill(killed, 'SIGKILL');
    const began = performance.now();
    await expect.poll(() => Word.countDocuments().catch(() => -1), { timeout: 12_000, interval: 50 }).toBe(1);
    await Word.create({ word: 'after' });
    await ping();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await mongodPid()).not.toBe(killed);
  });

  it('gives up on a frozen server within 3 s, and recovers by itself when it goes on', async () => {
    const { connection, ping } = await connected({ uri: server.uri });
    const words = connection.collection('words');
    // Several connections in the pool: a retry then meets a second frozen one, which is the longest way to give up.
    await Promise.all(Array.from({ length: 10 }, () => words.insertOne({ word: 'before' })));
    const frozen = await mongodPid();
    process.kill(frozen, 'SIGSTOP');
    // Its threads stop one after another: one of them may answer for a moment longer.
    await sleep(200);
    try {
      const took = await Promise.all(
        [
          () => words.insertOne({ word: 'frozen' }),
          () => words.findOne({ word: 'before' }),
          () => words.findOneAndUpdate({ word: 'before' }, { $set: { rev: 1 } }),
          ping,
        ].map(async (operation) => {
          const began = performance.now();
          await expect(operation()).rejects.toThrow();
          return performance.now() - began;
        }),
      );
      for (const each of took) expect(each).toBeLessThan(3_000);
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    const began = performance.now();
    await expect
      .poll(
        () =>
          ping().then(
            () => true,
            () => false,
          ),
        { timeout: 12_000, interval: 50 },
      )
      .toBe(true);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('redactUri', () => {
  it.each([
    ['mongodb://host/db', 'mongodb://host/db'],
    [
      'mongodb://user:p@ss/w?rd@host:1,host2:2/db?replicaSet=x&tlsCertificateKeyFilePassword=y',
      'mongodb://***@host:1,host2:2/db',
    ],
    ['mongodb+srv://user@host/', 'mongodb+srv://***@host/'],
  ])('%s', (uri, redacted) => {
    expect(redactUri(uri)).toBe(redacted);
  });
});
