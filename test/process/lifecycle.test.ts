/** What happens to the process when Slack's side of things comes and goes. */
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
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

const READ = { connection: 'helpdesk', function: 'list_tickets', arguments: {} };

describe('Slack comes and goes', () => {
  let world: World;
  let seeded: Seeded;
  let app: AppProcess;

  beforeEach(async () => {
    world = await createWorld({ mongoUri: inject('mongoUri') });
    const services = await world.services();
    seeded = await seedHelpdesk(services, world.helpdesk);
    await services.close();
    app = await world.start();
  });

  afterEach(async () => world.close());

  const answers = async (): Promise<void> => {
    const ada = person(world.slack, 'U0ADA', { patienceMs: 8_000 });
    const before = ada.dm().length;
    await until(async () => (await ada.command('/executions', 'D0ADA')).ok, 10_000);
    await until(() => ada.dm().length > before, 5_000);
  };

  it.each(['refresh_requested', 'cut'] as const)('replaces a lost socket by itself (%s)', async (how) => {
    for (let round = 0; round < 3; round += 1) {
      world.slack.dropSockets(how);
      await until(() => world.slack.connected(1, 8_000).then(() => true), 10_000);
    }
    await answers();
    expect(app.child.exitCode).toBeNull();
  });

  it('keeps trying while apps.connections.open fails, and does not end', async () => {
    world.slack.faults.add({ method: 'apps.connections.open', kind: 'server_error', times: 3 });
    world.slack.dropSockets('cut');
    await until(() => world.slack.connected(1, 15_000).then(() => true), 20_000);
    await answers();
    expect(app.child.exitCode).toBeNull();
  });

  it('stops work when the app is uninstalled: calls are refused and nothing is sent', async () => {
    const before = world.helpdesk.requests.length;
    await world.slack.event({ type: 'app_uninstalled' });
    await until(
      async () => (await call(app.origin, seeded.token, '/v1/executions', READ)).status === 403,
      5_000,
    );
    const answer = await call(app.origin, seeded.token, '/v1/executions', READ);
    expect(answer.body).toMatchObject({ code: 'paused', execution: { status: 'denied' } });
    const after = world.helpdesk.requests.length;
    await call(app.origin, seeded.token, '/v1/executions', READ);
    expect(world.helpdesk.requests.length).toBe(after);
    expect(after - before).toBeLessThanOrEqual(1);
  });

  it('finishes what runs on SIGTERM and exits with 0', async () => {
    world.helpdesk.delay = 1_000;
    const running = call(app.origin, seeded.token, '/v1/executions', READ).catch(() => null);
    await until(() => world.helpdesk.requests.length > 0, 5_000);
    await app.kill('SIGTERM');
    expect(await app.exited).toBe(0);
    await running;
    const { services, deps, close } = await world.services();
    const [execution] = await deps.models.executions.find({ workspaceId: 'T0SIESTA' }).lean();
    expect(execution?.status).toBe('succeeded');
    expect(services).toBeDefined();
    await close();
  });
});
