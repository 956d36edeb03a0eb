import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedMongod, startEmbeddedMongod } from '../../src/database/embedded.js';
import { FolderInUseError } from '../../src/database/folder-lock.js';
import { inspectProcess } from '../../src/database/processes.js';
import { silentLog } from '../setup/database.js';
import { type OtherApp, startOtherApp } from './embedded-app.js';
import { writtenPid } from './written-pid.js';

let dataDir: string;
let running: EmbeddedMongod[];
let others: OtherApp[];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'siesta-embedded-'));
  running = [];
  others = [];
});
afterEach(async () => {
  for (const other of others)
    if (other.process.exitCode === null && !other.process.killed) await other.quit();
  for (const server of running) await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedMongod> {
  const server = await startEmbeddedMongod({ dataDir, log: silentLog, env: process.env });
  running.push(server);
  return server;
}

async function stop(server: EmbeddedMongod): Promise<void> {
  running = running.filter((each) => each !== server);
  await server.stop();
}

async function startOther(): Promise<OtherApp> {
  const other = await startOtherApp(dataDir);
  others.push(other);
  return other;
}

async function withClient<T>(uri: string | undefined, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = await MongoClient.connect(uri ?? '', { serverSelectionTimeoutMS: 10_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const write = (uri: string | undefined, word: string) =>
  withClient(uri, (client) =>
    client
      .db()
      .collection('words')
      .insertOne({ word }, { writeConcern: { w: 'majority', j: true } }),
  );
const words = (uri: string | undefined) =>
  withClient(uri, async (client) =>
    (await client.db().collection('words').find().toArray()).map(({ word }) => word),
  );

const mongodPid = (): Promise<number> => writtenPid(dataDir);

describe('startEmbeddedMongod', () => {
  it('brings up a replica set on loopback, with files for this user only', async () => {
    const { uri } = await start();
    expect(uri).toMatch(/^mongodb:\/\/127\.0\.0\.1:\d+\/siesta_connections\?replicaSet=siesta$/);
    await write(uri, 'kept');
    const listening = await withClient(uri, (client) => client.db('admin').command({ getCmdLineOpts: 1 }));
    expect(listening.parsed.net.bindIp).toBe('127.0.0.1');
    expect((await stat(path.join(dataDir, 'mongod'))).mode & 0o077).toBe(0);
    expect((await stat(path.join(dataDir, 'siesta.lock'))).mode & 0o077).toBe(0);
  });

  it('finds its data again, on another port, and lets go of the folder when it stops', async () => {
    const first = await start();
    await write(first.uri, 'kept');
    await stop(first);
    expect((await readdir(dataDir)).sort()).toEqual(['mongod']);

    const second = await start();
    expect(second.uri).not.toBe(first.uri);
    expect(await words(second.uri)).toEqual(['kept']);
    await write(second.uri, 'more');
  });

  it.runIf(process.platform === 'linux')('does not give its server our secrets', async () => {
    process.env.SIESTA_TEST_SECRET = 'fake-secret-canary-1';
    await start();
    delete process.env.SIESTA_TEST_SECRET;
    const environment = await readFile(`/proc/${await mongodPid()}/environ`, 'utf8');
    expect(environment).toContain('PATH=');
    expect(environment).not.toContain('fake-secret-canary-1');
  });

  it('refuses a second app on the folder and says who holds it, while the first goes on', async () => {
    const other = await startOther();
    const refusal = await start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FolderInUseError);
    expect(String(refusal)).toContain(`process ${other.pid}, since 20`);
    expect(String(refusal)).toContain(`its MongoDB is process ${await mongodPid()} on port`);
    expect(String(refusal)).toContain('set DATA_DIR');
    await write(other.uri, 'undisturbed');

    await other.quit();
    expect(await words((await start()).uri)).toEqual(['undisturbed']);
  });

  it('refuses a second start in the same process', async () => {
    await start();
    await expect(start()).rejects.toThrow(FolderInUseError);
  });

  it('ends the server of an app that was killed, and keeps its data', async () => {
    const other = await startOther();
    await write(other.uri, 'acknowledged');
    const orphan = await mongodPid();
    await other.kill();
    expect(await inspectProcess(orphan)).toBeDefined();

    const began = performance.now();
    const server = await start();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await inspectProcess(orphan)).toBeUndefined();
    expect(await words(server.uri)).toEqual(['acknowledged']);
  });

  it('ends such a server even if it hangs, within 10 s', async () => {
    const other = await startOther();
    await write(other.uri, 'acknowledged');
    const orphan = await mongodPid();
    process.kill(orphan, 'SIGSTOP');
    await other.kill();

    const began = performance.now();
    const server = await start();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await words(server.uri)).toEqual(['acknowledged']);
  });

  it('lets exactly one of several apps take over the folder of one that was killed', async () => {
    const killed = await startOther();
    await write(killed.uri, 'acknowledged');
    await killed.kill();

    const apps = await Promise.all([startOther(), startOther(), startOther()]);
    const winners = apps.filter(({ uri }) => uri !== undefined);
    expect(winners).toHaveLength(1);
    expect(await words(winners[0]?.uri)).toEqual(['acknowledged']);
    for (const { error } of apps.filter((app) => app !== winners[0])) {
      expect(error).toContain(`in use by another Siesta Connections: process ${winners[0]?.pid}`);
    }
  });

  it('does not take a later process with the same id for the holder', async () => {
    // In a container every start of the app has the same process id.
    const holder = { pid: process.pid, identity: 'an earlier boot/1', since: new Date(0).toISOString() };
    await writeFile(path.join(dataDir, 'siesta.lock'), JSON.stringify(holder));
    await write((await start()).uri, 'taken over');
  });

  it('takes over a lock that a crash left empty', async () => {
    await writeFile(path.join(dataDir, 'siesta.lock'), '');
    await write((await start()).uri, 'taken over');
  });

  it('does not touch a process that is not the server of this folder', async () => {
    const bystander = await startOtherApp(await mkdtemp(path.join(dataDir, 'elsewhere-')));
    others.push(bystander);
    await stop(await start());
    await writeFile(path.join(dataDir, 'mongod', 'mongod.lock'), `${bystander.pid}\n`);
    await start();
    expect(await inspectProcess(bystander.pid)).toBeDefined();
    await write(bystander.uri, 'alive');
  });

  it('outlives Ctrl-C in the terminal, until the app has stopped', async () => {
    const other = await startOther();
    const server = await mongodPid();
    process.kill(-other.pid, 'SIGINT');
    // Long enough for a server that got the signal to have ended, and to have been started again.
    await sleep(2_500);
    await write(other.uri, 'last words');
    expect(await mongodPid()).toBe(server);
    await other.quit();
    expect(await inspectProcess(server)).toBeUndefined();
  });

  it('does not outlive an app that just ends', async () => {
    const other = await startOther();
    const server = await mongodPid();
    await other.kill();
    await expect.poll(() => inspectProcess(server), { timeout: 8_000, interval: 100 }).toBeUndefined();
  });

  it('starts a server again that ended by itself, at the same address', async () => {
    const { uri } = await start();
    await write(uri, 'acknowledged');
    for (const _ of [1, 2]) {
      const before = await mongodPid();
      process.kill(before, 'SIGKILL');
      await expect.poll(() => words(uri).catch(() => []), { timeout: 10_000 }).toEqual(['acknowledged']);
      expect(await mongodPid()).not.toBe(before);
    }
  });
});
