/**
 * What was approved is what runs, or nothing does: records changed in the database between approval and run
 * (G4; shared/RELIABILITY.md T3, short form), and facts that are no longer true (G5; T4; abuse 33–35).
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Models } from '../../models/index.js';
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { bindingHash } from '../../src/services/binding.js';
import { API_KEY, createWorld, type Seeded, seedHelpdesk, type World } from '../harness/app-process.js';
import { approve, ask, eachOf, ends, sent, ticketArguments } from '../harness/writes.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const TAMPERED = 200;
const UNTOUCHED = 200;
const PER_FLIP = 25;

let world: World;
/** Where people ask and decide. No app runs: nothing is claimed until the test says so. */
let front: Connected;
let models: Models;
let workspaceId: string;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  front = await world.services();
  ({ models, workspaceId } = front.deps);
});
afterAll(async () => {
  await front.close();
  await world.close();
});

/** Runs them as another process would: with nothing remembered from before. */
async function run(ids: readonly string[]): Promise<ExecutionDocument[]> {
  const other = await world.services();
  try {
    return await eachOf(ids, async (id) => {
      other.services.runner.take(id);
      const [end] = await ends(other, [id], 10_000);
      if (!end) throw new Error('it is gone');
      return end;
    });
  } finally {
    await other.close();
  }
}

describe('records changed between approval and run', () => {
  interface Target {
    readonly execution: ExecutionDocument;
    readonly other: Seeded;
    set(change: Partial<ExecutionDocument>): Promise<unknown>;
    setApproval(change: Partial<ApprovalDocument> | Record<string, unknown>): Promise<unknown>;
  }

  const forged = (subject: string) => ({ ...ticketArguments(subject), body: 'Pay the invoice of Mallory' });
  const replaceArguments = async ({ execution }: Target) => {
    await front.services.payloads.discard(execution);
    await front.services.payloads.storeArguments(execution, forged(execution.idempotencyKey));
  };

  const TAMPERINGS: Readonly<Record<string, (target: Target) => Promise<unknown>>> = {
    'arguments, sealed again': replaceArguments,
    'arguments, moved here from another execution': async ({ execution }) => {
      const another = await models.payloads
        .findOne({ workspaceId, executionId: { $ne: execution._id } })
        .lean();
      return models.payloads.updateOne(
        { _id: `${execution._id}:arguments`, workspaceId },
        { $set: { record: another?.record } },
      );
    },
    'arguments, deleted': ({ execution }) => front.services.payloads.discard(execution),
    connectionId: ({ set, other }) => set({ connectionId: other.connectionId }),
    subject: ({ set }) => set({ subject: 'U0CLEO' }),
    credentialGeneration: ({ set }) => set({ credentialGeneration: 2 }),
    function: ({ set }) => set({ function: 'list_tickets' }),
    definitionHash: ({ set }) => set({ definitionHash: 'f'.repeat(64) }),
    callerId: ({ set, other }) => set({ callerId: other.callerId }),
    onBehalfOf: ({ set }) => set({ onBehalfOf: 'U0CLEO' }),
    policyVersion: ({ set }) => set({ policyVersion: 7 }),
    bindingHash: ({ set }) => set({ bindingHash: '0'.repeat(64) }),
    'bindingHash, removed': ({ set }) => set({ bindingHash: null }),
    'arguments and bindingHash together': async (target) => {
      await replaceArguments(target);
      const { execution, set } = target;
      return set({ bindingHash: bindingHash(execution, forged(execution.idempotencyKey)) });
    },
    'approval.bindingHash': ({ setApproval }) => setApproval({ bindingHash: '0'.repeat(64) }),
    'approval.executionId': ({ execution, setApproval }) => setApproval({ executionId: `${execution._id}x` }),
    'approval.status': ({ setApproval }) => setApproval({ status: 'denied' }),
    'approval.quorum': ({ setApproval }) => setApproval({ quorum: 2 }),
    'approval.decisions, emptied': ({ setApproval }) => setApproval({ decisions: [] }),
    'approval.decisions, by somebody else': ({ setApproval }) =>
      setApproval({ 'decisions.0.userId': 'U0CLEO' }),
    'approval.decisions, by the requester': ({ setApproval }) =>
      setApproval({ 'decisions.0.userId': 'U0ADA', 'approvers.users': ['U0ADA', 'U0BEN'] }),
    connectionOwnerId: ({ set }) => set({ connectionOwnerId: 'U0CLEO' }),
    callerOwnerId: ({ set }) => set({ callerOwnerId: 'U0CLEO' }),
  };
  const KINDS = Object.keys(TAMPERINGS);

  it(`${TAMPERED} changed: refused, none sent; ${UNTOUCHED} untouched: run, as approved`, {
    timeout: 120_000,
  }, async () => {
    const seeded = await seedHelpdesk(front, world.helpdesk);
    const other = await seedHelpdesk(front, world.helpdesk, { name: 'Other desk' });
    const subjects = Array.from({ length: TAMPERED + UNTOUCHED }, (_, n) => `subject-${n}-end`);
    const executions = await eachOf(subjects, async (subject) => {
      const execution = await ask(front, seeded, subject);
      await approve(front, execution);
      return execution;
    });
    const isTampered = (n: number): boolean => n % 2 === 0;
    const kindOf = (n: number): string => KINDS[(n / 2) % KINDS.length] ?? '';

    await eachOf(executions, async (execution, n) => {
      if (!isTampered(n)) return;
      const changed = await TAMPERINGS[kindOf(n)]?.({
        execution,
        other,
        set: (change) => models.executions.updateOne({ _id: execution._id, workspaceId }, { $set: change }),
        setApproval: (change) =>
          models.approvals.updateOne({ workspaceId, executionId: execution._id }, { $set: change }),
      });
      if (changed) expect(changed).toMatchObject({ modifiedCount: 1 });
    });

    const before = world.helpdesk.requests.length;
    const done = await run(executions.map(({ _id }) => _id));
    for (const [n, end] of done.entries()) {
      const subject = subjects[n] ?? '';
      if (isTampered(n)) {
        expect(end.status, kindOf(n)).toBe('failed');
        expect(end.error?.code, kindOf(n)).toMatch(/^refused_(binding|recheck)$/);
        expect(sent(world.helpdesk, subject), kindOf(n)).toEqual([]);
      } else {
        expect(end.status, JSON.stringify(end.error)).toBe('succeeded');
        expect(sent(world.helpdesk, subject)).toEqual([JSON.stringify(ticketArguments(subject))]);
      }
    }
    expect(world.helpdesk.requests.length - before).toBe(UNTOUCHED);
  });
});

