/** A limit that was used up while calls waited for a member holds once she has allowed them. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import type { JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';
import { rule } from './documents.js';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(() => app.close());

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Desk', version: '1' },
  servers: [{ url: 'https://desk.example.com' }],
  paths: { '/notes': { post: { operationId: 'addNote', responses: { 200: { description: 'done' } } } } },
};

const LIMIT = 2;
let made = 0;

/** A private connection whose functions run directly, so many an hour, and a caller that Cleo has not allowed yet. */
async function notes() {
  made += 1;
  const { connections, callers } = app.services;
  const { operations } = await importOpenApi(JSON.stringify(DOCUMENT));
  const [operation] = operations;
  if (!operation) throw new Error('nothing was imported');
  const created = await connections.create(ADA, {
    connector: 'rest',
    identity: 'private',
    name: `Desk ${made} - notes of each member`,
    purpose: 'Agents add notes',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: 'https://desk.example.com',
      operations: [JSON.parse(JSON.stringify(operation)) as JsonValue],
    },
    enabledFunctions: [operation.name],
    rules: [rule({ effect: 'allow', limitPerHour: LIMIT })],
  });
  const { caller } = await callers.create(ADA, {
    name: `Note taker ${made}`,
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  const connection = await connections.setAccess(ADA, created, [{ callerId: caller._id, functions: null }]);
  return { connection, caller, function: operation.name };
}
type Notes = Awaited<ReturnType<typeof notes>>;

async function submit(
  { connection, caller, function: name }: Notes,
  key: string,
): Promise<ExecutionDocument> {
  const { execution } = await app.services.submissions.submit(caller, {
    connection: connection.key,
    function: name,
    arguments: {},
    onBehalfOf: 'U0CLEO',
    reason: null,
    idempotencyKey: key,
  });
  return execution;
}

/** So many calls that wait for Cleo. */
async function waiting(desk: Notes, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    made += 1;
    const execution = await submit(desk, `note-${made}`);
    expect(execution.status).toBe('pending_authorization');
    ids.push(execution._id);
  }
  return ids;
}

async function allow({ connection, caller }: Notes): Promise<void> {
  const fields = { api_key: 'fake-key-of-cleo' };
  const credential = { kind: 'secret', fields, account: 'cleo' } as const;
  await app.services.members.authorize(connection, 'U0CLEO', credential, [caller._id]);
  await app.services.authorizationFlow.resume('U0CLEO', connection._id);
}

const statuses = async (ids: readonly string[]): Promise<string[]> =>
  (await Promise.all(ids.map((id) => app.services.executions.record(id)))).map(({ status }) => status);

/** What was taken so far was taken in an hour that is over. */
const anHourLater = () =>
  app.models.callLimits.updateMany({}, { $set: { 'minutes.$[].at': Math.floor(Date.now() / 60_000) - 61 } });

it('of what waits, as many run directly as the limit lets, and the rest asks', async () => {
  const desk = await notes();
  const ids = await waiting(desk, 4);
  await allow(desk);
  const after = await Promise.all(ids.map((id) => app.services.executions.record(id)));
  expect(after.map(({ status }) => status)).toEqual([
    'queued',
    'queued',
    'pending_approval',
    'pending_approval',
  ]);
  expect(after.map(({ requirement }) => requirement)).toEqual(['none', 'none', 'required', 'required']);
});

it('what has waited for hours counts in the hour in which it goes on', async () => {
  const desk = await notes();
  const ids = await waiting(desk, LIMIT);
  await anHourLater();
  ids.push(...(await waiting(desk, LIMIT)));
  await anHourLater();
  await allow(desk);
  expect(await statuses(ids)).toEqual(['queued', 'queued', 'pending_approval', 'pending_approval']);
  // The hour from then on has no place for a direct one either.
  expect((await submit(desk, 'right afterwards')).status).toBe('pending_approval');
});

it('what waits keeps no place from a call that runs', async () => {
  const desk = await notes();
  const ids = await waiting(desk, LIMIT);
  const { members } = app.services;
  const allowsAtOnce = vi.spyOn(members, 'allows').mockResolvedValue(true);
  const { status, requirement } = await submit(desk, 'allowed already');
  allowsAtOnce.mockRestore();
  expect({ status, requirement }).toEqual({ status: 'executing', requirement: 'none' });
  await allow(desk);
  expect(await statuses(ids)).toEqual(['queued', 'pending_approval']);
});

it('two processes that go on with the same calls at once use up one place for each', async () => {
  const desk = await notes();
  const ids = await waiting(desk, LIMIT);
  const { members, authorizationFlow } = app.services;
  const credential = { kind: 'secret', fields: { api_key: 'fake-key-of-cleo' }, account: 'cleo' } as const;
  await members.authorize(desk.connection, 'U0CLEO', credential, [desk.caller._id]);
  const goOn = () => authorizationFlow.resume('U0CLEO', desk.connection._id);
  await Promise.all([goOn(), goOn(), goOn()]);
  const { callLimits, approvals } = app.models;
  const ended = await statuses(ids);
  const direct = ended.filter((status) => status === 'queued').length;
  expect(direct).toBeGreaterThan(0);
  const [places] = await callLimits.find({ _id: new RegExp(desk.connection._id) }).lean();
  expect(places?.minutes.reduce((sum, { count }) => sum + count, 0)).toBe(direct);
  // Nobody is asked about one that runs.
  expect(await approvals.countDocuments({ connectionId: desk.connection._id })).toBe(LIMIT - direct);
});
