/**
 * The eight conditions of a private connection, through the real app, its pages and its DMs, with Google's stand-in:
 * whoever's identity it is, it is hers, for as long as she says, and nobody's otherwise.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { ConnectionDocument } from '../../models/types.js';
import { freePort } from '../../playground/free-port.js';
import { ACCOUNTS, type Google, startGoogle } from '../../playground/google.js';
import { person } from '../../playground/slack/person.js';
import type { Message } from '../../playground/slack/protocol.js';
import { type Page, Visitor, wordsOf } from '../../playground/visitor.js';
import {
  type Answer,
  type AppProcess,
  call,
  createWorld,
  until,
  type World,
} from '../harness/app-process.js';
import { dumpDatabase, leaksIn } from '../harness/canary.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

let world: World;
let services: Awaited<ReturnType<World['services']>>;
let google: Google;
let app: AppProcess;
let token: string;
let callerId: string;
const answers: string[] = [];
const everyToken = new Set<string>();

beforeAll(async () => {
  world = await createWorld({ mongoUri: inject('mongoUri') });
  services = await world.services();
  const port = await freePort();
  google = await startGoogle({ port: 0, publicUrl: `http://127.0.0.1:${port}` });
  const { callers, credentials } = services.services;
  await credentials.store({
    connectionId: 'oauth_app:google',
    subject: 'shared',
    kind: 'oauth_app',
    fields: { client_id: google.clientId, client_secret: google.clientSecret },
    createdBy: 'U0ADA',
  });
  const made = await callers.create(ADA, {
    name: 'Assistant',
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  token = made.token;
  callerId = made.caller._id;
  await gmail('Gmail', 'private');
  await gmail('Gmail two', 'private');
  const team = await gmail('Team mail', 'shared');
  app = await world.start({
    PORT: String(port),
    CONNECTOR_ENDPOINTS: JSON.stringify({ google: google.origin }),
    OUTBOUND_ALLOW_PRIVATE: new URL(google.origin).host,
  });
  await connectShared(team);
});

afterAll(async () => {
  await services.close();
  await world.close();
  await google.close();
});

async function gmail(
  name: string,
  identity: 'private' | 'shared',
  enabledFunctions = ['search_messages'],
): Promise<ConnectionDocument> {
  const { connections } = services.services;
  const connection = await connections.create(ADA, {
    connector: 'gmail',
    identity,
    name,
    purpose: 'Agents read mail',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'oauth',
    config: {},
    enabledFunctions,
  });
  return connections.setAccess(ADA, connection, [{ callerId, functions: null }]);
}

/** A working shared identity stands beside the private ones, so that falling back to it would be easy. */
async function connectShared(team: ConnectionDocument): Promise<void> {
  const ada = who('U0ADA');
  await ada.command(`/connections show ${team.key}`);
  await ada.waitForView(/Enter|Connect|Reconnect/);
  await ada.click('modal', 'connection.secret_link');
  const view = await ada.waitForView((shown) => JSON.stringify(shown).includes('/oauth/start/'));
  const arrived = await signIn(linkIn(view), ACCOUNTS.ada);
  const done = await arrived.browser.submit(arrived.page, { code: await codeOf('U0ADA') });
  expect(wordsOf(done)).toContain('is connected as');
  await ada.close(true);
}

