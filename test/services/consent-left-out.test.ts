/** A call that waited for a member whose consent, once given, leaves out what it needs. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';
import { credential, rule } from './documents.js';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

it('is cancelled, because nobody denied it, and says what is missing', async () => {
  const { services, models } = app;
  const made = await services.connections.create(ADA, {
    connector: 'google_calendar',
    identity: 'shared',
    name: 'Team calendar',
    key: 'calendar',
    purpose: 'Meetings',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['create_event'],
    rules: [rule()],
  });
  const { caller } = await services.callers.create(ADA, {
    name: 'Scheduler',
    kind: 'agent',
    ownerId: 'U0CLEO',
    stage: 'test',
  });
  await services.connections.setAccess(ADA, made, [{ callerId: caller._id, functions: null }]);
  await models.credentials.create([credential({ connectionId: made._id, kind: 'oauth', scopes: [] })]);
  const { execution } = await services.submissions.submit(caller, {
    connection: made.key,
    function: 'create_event',
    arguments: {
      summary: 'Review',
      start: '2030-05-04T10:00:00Z',
      end: '2030-05-04T11:00:00Z',
    },
    onBehalfOf: 'U0DANA',
    reason: null,
    idempotencyKey: 'left-out',
  });
  expect(execution.status, JSON.stringify(execution.error)).toBe('pending_authorization');
  await services.members.decideConsent('U0DANA', caller._id, made._id, 'allowed');
  await services.authorizationFlow.resume('U0DANA', made._id);
  expect(await services.executions.record(execution._id)).toMatchObject({
    status: 'cancelled',
    error: { code: 'needs_more_scopes', message: expect.stringContaining('needs more scopes') },
  });
});
