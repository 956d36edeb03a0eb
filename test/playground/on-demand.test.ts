import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type OnDemand, startOnDemand } from '../../playground/on-demand.js';
import { projectFile } from '../../playground/project-file.js';
import { until } from '../harness/app-process.js';

let folder: string;
let program: string;
const open: OnDemand[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'siesta-on-demand-'));
  // It would listen to everybody; what it answers is who it is and where it listens.
  program = await written(
    'server.mjs',
    `import { createServer } from 'node:http';
     const server = createServer((request, response) => {
       if (request.url === '/end') process.exit();
       response.end(JSON.stringify({ pid: process.pid, secret: process.env.SECRET, at: server.address() }));
     });
     server.listen(3456, '0.0.0.0', () => console.error('listening'));`,
  );
});
afterAll(async () => {
  await Promise.all(open.map((service) => service.close()));
  await rm(folder, { recursive: true });
});

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function start(...given: Parameters<typeof startOnDemand>): Promise<OnDemand> {
  const service = await startOnDemand(...given);
  open.push(service);
  return service;
}

interface Self {
  readonly pid: number;
  readonly secret?: string;
  readonly at: { readonly address: string; readonly port: number };
}

const self = async (origin: string): Promise<Self> => (await (await fetch(origin)).json()) as Self;

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a service on demand', () => {
  it('runs from the first connection to the end, on loopback, with an environment of its own', async () => {
    vi.stubEnv('SECRET', 'fake-secret-canary-1');
    const prepared: string[] = [];
    const service = await start(0, { path: program, prepare: async (origin) => void prepared.push(origin) });
    expect(prepared).toEqual([]);
    const answers = await Promise.all([self(service.origin), self(service.origin)]);
    vi.unstubAllEnvs();
    expect(answers[0]).toMatchObject({ at: { address: '127.0.0.1' } });
    expect(answers[0].secret).toBeUndefined();
    expect(answers[1]).toEqual(answers[0]);
    expect(prepared).toEqual([`http://127.0.0.1:${answers[0].at.port}`]);
    expect(lives(answers[0].pid)).toBe(true);
    await service.close();
    expect(lives(answers[0].pid)).toBe(false);
    await expect(fetch(service.origin)).rejects.toThrow();
  });

  it('starts again after it ended', async () => {
    const service = await start(0, { path: program });
    const { pid } = await self(service.origin);
    await expect(fetch(`${service.origin}/end`)).rejects.toThrow();
    await until(() => !lives(pid), 5_000);
    expect((await self(service.origin)).pid).not.toBe(pid);
  });

  it('hangs up when its program does not start, and says why', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const broken = await written('broken.mjs', `throw new Error('no such luck')`);
    const service = await start(0, { path: broken });
    await expect(fetch(service.origin)).rejects.toThrow();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('no such luck'));
    warn.mockRestore();
  });

  it('refuses a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(startOnDemand(port, { path: program })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    taken.close();
  });

  it('ends with its parent, however that ended', async () => {
    const module = pathToFileURL(projectFile('dist', 'playground', 'on-demand.js')).href;
    const parent = await written(
      'parent.mjs',
      `import { startOnDemand } from ${JSON.stringify(module)};
       console.log((await startOnDemand(0, { path: ${JSON.stringify(program)} })).origin);`,
    );
    const child = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const origin = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
    );
    const { port } = (await self(origin)).at;
    const address = `http://127.0.0.1:${port}`;
    expect((await fetch(address)).status).toBe(200);
    child.kill('SIGKILL');
    // Not by its id: where nobody collects orphans, an ended process keeps it.
    const isGone = () =>
      fetch(address)
        .then(() => false)
        .catch(() => true);
    await until(isGone, 5_000);
  });
});
