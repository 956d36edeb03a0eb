/**
 * A server program that runs only once somebody connects to it: its port is there from the beginning and costs nothing,
 * and the first connection starts the program and waits for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { projectFile } from './project-file.js';

export interface ServerProgram {
  /** Path of its JavaScript. */
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Done before the first connection comes through. */
  readonly prepare?: (origin: string) => Promise<void>;
}

export interface OnDemand {
  readonly origin: string;
  /** Ends the program, too. */
  close(): Promise<void>;
}

/** @param port 0 for any free one */
export async function startOnDemand(port: number, program: ServerProgram): Promise<OnDemand> {
  const sockets = new Set<Socket>();
  let running: Promise<Running> | undefined;

  const wake = (): Promise<Running> => {
    running ??= run(program, () => {
      running = undefined;
    });
    return running;
  };

  const server = createServer(async (socket) => {
    keep(socket);
    try {
      const target = connect((await wake()).port, '127.0.0.1');
      keep(target);
      socket.pipe(target).pipe(socket);
      socket.once('close', () => target.destroy());
      target.once('close', () => socket.destroy());
    } catch (error) {
      console.warn(`A playground service did not start: ${error instanceof Error ? error.message : error}`);
      socket.destroy();
    }
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    // Whoever hung up on the other side says so there.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      const child = await running?.catch(() => undefined);
      await child?.end();
    },
  };
}

interface Running {
  readonly port: number;
  end(): Promise<void>;
}

/** Resolves when it listens and is prepared. Error: it ended instead, with the last it wrote. */
async function run(program: ServerProgram, ended: () => void): Promise<Running> {
  const preload = pathToFileURL(projectFile('dist', 'playground', 'child-server.js')).href;
  const child = spawn(process.execPath, ['--import', preload, program.path, ...(program.args ?? [])], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH ?? '', ...program.env },
  });
  child.once('exit', ended);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = (): Promise<void> => {
    child.kill('SIGKILL');
    return exited;
  };
  try {
    const port = await listening(child);
    await program.prepare?.(`http://127.0.0.1:${port}`);
    return { port, end };
  } catch (error) {
    await end();
    throw error;
  }
}

const START_LIMIT_MS = 30_000;

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (): void => reject(new Error(`it ended at its start: ${said.slice(-500)}`));
    const timer = setTimeout(() => reject(new Error('it took too long')), START_LIMIT_MS);
    // What it writes is read to the end: a full pipe would stop it.
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2_000);
    });
    child.once('error', reject).once('exit', fail);
    child.once('message', ({ port }: { port: number }) => {
      clearTimeout(timer);
      child.off('exit', fail);
      resolve(port);
    });
    child.once('exit', () => clearTimeout(timer));
  });
}
