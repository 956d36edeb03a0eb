/**
 * What was approved is what runs, or nothing does (abuse cases 34 and 35): between a person's yes and the run the
 * function, its address or the account behind the connection changes.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import { type Helpdesk, startHelpdesk } from '../../playground/helpdesk.js';
import { json, listen, type ReceivedRequest } from '../../playground/loopback.js';
import { type ImportedOperation, importedOperation } from '../../src/connectors/rest/operation.js';
import {
  API_KEY,
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const CREATE = {
  connection: 'helpdesk',
  function: 'create_ticket',
  arguments: { subject: 'Printer on fire', body: 'Floor 3', requester: 'sam@example.com' },
};

let world: World;
let connected: Awaited<ReturnType<World['services']>>;
let seeded: Seeded;
let app: AppProcess;
let otherHelpdesk: Helpdesk;
let gmail: { origin: string; close(): Promise<void> };
const mails: ReceivedRequest[] = [];
/** As it was imported; put back after each change. */
let original: ConnectionDocument;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  otherHelpdesk = await startHelpdesk({ port: 0, apiKey: API_KEY });
  gmail = await listen(
    0,
    (request) => {
      mails.push(request);
      return json(200, { id: 'm1', threadId: 't1' });
    },
    { delay: 0, fail: undefined },
    () => true,
  );
  connected = await world.services();
  seeded = await seedHelpdesk(connected, world.helpdesk);
  original = await helpdesk();
  const hosts = [world.helpdesk.origin, otherHelpdesk.origin, gmail.origin].map((url) => new URL(url).host);
  app = await world.start({
    OUTBOUND_ALLOW_PRIVATE: hosts.join(','),
    CONNECTOR_ENDPOINTS: JSON.stringify({ gmail: gmail.origin }),
  });
});

afterAll(async () => {
  await connected.close();
  await world.close();
  await otherHelpdesk.close();
  await gmail.close();
});

async function helpdesk(): Promise<ConnectionDocument> {
  const found = await connected.services.connections.find(seeded.connectionId);
  if (!found) throw new Error('the helpdesk is gone');
  return found;
}

/** Asks; a person says yes; `between` happens; the call is due. The answer when all is over. */
async function approvedThen(body: object, who: string, between: () => Promise<unknown>) {
  const asked = await call(app.origin, seeded.token, '/v1/executions', body);
  expect(asked.body.status, JSON.stringify(asked.body)).toBe('pending_approval');
  const { approvals, decisions } = connected.services;
  const hash = (await approvals.ofExecution(asked.body.id))?.bindingHash.slice(0, 8) ?? '';
  // Decided here rather than by a click, so that the claim is left to the app's sweeper, two seconds later.
  const click = {
    executionId: asked.body.id,
    hash,
    userId: who,
    decision: 'approved',
    reason: null,
  } as const;
  let outcome = await decisions.decide(click);
  if (outcome.kind === 'refused' && /faster than anybody can read/.test(outcome.reason)) {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    outcome = await decisions.decide(click);
  }
  if (outcome.kind !== 'recorded') throw new Error(JSON.stringify(outcome));
  await approvals.settle(outcome.approval);
  await between();
  return (await call(app.origin, seeded.token, `/v1/executions/${asked.body.id}?wait=20`)).body;
}

const sent = (): number =>
  [...world.helpdesk.requests, ...otherHelpdesk.requests].filter(({ method }) => method !== 'GET').length +
  mails.length;

async function setOperation(change: (operation: ImportedOperation) => object): Promise<void> {
  const connection = await helpdesk();
  const operations = importedOperation.array().parse(connection.config.operations);
  const changed = operations.map((each) =>
    each.name === 'create_ticket' ? { ...each, ...change(each) } : each,
  );
  await update({ ...connection.config, operations: changed });
}

async function update(config: Record<string, unknown>): Promise<void> {
  await connected.services.connections.update(ADA, await helpdesk(), {
    config: JSON.parse(JSON.stringify(config)),
  });
}