const who = (id: string) => person(world.slack, id, { patienceMs: 8_000 });
const linkIn = (shown: unknown): string => {
  const link = /http[^"\\]*\/oauth\/start\/[\w-]+/.exec(JSON.stringify(shown))?.[0];
  if (!link) throw new Error('there is no link');
  return link;
};

async function signIn(link: string, account: string): Promise<{ browser: Visitor; page: Page }> {
  const browser = new Visitor();
  const accounts = await browser.submit(await browser.open(link));
  return { browser, page: await browser.submit(accounts, {}, `value="${account}"`) };
}

async function codeOf(userId: string): Promise<string> {
  const dm = await who(userId).waitForMessage(/\b\d{3} \d{3}\b/);
  return (/\b(\d{3}) (\d{3})\b/.exec(who(userId).text(dm)) ?? []).slice(1).join('');
}

/** The newest invitation in a member's DM about a connection. */
const invitation = (userId: string, name: string): Promise<Message> =>
  who(userId).waitForMessage(
    (message) =>
      JSON.stringify(message).includes('/oauth/start/') && who(userId).text(message).includes(`${name}`),
  );

async function connect(userId: string, name: string, account: string): Promise<Page> {
  const { browser, page } = await signIn(linkIn(await invitation(userId, name)), account);
  const allow = /name="allow"[^>]*value="([^"]+)"/.exec(page.html)?.[1];
  const finished = await browser.submit(page, { code: await codeOf(userId), ...(allow ? { allow } : {}) });
  for (const credential of await services.deps.models.credentials.find({ workspaceId: 'T0SIESTA' }).lean()) {
    for (const secret of Object.values(services.services.credentials.open(credential)))
      everyToken.add(secret);
  }
  answers.push(page.html, finished.html);
  return finished;
}

async function search(member: string | null, connection = 'gmail', wait = 0): Promise<Answer> {
  const answer = await call(app.origin, token, '/v1/executions', {
    connection,
    function: 'search_messages',
    arguments: {},
    wait,
    ...(member === null ? {} : { on_behalf_of: member }),
  });
  answers.push(JSON.stringify(answer.body));
  return answer;
}

const ended = async (id: string): Promise<Answer> => {
  const answer = await call(app.origin, token, `/v1/executions/${id}?wait=20`);
  answers.push(JSON.stringify(answer.body));
  return answer;
};
const statusOf = async (id: string) => (await call(app.origin, token, `/v1/executions/${id}`)).body.status;
const subjectsIn = ({ body }: Answer): string => JSON.stringify(body.result);

