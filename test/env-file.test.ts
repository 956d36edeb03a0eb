/** `npm start` reads `.env` of the folder that it is started in. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siesta-env-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function seenBy(env: NodeJS.ProcessEnv): Promise<unknown> {
  const preload = join(root, 'dist/src/env-file.js');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', preload, '--eval', 'console.log(JSON.stringify([process.env.PORT, process.env.HOST]))'],
    { cwd: folder, env: { PATH: process.env.PATH, ...env } },
  );
  return JSON.parse(stdout);
}

it('gives what the environment does not say', async () => {
  await writeFile(join(folder, '.env'), 'PORT=3999\nHOST=10.0.0.1\n');
  expect(await seenBy({ HOST: '127.0.0.1' })).toEqual(['3999', '127.0.0.1']);
});

it('need not be there', async () => {
  expect(await seenBy({})).toEqual([null, null]);
});

it('is read by npm start and npm run admin', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  for (const script of ['start', 'dev', 'admin'])
    expect(scripts[script]).toContain('--import ./dist/src/env-file.js');
});
