/** The product as a newcomer starts it: no Slack tokens, so the playground comes with it. One folder survives restarts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folder.js';

/** The first start in a fresh place also unpacks a database server. */
const START_LIMIT_MS = 100_000;
const STOP_LIMIT_MS = 15_000;

export interface RunningProduct {
  /** From the spawn to the line that says it is ready, by our clock. */
  readonly startedInMs: number;
  /** What it wrote to standard output so far. */
  readonly lines: () => string[];
  /** Ends it the way a terminal or a supervisor does; the exit code. */
  readonly stop: () => Promise<number | null>;
}

/** Starts it, and resolves when it says that it is ready. Error: it ended, or took too long; with all it wrote. */
export async function startProduct(port: number, dataDir: string): Promise<RunningProduct> {
  const startedAt = performance.now();
  const { PATH = '', HOME = '', MONGOD_BINARY } = process.env;
  const child = spawn(process.execPath, [join(projectFolder(), 'dist', 'src', 'main.js')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, ...(MONGOD_BINARY ? { MONGOD_BINARY } : {}), DATA_DIR: dataDir, PORT: String(port) },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    const code = await ended;
    clearTimeout(impatient);
    return code;
  };
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (why: string) => (): void => reject(new Error(`the product ${why}:\n${output}${errors}`));
    const timer = setTimeout(fail('was not ready in time'), START_LIMIT_MS);
    child.once('exit', fail('ended at start'));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!/ ready at .+\n/.test(output)) return;
      clearTimeout(timer);
      resolve();
    });
  });
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    startedInMs: performance.now() - startedAt,
    lines: () => output.trimEnd().split('\n'),
    stop,
  };
}
