/** A further approver on a private connection: besides the member's own approval, and never instead of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { authorizationMessage } from '../../blocks/authorization.js';
import { waitedFor } from '../../blocks/parts/deciders.js';
import type { Approvers, ConnectionDocument, Decision, PolicyRule } from '../../models/types.js';
import { policyFile, policyView, rulesOf } from '../../src/admin/connection-file.js';
import type { JsonValue } from '../../src/connectors/framework.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { shortHash } from '../../src/services/binding.js';
import { checkRules } from '../../src/services/connection-input.js';
import { furtherHash } from '../../src/services/further-approvers.js';
import { authorizationSubject } from '../../src/services/members.js';
import { reasonToRefuse } from '../../src/services/recheck.js';
import { approvalCard } from '../../src/slack/approval-view.js';
import { authorizationDm } from '../../src/slack/authorization-view.js';
import { ADA } from '../http/pages-app.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';
import {
  approval,
  caller,
  connection as connectionDocument,
  credential,
  execution,
  fn,
  NOW,
  rule,
  settings,
} from './documents.js';

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Desk', version: '1' },
  servers: [{ url: 'https://desk.example.com' }],
  paths: {
    '/notes': {
      post: {
        operationId: 'create_ticket',
        parameters: [{ name: 'priority', in: 'query', schema: { type: 'string' } }],
        responses: { 200: { description: 'done' } },
      },
    },
  },
};
const list = (...users: string[]): Approvers => ({ users, usergroups: [], connectionOwner: false });
const asks = (given: Partial<PolicyRule> = {}): PolicyRule =>
  rule({ approvers: list(), furtherApprovers: list('U0BEN', 'U0DANA'), ...given });

let app: DecidersApp;
let count = 0;
beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  await app.models.approvals.deleteMany({});
  await app.models.executions.deleteMany({});
});

/** A private connection that Cleo has connected, and an agent of hers that she allows, told of what is required. */
async function own(given: PolicyRule | PolicyRule[] = asks(), ownerId = 'U0CLEO') {
  const { connections, callers, members } = app.services;
  count += 1;
  const { operations } = await importOpenApi(JSON.stringify(DOCUMENT));
  const created = await connections.create(ADA, {
    connector: 'rest',
    identity: 'private',
    name: `Notes ${count}`,
    key: `notes-${count}`,
    purpose: 'Notes of each member',
    ownerId: 'U0ADA',
    businessOwnerId: null,
    auth: 'api_key',
    config: {
      base_url: 'https://desk.example.com',
      operations: operations.map((each) => JSON.parse(JSON.stringify(each)) as JsonValue),
    },
    enabledFunctions: ['create_ticket'],
    rules: [given].flat(),
  });
  const made = { name: `Note taker ${count}`, kind: 'agent', ownerId, stage: 'test' } as const;
  const { caller: agent } = await callers.create(ADA, made);
  const access = [{ callerId: agent._id, functions: null }];
  const connection = await connections.setAccess(ADA, created, access);
  const secret = { kind: 'secret', fields: { api_key: 'fake-key-of-cleo' }, account: 'cleo' } as const;
  await members.authorize(connection, 'U0CLEO', secret, [agent._id], furtherHash(connection));
  return { connection, connectionId: connection._id, caller: agent };
}
const asked = async (given?: PolicyRule | PolicyRule[], ownerId?: string) =>
  app.ask(await own(given, ownerId), 'U0CLEO');
const edit = async (call: { _id: string }, userId: string) => {
  const hash = shortHash((await app.approvalOf(call)).bindingHash);
  return app.services.edits.submit({ executionId: call._id, hash, userId }, { priority: 'high' });
};
const statusOf = async ({ _id }: { _id: string }) => (await app.services.executions.record(_id)).status;

