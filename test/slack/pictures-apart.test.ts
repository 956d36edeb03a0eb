/** A picture follows its message when Slack takes it, and no card waits for that. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Delivery, type Drawer } from '../../src/slack/delivery.js';
import { type PagesApp, startPagesApp } from '../http/pages-app.js';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>';

let app: PagesApp;
let delivery: Delivery;
/** A Slack whose uploads never end. */
const posted: string[] = [];
let uploads = 0;
const slack = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  if (request.url?.includes('files.')) {
    uploads += 1;
    return;
  }
  if (request.url?.includes('chat.postMessage')) posted.push(form.get('text') ?? '');
  const channel = form.get('channel') ?? { id: `D${form.get('users')}` };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: true, channel, ts: `${posted.length}.000100` }));
});

beforeAll(async () => {
  app = await startPagesApp();
  await new Promise<void>((resolve) => slack.listen(0, '127.0.0.1', resolve));
  const { port } = slack.address() as AddressInfo;
  const client = new WebClient('fake-token', {
    slackApiUrl: `http://127.0.0.1:${port}/api/`,
    retryConfig: { retries: 0 },
  });
  const draw: Drawer = async ({ message }) => {
    const text = message?.kind === 'sentence' ? message.text : '';
    const picture = text.startsWith('report') ? { picture: { svg: SVG, name: 'p.png', text } } : {};
    return { text, blocks: [], version: 0, ...picture };
  };
  const drawers = { approval: draw, notice: draw, authorization: draw, oauth_code: draw, reminder: draw };
  delivery = new Delivery(app.deps, app.services.outbox, client, drawers, async () => ({
    type: 'home',
    blocks: [],
  }));
});
afterAll(async () => {
  slack.closeAllConnections();
  slack.close();
  await delivery.stop();
  await app.close();
});

it('many pictures that Slack does not take hold up no card', async () => {
  const tell = (to: string, text: string) => app.services.outbox.notify(to, { kind: 'sentence', text });
  for (let each = 1; each <= 5; each += 1) await tell(`U0REPORT${each}`, `report ${each}`);
  delivery.start();
  await vi.waitFor(() => expect(uploads).toBeGreaterThan(0), { timeout: 20_000 });
  await tell('U0BEN', 'a card');
  await vi.waitFor(() => expect(posted).toHaveLength(6), { timeout: 5_000 });
  expect(posted).toContain('a card');
  expect(uploads, 'one after the other').toBe(1);
});
