import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { fieldsOf, isFields, stringOf } from './protocol.js';
import { ACK_LIMIT_MS, type Ack, type Outgoing, type Transport } from './transport.js';

/** An app may hold ten connections. */
const CONNECTIONS = 10;
/** The client gives a connection up after 30 s without a ping. */
const PING_MS = 10_000;
/** How long a client may take to answer a close frame. */
const GOODBYE_MS = 200;

/**
 * Socket Mode: tickets from apps.connections.open, `hello`, envelopes, acks by envelope id, `disconnect`.
 * Of several connections each envelope goes to one, in turn.
 */
export class SocketLink implements Transport {
  private readonly server = new WebSocketServer({ noServer: true });
  private readonly tickets = new Set<string>();
  private readonly open: WebSocket[] = [];
  private readonly pending = new Map<string, (ack: Ack) => void>();
  private readonly appId: string;
  private readonly changed: () => void;
  private readonly ackLimitMs: number;
  private turn = 0;

  constructor(appId: string, changed: () => void, ackLimitMs = ACK_LIMIT_MS) {
    this.appId = appId;
    this.changed = changed;
    this.ackLimitMs = ackLimitMs;
  }

  get connections(): number {
    return this.open.length;
  }

  /** A ticket for one connection. */
  ticket(): string {
    const ticket = randomBytes(12).toString('hex');
    this.tickets.add(ticket);
    return ticket;
  }

  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, ticket: string | null): void {
    if (ticket === null || !this.tickets.delete(ticket) || this.open.length >= CONNECTIONS) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.server.handleUpgrade(req, socket, head, (connection) => this.accept(connection));
  }

  private accept(connection: WebSocket): void {
    this.open.push(connection);
    const ping = setInterval(() => connection.ping(), PING_MS);
    ping.unref();
    connection.on('message', (data) => this.receive(String(data)));
    connection.on('error', () => connection.terminate());
    connection.on('close', () => {
      clearInterval(ping);
      this.forget(connection);
      this.changed();
    });
    connection.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.open.length,
        debug_info: { host: 'playground', build_number: 1, approximate_connection_time: 18_060 },
        connection_info: { app_id: this.appId },
      }),
    );
    this.changed();
  }

  private forget(connection: WebSocket): void {
    const at = this.open.indexOf(connection);
    if (at >= 0) this.open.splice(at, 1);
  }

  private receive(text: string): void {
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      return;
    }
    const { envelope_id, payload } = fieldsOf(answer);
    const settle = this.pending.get(stringOf(envelope_id));
    const empty = isFields(payload) && Object.keys(payload).length === 0;
    settle?.({ ok: true, body: empty ? undefined : payload });
  }

  /** The same envelope sent twice at once needs one answer: the first ack settles both. */
  send(out: Outgoing): Promise<Ack> {
    const index = out.via ?? this.turn++ % Math.max(1, this.open.length);
    const connection = this.open[index];
    if (!connection) {
      return Promise.resolve({
        ok: false,
        error: 'dispatch_failed',
        reason: 'connection_failed',
        detail: 'no Socket Mode connection is open',
      });
    }
    return new Promise((resolve) => {
      const earlier = this.pending.get(out.id);
      const timer = setTimeout(() => {
        this.pending.delete(out.id);
        resolve({ ok: false, error: 'operation_timeout', reason: 'timeout' });
      }, this.ackLimitMs);
      timer.unref();
      this.pending.set(out.id, (ack) => {
        clearTimeout(timer);
        this.pending.delete(out.id);
        resolve(ack);
        earlier?.(ack);
      });
      connection.send(
        JSON.stringify({
          envelope_id: out.id,
          type: out.kind,
          payload: out.payload,
          accepts_response_payload: out.kind !== 'events_api',
          ...(out.kind === 'events_api'
            ? { retry_attempt: out.retry?.num ?? 0, retry_reason: out.retry?.reason ?? '' }
            : {}),
        }),
      );
    });
  }

  /** What Slack does every few hours: announces the end of each connection and closes it. */
  refresh(reason: 'refresh_requested' | 'warning' | 'link_disabled' = 'refresh_requested'): void {
    for (const connection of [...this.open]) {
      connection.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'playground' } }));
      if (reason === 'warning') continue;
      this.forget(connection);
      connection.close(1000);
    }
    this.changed();
  }

  /** Cuts every connection without a word, as a broken network does. */
  cut(): void {
    for (const connection of this.open.splice(0)) connection.terminate();
    this.changed();
  }

  /** Says goodbye, so that a client that is leaving as well does not take it for an accident. */
  close(): void {
    for (const connection of this.open.splice(0)) {
      connection.close(1001);
      setTimeout(() => connection.terminate(), GOODBYE_MS).unref();
    }
    this.server.close();
    for (const settle of [...this.pending.values()]) {
      settle({
        ok: false,
        error: 'dispatch_failed',
        reason: 'connection_failed',
        detail: 'workspace closed',
      });
    }
  }
}
