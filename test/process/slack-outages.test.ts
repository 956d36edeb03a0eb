/**
 * G11, in short: Slack limits, fails and drops while approvals wait. Every card arrives, none inside a Retry-After, one
 * message a second and channel; a card that cannot be delivered in time ends as expired, never as approved.
 */
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { person } from '../../playground/slack/person.js';
import type { ApiRequest } from '../../playground/slack/protocol.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  until,
  type World,
} from '../harness/app-process.js';

const PENDING = 8;
/** Of two requests that left together, one may be told to wait while the other is on its way, on a busy machine. */
const ON_THE_WAY_MS = 400;

let world: World;
let seeded: Seeded;
let apps: AppProcess[];

beforeEach(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  const services = await world.services();
  seeded = await seedHelpdesk(services, world.helpdesk);
  await services.close();
  apps = await Promise.all([world.start(), world.start()]);
});

afterEach(async () => world.close());

const ask = async (subject: string): Promise<string> => {
  const answer = await call(apps[0]?.origin ?? '', seeded.token, '/v1/executions', {
    connection: 'helpdesk',
    function: 'create_ticket',
    arguments: { subject, body: 'Floor 3', requester: 'sam@example.com' },
  });
  expect(answer.status).toBe(202);
  return answer.body.id;
};

const posts = (): ApiRequest[] =>
  world.slack.workspace.requests.filter(({ method }) => method === 'chat.postMessage');

describe('Slack answers 429, then 500, then drops connections', () => {
  it('gets every card in the end, in its own pace', async () => {
    const { faults } = world.slack;
    const phase = async (fault: Parameters<typeof faults.add>[0], struck: () => boolean): Promise<void> => {
      faults.add({ ...fault, method: 'chat.postMessage' });
      await until(struck, 30_000);
    };
    const failed = (status: number): number => posts().filter((request) => request.status === status).length;
    const first = phase({ kind: 'rate_limited', retry_after: 3, times: 1 }, () => failed(429) >= 1);
    const subjects = Array.from({ length: PENDING }, (_, index) => `Card number ${index}.`);
    for (const subject of subjects) await ask(subject);
    await first;
    await phase({ kind: 'rate_limited', retry_after: 2, times: 1 }, () => failed(429) >= 2);
    await phase({ kind: 'server_error', times: 4 }, () => failed(500) >= 4);
    await phase({ kind: 'drop', times: 4 }, () => failed(0) >= 4);

    const ben = person(world.slack, 'U0BEN');
    const shown = (channel: string): string[] => ben.messages(channel).map((message) => ben.text(message));
    const missing = (): string[] =>
      ['C0APPROVALS', 'D0BEN'].flatMap((channel) => {
        const texts = shown(channel).join('\n');
        return subjects
          .filter((subject) => !texts.includes(subject))
          .map((subject) => `${channel}: ${subject}`);
      });
    await until(
      () => missing().length === 0,
      60_000,
      () => missing().join('\n'),
    );

    // Each card once: a message that Slack never took was not there twice.
    for (const channel of ['C0APPROVALS', 'D0BEN']) expect(shown(channel)).toHaveLength(PENDING);

    // None inside a window, but those that were on their way when it was announced.
    const windows = posts().filter(({ status, too_early }) => status === 429 && !too_early);
    const early = posts().filter(
      ({ too_early, at }) => too_early && !windows.some((window) => at - window.at < ON_THE_WAY_MS),
    );
    expect(windows.length).toBeGreaterThanOrEqual(2);
    expect(early).toEqual([]);

    const gaps = ['C0APPROVALS', 'D0BEN'].flatMap((channel) => {
      const times = ben.messages(channel).map(({ ts }) => Number(ts) * 1_000);
      return times.slice(1).map((time, index) => time - (times[index] ?? 0));
    });
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    const onTheWay = posts().filter(({ too_early }) => too_early).length;
    console.info(
      `${posts().length} posts for ${2 * PENDING} cards, ${onTheWay} on their way when a window opened, shortest gap ${Math.round(Math.min(...gaps))} ms`,
    );

    // And each of them works.
    const [card] = ben.messages('D0BEN').filter((message) => ben.text(message).includes('Card number 3.'));
    if (!card) throw new Error('there is no card');
    await ben.click(card, 'approval.approve');
    await until(() => world.helpdesk.tickets().some(({ subject }) => subject === 'Card number 3.'), 10_000);
    expect(world.slack.workspace.violations).toEqual([]);
  }, 120_000);
});

describe('a card that nobody ever sees', () => {
  it('ends as expired, and says why', async () => {
    world.slack.faults.add({
      method: 'chat.postMessage',
      kind: 'server_error',
      times: Number.POSITIVE_INFINITY,
    });
    const id = await ask('Never seen.');
    await until(() => posts().length > 0, 5_000);
    // The hour is over.
    const { deps, close } = await world.services();
    const over = { expiresAt: new Date(Date.now() - 1_000) };
    const { models, workspaceId } = deps;
    await models.approvals.updateOne({ executionId: id, workspaceId }, { $set: over });
    await models.executions.updateOne({ _id: id, workspaceId }, { $set: over });
    await models.outbox.updateMany({ subjectId: id, workspaceId }, { $set: { deadline: over.expiresAt } });
    const done = await call(apps[1]?.origin ?? '', seeded.token, `/v1/executions/${id}?wait=20`);
    expect(done.body).toMatchObject({
      status: 'expired',
      approval: { status: 'expired' },
      error: { code: 'expired', message: expect.stringContaining('undeliverable') },
    });
    world.slack.faults.clear();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(person(world.slack, 'U0BEN').messages('C0APPROVALS')).toEqual([]);
    expect(world.helpdesk.requests).toEqual([]);
    await close();
  }, 60_000);
});
