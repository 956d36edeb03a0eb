/** More functions than a menu of Slack's holds: a whole API of GitHub's size, searched and picked from. */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import { type AppProcess, createWorld, type World } from '../harness/app-process.js';

const GITHUB = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
const SLACK_MENU = 100;

/** An OAuth API of so many operations. */
function thingsDocument(count: number, server = 'https://things.example.com'): string {
  const paths = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `/things/${at}`,
      {
        get: {
          operationId: `thing_${at}`,
          summary: `Thing number ${at}`,
          responses: { 200: { description: 'ok' } },
        },
      },
    ]),
  );
  const authorizationCode = {
    authorizationUrl: 'https://login.example.com/authorize',
    tokenUrl: 'https://login.example.com/token',
    scopes: { 'things:read': 'Read things' },
  };
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    servers: [{ url: server }],
    components: { securitySchemes: { login: { type: 'oauth2', flows: { authorizationCode } } } },
    paths,
  });
}

describe('connections with more functions than a menu holds', () => {
  let world: World;
  let app: AppProcess;
  let documents: { host: string; close(): void };
  let ada: Person;
  const key = 'things';
  const all = Array.from({ length: 150 }, (_, at) => `thing_${at}`);

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    const server = createServer((request, response) => {
      if (request.url === '/github.json') createReadStream(GITHUB).pipe(response);
      else response.end(thingsDocument(3, 'https://count.example.com'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    documents = { host: `127.0.0.1:${port}`, close: () => void server.close() };
    world.allowPrivate.push(documents.host);
    const opened = await world.services();
    const { operations } = await importOpenApi(thingsDocument(150));
    const actor = { kind: 'user', id: 'U0ADA' } as const;
    await opened.services.connections.create(actor, {
      connector: 'rest',
      identity: 'shared',
      name: 'Things',
      purpose: 'Counting things',
      ownerId: 'U0ADA',
      businessOwnerId: 'U0DANA',
      auth: 'none',
      config: JSON.parse(JSON.stringify({ base_url: 'https://things.example.com', operations })),
      enabledFunctions: all,
    });
    await opened.services.callers.create(actor, {
      name: 'Counter',
      kind: 'agent',
      ownerId: 'U0ADA',
      stage: 'test',
    });
    await opened.close();
    app = await world.start();
    ada = person(world.slack, 'U0ADA');
  });

  afterAll(async () => {
    documents?.close();
    await world?.close();
  });

  const whenOpen = (fits: RegExp): Promise<View> => ada.waitForView(fits, 15_000);
  const searched = async (label: string): Promise<void> => {
    expect(await ada.options(label, '')).toHaveLength(SLACK_MENU);
    const found = JSON.stringify(await ada.options(label, 'number 14'));
    for (const name of ['thing_14', 'thing_140', 'thing_149']) expect(found).toContain(`"${name}"`);
    expect(await ada.options(label, 'nothing like it')).toEqual([]);
  };

  it('search in the rules of a policy', async () => {
    await ada.command(`/connections policy ${key}`);
    await whenOpen(/policy version 1/);
    await ada.click('modal', 'Add a rule');
    await whenOpen(/Applies to/);
    await searched('Functions');
    expect(
      await ada.submit({
        'Applies to': 'The functions chosen',
        Functions: ['thing_149', 'thing_0'],
        Effect: 'Blocked',
      }),
    ).toBeNull();
    expect(ada.text(await whenOpen(/policy version 2/))).toMatch(/thing_0.*thing_149|thing_149.*thing_0/);
    await ada.close(true);
  });

  it('search in what a caller may use', async () => {
    await ada.command(`/connections access ${key}`);
    await whenOpen(/No caller may use it yet/);
    await ada.click('modal', 'Give access');
    await whenOpen(/What it may call/);
    await searched('Functions');
    expect(
      await ada.submit({
        Caller: 'Counter',
        'What it may call': 'Only the functions',
        Functions: ['thing_148'],
      }),
    ).toBeNull();
    expect(ada.text(await whenOpen(/Access is saved/))).toContain('thing_148');
    await ada.close(true);
  });

  it('search in what is turned on, and keep what was', async () => {
    await ada.command(`/connections show ${key}`);
    await whenOpen(/Readiness/);
    await ada.click('modal', 'Functions');
    await whenOpen(/151 functions/);
    await searched('Functions to turn on');
    expect(await ada.submit()).toBeNull();
    expect(ada.text(await whenOpen(/functions are saved/))).toContain('1–40 of 150');
    await ada.close(true);
  });

  it('take in the whole API of GitHub, of which the picked functions are kept', async () => {
    await ada.command('/connections add');
    await whenOpen(/Add a connection/);
    await ada.fill({ Connector: 'REST API' });
    await whenOpen(/OpenAPI document/);
    await ada.fill({ 'How it signs in': 'Bearer token' });
    await ada.waitForView((view) => !ada.text(view).includes('API key header'), 15_000);
    await ada.submit({
      Identity: 'Shared',
      Purpose: 'Agents triage issues',
      'Business owner': 'U0DANA',
      'OpenAPI document': `http://${documents.host}/github.json`,
    });
    const picker = ada.text(await ada.waitForView(/\d+ functions:/, 25_000));
    expect(picker).toMatch(/1[,.]?2\d\d functions: \d+ read, \d+ write, \d+ destructive/);
    const started = performance.now();
    const found = JSON.stringify(await ada.options('Functions to turn on', 'issue lock'));
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(found).toContain('issues_lock');
    expect(await ada.submit({ 'Functions to turn on': ['issues_lock', 'issues_list_for_repo'] })).toBeNull();
    await whenOpen(/somebody is asked/);
    expect(await ada.submit({ Approvers: ['U0BEN'] })).toBeNull();
    await whenOpen(/is there as a draft/);
    await ada.click('modal', 'Show the connection');
    expect(ada.text(await whenOpen(/Readiness/))).toMatch(/issues_list_for_repo[\s\S]*issues_lock/);
    await ada.close(true);
    const opened = await world.services();
    const [github] = await opened.services.connections.list('U0ADA', 'triage');
    await opened.close();
    expect(github?.config.operations).toHaveLength(2);
    expect(github?.config).toMatchObject({
      base_url: 'https://api.github.com',
      document_url: `http://${documents.host}/github.json`,
    });
  });

  it('ask for what fits the way to sign in, and take the rest from the document', async () => {
    await ada.command('/connections add');
    await whenOpen(/Add a connection/);
    await ada.fill({ Connector: 'REST API' });
    const first = ada.text(await whenOpen(/OpenAPI document/));
    expect(first).toContain('API key header');
    expect(first).not.toContain('Token URL');
    await ada.fill({ Purpose: 'Each member counts her own', 'How it signs in': 'Sign in (OAuth 2)' });
    const second = ada.text(await whenOpen(/Token URL/));
    expect(second).toContain('Each member counts her own');
    expect(second).not.toContain('API key header');
    await ada.submit({
      Identity: 'Private',
      'Business owner': 'U0DANA',
      'OpenAPI document': `http://${documents.host}/things.json`,
    });
    expect(ada.text(await whenOpen(/4 functions/))).toContain('things:read');
    expect(await ada.submit({ 'Functions to turn on': ['thing_1'] })).toBeNull();
    const done = ada.text(await whenOpen(/is there as a draft/));
    const [, made = ''] = /key `([a-z0-9-]+)`/.exec(done) ?? [];
    await ada.close(true);
    const opened = await world.services();
    const connection = await opened.services.connections.find(made);
    await opened.close();
    expect(connection).toMatchObject({
      identity: 'private',
      auth: 'oauth',
      config: {
        authorize_url: 'https://login.example.com/authorize',
        token_url: 'https://login.example.com/token',
        scopes: 'things:read',
        pkce: 'on',
        client_auth: 'post',
      },
    });
  });

  it('let nobody but an admin say where a credential is sent', async () => {
    const opened = await world.services();
    const connection = await opened.services.connections.find(key);
    if (!connection) throw new Error('the connection is gone');
    await opened.services.connections.update({ kind: 'user', id: 'U0ADA' }, connection, {
      ownerId: 'U0CLEO',
    });
    await opened.close();
    const cleo = person(world.slack, 'U0CLEO');
    await cleo.command(`/connections edit ${key}`);
    await cleo.waitForView(/never changes/, 15_000);
    const refused = await cleo.submit({ 'Base URL': 'https://elsewhere.example.com' });
    expect(refused).toEqual({ 'field.base_url': expect.stringContaining('only an admin') });
    expect(await cleo.submit({ 'Base URL': 'https://things.example.com', Purpose: 'Counting' })).toBeNull();
    await cleo.waitForView(/Saved/, 15_000);
    await cleo.close(true);
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
