import { describe, expect, it } from 'vitest';
import type { Arguments } from '../../src/connectors/framework.js';
import { jiraConnector } from '../../src/connectors/jira/index.js';
import type { Answer } from '../contract/recorder.js';
import { callContext, withSecret } from './call-context.js';
import { config, doc, functions, json, site } from './jira-answers.js';
import { standIn } from './stand-in.js';

const jira = standIn(site);
const { fn, run } = jira;

describe('the way to the site', () => {
  const gateway = () => callContext({ baseUrl: jira.origin, config });
  const resources = [
    { id: 'other-cloud', url: 'https://other.atlassian.net', name: 'other' },
    { id: 'cloud-1', url: 'https://Example.atlassian.net', name: 'example', scopes: ['read:jira-work'] },
  ];

  it('goes through the gateway to the configured site, looked up once', async () => {
    jira.answer = ({ path }) => ({
      body: path === '/oauth/token/accessible-resources' ? resources : { accountId: 'a' },
    });
    await fn('get_myself').run(gateway(), {});
    await fn('get_myself').run(gateway(), {});
    expect(jira.requests.map(({ path }) => path)).toEqual([
      '/oauth/token/accessible-resources',
      '/ex/jira/cloud-1/rest/api/3/myself',
      '/ex/jira/cloud-1/rest/api/3/myself',
    ]);
  });

  it('refuses a token that was granted for other sites only', async () => {
    jira.answer = () => ({ body: resources });
    const elsewhere = callContext({ baseUrl: jira.origin, config: { site: 'https://third.atlassian.net' } });
    await expect(fn('get_myself').run(elsewhere, {})).rejects.toMatchObject({
      code: 'forbidden_upstream',
      definite: true,
      message: expect.stringContaining('https://third.atlassian.net'),
    });
    jira.answer = () => ({ status: 502 });
    const writing = fn('add_comment').run(elsewhere, { key: 'A-1', body: 'x' });
    await expect(writing).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
    expect(jira.requests.every(({ path }) => path.startsWith('/oauth/'))).toBe(true);
  });

  it('knows its base and reaches nothing else', () => {
    const { baseUrl } = jiraConnector;
    if (typeof baseUrl !== 'function') throw new Error('a base URL for each method');
    expect([baseUrl(config, 'oauth'), baseUrl(config, 'basic')]).toEqual([
      'https://api.atlassian.com',
      'https://example.atlassian.net',
    ]);
    expect(jiraConnector.egress(config, 'https://example.atlassian.net')).toEqual([
      { origin: 'https://example.atlassian.net', pathPrefix: '/rest/api/3/' },
    ]);
    expect(jiraConnector.egress(config, 'https://api.atlassian.com')).toEqual([
      { origin: 'https://api.atlassian.com', pathPrefix: '/ex/jira/' },
      { origin: 'https://api.atlassian.com', pathPrefix: '/oauth/token/accessible-resources' },
    ]);
    expect(jiraConnector.egress(config, 'http://127.0.0.1:4000/site')).toEqual([
      { origin: 'http://127.0.0.1:4000', pathPrefix: '/site/rest/api/3/' },
    ]);
  });

  it.each([
    ['https://Example.atlassian.net/', 'https://example.atlassian.net'],
    ['https://example.atlassian.net/jira', null],
    ['http://example.atlassian.net', null],
    ['https://example.atlassian.net.evil.example', null],
    ['https://evil.example', null],
    ['https://a@example.atlassian.net', null],
    ['https://a.b.atlassian.net', null],
  ])('takes %s as a site: %s', (site, taken) => {
    const parsed = jiraConnector.config.safeParse({ site });
    expect(parsed.success ? parsed.data.site : null).toBe(taken);
  });

  it('signs in with mail address and token', () => {
    const [, basic] = jiraConnector.auth;
    if (basic?.kind !== 'secret') throw new Error('no basic auth');
    const secret = { username: 'agents@siesta.example', password: 'fake-secret-canary-1' };
    const { headers } = withSecret(
      basic,
      secret,
      config,
    )({ method: 'GET', url: 'https://example.atlassian.net' });
    expect(Buffer.from(headers?.authorization?.replace('Basic ', '') ?? '', 'base64').toString()).toBe(
      'agents@siesta.example:fake-secret-canary-1',
    );
    expect(basic.check?.(secret, config)).toBeUndefined();
    expect(basic.check?.({ ...secret, username: 'agents' }, config)).toMatch(/mail address/);
  });
});

