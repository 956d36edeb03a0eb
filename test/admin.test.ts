/** The operator's command line as a process of its own, on the database that the app uses. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { helpdeskDocument } from '../playground/helpdesk-document.js';
import { ConnectionCommands } from '../src/admin/connections.js';
import { type Connected, connectServices } from '../src/bootstrap.js';
import { parseConfig } from '../src/config.js';
import { connectDatabase, type Database } from '../src/database/connect.js';
import { startEmbeddedMongod } from '../src/database/embedded.js';
import { FakeDirectory } from './http/pages-app.js';
import { silentLog } from './setup/database.js';

const ADMIN = fileURLToPath(new URL('../dist/src/admin.js', import.meta.url));
const CANARY = 'fake-operator-secret-canary-5';
const WORKSPACE = 'T0OPS';

// biome-ignore lint/suspicious/noExplicitAny: whatever a command prints
type Json = any;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Json;
  /** The `error` member of what it wrote to standard error. */
  readonly error: { code: string; message: string; path?: string } | null;
}

let folder: string;
let env: Record<string, string>;
let database: Database;
let connected: Connected;
/** The commands themselves, for what does not need a process of its own. */
let commands: ConnectionCommands;
let written = '';

function run(
  args: readonly string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [ADMIN, ...args], { env: options.env ?? env, cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk));
  // A command that refuses at once does not wait for its input.
  child.stdin.on('error', () => undefined).end(options.stdin ?? '');
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      written += stdout + stderr;
      try {
        const json = code === 0 ? JSON.parse(stdout) : null;
        const error = code === 0 ? null : JSON.parse(stderr).error;
        resolve({ code, stdout, stderr, json, error });
      } catch (cause) {
        reject(new Error(`exit code ${code}, ${JSON.stringify({ stdout, stderr })}`, { cause }));
      }
    });
  });
}

/** What it printed, of a command that has to work. */
async function ok(...args: string[]): Promise<Json> {
  const ran = await run([...args, '--json']);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stderr).toBe('');
  return ran.json;
}

async function refused(...args: string[]): Promise<{ code: string; message: string; path?: string }> {
  const ran = await run([...args, '--json']);
  expect([ran.code, ran.stdout], ran.stderr).toEqual([1, '']);
  if (!ran.error) throw new Error('no error was written');
  return ran.error;
}

async function file(content: unknown): Promise<string> {
  const name = path.join(folder, `${randomBytes(6).toString('hex')}.json`);
  await writeFile(name, typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

const events = (action: string, id: string) =>
  connected.deps.models.auditEvents.find({ workspaceId: WORKSPACE, action, 'subject.id': id }).lean();

const helpdesk = (key: string, change: Record<string, unknown> = {}) => ({
  connector: 'rest',
  key,
  name: `Helpdesk ${key}`,
  purpose: 'Answer tickets',
  identity: 'shared',
  owner: 'U0ADA',
  business_owner: 'U0BEN',
  auth: 'api_key',
  config: { openapi: helpdeskDocument('https://helpdesk.example.com') },
  functions: ['list_tickets', 'create_ticket'],
  policy: {
    rules: [{ effect: 'ask', risks: ['write', 'destructive'], approvers: { users: ['U0BEN'] } }],
  },
  ...change,
});

async function created(key: string, change: Record<string, unknown> = {}): Promise<Json> {
  return plain(await commands.create(helpdesk(key, change)));
}

/** As it looks once it was printed. */
function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'siesta-admin-'));
  const uri = new URL(inject('mongoUri'));
  uri.pathname = `/admin_${randomBytes(6).toString('hex')}`;
  env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    MONGODB_URI: uri.href,
    DATA_DIR: folder,
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
  };
  database = await connectDatabase({ uri: uri.href, log: silentLog });
  const directory = new FakeDirectory();
  connected = await connectServices(
    parseConfig(env, false),
    database,
    { id: WORKSPACE, directory },
    silentLog,
  );
  commands = new ConnectionCommands(connected.services, connected.deps, { kind: 'operator', id: 'test' });
  await connected.services.settings.change({ kind: 'system', id: 'test' }, { admins: ['U0ADA'] });
});

