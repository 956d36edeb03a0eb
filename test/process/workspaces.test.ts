/** Two workspaces in one database: nothing of the one is seen, run, posted or changed by the other. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createModels, type Models } from '../../models/index.js';
import { person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import { shortHash } from '../../src/services/binding.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { approve, ask, ends, sent, ticketRequest } from '../harness/writes.js';

describe('a second workspace in the same database', () => {
  const THEIRS = 'T0OTHER';
  let world: World;
  let ours: Connected;
  let theirs: Connected;
  let us: Seeded;
  let them: Seeded;
  let app: AppProcess;

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    ours = await world.services();
    theirs = await world.services(THEIRS);
    us = await seedHelpdesk(ours, world.helpdesk);
    them = await seedHelpdesk(theirs, world.helpdesk);
  });
  afterAll(async () => {
    await ours.close();
    await theirs.close();
    await world.close();
  });

  /** Every document of theirs, as text. */
  async function everything(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const [name, model] of Object.entries(theirs.deps.models) as [string, Models['settings']][]) {
      const documents = await model.find({ workspaceId: THEIRS }).sort({ _id: 1 }).lean();
      found[name] = documents.map((document) => JSON.stringify(document));
    }
    return found;
  }

  it('leaves what is due over there alone, whatever runs and sweeps here', { timeout: 60_000 }, async () => {
    const past = new Date(ours.deps.clock.now().getTime() - 60_000);
    const { models } = theirs.deps;
    const change = (id: string, fields: object) =>
      models.executions.updateOne({ _id: id, workspaceId: THEIRS }, { $set: fields });

    const pending = await ask(theirs, them, 'Theirs-pending');
    await change(pending._id, { nextActionAt: past });
    const queued = await ask(theirs, them, 'Theirs-queued');
    await approve(theirs, queued);
    await change(queued._id, { nextActionAt: past });
    const abandoned = await ask(theirs, them, 'Theirs-abandoned');
    const attempt = { id: 'at_1', process: 'gone', claimedAt: past, leaseUntil: past };
    await change(abandoned._id, { status: 'executing', attempt, nextActionAt: past });
    const decided = await ask(theirs, them, 'Theirs-decided');
    await models.approvals.updateOne(
      { workspaceId: THEIRS, executionId: decided._id },
      { $set: { status: 'denied', endedAt: past } },
    );
    const overdue = await ask(theirs, them, 'Theirs-overdue');
    await models.approvals.updateOne(
      { workspaceId: THEIRS, executionId: overdue._id },
      { $set: { expiresAt: past } },
    );
    await theirs.services.outbox.notify('U0BEN', { kind: 'sentence', text: 'Theirs-notice' });
    await models.payloads.updateMany({ workspaceId: THEIRS }, { $set: { createdAt: new Date(0) } });
    // What they announce themselves is written a moment after the request.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = await everything();
    expect(before.outbox?.length).toBeGreaterThan(5);

    app = await world.start();
    const asked = await call(app.origin, us.token, '/v1/executions', ticketRequest('Ours'));
    const ben = person(world.slack, 'U0BEN', { patienceMs: 10_000 });
    await ben.click(await ben.waitForMessage(/subject: Ours/), 'approval.approve');
    expect((await ends(ours, [asked.body.id], 10_000))[0]?.status).toBe('succeeded');
    const { recovery } = ours.services;
    await recovery.claimQueued();
    await recovery.endAbandoned();
    await recovery.announcePending();
    await recovery.settleApprovals();
    await ours.services.cardRepair.sweep();
    await recovery.dropOldPayloads(1);
    await ours.services.connections.noteUse(them.connectionId, { read: true, health: 'needs_reauth' });
    for (const { _id } of [pending, queued, abandoned, decided, overdue]) ours.services.runner.take(_id);
    await ours.services.runner.drain(5_000);
    // A round of each of the app's own sweepers, and of its outbox.
    await new Promise((resolve) => setTimeout(resolve, 6_000));

    expect(await everything()).toEqual(before);
    for (const what of ['queued', 'decided', 'pending'])
      expect(sent(world.helpdesk, `Theirs-${what}`)).toEqual([]);
    expect(JSON.stringify([...world.slack.workspace.messages.values()])).not.toContain('Theirs-');
    expect(app.output()).not.toContain(THEIRS);
  });

  it('knows neither their callers nor their executions over HTTP', async () => {
    const execution = await ask(theirs, them, 'Theirs-http');
    for (const path of ['/v1/functions', `/v1/executions/${execution._id}`]) {
      expect((await call(app.origin, them.token, path)).status).toBe(401);
    }
    expect((await call(app.origin, them.token, '/v1/executions', ticketRequest('No'))).status).toBe(401);
    const unknown = await call(app.origin, us.token, `/v1/executions/ex_${'a'.repeat(20)}`);
    const theirOwn = await call(app.origin, us.token, `/v1/executions/${execution._id}`);
    expect(theirOwn.status).toBe(404);
    expect(theirOwn.body).toMatchObject({ code: unknown.body.code, detail: unknown.body.detail });
    const cancelled = await call(app.origin, us.token, `/v1/executions/${execution._id}/cancel`, {});
    expect(cancelled.status).toBe(404);
    const byId = await call(app.origin, us.token, '/v1/executions', ticketRequest('No', them.connectionId));
    expect(byId.status).toBe(404);
    const key = { 'idempotency-key': 'Theirs-http' };
    const mine = await call(
      app.origin,
      us.token,
      '/v1/executions',
      ticketRequest('Mine under their key'),
      key,
    );
    expect(mine.status).toBe(202);
    expect(mine.body.id).not.toBe(execution._id);
  });

  it('finds nothing of theirs by id in any service', async () => {
    const execution = await ask(theirs, them, 'Theirs-services');
    const { services, deps } = ours;
    const admin = 'U0ADA';
    const click = {
      executionId: execution._id,
      hash: shortHash(execution.bindingHash ?? ''),
      userId: 'U0BEN',
      decision: 'approved',
      reason: null,
    } as const;
    expect(await services.decisions.decide(click)).toMatchObject({ kind: 'refused' });
    expect(await services.approvals.ofExecution(execution._id)).toBeNull();
    expect(await services.approvals.forExecutions([execution._id])).toEqual([]);
    expect(await services.approvals.waitingFor('U0BEN')).not.toContainEqual(
      expect.objectContaining({ executionId: execution._id }),
    );
    expect(await services.callers.get(them.callerId)).toBeNull();
    await expect(services.callers.authenticate(`Bearer ${them.token}`)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(services.callers.revoke({ kind: 'user', id: admin }, them.callerId)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await services.connections.find(them.connectionId)).toBeNull();
    expect(await services.connections.visibleTo(admin, them.connectionId)).toBeNull();
    expect((await services.connections.all()).map(({ _id }) => _id)).toEqual([us.connectionId]);
    expect(await services.credentials.find(them.connectionId)).toBeNull();
    await services.credentials.remove(them.connectionId);
    expect(await theirs.services.credentials.find(them.connectionId)).not.toBeNull();
    await expect(services.executions.visibleTo(admin, execution._id)).rejects.toMatchObject({
      code: 'not_found',
    });
    const listed = await services.executions.list(admin, { limit: 100 });
    expect(new Set(listed.map(({ workspaceId }) => workspaceId))).toEqual(new Set([deps.workspaceId]));
    expect(await services.payloads.arguments(execution)).toBeNull();
    await services.payloads.discard(execution);
    expect(await theirs.services.payloads.arguments(execution)).not.toBeNull();
    for (let row = await services.outbox.claim(); row; row = await services.outbox.claim()) {
      expect(row.workspaceId).toBe(deps.workspaceId);
    }
    const audits = await deps.models.auditEvents.find({ workspaceId: THEIRS, 'actor.id': 'U0BEN' }).lean();
    expect(audits, 'a click here leaves no trace there').toEqual([]);
  });

  it('cannot read their secrets even from a copy of the record', async () => {
    const credential = await theirs.services.credentials.find(them.connectionId);
    if (!credential) throw new Error('the credential is gone');
    expect(Object.keys(theirs.services.credentials.open(credential))).toEqual(['api_key']);
    expect(() => ours.services.credentials.open(credential)).toThrow();
  });

  it('pauses one workspace without the other', async () => {
    const pause = { by: 'U0ADA', at: new Date(), reason: 'ours only' };
    await ours.services.settings.pause({ kind: 'user', id: 'U0ADA' }, pause);
    expect((await theirs.services.settings.get()).paused).toBeNull();
    await ours.services.settings.pause({ kind: 'user', id: 'U0ADA' }, null);
  });
});

