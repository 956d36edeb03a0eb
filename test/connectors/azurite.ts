/** Azurite as a process of its own, in memory, on a free port, with an account whose key is an obvious fake. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

export const ACCOUNT = 'siestatest';
export const ACCOUNT_KEY = Buffer.from('fake-account-key-canary-1').toString('base64');
export const CONNECTION_STRING = `DefaultEndpointsProtocol=https;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};EndpointSuffix=core.windows.net`;

export interface Azurite {
  /** `http://127.0.0.1:PORT/siestatest` */
  readonly accountUrl: string;
  close(): Promise<void>;
}

export async function startAzurite(): Promise<Azurite> {
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const child = spawn(
    process.execPath,
    [program, '--inMemoryPersistence', '--blobPort', '0', '--silent', '--disableTelemetry'],
    {
      env: { PATH: process.env.PATH ?? '', AZURITE_ACCOUNTS: `${ACCOUNT}:${ACCOUNT_KEY}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  // A hook that gave up must not leave it behind.
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const origin = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
      const found = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => reject(new Error(`Azurite ended: ${said}`)));
  });
  return {
    accountUrl: `${origin}/${ACCOUNT}`,
    async close() {
      process.off('exit', end);
      end();
      await exited;
    },
  };
}
