/** Signing in to approve, as a browser sees it, where something is not as it should be. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { ExecutionDocument } from '../../models/types.js';
import { CompanySignIn } from '../../src/credentials/company-sign-in.js';
import { registerPages } from '../../src/http/pages/index.js';
import { createHttpServer } from '../../src/http/server.js';
import { createOutbound } from '../../src/net/safe-fetch.js';
import { shortHash } from '../../src/services/binding.js';
import { createServices, type Services } from '../../src/services/index.js';
import { type LaxProvider, startLaxProvider } from '../harness/lax-provider.js';
import { type DecidersApp, startDecidersApp } from '../services/deciders-app.js';
import { Browser } from './pages-app.js';

const BEN = 'ben@corp.example';

let app: DecidersApp;
let services: Services;
let provider: LaxProvider;
let browser: Browser;
let close: () => Promise<void>;
let desk: Awaited<ReturnType<DecidersApp['desk']>>;

beforeAll(async () => {
  app = await startDecidersApp();
  provider = await startLaxProvider();
  const outbound = createOutbound({ allowPrivate: [provider.host] });
  const deps = { ...app.deps, companySignIn: new CompanySignIn(provider, outbound, app.log) };
  services = createServices(deps);
  const server = createHttpServer(app.log, { state: 'open' }, null);
  registerPages(server, services, deps);
  const address = await server.listen({ port: 0, host: '127.0.0.1' });
  browser = new Browser(address, () => {});
  desk = await app.desk({ stepUp: 'oidc' });
  close = async () => {
    await server.close();
    await outbound.close();
    await provider.close();
    await app.close();
  };
});
afterAll(() => close());
beforeEach(() => {
  browser.cookies.clear();
  provider.faults = {};
  app.directory.away = false;
  app.directory.change('U0BEN', { email: BEN, active: true });
});

/** A request, and the link that Ben gets for it. */
async function offered(): Promise<{ execution: ExecutionDocument; link: string }> {
  const execution = await app.ask(desk);
  const { bindingHash } = await app.approvalOf(execution);
  const request = { executionId: execution._id, hash: shortHash(bindingHash) };
  return { execution, link: await services.stepUpSignIns.offer('U0BEN', request) };
}

/** Presses the button. @returns the provider's address */
async function toProvider(link: string): Promise<string> {
  const sent = await browser.post(link);
  expect(sent.status, sent.text).toBe(303);
  return sent.location ?? '';
}

const back = (url: string, claims = {}) => browser.get(provider.signIn(url, claims).href);
const statusOf = async (execution: ExecutionDocument) => (await app.approvalOf(execution)).status;
const refusals = async ({ _id }: ExecutionDocument): Promise<unknown[]> => {
  const found = await app.models.auditEvents
    .find({ action: 'approval.refused_click', 'subject.id': _id })
    .lean();
  return found.map(({ details }) => details.reason);
};

it('two sign-ins in two tabs do not disturb each other', async () => {
  const [one, other] = [await offered(), await offered()];
  const [first, second] = [await toProvider(one.link), await toProvider(other.link)];
  expect((await back(first)).text).toContain('It is approved');
  expect((await back(second)).text).toContain('It is approved');
  expect(await statusOf(one.execution)).toBe('approved');
  expect(await statusOf(other.execution)).toBe('approved');
  expect(browser.cookies.size).toBe(0);
});

it('the page lets the provider send her on to wherever the company signs in', async () => {
  const { link } = await offered();
  const page = await browser.get(link);
  expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http:;");
  expect(page.text).toContain('or did not press Approve in Slack just now');
});

it('a provider that is away is said to be, and the link goes on working', async () => {
  const { execution, link } = await offered();
  provider.faults = { '/.well-known/openid-configuration': 503 };
  expect((await browser.get(link)).status).toBe(200);
  const away = await browser.post(link);
  expect(away.status).toBe(503);
  expect(away.text).toContain('does not answer as expected');
  provider.faults = {};
  const url = await toProvider(link);
  provider.faults = { '/token': 'closed' };
  const lost = await back(url);
  expect(lost.status).toBe(503);
  expect(lost.text).toContain('Press Approve in Slack again');
  expect(await statusOf(execution)).toBe('pending');
  expect(await refusals(execution)).toEqual([]);
});

it('what is decided is said to be, whatever fails after it', async () => {
  const { execution, link } = await offered();
  const url = await toProvider(link);
  const settle = vi.spyOn(services.approvals, 'settle').mockRejectedValueOnce(new Error('fake outage'));
  const page = await back(url);
  expect(settle).toHaveBeenCalledOnce();
  expect(page.status).toBe(200);
  expect(page.text).toContain('It is approved');
  expect(await statusOf(execution)).toBe('approved');
  expect(app.log.text).toContain('fake outage');
});

it('who may not act any more, or has no address, approves nothing, and it is on record once', async () => {
  for (const change of [{ active: false }, { outsider: true }, { email: null }, { email: '' }]) {
    const { execution, link } = await offered();
    const url = await toProvider(link);
    app.directory.change('U0BEN', change);
    const page = await back(url, { email: change.email ?? BEN });
    app.directory.change('U0BEN', { email: BEN, active: true, outsider: false });
    expect(page.status, JSON.stringify(change)).toBe(403);
    expect(await statusOf(execution)).toBe('pending');
    expect(await refusals(execution), JSON.stringify(change)).toEqual([
      'second proof: not a person who may act',
    ]);
  }
});

it('an address is the same whatever its case, and no other one looks like it', async () => {
  const { execution, link } = await offered();
  // U+212A, which Unicode folds to a k; and another mailbox of the same name.
  app.directory.change('U0BEN', { email: 'kim@corp.example' });
  for (const email of ['\u212Aim@corp.example', 'kim+x@corp.example']) {
    const page = await back(await toProvider((await offered()).link), { email });
    expect(page.status).toBe(403);
    expect(page.text).toContain('which is not your address in Slack');
  }
  expect((await back(await toProvider(link), { email: 'Kim@Corp.example' })).status).toBe(200);
  expect(await statusOf(execution)).toBe('approved');
});

it('a request that changed, stands still or is void is not approved by a link from before', async () => {
  const { models } = app;
  const change = {
    'out of date': { bindingHash: 'f'.repeat(64) },
    paused: { frozenAt: new Date() },
    'Too late': { status: 'cancelled', endedAt: new Date() },
  } as const;
  for (const [words, $set] of Object.entries(change)) {
    const { execution, link } = await offered();
    const url = await toProvider(link);
    await models.approvals.updateOne({ executionId: execution._id, workspaceId: 'T0TEST' }, { $set });
    const page = await back(url);
    expect(page.status).toBe(403);
    expect(page.text).toContain(words);
    expect((await app.approvalOf(execution)).decisions).toEqual([]);
  }
});

it('another browser, or a sign-in that is refused, is told what to do in Slack', async () => {
  const { execution, link } = await offered();
  const url = await toProvider(link);
  browser.cookies.clear();
  const stranger = await back(url);
  expect(stranger.status).toBe(403);
  expect(stranger.text).toContain('Press Approve in Slack again');
  const refused = await back(await toProvider((await offered()).link), { nonce: 'fake-other-nonce' });
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('<h1>Not signed in</h1>');
  expect(await statusOf(execution)).toBe('pending');
});
