import type { DeliveryKind, Fields } from './protocol.js';

/** No answer in three seconds and Slack gives up (docs: acknowledge within 3 seconds). */
export const ACK_LIMIT_MS = 3_000;

export interface Outgoing {
  readonly kind: DeliveryKind;
  readonly payload: Fields;
  /** Envelope id over Socket Mode; a duplicate or a retry of an event may carry the same one again. */
  readonly id: string;
  readonly retry?: { readonly num: number; readonly reason: string };
  /** Which of several app processes gets it: an index, or undefined for "the next". */
  readonly via?: number;
}

/** What came of one delivery; `error` is what Slack's client would name. */
export type Ack =
  | { readonly ok: true; readonly body: unknown; readonly noRetry?: true }
  | {
      readonly ok: false;
      readonly error: 'operation_timeout' | 'dispatch_failed';
      /** Slack's word for it in `retry_reason`. */
      readonly reason: 'timeout' | 'http_error' | 'connection_failed';
      readonly detail?: string;
      readonly noRetry?: true;
    };

/** One way to the app. `send` never rejects. */
export interface Transport {
  send(out: Outgoing): Promise<Ack>;
}
