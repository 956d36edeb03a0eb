export type FaultKind =
  | 'rate_limited'
  | 'slow'
  | 'drop'
  | 'server_error'
  | 'error'
  | 'lost_answer'
  | 'duplicate_delivery';

/**
 * A switchable fault. `method` is a Web API method, or for `duplicate_delivery` a delivery kind
 * (`slash_commands`, `interactive`, `events_api`); left out or `*` means every one.
 * `drop` closes the connection before anything happens, `lost_answer` after everything has happened.
 */
export interface Fault {
  readonly method?: string;
  readonly kind: FaultKind;
  /** Seconds, for `rate_limited` (default 1). */
  readonly retry_after?: number;
  /** For `slow` (default 1,000). */
  readonly delay_ms?: number;
  /** Slack's error code, for `error` (default `internal_error`). */
  readonly error?: string;
  /** How often it strikes (default 1); `Infinity` until cleared. */
  readonly times?: number;
}

interface Armed extends Fault {
  left: number;
}

/** The faults that are switched on, and the Retry-After windows that were announced. */
export class Faults {
  private armed: Armed[] = [];
  private readonly windows = new Map<string, number>();

  /** Returns how to switch it off again; windows that it announced last until they end. */
  add(fault: Fault): () => void {
    const armed: Armed = { ...fault, left: fault.times ?? 1 };
    this.armed.push(armed);
    return () => {
      armed.left = 0;
    };
  }

  clear(): void {
    this.armed = [];
    this.windows.clear();
  }

  /** The next fault for this method, counted as struck; duplicates of deliveries are asked for by kind. */
  strike(method: string, delivery = false): Fault | null {
    const fault = this.armed.find(
      (one) =>
        one.left > 0 &&
        (one.kind === 'duplicate_delivery') === delivery &&
        (one.method === undefined || one.method === '*' || one.method === method),
    );
    if (!fault) return null;
    fault.left -= 1;
    return fault;
  }

  announceWindow(method: string, until: number): void {
    this.windows.set(method, until);
  }

  /** Milliseconds that this method still has to wait, 0 when it may be called. */
  remaining(method: string, now: number): number {
    return Math.max(0, (this.windows.get(method) ?? 0) - now);
  }
}
