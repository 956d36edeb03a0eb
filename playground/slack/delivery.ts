import { randomUUID } from 'node:crypto';
import type { Faults } from './faults.js';
import { HttpPush } from './http-push.js';
import { type DeliveryKind, type DeliveryRecord, type Fields, fieldsOf, stringOf } from './protocol.js';
import type { SocketLink } from './socket-link.js';
import type { Ack, Outgoing, Transport } from './transport.js';
import type { Workspace } from './workspace.js';

export type DeliverTo =
  | { readonly mode: 'socket' }
  | {
      readonly mode: 'http';
      /** One address, or one for each process of the app. */
      readonly url: string | readonly string[];
      /** The workspace's own when left out. */
      readonly signingSecret?: string;
    };

/** No 2xx in three seconds: again at once, after a minute, after five minutes. */
export const EVENT_RETRY_DELAYS_MS: readonly number[] = [0, 60_000, 300_000];

export interface DeliveryOptions {
  readonly workspace: Workspace;
  readonly faults: Faults;
  readonly socket: SocketLink;
  readonly signingSecret: string;
  readonly eventRetryDelaysMs: readonly number[];
  readonly ackLimitMs: number;
}

/** Brings payloads to the app over the transport in use, writes down how long each took, and repeats events. */
export class Delivery {
  private readonly options: DeliveryOptions;
  private readonly timers = new Set<NodeJS.Timeout>();
  private transport: Transport;
  private closed = false;

  constructor(options: DeliveryOptions, to: DeliverTo) {
    this.options = options;
    this.transport = this.transportFor(to);
  }

  private transportFor(to: DeliverTo): Transport {
    if (to.mode === 'socket') return this.options.socket;
    const urls = typeof to.url === 'string' ? [to.url] : to.url;
    return new HttpPush(urls, to.signingSecret ?? this.options.signingSecret, this.options.ackLimitMs);
  }

  deliverTo(to: DeliverTo): void {
    this.transport = this.transportFor(to);
  }

  /** A command or an interaction: sent once (twice under `duplicate_delivery`), answered by the first ack. */
  async interact(kind: 'slash_commands' | 'interactive', payload: Fields, via?: number): Promise<Ack> {
    const out: Outgoing = { kind, payload, id: randomUUID(), ...(via === undefined ? {} : { via }) };
    const copies = this.options.faults.strike(kind, true) ? 2 : 1;
    const acks = Array.from({ length: copies }, (_, copy) => this.attempt(out, 1, copy > 0));
    const [first] = acks;
    if (!first) throw new Error('nothing was sent');
    return first;
  }

  /** An Events API delivery, with its retries; resolves with the first attempt's outcome. */
  async event(payload: Fields, via?: number): Promise<Ack> {
    const out: Outgoing = {
      kind: 'events_api',
      payload,
      id: randomUUID(),
      ...(via === undefined ? {} : { via }),
    };
    const first = this.attempt(out, 1, false);
    if (this.options.faults.strike('events_api', true)) void this.attempt(out, 1, true);
    void first.then((ack) => this.retry(out, ack, 0));
    return first;
  }

  private retry(out: Outgoing, ack: Ack, done: number): void {
    const delay = this.options.eventRetryDelaysMs[done];
    if (ack.ok || ack.noRetry || delay === undefined || this.closed) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      const again: Outgoing = { ...out, id: randomUUID(), retry: { num: done + 1, reason: ack.reason } };
      void this.attempt(again, done + 2, false).then((next) => this.retry(out, next, done + 1));
    }, delay);
    timer.unref();
    this.timers.add(timer);
  }

  private async attempt(out: Outgoing, attempt: number, duplicate: boolean): Promise<Ack> {
    const { workspace } = this.options;
    const started = performance.now();
    const record: DeliveryRecord = {
      at: workspace.clock(),
      kind: out.kind,
      what: nameOf(out.kind, out.payload),
      id: stringOf(out.payload.event_id) || out.id,
      attempt,
      duplicate,
    };
    workspace.log(workspace.deliveries, record);
    const ack = await this.transport.send(out);
    record.ack_ms = Math.round(performance.now() - started);
    if (ack.ok) record.ack = ack.body;
    else record.error = ack.detail ? `${ack.error} (${ack.detail})` : ack.error;
    workspace.changed();
    return ack;
  }

  close(): void {
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
  }
}

function nameOf(kind: DeliveryKind, payload: Fields): string {
  if (kind === 'slash_commands') return stringOf(payload.command);
  return kind === 'events_api' ? stringOf(fieldsOf(payload.event).type) : stringOf(payload.type);
}
