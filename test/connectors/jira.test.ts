import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { jiraConnector } from '../../src/connectors/jira/index.js';
import { type Answer, type Recorded, type Recorder, startRecorder } from '../contract/recorder.js';
import { call, callContext, functionNamed, MemoryFiles, withSecret } from './call-context.js';

const config = { site: 'https://example.atlassian.net' };
const functions = jiraConnector.functions(config);
const fn = (name: string) => functionNamed(functions, name);

let jira: Recorder;
let files: MemoryFiles;

beforeAll(async () => {
  jira = await startRecorder();
});
afterAll(() => jira.close());
beforeEach(() => {
  jira.requests.length = 0;
  jira.answer = () => ({});
  files = new MemoryFiles();
});

/** A stand-in that is the site itself: its base URL names a place below the host. */
const context = (executionId = 'exe_jira_1') =>
  callContext({ baseUrl: `${jira.origin}/site`, config, executionId, files });
const run = (name: string, args: Arguments = {}) => call(fn(name), context(), args);
const observe = (name: string, args: Arguments) => {
  const target = fn(name).observe;
  if (!target || 'none' in target) throw new Error(`${name} observes nothing`);
  return target.read(context(), args);
};

/** Answers by method and path below /rest/api/3. */
function answers(table: Record<string, Answer>) {
  jira.answer = ({ method, path }: Recorded) => {
    const found = table[`${method} ${path.replace(/^.*\/rest\/api\/3/, '')}`];
    if (!found) throw new Error(`unexpected ${method} ${path}`);
    return found;
  };
}
const json = (body: object | null, status = 200): Answer =>
  body === null ? { status, body: '' } : { status, body };
const sent = (index = 0): Record<string, JsonValue> =>
  JSON.parse(jira.requests[index]?.body.toString() ?? '');
const doc = (text: string) => ({
  type: 'doc',
  version: 1,
  content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
});
const user = (id: string, displayName: string) => ({
  self: 'x',
  accountId: id,
  displayName,
  active: true,
  avatarUrls: { '16x16': 'y' },
});

const issue = {
  id: '10001',
  key: 'HELP-12',
  self: 'https://example.atlassian.net/rest/api/3/issue/10001',
  fields: {
    summary: 'Printer on fire',
    description: doc('It *burns*.'),
    status: {
      self: 'x',
      id: '1',
      name: 'To Do',
      iconUrl: 'y',
      statusCategory: { id: 2, key: 'new', colorName: 'blue' },
    },
    assignee: user('712020:ada', 'Ada Novak'),
    priority: { id: '3', name: 'Medium' },
    labels: ['fire'],
    updated: '2026-01-02T03:04:05.678+0000',
    customfield_10016: 3,
  },
};

