/** A look-up that fails refuses and says so, also once everybody has decided: on the card, to the caller, at the end. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { approvalCard } from '../../src/slack/approval-view.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';

const SAID = /Slack could not say whether those who approved it may still decide/;

let app: DecidersApp;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());

const record = ({ _id }: ExecutionDocument) => app.services.executions.record(_id);
const noteOn = async ({ _id }: ExecutionDocument) =>
  (await approvalCard(_id, app.services, app.deps))?.card.note;

it('an approved call waits while Slack does not say who may decide, and says why', async () => {
  const execution = await app.ask(await app.desk());
  await app.decide(execution, 'U0BEN');
  await app.models.outbox.updateMany({}, { $set: { notBefore: null, wanted: 1 } });
  app.directory.away = true;
  app.services.runner.take(execution._id);
  await expect.poll(() => noteOn(execution)).toMatch(SAID);
  expect((await record(execution)).status).toBe('queued');
  expect((await app.services.executions.view(await record(execution))).approval.note).toMatch(SAID);
  const wanted = async () => (await app.models.outbox.findOne({ subjectId: execution._id }).lean())?.wanted;
  await expect.poll(wanted).toBe(2);

  // Said once: trying again is no news.
  const { rev, nextActionAt } = await record(execution);
  app.services.runner.take(execution._id);
  await expect.poll(async () => (await record(execution)).nextActionAt).not.toEqual(nextActionAt);
  expect((await record(execution)).rev).toBe(rev);
  expect(await wanted()).toBe(2);

  await app.models.executions.updateOne({ _id: execution._id }, { $set: { expiresAt: new Date(0) } });
  app.services.runner.take(execution._id);
  await expect.poll(async () => (await record(execution)).status).toBe('expired');
  app.directory.away = false;
  expect((await record(execution)).error?.message).toMatch(SAID);
  expect(await noteOn(execution)).toMatch(SAID);
});
