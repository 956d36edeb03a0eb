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

async function gmail(name: string, identity: 'private' | 'shared'): Promise<ConnectionDocument> {
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
    enabledFunctions: ['search_messages'],
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

/** How many mails a search's answer names: each is read with a request of its own. */
function countOf(result: string): number {
  return (JSON.parse(result) as { messages: unknown[] }).messages.length;
}