describe('a function whose definition changed after the approval is not run', () => {
  const changes: Record<string, () => Promise<void>> = {
    'another method': () => setOperation(() => ({ method: 'PUT' })),
    'another path': () => setOperation(() => ({ path: '/tickets/T-101/comments' })),
    'another base URL': async () => update({ ...original.config, base_url: otherHelpdesk.origin }),
    'another schema': () =>
      setOperation(({ inputSchema }) => ({ inputSchema: { ...inputSchema, maxProperties: 99 } })),
    'turned off': async () => {
      await connected.services.connections.update(ADA, await helpdesk(), {
        enabledFunctions: ['list_tickets'],
      });
    },
  };

  it.each(Object.entries(changes))('%s', async (_what, change) => {
    const before = sent();
    try {
      const done = await approvedThen(CREATE, 'U0BEN', change);
      expect(done).toMatchObject({
        status: 'failed',
        approval: { status: 'approved' },
        error: {
          code: expect.stringMatching(/^refused_(recheck|binding)$/),
          message: expect.stringMatching(/Nothing was sent/),
        },
      });
      expect(sent()).toBe(before);
    } finally {
      await update(original.config);
      await connected.services.connections.update(ADA, await helpdesk(), {
        enabledFunctions: original.enabledFunctions,
      });
      // At another address it asked for its key again.
      await connected.services.credentials.store({
        connectionId: seeded.connectionId,
        subject: 'shared',
        kind: 'secret',
        fields: { api_key: API_KEY },
        createdBy: 'U0ADA',
      });
    }
  });

  it('while an unchanged one is', async () => {
    const before = sent();
    expect((await approvedThen(CREATE, 'U0BEN', async () => {})).status).toBe('succeeded');
    expect(sent()).toBe(before + 1);
  });
});

describe('a connection that was authorised anew after the approval', () => {
  it('does not run as the new account: shared', async () => {
    const before = sent();
    const done = await approvedThen(CREATE, 'U0BEN', () =>
      connected.services.credentials.store({
        connectionId: seeded.connectionId,
        subject: 'shared',
        kind: 'secret',
        fields: { api_key: API_KEY },
        createdBy: 'U0ADA',
      }),
    );
    expect(done).toMatchObject({ status: 'failed', error: { code: expect.stringMatching(/^refused_/) } });
    expect(sent()).toBe(before);
  });

  it('does not run as the new account: private; a mere refresh of the token changes nothing', async () => {
    const { connections, members, credentials } = connected.services;
    const created = await connections.create(ADA, {
      connector: 'gmail',
      identity: 'private',
      name: 'Gmail',
      purpose: 'Agents send mail',
      ownerId: 'U0ADA',
      businessOwnerId: 'U0DANA',
      auth: 'oauth',
      config: {},
      enabledFunctions: ['send_message'],
    });
    const connection = await connections.setAccess(ADA, created, [
      { callerId: seeded.callerId, functions: null },
    ]);
    const authorize = (account: string) =>
      members.authorize(
        connection,
        'U0CLEO',
        {
          kind: 'oauth',
          scopes: ['https://www.googleapis.com/auth/gmail.send'],
          fields: { access_token: `fake-token-of-${account}` },
          account,
        },
        [seeded.callerId],
      );
    await authorize('cleo@siesta.example');
    const mail = {
      connection: 'gmail',
      function: 'send_message',
      arguments: { to: ['sam@example.com'], subject: 'Hello', body_text: 'Hi' },
      on_behalf_of: 'U0CLEO',
    };
    const refused = await approvedThen(mail, 'U0CLEO', () => authorize('someone-else@siesta.example'));
    expect(refused).toMatchObject({ status: 'failed', error: { code: expect.stringMatching(/^refused_/) } });
    expect(mails).toEqual([]);

    const ran = await approvedThen(mail, 'U0CLEO', async () => {
      const credential = await credentials.find(connection._id, 'U0CLEO');
      if (!credential) throw new Error('there is no credential');
      const fields = { access_token: 'fake-refreshed-token' };
      expect(
        await credentials.replaceTokens(credential, { fields, expiresAt: null, scopes: credential.scopes }),
      ).toBe(true);
    });
    expect(ran.status).toBe('succeeded');
    expect(mails.map(({ headers }) => headers.authorization)).toEqual(['Bearer fake-refreshed-token']);
  });
});
