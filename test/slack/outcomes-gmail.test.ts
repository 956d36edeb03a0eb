/**
 * A mail whose answer was lost, in a real mailbox: "Find out" looks for our own marker there, a person says what came of
 * it, and only a new request with a new yes sends again.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import type { FailMode } from '../../playground/loopback.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import { type AppProcess, call, createWorld, type World } from '../harness/app-process.js';
import { signIn } from '../playground/google-sign-in.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const PUBLIC_URL = 'http://127.0.0.1:39994';
const SEND = 'https://www.googleapis.com/auth/gmail.send';
const READ = 'https://www.googleapis.com/auth/gmail.readonly';

let world: World;
let looking: Connected;
let google: Google;
let app: AppProcess;
let ben: Person;
let token: string;
let callerId: string;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  google = await startGoogle({ port: 0, publicUrl: PUBLIC_URL });
  world.allowPrivate.push(new URL(google.origin).host);
  looking = await world.services();
  const made = await looking.services.callers.create(ADA, {
    name: 'Assistant',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
  app = await world.start({ CONNECTOR_ENDPOINTS: JSON.stringify({ google: google.origin }) });
  ben = person(world.slack, 'U0BEN', { patienceMs: 10_000 });
});
afterAll(async () => {
  await looking?.close();
  await world?.close();
  await google?.close();
});

/** A shared mailbox with these scopes. @returns its key */
async function mailbox(name: string, account: string, scopes: readonly string[]): Promise<string> {
  const { connections, credentials } = looking.services;
  const created = await connections.create(ADA, {
    connector: 'gmail',
    identity: 'shared',
    name,
    purpose: 'Agents answer mails',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['send_message'],
    rules: [
      {
        id: 'writes',
        functions: null,
        risks: ['write', 'destructive'],
        effect: 'ask',
        approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
        quorum: 1,
        route: null,
        expiresInMinutes: 60,
      },
    ],
  });
  const { access_token } = await signIn(google, PUBLIC_URL, account, scopes);
  await credentials.store({
    connectionId: created._id,
    subject: 'shared',
    kind: 'oauth',
    scopes: [...scopes],
    fields: { access_token },
    createdBy: 'U0ADA',
  });
  const current = await connections.find(created._id);
  if (!current) throw new Error('the connection is gone');
  await connections.setAccess(ADA, current, [{ callerId, functions: null }]);
  return created.key;
}

const answer = async (id: string, wait = 0) =>
  (await call(app.origin, token, `/v1/executions/${id}?wait=${wait}`)).body;
const cardOf = (id: string, fits: RegExp) =>
  ben.waitForMessage(
    (message) => JSON.stringify(message.blocks ?? []).includes(id) && fits.test(ben.text(message)),
  );
const audited = (action: string, id: string): Promise<number> =>
  looking.deps.models.auditEvents.countDocuments({
    workspaceId: looking.deps.workspaceId,
    action,
    'subject.id': id,
  });
const sentAs = async (account: string, subject: string): Promise<number> =>
  (await google.sent(account)).filter((mail) => mail.subject === subject).length;

/** A mail that Ben says yes to and whose answer does not come. @returns the id, with the one who sent it surely done */
async function lost(connection: string, subject: string, fail: FailMode): Promise<string> {
  const asked = await call(app.origin, token, '/v1/executions', {
    connection,
    function: 'send_message',
    arguments: { to: ['sam@example.com'], subject, body_text: 'Hello' },
  });
  expect(asked.body.status, JSON.stringify(asked.body)).toBe('pending_approval');
  const id: string = asked.body.id;
  const card = await cardOf(id, /Waiting for/);
  google.fail = fail;
  await approve(card);
  expect(await answer(id, 20)).toMatchObject({ status: 'outcome_unknown' });
  google.fail = undefined;
  const { models, workspaceId } = looking.deps;
  await models.executions.updateOne(
    { _id: id, workspaceId },
    { $set: { 'attempt.leaseUntil': new Date(0) } },
  );
  return id;
}

