import { describe, expect, it } from 'vitest';
import { jiraConnector } from '../../src/connectors/jira/index.js';
import { doc, issue, json, site, user } from './jira-answers.js';
import { standIn } from './stand-in.js';

const jira = standIn(site);
const { answers, context, run, sent } = jira;

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
    // Jira leaves out people of a page who cannot be assigned, so a short page is not the last.
    const assignable = (page: object) => run('find_assignable_users', { project: 'HELP', ...page });
    expect(await assignable({ max_results: 100 })).toMatchObject({ next_page_token: '100' });
    expect(await assignable({ max_results: 100, page_token: '900' })).toMatchObject({
      next_page_token: null,
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
    expect([...jira.files.kept.values()][0]?.bytes).toEqual(Buffer.from([1, 2, 255]));
    expect(jira.requests[1]?.query).toEqual([['redirect', 'false']]);
  });
});
