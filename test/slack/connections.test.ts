/** Adding, reviewing and stopping connections and callers, as people do it in Slack. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import { Visitor } from '../../playground/visitor.js';
import { API_KEY, type AppProcess, call, createWorld, type World } from '../harness/app-process.js';

const urlsIn = (view: View | null): string[] =>
  [...JSON.stringify(view).matchAll(/"url":"([^"]+)"/g)].map(([, url]) => url ?? '');

describe.each(['socket', 'http'] as const)('connections in Slack over %s', (transport) => {
  let world: World;
  let app: AppProcess;
  let ada: Person;
  let ben: Person;
  let cleo: Person;

  beforeAll(async () => {
    world = await createWorld({ transport, mongoUri: inject('mongoUri') });
    app = await world.start();
    ada = person(world.slack, 'U0ADA');
    ben = person(world.slack, 'U0BEN');
    cleo = person(world.slack, 'U0CLEO');
  });

  afterAll(async () => {
    await world?.close();
  });

  /** What only this person sees as the answer to a command. */
  const answer = async (who: Person, command: string, fits: RegExp): Promise<string> => {
    await who.command(command);
    return who.text(
      await who.waitForMessage((message) => message.ephemeral === true && fits.test(who.text(message))),
    );
  };
  const whenOpen = async (who: Person, fits: RegExp): Promise<View> => who.waitForView(fits, 15_000);
  const key = 'helpdesk-support';
  const count = async (): Promise<number> => {
    const opened = await world.services();
    const { length } = await opened.services.connections.list('U0ADA');
    await opened.close();
    return length;
  };

  it('says what to do while there is nothing', async () => {
    expect(await answer(ada, '/connections', /no connections yet/)).toContain('Add a connection');
    expect(await answer(cleo, '/connections list', /nothing here for you/)).not.toContain('Add a connection');
  });

  it('says who may add, and does not open the form for others', async () => {
    expect(await answer(cleo, '/connections add', /role of admin/)).toContain('Ada');
    expect(cleo.view()).toBeNull();
  });

  it('adds the helpdesk from its OpenAPI document', async () => {
    await ada.command('/connections add');
    await whenOpen(ada, /Add a connection/);
    await ada.fill({ Connector: 'REST API' });
    await whenOpen(ada, /OpenAPI document/);
    const errors = await ada.submit({
      Identity: 'Shared',
      'How it signs in': 'API key',
      Name: 'Helpdesk - Support',
      Purpose: 'Support agents read and file tickets',
      'Business owner': 'U0DANA',
      'OpenAPI document': world.helpdesk.openapiUrl,
    });
    expect(errors).toBeNull();
    const picker = await whenOpen(ada, /8 functions: 3 read/);
    expect(ada.text(picker)).toContain('Functions to turn on');
    expect(await ada.submit()).toEqual({ functions: expect.stringContaining('at least one') });
    expect(
      await ada.submit({ 'Functions to turn on': ['list_tickets', 'create_ticket', 'delete_ticket'] }),
    ).toBeNull();
    await whenOpen(ada, /somebody is asked/);

    expect(await ada.submit()).toEqual({ approvers: expect.stringContaining('at least one approver') });
    expect(await ada.submit({ Approvers: ['U0BEN'], 'Also post the card to a channel': '#random' })).toEqual({
      route: expect.stringContaining('/invite'),
    });
    expect(await ada.submit({ 'Also post the card to a channel': '#approvals' })).toBeNull();
    const done = await whenOpen(ada, /is there as a draft/);
    await ben.waitForMessage(/Approval requests for .Helpdesk - Support. will be posted here/);

    const [link = ''] = urlsIn(done);
    const visitor = new Visitor();
    const stored = await visitor.submit(await visitor.open(link), { api_key: API_KEY });
    expect(stored.status).toBe(200);
    await ada.click('modal', 'Show the connection');
    const detail = ada.text(await whenOpen(ada, /Readiness/));
    expect(detail).toContain(key);
    expect(detail).toMatch(/Needs approval.*Ben/);
    expect(detail).toMatch(/Runs directly/);
    expect(detail).toContain('create_ticket');
    expect(detail).toMatch(/Acts with the credential/);
    expect(detail).toContain('Nobody yet');
  });

  it('tests a read, and notes it', async () => {
    await ada.click('modal', 'Test');
    const detail = ada.text(await whenOpen(ada, /Test passed/));
    expect(detail).toContain('list_tickets');
    expect(detail).toContain(':white_check_mark: A read function was tested');
    await ada.click('modal', 'Scopes reviewed');
    await whenOpen(ada, /scopes are reviewed/);
    await ada.close(true);
  });

  it('shows a likely duplicate before a second one is made', async () => {
    await ada.command('/connections add');
    await whenOpen(ada, /Add a connection/);
    await ada.fill({ Connector: 'REST API' });
    await whenOpen(ada, /OpenAPI document/);
    await ada.submit({
      'How it signs in': 'API key',
      Name: 'Something else',
      Purpose: 'The same system again',
      'Business owner': 'U0DANA',
      'OpenAPI document': world.helpdesk.openapiUrl,
    });
    const again = ada.text(await whenOpen(ada, /This may exist already/));
    expect(again).toContain(key);
    expect(again).toContain('The same system again');
    await ada.submit({ 'Create another one?': ['yes'] });
    expect(ada.text(await whenOpen(ada, /8 functions/))).toBeTruthy();
    await ada.close(true);
  });

  it('registers a caller, whose token is shown in the browser once', async () => {
    await ada.command('/connections callers add');
    await whenOpen(ada, /Add a caller/);
    expect(await ada.submit({ Name: 'Support agent', Owner: 'U0CLEO' })).toBeNull();
    const done = await whenOpen(ada, /Show the token once/);
    const [link = ''] = urlsIn(done);
    const visitor = new Visitor();
    const page = await visitor.submit(await visitor.open(link));
    const token = /siesta_[A-Za-z0-9_-]{20,}/.exec(page.html)?.[0] ?? '';
    expect(token).not.toBe('');
    const everything =
      JSON.stringify([...world.slack.workspace.messages.values()]) + JSON.stringify(ada.views());
    expect(everything).not.toContain(token);

    const ask = () =>
      call(app.origin, token, '/v1/executions', { connection: key, function: 'list_tickets', arguments: {} });
    expect((await ask()).status).toBe(404);
    await ada.close(true);
    await ada.command(`/connections access ${key}`);
    await whenOpen(ada, /No caller may use it yet/);
    await ada.click('modal', 'Give access');
    await whenOpen(ada, /What it may call/);
    expect(await ada.submit({ Caller: 'Support agent' })).toBeNull();
    await whenOpen(ada, /Access is saved/);
    expect((await ask()).body).toMatchObject({ status: 'succeeded' });

    await ada.click('modal', 'Change');
    await whenOpen(ada, /What .Support agent. may call/);
    expect(await ada.submit({ 'What it may call': 'Only the functions', Functions: [] })).toEqual({
      functions: expect.stringContaining('at least one'),
    });
    expect(await ada.submit({ Functions: ['create_ticket'] })).toBeNull();
    await whenOpen(ada, /create_ticket/);
    expect((await ask()).status).toBe(404);
    await ada.close(true);
  });

  it('changes the policy; the owner may only tighten it', async () => {
    await ada.command(`/connections edit ${key}`);
    await whenOpen(ada, /never changes/);
    expect(await ada.submit({ Owner: 'U0CLEO' })).toBeNull();
    await whenOpen(ada, /Saved/);
    await ada.close(true);

    await cleo.command(`/connections policy ${key}`);
    expect(cleo.text(await whenOpen(cleo, /policy version 1/))).toContain('As owner you may tighten');
    await cleo.click('modal', 'Add a rule');
    await whenOpen(cleo, /New rule|Applies to/);
    const relaxing = await cleo.submit({
      'Applies to': 'All writes',
      Effect: 'Runs directly',
    });
    expect(relaxing).toBeNull();
    // A rule after the one that asks changes nothing, and the form says so before it is saved.
    expect(cleo.text(await whenOpen(cleo, /It is not saved yet/))).toContain('Rule 2 can never match');
    expect(await cleo.submit({})).toBeNull();
    await whenOpen(cleo, /policy version 2/);
    await cleo.click('modal', 'Add a rule');
    await whenOpen(cleo, /Applies to/);
    expect(
      await cleo.submit({
        'Applies to': 'The functions chosen',
        Functions: ['create_ticket'],
        Effect: 'Runs directly',
      }),
    ).toEqual({ effect: expect.stringContaining('relax the policy') });
    expect(await cleo.submit({ Effect: 'Blocked' })).toBeNull();
    expect(cleo.text(await whenOpen(cleo, /policy version 3/))).toMatch(/create_ticket.*Blocked/);
    await cleo.close(true);
  });

  it('pauses with a reason, and resumes', async () => {
    await cleo.command(`/connections pause ${key}`);
    await whenOpen(cleo, /Reason/);
    expect(await cleo.submit({ Reason: 'Migration until noon' })).toBeNull();
    await whenOpen(cleo, /is paused/);
    expect(await answer(ada, '/connections find support', /Connections found/)).toContain('paused');
    expect(await answer(cleo, '/connections pause all', /role of admin/)).toBeTruthy();
    await ada.command('/connections pause caller:support agent');
    await whenOpen(ada, /The caller .?Support agent stops/);
    await ada.submit({ Reason: 'Too many tickets' });
    await whenOpen(ada, /Too many tickets/);
    expect(await answer(ada, '/connections resume caller:Support agent', /runs again/)).toContain(
      'Support agent',
    );
    expect(await answer(cleo, `/connections resume ${key}`, /runs again/)).toContain('Helpdesk - Support');
    await ada.close(true);
    await cleo.close(true);
  });

  it('keeps settings, and tries the channel', async () => {
    await ada.command('/connections settings');
    await whenOpen(ada, /Auditors/);
    await ada.fill({ 'Approvals channel': '#random' });
    await ada.click('modal', 'Send a test message');
    await whenOpen(ada, /\/invite/);
    expect(await ada.submit({ 'Approvals channel': '#random' })).toEqual({
      approvals_channel: expect.stringContaining('/invite'),
    });
    expect(
      await ada.submit({
        'Approvals channel': '#approvals',
        Admins: ['U0ADA', 'U0BEN'],
        'Days that arguments and results are kept': 30,
      }),
    ).toBeNull();
    await whenOpen(ada, /settings are saved/);
    await ada.close(true);
    await ben.command('/connections callers');
    await whenOpen(ben, /1 callers/);
    await ben.close(true);
  });

  it('understands commands as people type them', async () => {
    expect(await answer(cleo, '/connections shwo helpdesk', /no .*shwo/)).toContain('/connections show');
    expect(await answer(cleo, '/connections help', /What .* can do/)).toContain('disconnect KEY');
    expect(await answer(cleo, '/connections show', /Say which connection/)).toContain('KEY');
    expect(
      await answer(cleo, '/connections show nothing-like-it', /no connection .nothing-like-it/),
    ).toBeTruthy();
    const pasted = await answer(ada, `/connections test siesta_${'a1B2'.repeat(8)}`, /looks like a secret/);
    expect(pasted).toContain('Rotate it');
    expect(await answer(cleo, `/connections connect ${key}`, /is shared/)).toContain('no account of yours');
    expect(await answer(ben, '/connections find <!channel>', /Add a connection|add it/)).not.toContain(
      '@channel',
    );
  });

  it('refuses what cannot be added, and stores nothing', async () => {
    const before = await count();
    await ada.command('/connections add');
    await whenOpen(ada, /Add a connection/);
    await ada.fill({ Connector: 'REST API' });
    await whenOpen(ada, /OpenAPI document/);
    const typed = { 'How it signs in': 'API key', Purpose: 'Bad input', 'Business owner': 'U0DANA' };
    const url = world.helpdesk.openapiUrl;
    expect(await ada.submit({ ...typed, 'OpenAPI document': url, Key: 'Not A Key' })).toEqual({
      key: expect.stringContaining('lower-case'),
    });
    expect(await ada.submit({ Key: key })).toEqual({ key: expect.stringContaining('taken') });
    expect(await ada.submit({ Key: '', Purpose: `token siesta_${'a1B2'.repeat(8)}` })).toEqual({
      purpose: expect.stringContaining('secret'),
    });
    expect(await ada.submit({ Purpose: 'Bad input', Owner: 'U0SIESTABOT' })).toEqual({
      owner: expect.stringContaining('is an app'),
    });
    for (const [document, problem] of [
      ['https://helpdesk.invalid/openapi.json', /could not be read/],
      [`${world.helpdesk.origin}/nothing-here`, /answered 40\d/],
      ['{"openapi": "3.1.0", "paths": ', /JSON/i],
      ['<html><body>Hello</body></html>', /web page/],
    ] as const) {
      await ada.submit({ Owner: 'U0ADA', 'OpenAPI document': document });
      const again = ada.text(await whenOpen(ada, problem));
      expect(again).toContain('Bad input');
    }
    await ada.submit({ 'OpenAPI document': url, 'Base URL': 'http://example.com' });
    await whenOpen(ada, /OUTBOUND_ALLOW_PRIVATE/);
    expect(await count()).toBe(before);
    await ada.close(true);
  });

  it('removes a connection once its key was typed', async () => {
    await ada.command(`/connections remove ${key}`);
    await whenOpen(ada, /cannot be undone/);
    const label = `Type the key “${key}” to remove it`;
    expect(await ada.submit({ [label]: 'something' })).toEqual({
      confirm: expect.stringContaining('not the key'),
    });
    expect(await ada.submit({ [label]: key })).toBeNull();
    await whenOpen(ada, /are gone/);
    await ada.close(true);
    expect(await answer(ada, `/connections show ${key}`, /no connection/)).toBeTruthy();
  });

  it('sent Slack nothing that Slack would refuse', async () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
