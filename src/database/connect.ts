import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import mongodb from 'mongodb';
import mongoose from 'mongoose';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { type Clock, createDatabaseClock } from './clock.js';

/** The app's database, with one client for people who wait and one for work that may take its time. */
export interface Database {
  /** For everything a person or an agent waits for: gives up within about 3 s, so that G10 holds. */
  readonly connection: mongoose.Connection;
  /** For index builds, exports, change streams and agenda: waits. */
  readonly background: mongoose.Connection;
  /** The database's own time. */
  readonly clock: Clock;
  /** Rejects with AppError `unavailable` when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly uri: string;
  readonly log: Logger;
  /** Default: the one named in `uri`, else `DATABASE_NAME`. */
  readonly dbName?: string;
  /** Ends the wait for a database that cannot be reached. */
  readonly signal?: AbortSignal;
}

/** Both clients: what is acknowledged is on disk on a majority, and what is read will not be rolled back. */
const DURABLE = {
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  retryWrites: true,
  heartbeatFrequencyMS: 2_000,
  // Mongoose: an operation without a connection fails instead of waiting in memory; indexes are built at start.
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
} as const satisfies mongoose.ConnectOptions;

/**
 * The driver's `timeoutMS` has no effect in 7.8; these do. Shorter than shared/RELIABILITY.md's values to start from: on
 * a frozen server the driver retries once, so an operation takes up to `socketTimeoutMS` plus the longer of the others
 * but `connectTimeoutMS`. Measured: 3.5 s with 2 500 and 2 000, against G10's 3 s; 2.5 s with these.
 */
const FAST = {
  ...DURABLE,
  serverSelectionTimeoutMS: 1_500,
  connectTimeoutMS: 2_000,
  socketTimeoutMS: 1_250,
  waitQueueTimeoutMS: 1_500,
  // Two at a time (the driver's default) is too slow for a burst of calls on a busy machine.
  maxConnecting: 8,
  minPoolSize: 4,
} as const satisfies mongoose.ConnectOptions;

const PATIENT = {
  ...DURABLE,
  serverSelectionTimeoutMS: 30_000,
  connectTimeoutMS: 10_000,
  socketTimeoutMS: 0,
  maxPoolSize: 20,
} as const satisfies mongoose.ConnectOptions;

/** Where our data goes unless the connection string says otherwise; the driver would take `test`. */
export const DATABASE_NAME = 'siesta_connections';

const RETRY_MS = 1_000;
/** A database that stays away is mentioned this often. */
const REMIND_EVERY_MS = 15_000;

/**
 * Connects, and waits for a database that cannot be reached, with a log line now and then, until `signal` fires.
 * After an outage the clients find the database again by themselves.
 * Throws the signal's reason when it fires, and an Error at once when waiting is no use: a connection string that cannot
 * be read, or refused credentials. No message holds the password.
 */
export async function connectDatabase(options: ConnectOptions): Promise<Database> {
  const { uri, log, signal } = options;
  const dbName = options.dbName ?? namedDatabase(uri) ?? DATABASE_NAME;
  const connection = await connectPatiently(uri, { ...FAST, dbName }, log, signal);
  const opened = [connection];
  try {
    const background = await connectPatiently(uri, { ...PATIENT, dbName }, log, signal);
    opened.push(background);
    const readServerTime = async (): Promise<Date> =>
      (await serverCommand(connection, { hello: 1 })).localTime;
    const clock = await createDatabaseClock({ readServerTime, log });
    log.info({ uri: redactUri(uri), database: connection.name }, 'Database: connected');
    return {
      connection,
      background,
      clock,
      ping: async () => {
        await serverCommand(connection, { ping: 1 }).catch((cause: unknown) => {
          throw new AppError('unavailable', 'The database does not answer.', { cause });
        });
      },
      close: async () => {
        clock.stop();
        await Promise.all(opened.map((each) => each.close()));
      },
    };
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
}

/** A connection string fit for a log: no user, no password, no options (some hold secrets). */
export function redactUri(uri: string): string {
  return uri.replace(/\/\/.*@/s, '//***@').replace(/\?.*$/s, '');
}

function namedDatabase(uri: string): string | undefined {
  return /^[^/]+\/\/[^/]+\/(.+)$/.exec(redactUri(uri))?.[1];
}

async function serverCommand(
  connection: mongoose.Connection,
  command: mongodb.Document,
): Promise<mongodb.Document> {
  if (!connection.db) throw new AppError('unavailable', 'The database is not connected.');
  return connection.db.command(command);
}

async function connectPatiently(
  uri: string,
  options: mongoose.ConnectOptions,
  log: Logger,
  signal?: AbortSignal,
): Promise<mongoose.Connection> {
  const start = performance.now();
  let remindedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    signal?.throwIfAborted();
    const connection = mongoose.createConnection();
    try {
      await interruptible(connection.openUri(uri, options), signal);
      return connection;
    } catch (error) {
      // Not awaited when interrupted: the attempt under way ends by its own limit.
      const closing = connection.destroy(true).catch(() => undefined);
      signal?.throwIfAborted();
      await closing;
      if (isHopeless(error))
        throw new Error(`The database at ${redactUri(uri)} refuses: ${messageOf(error, uri)}`);
      const now = performance.now();
      if (now - remindedAt >= REMIND_EVERY_MS) {
        remindedAt = now;
        const waited = `${Math.round((now - start) / 1_000)} s`;
        log.warn(
          { uri: redactUri(uri), waited, reason: messageOf(error, uri) },
          'Database: cannot be reached; trying on',
        );
      }
    }
    await interruptible(sleep(RETRY_MS), signal);
  }
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it fires. */
async function interruptible<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  let interrupt = (): void => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => reject(signal.reason);
    signal.addEventListener('abort', interrupt, { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

/** AuthenticationFailed, and the same from Atlas. */
const REFUSED_CREDENTIALS: ReadonlySet<unknown> = new Set([18, 8000]);

/** Whether no waiting will help: the connection string is wrong, or the server refuses us. */
function isHopeless(error: unknown): boolean {
  if (error instanceof mongodb.MongoServerError) return REFUSED_CREDENTIALS.has(error.code);
  if (error instanceof mongodb.MongoAPIError || error instanceof mongodb.MongoRuntimeError) return true;
  // The parser of connection strings has a class of this name of its own, apart from the driver's.
  return error instanceof Error && error.name === 'MongoParseError';
}

function messageOf(error: unknown, uri: string): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(uri, redactUri(uri));
}
