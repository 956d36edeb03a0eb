/**
 * Connecting an account in the browser, and every way to abuse it (shared/RELIABILITY.md, abuse 58): nothing is ever
 * stored, and the Slack user is told.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionDocument, SHARED } from '../../models/types.js';
import { sha256Hex } from '../../src/canonical.js';
import { oauthAppId } from '../../src/services/credentials.js';
import { rule } from '../services/documents.js';
import { ADA, type Browser, type PagesApp, PUBLIC_URL, startPagesApp, type Visited } from './pages-app.js';

const READ = 'https://www.googleapis.com/auth/gmail.readonly';
const SEND = 'https://www.googleapis.com/auth/gmail.send';

let app: PagesApp;
let mail: ConnectionDocument;
let count = 0;

beforeAll(async () => {
  app = await startPagesApp();
  await app.services.credentials.store({
    connectionId: oauthAppId('google'),
    subject: SHARED,
    kind: 'oauth_app',
    fields: { client_id: app.standIn.clientId, client_secret: app.standIn.clientSecret },
    createdBy: 'U0ADA',
  });
});
afterAll(async () => app.close());

beforeEach(async () => {
  mail = await gmail('private');
  app.standIn.account = 'cleo@example.com';
  app.standIn.granted = null;
});

function gmail(identity: 'private' | 'shared', ownerId = 'U0BEN'): Promise<ConnectionDocument> {
  count += 1;
  return app.services.connections.create(ADA, {
    connector: 'gmail',
    identity,
    name: `Mail ${count}`,
    key: `mail-${count}`,
    purpose: 'Answer mail',
    ownerId,
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions: ['search_messages', 'send_message'],
  });
}

const startLink = (userId = 'U0CLEO', connection = mail): Promise<string> =>
  app.services.links.create({ purpose: 'oauth', userId, connectionId: connection._id });

/** Opens the link and presses the button. @returns the provider's address */
async function begin(browser: Browser, userId = 'U0CLEO', connection = mail): Promise<string> {
  const sent = await browser.post(await startLink(userId, connection));
  expect(sent.status, sent.text).toBe(303);
  return sent.location ?? '';
}

/** What the provider sends the browser back to. */
function callback(providerUrl: string, fields: Record<string, string>): string {
  const state = new URL(providerUrl).searchParams.get('state') ?? '';
  return `${PUBLIC_URL}/oauth/callback?${new URLSearchParams({ state, ...fields })}`;
}

/** Through the provider and back, to the page that asks for the code. */
async function arrive(browser: Browser, userId = 'U0CLEO', connection = mail): Promise<string> {
  const provider = await begin(browser, userId, connection);
  const back = await browser.get(callback(provider, { code: app.standIn.consent(provider) }));
  expect(back.status, back.text).toBe(303);
  return back.location ?? '';
}

/** The six digits in the DM of that user. */
async function codeInDm(finishUrl: string, userId = 'U0CLEO'): Promise<string> {
  const flow = finishUrl.split('/').at(-1) ?? '';
  const filter = { workspaceId: 'T0TEST', view: 'oauth_code' as const, subjectId: flow };
  expect(await app.models.outbox.find(filter).lean()).toMatchObject([{ to: userId }]);
  return (await app.services.authorizationFlow.codeOf(flow))?.code ?? '';
}

const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** Nothing is stored for the connection, whoever's it would be. */
async function expectNothingStored(connection = mail): Promise<void> {
  const filter = { workspaceId: 'T0TEST', connectionId: connection._id };
  expect(await app.models.credentials.countDocuments(filter)).toBe(0);
  expect(await app.models.authorizations.countDocuments(filter)).toBe(0);
  expect(await app.models.consents.countDocuments(filter)).toBe(0);
}

async function expectTold(reason: string, connection = mail, userId = 'U0CLEO'): Promise<void> {
  const told = (await app.notices(userId)).filter((text) => text.includes(`Connecting ${connection.key} `));
  expect(told).toEqual([expect.stringContaining(reason)]);
  expect(told[0]).toContain('Nothing was stored');
}