/** Nobody reads what cannot be undone in less than a second. */
async function approve(card: Parameters<Person['click']>[0]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await ben.click(card, 'approval.approve');
}

async function findOut(id: string): Promise<string> {
  await ben.click(await cardOf(id, /outcome unknown/), 'outcome.find_out');
  return ben.text(await ben.waitForView(/(It happened|It did not happen|Cannot tell)\b.*:/));
}

describe('a mail whose answer was lost', () => {
  let reads: string;
  beforeAll(async () => {
    reads = await mailbox('Front desk', ACCOUNTS.ada, [SEND, READ]);
  });

  it('and that left: our marker is found, a person confirms it, and nothing sends it again', async () => {
    const id = await lost(reads, 'It left', 'close-after-effect');
    expect(await sentAs(ACCOUNTS.ada, 'It left')).toBe(1);
    expect(await findOut(id)).toMatch(/It happened.*has what this call would have left there/);
    expect(await answer(id)).not.toHaveProperty('resolution.outcome');
    // What was found is proposed; a person's word is what counts.
    expect(await ben.submit()).toBeNull();
    expect(ben.text(await ben.waitForView(/Recorded/))).not.toContain('Ask again');
    await ben.close(true);
    expect(await answer(id)).toMatchObject({
      status: 'outcome_unknown',
      resolution: { outcome: 'applied' },
    });
    expect(await audited('outcome.looked_up', id)).toBe(1);
    expect(await audited('outcome.resolved', id)).toBe(1);
    await cardOf(id, /It happened/);
    expect(await sentAs(ACCOUNTS.ada, 'It left')).toBe(1);
  });

  it('and that did not leave: nothing is found, and a new request sends it, once', async () => {
    const id = await lost(reads, 'It did not leave', 'close');
    expect(await sentAs(ACCOUNTS.ada, 'It did not leave')).toBe(0);
    expect(await findOut(id)).toMatch(/It did not happen.*no trace of this call/);
    expect(await ben.submit()).toBeNull();
    await ben.waitForView(/Recorded/);
    expect(await audited('outcome.resolved', id)).toBe(1);
    await ben.click('modal', 'Ask again');
    await ben.waitForView(/asked again/i);
    await ben.close(true);
    const { replaced_by: next, ...old } = await answer(id);
    expect(old).toMatchObject({ status: 'outcome_unknown', resolution: { outcome: 'not_applied' } });
    expect(await sentAs(ACCOUNTS.ada, 'It did not leave')).toBe(0);
    await approve(await cardOf(next, /Waiting for[\s\S]*Asked again/));
    expect(await answer(next, 20)).toMatchObject({ status: 'succeeded', replaces: id });
    expect(await sentAs(ACCOUNTS.ada, 'It did not leave')).toBe(1);
    expect(await audited('outcome.asked_again', id)).toBe(1);
  });

  it('from a mailbox that may not be read: it cannot be told, and a person who looked says so', async () => {
    const blind = await mailbox('Outgoing', ACCOUNTS.cleo, [SEND]);
    const id = await lost(blind, 'Out of sight', 'close-after-effect');
    expect(await findOut(id)).toMatch(/Cannot tell.*may not look through the sent mails/);
    expect(await ben.submit()).toMatchObject({ outcome: expect.any(String) });
    const said = { 'What became of it?': 'It happened', 'How do you know?': 'Sam has it.' };
    expect(await ben.submit(said)).toBeNull();
    await ben.waitForView(/Recorded/);
    await ben.close(true);
    expect(await answer(id)).toMatchObject({ resolution: { outcome: 'applied', note: 'Sam has it.' } });
    expect(await audited('outcome.resolved', id)).toBe(1);
    expect(world.slack.workspace.violations).toEqual([]);
  });
});
