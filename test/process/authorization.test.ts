/**
 * Signing in at a server that is not ours: a certified one, with its own pages, through the real app, its DMs and its
 * pages. What it grants is used, renewed and taken back; what it refuses, or grants in part, ends where a person sees it.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import { freePort } from '../../playground/free-port.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import { wordsOf } from '../../playground/visitor.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';
import { dumpDatabase, leaksIn } from '../harness/canary.js';
import { type GuardedApi, startGuardedApi } from '../harness/guarded-api.js';
import { connect, credentialStep, type Journey, linkIn, signIn } from '../harness/newcomer.js';
import { type OidcServer, startOidcServer } from '../harness/oidc-server.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;
const CLEO = 'cleo@siesta.example';
const scope = (name: string) => `https://www.googleapis.com/auth/calendar.${name}`;
const LIST = scope('calendarlist.readonly');
const BUSY = scope('freebusy');
const EVENTS = scope('events.readonly');
const BUSY_ARGUMENTS = {
  time_min: '2026-11-23T08:00:00Z',
  time_max: '2026-11-23T18:00:00Z',
  calendar_ids: ['primary'],
};

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let oidc: OidcServer;
let api: GuardedApi;
let app: AppProcess;
let token: string;
let callerId: string;
/** Everything that people and callers were shown. */
const shown: string[] = [];

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const port = await freePort();
  oidc = await startOidcServer({
    redirectUri: `http://127.0.0.1:${port}/oauth/callback`,
    scopes: [LIST, BUSY, EVENTS],
  });
  api = await startGuardedApi(oidc.scopesOf, [
    { route: 'GET /calendar/v3/users/me/calendarList', scope: LIST, body: { items: [{ id: 'primary' }] } },
    { route: 'POST /calendar/v3/freeBusy', scope: BUSY, body: { calendars: { primary: { busy: [] } } } },
    { route: 'GET /calendar/v3/calendars/*/events', scope: EVENTS, body: { items: [] } },
  ]);
  const { callers, credentials } = services.services;
  await credentials.store({
    connectionId: 'oauth_app:google',
    subject: 'shared',
    kind: 'oauth_app',
    fields: { client_id: oidc.client.clientId, client_secret: oidc.client.clientSecret },
    createdBy: 'U0ADA',
  });
  const made = await callers.create(ADA, {
    name: 'Planner',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
  app = await world.start({
    PORT: String(port),
    CONNECTOR_ENDPOINTS: JSON.stringify({ ...oidc.standsInFor('google'), google_calendar: api.origin }),
    OUTBOUND_ALLOW_PRIVATE: `${oidc.host},${api.host}`,
  });
});

afterAll(async () => {
  await services.close();
  await world.close();
  await api.close();
  await oidc.close();
});

const who = (id: string): Person => person(world.slack, id, { patienceMs: 8_000 });

async function calendar(
  name: string,
  identity: 'private' | 'shared',
  enabledFunctions: readonly string[] = ['list_calendars', 'query_free_busy'],
): Promise<ConnectionDocument> {
  const { connections } = services.services;
  const connection = await connections.create(ADA, {
    connector: 'google_calendar',
    identity,
    name,
    purpose: 'Agents find a time for everybody',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions,
  });
  return connections.setAccess(ADA, connection, [{ callerId, functions: null }]);
}

async function ask(
  connection: ConnectionDocument,
  fn: 'list_calendars' | 'query_free_busy' | 'list_events',
  { as, wait = 20 }: { as?: string; wait?: number } = {},
): Promise<Answer> {
  const answer = await call(app.origin, token, '/v1/executions', {
    connection: connection.key,
    function: fn,
    arguments: fn === 'query_free_busy' ? BUSY_ARGUMENTS : {},
    wait,
    ...(as === undefined ? {} : { on_behalf_of: as }),
  });
  shown.push(JSON.stringify(answer.body));
  return answer;
}

const outcome = async (id: string): Promise<Answer['body']> =>
  (await call(app.origin, token, `/v1/executions/${id}?wait=20`)).body;

/** The question in her DM about a connection, with a link that nobody has used. */
const invitation = (userId: string, { name }: ConnectionDocument): Promise<Message> =>
  who(userId).waitForMessage(
    (message) =>
      JSON.stringify(message).includes('/oauth/start/') && who(userId).text(message).includes(name),
  );