describe('reading', () => {
  it('finds issues: fields readable, documents as markdown, pages by token', async () => {
    answers({ 'POST /search/jql': json({ issues: [issue], nextPageToken: 'CAEaAggB', isLast: false }) });
    const found = await run('search_issues', {
      jql: 'project = HELP',
      fields: ['summary', 'description'],
      text_max_chars: 5,
    });
    expect(found).toEqual({
      issues: [
        {
          id: '10001',
          key: 'HELP-12',
          url: 'https://example.atlassian.net/browse/HELP-12',
          fields: expect.objectContaining({
            description: 'It *b',
            status: { id: '1', name: 'To Do', statusCategory: { id: 2, key: 'new' } },
            assignee: { account_id: '712020:ada', display_name: 'Ada Novak', active: true },
            customfield_10016: 3,
          }),
        },
      ],
      truncated: true,
      next_page_token: 'CAEaAggB',
    });
    expect(sent()).toEqual({ jql: 'project = HELP', fields: ['summary', 'description'], maxResults: 50 });
    expect(await run('search_issues', { jql: 'project = HELP', page_token: 'CAEaAggB' })).toMatchObject({
      truncated: false,
    });
    expect(sent(1)).toMatchObject({ nextPageToken: 'CAEaAggB' });
  });

  it('counts, reads one, its history, transitions and comments', async () => {
    answers({
      'POST /search/approximate-count': json({ count: 7 }),
      'GET /issue/HELP-12': json({ ...issue, names: { customfield_10016: 'Story points' } }),
      'GET /issue/HELP-12/changelog': json({
        isLast: false,
        values: [
          {
            id: '5',
            author: user('a', 'Ada'),
            created: '2026-01-01T00:00:00.000+0000',
            items: [{ field: 'status', fromString: 'To Do', toString: 'Done' }, { field: 'labels' }],
          },
        ],
      }),
      'GET /issue/HELP-12/transitions': json({
        transitions: [
          {
            id: '31',
            name: 'Finish',
            to: { name: 'Done' },
            fields: {
              resolution: {
                required: true,
                name: 'Resolution',
                key: 'resolution',
                schema: { type: 'resolution' },
                allowedValues: [{ id: '1', name: 'Fixed' }],
              },
            },
          },
        ],
      }),
      'GET /issue/HELP-12/comment': json({
        total: 3,
        comments: [
          {
            id: '9',
            author: user('a', 'Ada'),
            body: doc('Hi'),
            created: 'c',
            updated: 'u',
            visibility: { type: 'role', value: 'Administrators' },
            jsdPublic: false,
          },
        ],
      }),
    });
    expect(await run('count_issues', { jql: 'project = HELP' })).toEqual({ count: 7 });
    expect(await run('get_issue', { key: 'HELP-12', expand: ['names'] })).toMatchObject({
      key: 'HELP-12',
      fields: { summary: 'Printer on fire', description: 'It *burns*.' },
      truncated: false,
      expanded: { names: { customfield_10016: 'Story points' } },
    });
    expect(await run('get_changelog', { key: 'HELP-12', page_token: '50' })).toEqual({
      changes: [
        {
          id: '5',
          author: 'Ada',
          created: '2026-01-01T00:00:00.000+0000',
          items: [
            { field: 'status', from: 'To Do', to: 'Done' },
            { field: 'labels', from: null, to: null },
          ],
        },
      ],
      next_page_token: '51',
    });
    expect(await run('list_transitions', { key: 'HELP-12' })).toEqual({
      transitions: [
        {
          id: '31',
          name: 'Finish',
          to: 'Done',
          fields: [
            {
              id: 'resolution',
              name: 'Resolution',
              required: true,
              type: 'resolution',
              allowed_values: [{ id: '1', name: 'Fixed' }],
            },
          ],
        },
      ],
    });
    expect(await run('list_comments', { key: 'HELP-12' })).toEqual({
      comments: [
        {
          id: '9',
          author: 'Ada',
          body: 'Hi',
          created: 'c',
          updated: 'u',
          visible_to: 'role Administrators',
          shown_to_customer: false,
        },
      ],
      total: 3,
      truncated: false,
      next_page_token: '1',
    });
  });

  it('looks up projects, fields and people', async () => {
    answers({
      'GET /project/search': json({
        isLast: true,
        values: [{ id: '1', key: 'HELP', name: 'Help', projectTypeKey: 'service_desk' }],
      }),
      'GET /project/HELP': json({
        id: '1',
        key: 'HELP',
        name: 'Help',
        projectTypeKey: 'business',
        lead: user('a', 'Ada'),
        issueTypes: [{ id: '10', name: 'Task', subtask: false }],
        components: [{ name: 'Printers' }],
        versions: [],
      }),
      'GET /issue/createmeta/HELP/issuetypes': json({
        total: 300,
        issueTypes: [{ id: '10', name: 'Task', description: 'd', subtask: false }],
      }),
      'GET /issue/createmeta/HELP/issuetypes/10': json({
        total: 1,
        fields: [
          { fieldId: 'summary', key: 'summary', name: 'Summary', required: true, schema: { type: 'string' } },
        ],
      }),
      'GET /user/search': json([user('a', 'Ada')]),
      'GET /user/assignable/search': json([user('a', 'Ada'), user('b', 'Ben')]),
      'GET /myself': json({ ...user('a', 'Ada'), emailAddress: 'ada@siesta.example' }),
    });
    expect(await run('list_projects')).toEqual({
      projects: [{ id: '1', key: 'HELP', name: 'Help', type: 'service_desk' }],
      next_page_token: null,
    });
    expect(await run('get_project', { key: 'HELP' })).toMatchObject({
      lead: 'Ada',
      issue_types: [{ id: '10', name: 'Task' }],
      components: ['Printers'],
    });
    expect(await run('get_create_fields', { project: 'HELP' })).toMatchObject({
      issue_types: [{ id: '10', name: 'Task', subtask: false }],
      next_page_token: '1',
    });
    expect(await run('get_create_fields', { project: 'HELP', issue_type_id: '10' })).toEqual({
      fields: [{ id: 'summary', name: 'Summary', required: true, type: 'string', allowed_values: [] }],
      next_page_token: null,
    });
    expect(await run('search_users', { query: 'ada' })).toEqual({
      users: [{ account_id: 'a', display_name: 'Ada', active: true }],
      next_page_token: null,
    });
    expect(await run('find_assignable_users', { project: 'HELP', max_results: 2 })).toMatchObject({
      next_page_token: '2',
    });
    expect(await run('get_myself')).toEqual({
      account_id: 'a',
      display_name: 'Ada',
      email: 'ada@siesta.example',
      active: true,
    });
    expect(await jiraConnector.account?.(context())).toBe('ada@siesta.example');
  });

  it('gives a short text as text and anything else as a file', async () => {
    answers({
      'GET /attachment/1': json({ filename: 'log.txt', mimeType: 'text/plain; charset=utf-8', size: 5 }),
      'GET /attachment/content/1': { headers: { 'content-type': 'application/octet-stream' }, body: 'hello' },
      'GET /attachment/2': json({ filename: '../a/shot.png', mimeType: 'image/png', size: 3 }),
      'GET /attachment/content/2': { body: Buffer.from([1, 2, 255]) },
    });
    expect(await run('get_attachment', { id: '1' })).toEqual({
      id: '1',
      name: 'log.txt',
      type: 'text/plain',
      size: 5,
      text: 'hello',
    });
    const got = await run('get_attachment', { id: '2' });
    expect(got).toMatchObject({ id: '2', name: '.._a_shot.png', type: 'image/png', size: 3 });
    expect([...files.kept.values()][0]?.bytes).toEqual(Buffer.from([1, 2, 255]));
    expect(jira.requests[1]?.query).toEqual([['redirect', 'false']]);
  });
});

