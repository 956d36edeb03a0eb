/** Admins hear that nobody can decide; not with every call of an agent that does not stop asking. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
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
  paths: {
    '/notes': { post: { operationId: 'addNote', responses: { 200: { description: 'done' } } } },
    '/tags': { post: { operationId: 'addTag', responses: { 200: { description: 'done' } } } },
  },
};

it('once an hour for each function, however many calls wait', async () => {
  const { connections, callers, submissions } = app.services;
  const { operations } = await importOpenApi(JSON.stringify(DOCUMENT));
  const names = operations.map(({ name }) => name);
  const made = await connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name: 'Desk - notes',
    purpose: 'Agents add notes',
    ownerId: 'U0BEN',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: 'https://desk.example.com',
      operations: JSON.parse(JSON.stringify(operations)) as JsonValue,
    },
    enabledFunctions: names,
    // A limit of nobody's: once it is used up, nobody is there to be asked.
    rules: [rule({ approvers: { users: [], usergroups: [], connectionOwner: false } })],
  });
  const caller = await callers.create(ADA, {
    name: 'Tireless',
    kind: 'agent',
    ownerId: 'U0CLEO',
    stage: 'test',
  });
  await connections.setAccess(ADA, made, [{ callerId: caller.caller._id, functions: null }]);
  const waiting: string[] = [];
  for (let n = 0; n < 6; n += 1) {
    const { execution } = await submissions.submit(caller.caller, {
      connection: made.key,
      function: names[n % 2] ?? '',
      arguments: {},
      onBehalfOf: null,
      reason: null,
      idempotencyKey: `note-${n}`,
    });
    expect(execution.status).toBe('pending_approval');
    waiting.push(execution._id);
  }
  const announced = () =>
    app.models.executions.countDocuments({
      workspaceId: 'T0TEST',
      _id: { $in: waiting },
      nextActionAt: null,
    });
  await vi.waitFor(async () => expect(await announced()).toBe(6), 5_000);
  expect(await app.notices('U0ADA')).toHaveLength(2);
});
