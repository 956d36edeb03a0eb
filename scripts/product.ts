/** The real product with its playground, as a process of its own and with data of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../playground/free-port.js';
import { projectFolder } from './project-folder.js';

const START_LIMIT_MS = 120_000;

export interface Product {
  readonly origin: string;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/** Resolves when it is ready. Error: it ended, or was not ready in time; the message has what it wrote. */
export async function startProduct(env: NodeJS.ProcessEnv): Promise<Product> {
  const dataDir = await mkdtemp(join(tmpdir(), 'siesta-pictures-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { PATH = '', HOME = '', MONGOD_BINARY } = env;
  const child = spawn(process.execPath, [join(projectFolder(), 'dist', 'src', 'main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME,
      ...(MONGOD_BINARY ? { MONGOD_BINARY } : {}),
      DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: origin,
      LOG_LEVEL: 'warn',
    },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const failed = (why: string) => () => reject(new Error(`the product ${why}:\n${output}`));
    const timer = setTimeout(failed('was not ready in time'), START_LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (!output.includes('ready at')) return;
        clearTimeout(timer);
        resolve();
      });
    }
    child.once('exit', failed('ended at start'));
  });
  await ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { origin, stop };
}
