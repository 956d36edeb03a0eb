import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findMongod, MongodNotFoundError, mongodVersion } from '../../src/database/find-mongod.js';
import type { MongodBuild } from '../../src/database/mongod-builds.js';
import type { Logger } from '../../src/log.js';

let folder: string;
let cacheDir: string;
let lines: string[];
let log: Logger;
const progress = { write: () => true };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'siesta-find-'));
  cacheDir = path.join(folder, 'cache');
  lines = [];
  const keep = (_fields: object, message: string): void => void lines.push(message);
  log = { debug: keep, info: keep, warn: keep, error: keep };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that answers `--version` as a mongod does. */
async function fakeMongod(file: string, version = '7.0.1'): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho "db version v${version}"\n`, { mode: 0o700 });
  return file;
}

/** A place to download from that gives a fake mongod, or does what `download` says. */
function build(title: string, change: Partial<MongodBuild> = {}): MongodBuild {
  return {
    title,
    unavailable: async () => undefined,
    download: (into) => fakeMongod(path.join(into, 'mongod')),
    ...change,
  };
}

const unreachable = (title: string): MongodBuild =>
  build(title, { unavailable: async () => 'not reachable from here' });

describe('findMongod', () => {
  it('prefers MONGOD_BINARY to all else', async () => {
    const binary = await fakeMongod(path.join(folder, 'mine', 'my-mongod'));
    await fakeMongod(path.join(folder, 'bin', 'mongod'));
    const env = { MONGOD_BINARY: binary, PATH: path.join(folder, 'bin') };
    expect(await findMongod({ env, cacheDir, log, progress, builds: [] })).toBe(binary);
    expect(lines).toEqual(['MongoDB: using MONGOD_BINARY']);
  });

  it('says so when MONGOD_BINARY does not run, instead of taking another', async () => {
    await fakeMongod(path.join(folder, 'bin', 'mongod'));
    const env = { MONGOD_BINARY: path.join(folder, 'missing'), PATH: path.join(folder, 'bin') };
    await expect(findMongod({ env, cacheDir, log, progress })).rejects.toThrow(
      /^MONGOD_BINARY: .*missing does not run/,
    );
  });

  it('then takes the PATH, then the cache, then the downloads in order', async () => {
    const onPath = await fakeMongod(path.join(folder, 'bin', 'mongod'));
    const kept = await fakeMongod(path.join(cacheDir, 'mongod-6.0.5'), '6.0.5');
    const builds = [unreachable('first'), build('second'), build('third')];
    const find = (searchPath: string) =>
      findMongod({ env: { PATH: searchPath }, cacheDir, log, progress, builds });

    expect(await find(path.join(folder, 'bin'))).toBe(onPath);
    expect(await find(path.join(folder, 'empty'))).toBe(kept);
    await rm(kept);
    lines.length = 0;
    expect(await find('')).toBe(path.join(cacheDir, 'mongod-7.0.1'));
    expect(lines).toEqual([
      'MongoDB: no mongod on the PATH',
      'MongoDB: no mongod kept by an earlier start',
      'MongoDB: cannot download first',
      'MongoDB: downloading second, once',
      'MongoDB: using second',
    ]);
  });

  it('keeps what it downloaded, for this user only, and nothing else', async () => {
    const env = { XDG_CACHE_HOME: folder };
    const binary = await findMongod({ env, log, progress, builds: [build('it')] });
    const home = path.join(folder, 'siesta-connections');
    expect(binary).toBe(path.join(home, 'mongod-7.0.1'));
    expect(await readdir(home)).toEqual(['mongod-7.0.1']);
    expect((await stat(binary)).mode & 0o777).toBe(0o700);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect(await findMongod({ env, log, progress, builds: [] })).toBe(binary);
  });

  it('takes the newest of the kept ones', async () => {
    for (const version of ['6.0.5', '10.0.0', '8.2.6'])
      await fakeMongod(path.join(cacheDir, `mongod-${version}`), version);
    expect(await findMongod({ env: {}, cacheDir, log, progress })).toBe(path.join(cacheDir, 'mongod-10.0.0'));
  });

  it('discards a kept binary that does not run, and gets it anew', async () => {
    await fakeMongod(path.join(cacheDir, 'mongod-7.0.1'));
    await writeFile(path.join(cacheDir, 'mongod-7.0.1'), 'half a download');
    const binary = await findMongod({ env: {}, cacheDir, log, progress, builds: [build('it')] });
    expect(lines).toContain('MongoDB: discarding a kept mongod');
    expect(await mongodVersion(binary)).toBe('7.0.1');
  });

  it('does not run a kept binary that others can write', async () => {
    const binary = await fakeMongod(path.join(cacheDir, 'mongod-7.0.1'));
    await chmod(binary, 0o722);
    await expect(findMongod({ env: {}, cacheDir, log, progress, builds: [] })).rejects.toThrow(
      MongodNotFoundError,
    );
    expect(await readdir(cacheDir)).toEqual([]);
  });

  it('goes on to the next place when a download fails or gives something that does not run', async () => {
    const builds = [
      build('broken', { download: () => Promise.reject(new Error('connection reset\n  at a long stack')) }),
      build('garbage', {
        download: async (into) => {
          await writeFile(path.join(into, 'mongod'), 'not a program');
          return path.join(into, 'mongod');
        },
      }),
      build('good'),
    ];
    await findMongod({ env: {}, cacheDir, log, progress, builds });
    expect(lines.slice(2)).toEqual([
      'MongoDB: downloading broken, once',
      'MongoDB: broken could not be used',
      'MongoDB: downloading garbage, once',
      'MongoDB: garbage could not be used',
      'MongoDB: downloading good, once',
      'MongoDB: using good',
    ]);
    expect(await readdir(cacheDir)).toEqual(['mongod-7.0.1']);
  });

  it('clears what a killed download left behind, but not what one under way writes', async () => {
    for (const name of ['partial-old', 'partial-new'])
      await mkdir(path.join(cacheDir, name), { recursive: true });
    await utimes(path.join(cacheDir, 'partial-old'), 0, 0);
    await findMongod({ env: {}, cacheDir, log, progress, builds: [build('it')] });
    expect((await readdir(cacheDir)).sort()).toEqual(['mongod-7.0.1', 'partial-new']);
  });

  it('ends with what was tried, and the three ways out', async () => {
    const error = await findMongod({
      env: { PATH: '' },
      cacheDir,
      log,
      progress,
      builds: [unreachable('the vendor')],
    }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(MongodNotFoundError);
    const message = String(error);
    for (const part of [
      'MONGOD_BINARY: not set',
      'PATH: no mongod on it',
      `${cacheDir}: no mongod kept there`,
      'the vendor: not reachable from here',
      'set MONGODB_URI',
      'install MongoDB',
      'compose file',
    ]) {
      expect(message).toContain(part);
    }
  });

  it('refuses a mongod that is too old, and a program that is none', async () => {
    await expect(mongodVersion(await fakeMongod(path.join(folder, 'old'), '4.0.28'))).rejects.toThrow(
      'older than MongoDB 4.2',
    );
    await writeFile(path.join(folder, 'other'), '#!/bin/sh\necho hello\n', { mode: 0o700 });
    await expect(mongodVersion(path.join(folder, 'other'))).rejects.toThrow('other is not a mongod');
  });
});
