/** The same request again is the same call (G13; shared/RELIABILITY.md T12, abuse 37 and 38). */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { person } from '../../playground/slack/person.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { startTaker, type Taker } from '../harness/taker.js';
import { approve, ask, eachOf, ends, sent, ticketRequest } from '../harness/writes.js';

const AT_ONCE = 100;

let world: World;
let looking: Connected;
let seeded: Seeded;

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk);
});
afterAll(async () => {
  await looking.close();
  await world.close();
});

describe('100 identical requests at once, through two processes', () => {
  let apps: AppProcess[];
  /** Requests that a busy database turned away, on a machine that cannot keep up. */
  let refused = 0;

  beforeAll(async () => {
    apps = [await world.start(), await world.start()];
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.kill()));
  });

  /** Asks, and asks again under the same key when it is told to (503): that is what the key is for. */
  async function persist(n: number, body: unknown, key: string): Promise<Answer> {
    const headers = { 'idempotency-key': key };
    for (;;) {
      const origin = apps[n % 2]?.origin ?? '';
      const answer = await call(origin, seeded.token, '/v1/executions', body, headers);
      if (answer.status !== 503) return answer;
      expect(answer.body).toMatchObject({ executed: false, retryable: true });
      refused += 1;
      await new Promise((resolve) => setTimeout(resolve, 250 + 10 * n));
    }
  }
  const askAtOnce = (body: unknown, key: string) =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, n) => persist(n, body, key)));

  it.each(['key-1', 'key-2', 'key-3'])(
    'a write under %s is asked about once, and another body refused',
    { timeout: 90_000 },
    async (key) => {
      const answers = await askAtOnce(ticketRequest(`Under ${key}`), key);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
      const ids = new Set(answers.map(({ body }) => body.id));
      expect(ids.size).toBe(1);
      const [id] = [...ids];

      const { models, workspaceId } = looking.deps;
      expect(await models.executions.countDocuments({ workspaceId, idempotencyKey: key })).toBe(1);
      expect(await models.payloads.countDocuments({ workspaceId, executionId: id })).toBe(1);
      expect(await models.approvals.countDocuments({ workspaceId, executionId: id })).toBe(1);
      // The 99 leave nothing behind, unless the database failed them half-way.
      const executions = (await models.executions.find({ workspaceId }).lean()).map(({ _id }) => _id);
      const orphans = { workspaceId, executionId: { $nin: executions } };
      expect(await models.payloads.countDocuments(orphans)).toBeLessThanOrEqual(refused);
      expect(await models.approvals.countDocuments(orphans)).toBeLessThanOrEqual(refused);

      const ben = person(world.slack, 'U0BEN', { patienceMs: 20_000 });
      const shown = (channel: readonly { text: string; ts: string }[]) =>
        channel.filter((message) => JSON.stringify(message).includes(`Under ${key}`)).length;
      await ben.waitForMessage(
        ({ channel, blocks }) => channel === 'C0APPROVALS' && JSON.stringify(blocks).includes(`Under ${key}`),
      );
      await ben.waitForMessage(
        ({ channel, blocks }) => channel.startsWith('D') && JSON.stringify(blocks).includes(`Under ${key}`),
      );
      expect([shown(ben.messages('C0APPROVALS')), shown(ben.dm())]).toEqual([1, 1]);

      const others = await askAtOnce(ticketRequest(`Another one under ${key}`), key);
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set([409]));
      expect(others[0]?.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(others[0]?.body).toMatchObject({ status: 409, code: 'idempotency_conflict' });

      const card = ben
        .messages('C0APPROVALS')
        .find((message) => JSON.stringify(message).includes(`Under ${key}`));
      if (card) await ben.click(card, 'approval.approve');
      const [end] = await ends(looking, [String(id)], 20_000);
      expect(end?.status).toBe('succeeded');
      expect(sent(world.helpdesk, `Under ${key}`)).toHaveLength(1);
      const afterwards = await askAtOnce(ticketRequest(`Under ${key}`), key);
      expect(new Set(afterwards.map(({ body }) => `${body.id} ${body.status}`))).toEqual(
        new Set([`${id} succeeded`]),
      );
      expect(sent(world.helpdesk, `Under ${key}`)).toHaveLength(1);
    },
  );

  it('a call that runs at once runs once', { timeout: 60_000 }, async () => {
    const before = world.helpdesk.requests.length;
    const body = { connection: 'helpdesk', function: 'list_tickets', arguments: {} };
    const answers = await askAtOnce(body, 'direct');
    expect(new Set(answers.map(({ body: { id, status } }) => `${id} ${status}`)).size).toBe(1);
    expect(answers[0]?.body.status).toBe('succeeded');
    expect(world.helpdesk.requests.length - before).toBe(1);
  });

  it('the same key of another caller is another call', async () => {
    const other = await looking.services.callers.create(
      { kind: 'user', id: 'U0ADA' },
      { name: 'Another agent', kind: 'agent', ownerId: 'U0ADA', stage: 'test' },
    );
    const connection = await looking.services.connections.find(seeded.connectionId);
    if (!connection) throw new Error('the connection is gone');
    const access = [...connection.access, { callerId: other.caller._id, functions: null }];
    await looking.services.connections.setAccess({ kind: 'user', id: 'U0ADA' }, connection, access);
    const headers = { 'idempotency-key': 'key-1' };
    const [mine, theirs] = await Promise.all(
      [seeded.token, other.token].map((token) =>
        call(apps[0]?.origin ?? '', token, '/v1/executions', ticketRequest('Under key-1'), headers),
      ),
    );
    expect(mine?.body.status).toBe('succeeded');
    expect(theirs?.status).toBe(202);
    expect(theirs?.body.id).not.toBe(mine?.body.id);
  });
});

describe('abuse 37: approved, and run by two processes at once', () => {
  const COUNT = 50;
  let takers: Taker[];

  beforeAll(async () => {
    takers = [await startTaker(world), await startTaker(world)];
  });
  afterAll(async () => {
    await Promise.all(takers.map((taker) => taker.stop()));
  });

  it(`sends each of ${COUNT} once`, { timeout: 60_000 }, async () => {
    const subjects = Array.from({ length: COUNT }, (_, n) => `Taken twice ${n + 1}.`);
    const executions = await eachOf(subjects, async (subject) => {
      const execution = await ask(looking, seeded, subject.replaceAll(' ', '-'));
      await approve(looking, execution);
      return execution;
    });
    const ids = executions.map(({ _id }) => _id);
    const at = Date.now() + 200;
    for (const taker of takers) taker.take(ids, at);
    const done = await ends(looking, ids, 40_000);
    expect(done.map(({ status }) => status)).toEqual(Array(COUNT).fill('succeeded'));
    for (const subject of subjects)
      expect(sent(world.helpdesk, subject.replaceAll(' ', '-'))).toHaveLength(1);
    const winners = new Set(done.map(({ attempt }) => attempt?.process));
    expect(winners.size, 'both processes took part').toBe(2);
  });
});
