/** The kill switch for everything is lifted one step at a time, each from where a person saw it. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.models.auditEvents.deleteMany({});
  await pauseAll();
});

const pauseAll = () => app.services.pauses.pause(ADA, { kind: 'all' }, 'migration', 'freeze');
const stands = async () => {
  const seen = await app.services.pauses.ofAll();
  if (!seen) throw new Error('nothing is paused');
  return seen;
};
const lift = (seen: Awaited<ReturnType<typeof stands>>) =>
  app.services.pauses.resume(ADA, { kind: 'all', seen });
const lifted = async () => (await app.services.settings.get()).resuming ?? null;

it('goes one step, however many press at once', async () => {
  const seen = await stands();
  const ends = await Promise.all([lift(seen), lift(seen), lift(seen)]);
  expect(ends.sort()).toEqual(['reads', 'stale', 'stale']);
  expect(await lifted()).toBe('reads');
  expect(await app.audited('workspace.resuming', 'T0TEST')).toBe(1);
  expect(await lift(seen)).toBe('stale');
  expect(await lift(await stands())).toBe('asks');
  const last = await stands();
  expect((await Promise.all([lift(last), lift(last)])).sort()).toEqual(['done', 'stale']);
  expect(await app.services.pauses.ofAll()).toBeNull();
  expect(await app.audited('workspace.resumed', 'T0TEST')).toBe(1);
  expect(await lift(last)).toBe('stale');
});

it('does not go on with a pause that came after the one that was seen', async () => {
  const first = await stands();
  await lift(first);
  const reads = await stands();
  await pauseAll();
  expect(await lift(first)).toBe('stale');
  await lift(await stands());
  expect(await lift(reads)).toBe('stale');
  expect(await lifted()).toBe('reads');
});
