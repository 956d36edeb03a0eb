/** Approving by a fresh sign-in at the company's OpenID Connect provider: a certified one, and the real process. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { freePort } from '../../playground/free-port.js';
import { type Person, person } from '../../playground/slack/person.js';
import type { Message, View } from '../../playground/slack/protocol.js';
import { type Page, Visitor, wordsOf } from '../../playground/visitor.js';
import type { Connected } from '../../src/bootstrap.js';
import {
  type AppProcess,
  call,
  createWorld,
  type Seeded,
  seedHelpdesk,
  type World,
} from '../harness/app-process.js';
import { type OidcServer, startOidcServer } from '../harness/oidc-server.js';
import { ends, sent, ticketRequest } from '../harness/writes.js';

const BEN = 'ben@siesta.example';

let world: World;
let looking: Connected;
let seeded: Seeded;
let app: AppProcess;
let oidc: OidcServer;
let ben: Person;
/** Her browser: it keeps its session at the provider. */
const browser = new Visitor();

beforeAll(async () => {
  world = await createWorld({ transport: 'http', mongoUri: inject('mongoUri') });
  looking = await world.services();
  seeded = await seedHelpdesk(looking, world.helpdesk, { route: null });
  const connection = await looking.services.connections.find(seeded.connectionId);
  if (!connection) throw new Error('there is no connection');
  const rules = connection.policy.rules.map((rule) => ({ ...rule, stepUp: 'oidc' as const }));
  await looking.services.connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, rules);
  const port = await freePort();
  oidc = await startOidcServer({
    path: '/realms/staff',
    redirectUri: `http://127.0.0.1:${port}/step-up/callback`,
    scopes: [],
  });
  app = await world.start({
    PORT: String(port),
    OUTBOUND_ALLOW_PRIVATE: [...world.allowPrivate, oidc.host].join(','),
    STEP_UP_OIDC_ISSUER: oidc.issuer,
    STEP_UP_OIDC_CLIENT_ID: oidc.client.clientId,
    STEP_UP_OIDC_CLIENT_SECRET: oidc.client.clientSecret,
  });
  ben = person(world.slack, 'U0BEN');
});
afterAll(async () => {
  await looking.close();
  await world.close();
  await oidc.close();
});

const linkIn = (view: View | null): string => /"url":"([^"]+)"/.exec(JSON.stringify(view))?.[1] ?? '';
const approvalOf = (executionId: string) => looking.services.approvals.ofExecution(executionId);

async function asked(subject: string): Promise<{ id: string; card: Message }> {
  const answer = await call(app.origin, seeded.token, '/v1/executions', ticketRequest(subject));
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const card = await ben.waitForMessage(({ blocks }) => JSON.stringify(blocks).includes(`${subject}\\n`));
  return { id: answer.body.id, card };
}

/** Presses Approve and opens the link that follows, up to the provider's own page. */
async function toProvider(card: Message, visitor = browser): Promise<{ link: string; login: Page }> {
  await ben.click(card, 'Approve');
  const link = linkIn(await ben.waitForView(/Sign in with your company account/));
  await ben.close(true);
  const page = await visitor.open(link);
  expect(wordsOf(page)).toContain('Sign in to approve');
  return { link, login: await visitor.submit(page) };
}

/** Types the account, allows what is asked, and presses on where a script would (an older session is ended first). */
async function signIn(login: Page, account: string, visitor = browser): Promise<Page> {
  expect(login.html, 'whoever is signed in there signs in again').toContain('name="account"');
  let page = await visitor.submit(login, { account });
  while (/Allow\?|Submitting Callback/.test(page.html)) page = await visitor.submit(page);
  return page;
}

const refusals = async (executionId: string) => {
  const { models, workspaceId } = looking.deps;
  const found = await models.auditEvents
    .find({ workspaceId, action: 'approval.refused_click', 'subject.id': executionId })
    .lean();
  return found.map(({ details }) => details.reason);
};

it('the click alone approves nothing; the sign-in of the same person does, once', async () => {
  const { id, card } = await asked('Sign-in 1');
  expect(ben.text(card)).toContain('a fresh sign-in with your company account');
  const { link, login } = await toProvider(card);
  expect((await approvalOf(id))?.decisions).toEqual([]);
  const done = await signIn(login, 'Ben@siesta.example');
  expect(done.status, wordsOf(done)).toBe(200);
  expect(wordsOf(done)).toContain('It is approved and goes on by itself');
  const [execution] = await ends(looking, [id], 10_000);
  expect(execution?.status).toBe('succeeded');
  expect(sent(world.helpdesk, 'Sign-in 1')).toHaveLength(1);
  expect((await approvalOf(id))?.decisions).toMatchObject([{ userId: 'U0BEN', proof: 'oidc' }]);
  await ben.waitForMessage((message) => /signed in for it/.test(ben.text(message)));

  expect((await browser.open(link)).status).toBe(410);
  expect((await browser.open(done.url)).status).toBe(410);
  expect(await refusals(id)).toEqual([]);
});