async function goThrough(userId: string, link: string, journey: Journey) {
  const words = await connect(who(userId), link, journey);
  shown.push(words.html);
  return words;
}

async function credentialOf(connection: ConnectionDocument, subject: string): Promise<CredentialDocument> {
  const found = await services.services.credentials.find(connection._id, subject);
  if (!found) throw new Error('there is no credential');
  return found;
}

const secretsOf = async (connection: ConnectionDocument, subject: string) =>
  services.services.credentials.open(await credentialOf(connection, subject));

/** The link behind the Reconnect button of a DM. */
async function reconnectLink(userId: string, dm: Message): Promise<string> {
  const someone = who(userId);
  await someone.click(dm, 'Reconnect');
  const view = await someone.waitForView((modal) => JSON.stringify(modal).includes('/oauth/start/'));
  await someone.close(true);
  return linkIn(view);
}

/** As the app makes it, at its own address. */
async function newLink(userId: string, { _id: connectionId }: ConnectionDocument): Promise<string> {
  const link = await services.services.links.create({ purpose: 'oauth', userId, connectionId });
  return app.origin + new URL(link).pathname;
}

async function stored(connection: ConnectionDocument): Promise<number> {
  const filter = { workspaceId: services.deps.workspaceId, connectionId: connection._id };
  const { credentials, authorizations } = services.deps.models;
  return (await credentials.countDocuments(filter)) + (await authorizations.countDocuments(filter));
}

describe('an authorization', () => {
  let mine: ConnectionDocument;

  it('goes from the link in the DM over the provider’s pages to a call that goes on by itself', async () => {
    mine = await calendar('Cleo calendar', 'private');
    const waiting = await ask(mine, 'list_calendars', { as: 'U0CLEO', wait: 0 });
    expect(waiting.body.status).toBe('pending_authorization');
    const link = linkIn(await invitation('U0CLEO', mine));
    const { arrived, done } = await goThrough('U0CLEO', link, { account: CLEO });
    expect(arrived).not.toContain('Not everything was allowed');
    expect(done).toContain(`is connected as ${CLEO}`);
    expect(await outcome(waiting.body.id)).toMatchObject({
      status: 'succeeded',
      result: { calendars: [{ id: 'primary' }] },
    });
    await who('U0CLEO').waitForMessage(/Cleo calendar.*: connected as cleo@siesta\.example/);
  });

  it('proves itself with PKCE, S256, which the provider asks for', async () => {
    const started = await fetch(await newLink('U0CLEO', mine), {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: app.origin, 'content-type': 'application/x-www-form-urlencoded' },
    });
    const url = new URL(started.headers.get('location') ?? '');
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(url.searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name);
    const refused = await fetch(url, { redirect: 'manual' });
    const back = new URL(refused.headers.get('location') ?? '');
    expect(back.searchParams.get('error')).toBe('invalid_request');
    expect(back.searchParams.get('error_description')).toContain('PKCE');
  });

  it('is renewed when it runs out, with a new refresh token each time; the old one is dead', async () => {
    oidc.faults.lifetime = 61;
    try {
      await services.deps.models.credentials.updateOne(
        { _id: (await credentialOf(mine, 'U0CLEO'))._id, workspaceId: services.deps.workspaceId },
        { $set: { expiresAt: new Date(0) } },
      );
      for (let round = 1; round <= 3; round++) {
        const before = await secretsOf(mine, 'U0CLEO');
        expect((await ask(mine, 'list_calendars', { as: 'U0CLEO' })).body.status).toBe('succeeded');
        const after = await secretsOf(mine, 'U0CLEO');
        expect(after.access_token).not.toBe(before.access_token);
        expect(await oidc.canRefresh(before.refresh_token ?? '')).toBe(false);
        expect(await oidc.canRefresh(after.refresh_token ?? '')).toBe(true);
        // The minute before the end does not count: this one is over.
        await new Promise((resolve) => setTimeout(resolve, 1_300));
      }
    } finally {
      oidc.faults.lifetime = 3_600;
    }
  });

  it('is dead at the provider too once she disconnects', async () => {
    const { access_token: access = '', refresh_token: refresh = '' } = await secretsOf(mine, 'U0CLEO');
    expect([await oidc.canRefresh(refresh), await oidc.scopesOf(access)]).toEqual([true, expect.anything()]);
    await who('U0CLEO').command(`/connections disconnect ${mine.key}`);
    await who('U0CLEO').waitForMessage(/is disconnected/);
    expect(await stored(mine)).toBe(1);
    await until(async () => !(await oidc.canRefresh(refresh)), 5_000, app.output);
    expect(await oidc.scopesOf(access)).toBeNull();
    const sent = api.requests.length;
    expect((await ask(mine, 'list_calendars', { as: 'U0CLEO', wait: 0 })).body.status).toBe(
      'pending_authorization',
    );
    expect(api.requests).toHaveLength(sent);
  });

  it('of everybody shows whose account it is, and ends at the provider with the connection', async () => {
    const team = await calendar('Room calendar', 'shared');
    const ada = who('U0ADA');
    const view = await credentialStep(ada, team.key, /\/oauth\/start\//);
    await goThrough('U0ADA', linkIn(view), { account: 'rooms@siesta.example' });
    await ada.command(`/connections show ${team.key}`);
    await ada.waitForView(/acts as.*rooms@siesta\.example/is);
    await ada.close(true);
    expect((await ask(team, 'query_free_busy')).body.status).toBe('succeeded');
    const { access_token: access = '', refresh_token: refresh = '' } = await secretsOf(team, 'shared');
    expect([await oidc.canRefresh(refresh), await oidc.scopesOf(access)]).toEqual([true, expect.anything()]);
    await ada.command(`/connections remove ${team.key}`);
    await ada.waitForView(/to remove it/);
    await ada.submit({ [`Type the key “${team.key}” to remove it`]: team.key });
    await until(async () => !(await oidc.canRefresh(refresh)), 8_000, app.output);
    expect(await oidc.scopesOf(access)).toBeNull();
    expect(await services.services.credentials.find(team._id)).toBeNull();
    expect((await ask(team, 'query_free_busy')).status).toBe(404);
  });
});