describe('what Jira says', () => {
  it.each<[string, Answer, object]>([
    [
      'fields it refuses',
      json(
        { errorMessages: [], errors: { summary: 'You must specify a summary.', priority: 'Unknown.' } },
        400,
      ),
      {
        code: 'upstream_rejected',
        definite: true,
        message: 'Jira refused the call (400): summary: You must specify a summary. priority: Unknown.',
      },
    ],
    [
      'an issue that is not there',
      json(
        { errorMessages: ['Issue does not exist or you do not have permission to see it.'], errors: {} },
        404,
      ),
      { code: 'upstream_rejected', definite: true, status: 404 },
    ],
    [
      'a conflict',
      { status: 409, body: 'busy', headers: { 'content-type': 'text/plain' } },
      { code: 'upstream_rejected', definite: true, status: 409 },
    ],
    [
      'a bad credential',
      json({ message: 'Client must be authenticated' }, 401),
      { code: 'needs_reauth', definite: true },
    ],
    [
      'a scope that was not granted',
      json({ code: 401, message: 'Unauthorized; scope does not match' }, 401),
      { code: 'needs_more_scopes', definite: true },
    ],
    [
      'a lack of permission',
      json({ errorMessages: ['No.'] }, 403),
      { code: 'forbidden_upstream', definite: true },
    ],
    [
      'too many calls',
      { ...json({ errorMessages: ['Rate limit exceeded.'] }, 429), headers: { 'retry-after': '30' } },
      { code: 'rate_limited', definite: true, retryAfter: 30 },
    ],
    ['a failure', json({}, 500), { code: 'upstream_unavailable', definite: false }],
  ])('%s', async (_, answer, error) => {
    jira.answer = () => answer;
    await expect(run('add_comment', { key: 'HELP-12', body: 'x' })).rejects.toMatchObject(error);
  });
});

describe('what is refused before anything is sent', () => {
  const create = { project: 'HELP', issue_type: 'Task', summary: 's' };
  it.each<[string, string, Arguments, string]>([
    ['an empty search', 'search_issues', { jql: '  ' }, '/jql'],
    ['a search over everything', 'search_issues', { jql: 'ORDER BY created' }, '/jql'],
    ['101 issues', 'search_issues', { jql: 'a = b', max_results: 101 }, '/max_results'],
    ['a key that is a path', 'get_issue', { key: '../user' }, '/key'],
    ['an unknown expansion', 'get_issue', { key: 'A-1', expand: ['renderedFields'] }, '/expand/0'],
    ['a summary of two lines', 'create_issue', { ...create, summary: 'a\nb' }, '/summary'],
    ['a summary of 256 characters', 'create_issue', { ...create, summary: 'x'.repeat(256) }, '/summary'],
    [
      'a second project among the fields',
      'create_issue',
      { ...create, fields: { project: { key: 'X' } } },
      '/fields',
    ],
    [
      'a raw document among the fields',
      'create_issue',
      { ...create, fields: { customfield_1: [doc('x')] } },
      '/fields',
    ],
    ['a project that is JQL', 'create_issue', { ...create, project: 'A" OR 1=1' }, '/project'],
    ['a change of nothing', 'update_issue', { key: 'A-1' }, ''],
    ['a comment of 32,768 characters', 'add_comment', { key: 'A-1', body: 'x'.repeat(32_768) }, '/body'],
    ['markdown that never ends', 'add_comment', { key: 'A-1', body: '>'.repeat(32_000) }, '/body'],
    [
      'internal and for a role',
      'add_comment',
      { key: 'A-1', body: 'x', internal: true, visibility: { type: 'role', name: 'r' } },
      '',
    ],
    ['project and issue at once', 'find_assignable_users', { project: 'A', issue: 'A-1' }, ''],
    ['a text too long to be read at all', 'add_comment', { key: 'A-1', body: '*a '.repeat(20_000) }, '/body'],
    [
      'a field of such a text',
      'update_issue',
      { key: 'A-1', fields: { customfield_1: { markdown: '*a '.repeat(15_000) } } },
      '/fields',
    ],
    ['a file that is none', 'add_attachment', { key: 'A-1', file: '/etc/passwd' }, '/file'],
  ])('%s', (_, name, args, path) => {
    expect(fn(name).input.parse(args)).toMatchObject({ ok: false, issues: [{ path }] });
  });
});

describe('the catalogue', () => {
  it('ships as it says', () => {
    const rows = functions.map(({ name, risk, approval }) => `${name} ${risk} ${approval}`);
    expect(rows.filter((row) => row.endsWith(' read auto'))).toHaveLength(13);
    expect(rows.filter((row) => !row.endsWith(' read auto')).sort()).toEqual([
      'add_attachment write ask',
      'add_comment write ask',
      'add_watcher write ask',
      'add_worklog write ask',
      'assign_issue write ask',
      'create_issue write ask',
      'delete_comment destructive off',
      'delete_issue destructive off',
      'link_issues write ask',
      'transition_issue write ask',
      'update_comment write ask',
      'update_issue write ask',
    ]);
  });

  it('shows an issue on the card as it will be created', () => {
    const args = {
      project: 'HELP',
      issue_type: 'Task',
      summary: 'S',
      description: '**D**',
      fields: { labels: ['a', 'b'] },
    };
    expect(fn('create_issue').card(args)).toEqual([
      { label: 'Project', value: 'HELP', kind: 'short' },
      { label: 'Type', value: 'Task', kind: 'short' },
      { label: 'Summary', value: 'S', kind: 'short' },
      { label: 'Description', value: '**D**', kind: 'long' },
      { label: 'Fields', value: 'labels[1]: a\nlabels[2]: b', kind: 'long' },
    ]);
  });

  it('lets every write be seen before, within its own scopes', () => {
    for (const { name, risk, observe: seen, scopes } of functions) {
      if (risk === 'read') expect(seen, name).toBeUndefined();
      else expect([name, seen !== undefined, scopes.includes('read:jira-work')]).toEqual([name, true, true]);
    }
  });
});
