/** A pause holds within 2 s also over a call that was claimed before it and takes long to be sent. */
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest';
import { isTerminal } from '../../models/state-machines.js';
import type { ExecutionDocument } from '../../models/types.js';
import { createWorld, type Seeded, seedHelpdesk, until, type World } from '../harness/app-process.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
/** Longer than a look holds. */
const SLOW_MS = 1_700;

let world: World;
let app: Awaited<ReturnType<World['services']>>;
let seeded: Seeded;
let count = 0;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  app = await world.services();
  seeded = await seedHelpdesk(app, world.helpdesk, { route: null });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await app.close();
  await world.close();
});

async function read(): Promise<ExecutionDocument> {
  const caller = await app.services.callers.get(seeded.callerId);
  if (!caller) throw new Error('the caller is gone');
  count += 1;
  const { execution } = await app.services.submissions.submit(caller, {
    connection: seeded.connectionId,
    function: 'list_tickets',
    arguments: {},
    onBehalfOf: null,
    reason: null,
    idempotencyKey: `read-${count}`,
  });
  await until(async () => isTerminal((await app.services.executions.record(execution._id)).status), 5_000);
  return app.services.executions.record(execution._id);
}

/** The database takes its time with the record of the call; meanwhile somebody does something. */
function slowRecord(meanwhile: () => Promise<unknown>): void {
  const { executions } = app.deps.models;
  const create = executions.create.bind(executions);
  vi.spyOn(executions, 'create').mockImplementationOnce(async (documents: unknown) => {
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    return create(documents as ExecutionDocument[]);
  });
}

it('is not sent when everything is paused while it is being recorded', async () => {
  const sent = world.helpdesk.requests.length;
  slowRecord(() => app.services.pauses.pause(ADA, { kind: 'all' }, 'An agent runs wild', 'freeze'));
  const ended = await read();
  expect(ended).toMatchObject({ status: 'failed', error: { code: 'refused_recheck' } });
  expect(ended.error?.message).toMatch(/paused: An agent runs wild\. Nothing was sent\.$/);
  expect(world.helpdesk.requests.length).toBe(sent);
  const events = await app.deps.models.auditEvents
    .find({ action: 'execution.refused', 'subject.id': ended._id })
    .lean();
  expect(events).toHaveLength(1);
  const { pauses } = app.services;
  for (let seen = await pauses.ofAll(); seen; seen = await pauses.ofAll())
    await pauses.resume(ADA, { kind: 'all', seen });
});

it('is sent, however long it took, when nothing was paused', async () => {
  const sent = world.helpdesk.requests.length;
  slowRecord(async () => undefined);
  expect((await read()).status).toBe('succeeded');
  expect(world.helpdesk.requests.length).toBe(sent + 1);
});
