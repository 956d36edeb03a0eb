import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The process id that mongod wrote into its lock file. Error: none, as 0 would be the whole group of whoever signals it. */
export async function writtenPid(dataDir: string): Promise<number> {
  const pid = Number(await readFile(path.join(dataDir, 'mongod', 'mongod.lock'), 'utf8'));
  if (!(pid > 0)) throw new Error('mongod has not written its process id');
  return pid;
}