function expectRefusal(page: Visited, status: number, words: string): void {
  expect([page.status, page.text]).toEqual([status, expect.stringContaining(words)]);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('cache-control')).toBe('no-store');
}

/** A caller that asks for a mail from Cleo's account, and waits for her. */
async function waitingCaller(name: string) {
  const { caller } = await app.services.callers.create(ADA, {
    name,
    kind: 'agent',
    ownerId: 'U0BEN',
    stage: 'test',
  });
  const now = (await app.services.connections.find(mail._id)) ?? mail;
  mail = await app.services.connections.setAccess(ADA, now, [
    ...now.access,
    { callerId: caller._id, functions: null },
  ]);
  const { execution } = await app.services.submissions.submit(caller, {
    connection: mail.key,
    function: 'send_message',
    arguments: { to: ['ben@example.com'], subject: 'Hello', body_text: 'Hi' },
    onBehalfOf: 'U0CLEO',
    reason: null,
    idempotencyKey: `key-${name}`,
  });
  expect(execution.status).toBe('pending_authorization');
  return { caller, execution };
}

describe('connecting an account', () => {
  it('from the link in the DM to a call that goes on by itself', async () => {
    const allowed = await waitingCaller('Allowed <agent>');
    const ignored = await waitingCaller('Ignored');
    const url = await startLink();
    const browser = app.browser();

    const start = await browser.get(url);
    expect(start.status).toBe(200);
    expect(start.text).toContain('Cleo');
    expect(start.text).toContain('Your own Google account');
    expect(start.text).toContain(`Search mails<br><span class="small">${READ}`);
    expect(start.text).toContain(SEND);
    // Atlassian's, for one, sends people on to another host of its own to sign in.
    expect(start.headers.get('content-security-policy')).toContain("form-action 'self' http:;");

    const sent = await browser.post(url);
    expect(sent.status).toBe(303);
    expect(sent.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-siesta-flow-[0-9a-f]{16}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure$/,
      ),
    ]);
    const provider = new URL(sent.location ?? '');
    expect(provider.origin).toBe(app.standIn.origin);
    expect(Object.fromEntries(provider.searchParams)).toMatchObject({
      response_type: 'code',
      redirect_uri: `${PUBLIC_URL}/oauth/callback`,
      code_challenge_method: 'S256',
      scope: `openid email ${READ} ${SEND}`,
    });

    const back = await browser.get(
      callback(provider.href, { code: app.standIn.consent(provider.href), iss: app.standIn.origin }),
    );
    expect(back.status, back.text).toBe(303);
    const finishUrl = back.location ?? '';
    const question = await browser.get(finishUrl);
    expect(question.text).toContain('<strong>cleo@example.com</strong>');
    expect(question.text).toContain('Let <strong>Allowed &lt;agent&gt;</strong> act for me');
    expect(question.text).not.toContain(' checked');
    await expectNothingStored();

    const code = await codeInDm(finishUrl);
    const typo = await browser.post(finishUrl, { code: wrong(code), allow: allowed.caller._id });
    expectRefusal(typo, 400, 'not the code from your Slack DM; 4 tries are left');
    expect(typo.text).toContain(`value="${allowed.caller._id}" checked`);
    await expectNothingStored();

    const done = await browser.post(finishUrl, {
      code: `${code.slice(0, 3)} ${code.slice(3)}`,
      allow: allowed.caller._id,
    });
    expect(done.status, done.text).toBe(200);
    expect(done.text).toContain('Allowed &lt;agent&gt; may now act for you');
    expect(browser.cookies.size).toBe(0);
    const credential = await app.services.credentials.find(mail._id, 'U0CLEO');
    expect(credential).toMatchObject({
      kind: 'oauth',
      account: 'cleo@example.com',
      scopes: ['openid', 'email', READ, SEND],
    });
    expect(await app.services.credentials.find(mail._id, SHARED)).toBeNull();
    const { executions } = app.models;
    expect(await executions.findById(allowed.execution._id).lean()).toMatchObject({
      status: 'pending_approval',
    });
    expect(await executions.findById(ignored.execution._id).lean()).toMatchObject({
      status: 'pending_authorization',
    });

    expectRefusal(await browser.post(finishUrl, { code }), 410, 'used already');
    expect(await app.services.authorizationFlow.codeOf(finishUrl.split('/').at(-1) ?? '')).toMatchObject({
      code: null,
    });
  });

  it('says who has to approve besides her, and keeps with her consent what she was told', async () => {
    const list = { users: ['U0DANA'], usergroups: [], connectionOwner: false };
    const rules = [rule({ approvers: { ...list, users: [] }, furtherApprovers: list })];
    mail = await app.services.connections.setPolicy(ADA, mail, rules);
    const { caller, execution } = await waitingCaller('Overseen agent');
    const unseen = await waitingCaller('Agent of an older page');
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const page = await browser.get(finishUrl);
    const { name } = (await app.directory.person('U0DANA')) ?? { name: 'nobody' };
    expect(page.text).toContain(`Besides you, <strong>${name}</strong> has to approve`);
    const [, told = ''] = /name="further" value="([0-9a-f]{64})"/.exec(page.text) ?? [];
    const code = await codeInDm(finishUrl);
    const done = await browser.post(finishUrl, { code, allow: caller._id, further: told });
    expect(done.status, done.text).toBe(200);
    const statusOf = async (id: string) => (await app.services.executions.record(id)).status;
    expect(await statusOf(execution._id)).toBe('pending_approval');

    // Without it, as from a page from before it was required, she has consented to nothing of the kind.
    const again = app.browser();
    const secondUrl = await arrive(again);
    await again.post(secondUrl, { code: await codeInDm(secondUrl), allow: unseen.caller._id });
    expect(await app.services.members.consent('U0CLEO', unseen.caller._id, mail._id)).toMatchObject({
      status: 'allowed',
      furtherHash: null,
    });
    expect(await statusOf(unseen.execution._id)).toBe('pending_authorization');
  });

  it('ticks of callers that did not ask are ignored', async () => {
    const { caller } = await app.services.callers.create(ADA, {
      name: 'Uninvited',
      kind: 'agent',
      ownerId: 'U0BEN',
      stage: 'test',
    });
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const done = await browser.post(finishUrl, { code: await codeInDm(finishUrl), allow: caller._id });
    expect(done.status).toBe(200);
    expect(await app.services.members.consent('U0CLEO', caller._id, mail._id)).toBeNull();
  });

  it('says which functions will not work when not everything was allowed', async () => {
    app.standIn.granted = `openid https://www.googleapis.com/auth/userinfo.email ${READ}`;
    const browser = app.browser();
    const page = await browser.get(await arrive(browser));
    expect(page.text).toMatch(/These will not work:<\/p>\s*<ul><li>[^<]*[Ss]end[^<]*<\/li><\/ul>/);
    expect(page.text).not.toContain('<li>Search mails');
  });

  it('two sign-ins in two tabs of one browser do not disturb each other', async () => {
    const other = await gmail('private');
    const browser = app.browser();
    const [first, second] = [await begin(browser), await begin(browser, 'U0CLEO', other)];
    for (const provider of [first, second]) {
      const back = await browser.get(callback(provider, { code: app.standIn.consent(provider) }));
      const finishUrl = back.location ?? '';
      expect((await browser.post(finishUrl, { code: await codeInDm(finishUrl) })).status).toBe(200);
    }
    expect(await app.services.credentials.find(mail._id, 'U0CLEO')).not.toBeNull();
    expect(await app.services.credentials.find(other._id, 'U0CLEO')).not.toBeNull();
  });

  it('a shared connection is connected by its owner, as everybody’s identity', async () => {
    const shared = await gmail('shared');
    app.standIn.account = 'bot@corp.example';
    const browser = app.browser();
    expect((await browser.get(await startLink('U0BEN', shared))).text).toContain('A shared business account');
    const finishUrl = await arrive(browser, 'U0BEN', shared);
    const done = await browser.post(finishUrl, { code: await codeInDm(finishUrl, 'U0BEN') });
    expect(done.text).toContain('bot@corp.example');
    expect(await app.services.credentials.find(shared._id, SHARED)).toMatchObject({
      account: 'bot@corp.example',
    });
    expect((await app.browser().get(await startLink('U0CLEO', shared))).status).toBe(403);
  });

  it('a link works once, and a look at it uses nothing up', async () => {
    const url = await startLink();
    expect((await app.browser().get(url)).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.browser().post(url)));
    expect(answers.filter((answer) => answer.status === 303)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 410)).toHaveLength(7);
    expectRefusal(await app.browser().get('/oauth/start/none'), 404, 'not valid');
  });

  it('without an OAuth client, it says what an admin has to do, and keeps the link', async () => {
    const id = oauthAppId('google');
    await app.models.credentials.updateOne(
      { workspaceId: 'T0TEST', connectionId: id },
      { $set: { connectionId: 'aside' } },
    );
    const url = await startLink();
    expectRefusal(
      await app.browser().get(url),
      503,
      'An admin has to enter the OAuth client for Gmail first',
    );
    expectRefusal(await app.browser().post(url), 503, 'An admin has to enter');
    await app.models.credentials.updateOne(
      { workspaceId: 'T0TEST', connectionId: 'aside' },
      { $set: { connectionId: id } },
    );
    expect((await app.browser().post(url)).status).toBe(303);
  });
});

