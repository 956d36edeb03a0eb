import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { MongoMemoryReplSet } from 'mongodb-memory-server-core';
import type { Logger } from '../log.js';
import { DATABASE_NAME } from './connect.js';
import { findMongod, mongodVersion } from './find-mongod.js';
import { type FolderLock, holderOf, lockFolder } from './folder-lock.js';
import { inspectProcess } from './processes.js';

export interface EmbeddedMongodOptions {
  /** The app's data folder; the server's files go to `mongod/` below it. Made if missing, for this user only. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
}

export interface EmbeddedMongod {
  /** Connection string, with the database's name in it. */
  readonly uri: string;
  /** Shuts the server down and gives the folder free. */
  stop(): Promise<void>;
}

const REPLICA_SET = 'siesta';

/** Keep a new folder at 17 MB instead of 300 MB: shared/STACK.md, "MongoDB". */
const SMALL_FOLDER = [
  ['--wiredTigerCacheSizeGB', '0.25'],
  ['--oplogSize', '64'],
  ['--wiredTigerEngineConfigString', 'log=(file_max=16MB,prealloc=false)'],
].flat();

/** An orphan that got SIGTERM has this long to close its files; then it is killed. */
const ORPHAN_GRACE_MS = 5_000;
const POLL_MS = 50;
/** Recovery of a folder after a power cut may take longer than the library's 10 s. */
const LAUNCH_LIMIT_MS = 60_000;
/** Longest pause between two attempts to start a server again that ended by itself. */
const REVIVE_LIMIT_MS = 5_000;

/**
 * Brings up a `mongod` of our own: a replica set of one member on 127.0.0.1, on a free port, with its files under
 * `dataDir`. A server left over from an app that was killed is ended first. Signals to the app's process group, such
 * as Ctrl-C, do not reach it; if the app dies without `stop()`, it is ended within seconds.
 * Throws FolderInUseError when another app holds the folder, MongodNotFoundError when there is no binary, and an
 * Error with MongoDB's reason when the server does not start.
 */
