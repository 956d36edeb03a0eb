import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A loopback TCP server that counts what reaches it. */
export interface Recorder {
  readonly port: number;
  readonly connections: () => number;
  /** Everything received, on all connections. */
  readonly received: () => string;
  close(): Promise<void>;
}

/** `onSocket` sees each connection after its first bytes have come in. */
export async function recordTcp(
  onSocket: (socket: Socket) => void = () => {},
  host = '127.0.0.1',
): Promise<Recorder> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let received = '';
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', () => onSocket(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
  });
  return {
    port: await listen(server, host),
    connections: () => connections,
    received: () => received,
    close: () => closeAll(server, sockets),
  };
}

export interface HttpRecorder {
  readonly port: number;
  readonly origin: string;
  readonly requests: readonly {
    method: string;
    url: string;
    headers: IncomingMessage['headers'];
    body: string;
  }[];
  readonly connections: () => number;
  close(): Promise<void>;
}

/** A loopback HTTP server that keeps every request; `answer` answers it. */
export async function recordHttp(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('ok'),
): Promise<HttpRecorder> {
  const requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
  });
  const port = await listen(server, '127.0.0.1');
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close: () => closeAll(server, sockets),
  };
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
