/** The corners of the forms: private connections, large documents, new imports, stacked modals, things sent twice. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { PolicyRule } from '../../models/types.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import {
  type AppProcess,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';

/** An OpenAPI document with so many operations that a menu does not hold them. */
function largeDocument(count: number): string {
  const paths = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `/things/${at}`,
      {
        [at % 2 === 0 ? 'get' : 'post']: {
          operationId: `thing_${at}`,
          summary: `Thing number ${at}`,
          responses: { 200: { description: 'ok' } },
        },
      },
    ]),
  );
  const document = {
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    servers: [{ url: 'https://things.example.com' }],
    paths,
  };
  return JSON.stringify(document);
}

/** One document on loopback. */
async function serve(document: string): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end(document),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/openapi.json`, close: () => void server.close() };
}

describe('forms about connections', () => {
  let world: World;
  let app: AppProcess;
  let seeded: Seeded;
  let documents: { readonly url: string; close(): void };
  let ada: Person;
  let cleo: Person;

  beforeAll(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    const opened = await world.services();
    seeded = await seedHelpdesk(opened, world.helpdesk, { functions: ['list_tickets', 'create_ticket'] });
    await opened.close();
    documents = await serve(largeDocument(1_300));
    world.allowPrivate.push(new URL(documents.url).host);
    app = await world.start();
    ada = person(world.slack, 'U0ADA');
    cleo = person(world.slack, 'U0CLEO');
  });

  afterAll(async () => {
    documents?.close();
    await world?.close();
  });

  const whenOpen = (who: Person, fits: RegExp): Promise<View> => who.waitForView(fits, 15_000);
  const answer = async (who: Person, command: string, fits: RegExp): Promise<string> => {
    await who.command(command);
    return who.text(
      await who.waitForMessage((message) => message.ephemeral === true && fits.test(who.text(message))),
    );
  };
  const openForm = async (connector: string, fits: RegExp): Promise<void> => {
    await ada.command('/connections add');
    await whenOpen(ada, /Add a connection/);
    await ada.fill({ Connector: connector });
    await whenOpen(ada, fits);
  };

  it('adds a private mailbox, which each member connects herself', async () => {
    await openForm('Gmail', /Sign in with Google/);
    await ada.fill({ Connector: 'REST API' });
    await whenOpen(ada, /OpenAPI document/);
    await ada.fill({ Purpose: 'Agents answer the mails of their owners', Connector: 'Gmail' });
    expect(ada.text(await whenOpen(ada, /google account/i))).toContain('Agents answer the mails');
    expect(await ada.submit({ Identity: 'Private', 'Business owner': 'U0DANA' })).toBeNull();
    await whenOpen(ada, /Functions to turn on/);
    expect(await ada.submit({ 'Functions to turn on': ['search_messages', 'send_message'] })).toBeNull();
    expect(ada.text(await whenOpen(ada, /somebody is asked/))).not.toContain('Approvers');
    expect(await ada.submit()).toBeNull();
    const done = ada.text(await whenOpen(ada, /is there as a draft/));
    expect(done).toContain('Gmail - Agents answer the mails');
    expect(done).toContain('Enter the OAuth client');
    expect(done).toMatch(/each member authorizes her own account/);
    const [, key = ''] = /key `([a-z0-9-]+)`/.exec(done) ?? [];
    await ada.click('modal', 'Show the connection');
    const detail = ada.text(await whenOpen(ada, /Readiness/));
    expect(detail).toContain('Acts as each member · private · 0 members have authorized it');
    expect(detail).toContain('by the member whose account it is, in her DM');
    await ada.close(true);

    await ada.command(`/connections policy ${key}`);
    await whenOpen(ada, /policy version 1/);
    await ada.click('modal', 'Change');
    await whenOpen(ada, /A further approver/);
    expect(await ada.submit({ 'A further approver': ['U0BEN'] })).toBeNull();
    expect(ada.text(await whenOpen(ada, /policy version 2/))).toContain(
      'by the member whose account it is *and* one of @Ben, by DM',
    );
    await ada.close(true);

    await cleo.command(`/connections show ${key}`);
    const hers = cleo.text(await whenOpen(cleo, /Connect my account/));
    expect(hers).not.toContain('Readiness');
    expect(hers).not.toContain('[Edit]');
    await cleo.click('modal', 'Connect my account');
    await whenOpen(cleo, /sent you a DM/);
    expect(
      cleo.text(
        await cleo.waitForMessage(
          (message) => /Gmail/.test(cleo.text(message)) && message.channel.startsWith('D'),
        ),
      ),
    ).toContain('Gmail');
    await cleo.close(true);
    expect(await answer(cleo, `/connections disconnect ${key}`, /No account of yours/)).toBeTruthy();
    expect(await answer(cleo, `/connections test ${key}`, /role of admin/)).toBeTruthy();
    expect(
      await answer(ada, `/connections test ${key}`, /Connect your own account first|nothing to test/),
    ).toBeTruthy();
  });

  it('searches where a menu does not hold all functions, and keeps what is picked', async () => {
    await openForm('REST API', /OpenAPI document/);
    const typed = {
      Identity: 'Shared',
      'How it signs in': 'No sign-in',
      Purpose: 'Counting things',
      'Business owner': 'U0DANA',
    };
    expect(await ada.submit({ ...typed, 'OpenAPI document': documents.url })).toBeNull();
    await whenOpen(ada, /1301 functions: 650 read, 650 write, 1 destructive/);
    const offered = await ada.options('Functions to turn on', 'number 77');
    expect(offered.length).toBeGreaterThan(10);
    expect(JSON.stringify(offered)).toContain('thing_777');
    expect(await ada.options('Functions to turn on', '')).toHaveLength(100);
    expect(await ada.submit({ 'Functions to turn on': ['thing_776', 'thing_777'] })).toBeNull();
    expect(ada.text(await whenOpen(ada, /somebody is asked/))).toContain('Thing number 777');
    expect(await ada.submit({ Approvers: ['U0BEN'] })).toBeNull();
    await whenOpen(ada, /signs in nowhere/);
    await ada.click('modal', 'Show the connection');
    expect(ada.text(await whenOpen(ada, /Readiness/))).toMatch(/thing_776[\s\S]*thing_777/);
    await ada.close(true);
  });

  it('changes which functions are on', async () => {
    await ada.command(`/connections show ${seeded.key}`);
    await whenOpen(ada, /Readiness/);
    await ada.click('modal', 'Functions');
    expect(ada.text(await whenOpen(ada, /8 functions/))).toContain('Read functions again');
    expect(
      await ada.submit({
        'Functions to turn on': ['list_tickets', 'create_ticket', 'add_comment'],
        'Ask every time': ['list_tickets'],
      }),
    ).toBeNull();
    const detail = ada.text(await whenOpen(ada, /functions are saved/));
    expect(detail).toContain('add_comment');
    expect(detail).not.toContain('delete_ticket');
    await ada.click('modal', 'Functions');
    const picker = await whenOpen(ada, /8 functions/);
    const everyTime = picker.blocks.find(({ block_id }) => block_id === 'every_time');
    expect(everyTime).toMatchObject({ element: { initial_options: [{ value: 'list_tickets' }] } });
    expect(await ada.submit({ 'Functions to turn on': ['list_tickets'] })).toBeNull();
    await ada.waitForView(
      (view) => /functions are saved/.test(ada.text(view)) && !ada.text(view).includes('create_ticket'),
    );
    await ada.close(true);
  });

  it('stacks at most three modals, and finds its way back', async () => {
    await ada.command('/connections callers');
    await whenOpen(ada, /1 callers/);
    await ada.click('modal', 'Open');
    await whenOpen(ada, /What it may call/);
    await ada.click('modal', 'Give access');
    await whenOpen(ada, /Which connection may/);
    expect(ada.views()).toHaveLength(3);
    expect(await ada.submit({ Connection: seeded.connectionId })).toBeNull();
    await whenOpen(ada, /What it may call/);
    expect(ada.views()).toHaveLength(3);
    expect(
      await ada.submit({ 'What it may call': 'Only the functions', Functions: ['list_tickets'] }),
    ).toBeNull();
    expect(ada.text(await whenOpen(ada, /Access is saved/))).toContain('1 functions');
    expect(ada.views()).toHaveLength(2);

    await ada.click('modal', 'Rotate token');
    await whenOpen(ada, /has a new token/);
    await ada.click('modal', 'Show the caller');
    await whenOpen(ada, /Revoke/);
    await ada.click('modal', 'Revoke');
    await whenOpen(ada, /is revoked/);
    await ada.close(true);
  });

  it('makes one connection of a form that is sent twice', async () => {
    await openForm('REST API', /OpenAPI document/);
    const typed = {
      Identity: 'Shared',
      'How it signs in': 'API key',
      Name: 'Twice - only once',
      Purpose: 'Sent twice',
      'Business owner': 'U0DANA',
    };
    await ada.submit({
      ...typed,
      'OpenAPI document': largeDocument(4),
      'Base URL': 'https://twice.example.com',
    });
    await whenOpen(ada, /Functions to turn on/);
    await ada.submit({ 'Functions to turn on': ['thing_0', 'thing_1'] });
    const view = await whenOpen(ada, /somebody is asked/);
    await ada.fill({ 'The owner': ['owner'] });
    const { values } = view.state;
    const send = () =>
      world.slack.interactions.submit('U0ADA', view.id, { ...values, ...ada.view()?.state.values });
    await Promise.allSettled([send(), send(), send()]);
    await ada.close(true).catch(() => undefined);
    const list = await answer(ada, '/connections find twice', /Connections found/);
    expect(list.match(/Twice - only once/g)).toHaveLength(1);
  });

  it('offers user groups by name, and keeps the order of rules', async () => {
    await ada.command(`/connections policy ${seeded.key}`);
    await whenOpen(ada, /policy version 1/);
    await ada.click('modal', 'Add a rule');
    await whenOpen(ada, /Applies to/);
    const offered = await ada.options('Approvers from user groups', 'fin');
    expect(JSON.stringify(offered)).toContain('@finance');
    expect(await ada.options('Approvers from user groups', 'nothing like it')).toEqual([]);
    expect(
      await ada.submit({
        'Applies to': 'All reads',
        Effect: 'Needs approval',
        'Approvers from user groups': ['@finance'],
        'Also post the card to a channel': null,
        'Approvals needed': 2,
      }),
    ).toBeNull();
    const text = ada.text(await whenOpen(ada, /policy version 2/));
    expect(text).toMatch(
      /2\.. every read function → .Needs approval. by .*S0FINANCE|2\.. every read function.*finance/,
    );
    await ada.click('modal', 'Move up');
    expect(ada.text(await whenOpen(ada, /policy version 3/))).toMatch(/1\.. every read function/);
    const [first = ''] = [...JSON.stringify(ada.view()).matchAll(/"value":"([^"]+:rule_[^"]+)"/g)].map(
      ([, value]) => value ?? '',
    );
    await ada.click('modal', 'policy.remove_rule', { value: first });
    expect(ada.text(await whenOpen(ada, /policy version 4/))).not.toContain('every read function');
    await ada.close(true);
  });

  it('leaves the risks of a rule as they are while something else of it is changed', async () => {
    const opened = await world.services();
    const { services } = opened;
    const connection = await services.connections.find(seeded.connectionId);
    if (!connection) throw new Error('the connection is gone');
    const asking = connection.policy.rules.map((rule) => ({ ...rule, id: `rest_${rule.id}` }));
    const direct = { ...asking[0], id: 'direct', risks: ['write'], effect: 'allow', limitPerHour: 5 };
    const admin = { kind: 'user', id: 'U0ADA' } as const;
    await services.connections.setPolicy(admin, connection, [direct as PolicyRule, ...asking]);
    const rulesNow = async () => (await services.connections.find(seeded.connectionId))?.policy.rules;
    await ada.command(`/connections policy ${seeded.key}`);
    await whenOpen(ada, /every write function → .Runs directly.*at most 5/);
    await ada.click('modal', 'Change', { value: `${seeded.connectionId}:direct` });
    expect(ada.text(await whenOpen(ada, /Change the rule/))).toContain('As it is');
    const warned = await ada.submit({ 'Most calls an hour': 6 });
    expect(warned).toBeNull();
    expect(ada.text(await whenOpen(ada, /at most 6/))).toContain('every write function');
    expect((await rulesNow())?.[0]).toMatchObject({ id: 'direct', risks: ['write'], limitPerHour: 6 });
    await ada.close(true);
    await opened.close();
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