describe('a refusal on the provider’s page', () => {
  it.each(['login', 'consent'] as const)(
    'at the %s stores nothing, is told, and leaves the call waiting',
    async (cancelAt) => {
      const mine = await calendar(`Ben ${cancelAt}`, 'private');
      const waiting = await ask(mine, 'list_calendars', { as: 'U0BEN', wait: 0 });
      const dm = await invitation('U0BEN', mine);
      const link = linkIn(dm);
      const { page } = await signIn(link, { account: 'ben@siesta.example', cancelAt });
      shown.push(page.html);
      expect(wordsOf(page)).not.toContain('six digits');
      expect(page.html).not.toContain('owner');
      expect(await stored(mine)).toBe(0);
      const told = await who('U0BEN').waitForMessage(
        new RegExp(`Connecting ${mine.key} was not completed: you did not allow it`),
      );
      expect(who('U0BEN').text(told)).toContain('Nothing was stored');
      expect((await call(app.origin, token, `/v1/executions/${waiting.body.id}`)).body.status).toBe(
        'pending_authorization',
      );
      await who('U0BEN').click(dm, 'New link');
      const fresh = await who('U0BEN').waitForMessage(
        (message) => message.ts === dm.ts && linkIn(message) !== link,
      );
      const { done } = await goThrough('U0BEN', linkIn(fresh), { account: 'ben@siesta.example' });
      expect(done).toContain('is connected as ben@siesta.example');
      expect((await outcome(waiting.body.id)).status).toBe('succeeded');
    },
  );
});

