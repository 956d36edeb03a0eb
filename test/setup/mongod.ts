import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedMongod } from '../../src/database/embedded.js';
import type { Logger } from '../../src/log.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The run's MongoDB server; its database is to be named by the test. */
    mongoUri: string;
  }
}

const quiet = (): void => {};
const toConsole = (fields: object, message: string): void => console.warn(message, fields);
const log: Logger = { debug: quiet, info: quiet, warn: toConsole, error: toConsole };

/** One MongoDB server per test run: the app's own embedded one, or the one that MONGODB_URI_TEST names. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.MONGODB_URI_TEST;
  if (given) return offer(project, given);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'siesta-test-'));
  const server = await startEmbeddedMongod({ dataDir, log, env: process.env });
  offer(project, server.uri);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

/** Tests get it by `inject('mongoUri')`, the programs they start from the environment. */
function offer(project: TestProject, uri: string): undefined {
  project.provide('mongoUri', uri);
  process.env.SIESTA_TEST_MONGODB_URI = uri;
}
