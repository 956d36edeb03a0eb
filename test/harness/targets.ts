/** Systems whose things a call changes: three that take a condition with the write, one that takes none. */
import { BlobServiceClient } from '@azure/storage-blob';
import type { ExecutionDocument } from '../../models/types.js';
import { startAzureStorage } from '../../playground/development-services.js';
import type { Connected } from '../../src/bootstrap.js';
import type { JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { startCalendar } from './calendar.js';
import { RECORDS_DOCUMENT, type Records, startRecords } from './records.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

/** One system; its things have an id and a title. */
export interface TargetSystem {
  readonly name: string;
  /** How a call is held to what the approver saw. */
  readonly held: NonNullable<ExecutionDocument['targetHeld']>;
  readonly origin: string;
  /** For `CONNECTOR_ENDPOINTS`. */
  readonly endpoint: Readonly<Record<string, string>>;
  readonly connection: {
    readonly connector: string;
    readonly auth: string;
    readonly config: Readonly<Record<string, JsonValue>>;
    readonly functions: readonly string[];
    readonly credential?: {
      readonly kind: 'secret' | 'oauth';
      readonly fields: Readonly<Record<string, string>>;
      readonly scopes?: readonly string[];
    };
  };
  /** What a call sets the title to "after" with. */
  readonly call: (id: string) => { function: string; arguments: Record<string, JsonValue> };
  /** Somebody's doing. */
  readonly put: (id: string, title: string) => Promise<unknown> | unknown;
  /** Somebody looks at it: counters and "last opened" move, and nothing else. */
  readonly open: (id: string) => Promise<unknown> | unknown;
  readonly titleOf: (id: string) => Promise<string | undefined> | string | undefined;
  readonly close: () => Promise<void>;
}

export async function restSystem(records: Records, held: TargetSystem['held']): Promise<TargetSystem> {
  const { operations, documentHash } = await importOpenApi(RECORDS_DOCUMENT);
  return {
    name: `a REST API ${held === 'condition' ? 'with' : 'without'} ETags`,
    held,
    origin: records.origin,
    endpoint: {},
    connection: {
      connector: 'rest',
      auth: 'none',
      config: {
        base_url: records.origin,
        operations: operations.map((operation) => ({ ...operation })),
        document_hash: documentHash,
      },
      functions: ['change_record'],
    },
    call: (id) => ({ function: 'change_record', arguments: { id, title: 'after' } }),
    put: (id, title) => records.put({ id, title, state: 'open' }),
    open: (id) => records.open(id),
    titleOf: (id) => records.get(id)?.title,
    close: () => records.close(),
  };
}

export async function calendarSystem(): Promise<TargetSystem> {
  const calendar = await startCalendar();
  const scopes = ['https://www.googleapis.com/auth/calendar.events'];
  return {
    name: 'Google Calendar',
    held: 'condition',
    origin: calendar.origin,
    endpoint: { google_calendar: calendar.origin },
    connection: {
      connector: 'google_calendar',
      auth: 'oauth',
      config: {},
      functions: ['update_event'],
      credential: { kind: 'oauth', fields: { access_token: 'fake-calendar-token' }, scopes },
    },
    call: (id) => ({ function: 'update_event', arguments: { event_id: id, summary: 'after' } }),
    put: calendar.put,
    open: (id) => fetch(`${calendar.origin}/calendar/v3/calendars/primary/events/${id}`),
    titleOf: calendar.summaryOf,
    close: () => calendar.close(),
  };
}

export async function azureSystem(): Promise<TargetSystem> {
  const azurite = await startAzureStorage(0);
  if (azurite === null) throw new Error('Azurite is not installed');
  const container = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(
    'records',
  );
  await container.create();
  const blob = (id: string) => container.getBlockBlobClient(id);
  return {
    name: 'Azure Storage',
    held: 'condition',
    origin: azurite.accountUrl,
    endpoint: {},
    connection: {
      connector: 'azure_storage',
      auth: 'connection_string',
      config: { account_url: azurite.accountUrl },
      functions: ['set_metadata'],
      credential: { kind: 'secret', fields: { connection_string: azurite.connectionString } },
    },
    call: (id) => ({
      function: 'set_metadata',
      arguments: { container: 'records', name: id, metadata: { title: 'after' } },
    }),
    put: (id, title) => blob(id).upload('x', 1, { metadata: { title } }),
    open: (id) => blob(id).downloadToBuffer(),
    titleOf: async (id) => (await blob(id).getProperties()).metadata?.title,
    close: () => azurite.close(),
  };
}

/** All four. */
export async function startTargets(plain: Records): Promise<TargetSystem[]> {
  return [
    await restSystem(await startRecords(true), 'condition'),
    await restSystem(plain, 'read_again'),
    await calendarSystem(),
    await azureSystem(),
  ];
}

/** A connection to it on which Ben decides. @returns its id and key */
export async function connectSystem(
  { services }: Pick<Connected, 'services'>,
  { name, connection: { connector, auth, config, functions, credential } }: TargetSystem,
): Promise<{ readonly id: string; readonly key: string }> {
  const { _id: id, key } = await services.connections.create(ADA, {
    connector,
    identity: 'shared',
    name,
    purpose: 'Agents keep records',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth,
    config: { ...config },
    enabledFunctions: [...functions],
    rules: [
      {
        id: 'writes',
        functions: null,
        risks: ['write', 'destructive'],
        effect: 'ask',
        approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
        quorum: 1,
        route: null,
        expiresInMinutes: 60,
      },
    ],
  });
  if (credential)
    await services.credentials.store({
      connectionId: id,
      subject: 'shared',
      createdBy: 'U0ADA',
      ...credential,
    });
  return { id, key };
}

/** Callers that may use it: nobody has more than a hundred requests waiting. @returns their tokens */
export async function callersOf(
  { services }: Pick<Connected, 'services'>,
  { id, key }: { readonly id: string; readonly key: string },
  count: number,
): Promise<readonly string[]> {
  const made = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      services.callers.create(ADA, { name: `${key} ${n}`, kind: 'agent', ownerId: 'U0ADA', stage: 'test' }),
    ),
  );
  const connection = await services.connections.find(id);
  if (!connection) throw new Error('the connection is gone');
  const access = made.map(({ caller }) => ({ callerId: caller._id, functions: null }));
  await services.connections.setAccess(ADA, connection, access);
  return made.map(({ token }) => token);
}
