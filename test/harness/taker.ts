/** Runs executions from a second operating-system process, at a moment of the test's choosing. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WORKSPACE, type World } from './app-process.js';

const PROGRAM = fileURLToPath(new URL('./taker-process.mjs', import.meta.url));

export interface Taker {
  /** Claims and runs them at the given time (milliseconds since 1970). */
  take(ids: readonly string[], at: number): void;
  stop(): Promise<void>;
}

export async function startTaker(world: World): Promise<Taker> {
  const env = {
    ...world.env,
    LOG_LEVEL: 'error',
    PUBLIC_URL: 'http://127.0.0.1:1',
    OUTBOUND_ALLOW_PRIVATE: world.allowPrivate.join(','),
    TAKER_WORKSPACE: WORKSPACE,
  };
  const child = fork(PROGRAM, { env, execArgv: [] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the taker ended at start with ${code}`)));
  });
  return {
    take: (ids, at) => void child.send({ ids, at }),
    stop: async () => {
      child.disconnect();
      await exited;
    },
  };
}