describe('in the source', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url));
  /** Where collections are opened by name: agenda's jobs and the start-up probe, which belong to no workspace. */
  const BY_NAME = ['src/admin/connect.ts', 'src/jobs/sweepers.ts', 'src/database/probe.ts'];
  const QUERY =
    /\bmodels\s*\.\s*(\w+)\s*\.\s*(find\w*|update\w*|replaceOne|delete\w*|count\w*|distinct|exists|aggregate|bulkWrite|estimatedDocumentCount|watch)\s*(?:<[^>]*>)?\(/g;

  /** The first argument of a call whose opening parenthesis is just before `from`. */
  function firstArgument(source: string, from: number): string {
    let depth = 0;
    for (let at = from; at < source.length; at += 1) {
      const character = source[at] ?? '';
      if ('([{'.includes(character)) depth += 1;
      else if (')]}'.includes(character)) depth -= 1;
      if (depth < 0 || (depth === 0 && character === ',')) return source.slice(from, at).trim();
    }
    return source.slice(from);
  }

  /** Names the workspace itself, or is a name, or spreads one, whose declaration above does. */
  function namesWorkspace(argument: string, above: string): boolean {
    if (/\bworkspaceId\b/.test(argument)) return true;
    const name = /^(\w+)$/.exec(argument)?.[1] ?? /\.\.\.(\w+)\b/.exec(argument)?.[1];
    if (name === undefined) return false;
    const declared = above.lastIndexOf(`const ${name}`);
    if (declared < 0) return false;
    const equals = above.indexOf('=', declared) + 1;
    return /\bworkspaceId\b/.test(firstArgument(above, equals).split(';')[0] ?? '');
  }

  it('every query names the workspace', () => {
    const nameless: string[] = [];
    let queries = 0;
    const files = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`)) {
      const source = readFileSync(path.join(ROOT, file), 'utf8');
      for (const match of source.matchAll(QUERY)) {
        queries += 1;
        const line = source.slice(0, match.index).split('\n').length;
        const argument = firstArgument(source, match.index + match[0].length);
        if (!namesWorkspace(argument, source.slice(0, match.index)))
          nameless.push(`${file}:${line} ${match[0]}${argument}`);
      }
      if (!BY_NAME.includes(file)) expect(source, file).not.toMatch(/\.collection\(/);
      expect(source, `${file} hides a model behind another name`).not.toMatch(
        /[}=]\s*(?:this\.)?(?:deps\.)?models(?:\.\w+)?;/,
      );
    }
    expect(nameless).toEqual([]);
    expect(queries).toBeGreaterThan(50);
  });

  it('the scan finds what it looks for', () => {
    expect(namesWorkspace(firstArgument('{ _id: id }, { $set })', 0), '')).toBe(false);
    expect(namesWorkspace(firstArgument('{ _id: id, workspaceId })', 0), '')).toBe(true);
    expect(namesWorkspace('filter', 'const filter = { _id: id };')).toBe(false);
    expect(namesWorkspace('filter', 'const filter: Query = { workspaceId, status };')).toBe(true);
    expect(namesWorkspace('{ ...filter, version }', 'const filter = { workspaceId, a: [1, 2] };')).toBe(true);
  });

  it('every schema demands it', () => {
    const connection = mongoose.createConnection();
    for (const model of Object.values(createModels(connection)) as Models['settings'][]) {
      expect(model.schema.path('workspaceId')?.isRequired, model.modelName).toBe(true);
    }
  });
});