afterAll(async () => {
  await connected.close();
  await database.background.dropDatabase();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

describe('connections', () => {
  it('are created from a file with an OpenAPI document, as the operator, in the only workspace', async () => {
    const shown = await ok('connection:create', '--file', await file(helpdesk('made')));
    expect(shown).toMatchObject({
      key: 'made',
      status: 'draft',
      functions: ['list_tickets', 'create_ticket'],
      config: { base_url: expect.stringContaining('https://helpdesk.example.com') },
      policy: { version: 1, rules: [{ effect: 'ask', quorum: 1, expires_in_minutes: 60 }] },
    });
    expect(shown.config.operations).toHaveLength(2);
    const stored = await connected.services.connections.find('made');
    expect(stored?.workspaceId).toBe(WORKSPACE);
    expect(await events('connection.created', shown.id)).toMatchObject([
      { actor: { kind: 'operator', id: userInfo().username } },
    ]);
    expect(await ok('connection:show', 'made')).toEqual(shown);
    expect(await ok('connection:list')).toContainEqual(
      expect.objectContaining({ key: 'made', owner: 'U0ADA' }),
    );
  });

  it('applying what was shown, unchanged, changes nothing and voids nothing', async () => {
    const shown = await created('same');
    expect(await ok('connection:update', '--file', await file(shown))).toEqual(shown);
    expect(await events('connection.changed', shown.id)).toEqual([]);
    expect(await events('policy.changed', shown.id)).toEqual([]);
  });

  it('what is shown, edited and applied', async () => {
    const caller = await ok(
      'caller:create',
      '--name',
      'Edited',
      '--kind',
      'agent',
      '--owner',
      'U0BEN',
      '--stage',
      'test',
    );
    const shown = await created('edited');
    const edited = {
      ...shown,
      name: 'Helpdesk - Support FAQ',
      owner: 'U0BEN',
      functions: ['list_tickets'],
      raised_risks: { list_tickets: 'write' },
      ask_every_time: ['list_tickets'],
      policy: { ...shown.policy, rules: [{ ...shown.policy.rules[0], effect: 'deny' }] },
      access: [{ caller: 'Edited', functions: ['list_tickets'] }],
      visibility: { everyone: false, users: ['U0CLEO'], usergroups: [] },
    };
    const after = await ok('connection:update', 'edited', '--file', await file(edited));
    const { name, owner, functions, raised_risks, ask_every_time, access, visibility } = edited;
    expect(after).toMatchObject({
      name,
      owner,
      functions,
      raised_risks,
      ask_every_time,
      access,
      visibility,
    });
    expect(after.policy).toMatchObject({ version: 2, rules: [{ effect: 'deny' }] });
    const stored = await connected.services.connections.find('edited');
    expect(stored).toMatchObject({
      ownerId: 'U0BEN',
      access: [{ callerId: caller.id, functions: ['list_tickets'] }],
    });
    expect(await events('policy.changed', shown.id)).toHaveLength(1);

    expect(await refused('connection:update', '--file', await file(edited))).toMatchObject({
      code: 'invalid_arguments',
      path: '/rev',
      message: expect.stringContaining('Show it again'),
    });
    expect(
      await ok('connection:update', 'edited', '--file', await file({ purpose: 'Only this' })),
    ).toMatchObject({
      name,
      owner,
      functions,
      access,
      purpose: 'Only this',
      rev: after.rev + 1,
      policy: after.policy,
    });
  });

  it.each([
    ['a field that does not exist', { colour: 'red' }, '/colour'],
    [
      'one inside a rule',
      { policy: { rules: [{ effect: 'ask', approver: 'U0BEN' }] } },
      '/policy/rules/0/approver',
    ],
    ['another connector', { connector: 'gmail' }, '/connector'],
    ['another status', { status: 'ready' }, '/status'],
    ['another key', { key: 'other' }, '/key'],
    ['an effect that does not exist', { policy: { rules: [{ effect: 'maybe' }] } }, '/policy/rules/0/effect'],
    ['a function that does not exist', { functions: ['list_tickets', 'fly'] }, '/functions'],
    ['a caller that does not exist', { access: [{ caller: 'Nobody' }] }, '/access/0/caller'],
    ['an owner that is no Slack id', { owner: 'ben@example.com' }, '/owner'],
    ['a name that is too long', { name: 'x'.repeat(81) }, '/name'],
  ])('refuses %s, and applies nothing of the file', async (_name, change, where) => {
    const key = `bad-${randomBytes(4).toString('hex')}`;
    const shown = await created(key);
    const wanted = { ...shown, purpose: 'must not be applied', ...change };
    await expect(commands.update(key, wanted)).rejects.toMatchObject({
      code: 'invalid_arguments',
      path: where,
    });
    expect(plain(await commands.show(key))).toEqual(shown);
  });

  it('what is shown makes another connection', async () => {
    const shown = await created('original');
    const copy = plain(await commands.create({ ...shown, key: 'copy' }));
    expect(copy).toMatchObject({
      key: 'copy',
      config: shown.config,
      policy: shown.policy,
      functions: shown.functions,
    });
    expect(copy.id).not.toBe(shown.id);
    await expect(commands.create(shown)).rejects.toMatchObject({ path: '/key' });
  });

  it('are paused, resumed and removed', async () => {
    const { id } = await created('stopped');
    expect(await ok('connection:pause', 'stopped', '--reason', 'Fire drill')).toMatchObject({
      paused: { reason: 'Fire drill', by: userInfo().username },
    });
    expect(await ok('connection:resume', '--file', await file({ key: 'stopped' }))).toMatchObject({
      paused: null,
    });
    expect(await ok('connection:remove', id)).toEqual({ id, key: 'stopped', status: 'removed' });
    expect(await refused('connection:show', 'stopped')).toMatchObject({ code: 'not_found' });
    for (const action of ['connection.paused', 'connection.resumed', 'connection.removed']) {
      expect(await events(action, id)).toMatchObject([{ actor: { kind: 'operator' } }]);
    }
  });

  it('refuse documents and files that are not what they should be', async () => {
    const dead = helpdesk('dead', { config: { openapi_url: 'https://127.0.0.1/openapi.json' } });
    expect(await refused('connection:create', '--file', await file(dead))).toMatchObject({
      code: 'invalid_arguments',
      path: '/openapi',
    });
    const broken = helpdesk('broken', { config: { openapi: 'openapi: 3.1.0' } });
    expect(await refused('connection:create', '--file', await file(broken))).toMatchObject({
      path: '/openapi',
    });
    expect(await refused('connection:create', '--file', await file('{"name": 1, "name": 2}'))).toMatchObject({
      path: '/name',
    });
    expect(await refused('connection:create', '--file', path.join(folder, 'none.json'))).toMatchObject({
      path: '/file',
    });
    expect(await connected.services.connections.find('dead')).toBeNull();
  });
});

describe('credentials', () => {
  const secret = async (key: string, fields: unknown) =>
    run(['connection:secret', key, '--json'], {
      stdin: typeof fields === 'string' ? fields : JSON.stringify(fields),
    });

  it('come on standard input, and go nowhere but into the vault', async () => {
    const { id } = await created('keyed');
    const done = await secret('keyed', { api_key: CANARY });
    expect(done.json).toEqual({ connection: 'keyed', stored: ['api_key'] });
    const credential = await connected.services.credentials.find(id);
    expect(credential && connected.services.credentials.open(credential)).toEqual({ api_key: CANARY });
    expect(await events('credential.stored', id)).toMatchObject([
      { actor: { kind: 'operator' }, details: { fields: ['api_key'] } },
    ]);
    expect(await ok('connection:show', 'keyed')).toMatchObject({
      credential: { generation: 1, status: 'active' },
    });
  });

  it.each([
    ['a field too many', { api_key: CANARY, other: CANARY }, '/'],
    ['none', {}, '/api_key'],
    ['a number', { api_key: 5 }, '/api_key'],
    ['no object', [CANARY], undefined],
    ['no JSON', `{"api_key": ${CANARY}`, '/api_key'],
  ])('refuses %s, without repeating it', async (_name, fields, where) => {
    const key = `cred-${randomBytes(4).toString('hex')}`;
    const { id } = await created(key);
    const done = await secret(key, fields);
    expect(done.code).toBe(1);
    expect(done.error).toMatchObject({ code: 'invalid_arguments' });
    expect(done.error?.path).toBe(where);
    expect(done.stderr).not.toContain(CANARY);
    expect(await connected.services.credentials.find(id)).toBeNull();
  });

  it('of a connection that signs in with OAuth, are the client of its provider', async () => {
    const gmail = {
      connector: 'gmail',
      key: 'mail',
      name: 'Mail',
      identity: 'private',
      owner: 'U0ADA',
      auth: 'oauth',
    };
    await ok('connection:create', '--file', await file(gmail));
    const client = { client_id: 'client-1', client_secret: CANARY };
    expect((await secret('mail', client)).json).toMatchObject({
      oauth_app: 'google',
      stored: ['client_id', 'client_secret'],
    });
    const entered = await connected.services.credentials.find('oauth_app:google');
    expect(entered && connected.services.credentials.open(entered)).toEqual({
      client_id: 'client-1',
      client_secret: CANARY,
    });
    expect((await secret('oauth_app:google', { ...client, client_id: 'client-2' })).code).toBe(0);
    expect((await secret('oauth_app:nobody', client)).error).toMatchObject({ code: 'not_found' });
  });

  it('are nowhere in what was printed or stored', async () => {
    const { models } = connected.deps;
    const all = await Promise.all(Object.values(models).map((model) => model.collection.find({}).toArray()));
    expect(JSON.stringify(all)).not.toContain(CANARY);
    expect(written).not.toContain(CANARY);
  });
});

describe('callers, access and policy', () => {
  it('a caller’s token is printed once, and works', async () => {
    const made = await ok(
      'caller:create',
      '--name',
      'Robot',
      '--kind',
      'workflow',
      '--owner',
      'U0BEN',
      '--stage',
      'production',
    );
    expect(made).toMatchObject({
      name: 'Robot',
      kind: 'workflow',
      owner: 'U0BEN',
      stage: 'production',
      status: 'active',
    });
    const caller = await connected.services.callers.authenticate(`Bearer ${made.token}`);
    expect(caller._id).toBe(made.id);
    const again = [
      'caller:create',
      '--name',
      'robot',
      '--kind',
      'agent',
      '--owner',
      'U0BEN',
      '--stage',
      'test',
    ];
    expect(await refused(...again)).toMatchObject({ code: 'invalid_arguments', path: '/name' });
    expect(
      await refused('caller:create', '--name', 'X', '--kind', 'robot', '--owner', 'U0BEN', '--stage', 'test'),
    ).toMatchObject({ path: '/kind' });
    expect(
      await refused('caller:create', '--name', 'X', '--kind', 'agent', '--owner', 'Ben', '--stage', 'test'),
    ).toMatchObject({ path: '/owner' });
  });

  it('access is added to what is there', async () => {
    await created('opened');
    await ok('caller:create', '--name', 'Guest', '--kind', 'agent', '--owner', 'U0BEN', '--stage', 'test');
    const grant = ['access:grant', '--caller', 'guest', '--connection', 'opened'];
    expect(await ok(...grant, '--functions', 'list_tickets')).toEqual({
      connection: 'opened',
      access: [{ caller: 'Guest', functions: ['list_tickets'] }],
    });
    expect((await ok(...grant, '--functions', 'create_ticket, list_tickets')).access).toEqual([
      { caller: 'Guest', functions: ['list_tickets', 'create_ticket'] },
    ]);
    expect(await refused(...grant, '--functions', 'fly')).toMatchObject({ path: '/access/0/functions' });
    expect((await ok(...grant)).access).toEqual([{ caller: 'Guest', functions: null }]);
    expect((await ok(...grant, '--functions', 'list_tickets')).access).toEqual([
      { caller: 'Guest', functions: null },
    ]);
    expect(await refused('access:grant', '--caller', 'Nobody', '--connection', 'opened')).toMatchObject({
      path: '/caller',
    });
  });

  it('a policy is set from what was shown, and not from an older one', async () => {
    const { policy } = await created('ruled');
    const next = { ...policy, rules: [{ effect: 'deny', functions: ['create_ticket'] }, ...policy.rules] };
    expect(await ok('policy:set', '--connection', 'ruled', '--file', await file(next))).toMatchObject({
      version: 2,
      rules: [{ effect: 'deny', functions: ['create_ticket'], risks: null }, { effect: 'ask' }],
    });
    expect(await refused('policy:set', '--connection', 'ruled', '--file', await file(next))).toMatchObject({
      path: '/policy/version',
    });
    const { version: _, ...rules } = next;
    expect((await ok('policy:set', '--connection', 'ruled', '--file', await file(rules))).version).toBe(3);
  });

  it('what a rule was given in Slack is shown, and set again as it was', async () => {
    const { id } = await created('conditional');
    const { connections } = connected.services;
    const connection = await connections.find(id);
    const [rule] = connection?.policy.rules ?? [];
    if (!connection || !rule) throw new Error('there is no rule');
    const when = { all: true, comparisons: [{ field: 'outside_recipients', op: '>=', value: 1 }] };
    const saved = { ...rule, when, rememberable: false, stepUp: 'totp' as const };
    await connections.setPolicy({ kind: 'user', id: 'U0ADA' }, connection, [
      saved,
      { ...rule, id: 'last', when: null },
    ]);
    const shown = await ok('connection:show', 'conditional');
    expect(shown.policy.rules[0]).toMatchObject({ when, rememberable: false, step_up: 'totp' });
    expect(
      (await ok('policy:set', '--connection', 'conditional', '--file', await file(shown.policy))).rules,
    ).toEqual(shown.policy.rules);
    const bad = {
      rules: [{ effect: 'ask', when: { all: true, comparisons: [{ field: 'x y', op: '=', value: 1 }] } }],
    };
    expect(
      await refused('policy:set', '--connection', 'conditional', '--file', await file(bad)),
    ).toMatchObject({
      code: 'invalid_arguments',
    });
  });
});

it('executions are listed without payloads; a look at payloads is on record', async () => {
  await created('called');
  await ok('caller:create', '--name', 'Caller', '--kind', 'agent', '--owner', 'U0CLEO', '--stage', 'test');
  await ok('access:grant', '--caller', 'Caller', '--connection', 'called');
  const caller = await connected.services.callers.byName('Caller');
  if (!caller) throw new Error('no caller');
  const subject = 'Printer on fire';
  const { execution } = await connected.services.submissions.submit(caller, {
    connection: 'called',
    function: 'create_ticket',
    arguments: { subject, body: 'Floor 3', requester: 'sam@example.com' },
    onBehalfOf: null,
    reason: null,
    idempotencyKey: 'one',
  });
  const listed = await run(['execution:list', '--json', '--status', 'pending_approval']);
  expect(listed.json).toMatchObject([
    { id: execution._id, caller: 'Caller', connection: 'called', requirement: 'required' },
  ]);
  const shown = await run(['execution:show', execution._id, '--json']);
  expect(shown.json).toMatchObject({ id: execution._id, status: 'pending_approval', requester: 'U0CLEO' });
  expect(listed.stdout + shown.stdout).not.toContain(subject);
  expect(await events('payload.viewed', execution._id)).toEqual([]);
  expect(await ok('execution:show', execution._id, '--payloads')).toMatchObject({
    arguments: { subject },
    result: null,
  });
  expect(await events('payload.viewed', execution._id)).toMatchObject([
    { actor: { kind: 'operator', id: userInfo().username } },
  ]);
  expect(await ok('execution:list', '--status', 'succeeded')).toEqual([]);
  expect(await refused('execution:show', 'ex_none')).toMatchObject({ code: 'not_found' });
});

describe('the command line itself', () => {
  it.each([
    ['no command', []],
    ['an unknown one', ['connection:fly']],
    ['a name from Object', ['toString']],
    ['an unknown option', ['connection:list', '--colour', 'red']],
    ['too many words', ['connection:show', 'a', 'b']],
  ])('%s: usage, exit code 2', async (_name, args) => {
    const ran = await run(args);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.error).toMatchObject({ code: 'invalid_arguments' });
  });

  it('missing options are named', async () => {
    expect(await refused('connection:show')).toMatchObject({ path: '/key' });
    expect(await refused('connection:create')).toMatchObject({ path: '/file' });
    expect(await refused('access:grant', '--caller', 'x')).toMatchObject({ path: '/connection' });
    expect(await refused('execution:list', '--limit', '0')).toMatchObject({ path: '/limit' });
  });

  it('of several workspaces, one has to be named, and the other is not seen', async () => {
    const name = `/admin_${randomBytes(6).toString('hex')}`;
    const uri = new URL(env.MONGODB_URI ?? '');
    uri.pathname = name;
    const own = { ...env, MONGODB_URI: uri.href };
    const made = async (workspace: string) =>
      run(['connection:create', '--workspace', workspace, '--file', await file(helpdesk('twice'))], {
        env: own,
      });
    expect([(await made('T0ONE')).code, (await made('T0TWO')).code]).toEqual([0, 0]);
    const unclear = await run(['connection:list'], { env: own });
    expect(unclear.error).toMatchObject({ path: '/workspace', message: expect.stringContaining('T0TWO') });
    const one = await run(['connection:list', '--workspace', 'T0ONE'], { env: own });
    expect(one.json).toHaveLength(1);
    await database.background.useDb(name.slice(1)).dropDatabase();
  });
});

describe('with the embedded database', () => {
  it('joins that of a running app, and else brings it up for the time of the command', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'siesta-admin-data-'));
    const { MONGODB_URI: _, ENCRYPTION_KEYS: __, ...rest } = env;
    const own = { ...rest, DATA_DIR: dataDir };
    const app = await startEmbeddedMongod({ dataDir, log: silentLog, env: process.env });
    try {
      const made = await run(['connection:create', '--file', await file(helpdesk('beside'))], { env: own });
      expect(made.code, made.stderr).toBe(0);
      const beside = await connectDatabase({ uri: app.uri, log: silentLog });
      expect(await beside.connection.collection('connections').distinct('workspaceId')).toEqual(['T0SIESTA']);
      await beside.close();
    } finally {
      await app.stop();
    }
    const alone = await run(['connection:list'], { env: own });
    expect(alone.json, alone.stderr).toMatchObject([{ key: 'beside' }]);
    const again = await startEmbeddedMongod({ dataDir, log: silentLog, env: process.env });
    await again.stop();
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);
});