describe('abuse 58: nothing is stored, and the Slack user is told', () => {
  it('no state, or one that was not begun here', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    const code = app.standIn.consent(provider);
    const before = app.standIn.tokenRequests.length;
    expectRefusal(await browser.get(`/oauth/callback?code=${code}`), 404, 'not started here');
    expectRefusal(await browser.get(`/oauth/callback?code=${code}&state=`), 404, 'not started here');
    expectRefusal(
      await browser.get(callback(provider, { code, state: 'x'.repeat(43) })),
      404,
      'not started here',
    );
    expectRefusal(
      await browser.get(`/oauth/callback?code=${code}&state=${sha256Hex('x')}`),
      404,
      'not started here',
    );
    expect(app.standIn.tokenRequests).toHaveLength(before);
    await expectNothingStored();
  });

  it('a state that was used', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    const url = callback(provider, { code: app.standIn.consent(provider) });
    const answers = await Promise.all([browser.get(url), browser.get(url), browser.get(url)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([303, 410, 410]);
    const before = app.standIn.tokenRequests.length;
    expectRefusal(
      await browser.get(callback(provider, { code: app.standIn.consent(provider) })),
      410,
      'used already',
    );
    expect(app.standIn.tokenRequests).toHaveLength(before);
    await expectNothingStored();
  });

  it('a state that was used, in another browser: the flow ends', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    const url = callback(provider, { code: app.standIn.consent(provider) });
    const finishUrl = (await browser.get(url)).location ?? '';
    const code = await codeInDm(finishUrl);
    expectRefusal(await app.browser().get(url), 410, 'used already');
    expectRefusal(await browser.post(finishUrl, { code }), 410, 'used already');
    await expectTold('another browser');
    await expectNothingStored();
  });

  it('a state older than ten minutes', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    await outdate();
    const url = callback(provider, { code: app.standIn.consent(provider) });
    expectRefusal(await browser.get(url), 410, 'ten minutes');
    expectRefusal(await browser.get(url), 410, 'used already');
    await expectTold('longer than ten minutes');
    await expectNothingStored();
  });

  it('a code page older than ten minutes', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    await outdate();
    expectRefusal(await browser.get(finishUrl), 410, 'ten minutes');
    expectRefusal(await browser.post(finishUrl, { code }), 410, 'ten minutes');
    await expectNothingStored();
  });

  it('begun in one browser, come back in another', async () => {
    const provider = await begin(app.browser());
    const before = app.standIn.tokenRequests.length;
    const thief = app.browser();
    await begin(thief, 'U0BEN');
    expectRefusal(
      await thief.get(callback(provider, { code: app.standIn.consent(provider) })),
      403,
      'another browser',
    );
    expect(app.standIn.tokenRequests).toHaveLength(before);
    await expectTold('another browser');
    await expectNothingStored();
  });

  it('come back in one browser, finished in another, even with the right code', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    const thief = app.browser();
    expectRefusal(await thief.get(finishUrl), 403, 'another browser');
    expectRefusal(await thief.post(finishUrl, { code }), 403, 'another browser');
    expectRefusal(await browser.post(finishUrl, { code }), 410, 'used already');
    await expectTold('another browser');
    await expectNothingStored();
  });

  it('Cleo’s link, opened by Ben with his own account: he never sees her code', async () => {
    app.standIn.account = 'ben@example.com';
    const ben = app.browser();
    const finishUrl = await arrive(ben);
    const code = await codeInDm(finishUrl);
    expect((await ben.get(finishUrl)).text).not.toContain(code);
    for (let guess = 1; guess <= 4; guess += 1) {
      expectRefusal(
        await ben.post(finishUrl, { code: wrong(code) }),
        400,
        guess === 4 ? 'one try is left' : 'tries are left',
      );
    }
    expectRefusal(await ben.post(finishUrl, { code: wrong(code) }), 410, 'wrong five times');
    expectRefusal(await ben.post(finishUrl, { code }), 410, 'used already');
    await expectTold('wrong 5 times');
    await expectNothingStored();
  });

  it('guesses at the code, many at once, are no more than five', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    const guesses = Array.from({ length: 30 }, (_, n) =>
      browser.post(finishUrl, { code: wrong(String(Number(code) + n)) }),
    );
    const statuses = (await Promise.all(guesses)).map((answer) => answer.status);
    expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(4);
    expectRefusal(await browser.post(finishUrl, { code }), 410, 'used already');
    await expectNothingStored();
  });

  it('the right code after five tries, however they were counted', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    const flow = { workspaceId: 'T0TEST', _id: finishUrl.split('/').at(-1) ?? '' };
    await app.models.oauthStates.updateOne(flow, { $set: { attempts: 5 } });
    expectRefusal(await browser.post(finishUrl, { code }), 410, 'used already');
    await expectNothingStored();
  });

  it.each([
    ['a code for another PKCE verifier', { challenge: 'c'.repeat(43) }],
    ['a code for a variant of the redirect URI', { redirectUri: `${PUBLIC_URL}/oauth/callback/` }],
    ['a code for another redirect URI', { redirectUri: 'https://evil.example/oauth/callback' }],
  ])('%s', async (_name, changes) => {
    const browser = app.browser();
    const provider = await begin(browser);
    const code = app.standIn.consent(provider, changes);
    expectRefusal(await browser.get(callback(provider, { code })), 403, 'refused');
    const { ok, form } = app.standIn.tokenRequests.at(-1) ?? {};
    expect(ok).toBe(false);
    expect(form?.get('redirect_uri')).toBe(`${PUBLIC_URL}/oauth/callback`);
    expect(form?.get('code_verifier')).toMatch(/^[\w-]{43,}$/);
    await expectTold('refused');
    await expectNothingStored();
  });

  it.each([
    ['another issuer', 'iss=https%3A%2F%2Fevil.example'],
    ['an empty issuer', 'iss='],
    ['two issuers', `iss=ORIGIN&iss=https%3A%2F%2Fevil.example`],
    ['two codes', 'code=other'],
    ['an implicit token', 'token=abc'],
    ['a signed response', 'response=eyJ'],
  ])('%s in the answer', async (_name, extra) => {
    const browser = app.browser();
    const provider = await begin(browser);
    const before = app.standIn.tokenRequests.length;
    const url = callback(provider, { code: app.standIn.consent(provider) });
    const refused = await browser.get(
      `${url}&${extra.replace('ORIGIN', encodeURIComponent(app.standIn.origin))}`,
    );
    expectRefusal(refused, 403, 'refused');
    expect(app.standIn.tokenRequests).toHaveLength(before);
    await expectTold('refused');
    await expectNothingStored();
  });

  it('an error page repeats nothing of the provider’s error', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    const html = '<img src=x onerror=alert(1)>';
    const refused = await browser.get(
      callback(provider, {
        error: `${html}\nforged line`,
        error_description: html,
        error_uri: 'javascript:alert(1)',
      }),
    );
    expectRefusal(refused, 403, 'refused');
    expect(refused.text).not.toMatch(/onerror|javascript:|forged line/);
    expect(app.log.text).not.toMatch(/onerror|forged line/);
    await expectTold('refused');
    expect((await app.notices('U0CLEO')).join()).not.toContain('onerror');
    await expectNothingStored();
  });

  it('no, said at the provider', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    expectRefusal(await browser.get(callback(provider, { error: 'access_denied' })), 403, 'did not allow it');
    await expectTold('you did not allow it');
    await expectNothingStored();
  });

  it('another path than the registered one', async () => {
    const browser = app.browser();
    const provider = await begin(browser);
    const url = callback(provider, { code: app.standIn.consent(provider) });
    for (const variant of ['/oauth/callback/', '/oauth/Callback', '/oauth/callback/x', '//oauth/callback']) {
      expect((await browser.get(url.replace('/oauth/callback', variant))).status).toBe(404);
    }
    expect((await browser.post(url)).status).toBe(404);
    await expectNothingStored();
    expect((await browser.get(url)).status).toBe(303);
  });

  it('a member who left, or an owner who lost the connection, on the way', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    app.directory.change('U0CLEO', { active: false });
    expectRefusal(await browser.post(finishUrl, { code }), 403, 'may not do this any more');
    app.directory.change('U0CLEO', { active: true });
    await expectNothingStored();

    const shared = await gmail('shared');
    const ofBen = app.browser();
    const sharedFinish = await arrive(ofBen, 'U0BEN', shared);
    const now = (await app.services.connections.find(shared._id)) ?? shared;
    await app.services.connections.update(ADA, now, { ownerId: 'U0DANA' });
    expectRefusal(
      await ofBen.post(sharedFinish, { code: await codeInDm(sharedFinish, 'U0BEN') }),
      403,
      'may not',
    );
    await expectNothingStored(shared);
  });

  it('a connection that was removed on the way', async () => {
    const browser = app.browser();
    const finishUrl = await arrive(browser);
    const code = await codeInDm(finishUrl);
    await app.services.connections.remove(ADA, (await app.services.connections.find(mail._id)) ?? mail);
    expectRefusal(await browser.post(finishUrl, { code }), 404, 'removed');
    await expectNothingStored();
  });

  it('a form sent from another site', async () => {
    const browser = app.browser();
    const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await browser.post(await startLink(), {}, cross)).status).toBe(403);
    const finishUrl = await arrive(browser);
    expect((await browser.post(finishUrl, { code: await codeInDm(finishUrl) }, cross)).status).toBe(403);
    await expectNothingStored();
  });
});

it('leaves no token, verifier or client secret in pages, logs or the database', async () => {
  const places = { pages: app.output(), database: await app.dump() };
  const verifiers = app.standIn.tokenRequests.map(({ form }) => form.get('code_verifier') ?? '');
  const secrets = [app.standIn.canary, app.standIn.clientSecret, ...verifiers];
  expect(secrets.length).toBeGreaterThan(10);
  for (const [place, text] of Object.entries(places)) {
    for (const secret of secrets) {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, 40)];
      for (const form of forms) expect(text.includes(form), `${form} in ${place}`).toBe(false);
    }
  }
});

/** Ten minutes pass for every flow under way. */
async function outdate(): Promise<void> {
  const past = new Date(Date.now() - 1_000);
  await app.models.oauthStates.updateMany({ workspaceId: 'T0TEST' }, { $set: { expiresAt: past } });
}
