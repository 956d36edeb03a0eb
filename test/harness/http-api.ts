/** The callers' API in the terms of shared/CONTRACT.md: a workspace to call into, and the shapes of its answers. */
import { expect } from 'vitest';
import { z } from 'zod';
import type { ConnectionDocument, PolicyRule } from '../../models/types.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { type Answer, API_KEY, type AppProcess, call, createWorld, type World } from './app-process.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
export const TICKET = { subject: 'Printer on fire', body: 'Floor 3', requester: 'sam@example.com' };
export const READ = { connection: 'helpdesk', function: 'list_tickets', arguments: {} };
export const WRITE = { connection: 'helpdesk', function: 'create_ticket', arguments: TICKET };

type Connected = Awaited<ReturnType<World['services']>>;
export type Via = 0 | 1;
export type Api = Awaited<ReturnType<typeof createApi>>;

/** Two processes, a helpdesk in four states of access, and five callers, named by what they are. */
export async function createApi(mongoUri: string) {
  const world = await createWorld({ mongoUri });
  const connected = await world.services();
  const { callers, connections } = connected.services;
  const caller = async (name: string, stage: 'test' | 'production' = 'test') =>
    callers.create(ADA, { name, kind: 'agent', ownerId: 'U0ADA', stage });
  const agent = await caller('Agent');
  const stranger = await caller('Stranger');
  const production = await caller('Live agent', 'production');
  const revoked = await caller('Old agent');
  const crowd = await caller('Crowd');
  await callers.revoke(ADA, revoked.caller._id);
  const users = [agent, production, revoked, crowd].map((each) => ({
    callerId: each.caller._id,
    functions: null,
  }));
  await connections.setAccess(ADA, await helpdesk(connected, world, 'Helpdesk'), users);
  const paused = await connections.setAccess(ADA, await helpdesk(connected, world, 'Paused desk'), users);
  await connections.pause(ADA, paused, { by: 'U0ADA', at: new Date(), reason: 'moving house' });
  await connections.setAccess(ADA, await helpdesk(connected, world, 'Narrow desk'), [
    { callerId: agent.caller._id, functions: ['list_tickets'] },
  ]);
  const apps: readonly [AppProcess, AppProcess] = await Promise.all([world.start(), world.start()]);
  await world.slack.connected(2);
  const tokens = {
    agent: agent.token,
    stranger: stranger.token,
    production: production.token,
    revoked: revoked.token,
    crowd: crowd.token,
  };
  const on = (via: Via): string => apps[via].origin;
  return {
    world,
    connected,
    apps,
    tokens,
    post: (body: unknown, headers: Record<string, string> = {}, token = tokens.agent, via: Via = 0) =>
      call(on(via), token, '/v1/executions', body, headers),
    get: (path: string, token = tokens.agent, via: Via = 0) => call(on(via), token, path),
    cancel: (id: string, token = tokens.agent) => call(on(0), token, `/v1/executions/${id}/cancel`, {}),
    /** Exactly this request; the headers are all there are. */
    raw: async (path: string, init: RequestInit): Promise<Answer> => {
      const response = await fetch(`${on(0)}${path}`, init);
      return { status: response.status, body: await response.json(), headers: response.headers };
    },
    close: async () => {
      await connected.close();
      await world.close();
    },
  };
}

/** Reads run, writes ask Ben, deleting is blocked, and one function is turned off. */
async function helpdesk({ services }: Connected, world: World, name: string): Promise<ConnectionDocument> {
  const { operations } = await importOpenApi(await (await fetch(world.helpdesk.openapiUrl)).text());
  const rule = (id: string, effect: PolicyRule['effect'], risks: PolicyRule['risks']): PolicyRule => ({
    id,
    functions: null,
    risks,
    effect,
    approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
    quorum: 1,
    route: null,
    expiresInMinutes: 60,
  });
  const connection = await services.connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name,
    purpose: 'Agents file tickets',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'api_key',
    config: {
      base_url: world.helpdesk.origin,
      operations: operations.map((operation) => ({ ...operation })),
    },
    enabledFunctions: operations.map((operation) => operation.name).filter((fn) => fn !== 'search_tickets'),
    rules: [rule('never', 'deny', ['destructive']), rule('writes', 'ask', ['write'])],
  });
  await services.credentials.store({
    connectionId: connection._id,
    subject: 'shared',
    kind: 'secret',
    fields: { api_key: API_KEY },
    createdBy: 'U0ADA',
  });
  return connection;
}

const timestamp = z.iso.datetime();
const execution = z.strictObject({
  id: z.string().regex(/^ex_[a-z0-9]{20}$/),
  status: z.string(),
  connection: z.string(),
  function: z.string(),
  requirement: z.enum(['none', 'required', 'granted', 'blocked']),
  approval: z.strictObject({
    status: z.enum(['not_required', 'pending', 'approved', 'denied', 'expired', 'cancelled']),
    decided_at: timestamp.optional(),
    expires_at: timestamp.optional(),
    note: z.string().optional(),
  }),
  result: z.json().optional(),
  truncated: z.boolean().optional(),
  edited_arguments: z.record(z.string(), z.json()).optional(),
  error: z
    .strictObject({ code: z.string(), message: z.string().min(10), retry_after: z.number().optional() })
    .optional(),
  outcome_recorded: z.boolean(),
  created_at: timestamp,
  finished_at: timestamp.optional(),
  url: z.url(),
});

/** An answer that is an execution of the contract's shape, with the status that goes with its own. */
export function expectExecution(answer: Answer, status: string) {
  const found = execution.parse(answer.body);
  expect(found.status).toBe(status);
  const waits = ['pending_authorization', 'pending_approval', 'queued', 'executing'].includes(status);
  expect(answer.status).toBe(waits ? 202 : 200);
  expect(answer.headers.get('location')).toBe(waits ? found.url : null);
  expect(answer.headers.get('retry-after')).toEqual(waits ? expect.stringMatching(/^\d+$/) : null);
  expect(found.finished_at !== undefined).toBe(!waits);
  return found;
}

const problem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.number(),
  code: z.string(),
  detail: z.string().min(5),
  path: z.string().optional(),
  execution: execution.optional(),
});

export function expectProblem(answer: Answer, status: number, code: string, path?: string) {
  expect(
    { status: answer.status, code: answer.body?.code, path: answer.body?.path },
    answer.body?.detail,
  ).toEqual({
    status,
    code,
    path,
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
  const found = problem.parse(answer.body);
  expect(found.status).toBe(status);
  return found;
}
