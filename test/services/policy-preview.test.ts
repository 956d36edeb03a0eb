/** What a policy should not be saved without being told: of its people, and of what it would have asked. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ConnectionDocument, PolicyRule } from '../../models/types.js';
import { type DecidersApp, startDecidersApp } from './deciders-app.js';
import { execution, rule } from './documents.js';

const HOUR_MS = 3_600_000;
const list = (...users: string[]) => ({ users, usergroups: [], connectionOwner: false });

let app: DecidersApp;

beforeAll(async () => {
  app = await startDecidersApp();
});
afterAll(() => app.close());
afterEach(() => {
  vi.restoreAllMocks();
  for (const id of ['U0BEN', 'U0ADA']) app.directory.change(id, { active: true });
});

async function connectionOf(): Promise<ConnectionDocument> {
  const { connectionId } = await app.desk();
  const connection = await app.services.connections.find(connectionId);
  if (!connection) throw new Error('the connection is gone');
  return connection;
}

describe('warnings about people', () => {
  const warnings = async (...rules: PolicyRule[]) =>
    app.services.policyPreview.warnings(await connectionOf(), rules);

  it('name who left, on the first list, on the second and as owner', async () => {
    app.directory.change('U0BEN', { active: false });
    const escalation = { approvers: list('U0BEN'), afterMinutes: 10 };
    const left = { kind: 'approver_left', userId: 'U0BEN' };
    expect(await warnings(rule({ approvers: list('U0DANA', 'U0BEN') }))).toEqual([left]);
    expect(await warnings(rule({ approvers: list('U0DANA'), escalation }))).toEqual([left]);
    expect(await warnings(rule({ approvers: list('U0DANA') }))).toEqual([]);
    app.directory.change('U0ADA', { active: false });
    expect(await warnings(rule({ approvers: { ...list('U0DANA'), connectionOwner: true } }))).toEqual([
      { kind: 'approver_left', userId: 'U0ADA' },
    ]);
    // Nobody is asked where everything is blocked.
    expect(await warnings(rule({ approvers: list('U0BEN'), effect: 'deny' }))).toEqual([]);
  });

  it('name a group in which nobody can decide, and a quorum that is larger than the list', async () => {
    const members = vi.spyOn(app.directory, 'groupMembers');
    const finance = { ...list('U0DANA'), usergroups: ['S0FINANCE'] };
    members.mockResolvedValue(['U0BEN']);
    expect(await warnings(rule({ approvers: finance, quorum: 2 }))).toEqual([]);
    app.directory.change('U0BEN', { active: false });
    expect(await warnings(rule({ id: 'r', approvers: finance, quorum: 2 }))).toEqual([
      { kind: 'group_empty', groupId: 'S0FINANCE' },
      { kind: 'quorum_too_large', rule: 'r', index: 0, quorum: 2, people: 1 },
    ]);
  });
});

it('warns of what the rules alone tell while nobody can be looked up', async () => {
  const connection = await connectionOf();
  const rules = [rule({ id: 'all', effect: 'allow', limitPerHour: 5 }), rule({ id: 'behind' })];
  app.directory.away = true;
  const warnings = app.services.policyPreview.warnings(connection, rules);
  await expect(warnings.finally(() => (app.directory.away = false))).resolves.toEqual([
    { kind: 'allows_everything', rule: 'all', index: 0 },
    { kind: 'never_matches', rule: 'behind', index: 1, why: 'covered' },
  ]);
  vi.spyOn(app.directory, 'person').mockRejectedValue(new Error('a mistake of ours'));
  await expect(app.services.policyPreview.warnings(connection, rules)).rejects.toThrow('a mistake');
});

it('the preview asks about what a limit an hour would have left over', async () => {
  const connection = await connectionOf();
  const now = app.deps.clock.now().getTime();
  const calls = [10, 20, 30, 40, 90].map((minutes) =>
    execution({
      _id: `ex_limit_${minutes}`,
      idempotencyKey: `limit-${minutes}`,
      workspaceId: connection.workspaceId,
      connectionId: connection._id,
      createdAt: new Date(now - 24 * HOUR_MS - minutes * 60_000),
    }),
  );
  await app.models.executions.create(calls);
  const preview = (limitPerHour: number | null) =>
    app.services.policyPreview.preview(connection, [rule({ effect: 'allow', limitPerHour })]);
  expect(await preview(2)).toMatchObject({ calls: 5, direct: 3, asked: 2, morePeople: false });
  expect(await preview(null)).toMatchObject({ direct: 5, asked: 0 });
});
