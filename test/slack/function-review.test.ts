/** Functions read again: what changed is looked at before it counts, and nothing that was on changes by itself. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { helpdeskDocument } from '../../playground/helpdesk-document.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import {
  type AppProcess,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { approve, ask } from '../harness/writes.js';

/** A document on loopback that changes under a connection. */
async function serveDocument(document: object) {
  const served = { document };
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(served.document)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return Object.assign(served, {
    host,
    url: `http://${host}/openapi.json`,
    close: () => void server.close(),
  });
}

describe('functions that are read again', () => {
  let world: World;
  let app: AppProcess;
  let seeded: Seeded;
  let opened: Awaited<ReturnType<World['services']>>;
  let served: Awaited<ReturnType<typeof serveDocument>>;
  let ada: Person;
  let cleo: Person;

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    opened = await world.services();
    seeded = await seedHelpdesk(opened, world.helpdesk, {
      functions: ['list_tickets', 'create_ticket', 'delete_ticket'],
    });
    served = await serveDocument(helpdeskDocument(world.helpdesk.origin));
    world.allowPrivate.push(served.host);
    const connection = await seededConnection();
    await opened.services.connections.update({ kind: 'user', id: 'U0ADA' }, connection, {
      ownerId: 'U0CLEO',
    });
    app = await world.start();
    ada = person(world.slack, 'U0ADA');
    cleo = person(world.slack, 'U0CLEO');
  });

  afterAll(async () => {
    await opened?.close();
    served?.close();
    await world?.close();
  });

  const whenOpen = (who: Person, fits: RegExp): Promise<View> => who.waitForView(fits, 15_000);
  const openReview = async (who: Person): Promise<void> => {
    await who.command(`/connections show ${seeded.key}`);
    await whenOpen(who, /Readiness/);
    await who.click('modal', 'Read functions again');
    await whenOpen(who, /is read again and compared/);
  };

  async function seededConnection() {
    const found = await opened.services.connections.find(seeded.connectionId);
    if (!found) throw new Error('the connection is gone');
    return found;
  }

  async function reviews() {
    const { models, workspaceId } = opened.deps;
    const action = 'connection.functions_reviewed';
    return models.auditEvents.find({ workspaceId, action }).sort({ at: -1 }).lean();
  }

  /** As its owners published it since: one operation changed, one gone, one new. */
  function nextDocument(): object {
    const document = structuredClone(helpdeskDocument(world.helpdesk.origin)) as {
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    const tickets = document.paths['/tickets'] ?? {};
    tickets.post = {
      ...tickets.post,
      parameters: [{ name: 'team', in: 'query', required: true, schema: { type: 'string' } }],
    };
    delete document.paths['/tickets/{id}']?.delete;
    document.paths['/teams'] = {
      get: {
        operationId: 'listTeams',
        summary: 'List teams',
        responses: { 200: { description: 'ok' } },
      },
    };
    return document;
  }

  it('are the same while the document is', async () => {
    await openReview(ada);
    expect(await ada.submit({ 'OpenAPI document': served.url })).toBeNull();
    const review = ada.text(await whenOpen(ada, /nothing that it has is different/));
    expect(review).not.toContain('is on');
    expect(await ada.submit()).toBeNull();
    const detail = ada.text(await whenOpen(ada, /functions are saved/));
    expect(detail).not.toContain('Off now');
    expect((await seededConnection()).config.document_url).toBe(served.url);
    expect((await seededConnection()).enabledFunctions).toEqual([
      'list_tickets',
      'create_ticket',
      'delete_ticket',
    ]);
    await ada.close(true);
  });

  it('show the owner what is different, and let her change nothing', async () => {
    served.document = nextDocument();
    await openReview(cleo);
    expect(cleo.text()).toContain(served.url);
    expect(await cleo.submit()).toBeNull();
    const review = cleo.text(await whenOpen(cleo, /1 changed, 1 gone/));
    expect(review).toContain('An admin applies it');
    expect(review).not.toContain('[Apply]');
    const { draft } = JSON.parse(cleo.view()?.private_metadata ?? '{}');
    const applied = opened.services.definitionReview.apply('U0CLEO', draft, ['list_tickets']);
    await expect(applied).rejects.toMatchObject({ code: 'forbidden' });
    await cleo.close(true);
  });

  it('are off when they changed, until an admin picks them; what waited does not run', async () => {
    const execution = await ask(opened, seeded, 'Asked for before the change');
    await openReview(ada);
    expect(await ada.submit()).toBeNull();
    const review = ada.text(await whenOpen(ada, /1 changed, 1 gone/));
    expect(review).toMatch(/create_ticket.*is on/);
    expect(review).toContain('new inputs: team');
    expect(review).toMatch(/delete_ticket.*is on/);
    expect(review).toContain('2 of them are on');
    expect(review).toMatch(/wait for approval .* are refused/);
    expect(review).toMatch(/on from now on.*: List tickets$/m);
    expect(
      await ada.submit({ 'Functions that are on from now on': ['list_tickets', 'list_teams'] }),
    ).toBeNull();
    const detail = ada.text(await whenOpen(ada, /functions are saved/));
    expect(detail).toMatch(/Off now: .*create_ticket.*delete_ticket/);
    expect(detail).toContain('list_teams');
    await ada.close(true);

    const connection = await seededConnection();
    expect(connection.enabledFunctions).toEqual(['list_tickets', 'list_teams']);
    expect(connection.config.operations).toHaveLength(2);
    const [event] = await reviews();
    expect(event).toMatchObject({
      actor: { kind: 'user', id: 'U0ADA' },
      details: {
        changed: [{ name: 'create_ticket', what: ['new inputs: team'] }],
        removed: ['delete_ticket'],
        turnedOff: ['create_ticket', 'delete_ticket'],
        turnedOn: ['list_teams'],
      },
    });

    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await approve(opened, execution);
    const { executions } = opened.deps.models;
    const current = () => executions.findById(execution._id).lean();
    await until(async () => (await current())?.error !== null, 15_000);
    expect(await current()).toMatchObject({
      status: 'failed',
      error: { code: 'refused_recheck', message: expect.stringContaining('turned off') },
    });
    expect(world.helpdesk.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('can be picked again as what they are now', async () => {
    await openReview(ada);
    expect(await ada.submit()).toBeNull();
    await whenOpen(ada, /nothing that it has is different/);
    const all = ['list_tickets', 'list_teams', 'create_ticket'];
    expect(await ada.submit({ 'Functions that are on from now on': all })).toBeNull();
    expect(ada.text(await whenOpen(ada, /functions are saved/))).toContain('create_ticket');
    await ada.close(true);
    const { enabledFunctions } = await seededConnection();
    expect([...enabledFunctions].sort()).toEqual([...all].sort());
  });

  it('are not applied over a change that somebody made meanwhile', async () => {
    await openReview(ada);
    expect(await ada.submit()).toBeNull();
    await whenOpen(ada, /nothing that it has is different/);
    const { connections } = opened.services;
    const change = { purpose: 'Changed while the review lay open' };
    await connections.update({ kind: 'user', id: 'U0ADA' }, await seededConnection(), change);
    expect(await ada.submit({ 'Functions that are on from now on': ['list_tickets'] })).toEqual({
      functions: expect.stringContaining('Somebody changed this connection meanwhile'),
    });
    await ada.close(true);
    expect((await seededConnection()).enabledFunctions).toHaveLength(3);
  });

  it('say when the document is not to be had', async () => {
    await openReview(ada);
    expect(
      await ada.submit({ 'OpenAPI document': `http://${served.host.replace(/\d+$/, '1')}/x` }),
    ).toBeNull();
    expect(ada.text(await whenOpen(ada, /Not done/))).toMatch(/could not be read|must begin with/);
    await ada.close(true);
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
