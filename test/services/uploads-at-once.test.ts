/** Files are in memory while they arrive: so many at a time, and none beyond (G15). */
import { type ClientRequest, request } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { registerFiles } from '../../src/http/files.js';
import { createHttpServer } from '../../src/http/server.js';
import { ADA, type PagesApp, startPagesApp } from '../http/pages-app.js';

let app: PagesApp;
let server: ReturnType<typeof createHttpServer>;
let origin: string;
beforeAll(async () => {
  app = await startPagesApp();
  server = createHttpServer(app.log, { state: 'open' }, null);
  registerFiles(server, app.services);
  origin = await server.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await app.close();
});

async function token(name: string): Promise<string> {
  const caller = { name, kind: 'agent', ownerId: 'U0ADA', stage: 'test' } as const;
  return (await app.services.callers.create(ADA, caller)).token;
}

interface Upload {
  readonly sending: ClientRequest;
  readonly status: Promise<number>;
}

/** The body arrives only as far as the first half until `end` is called. */
function begin(authorization: string): Upload {
  const headers = { authorization: `Bearer ${authorization}`, 'content-length': 12 };
  const sending = request(`${origin}/v1/files`, { method: 'POST', headers });
  const status = new Promise<number>((resolve, reject) => {
    sending.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.once('error', reject);
  });
  status.catch(() => undefined);
  sending.write('half a ');
  return { sending, status };
}

const upload = async (authorization: string): Promise<number> =>
  (
    await fetch(`${origin}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${authorization}` },
      body: 'a whole file',
    })
  ).status;

const PATIENT = { timeout: 15_000, interval: 200 };
/** Those that were begun have their places by then: a look of our own must not take one from them. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 1_000));

it('takes four of a caller and eight in all; more are told to come again, and others go on', async () => {
  const callers = [await token('One'), await token('Two'), await token('Three')] as const;
  const begun = [...Array(4)].map(() => begin(callers[0]));
  await settled();
  await vi.waitFor(async () => expect(await upload(callers[0])).toBe(429), PATIENT);
  expect(await upload(callers[1])).toBe(201);
  begun.push(...[...Array(4)].map(() => begin(callers[1])));
  await settled();
  await vi.waitFor(async () => expect(await upload(callers[2])).toBe(429), PATIENT);
  for (const { sending } of begun.slice(0, 7)) sending.end('file.');
  expect(await Promise.all(begun.slice(0, 7).map(({ status }) => status))).toEqual(Array(7).fill(201));
  begun[7]?.sending.destroy();
  for (const caller of callers) await vi.waitFor(async () => expect(await upload(caller)).toBe(201), PATIENT);
});