export async function startEmbeddedMongod(options: EmbeddedMongodOptions): Promise<EmbeddedMongod> {
  const { dataDir, log, env } = options;
  const binary = await findMongod({ env, log });
  await mkdir(path.join(dataDir, 'mongod'), { recursive: true, mode: 0o700 });
  // The true path: an orphan is recognised by the folder in its command line.
  const folder = await realpath(dataDir);
  const dbPath = path.join(folder, 'mongod');
  const lock = await lockFolder(folder);
  try {
    await endOrphan(dbPath, log);
    const server = new OwnReplicaSet(binary, await mongodVersion(binary), dbPath, env);
    await server.start().catch(async (error: unknown) => {
      // An orphan that was itself still starting had not written its lock yet when we looked.
      if (!(await endOrphan(dbPath, log))) throw explained(error, dataDir);
      await server.start();
    });
    return await supervise(server, lock, log);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * The connection string of the server that a running app has on the folder, for programs beside it; waits for an app
 * that is just starting. Null when no app holds the folder.
 */
export async function runningMongodUri(dataDir: string): Promise<string | null> {
  for (let waited = 0; waited < LAUNCH_LIMIT_MS; waited += POLL_MS) {
    const holder = await holderOf(dataDir);
    if (!holder) return null;
    const { mongodPort } = holder;
    if (mongodPort !== null)
      return `mongodb://127.0.0.1:${mongodPort}/${DATABASE_NAME}?replicaSet=${REPLICA_SET}`;
    await sleep(POLL_MS);
  }
  throw new Error(`The app that holds ${dataDir} does not get its MongoDB up.`);
}

/** The library's replica set, able to reopen a folder on another port than the one it was made on. */
class OwnReplicaSet extends MongoMemoryReplSet {
  constructor(binary: string, version: string, dbPath: string, env: NodeJS.ProcessEnv) {
    super({
      // The true version, or the library warns that it is not the one it would have downloaded.
      binary: { systemBinary: binary, version },
      instanceOpts: [{ dbPath, launchTimeout: LAUNCH_LIMIT_MS }],
      replSet: {
        name: REPLICA_SET,
        storageEngine: 'wiredTiger',
        args: ['--quiet', ...SMALL_FOLDER],
        // Detached: Ctrl-C in the terminal must reach the app only, which still has to write. No secrets of ours in its environment.
        spawn: { detached: true, env: { PATH: env.PATH, LD_LIBRARY_PATH: env.LD_LIBRARY_PATH } },
      },
    });
  }

  /** Process id and port of the running server. */
  get running(): { child: ChildProcess; pid: number; port: number } {
    const info = this.servers[0]?.instanceInfo;
    const child = info?.instance.mongodProcess;
    if (!info || !child?.pid) throw new Error('MongoDB is not running');
    return { child, pid: child.pid, port: info.port };
  }

  protected override async _initReplSet(): Promise<void> {
    await this.#moveToPort(this.running.port);
    await super._initReplSet();
  }

  /** The folder remembers host and port of its only member; with others it would wait forever for itself. */
  async #moveToPort(port: number): Promise<void> {
    const client = await MongoClient.connect(`mongodb://127.0.0.1:${port}`, { directConnection: true });
    try {
      const admin = client.db('admin');
      const stored = await admin.command({ replSetGetConfig: 1 }).catch((error: { codeName?: string }) => {
        if (error.codeName === 'NotYetInitialized') return undefined;
        throw error;
      });
      const [member] = stored?.config.members ?? [];
      if (member === undefined || member.host === `127.0.0.1:${port}`) return;
      member.host = `127.0.0.1:${port}`;
      await admin.command({ replSetReconfig: stored?.config, force: true });
    } finally {
      await client.close();
    }
  }
}

/** Keeps the server up: one that ends by itself is started again on the same port, until `stop()`. */
async function supervise(server: OwnReplicaSet, lock: FolderLock, log: Logger): Promise<EmbeddedMongod> {
  let stopping = false;
  let reviving: Promise<void> = Promise.resolve();

  const watch = async (): Promise<void> => {
    const { child, pid, port } = server.running;
    child.once('exit', (code, signal) => {
      if (stopping) return;
      log.error({ pid, code, signal }, 'MongoDB: the server ended by itself; starting it again');
      reviving = revive();
    });
    await lock.note({ pid, port });
    log.info({ pid, port }, 'MongoDB: ready');
  };
  const revive = async (): Promise<void> => {
    for (let delay = 500; !stopping; delay = Math.min(delay * 2, REVIVE_LIMIT_MS)) {
      try {
        await server.stop({ doCleanup: false });
        await server.start();
        return await watch();
      } catch (err) {
        log.error({ err }, 'MongoDB: the server does not start again; trying on');
        await sleep(delay);
      }
    }
  };

  await watch();
  return {
    uri: server.getUri(DATABASE_NAME),
    stop: async () => {
      stopping = true;
      await reviving;
      await server.stop({ doCleanup: false });
      await lock.release();
      log.info({}, 'MongoDB: stopped');
    },
  };
}

/**
 * Ends a server that still has the folder open although nobody holds our lock: its app was killed. Resolves to whether
 * there was one, after it is gone: at most 7 s.
 */
async function endOrphan(dbPath: string, log: Logger): Promise<boolean> {
  // mongod writes its process id here, and empties the file when it ends in order.
  const pid = Number(await readFile(path.join(dbPath, 'mongod.lock'), 'utf8').catch(() => ''));
  const orphan = pid > 0 ? await inspectProcess(pid) : undefined;
  if (!orphan || !`${orphan.command} `.includes(`--dbpath ${dbPath} `)) return false;
  log.warn({ pid }, 'MongoDB: ending a server left over by an app that was killed');
  for (const [signal, grace] of [
    ['SIGTERM', ORPHAN_GRACE_MS],
    ['SIGKILL', 2_000],
  ] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
      throw error;
    }
    for (let waited = 0; waited < grace; waited += POLL_MS) {
      if ((await inspectProcess(pid))?.identity !== orphan.identity) return true;
      await sleep(POLL_MS);
    }
  }
  throw new Error(`The MongoDB server left over as process ${pid} cannot be ended. End it by hand.`);
}

/** mongod's exit code 62: "the data files are of a version this one cannot read". */
function explained(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || !/code "62"/.test(error.message)) return error;
  return new Error(
    `${dataDir} was written by another version of MongoDB than the one found. ` +
      'Set MONGOD_BINARY to the version that wrote it, or DATA_DIR to a new folder.',
    { cause: error },
  );
}
