/** Several pauses over one request: what was chosen for any of them holds. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

it('is cancelled by the one that cancels, also where another one only stops its time', async () => {
  const { pauses } = app.services;
  const desk = await app.desk();
  const asked = await app.ask(desk);
  await pauses.pause(ADA, { kind: 'connection', id: desk.connectionId }, 'migration', 'freeze');
  expect(await app.approvalOf(asked)).toMatchObject({ status: 'pending', frozenAt: expect.any(Date) });
  await pauses.pause(ADA, { kind: 'caller', id: desk.caller._id }, 'it runs wild', 'cancel');
  expect((await app.approvalOf(asked)).status).toBe('cancelled');
  const { error } = await app.services.executions.record(asked._id);
  expect(error?.message).toContain('it runs wild');
});

it('is refused in the name of the pause that is over it', async () => {
  const { pauses } = app.services;
  const desk = await app.desk();
  await pauses.pause(ADA, { kind: 'connection', id: desk.connectionId }, 'migration', 'freeze');
  expect((await app.ask(desk)).error?.message).toMatch(/^“.*” is paused: migration$/);
  await pauses.pause(ADA, { kind: 'caller', id: desk.caller._id }, 'it runs wild', 'cancel');
  const caller = await app.services.callers.get(desk.caller._id);
  if (!caller) throw new Error('no caller');
  expect((await app.ask({ ...desk, caller })).error?.message).toBe('This caller is paused: it runs wild');
});
