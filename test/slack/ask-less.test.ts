/** Asking less, as people do it in Slack: a grant made, used, listed and revoked; a condition with its preview; a dry run. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Person, person } from '../../playground/slack/person.js';
import type { View } from '../../playground/slack/protocol.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';
import { ticketRequest } from '../harness/writes.js';

let world: World;
let app: AppProcess;
let looking: Connected;
let seeded: Seeded;
let ada: Person;
let ben: Person;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { approvers: ['U0BEN'] });
  app = await world.start();
  ada = person(world.slack, 'U0ADA');
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

const whenOpen = async (who: Person, fits: RegExp): Promise<View> => who.waitForView(fits, 15_000);
const ask = (subject: string, more: object = {}) =>
  call(app.origin, seeded.token, '/v1/executions', { ...ticketRequest(subject), ...more });
const simulate = (subject: string) =>
  call(app.origin, seeded.token, '/v1/executions/simulate', ticketRequest(subject));
const execution = (id: unknown) => looking.services.executions.record(String(id));

describe('a grant', () => {
  it('is made from the card together with the approval, and says what it covers', async () => {
    const subject = `first ${randomUUID()}`;
    const asked = await ask(subject);
    expect(asked.body).toMatchObject({ status: 'pending_approval' });
    const card = await ben.waitForMessage((message) => ben.text(message).includes(subject), 15_000);
    await ben.click(card, 'Don’t ask again…');
    const form = ben.text(await whenOpen(ben, /What will no longer be asked/));
    expect(form).toContain('All other calls are asked as before');
    expect(await ben.submit({ 'Only where this stays the same': [] })).toEqual({
      limits: expect.stringContaining('complete this'),
    });
    expect(
      await ben.submit({
        'How long': 'For a number of calls',
        'Number of calls': 2,
        'Only where this stays the same': ['Same domain of requester'],
      }),
    ).toBeNull();
    await ben.waitForMessage(/Remembered/, 15_000);
    // Once is enough: the card says so, and offers it no more.
    const finished = () => ben.text(ben.current(card));
    await until(() => /@Ben made a grant from this/.test(finished()), 10_000, finished);
    expect(finished()).not.toContain('Don’t ask again');
    const done = await execution((asked.body as { id: string }).id);
    expect(done).toMatchObject({ requirement: 'required', approvalStatus: 'approved' });
  });

  it('answers the next calls over HTTP as often as it says, then people are asked', async () => {
    expect((await simulate('dry')).body).toMatchObject({
      outcome: 'run',
      requirement: 'granted',
      grant: { uses_left: 2 },
    });
    const runs = [await ask('second'), await ask('third')];
    for (const { body } of runs) {
      expect(body).toMatchObject({
        status: 'succeeded',
        requirement: 'granted',
        approval: { status: 'not_required' },
      });
    }
    expect((await ask('fourth')).body).toMatchObject({ status: 'pending_approval', requirement: 'required' });
    expect((await simulate('dry')).body).toMatchObject({
      outcome: 'ask',
      grant: null,
      approvers: ['U0BEN'],
      missing: [],
    });
  });

  it('is listed in App Home and in the connection, and revoked there in one click', async () => {
    const subject = `listed ${randomUUID()}`;
    await ask(subject);
    const card = await ben.waitForMessage((message) => ben.text(message).includes(subject), 15_000);
    await ben.click(card, 'Don’t ask again…');
    await whenOpen(ben, /What will no longer be asked/);
    expect(await ben.submit({ 'Only where this stays the same': ['Same requester'] })).toBeNull();
    await until(async () => ((await simulate('dry')).body as { outcome?: string }).outcome === 'run', 10_000);
    expect((await ask('granted')).body).toMatchObject({ requirement: 'granted' });

    await ada.command('/connections show helpdesk');
    expect(ada.text(await whenOpen(ada, /Not asked again/))).toContain('the same requester');
    await ada.close(true);
    await ben.openHome();
    const home = ben.text(await ben.waitForHome(/Not asked again, because of me/, 15_000));
    expect(home).toContain('the same requester');
    await ben.click('home', 'Revoke');
    await ben.waitForHome((view) => !ben.text(view).includes('Not asked again'), 15_000);
    const finished = () => ben.text(ben.current(card));
    await until(() => finished().includes('Don’t ask again'), 10_000, finished);
    expect(finished()).not.toContain('made a grant from this');
    expect((await ask('asked again')).body).toMatchObject({ status: 'pending_approval' });
    const events = await looking.deps.models.auditEvents
      .find({ workspaceId: looking.deps.workspaceId, action: /^grant\./ })
      .sort({ at: 1 })
      .lean();
    expect(events.map(({ action }) => action)).toEqual(['grant.made', 'grant.made', 'grant.revoked']);
  });
});

describe('a condition', () => {
  it('is chosen, previewed and saved without anything to type but its value', async () => {
    await ada.command('/connections policy helpdesk');
    await whenOpen(ada, /policy version/);
    await ada.click('modal', 'Add a rule');
    await whenOpen(ada, /New rule|Applies to/);
    await ada.fill({
      'Applies to': 'The functions chosen',
      Functions: ['create_ticket'],
      'Only when': 'An argument is …',
      Value: 'subject = harmless',
      Effect: 'Runs directly',
    });
    await ada.click('modal', 'Preview');
    const previewed = ada.text(await whenOpen(ada, /this policy would have asked/));
    expect(previewed).toMatch(/in the last 7 days this policy would have asked .*\d+ times?/);
    expect(await ada.submit({ Value: 'nonsense' })).toEqual({
      when_value: expect.stringContaining('project = OPS'),
    });
    expect(await ada.submit({ Value: 'subject = harmless' })).toBeNull();
    const policy = ada.text(await whenOpen(ada, /The policy is saved/));
    expect(policy).toContain('only when the argument subject is harmless');
    await ada.close(true);

    expect((await ask('harmless')).body).toMatchObject({ status: 'succeeded', requirement: 'none' });
    expect((await ask('harmful')).body).toMatchObject({
      status: 'pending_approval',
      requirement: 'required',
    });
    const listed = await call(app.origin, seeded.token, '/v1/functions');
    const { functions } = listed.body as { functions: { function: string; requirement: string }[] };
    expect(functions.find((each) => each.function === 'create_ticket')?.requirement).toBe('required');
  });
});

describe('a dry run', () => {
  it('says in Slack what would become of a call, and which rule says so', async () => {
    const answer = async (text: string, fits: RegExp) => {
      await ada.command(`/connections simulate ${text}`);
      return ada.text(
        await ada.waitForMessage(
          (message) => message.ephemeral === true && fits.test(ada.text(message)),
          10_000,
        ),
      );
    };
    const args = (subject: string) => JSON.stringify({ subject, body: 'x', requester: 'sam@example.com' });
    const said = await answer(`helpdesk create_ticket ${args('harmless')}`, /dry run/);
    expect(said).toContain('run directly');
    expect(said).toContain('only when the argument subject is harmless');
    expect(await answer(`helpdesk create_ticket ${args('other')}`, /would .ask/)).toContain('Could decide');
    expect(await answer('helpdesk create_ticket nonsense', /Write it like this/)).toBeTruthy();
    expect(await answer('helpdesk', /Write it like this/)).toBeTruthy();
  });

  it('refuses over HTTP what a submission refuses', async () => {
    const wrong = await call(app.origin, seeded.token, '/v1/executions/simulate', {
      connection: 'helpdesk',
      function: 'create_ticket',
      arguments: {},
    });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_arguments' } });
    const unknown = await call(app.origin, seeded.token, '/v1/executions/simulate', {
      connection: 'nothing',
      function: 'x',
    });
    expect(unknown.status).toBe(404);
  });

  it('sent Slack nothing that Slack would refuse', () => {
    expect(world.slack.workspace.violations).toEqual([]);
    expect(app.output()).not.toContain('unexpected error');
  });
});
