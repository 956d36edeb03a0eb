/** HTTP call → card → click → REST call → result, and the same with the process killed in the middle. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { person } from '../../playground/slack/person.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';

const CREATE = {
  connection: 'helpdesk',
  function: 'create_ticket',
  arguments: { subject: 'Printer on fire', body: 'Floor 3', requester: 'sam@example.com' },
};

describe.each(['socket', 'http'] as const)('the main job over %s', (transport) => {
  let world: World;
  let seeded: Seeded;
  let app: AppProcess;

  beforeAll(async () => {
    world = await createWorld({ transport, mongoUri: inject('mongoUri') });
    const services = await world.services();
    seeded = await seedHelpdesk(services, world.helpdesk);
    await services.close();
    app = await world.start();
  });

  afterAll(async () => world.close());

  it('runs a read at once', async () => {
    const answer = await call(app.origin, seeded.token, '/v1/executions', {
      connection: 'helpdesk',
      function: 'list_tickets',
      arguments: {},
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body).toMatchObject({ status: 'succeeded', requirement: 'none', outcome_recorded: true });
    expect(JSON.stringify(answer.body.result)).toContain('subject');
  });

  it('asks before a write, and runs it once when Ben approves', async () => {
    const before = world.helpdesk.tickets().length;
    const asked = await call(app.origin, seeded.token, '/v1/executions', CREATE);
    expect(asked.status, JSON.stringify(asked.body)).toBe(202);
    const ben = person(world.slack, 'U0BEN');
    const card = await ben.waitForMessage(/Printer on fire/);
    expect(world.slack.workspace.violations).toEqual([]);
    const waiting = call(app.origin, seeded.token, `/v1/executions/${asked.body.id}?wait=20`);
    await ben.click(card, 'approval.approve');
    const done = await waiting;
    expect(done.body).toMatchObject({ status: 'succeeded', approval: { status: 'approved' } });
    expect(world.helpdesk.tickets()).toHaveLength(before + 1);
    await until(
      () => (ben.messages('C0APPROVALS') ?? []).some((message) => /done/.test(ben.text(message))),
      5_000,
    );
  });

  it('survives kill -9 between the question and the click', async () => {
    const asked = await call(app.origin, seeded.token, '/v1/executions', {
      ...CREATE,
      arguments: { ...CREATE.arguments, subject: 'Second' },
    });
    const ben = person(world.slack, 'U0BEN');
    const card = await ben.waitForMessage(/Second/);
    await app.kill();
    app = await world.start();
    await ben.click(card, 'approval.approve');
    const done = await call(app.origin, seeded.token, `/v1/executions/${asked.body.id}?wait=20`);
    expect(done.body.status, JSON.stringify(done.body)).toBe('succeeded');
    expect(world.helpdesk.tickets().filter((ticket) => ticket.subject === 'Second')).toHaveLength(1);
  });
});
