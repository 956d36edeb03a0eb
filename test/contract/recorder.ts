/**
 * A loopback server that writes down what it is asked, for comparing our requests with those of a vendor's own client:
 * the same call through both, field by field.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Recorded {
  readonly method: string;
  readonly path: string;
  /** Decoded, sorted. */
  readonly query: readonly (readonly [string, string])[];
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
}

export interface Recorder {
  readonly origin: string;
  readonly requests: Recorded[];
  /** What is answered; default `{}`. */
  answer: (request: Recorded) => Answer;
  /** What `act` made it receive, in order. An error of `act` is swallowed where `answer` is not what it wants. */
  during(act: () => Promise<unknown>): Promise<Recorded[]>;
  close(): Promise<void>;
}

export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://recorder');
    const recorded: Recorded = {
      method: request.method ?? '',
      path: url.pathname,
      query: [...url.searchParams].sort(([a, x], [b, y]) => a.localeCompare(b) || x.localeCompare(y)),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
      ),
      body: Buffer.concat(chunks),
    };
    requests.push(recorded);
    const { status = 200, headers = {}, body = {} } = recorder.answer(recorded);
    const isText = typeof body === 'string' || Buffer.isBuffer(body);
    response.writeHead(status, { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const recorder: Recorder = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: () => ({}),
    async during(act) {
      const before = requests.length;
      await act();
      return requests.slice(before);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return recorder;
}

export interface Comparison {
  /** Headers that must be equal besides method, path, query and body; lower-case. */
  readonly headers?: readonly string[];
  /** Query parameters that only the vendor's client sends and that change nothing (`alt`, `prettyPrint`). */
  readonly ignoreQuery?: readonly string[];
  /** How the body is read; default JSON when there is one. */
  readonly body?: (request: Recorded) => unknown;
}

/** What counts of a request, for `expect(essence(ours)).toEqual(essence(theirs))`. */
export function essence(request: Recorded | undefined, comparison: Comparison = {}): unknown {
  if (!request) return null;
  const { headers = [], ignoreQuery = [], body = jsonBody } = comparison;
  return {
    method: request.method,
    path: decodeURIComponent(request.path),
    query: request.query.filter(([name]) => !ignoreQuery.includes(name)),
    headers: Object.fromEntries(headers.map((name) => [name, request.headers[name]])),
    body: body(request),
  };
}

export function jsonBody(request: Recorded): unknown {
  return request.body.byteLength === 0 ? null : JSON.parse(request.body.toString('utf8'));
}
