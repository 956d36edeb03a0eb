/** An unknown outcome and a target that has to be seen, as people meet them in Slack. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { json } from '../../playground/loopback.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import { type AppProcess, call, createWorld, type World } from '../harness/app-process.js';
import { type Records, startRecords } from '../harness/records.js';
import { type SeededRecords, seedRecords } from '../harness/seed-records.js';

let world: World;
let looking: Connected;
let app: AppProcess;
let records: Records;
let seeded: SeededRecords;
let ben: Person;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  records = await startRecords(false);
  world.allowPrivate.push(new URL(records.origin).host);
  looking = await world.services();
  seeded = await seedRecords(looking, records, 'Records');
  app = await world.start();
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
  await records.close();
});

async function ask(name: string, args: object): Promise<string> {
  const body = { connection: seeded.key, function: name, arguments: args };
  return (await call(app.origin, seeded.token, '/v1/executions', body)).body.id;
}
const cardOf = (id: string, fits: RegExp) =>
  ben.waitForMessage(
    (message) => JSON.stringify(message.blocks).includes(id) && fits.test(ben.text(message)),
  );
const answer = async (id: string, wait = 0) =>
  (await call(app.origin, seeded.token, `/v1/executions/${id}?wait=${wait}`)).body;

it('says what became of a call, and asks again', async () => {
  records.put({ id: 'lost', title: 'before', state: 'open' });
  const id = await ask('change_record', { id: 'lost', title: 'after' });
  await ben.click(await cardOf(id, /Waiting for/), 'approval.approve');
  records.answering(() => json(503, { message: 'Perhaps.' }));
  expect(await answer(id, 15)).toMatchObject({ status: 'outcome_unknown' });
  records.answering(null);
  // Whoever sent it is surely done.
  const { models, workspaceId } = looking.deps;
  await models.executions.updateOne(
    { _id: id, workspaceId },
    { $set: { 'attempt.leaseUntil': new Date(0) } },
  );

  await ben.click(await cardOf(id, /outcome unknown/), 'outcome.find_out');
  expect(ben.text(await ben.waitForView(/What became of it/))).toContain('cannot be asked');
  expect(await ben.submit()).toMatchObject({ outcome: expect.any(String) });
  expect(
    await ben.submit({ 'What became of it?': 'It did not happen', 'How do you know?': 'I looked.' }),
  ).toBeNull();
  await ben.waitForView(/Recorded/);
  expect(await answer(id)).toMatchObject({
    status: 'outcome_unknown',
    resolution: { outcome: 'not_applied', note: 'I looked.' },
  });
  await cardOf(id, /It did not happen/);
  await ben.click('modal', 'Ask again');
  await ben.waitForView(/asked again/i);
  const { replaced_by: next } = await answer(id);
  const card = await cardOf(next, /Waiting for[\s\S]*Asked again/);
  await ben.click(card, 'approval.approve');
  expect(await answer(next, 15)).toMatchObject({ status: 'succeeded', replaces: id });
  expect(records.writes).toHaveLength(1);
  await ben.close(true);
});

it('holds a target to what was seen as far as the rule says, and the form names what holds where it says nothing', async () => {
  const ada = person(world.slack, 'U0ADA');
  const { services } = looking;
  const rules = async () => (await services.connections.find(seeded.connectionId))?.policy.rules ?? [];
  const [rule] = await rules();
  await ada.command(`/connections policy ${seeded.key}`);
  await ada.waitForView(/policy version/);
  const choose = async (choice: string): Promise<string> => {
    await ada.click('modal', 'policy.edit_rule', { value: `${seeded.connectionId}:${rule?.id}` });
    const form = await ada.waitForView(/Change the rule/);
    expect(await ada.submit({ target_check: choice })).toBeNull();
    await ada.waitForView(/The policy is saved/);
    return JSON.stringify(form.blocks);
  };

  const form = await choose('off');
  expect(form).toMatch(
    /As the risk asks \(default\)[\s\S]*Required for destructive calls, best effort for other/,
  );
  expect(await rules()).toMatchObject([{ targetCheck: 'off', quorum: 1 }]);
  records.put({ id: 'unchecked', title: 'before', state: 'open' });
  await cardOf(await ask('delete_record', { id: 'unchecked' }), /The policy says that it need not be/);

  await choose('required');
  expect(await rules()).toMatchObject([{ targetCheck: 'required' }]);
  expect(ada.text(await ada.waitForView(/target check: required/))).not.toContain('target check: off');
  const blocked = await ask('change_record', { id: 'nowhere', title: 'x' });
  await cardOf(blocked, /Nobody can approve this yet/);

  await choose('by_risk');
  const [back] = await rules();
  expect(back).not.toHaveProperty('targetCheck');
  await ada.close(true);
});

it('offers no Approve for what cannot be seen, and reads it again', async () => {
  const id = await ask('delete_record', { id: 'not-there-yet' });
  const card = await cardOf(id, /Nobody can approve this yet/);
  expect(JSON.stringify(card.blocks)).not.toContain('approval.approve');
  await ben.click(card, 'target.read_again');
  await ben.waitForMessage(/still cannot be read/);
  records.put({ id: 'not-there-yet', title: 'old minutes', state: 'closed' });
  await ben.click(await cardOf(id, /Nobody can approve this yet/), 'target.read_again');
  const readable = await ben.waitForMessage(
    (message) =>
      JSON.stringify(message.blocks).includes(id) &&
      JSON.stringify(message.blocks).includes('approval.approve'),
  );
  expect(ben.text(readable)).toContain('old minutes');
  // Nobody reads a destruction in less than a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await ben.click(readable, 'approval.approve');
  expect(await answer(id, 15)).toMatchObject({ status: 'succeeded' });
  expect(records.get('not-there-yet')).toBeUndefined();
  expect(world.slack.workspace.violations).toEqual([]);
});
