/** What the app and the operator's command line both need: a database, keys, and services on top. */
import { randomUUID } from 'node:crypto';
import { createModels, ensureIndexes } from '../models/index.js';
import type { Config } from './config.js';
import { loadConnector } from './connectors/catalogue.js';
import { CompanySignIn } from './credentials/company-sign-in.js';
import { loadOrCreateKeyText } from './credentials/key-file.js';
import { parseKeyRing } from './credentials/key-ring.js';
import { connectDatabase, type Database } from './database/connect.js';
import { startEmbeddedMongod } from './database/embedded.js';
import { probeDatabase } from './database/probe.js';
import type { Logger } from './log.js';
import { createOutbound } from './net/safe-fetch.js';
import type { Dependencies } from './services/dependencies.js';
import type { Directory } from './services/directory.js';
import { createServices, type Services } from './services/index.js';
import { Signals } from './services/signals.js';

export interface OpenDatabase {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** Connects to `MONGODB_URI`, or brings up a mongod of our own under `DATA_DIR`; waits for one that is away. */
export async function openDatabase(config: Config, log: Logger, signal?: AbortSignal): Promise<OpenDatabase> {
  const embedded = config.mongodbUri
    ? null
    : await startEmbeddedMongod({ dataDir: config.dataDir, log, env: process.env });
  const uri = config.mongodbUri ?? embedded?.uri ?? '';
  try {
    const database = await connectDatabase({ uri, log, ...(signal ? { signal } : {}) });
    await probeDatabase(database.background);
    return {
      database,
      close: async () => {
        await database.close();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

export interface Connected {
  readonly services: Services;
  readonly deps: Dependencies;
  readonly close: () => Promise<void>;
}

/** Services of one workspace on an open database. */
export async function connectServices(
  config: Config,
  database: Database,
  workspace: { readonly id: string; readonly directory: Directory },
  log: Logger,
): Promise<Connected> {
  const models = createModels(database.connection);
  await ensureIndexes(createModels(database.background));
  const keyText = config.encryptionKeys ?? (await loadOrCreateKeyText(config.dataDir));
  const outbound = createOutbound({ allowPrivate: config.allowPrivate, log });
  const deps: Dependencies = {
    workspaceId: workspace.id,
    processId: `${process.pid}-${randomUUID().slice(0, 8)}`,
    publicUrl: config.publicUrl,
    models,
    clock: database.clock,
    keys: parseKeyRing(keyText),
    outbound,
    directory: workspace.directory,
    signals: new Signals(),
    log,
    endpoints: config.endpoints,
    commands: config.commands,
    companySignIn: config.stepUp ? new CompanySignIn(config.stepUp, outbound, log) : null,
    connector: loadConnector,
    configuredRoles: config.roles,
  };
  return { services: createServices(deps), deps, close: () => outbound.close() };
}
