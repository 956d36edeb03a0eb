/** An answer that is too large for the record is cut there, says so, and is kept whole as a file of the caller (G15). */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { type AppProcess, call, createWorld, type World } from '../harness/app-process.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const ROWS = Array.from({ length: 6_000 }, (_, id) => ({
  id,
  text: `row ${id} of a long report, with an ä`,
}));
const CANARY = 'fake-secret-canary-large-4471';

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let upstream: Server;
let app: AppProcess;
let token: string;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const rows = [...ROWS, { id: -1, text: `you sent ${request.headers['x-api-key']}` }];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ rows }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const { callers, connections, credentials } = services.services;
  const made = await callers.create(ADA, { name: 'Reader', kind: 'agent', ownerId: 'U0ADA', stage: 'test' });
  token = made.token;
  const { operations } = await importOpenApi(
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Reports', version: '1' },
      paths: {
        '/report': { get: { operationId: 'getReport', responses: { 200: { description: 'rows' } } } },
      },
    }),
  );
  const connection = await connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name: 'Reports',
    purpose: 'Agents read reports',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: { base_url: `http://${host}`, operations: operations.map((operation) => ({ ...operation })) },
    enabledFunctions: operations.map(({ name }) => name),
  });
  await credentials.store({
    connectionId: connection._id,
    subject: 'shared',
    kind: 'secret',
    fields: { api_key: CANARY },
    createdBy: 'U0ADA',
  });
  await connections.setAccess(ADA, connection, [{ callerId: made.caller._id, functions: null }]);
  app = await world.start({ OUTBOUND_ALLOW_PRIVATE: host });
});

afterAll(async () => {
  await services.close();
  await world.close();
  await new Promise((resolve) => upstream.close(resolve));
});

it('is cut, and whole by reference, without the secret that the system echoed', async () => {
  const { body } = await call(app.origin, token, '/v1/executions', {
    connection: 'reports',
    function: 'get_report',
    arguments: {},
    wait: 20,
  });
  expect(body).toMatchObject({ status: 'succeeded', truncated: true, outcome_recorded: true });
  expect(JSON.stringify(body).length).toBeLessThan(256 * 1024);
  const { file, size, type } = body.result.file;
  expect(type).toBe('application/json');
  const response = await fetch(`${app.origin}/v1/files/${file}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  expect(Buffer.byteLength(text)).toBe(size);
  expect(text).toContain(`row ${ROWS.length - 1} of a long report, with an ä`);
  expect(text).not.toContain(CANARY);
  expect(body.result.beginning.length).toBeGreaterThan(1_000);
});
