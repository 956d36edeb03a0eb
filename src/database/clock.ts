import { performance } from 'node:perf_hooks';
import type { Logger } from '../log.js';

/** What time it is, for deadlines that more than one process compares. */
export interface Clock {
  now(): Date;
  /** This machine's clock minus this clock, in milliseconds; positive when this machine is ahead. */
  skewMs(): number;
}

/** This machine's own clock, for places that have no database. */
export const systemClock: Clock = { now: () => new Date(), skewMs: () => 0 };

export interface DatabaseClock extends Clock {
  /** Reads the database's time now. Rejects with the reader's error; the clock then goes on as it was. */
  refresh(): Promise<void>;
  /** Ends the periodic reading; the clock stays usable. */
  stop(): void;
}

export interface DatabaseClockOptions {
  /** Asks the database for its time: `localTime` of the command `hello`. */
  readonly readServerTime: () => Promise<Date>;
  readonly log: Logger;
  /** Time between two readings; default 10 s. */
  readonly intervalMs?: number;
  /** This machine's clock and its monotonic timer, in milliseconds. */
  readonly wallNow?: () => number;
  readonly monotonicNow?: () => number;
}

const INTERVAL_MS = 10_000;
/** A slower answer says too little about when it was given: it is off by up to half its round trip. */
const ROUND_TRIP_LIMIT_MS = 1_000;
/** Readings differ by their round trips; a step back by more than this means that the database's clock was set. */
const JITTER_LIMIT_MS = 2_000;

/**
 * A clock that shows the database's time, so that deadlines written by instances with wrong clocks agree (G12).
 * Between readings it runs on the monotonic timer: setting this machine's clock does not move it. It does not go
 * backwards, unless the database's clock was set back.
 * Resolves after the first reading; rejects with the reader's error if that one fails.
 */
export async function createDatabaseClock(options: DatabaseClockOptions): Promise<DatabaseClock> {
  const { readServerTime, log, intervalMs = INTERVAL_MS, wallNow = Date.now } = options;
  const monotonicNow = options.monotonicNow ?? (() => performance.now());
  /** Database time minus the monotonic timer. */
  let offset: number | undefined;
  let latest = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let failing = false;

  const refresh = async (): Promise<void> => {
    const sent = monotonicNow();
    const serverTime = (await readServerTime()).getTime();
    const received = monotonicNow();
    if (offset !== undefined && received - sent > ROUND_TRIP_LIMIT_MS) return;
    offset = serverTime - (sent + received) / 2;
  };

  const now = (): number => {
    const reading = monotonicNow() + (offset ?? 0);
    const jitter = reading < latest && latest - reading <= JITTER_LIMIT_MS;
    latest = jitter ? latest : reading;
    return Math.round(latest);
  };

  const scheduleNext = (): void => {
    if (stopped) return;
    setTimeout(async () => {
      try {
        await refresh();
        failing = false;
      } catch (err) {
        if (!failing && !stopped)
          log.warn({ err }, "The database's clock cannot be read; going on with the last reading");
        failing = true;
      }
      scheduleNext();
    }, intervalMs).unref();
  };

  await refresh();
  scheduleNext();
  return {
    now: () => new Date(now()),
    skewMs: () => wallNow() - now(),
    refresh,
    stop: () => {
      stopped = true;
    },
  };
}
