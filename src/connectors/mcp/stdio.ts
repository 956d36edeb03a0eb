/**
 * A server that the operator lets us start (`MCP_COMMANDS`), spoken to over its standard input and output, one JSON
 * message a line (specification 2025-11-25, "stdio"). It lives as long as one call.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import {
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { UpstreamError } from '../../errors.js';

/** Servers end by themselves when their input ends; who does not is ended. */
const PATIENCE_MS = 500;

type ServerProcess = ChildProcessByStdio<Writable, Readable, null>;

export class ProcessTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  private child: ServerProcess | undefined;
  private closing: Promise<void> | undefined;
  /** Holds at most 10 MB without a line break, as answers over HTTP. */
  private readonly received = new ReadBuffer();

  /** @param command program and arguments, as the operator wrote them: no shell reads them */
  constructor(
    private readonly name: string,
    private readonly command: readonly string[],
  ) {}

  /** @throws UpstreamError `not_ready`, definite, when the program cannot be started */
  async start(): Promise<void> {
    try {
      this.child = this.launched();
      await once(this.child, 'spawn');
    } catch {
      this.child = undefined;
      const message = `The program of the MCP server "${this.name}" could not be started. The operator can mend it: MCP_COMMANDS.`;
      throw new UpstreamError('not_ready', message, { definite: true });
    }
    this.child.on('error', (error) => this.onerror?.(error));
  }

  private launched(): ServerProcess {
    const [program = '', ...args] = this.command;
    const child = spawn(program, args, {
      // Our own environment holds keys, and our directory may hold a .env file.
      env: minimalEnvironment(),
      cwd: tmpdir(),
      stdio: ['pipe', 'pipe', 'ignore'],
      shell: false,
      // A process group of its own, so that what it started ends with it.
      detached: true,
    });
    child.stdin.on('error', (error) => this.onerror?.(error));
    child.stdout.on('error', (error) => this.onerror?.(error));
    child.stdout.on('data', (chunk: Buffer) => this.receive(chunk));
    child.on('close', () => this.onclose?.());
    return child;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const input = this.child?.stdin;
    if (!input?.writable)
      throw new UpstreamError('upstream_unavailable', `The MCP server "${this.name}" has ended.`, {
        definite: true,
      });
    input.write(serializeMessage(message));
  }

  /** Ends its input, then the process and whatever it started; whoever asks again waits for the same end. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    this.received.clear();
    if (child?.pid === undefined) return;
    child.stdin.end();
    if (!(await ended(child))) signalGroup(child.pid, 'SIGTERM');
    await ended(child);
    signalGroup(child.pid, 'SIGKILL');
    this.onclose?.();
  }

  private receive(chunk: Buffer): void {
    try {
      this.received.append(chunk);
    } catch (error) {
      if (error instanceof Error) this.onerror?.(error);
      void this.close();
      return;
    }
    for (;;) {
      try {
        const message = this.received.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      } catch (error) {
        // A line that is no message, such as a banner: the next may be one.
        if (error instanceof Error) this.onerror?.(error);
      }
    }
  }
}

function minimalEnvironment(): Record<string, string> {
  const { PATH, HOME } = process.env;
  return { ...(PATH !== undefined && { PATH }), ...(HOME !== undefined && { HOME }) };
}

async function ended(child: ServerProcess): Promise<boolean> {
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (isOver()) return true;
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    await once(child, 'exit', { signal: patience.signal });
  } catch {
    // Too slow; the caller looks again.
  } finally {
    clearTimeout(timer);
  }
  return isOver();
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}