describe('a request that needs a further approver', () => {
  it('asks the member and the list at once, and no grant can answer it', async () => {
    const call = await asked();
    expect(call.status).toBe('pending_approval');
    expect(await app.copies(call)).toEqual(['U0BEN', 'U0CLEO', 'U0DANA']);
    expect(await app.approvalOf(call)).toMatchObject({ quorum: 2, rememberable: false, route: null });
    const card = { executionId: call._id, hash: shortHash((await app.approvalOf(call)).bindingHash) };
    await expect(app.services.grants.offer('U0CLEO', card)).rejects.toThrow('asked every time');
  });

  it.each([
    ['the member first', ['U0CLEO', 'U0BEN']],
    ['the further approver first', ['U0BEN', 'U0CLEO']],
  ])('runs after both have approved: %s', async (_, order) => {
    const call = await asked();
    const [first = '', second = ''] = order;
    expect(await app.decide(call, first)).toMatchObject({ kind: 'recorded' });
    expect(await statusOf(call)).toBe('pending_approval');
    expect(await app.decide(call, second)).toMatchObject({ kind: 'recorded' });
    expect(await statusOf(call)).toBe('queued');
  });

  it('two further approvers do not stand in for the member', async () => {
    const call = await asked();
    await app.decide(call, 'U0BEN');
    expect(await app.decide(call, 'U0DANA')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('the member'),
    });
    expect(await statusOf(call)).toBe('pending_approval');
    expect(await app.services.approvals.waitingFor('U0DANA')).toEqual([]);
    expect(await app.services.approvals.waitingFor('U0CLEO')).toHaveLength(1);
    await app.decide(call, 'U0CLEO');
    expect(await statusOf(call)).toBe('queued');
  });

  it('not even when they approve at the same moment', async () => {
    const call = await asked();
    const both = await Promise.all([app.decide(call, 'U0BEN'), app.decide(call, 'U0DANA')]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['recorded', 'refused']);
    expect(await statusOf(call)).toBe('pending_approval');
  });

  it('the member alone is not enough, however often she approves', async () => {
    const call = await asked();
    await app.decide(call, 'U0CLEO');
    expect(await app.decide(call, 'U0CLEO')).toMatchObject({ kind: 'refused' });
    expect(await statusOf(call)).toBe('pending_approval');
  });

  it.each([
    ['the member', [], 'U0CLEO'],
    ['a further approver', [], 'U0BEN'],
    ['the member, after a further approver approved', ['U0BEN'], 'U0CLEO'],
    ['a second further approver, after the first approved', ['U0BEN'], 'U0DANA'],
  ])('one denial is a veto: %s', async (_, before, denier) => {
    const call = await asked();
    for (const userId of before) await app.decide(call, userId);
    await app.decide(call, denier, 'denied');
    expect(await statusOf(call)).toBe('denied');
  });

  it('the member, another account of hers and the agent’s owner are no further approvers', async () => {
    app.directory.change('U0DANA', { email: 'cleo+second@corp.example' });
    try {
      const call = await asked(
        asks({ furtherApprovers: list('U0CLEO', 'U0DANA', 'U0BEN', 'U0ADA') }),
        'U0BEN',
      );
      for (const userId of ['U0DANA', 'U0BEN']) {
        expect(await app.decide(call, userId), userId).toMatchObject({ kind: 'refused' });
      }
      expect(await app.copies(call)).toEqual(['U0ADA', 'U0CLEO']);
      await app.decide(call, 'U0CLEO');
      expect(await statusOf(call)).toBe('pending_approval');
      await app.decide(call, 'U0ADA');
      expect(await statusOf(call)).toBe('queued');
    } finally {
      app.directory.change('U0DANA', { email: 'dana@corp.example' });
    }
  });

  it('the card says who is waited for, and no more who has approved', async () => {
    const call = await asked();
    const waited = async () => {
      const shown = await approvalCard(call._id, app.services, app.deps);
      return shown && waitedFor(shown.card);
    };
    expect(await waited()).toBe('<@U0CLEO> *and* <@U0BEN> or <@U0DANA>');
    await app.decide(call, 'U0BEN');
    expect(await waited()).toBe('<@U0CLEO>');
  });

  it('an edit ends the other’s approval, and is approved by both again', async () => {
    const call = await asked();
    await app.decide(call, 'U0CLEO');
    expect(await edit(call, 'U0BEN')).toMatchObject({
      kind: 'recorded',
      approval: { status: 'pending', edited: { voided: ['U0CLEO'] } },
    });
    await app.decide(call, 'U0CLEO');
    expect(await statusOf(call)).toBe('queued');
  });

  it('no edit goes where another further approver is required than was asked', async () => {
    const high = { all: true, comparisons: [{ field: 'argument.priority', op: '=', value: 'high' }] };
    const call = await asked([
      asks({ id: 'high', when: high }),
      asks({ id: 'other', furtherApprovers: null }),
    ]);
    expect(await app.copies(call)).toEqual(['U0CLEO']);
    expect(await edit(call, 'U0CLEO')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('another further approver'),
    });
    expect(await statusOf(call)).toBe('pending_approval');
  });

  it('without one, the member alone is asked, as before', async () => {
    const call = await asked(asks({ furtherApprovers: null }));
    expect(await app.copies(call)).toEqual(['U0CLEO']);
    await app.decide(call, 'U0CLEO');
    expect(await statusOf(call)).toBe('queued');
  });
});

