import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

const EMBEDDED = pathToFileURL(
  fileURLToPath(new URL('../../dist/src/database/embedded.js', import.meta.url)),
).href;

/** Starts the embedded server, says how that went, ignores Ctrl-C, and stops when its input ends. */
const PROGRAM = `
import { startEmbeddedMongod } from ${JSON.stringify(EMBEDDED)};
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
process.on('SIGINT', quiet);
process.stdin.on('end', async () => { await server?.stop(); process.exit(0); }).resume();
let server;
try {
  server = await startEmbeddedMongod({ dataDir: process.argv[1], log, env: process.env });
  console.log(JSON.stringify({ uri: server.uri }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
`;

/** An app of its own, as far as the folder is concerned: a process that runs the built embedded server. */
export interface OtherApp {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The connection string, if the server started. */
  readonly uri: string | undefined;
  /** The message, if it did not. */
  readonly error: string | undefined;
  /** Ends it in order. */
  quit(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export async function startOtherApp(dataDir: string): Promise<OtherApp> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // A group of its own, as a shell gives to what it runs: Ctrl-C reaches the whole group.
    detached: true,
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    ended.then(() => '{"error":"it ended at once"}'),
  ]);
  const said = JSON.parse(line) as { uri?: string; error?: string };
  return {
    process: child,
    pid: child.pid ?? 0,
    uri: said.uri,
    error: said.error,
    quit: async () => {
      child.stdin.end();
      await ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