describe('a private connection', () => {
  let cleos: string;
  let bens: string;
  let cleosOther: string;

  it('calls nothing without an authorization, whatever other identity there is', async () => {
    const before = google.requests.length;
    const [cleo, ben, other] = [
      await search('U0CLEO'),
      await search('U0BEN'),
      await search('U0CLEO', 'gmail-two'),
    ];
    for (const { status, body } of [cleo, ben, other]) {
      expect({ status, body }).toMatchObject({ status: 202, body: { status: 'pending_authorization' } });
    }
    [cleos, bens, cleosOther] = [cleo.body.id, ben.body.id, other.body.id];
    // The shared connection beside it works all the same.
    expect((await search(null, 'team-mail', 20)).body.status).toBe('succeeded');
    expect(google.requests.length).toBe(
      before + 1 + countOf(subjectsIn(await search(null, 'team-mail', 20))),
    );
    expect(await Promise.all([cleos, bens, cleosOther].map(statusOf))).toEqual(
      Array.from({ length: 3 }, () => 'pending_authorization'),
    );
  });

  it('lets only that member’s calls of that connection go on, as herself', async () => {
    const page = await connect('U0CLEO', 'Gmail', ACCOUNTS.cleo);
    expect(wordsOf(page)).toContain(ACCOUNTS.cleo);
    const done = await ended(cleos);
    expect(done.body.status).toBe('succeeded');
    expect(subjectsIn(done)).toContain('Invoice of March');
    expect(await statusOf(bens)).toBe('pending_authorization');
    expect(await statusOf(cleosOther)).toBe('pending_authorization');
  });

  it('gives two members two identities', async () => {
    await connect('U0BEN', 'Gmail', ACCOUNTS.ben);
    const done = await ended(bens);
    expect(subjectsIn(done)).toContain('Coffee machine');
    expect(subjectsIn(done)).not.toContain('Invoice of March');
    const [cleo, ben] = [await search('U0CLEO', 'gmail', 20), await search('U0BEN', 'gmail', 20)];
    expect(subjectsIn(cleo)).toContain('Invoice of March');
    expect(subjectsIn(ben)).toContain('Coffee machine');
    const { credentials, connections } = services.services;
    const connection = await connections.find('gmail');
    const ids = await Promise.all(
      ['U0CLEO', 'U0BEN'].map(async (id) => (await credentials.find(connection?._id ?? '', id))?.account),
    );
    expect(ids).toEqual([ACCOUNTS.cleo, ACCOUNTS.ben]);
  });

  it('makes the link of one member useless to another', async () => {
    const link = linkIn(await invitation('U0CLEO', 'Gmail two'));
    // Ben has got hold of Cleo's link and signs in, in his browser, with his account.
    const { browser, page } = await signIn(link, ACCOUNTS.ben);
    const shown = await who('U0BEN').waitForMessage(/./);
    expect(who('U0BEN').text(shown)).not.toMatch(/Gmail two/);
    for (let attempt = 0; attempt < 5; attempt++) {
      const refused = await browser.submit(page, { code: '000000' }).catch(() => page);
      expect(wordsOf(refused)).not.toContain('is connected as');
    }
    const { models, workspaceId } = services.deps;
    const connection = await services.services.connections.find('gmail-two');
    expect(
      await models.credentials.countDocuments({ workspaceId, connectionId: connection?._id ?? '' }),
    ).toBe(0);
    expect(await statusOf(cleosOther)).toBe('pending_authorization');
    await who('U0CLEO').waitForMessage(/was not completed/);
  });

  it('refuses another account than before when it is connected again', async () => {
    const cleo = who('U0CLEO');
    const connection = await services.services.connections.find('gmail');
    await services.deps.models.credentials.updateOne(
      { workspaceId: services.deps.workspaceId, connectionId: connection?._id ?? '', subject: 'U0CLEO' },
      { $set: { status: 'needs_reauth' } },
    );
    await cleo.command('/connections connect gmail');
    const dm = await cleo.waitForMessage(
      (message) => JSON.stringify(message).includes('/oauth/start/') && /again/.test(cleo.text(message)),
    );
    const { browser, page } = await signIn(linkIn(dm), ACCOUNTS.ben);
    expect(wordsOf(page)).toContain(`Until now this was ${ACCOUNTS.cleo}`);
    expect(page.html).not.toContain('name="replace"');
    const refused = await browser.submit(page, { code: await codeOf('U0CLEO'), replace: 'yes' });
    expect(wordsOf(refused)).not.toContain('is connected as');
    const kept = await services.services.credentials.find(connection?._id ?? '', 'U0CLEO');
    expect(kept?.account).toBe(ACCOUNTS.cleo);
    await services.deps.models.credentials.updateOne(
      { _id: kept?._id ?? '', workspaceId: services.deps.workspaceId },
      { $set: { status: 'active' } },
    );
  });

  it('stops at the next call when it is revoked, here and at the provider', async () => {
    const connection = await services.services.connections.find('gmail');
    const credential = await services.services.credentials.find(connection?._id ?? '', 'U0CLEO');
    const secret = credential ? services.services.credentials.open(credential) : {};
    expect((await search('U0CLEO', 'gmail', 20)).body.status).toBe('succeeded');
    await who('U0CLEO').command('/connections disconnect gmail');
    await who('U0CLEO').waitForMessage(/is disconnected/);
    const before = google.requests.length;
    const after = await search('U0CLEO');
    expect(after.body.status).toBe('pending_authorization');
    expect(google.requests.length).toBe(before);
    const probe = () =>
      fetch(`${google.origin}/gmail/v1/users/me/labels`, {
        headers: { authorization: `Bearer ${secret.access_token}` },
      });
    await until(async () => (await probe()).status === 401, 5_000);
    expect((await search('U0BEN', 'gmail', 20)).body.status).toBe('succeeded');
  });

  it('shows no token anywhere', async () => {
    const secrets = Object.fromEntries([...everyToken].map((secret, index) => [`token ${index}`, secret]));
    delete secrets[''];
    const long = Object.fromEntries(Object.entries(secrets).filter(([, secret]) => secret.length >= 12));
    expect(Object.keys(long).length).toBeGreaterThan(3);
    const slack = JSON.stringify(
      [...world.slack.workspace.channels.keys()].map((id) => [
        ...world.slack.workspace.messagesFor('U0CLEO', id),
        ...world.slack.workspace.messagesFor('U0BEN', id),
      ]),
    );
    const { bytes } = await dumpDatabase(world.uri);
    for (const sink of [app.output(), slack, answers.join('\n'), bytes])
      expect(leaksIn(sink, long)).toEqual([]);
  });
});