describe('checked again before it runs', () => {
  const approved = (userId: string): Decision => ({ userId, decision: 'approved', reason: null, at: NOW });
  const refusal = (...decisions: Decision[]) =>
    reasonToRefuse(
      execution({ subject: 'U0CLEO', onBehalfOf: 'U0CLEO' }),
      {
        settings: settings(),
        connection: connectionDocument(),
        caller: caller(),
        fn: fn(),
        definitionHash: 'definition',
        credential: credential(),
        approval: approval({ approvers: list('U0CLEO'), further: list('U0BEN'), quorum: 2, decisions }),
        memberAllows: true,
      },
      false,
    );

  it('has the member’s own approval, and one of the list', () => {
    expect(refusal(approved('U0CLEO'), approved('U0BEN'))).toBeNull();
    expect(refusal(approved('U0CLEO'))).toMatch(/too few/);
    expect(refusal(approved('U0BEN'), approved('U0DANA'))).toMatch(/member herself/);
    expect(refusal(approved('U0CLEO'), approved('U0CLEO'))).toMatch(/no further approver/);
  });
});

it('goes through a policy file and back, and names somebody or is not there', () => {
  const rules = [asks(), asks({ id: 'none', furtherApprovers: null })];
  const file = policyFile.parse(policyView({ version: 3, rules }));
  expect(file.rules[0]?.further_approvers?.users).toEqual(['U0BEN', 'U0DANA']);
  expect(rulesOf(file)).toMatchObject([{ furtherApprovers: list('U0BEN', 'U0DANA') }, {}]);
  expect(rulesOf(file)[1]?.furtherApprovers ?? null).toBeNull();
  expect(() => checkRules([asks({ furtherApprovers: list() })])).toThrow('name a further approver');
});

describe('the member’s consent', () => {
  const required = async (connectionId: string, furtherApprovers: Approvers | null) => {
    const found = await app.services.connections.find(connectionId);
    if (!found) throw new Error('the connection is gone');
    return app.services.connections.setPolicy(ADA, found, [asks({ furtherApprovers })]);
  };
  const dmOf = async (desk: { connectionId: string; caller: { _id: string } }) => {
    const subject = authorizationSubject(desk.connectionId, 'U0CLEO', desk.caller._id);
    const dm = await authorizationDm(subject, app.services, app.deps);
    if (!dm) throw new Error('there is no DM');
    return { dm, shown: JSON.stringify(authorizationMessage(dm)) };
  };
  const allow = async (desk: { connectionId: string; caller: { _id: string } }, told: string | null) => {
    const { members, authorizationFlow } = app.services;
    await members.decideConsent('U0CLEO', desk.caller._id, desk.connectionId, 'allowed', told);
    await authorizationFlow.resume('U0CLEO', desk.connectionId);
  };

  it('is asked for again once a further approver is required, and says who', async () => {
    const desk = await own(asks({ furtherApprovers: null }));
    await required(desk.connectionId, list('U0BEN'));
    const call = await app.ask(desk, 'U0CLEO');
    expect(call.status).toBe('pending_authorization');
    const { dm, shown } = await dmOf(desk);
    expect(dm.state.kind).toBe('consent');
    expect(shown).toMatch(/Besides you, .*<@U0BEN> has to approve/);
    expect(shown).toContain(`${desk.caller._id}|${dm.furtherHash}`);

    // What she was not told of, she has not consented to.
    await allow(desk, null);
    expect(await statusOf(call)).toBe('pending_authorization');
    await allow(desk, dm.furtherHash ?? null);
    expect(await statusOf(call)).toBe('pending_approval');
    expect((await dmOf(desk)).dm.state).toMatchObject({ kind: 'connected', callerAllowed: true });
  });

  it('is asked for again when another one is required, and not when none is any more', async () => {
    const desk = await own();
    const allows = (connection: ConnectionDocument) =>
      app.services.members.allows('U0CLEO', desk.caller._id, connection);
    expect(await allows(desk.connection)).toBe(true);
    expect(await allows(await required(desk.connectionId, list('U0DANA', 'U0BEN')))).toBe(true);
    expect(await allows(await required(desk.connectionId, list('U0BEN', 'U0ADA')))).toBe(false);
    expect(await allows(await required(desk.connectionId, null))).toBe(true);
  });

  it('is no matter on a shared connection: a policy that names a further approver there is refused', async () => {
    await expect(app.desk({ furtherApprovers: list('U0DANA') })).rejects.toThrow('Only a private connection');
  });
});
