/** What the playground's own little services share: a server on loopback that keeps what it receives and fails on demand. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** As UTF-8. */
  readonly body: string;
  readonly bytes: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** `latin1`: the body is bytes, one for each character. */
  readonly encoding?: 'utf8' | 'latin1';
}

/** The connection closes before or after the effect, an error is answered, or nothing ever is. */
export type FailMode = 'close' | 'close-after-effect' | 'error-500' | 'hang';

/** What a test breaks. `applies` says which requests (the document and the sign-in always work). */
export interface Faults {
  /** Milliseconds before every answer. */
  delay: number;
  /** Until it is set back to undefined. */
  fail: FailMode | undefined;
}

export interface Loopback {
  readonly origin: string;
  close(): Promise<void>;
}

/** @param port 0 for any free one */
export async function listen(
  port: number,
  answer: (request: ReceivedRequest) => Promise<Answer> | Answer,
  faults: Faults,
  applies: (request: ReceivedRequest) => boolean,
): Promise<Loopback> {
  const server = createServer((request, response) => {
    void handle(request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else write(response, json(500, { message: error.message }));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(request);
    if (!applies(received)) return write(response, await answer(received));
    if (faults.delay > 0) await sleep(faults.delay);
    const { fail } = faults;
    if (fail === 'close') return void request.socket.destroy();
    if (fail === 'hang') return;
    if (fail === 'error-500') return write(response, json(500, { message: 'Something broke, on purpose.' }));
    const answered = await answer(received);
    if (fail === 'close-after-effect') return void request.socket.destroy();
    write(response, answered);
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const { method = 'GET', url = '/', headers } = request;
  return { method, url, headers, body: bytes.toString('utf8'), bytes };
}

function write(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, answer.headers).end(answer.body, answer.encoding ?? 'utf8');
}

/** A JSON body that is an object; `{}` for anything else. */
export function bodyOf({ body }: ReceivedRequest): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

export function json(status: number, body: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}