describe('App Home of a member', () => {
  const NAME = 'Gmail three';
  let connection: ConnectionDocument;
  let digest: { token: string; id: string };
  const cleo = () => who('U0CLEO');
  const home = () => cleo().text(cleo().home());
  /** Her own authorizations, as Home lists them. */
  const mine = () => (home().split('My authorizations')[1] ?? '').split('Done in my name')[0] ?? '';
  const done = () => (home().split('Done in my name')[1] ?? '').split('Connections')[0] ?? '';
  const consentOf = (caller: string) => ({ value: `${connection._id}|U0CLEO|${caller}` });

  const asked = async (by: string, fn: string, wait: number, args: object = {}): Promise<Answer> => {
    const answer = await call(app.origin, by, '/v1/executions', {
      connection: 'gmail-three',
      function: fn,
      arguments: args,
      on_behalf_of: 'U0CLEO',
      wait,
    });
    answers.push(JSON.stringify(answer.body));
    return answer;
  };
  const mail = { to: ['ben@siesta.example'], subject: 'Hello', body_text: 'Hello' };
  const codesIn = (text: string) =>
    [...text.matchAll(/\b(\d{3}) (\d{3})\b/g)].map((code) => code.slice(1).join(''));
  /** Signs in as herself, and types the code that this sign-in brought, not one of before. */
  const signInAsCleo = async (link: string, choice: Record<string, string> = {}) => {
    const before = new Set(
      codesIn(
        cleo()
          .dm()
          .map((message) => cleo().text(message))
          .join('\n'),
      ),
    );
    const browser = new Visitor();
    const accounts = await browser.submit(await browser.open(link));
    const page = await browser.submit(accounts, choice, `value="${ACCOUNTS.cleo}"`);
    const isNew = (message: Message) => codesIn(cleo().text(message)).find((code) => !before.has(code));
    const code = isNew(await cleo().waitForMessage((message) => isNew(message) !== undefined)) ?? '';
    return { page, finish: (allow: readonly string[]) => browser.submit(page, { code, allow }) };
  };
  const freshLink = async (known: readonly string[]): Promise<string> =>
    linkIn(
      await cleo().waitForView((view) => {
        const shown = JSON.stringify(view);
        return shown.includes('/oauth/start/') && !known.some((link) => shown.includes(link));
      }),
    );

  beforeAll(async () => {
    const { callers, connections } = services.services;
    const made = await callers.create(ADA, {
      name: 'Digest',
      kind: 'agent',
      ownerId: 'U0ADA',
      stage: 'test',
    });
    digest = { token: made.token, id: made.caller._id };
    const access = [callerId, digest.id].map((each) => ({ callerId: each, functions: null }));
    const created = await gmail(NAME, 'private', ['search_messages', 'send_message']);
    connection = await connections.setAccess(ADA, created, access);
  });

  it('says what to do next while there is nothing', async () => {
    await who('U0DANA').openHome();
    const shown = who('U0DANA').text(await who('U0DANA').waitForHome(/My authorizations/));
    expect(shown).toContain('/connections connect KEY');
    expect(shown).toContain('Every call that a caller makes for you is listed here');
  });

  it('names the account, each caller that she ticked, and what her consent leaves out', async () => {
    const waiting = [
      await asked(token, 'search_messages', 0),
      await asked(digest.token, 'search_messages', 0),
    ];
    // She leaves out the box for sending.
    const scope = 'openid email https://www.googleapis.com/auth/gmail.readonly';
    const { page, finish } = await signInAsCleo(linkIn(await invitation('U0CLEO', NAME)), { scope });
    expect(wordsOf(page)).toContain('Send a mail');
    const allow = [...page.html.matchAll(/name="allow"[^>]*value="([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(allow.sort()).toEqual([callerId, digest.id].sort());
    await finish(allow);
    for (const [index, by] of [token, digest.token].entries()) {
      const { body } = await call(app.origin, by, `/v1/executions/${waiting[index]?.body.id}?wait=20`);
      expect(body.status).toBe('succeeded');
    }
    const dm = await cleo().waitForMessage(
      (message) => /connected as/.test(cleo().text(message)) && cleo().text(message).includes(NAME),
    );
    expect(cleo().text(dm)).toMatch(/does not cover it: .*Send a mail/);
    await cleo().openHome();
    await cleo().waitForHome(/Gmail three/);
    expect(mine()).toContain(`connected as ${ACCOUNTS.cleo}`);
    expect(mine()).toMatch(/Assistant.* may act for you/);
    expect(mine()).toMatch(/Digest.* may act for you/);
    expect(mine()).toMatch(/will not work.*Send a mail/);
  });

  it('stops one caller that she revokes there, and no other', async () => {
    expect((await asked(digest.token, 'search_messages', 20)).body.status).toBe('succeeded');
    await cleo().click('home', 'consent.revoke', consentOf(digest.id));
    await cleo().waitForHome(() => !/Digest.* may act for you/.test(mine()));
    expect(mine()).toMatch(/Assistant.* may act for you/);
    const before = google.requests.length;
    const stopped = await asked(digest.token, 'search_messages', 0);
    expect(stopped.body.status).toBe('pending_authorization');
    expect(google.requests.length).toBe(before);
    expect((await asked(token, 'search_messages', 20)).body.status).toBe('succeeded');
  });

  it('lists a shared connection on which a caller may act for her, to be revoked like the others', async () => {
    const on = () => search('U0CLEO', 'team-mail');
    const { body } = await on();
    expect(body.status).toBe('pending_authorization');
    const dm = await cleo().waitForMessage(/act for you on .*Team mail/);
    await cleo().click(dm, 'authorization.allow');
    expect((await ended(body.id)).body.status).toBe('succeeded');
    await cleo().openHome();
    await cleo().waitForHome(() => /Team mail.*\n.*shared/.test(mine()));
    const team = await services.services.connections.find('team-mail');
    await cleo().click('home', 'consent.revoke', { value: `${team?._id}|U0CLEO|${callerId}` });
    await cleo().waitForHome(() => !mine().includes('Team mail'));
    expect((await on()).body.status).toBe('pending_authorization');
  });

  it('lists what was done in her name by every caller, and opens each', async () => {
    await cleo().openHome();
    await cleo().waitForHome(() => done().includes('Team mail'));
    expect(done()).toMatch(/Assistant · succeeded/);
    expect(done()).toMatch(/Digest · pending authorization/);
    await cleo().click('home', 'execution.mine');
    const all = await cleo().waitForView(/Done in my name/);
    const { models, workspaceId } = services.deps;
    const hers = await models.executions.find({ workspaceId, onBehalfOf: 'U0CLEO' }).lean();
    const others = await models.executions.find({ workspaceId, onBehalfOf: { $ne: 'U0CLEO' } }).lean();
    expect(hers.filter(({ _id }) => !JSON.stringify(all).includes(_id))).toEqual([]);
    expect(others.filter(({ _id }) => JSON.stringify(all).includes(_id))).toEqual([]);
    expect(others.length).toBeGreaterThan(2);
    const one = hers.find(({ status, callerId: by }) => status === 'succeeded' && by === digest.id);
    await cleo().click('modal', 'execution.open_mine', { value: one?._id ?? '' });
    expect(cleo().text(await cleo().waitForView(/Result/))).toContain('Invoice of March');
    await cleo().close(true);
  });

  it('says in the DM that a call needs more than she consented to, and offers to reconnect', async () => {
    const refused = await asked(token, 'send_message', 20, mail);
    expect(refused.body).toMatchObject({ status: 'failed', error: { code: 'needs_more_scopes' } });
    const dm = await cleo().waitForMessage(/Assistant.* tried to use .*Send a mail.* on .*Gmail three/);
    await cleo().click(dm, 'Reconnect');
    await freshLink([]);
    await cleo().close(true);
  });

  it('makes a new link at each click on Reconnect, which works once', async () => {
    const links: string[] = [];
    const own = { value: `${connection._id}|U0CLEO|-` };
    await cleo().click('home', 'authorization.reconnect', own);
    links.push(await freshLink(links));
    await cleo().click('modal', 'New link');
    links.push(await freshLink(links));
    await cleo().close(true);
    await cleo().click('home', 'authorization.reconnect', own);
    links.push(await freshLink(links));
    await cleo().close(true);
    expect(new Set(links).size).toBe(3);

    const link = links[2] ?? '';
    const { page, finish } = await signInAsCleo(link);
    const finished = await finish([]);
    expect(wordsOf(finished)).toContain('is connected as');
    answers.push(page.html, finished.html);
    const again = await new Visitor().open(link);
    expect(again.html).not.toContain('<form');
    await cleo().openHome();
    await cleo().waitForHome(() => mine().includes(NAME) && !mine().includes('will not work'));
    expect(mine()).toMatch(/Assistant.* may act for you/);
    const sent = await asked(token, 'send_message', 0, mail);
    expect(sent.body.status).toBe('pending_approval');
  });

  it('shows the callers that do not fit into Home in a modal, to be revoked there as well', async () => {
    const { callers, members } = services.services;
    const ids: string[] = [];
    for (let number = 1; number <= 25; number++) {
      const input = { name: `Worker ${number}`, kind: 'workflow', ownerId: 'U0ADA', stage: 'test' } as const;
      const { caller } = await callers.create(ADA, input);
      await members.decideConsent('U0CLEO', caller._id, connection._id, 'allowed');
      ids.push(caller._id);
    }
    const allowed = () => members.consentsOf('U0CLEO').then((all) => all.map(({ callerId: id }) => id));
    await cleo().openHome();
    await cleo().waitForHome(() => /and 21 more that may act for you/.test(mine()));
    await cleo().click('home', 'authorization.list');
    const shown = JSON.stringify(await cleo().waitForView(/My authorizations/));
    expect(ids.filter((id) => !shown.includes(id))).toEqual([]);
    const last = ids.at(-1) ?? '';
    await cleo().click('modal', 'consent.revoke', consentOf(last));
    await cleo().waitForView((view) => !JSON.stringify(view).includes(last));
    await cleo().waitForHome(() => /and 20 more that may act for you/.test(mine()));
    expect((await allowed()).sort()).toEqual([callerId, ...ids.slice(0, -1)].sort());
    await cleo().close(true);
  });

  it('ends it all with Disconnect', async () => {
    await cleo().click('home', 'authorization.revoke', { value: `${connection._id}|U0CLEO|-` });
    await cleo().waitForHome(() => !mine().includes(NAME));
    expect((await search('U0CLEO', 'gmail-three')).body.status).toBe('pending_authorization');
  });
});

/** How many mails a search's answer names: each is read with a request of its own. */
function countOf(result: string): number {
  return (JSON.parse(result) as { messages: unknown[] }).messages.length;
}
