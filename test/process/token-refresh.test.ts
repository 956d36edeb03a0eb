/**
 * G9 against a real OAuth provider with rotating refresh tokens, from three processes of the real app: one refresh for
 * many calls, no failed call, and every way a refresh can go wrong ends where a person can see it.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import { person } from '../../playground/slack/person.js';
import { oauthAppId } from '../../src/services/credentials.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';
import {
  type Issued,
  type Mailbox,
  type SignInService,
  startMailbox,
  startSignInService,
} from '../harness/sign-in-service.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let signIn: SignInService;
let mailbox: Mailbox;
let apps: [AppProcess, AppProcess, AppProcess];
let token: string;
let callerId: string;
let cleos: ConnectionDocument;
let teams: ConnectionDocument;

beforeAll(async () => {
  signIn = await startSignInService();
  mailbox = await startMailbox(signIn);
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const { callers, credentials } = services.services;
  await credentials.store({
    connectionId: oauthAppId('google'),
    subject: 'shared',
    kind: 'oauth_app',
    fields: { client_id: signIn.client.clientId, client_secret: signIn.client.clientSecret },
    createdBy: 'U0ADA',
  });
  const made = await callers.create(ADA, { name: 'Reader', kind: 'agent', ownerId: 'U0ADA', stage: 'test' });
  token = made.token;
  callerId = made.caller._id;
  cleos = await gmail('Gmail', 'private');
  teams = await gmail('Team mail', 'shared');
  apps = await Promise.all([startApp(), startApp(), startApp()]);
});

afterAll(async () => {
  await services.close();
  await world.close();
  await mailbox.close();
  await signIn.close();
});

function startApp(): Promise<AppProcess> {
  const endpoints = { ...signIn.endpoints, gmail: mailbox.origin };
  const hosts = [signIn.issuer, mailbox.origin].map((url) => new URL(url).host);
  return world.start({
    CONNECTOR_ENDPOINTS: JSON.stringify(endpoints),
    OUTBOUND_ALLOW_PRIVATE: hosts.join(','),
  });
}

async function gmail(name: string, identity: 'private' | 'shared'): Promise<ConnectionDocument> {
  const { connections } = services.services;
  const connection = await connections.create(ADA, {
    connector: 'gmail',
    identity,
    name,
    purpose: 'Agents read mail',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['list_labels'],
  });
  return connections.setAccess(ADA, connection, [{ callerId, functions: null }]);
}

/** A sign-in whose access token has expired meanwhile. */
async function connectCleo(): Promise<Issued> {
  const issued = await signIn.issue('cleo');
  await services.services.members.authorize(
    cleos,
    'U0CLEO',
    { ...expired(issued), account: 'cleo@siesta.example' },
    [callerId],
  );
  return issued;
}

const expired = (issued: Issued) => ({
  kind: 'oauth' as const,
  fields: { access_token: issued.accessToken, refresh_token: issued.refreshToken },
  scopes: ['https://www.googleapis.com/auth/gmail.readonly'],
  expiresAt: LONG_AGO,
});

async function credential(): Promise<CredentialDocument> {
  const found = await services.services.credentials.find(cleos._id, 'U0CLEO');
  if (!found) throw new Error('there is no credential');
  return found;
}

async function expireAgain(): Promise<void> {
  await services.deps.models.credentials.updateOne(
    { workspaceId: services.deps.workspaceId, connectionId: cleos._id, subject: 'U0CLEO' },
    { $set: { expiresAt: LONG_AGO } },
  );
}

function readLabels(app: AppProcess, connection = 'gmail'): Promise<Answer> {
  const member = connection === 'gmail' ? { on_behalf_of: 'U0CLEO' } : {};
  return call(app.origin, token, '/v1/executions', {
    connection,
    function: 'list_labels',
    arguments: {},
    wait: 30,
    ...member,
  });
}

/** A third of them through each process, all at once. */
const fromAll = (many: number, connection = 'gmail'): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: many }, (_, index) => readLabels(apps[(index % 3) as 0 | 1 | 2], connection)),
  );

describe('100 concurrent calls on an expired token, from three processes', () => {
  it('refresh it once, five times over, and none fails', async () => {
    await connectCleo();
    // Processes that serve already; how one starts is not what is asked here.
    const warm = apps.flatMap((app) =>
      Array.from({ length: 10 }, () => call(app.origin, token, '/v1/functions')),
    );
    await Promise.all(warm);
    for (let round = 1; round <= 5; round++) {
      const before = { ...signIn.counts };
      const answers = await fromAll(100);
      expect(
        answers.map(({ status, body }) => `${status} ${body.status} ${body.detail ?? ''}`.trim()),
      ).toEqual(Array.from({ length: 100 }, () => '200 succeeded'));
      expect(signIn.counts).toEqual({ refreshed: before.refreshed + 1, refused: before.refused });
      expect(mailbox.requests.filter((request) => request.status !== 200)).toEqual([]);
      expect(mailbox.requests).toHaveLength(100 * round);
      await expireAgain();
    }
  });
});