describe('a consent with a box left out', () => {
  const asked = (userId: string) =>
    who(userId)
      .dm()
      .filter((message) =>
        /more than you have consented to|no consent for yet/.test(who(userId).text(message)),
      );

  /** Ends without a request upstream, however often it is asked. */
  async function expectGap(
    connection: ConnectionDocument,
    fn: 'query_free_busy' | 'list_events',
    as?: string,
  ) {
    const sent = api.requests.length;
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask(connection, fn, as === undefined ? {} : { as })),
    );
    expect(answers.map(({ body }) => `${body.status} ${body.error?.code}`)).toEqual(
      Array.from({ length: 6 }, () => 'failed needs_more_scopes'),
    );
    expect(answers[0]?.body.error.message).toContain('Nothing was sent');
    expect(api.requests).toHaveLength(sent);
  }

  it('says what will not work, fails that call alone, and heals by reconnecting', async () => {
    const mine = await calendar('Dana calendar', 'private');
    const [list, busy] = [
      await ask(mine, 'list_calendars', { as: 'U0DANA', wait: 0 }),
      await ask(mine, 'query_free_busy', { as: 'U0DANA', wait: 0 }),
    ];
    const dana = { account: 'dana@siesta.example' };
    const { arrived } = await goThrough('U0DANA', linkIn(await invitation('U0DANA', mine)), {
      ...dana,
      without: [BUSY],
    });
    expect(arrived).toMatch(/Not everything was allowed\. These will not work:\s+See who is busy/);
    expect((await outcome(list.body.id)).status).toBe('succeeded');
    expect(await outcome(busy.body.id)).toMatchObject({
      status: 'failed',
      error: { code: 'needs_more_scopes' },
    });
    await expectGap(mine, 'query_free_busy', 'U0DANA');
    expect((await ask(mine, 'list_calendars', { as: 'U0DANA' })).body.status).toBe('succeeded');
    const dm = await who('U0DANA').waitForMessage(/Dana calendar[\s\S]*See who is busy/);
    await goThrough('U0DANA', await reconnectLink('U0DANA', dm), dana);
    expect((await ask(mine, 'query_free_busy', { as: 'U0DANA' })).body.status).toBe('succeeded');
  });

  it('is what a connected member has when a function is turned on: she is asked, and it never loops', async () => {
    const mine = await calendar('Cleo two', 'private', ['list_calendars']);
    const first = await ask(mine, 'list_calendars', { as: 'U0CLEO', wait: 0 });
    await goThrough('U0CLEO', linkIn(await invitation('U0CLEO', mine)), { account: CLEO });
    expect((await outcome(first.body.id)).status).toBe('succeeded');
    await turnOn(mine, ['list_calendars', 'list_events']);
    await expectGap(mine, 'list_events', 'U0CLEO');
    const dm = await who('U0CLEO').waitForMessage(/more than you have consented to/);
    expect(asked('U0CLEO')).toHaveLength(1);
    await goThrough('U0CLEO', await reconnectLink('U0CLEO', dm), { account: CLEO });
    expect((await ask(mine, 'list_events', { as: 'U0CLEO' })).body.status).toBe('succeeded');
    await until(() => asked('U0CLEO').length === 0, 5_000);
  });

  it('on a shared connection asks its owner, once for all calls, and again only for what is new', async () => {
    const team = await calendar('Team calendar', 'shared');
    const ada = who('U0ADA');
    const account = { account: 'team@siesta.example' };
    const link = await newLink('U0ADA', team);
    const { arrived } = await goThrough('U0ADA', link, { ...account, without: [BUSY] });
    expect(arrived).toContain('See who is busy');
    await expectGap(team, 'query_free_busy');
    await expectGap(team, 'query_free_busy');
    expect((await ask(team, 'list_calendars')).body.status).toBe('succeeded');
    const dm = await ada.waitForMessage(/team-calendar[\s\S]*no consent for yet/);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(asked('U0ADA')).toHaveLength(1);
    await goThrough('U0ADA', await reconnectLink('U0ADA', dm), account);
    expect((await ask(team, 'query_free_busy')).body.status).toBe('succeeded');

    await turnOn(team, ['list_calendars', 'query_free_busy', 'list_events']);
    await expectGap(team, 'list_events');
    await until(() => asked('U0ADA').length === 2, 5_000);
    await goThrough('U0ADA', await reconnectLink('U0ADA', asked('U0ADA').at(-1) ?? dm), account);
    expect((await ask(team, 'list_events')).body.status).toBe('succeeded');
  });

  async function turnOn(connection: ConnectionDocument, enabledFunctions: readonly string[]): Promise<void> {
    const current = await services.services.connections.find(connection._id);
    if (current) await services.services.connections.update(ADA, current, { enabledFunctions });
  }
});

it('no code, token or client secret is in pages, DMs, answers, logs or the database', async () => {
  const secrets = Object.fromEntries([...oidc.issued].map((secret, index) => [`issued ${index}`, secret]));
  expect(Object.keys(secrets).length).toBeGreaterThan(20);
  const all = { ...secrets, client: oidc.client.clientSecret, caller: token };
  const dms = ['U0ADA', 'U0BEN', 'U0CLEO', 'U0DANA'].map((id) => JSON.stringify(who(id).dm()));
  const { bytes } = await dumpDatabase(world.uri);
  for (const sink of [app.output(), dms.join('\n'), shown.join('\n'), bytes])
    expect(leaksIn(sink, all)).toEqual([]);
});
