/** App Home is a row of the outbox for whoever has opened hers: kept up to date, a few seconds apart, never in a Retry-After. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { HOME_EVERY_MS } from '../../src/services/home-rows.js';
import { Delivery, type Drawer } from '../../src/slack/delivery.js';
import { type DecidersApp, startDecidersApp } from '../services/deciders-app.js';

const BOTH = {
  approvers: { users: ['U0BEN', 'U0DANA'], usergroups: [], connectionOwner: false },
};

let app: DecidersApp;
let delivery: Delivery;
/** What Slack was asked, in order. */
const asked: { method: string; who: string; at: number }[] = [];
let retryAfter = 0;
const slack = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const method = request.url?.split('/').at(-1) ?? '';
  const channel = form.get('channel') ?? { id: `D${form.get('users')}` };
  asked.push({ method, who: form.get('user_id') ?? String(form.get('channel')), at: performance.now() });
  response.setHeader('content-type', 'application/json');
  if (method === 'views.publish' && retryAfter > 0) {
    response.writeHead(429, { 'retry-after': String(retryAfter) });
    retryAfter = 0;
    response.end();
    return;
  }
  response.end(JSON.stringify({ ok: true, channel, ts: `${asked.length}.000100` }));
});

beforeAll(async () => {
  app = await startDecidersApp();
  await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
  const { port } = slack.address() as AddressInfo;
  const client = new WebClient('fake-token', {
    slackApiUrl: `http://127.0.0.1:${port}/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const draw: Drawer = async () => ({ text: 'a card', blocks: [], version: 0 });
  const drawers = { approval: draw, notice: draw, authorization: draw, oauth_code: draw, reminder: draw };
  delivery = new Delivery(app.deps, app.services.outbox, client, drawers, async () => ({
    type: 'home',
    blocks: [],
  }));
  delivery.start();
});
afterAll(async () => {
  await delivery.stop();
  slack.closeAllConnections();
  slack.close();
  await app.close();
});

const homes = () => asked.filter(({ method }) => method === 'views.publish');
const cards = () => asked.filter(({ method }) => method === 'chat.postMessage');
const idle = () => app.models.outbox.countDocuments({ notBefore: { $ne: null } });
/** She opened it, and it was shown to her. */
const opened = async (userId: string): Promise<void> => {
  const row = await app.services.outbox.claimHome(userId);
  if (row) await app.services.outbox.homeShown(row);
};
const settled = () => vi.waitFor(async () => expect(await idle()).toBe(0), { timeout: 30_000 });

it('of whoever opened it shows a new request, once for what changes at once; others have none', async () => {
  await opened('U0BEN');
  const desk = await app.desk(BOTH);
  await Promise.all([app.ask(desk), app.ask(desk), app.ask(desk)]);
  await settled();
  expect(new Set(cards().map(({ who }) => who))).toEqual(new Set(['DU0BEN', 'DU0DANA']));
  expect(new Set(homes().map(({ who }) => who))).toEqual(new Set(['U0BEN']));
  const times = homes().map(({ at }) => at);
  for (const [index, at] of times.slice(1).entries())
    expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(HOME_EVERY_MS - 100);
  // Three requests, each with two copies of its card: drawn once at the start, and once for what came meanwhile.
  expect(times.length).toBeLessThanOrEqual(2);
});

it('waits for as long as Slack says, and cards do not', async () => {
  const execution = await app.ask(await app.desk(BOTH));
  await settled();
  asked.length = 0;
  retryAfter = 4;
  await app.services.outbox.refresh('approval', execution._id);
  await vi.waitFor(() => expect(homes()).toHaveLength(1), { timeout: 10_000 });
  await app.services.outbox.refresh('approval', execution._id);
  await settled();
  const [refused, shown, ...more] = homes();
  expect(more).toEqual([]);
  expect((shown?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(4_000);
  const updates = asked.filter(({ method, at }) => method === 'chat.update' && at < (shown?.at ?? 0));
  expect(updates.length).toBeGreaterThanOrEqual(4);
});

it('that could not be shown when she opened it is shown by the outbox', async () => {
  await settled();
  asked.length = 0;
  const row = await app.services.outbox.claimHome('U0BEN');
  if (!row) throw new Error('it is being drawn');
  await app.services.outbox.homeMissed(row);
  await vi.waitFor(() => expect(homes().map(({ who }) => who)).toEqual(['U0BEN']), { timeout: 10_000 });
});
