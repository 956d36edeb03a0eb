/**
 * Recurring, idempotent sweepers on agenda, used only as shared/RELIABILITY.md 3.4 says: all truth is in our own
 * documents, each item is taken by compare-and-set, and no approved write ever runs as a job. Two at once are
 * harmless; one that is skipped is caught up by the next.
 */
import { MongoBackend } from '@agendajs/mongo-backend';
import { Agenda } from 'agenda';
import type { Connection } from 'mongoose';
import type { Logger } from '../log.js';
import type { Services } from '../services/index.js';

interface Sweeper {
  readonly name: string;
  readonly everyMs: number;
  readonly sweep: (services: Services) => Promise<void>;
}

const SWEEPERS: readonly Sweeper[] = [
  { name: 'sweep:queued', everyMs: 2_000, sweep: (services) => services.recovery.claimQueued() },
  { name: 'sweep:abandoned', everyMs: 5_000, sweep: (services) => services.recovery.endAbandoned() },
  { name: 'sweep:unasked', everyMs: 5_000, sweep: (services) => services.recovery.announcePending() },
  { name: 'sweep:approvals', everyMs: 5_000, sweep: (services) => services.recovery.settleApprovals() },
  { name: 'sweep:pauses', everyMs: 5_000, sweep: (services) => services.pauses.reconcile() },
  { name: 'sweep:reminders', everyMs: 5_000, sweep: (services) => services.reminders.sweep() },
  { name: 'sweep:delegations', everyMs: 5_000, sweep: (services) => services.delegationCards.follow() },
  { name: 'sweep:cards', everyMs: 10_000, sweep: (services) => services.cardRepair.sweep() },
  { name: 'sweep:report', everyMs: 600_000, sweep: (services) => services.loadReports.sendWeekly() },
  {
    name: 'sweep:retention',
    everyMs: 3_600_000,
    sweep: async (services) =>
      services.recovery.dropOldPayloads((await services.settings.get()).retentionDays),
  },
];

const COLLECTION = 'agenda_jobs';
/** How often agenda looks. Numbers, never words: '200 milliseconds' was read as 200 seconds (shared/STACK.md). */
const PROCESS_EVERY_MS = 1_000;
/** A sweeper that died with its process holds up the next one for this long; two at once would be harmless. */
const LOCK_MS = 8_000;

export interface Sweeping {
  stop(): Promise<void>;
}

/** Starts the sweepers on an open database, and runs each once at once: after a crash nobody waits for the clock. */
export async function startSweepers(
  connection: Connection,
  services: Services,
  log: Logger,
): Promise<Sweeping> {
  const { db } = connection;
  if (!db) throw new Error('the database is not connected');
  // Agenda's own upserts can insert twice under concurrency; the index makes sure that they cannot.
  await db
    .collection(COLLECTION)
    .createIndex(
      { name: 1 },
      { unique: true, partialFilterExpression: { type: 'single' }, name: 'one_per_sweeper' },
    );
  const agenda = new Agenda({
    backend: new MongoBackend({ mongo: db, collection: COLLECTION }),
    processEvery: PROCESS_EVERY_MS,
    defaultConcurrency: 1,
    defaultLockLimit: 1,
    defaultLockLifetime: LOCK_MS,
    removeOnComplete: true,
  });
  agenda.on('error', (error: unknown) => log.warn({ err: error }, 'agenda'));

  const run = async ({ name, sweep }: Sweeper): Promise<void> => {
    try {
      await sweep(services);
    } catch (error) {
      log.warn({ err: error, sweeper: name }, 'sweep failed; the next one catches up');
    }
  };
  for (const sweeper of SWEEPERS) {
    // One parameter: agenda takes a handler with two for callback style, and it would never end.
    agenda.define(sweeper.name, async (_job) => run(sweeper), { removeOnComplete: false });
  }
  await agenda.start();
  for (const { name, everyMs } of SWEEPERS) {
    // Declaring a job that exists unlocks it while it runs (RELIABILITY.md, "Read this first" 3).
    const stored = await db.collection(COLLECTION).findOne({ name, type: 'single', repeatInterval: everyMs });
    if (!stored) await agenda.every(everyMs, name).catch(() => undefined);
  }
  await Promise.all(SWEEPERS.map(run));
  return {
    stop: async () => {
      await agenda.stop(false);
    },
  };
}