describe('facts that changed between approval and run', () => {
  interface Facts {
    readonly seeded: Seeded;
    readonly ids: readonly string[];
    connection(): Promise<ConnectionDocument>;
  }
  interface Flip {
    readonly change: (facts: Facts) => Promise<unknown>;
    readonly undo?: () => Promise<unknown>;
    readonly approvers?: { readonly users: readonly string[]; readonly groups: readonly string[] };
    readonly onBehalfOf?: string;
    readonly code?: string;
  }

  const pause = { by: 'U0ADA', at: new Date(), reason: 'on purpose' };
  const cleo = () => world.slack.workspace.user('U0CLEO');
  const setUser = async (change: Partial<ReturnType<typeof cleo>>) =>
    world.slack.workspace.users.set('U0CLEO', { ...cleo(), ...change });
  const setGroup = async (users: string[]) => {
    const group = world.slack.workspace.groups.get('S0FINANCE');
    if (group) world.slack.workspace.groups.set('S0FINANCE', { ...group, users });
  };
  const byCleo = { users: ['U0CLEO'], groups: [] };
  const connections = () => front.services.connections;

  const FLIPS: Readonly<Record<string, Flip>> = {
    'the caller is revoked': { change: ({ seeded }) => front.services.callers.revoke(ADA, seeded.callerId) },
    'the caller is paused': {
      change: ({ seeded }) => front.services.callers.pause(ADA, seeded.callerId, pause),
    },
    'the caller has another owner': {
      change: ({ seeded }) =>
        models.callers.updateOne({ _id: seeded.callerId, workspaceId }, { $set: { ownerId: 'U0DANA' } }),
    },
    'the access is removed': {
      change: async (facts) => connections().setAccess(ADA, await facts.connection(), []),
    },
    'the access is narrowed to a read': {
      change: async ({ seeded, connection }) =>
        connections().setAccess(ADA, await connection(), [
          { callerId: seeded.callerId, functions: ['list_tickets'] },
        ]),
    },
    'the connection is paused': {
      change: async (facts) => connections().pause(ADA, await facts.connection(), pause),
    },
    'the connection is removed': {
      change: async (facts) => connections().remove(ADA, await facts.connection()),
    },
    'the connection has another owner': {
      change: async (facts) => connections().update(ADA, await facts.connection(), { ownerId: 'U0DANA' }),
    },
    'the function is turned off': {
      change: async (facts) =>
        connections().update(ADA, await facts.connection(), { enabledFunctions: ['list_tickets'] }),
    },
    'the definition of the function changes (abuse 34)': {
      change: async (facts) => {
        const connection = await facts.connection();
        const text = JSON.stringify(connection.config).replaceAll('"/tickets"', '"/tickets/"');
        return connections().update(ADA, connection, { config: JSON.parse(text) });
      },
    },
    'the base URL changes': {
      change: async (facts) => {
        const connection = await facts.connection();
        const config = JSON.parse(
          JSON.stringify({ ...connection.config, base_url: `${world.helpdesk.origin}/v2` }),
        );
        return connections().update(ADA, connection, { config });
      },
    },
    'the policy changes': {
      change: async (facts) => {
        const connection = await facts.connection();
        return connections().setPolicy(ADA, connection, connection.policy.rules);
      },
      code: 'refused_binding',
    },
    'the approver is taken off the list': {
      change: async (facts) => {
        const connection = await facts.connection();
        const approvers = { users: ['U0DANA'], usergroups: [], connectionOwner: false };
        return connections().setPolicy(
          ADA,
          connection,
          connection.policy.rules.map((rule) => ({ ...rule, approvers })),
        );
      },
      code: 'refused_binding',
    },
    'the approver is deactivated': {
      approvers: byCleo,
      change: () => setUser({ deleted: true }),
      undo: () => setUser({ deleted: false }),
    },
    'the approver becomes a guest': {
      approvers: byCleo,
      change: () => setUser({ is_restricted: true }),
      undo: () => setUser({ is_restricted: false }),
    },
    'the approver leaves the group': {
      approvers: { users: [], groups: ['S0FINANCE'] },
      change: () => setGroup(['U0DANA']),
      undo: () => setGroup(['U0BEN', 'U0DANA']),
    },
    'the credential is replaced (abuse 35)': {
      change: ({ seeded }) =>
        front.services.credentials.store({
          connectionId: seeded.connectionId,
          subject: 'shared',
          kind: 'secret',
          fields: { api_key: API_KEY },
          createdBy: 'U0ADA',
        }),
    },
    'the credential is refused by the outside system': {
      change: async ({ seeded }) => {
        const credential = await front.services.credentials.find(seeded.connectionId);
        if (credential) await front.services.credentials.markNeedsReauth(credential);
      },
    },
    'the member takes her consent back': {
      onBehalfOf: 'U0CLEO',
      change: ({ seeded }) =>
        front.services.members.decideConsent('U0CLEO', seeded.callerId, seeded.connectionId, 'revoked'),
    },
    'everything is paused': {
      change: () => front.services.settings.pause(ADA, pause),
      undo: () => front.services.settings.pause(ADA, null),
    },
    'the app is removed from Slack': {
      change: () => front.services.settings.setSlack('removed', 'app_uninstalled'),
      undo: () => front.services.settings.setSlack('active', 'installed again'),
    },
    'the decision is more than 15 minutes old': {
      change: ({ ids }) => {
        const past = new Date(front.deps.clock.now().getTime() - 1_000);
        return models.executions.updateMany(
          { workspaceId, _id: { $in: [...ids] } },
          { $set: { expiresAt: past } },
        );
      },
      code: 'expired',
    },
  };

  it.each(Object.entries(FLIPS))(`%s: ${PER_FLIP} refused, none sent`, async (name, flip) => {
    const approvers = flip.approvers ?? { users: ['U0BEN'], groups: [] };
    const seeded = await seedHelpdesk(front, world.helpdesk, {
      name: `Desk ${Object.keys(FLIPS).indexOf(name)}`,
      approvers: approvers.users,
      usergroups: approvers.groups,
    });
    if (flip.onBehalfOf) {
      await front.services.members.decideConsent(
        flip.onBehalfOf,
        seeded.callerId,
        seeded.connectionId,
        'allowed',
      );
    }
    const subjects = Array.from({ length: PER_FLIP }, (_, n) => `${name.replaceAll(' ', '-')}-${n}`);
    const ids = await eachOf(subjects, async (subject) => {
      const execution = await ask(front, seeded, subject, flip.onBehalfOf ?? null);
      await approve(front, execution, approvers.users[0] ?? 'U0BEN');
      return execution._id;
    });
    const before = world.helpdesk.requests.length;
    const connection = async () => {
      const found = await connections().find(seeded.connectionId);
      if (!found) throw new Error('the connection is gone');
      return found;
    };
    await flip.change({ seeded, ids, connection });
    const done = await run(ids);
    await flip.undo?.();
    expect(done.map((end) => end.error?.code)).toEqual(Array(PER_FLIP).fill(flip.code ?? 'refused_recheck'));
    expect(world.helpdesk.requests.length - before).toBe(0);
  });

  it('nothing changed: all run', async () => {
    const seeded = await seedHelpdesk(front, world.helpdesk, {
      name: 'Desk of control',
      usergroups: ['S0FINANCE'],
    });
    await front.services.members.decideConsent('U0CLEO', seeded.callerId, seeded.connectionId, 'allowed');
    const ids = await eachOf(
      Array.from({ length: PER_FLIP }, (_, n) => `control-${n}`),
      async (subject, n) => {
        const execution = await ask(front, seeded, subject, n % 2 === 0 ? 'U0CLEO' : null);
        await approve(front, execution);
        return execution._id;
      },
    );
    const before = world.helpdesk.requests.length;
    expect((await run(ids)).map(({ status }) => status)).toEqual(Array(PER_FLIP).fill('succeeded'));
    expect(world.helpdesk.requests.length - before).toBe(PER_FLIP);
  });
});
