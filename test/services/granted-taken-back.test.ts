/** A granted call whose caller was told "nothing was executed" runs nowhere, also where taking it back takes a while. */
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { shortHash } from '../../src/services/binding.js';
import { createWorld, type Seeded, seedHelpdesk, until, type World } from '../harness/app-process.js';
import { approve, ask, ends, sent } from '../harness/writes.js';

/** Longer than a sweeper took to claim what was recorded, and than an outage that nobody notices. */
const HELD_UP_MS = 4_000;

let world: World;
let here: Connected;
let there: Connected;
let seeded: Seeded;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  here = await world.services();
  there = await world.services();
  seeded = await seedHelpdesk(here, world.helpdesk);
  const first = await ask(here, seeded, 'First of all');
  await approve(here, first);
  const card = { executionId: first._id, hash: shortHash(first.bindingHash ?? '') };
  const { choices } = await here.services.grants.offer('U0BEN', card);
  const chosen = [choices.findIndex(({ name, kind }) => name === 'requester' && kind === 'equals')];
  await here.services.grants.make('U0BEN', card, { kind: 'hour', chosen });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await here.close();
  await there.close();
  await world.close();
});

const away = () => new Error('connection 7 to 127.0.0.1 timed out');

it('is not claimed by another process before the one that told so has taken it back', async () => {
  const { executions } = here.deps.models;
  const create = executions.create.bind(executions);
  vi.spyOn(executions, 'create').mockImplementationOnce(async (documents: unknown) => {
    await create(documents as ExecutionDocument[]);
    throw away();
  });
  const answer = vi.spyOn(executions, 'findOneAndUpdate').mockImplementation(() => {
    throw away();
  });
  await expect(ask(here, seeded, 'Told in vain')).rejects.toThrow(/timed out/);
  const { models, workspaceId } = there.deps;
  const { _id: id } = (await models.executions.findOne({ workspaceId, requirement: 'granted' }).lean()) ?? {};
  for (const end = performance.now() + HELD_UP_MS; performance.now() < end; ) {
    await there.services.recovery.claimQueued();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  answer.mockRestore();
  const [end] = await ends(there, [id ?? ''], 5_000);
  expect(end).toMatchObject({ status: 'cancelled', error: { code: 'unavailable' } });
  expect(sent(world.helpdesk, 'Told in vain')).toEqual([]);
});

it('is claimed at once where it was told of', async () => {
  const { signals } = here.deps;
  const take = (id: string) => here.services.runner.take(id);
  signals.on('queued', take);
  const execution = await ask(here, seeded, 'Told and done');
  expect(execution).toMatchObject({ status: 'queued', requirement: 'granted' });
  await until(() => sent(world.helpdesk, 'Told and done').length === 1, 3_000);
  signals.off('queued', take);
});

it('is claimed within half a minute where its process died with it', async () => {
  const execution = await ask(here, seeded, 'Left alone');
  const due = (execution.nextActionAt?.getTime() ?? 0) - execution.createdAt.getTime();
  expect(due).toBeGreaterThan(15_000);
  expect(due).toBeLessThan(25_000);
});