describe('writing', () => {
  it('creates an issue with our marker on it, and finds it again by that alone', async () => {
    answers({ 'POST /issue': json({ id: '10002', key: 'HELP-13', self: 'x' }, 201) });
    const args = {
      project: 'HELP',
      issue_type: 'Task',
      summary: 'New',
      description: 'See **this**.',
      fields: { customfield_1: { markdown: 'rich' }, labels: ['a'] },
    };
    expect(await run('create_issue', args)).toEqual({
      id: '10002',
      key: 'HELP-13',
      url: 'https://example.atlassian.net/browse/HELP-13',
    });
    expect(sent()).toEqual({
      fields: {
        project: { key: 'HELP' },
        issuetype: { name: 'Task' },
        summary: 'New',
        description: {
          type: 'doc',
          version: 1,
          content: [
            {
              type: 'paragraph',
              content: [
                { type: 'text', text: 'See ' },
                { type: 'text', text: 'this', marks: [{ type: 'strong' }] },
                { type: 'text', text: '.' },
              ],
            },
          ],
        },
        customfield_1: doc('rich'),
        labels: ['a'],
      },
      properties: [{ key: 'siesta.execution', value: { id: 'exe_jira_1' } }],
    });
    const other = { id: '1', key: 'HELP-1', properties: { 'siesta.execution': { id: 'exe_other' } } };
    const ours = { id: '10002', key: 'HELP-13', properties: { 'siesta.execution': { id: 'exe_jira_1' } } };
    const reconciled = (...pages: object[]) => {
      jira.answer = () => ({ body: pages.shift() ?? { issues: [other], nextPageToken: 'more' } });
      return fn('create_issue').reconcile?.(context(), args);
    };
    expect(await reconciled({ issues: [other], nextPageToken: 'two' }, { issues: [ours] })).toEqual({
      status: 'applied',
      result: { id: '10002', key: 'HELP-13', url: 'https://example.atlassian.net/browse/HELP-13' },
    });
    expect(sent(1)).toMatchObject({
      jql: expect.stringMatching(/^project = "HELP" AND creator = currentUser\(\) AND created >= -7d/),
      properties: ['siesta.execution'],
    });
    expect(await reconciled({ issues: [other] })).toEqual({ status: 'not_applied' });
    expect(await reconciled()).toMatchObject({ status: 'unknown' });
  });

  it('shows what a change changes, field by field, and changes only that', async () => {
    answers({
      'GET /issue/HELP-12': json({
        ...issue,
        names: { priority: 'Priority', description: 'Description', labels: 'Labels' },
      }),
      'PUT /issue/HELP-12': json(null, 204),
    });
    const args = {
      key: 'HELP-12',
      description: 'Out.',
      fields: { priority: { name: 'High' }, labels: ['fire', 'out'] },
      notify_users: false,
    };
    expect(await observe('update_issue', args)).toEqual({
      fields: [
        { label: 'Issue', value: 'HELP-12: Printer on fire', kind: 'short' },
        { label: 'Description', value: 'It *burns*.', after: 'Out.', kind: 'long' },
        { label: 'Priority', value: 'Medium', after: 'High', kind: 'short' },
        { label: 'Labels', value: 'fire', after: 'fire, out', kind: 'short' },
      ],
      version: '',
    });
    expect(await run('update_issue', args)).toEqual({
      key: 'HELP-12',
      changed: ['description', 'priority', 'labels'],
    });
    expect(jira.requests[1]?.query).toEqual([['notifyUsers', 'false']]);
    expect(sent(1)).toEqual({
      fields: { description: doc('Out.'), priority: { name: 'High' }, labels: ['fire', 'out'] },
    });
  });

  it('shows where a transition leads and who is meant', async () => {
    answers({
      'GET /issue/HELP-12': json(issue),
      'GET /issue/HELP-12/transitions': json({
        transitions: [{ id: '31', name: 'Finish', to: { name: 'Done' } }],
      }),
      'GET /user': json(user('712020:ben', 'Ben Roth')),
    });
    const status = async (id: string) =>
      (await observe('transition_issue', { key: 'HELP-12', transition_id: id })).fields[1];
    expect(await status('31')).toEqual({ label: 'Status', value: 'To Do', after: 'Done', kind: 'short' });
    expect(await status('99')).toMatchObject({ after: 'transition 99, which is not offered now' });
    expect((await observe('assign_issue', { key: 'HELP-12', account_id: '712020:ben' })).fields[1]).toEqual({
      label: 'Assignee',
      value: 'Ada Novak',
      after: 'Ben Roth',
      kind: 'short',
    });
    expect((await observe('assign_issue', { key: 'HELP-12', account_id: null })).fields[1]).toMatchObject({
      after: 'Nobody',
    });
    expect(
      (await observe('add_watcher', { key: 'HELP-12', account_id: '712020:ben' })).fields[1],
    ).toMatchObject({ value: 'Ben Roth' });
    expect(
      (await observe('link_issues', { type: 'Blocks', from: 'HELP-12', to: 'HELP-12' })).fields,
    ).toHaveLength(2);
    expect(await observe('delete_issue', { key: 'HELP-12' })).toMatchObject({
      version: '2026-01-02T03:04:05.678+0000',
      fields: [{ value: 'HELP-12: Printer on fire' }, { label: 'Status', value: 'To Do' }],
    });
  });

  it('writes comments, and keeps who may see them when the text changes', async () => {
    const comment = {
      id: '9',
      author: user('a', 'Ada'),
      body: doc('Old'),
      updated: 'u1',
      visibility: { type: 'group', value: 'staff', identifier: 'g1' },
    };
    answers({
      'POST /issue/HELP-12/comment': json(comment, 201),
      'GET /issue/HELP-12/comment/9': json(comment),
      'PUT /issue/HELP-12/comment/9': json(comment),
      'DELETE /issue/HELP-12/comment/9': json(null, 204),
    });
    await run('add_comment', { key: 'HELP-12', body: 'Hi', internal: true });
    expect(sent()).toEqual({
      body: doc('Hi'),
      properties: [{ key: 'sd.public.comment', value: { internal: true } }],
    });
    await run('add_comment', {
      key: 'HELP-12',
      body: 'Hi',
      visibility: { type: 'role', name: 'Administrators' },
    });
    expect(sent(1)).toEqual({ body: doc('Hi'), visibility: { type: 'role', value: 'Administrators' } });
    const args = { key: 'HELP-12', comment_id: '9', body: 'New' };
    expect(await observe('update_comment', args)).toEqual({
      fields: [
        { label: 'Issue', value: 'HELP-12', kind: 'short' },
        { label: 'By', value: 'Ada', kind: 'short' },
        { label: 'Text', value: 'Old', after: 'New', kind: 'long' },
        { label: 'Only for', value: 'group staff', kind: 'short' },
      ],
      version: 'u1',
    });
    jira.requests.length = 0;
    await run('update_comment', args);
    expect(sent(1)).toEqual({ body: doc('New'), visibility: comment.visibility });
    expect(await run('delete_comment', { key: 'HELP-12', comment_id: '9' })).toEqual({ deleted: '9' });
  });

  it('calls a failure before the write one that surely had no effect', async () => {
    jira.answer = ({ method }) => ({ status: method === 'GET' ? 503 : 200 });
    const changing = run('update_comment', { key: 'HELP-12', comment_id: '9', body: 'New' });
    await expect(changing).rejects.toMatchObject({ code: 'upstream_unavailable', definite: true });
    jira.answer = () => ({ status: 503 });
    await expect(run('add_comment', { key: 'HELP-12', body: 'x' })).rejects.toMatchObject({
      definite: false,
    });
  });

  it('logs work, moves, links, watches and attaches', async () => {
    jira.answer = ({ path }) => ({
      body: path.endsWith('/attachments')
        ? [{ id: '77', filename: 'a".png', mimeType: 'image/png', size: 3 }]
        : { id: '5', timeSpentSeconds: 5_400, started: 's' },
    });
    const started = '2026-03-01T09:00:00+01:00';
    expect(await run('add_worklog', { key: 'HELP-12', time_spent_seconds: 5_400, started })).toEqual({
      id: '5',
      time_spent_seconds: 5_400,
      started: 's',
    });
    expect(sent()).toEqual({ timeSpentSeconds: 5_400, started: '2026-03-01T08:00:00.000+0000' });
    await run('transition_issue', { key: 'HELP-12', transition_id: '31', comment: 'Done' });
    expect(sent(1)).toEqual({
      transition: { id: '31' },
      update: { comment: [{ add: { body: doc('Done') } }] },
    });
    await run('link_issues', { type: 'Blocks', from: 'HELP-12', to: '10007' });
    expect(sent(2)).toEqual({
      type: { name: 'Blocks' },
      inwardIssue: { key: 'HELP-12' },
      outwardIssue: { id: '10007' },
    });
    await run('add_watcher', { key: 'HELP-12', account_id: '712020:ben' });
    expect(sent(3)).toBe('712020:ben');
    const file = files.add({ name: 'a".png', type: 'image/png', bytes: Buffer.from([1, 2, 255]) });
    expect(fn('add_attachment').files?.({ key: 'HELP-12', file })).toEqual([file]);
    expect(await run('add_attachment', { key: 'HELP-12', file })).toMatchObject({
      id: '77',
      name: 'a".png',
      size: 3,
    });
    const attached = jira.requests[4];
    if (!attached) throw new Error('nothing was attached');
    const { headers, body } = attached;
    expect(headers['x-atlassian-token']).toBe('no-check');
    const form = await new Response(new Uint8Array(body), {
      headers: { 'content-type': headers['content-type'] ?? '' },
    }).formData();
    const part = form.get('file');
    if (!(part instanceof File)) throw new Error('no file');
    expect([part.name, part.type, new Uint8Array(await part.arrayBuffer())]).toEqual([
      'a".png',
      'image/png',
      new Uint8Array([1, 2, 255]),
    ]);
  });
});

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