describe('a refresh', () => {
  it('keeps the old refresh token when the answer has none', async () => {
    const issued = await connectCleo();
    signIn.faults.keepsRefreshToken = true;
    try {
      expect((await readLabels(apps[0])).body.status).toBe('succeeded');
      const secret = services.services.credentials.open(await credential());
      expect(secret.refresh_token).toBe(issued.refreshToken);
      expect(secret.access_token).not.toBe(issued.accessToken);
      await expireAgain();
      expect((await readLabels(apps[1])).body.status).toBe('succeeded');
    } finally {
      signIn.faults.keepsRefreshToken = false;
    }
  });

  it('waits longer and longer for a provider that is down, disables nothing, and goes on by itself', async () => {
    await connectCleo();
    signIn.faults.badGateway = true;
    const failed = await readLabels(apps[0]).finally(() => {
      signIn.faults.badGateway = false;
    });
    expect(failed.status).toBe(200);
    expect(failed.body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_unavailable', retry_after: expect.any(Number) },
    });
    expect(await credential()).toMatchObject({ status: 'active', failing: { count: 1 } });
    expect((await services.services.connections.find(cleos._id))?.health).toBe('temporarily_failing');
    const asked = signIn.counts.refreshed;
    const early = await readLabels(apps[1]);
    expect(early.body.error).toMatchObject({ code: 'upstream_unavailable', retry_after: expect.any(Number) });
    expect(signIn.counts.refreshed).toBe(asked);
    await new Promise((resolve) => setTimeout(resolve, early.body.error.retry_after * 1_000));
    expect((await readLabels(apps[1])).body.status).toBe('succeeded');
    expect((await credential()).failing).toBeNull();
    expect((await services.services.connections.find(cleos._id))?.health).toBe('ok');
  });

  it('ends in needs_reauth when the grant was taken back, and the member is told once', async () => {
    await signIn.revoke(await connectCleo());
    const cleo = person(world.slack, 'U0CLEO');
    const asked = () =>
      cleo
        .dm()
        .filter((message) =>
          /connect your account again|needs to be connected|Connect/i.test(cleo.text(message)),
        );
    const before = asked().length;
    const sent = mailbox.requests.length;
    const answers = await fromAll(20);
    expect(answers.map(({ body }) => body.error?.code)).toEqual(
      Array.from({ length: 20 }, () => 'needs_reauth'),
    );
    expect(mailbox.requests).toHaveLength(sent);
    expect((await credential()).status).toBe('needs_reauth');
    await until(
      () => asked().length > before,
      5_000,
      () =>
        cleo
          .dm()
          .map((message) => cleo.text(message))
          .join('\n'),
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(asked()).toHaveLength(before + 1);
  });

  it('tells the owner, once, when it was a shared connection', async () => {
    const issued = await signIn.issue('team');
    await services.services.credentials.store({
      ...expired(issued),
      connectionId: teams._id,
      subject: 'shared',
      createdBy: 'U0ADA',
    });
    expect((await readLabels(apps[0], 'team-mail')).body.status).toBe('succeeded');
    await signIn.revoke(issued);
    await services.deps.models.credentials.updateOne(
      { workspaceId: services.deps.workspaceId, connectionId: teams._id },
      { $set: { expiresAt: LONG_AGO } },
    );
    const ada = person(world.slack, 'U0ADA');
    const answers = await fromAll(20, 'team-mail');
    expect(answers.map(({ body }) => body.error?.code)).toEqual(
      Array.from({ length: 20 }, () => 'needs_reauth'),
    );
    await ada.waitForMessage(/team-mail.*needs to be connected again/s);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(ada.dm().filter((message) => /needs to be connected again/.test(ada.text(message)))).toHaveLength(
      1,
    );
    expect((await services.services.connections.find(teams._id))?.health).toBe('needs_reauth');
  });

  it('whose answer is lost with the process ends in a visible needs_reauth, not in silence', async () => {
    await connectCleo();
    const doomed = await startApp();
    signIn.faults.beforeAnswer = async () => {
      signIn.faults.beforeAnswer = undefined;
      await doomed.kill();
    };
    await expect(readLabels(doomed)).rejects.toThrow();
    const started = performance.now();
    const answer = await readLabels(apps[0]);
    expect(answer.body).toMatchObject({ status: 'failed', error: { code: 'needs_reauth' } });
    expect(performance.now() - started).toBeLessThan(20_000);
    expect((await credential()).status).toBe('needs_reauth');
  });
});
