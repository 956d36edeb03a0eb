import { randomUUID } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { connectDatabase, type Database } from '../../src/database/connect.js';
import type { Logger } from '../../src/log.js';

export interface TestDatabase {
  readonly database: Database;
  /** The run's server; combine with `name`. */
  readonly uri: string;
  readonly name: string;
}

const quiet = (): void => {};
/** A log for tests that do not look at it. */
export const silentLog: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const opened: TestDatabase[] = [];

/** A fresh, empty database on the run's server, dropped and closed after the test file. */
export async function testDatabase(): Promise<TestDatabase> {
  const uri = inject('mongoUri');
  const name = `test_${randomUUID().slice(0, 13).replace('-', '')}`;
  const database = await connectDatabase({ uri, dbName: name, log: silentLog });
  const opening = { database, uri, name };
  opened.push(opening);
  return opening;
}

// At the top of the module, so that it belongs to the file whichever hook called testDatabase.
afterAll(async () => {
  for (const { database } of opened.splice(0)) {
    await database.background.dropDatabase();
    await database.close();
  }
});
