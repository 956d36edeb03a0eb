import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { inspectProcess } from './processes.js';

const holderSchema = z.object({
  pid: z.number().int(),
  /** Tells the holder from a later process with the same id: in a container every start has the same one. */
  identity: z.string(),
  since: z.string(),
  mongod: z.object({ pid: z.number().int(), port: z.number().int() }).optional(),
});
type Holder = z.infer<typeof holderSchema>;

/** A data folder held by this process. */
export interface FolderLock {
  /** Notes the folder's server, for people and for the message another app gets. */
  note(mongod: { pid: number; port: number }): Promise<void>;
  release(): Promise<void>;
}

/** Another app that is alive holds the data folder. */
export class FolderInUseError extends Error {
  constructor(folder: string, holder: Holder) {
    const server = holder.mongod
      ? `, its MongoDB is process ${holder.mongod.pid} on port ${holder.mongod.port}`
      : '';
    super(
      `${folder} is in use by another Siesta Connections: process ${holder.pid}, since ${holder.since}${server}. ` +
        'Stop that one, or set DATA_DIR to another folder.',
    );
    this.name = 'FolderInUseError';
  }
}

const LOCK_FILE = 'siesta.lock';
const RETRY_MS = 50;
/** How long a lock that cannot be read may be one that is just being written. */
const UNREADABLE_RETRIES = 20;

/**
 * Takes the folder for this process, from nobody or from a process that is gone.
 * Throws FolderInUseError when the holder is alive (this very process included).
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = path.join(folder, LOCK_FILE);
  const self = await inspectProcess(process.pid);
  const holder: Holder = {
    pid: process.pid,
    identity: self?.identity ?? '',
    since: new Date().toISOString(),
  };
  const mine = JSON.stringify(holder);
  for (let unreadable = 0; !(await createFile(file, mine)); ) {
    const seen = await readFile(file, 'utf8').catch(() => undefined);
    if (seen === undefined) continue;
    const other = parseHolder(seen);
    if (other === undefined && ++unreadable <= UNREADABLE_RETRIES) {
      await sleep(RETRY_MS);
      continue;
    }
    if (other && (await inspectProcess(other.pid))?.identity === other.identity)
      throw new FolderInUseError(folder, other);
    await takeAway(file, seen);
  }
  return {
    note: async (mongod) => {
      const fresh = `${file}.${randomUUID()}`;
      await writeFile(fresh, JSON.stringify({ ...holder, mongod }), { mode: 0o600 });
      await rename(fresh, file);
    },
    release: () => rm(file, { force: true }),
  };
}

/** The app that holds the folder and is alive; with the port of its server once that runs. */
export async function holderOf(folder: string): Promise<{ readonly mongodPort: number | null } | undefined> {
  const seen = await readFile(path.join(folder, LOCK_FILE), 'utf8').catch(() => undefined);
  const holder = seen === undefined ? undefined : parseHolder(seen);
  if (!holder || (await inspectProcess(holder.pid))?.identity !== holder.identity) return undefined;
  return { mongodPort: holder.mongod?.port ?? null };
}

/** Creates the file unless it is there: the one step that decides between two apps. */
async function createFile(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a lock whose holder is gone. By renaming first: only one of two apps that saw the same lock gets it, and an
 * app that was late and took a fresh lock instead sees that, and puts it back.
 */
async function takeAway(file: string, seen: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== seen) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
