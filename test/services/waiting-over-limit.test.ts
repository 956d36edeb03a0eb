/** A limit that was used up while calls waited for a member holds once she has allowed them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
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

it('of what waits, as many run directly as the limit lets, and the rest asks', async () => {
  const { connections, callers, members, submissions, authorizationFlow, executions } = app.services;
  const { operations } = await importOpenApi(JSON.stringify(DOCUMENT));
  const [operation] = operations;
  if (!operation) throw new Error('nothing was imported');
  const made = await connections.create(ADA, {
    connector: 'rest',
    identity: 'private',
    name: 'Desk - notes of each member',
    purpose: 'Agents add notes',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: 'https://desk.example.com',
      operations: [JSON.parse(JSON.stringify(operation)) as JsonValue],
    },
    enabledFunctions: [operation.name],
    rules: [rule({ effect: 'allow', limitPerHour: 2 })],
  });
  const { caller } = await callers.create(ADA, {
    name: 'Note taker',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  const connection = await connections.setAccess(ADA, made, [{ callerId: caller._id, functions: null }]);
  const waiting: string[] = [];
  for (const n of [1, 2, 3, 4]) {
    const { execution } = await submissions.submit(caller, {
      connection: connection.key,
      function: operation.name,
      arguments: {},
      onBehalfOf: 'U0CLEO',
      reason: null,
      idempotencyKey: `note-${n}`,
    });
    expect(execution.status).toBe('pending_authorization');
    waiting.push(execution._id);
  }
  const fields = { api_key: 'fake-key-of-cleo' };
  await members.authorize(connection, 'U0CLEO', { kind: 'secret', fields, account: 'cleo' }, [caller._id]);
  await authorizationFlow.resume('U0CLEO', connection._id);
  const after = await Promise.all(waiting.map((id) => executions.record(id)));
  expect(after.map(({ status }) => status)).toEqual([
    'queued',
    'queued',
    'pending_approval',
    'pending_approval',
  ]);
  expect(after.map(({ requirement }) => requirement)).toEqual(['none', 'none', 'required', 'required']);
});
