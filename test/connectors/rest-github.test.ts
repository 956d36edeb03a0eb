/** GitHub's own OpenAPI document, imported whole; some of its operations called on emulate's GitHub. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../playground/free-port.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../../src/connectors/framework.js';
import { type ImportResult, importOpenApi, restConnector } from '../../src/connectors/rest/index.js';
import { call, callContext, functionNamed, withSecret } from './call-context.js';

const TOKEN = 'fake-github-token-1';
const PICKED = [
  'users_get_authenticated',
  'repos_get',
  'repos_update',
  'issues_create',
  'issues_get',
  'issues_update',
  'issues_list_for_repo',
  'issues_create_comment',
  'issues_add_labels',
  'issues_delete_label',
  'issues_create_label',
  'repos_create_or_update_file_contents',
  'search_issues_and_pull_requests',
];
const HELLO = { owner: 'octocat', repo: 'hello-world' };

let emulator: Emulator;
let imported: ImportResult;
let functions: readonly FunctionDefinition[];

beforeAll(async () => {
  const document = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  imported = await importOpenApi(readFileSync(document, 'utf8'));
  emulator = await createEmulator({
    service: 'github',
    port: await freePort(),
    seed: {
      tokens: { [TOKEN]: { login: 'octocat', scopes: ['repo', 'user'] } },
      github: {
        users: [{ login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' }],
        repos: [{ owner: 'octocat', name: 'hello-world', language: 'JavaScript', auto_init: true }],
      },
    },
  });
  const operations = imported.operations.filter(({ name }) => PICKED.includes(name));
  functions = restConnector.functions(JSON.parse(JSON.stringify({ base_url: emulator.url, operations })));
});
afterAll(() => emulator?.close());

function context() {
  const bearer = restConnector.auth.find(({ id }) => id === 'bearer');
  if (bearer === undefined) throw new Error('no auth method');
  return callContext({ authorize: withSecret(bearer, { token: TOKEN }, {}) });
}

async function run(name: string, args: Arguments): Promise<{ status: JsonValue; body: JsonValue }> {
  return (await call(functionNamed(functions, name), context(), args)) as {
    status: JsonValue;
    body: JsonValue;
  };
}

describe('the document of GitHub', () => {
  it('is imported whole, but for what is no JSON or elsewhere', () => {
    expect(imported.operations.length).toBeGreaterThan(1_200);
    expect(imported.unsupported.map(({ path }) => path)).toEqual([
      '/markdown/raw',
      '/repos/{owner}/{repo}/releases/{release_id}/assets',
    ]);
    expect(new Set(imported.operations.map(({ name }) => name)).size).toBe(imported.operations.length);
    expect(imported.operations.filter(({ readable }) => readable).length).toBeGreaterThan(250);
  });

  it('gives 500 functions at once, as many as a connection keeps', () => {
    const operations = imported.operations.slice(0, 500);
    const config = JSON.parse(JSON.stringify({ base_url: 'https://api.github.com', operations }));
    expect(restConnector.functions(config)).toHaveLength(501);
    expect(Buffer.byteLength(JSON.stringify(config))).toBeLessThan(4 * 1024 * 1024);
  });
});

describe('operations of GitHub on its stand-in', () => {
  it('read who one is', async () => {
    expect(await run('users_get_authenticated', {})).toMatchObject({
      status: 200,
      body: { login: 'octocat', name: 'The Octocat' },
    });
  });

  it('read and change a repository', async () => {
    expect(await run('repos_get', HELLO)).toMatchObject({ body: { full_name: 'octocat/hello-world' } });
    const changed = await run('repos_update', { ...HELLO, description: 'Greets', has_wiki: false });
    expect(changed).toMatchObject({ status: 200, body: { description: 'Greets', has_wiki: false } });
  });

  it('file, find, change and comment on an issue', async () => {
    const created = await run('issues_create', {
      ...HELLO,
      title: 'Grüße & <b>markup</b>',
      body: 'Two\nlines',
      labels: ['bug'],
    });
    expect(created).toMatchObject({ status: 201, body: { title: 'Grüße & <b>markup</b>', state: 'open' } });
    const { number } = created.body as { number: number };
    const issue = { ...HELLO, issue_number: number };
    expect(await run('issues_create_comment', { ...issue, body: 'Seen.' })).toMatchObject({ status: 201 });
    expect(await run('issues_add_labels', { ...issue, body: { labels: ['urgent'] } })).toMatchObject({
      status: 200,
    });
    expect(await run('issues_get', issue)).toMatchObject({
      body: { number, body: 'Two\nlines', comments: 1 },
    });
    const found = await run('issues_list_for_repo', { ...HELLO, state: 'open', per_page: 5 });
    expect(found.body).toMatchObject([{ number }]);
    const closed = await run('issues_update', { ...issue, state: 'closed', state_reason: 'completed' });
    expect(closed).toMatchObject({ status: 200, body: { state: 'closed' } });
    expect((await run('issues_list_for_repo', { ...HELLO, state: 'open' })).body).toEqual([]);
    const search = await run('search_issues_and_pull_requests', { q: 'repo:octocat/hello-world is:issue' });
    expect(search.body).toMatchObject({ total_count: 1 });
  });

  it('write a file, and delete a label', async () => {
    const file = { ...HELLO, path: 'NOTES.md', message: 'Note', content: 'bm90ZQ==' };
    expect(await run('repos_create_or_update_file_contents', file)).toMatchObject({ status: 201 });
    await run('issues_create_label', { ...HELLO, name: 'stale', color: 'ededed' });
    expect(await run('issues_delete_label', { ...HELLO, name: 'stale' })).toEqual({
      status: 204,
      body: null,
    });
  });

  it('show what an issue is before it is changed', async () => {
    const { observe } = functionNamed(functions, 'issues_update');
    if (observe === undefined || 'none' in observe) throw new Error('nothing is shown');
    const created = await run('issues_create', { ...HELLO, title: 'Before' });
    const { number } = created.body as { number: number };
    const args = { ...HELLO, issue_number: number, title: 'After', state: 'closed' };
    const { fields } = await observe.read(context(), args);
    expect(fields.slice(0, 2)).toEqual([
      { label: 'title', value: 'Before', kind: 'short', after: 'After' },
      { label: 'state', value: 'open', kind: 'short', after: 'closed' },
    ]);
    // Nobody can set it, so it is shown and not held to.
    expect(fields).toContainEqual({
      label: 'number',
      value: String(number),
      kind: 'short',
      footprint: true,
    });
  });

  it('tell in GitHub’s words what it refuses', async () => {
    await expect(run('issues_get', { ...HELLO, issue_number: 999 })).rejects.toMatchObject({
      code: 'upstream_rejected',
      definite: true,
      message: expect.stringContaining('Not Found'),
    });
    await expect(run('issues_create', { ...HELLO, title: 'x', state: 'open' })).rejects.toThrow(
      'is not an argument of this function',
    );
  });
});
