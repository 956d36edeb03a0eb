/** The secret form and the page of a caller's token: once, for the right person, and no trace of the secret. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHARED } from '../../models/types.js';
import { PAGES_CSS } from '../../src/http/pages/stylesheet.js';
import { oauthAppId } from '../../src/services/credentials.js';
import { ADA, type PagesApp, PUBLIC_URL, startPagesApp } from './pages-app.js';

const CANARY = 'fake-secret-canary-1';

let app: PagesApp;
beforeAll(async () => {
  app = await startPagesApp();
});
afterAll(async () => app.close());

const secretLink = (connectionId: string, userId = 'U0BEN'): Promise<string> =>
  app.services.links.create({ purpose: 'secret', userId, connectionId });

async function stored(connectionId: string, subject = SHARED): Promise<Record<string, string> | null> {
  const found = await app.services.credentials.find(connectionId, subject);
  return found && { ...app.services.credentials.open(found) };
}

function expectLocked(headers: Headers): void {
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'self'; form-action 'self'( http:\/\/127\.0\.0\.1:\d+)?; frame-ancestors 'none'; base-uri 'none'$/,
  );
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow',
  });
}

describe('the secret form', () => {
  it('asks for the fields of the auth method, and a look at it uses nothing up', async () => {
    const connection = await app.rest('look', { auth: 'basic', name: 'Desk <b>&"\u202E' });
    const url = await secretLink(connection._id);
    const browser = app.browser();
    await browser.get(url);
    const page = await browser.get(url);
    expect(page.status).toBe(200);
    expectLocked(page.headers);
    expect(page.text).toContain(`<form method="post" action="${new URL(url).pathname}"`);
    expect(page.text).toMatch(
      /<label for="username">User name<\/label>\s*<input type="text" id="username" name="username" autocomplete="off"/,
    );
    expect(page.text).toMatch(
      /<label for="password">Password<\/label>\s*<input type="password" id="password" name="password" autocomplete="off"/,
    );
    expect(page.text).toContain('Desk &lt;b&gt;&amp;&quot;⟦U+202E⟧');
    expect(page.text).toContain('Ben');
    expect(page.text).not.toMatch(/<script|\sstyle=|\son\w+=/);
  });

  it('stores the credential once, tells the person in Slack, and says what comes next', async () => {
    const connection = await app.rest('once');
    const url = await secretLink(connection._id);
    const browser = app.browser();
    const done = await browser.post(url, { api_key: `  ${CANARY}-once\n` });
    expect(done.status).toBe(200);
    expectLocked(done.headers);
    expect(done.text).toContain('is stored');
    expect(done.text).toContain('Scopes were reviewed');
    expect(await stored(connection._id)).toEqual({ api_key: `${CANARY}-once` });
    expect(await app.notices('U0BEN')).toContainEqual(
      expect.stringContaining('Credential for *once* stored'),
    );
    const events = await app.models.auditEvents
      .find({ workspaceId: 'T0TEST', action: 'credential.stored', 'subject.id': connection._id })
      .lean();
    expect(events).toMatchObject([
      { actor: { kind: 'user', id: 'U0BEN' }, details: { fields: ['api_key'] } },
    ]);

    const again = await browser.post(url, { api_key: 'fake-other' });
    expect(again.status).toBe(410);
    expectLocked(again.headers);
    expect((await browser.get(url)).status).toBe(410);
    expect(await stored(connection._id)).toEqual({ api_key: `${CANARY}-once` });
  });

  it('has one winner when the form is sent many times at once', async () => {
    const connection = await app.rest('race');
    const url = await secretLink(connection._id);
    const tries = Array.from({ length: 12 }, (_, n) =>
      app.browser().post(url, { api_key: `${CANARY}-race-${n}` }),
    );
    const statuses = (await Promise.all(tries)).map((answer) => answer.status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 11 }, () => 410)]);
    expect((await app.services.credentials.find(connection._id))?.generation).toBe(1);
  });

  it.each([
    ['nothing', {}, 'API key is missing.'],
    ['blanks', { api_key: '  \n ' }, 'API key is missing.'],
    ['more than 64 KiB', { api_key: 'k'.repeat(65 * 1024) }, 'API key is longer than 64 KiB.'],
    ['a line break inside', { api_key: `${CANARY}-a\n${CANARY}-b` }, 'API key contains characters'],
    [
      'a field too many',
      { api_key: `${CANARY}-c`, admin: '<i>1</i>' },
      'Only these fields are asked for: api_key.',
    ],
  ])(
    'refuses %s, repeats nothing of it, and can be sent again',
    async (_name, fields: Record<string, string>, message) => {
      const connection = await app.rest(`bad-${Math.random().toString(36).slice(2, 8)}`);
      const url = await secretLink(connection._id);
      const refused = await app.browser().post(url, fields);
      expect(refused.status).toBe(400);
      expectLocked(refused.headers);
      expect(refused.text).toContain(message);
      expect(refused.text).not.toContain(CANARY);
      expect(refused.text).not.toContain('<i>');
      expect(await stored(connection._id)).toBeNull();
      expect((await app.browser().post(url, { api_key: `${CANARY}-good` })).status).toBe(200);
    },
  );

  it('refuses bodies that are no form of ours', async () => {
    const connection = await app.rest('bodies');
    const url = await secretLink(connection._id);
    const huge = await app.browser().post(url, { api_key: 'k'.repeat(1024 * 1024) });
    expect(huge.status).toBe(413);
    expectLocked(huge.headers);
    const json = await app.browser().visit(url, {
      method: 'POST',
      body: JSON.stringify({ api_key: CANARY }),
      headers: { 'content-type': 'application/json' },
    });
    expect(json.status).toBe(415);
    expect(json.text).not.toContain(CANARY);
    expect(await stored(connection._id)).toBeNull();
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another host of ours', { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' }],
    ['another origin, in an old browser', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    ['a frame without an origin', { 'sec-fetch-site': '', origin: 'null' }],
  ])('refuses a POST from %s', async (_name, { 'sec-fetch-site': site, origin }) => {
    const connection = await app.rest(`x-${Math.random().toString(36).slice(2, 8)}`);
    const url = await secretLink(connection._id);
    const headers = { origin, ...(site ? { 'sec-fetch-site': site } : {}) };
    const refused = await app
      .browser()
      .visit(url, { method: 'POST', body: new URLSearchParams({ api_key: CANARY }), headers });
    expect(refused.status).toBe(403);
    expect(await stored(connection._id)).toBeNull();
    expect((await app.browser().post(url, { api_key: CANARY }, { origin: PUBLIC_URL })).status).toBe(200);
  });

  it('asks again who may: not who lost the role, left, is a guest, or cannot be looked up', async () => {
    const connection = await app.rest('roles', { ownerId: 'U0DANA' });
    const ofMember = await secretLink(connection._id, 'U0CLEO');
    expect((await app.browser().get(ofMember)).status).toBe(403);
    expect((await app.browser().post(ofMember, { api_key: CANARY })).status).toBe(403);

    const ofOwner = await secretLink(connection._id, 'U0DANA');
    for (const change of [{ active: false }, { outsider: true }]) {
      app.directory.change('U0DANA', change);
      expect((await app.browser().post(ofOwner, { api_key: CANARY })).status).toBe(403);
      app.directory.change('U0DANA', { active: true, outsider: false });
    }
    app.directory.away = true;
    expect((await app.browser().post(ofOwner, { api_key: CANARY })).status).toBe(503);
    app.directory.away = false;
    expect(await stored(connection._id)).toBeNull();
    expect((await app.browser().post(ofOwner, { api_key: CANARY })).status).toBe(200);
  });

  it('tells apart a link that is old, unknown, or for something else', async () => {
    const connection = await app.rest('links');
    const url = await secretLink(connection._id);
    await app.models.oneTimeLinks.updateMany(
      { workspaceId: 'T0TEST', connectionId: connection._id },
      { $set: { expiresAt: new Date(Date.now() - 1_000) } },
    );
    const expired = await app.browser().get(url);
    expect([expired.status, expired.text]).toEqual([410, expect.stringContaining('ten minutes')]);
    expect((await app.browser().post(url, { api_key: CANARY })).status).toBe(410);
    const unknown = await app.browser().get('/secrets/no<b>such');
    expect(unknown.status).toBe(404);
    expectLocked(unknown.headers);
    expect(unknown.text).not.toContain('<b>');
    const other = await app.services.links.create({
      purpose: 'oauth',
      userId: 'U0BEN',
      connectionId: connection._id,
    });
    expect((await app.browser().get(`/secrets/${other.split('/').at(-1)}`)).status).toBe(404);
  });

  it('takes the OAuth client of a provider, from an admin only', async () => {
    const asBen = await secretLink(oauthAppId('google'), 'U0BEN');
    expect((await app.browser().get(asBen)).status).toBe(403);
    const url = await secretLink(oauthAppId('google'), 'U0ADA');
    const page = await app.browser().get(url);
    expect(page.text).toContain('name="client_id"');
    expect(page.text).toMatch(/<input type="password" id="client_secret" name="client_secret"/);
    expect(page.text).toContain(`${PUBLIC_URL}/oauth/callback`);
    expect(
      (await app.browser().post(url, { client_id: 'client-1', client_secret: `${CANARY}-app` })).status,
    ).toBe(200);
    const entered = await app.services.credentials.find('oauth_app:google');
    expect(entered && app.services.credentials.open(entered)).toEqual({
      client_id: 'client-1',
      client_secret: `${CANARY}-app`,
    });
  });

  it('on a private connection, the secret is the member’s own', async () => {
    const connection = await app.rest('own', { identity: 'private' });
    const url = await secretLink(connection._id, 'U0CLEO');
    expect((await app.browser().post(url, { api_key: `${CANARY}-cleo` })).status).toBe(200);
    expect(await stored(connection._id, 'U0CLEO')).toEqual({ api_key: `${CANARY}-cleo` });
    expect(await stored(connection._id, SHARED)).toBeNull();
    expect((await app.services.members.authorization(connection._id, 'U0CLEO'))?.status).toBe('active');
    expect((await app.browser().post(url, { api_key: CANARY })).status).toBe(410);
  });
});

describe('the page of a caller’s token', () => {
  async function tokenLink(name: string, userId = 'U0ADA') {
    const { caller, token } = await app.services.callers.create(ADA, {
      name,
      kind: 'agent',
      ownerId: 'U0BEN',
      stage: 'test',
    });
    const url = await app.services.links.create({
      purpose: 'caller_token',
      userId,
      callerId: caller._id,
      content: token,
    });
    return { caller, token, url };
  }

  it('shows it on a press of the button, once, and a preview bot uses nothing up', async () => {
    const { caller, token, url } = await tokenLink('Support <agent>');
    const browser = app.browser();
    for (const method of ['GET', 'HEAD', 'GET']) {
      const seen = await browser.visit(url, { method });
      expect(seen.status).toBe(200);
      expectLocked(seen.headers);
      expect(seen.text).not.toContain(token);
    }
    expect((await browser.get(url)).text).toContain('Support &lt;agent&gt;');
    const shown = await browser.post(url);
    expect(shown.status).toBe(200);
    expectLocked(shown.headers);
    expect(shown.text).toContain(`<code>${token}</code>`);
    expect(shown.text).toContain(`curl ${PUBLIC_URL}/v1/functions`);
    expect((await app.services.callers.authenticate(`Bearer ${token}`))._id).toBe(caller._id);
    expect((await browser.post(url)).status).toBe(410);
    expect(await app.dump()).not.toContain(token);
    expect(app.log.text).not.toContain(token);
    const events = await app.models.auditEvents.countDocuments({
      workspaceId: 'T0TEST',
      action: 'caller.token_shown',
      'subject.id': caller._id,
    });
    expect(events).toBe(1);
  });

  it('has one winner', async () => {
    const { token, url } = await tokenLink('Racer');
    const answers = await Promise.all(Array.from({ length: 10 }, () => app.browser().post(url)));
    expect(answers.filter((answer) => answer.text.includes(token))).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 410)).toHaveLength(9);
  });

  it('is for admins and the caller’s owner', async () => {
    const { url } = await tokenLink('Not Cleo’s', 'U0CLEO');
    expect((await app.browser().post(url)).status).toBe(403);
    const owner = await tokenLink('Ben’s', 'U0BEN');
    expect((await app.browser().post(owner.url)).status).toBe(200);
    const gone = await tokenLink('Gone');
    await app.services.callers.revoke(ADA, gone.caller._id);
    expect((await app.browser().post(gone.url)).status).toBe(404);
  });
});

it('serves one stylesheet, which loads nothing', async () => {
  const css = await app.browser().get('/assets/pages.css');
  expect(css.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(css.text).toBe(PAGES_CSS);
  expect(css.text).not.toMatch(/url\(|@import/);
});

it('leaves the typed secrets nowhere but in the vault', async () => {
  const forms = [CANARY, encodeURIComponent(CANARY), Buffer.from(CANARY).toString('base64').slice(0, 24)];
  const places = { pages: app.output(), database: await app.dump() };
  for (const [place, text] of Object.entries(places)) {
    for (const form of forms) expect(text.includes(form), `${form} in ${place}`).toBe(false);
  }
});