it('somebody else’s account, another browser and a refusal approve nothing, and are on record', async () => {
  const { id, card } = await asked('Sign-in 2');
  const { login } = await toProvider(card);
  const wrong = await signIn(login, 'cleo@siesta.example');
  expect(wrong.status, wrong.html).toBe(403);
  expect(wordsOf(wrong)).toContain('which is not your address in Slack');

  // Her answer from the provider, in a browser that did not ask for it.
  const other = new Visitor();
  const { login: again } = await toProvider(card, other);
  other.forget(app.origin);
  const stranger = await signIn(again, BEN, other);
  expect(stranger.status).toBe(403);
  expect(wordsOf(stranger)).toContain('started in another browser');

  const { login: third } = await toProvider(card);
  const declined = await browser.submit(third, { cancel: 'yes' }, 'name="cancel"');
  expect(declined.status).toBe(403);
  expect(wordsOf(declined)).toContain('nothing was approved');

  expect((await approvalOf(id))?.decisions).toEqual([]);
  expect(sent(world.helpdesk, 'Sign-in 2')).toHaveLength(0);
  expect((await refusals(id)).sort()).toEqual([
    'second proof: access_denied',
    'second proof: another account',
    'second proof: another browser came back',
  ]);
});

it('an edit goes with the sign-in: what runs is what she made of it', async () => {
  const { id, card } = await asked('Sign-in 3');
  await ben.click(card, 'Edit…');
  await ben.waitForView(/Then a link follows/);
  expect(await ben.submit({ Subject: 'Sign-in 3, changed' })).toBeNull();
  const link = linkIn(await ben.waitForView(/Sign in with your company account/));
  expect((await approvalOf(id))?.decisions).toEqual([]);
  await ben.close(true);
  const login = await browser.submit(await browser.open(link));
  const done = await signIn(login, BEN);
  expect(wordsOf(done)).toMatch(/as you changed it/);
  const [execution] = await ends(looking, [id], 10_000);
  expect(execution).toMatchObject({ status: 'succeeded', editedBy: 'U0BEN' });
  expect(sent(world.helpdesk, 'Sign-in 3, changed')).toHaveLength(1);
});

it('who is late hears it, and a denial needs no sign-in', async () => {
  const { id, card } = await asked('Sign-in 4');
  const { login } = await toProvider(card);
  await ben.click(card, 'Deny');
  await ben.waitForView(/Why/);
  expect(await ben.submit({ 'Why?': 'Changed my mind' })).toBeNull();
  const [execution] = await ends(looking, [id], 10_000);
  expect(execution?.status).toBe('denied');
  const late = await signIn(login, BEN);
  expect(late.status, late.html).toBe(403);
  expect(wordsOf(late)).toContain('Too late: the request is denied already');
  expect(sent(world.helpdesk, 'Sign-in 4')).toHaveLength(0);
});

it('neither a code nor a forged approval stands in for it', async () => {
  const { id, card } = await asked('Sign-in 5');
  const hash = (await approvalOf(id))?.bindingHash.slice(0, 8) ?? '';
  const click = { executionId: id, hash, userId: 'U0BEN', decision: 'approved', reason: null } as const;
  const coded = await looking.services.decisions.decide({ ...click, proof: '123456' });
  expect(coded.kind).toBe('refused');
  expect(await refusals(id)).toHaveLength(1);
  expect(ben.text(card)).toContain('Denying does not');

  const { models, workspaceId } = looking.deps;
  const at = looking.deps.clock.now();
  const forged = { userId: 'U0BEN', decision: 'approved' as const, reason: null, at, proof: 'totp' as const };
  await models.approvals.updateOne(
    { executionId: id, workspaceId },
    { $set: { status: 'approved', endedAt: at }, $push: { decisions: forged }, $inc: { rev: 1 } },
  );
  const [execution] = await ends(looking, [id], 15_000);
  expect(execution).toMatchObject({ status: 'failed', error: { code: 'refused_recheck' } });
  expect(sent(world.helpdesk, 'Sign-in 5')).toHaveLength(0);
});
