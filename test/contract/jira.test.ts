/**
 * Our requests to Jira against those of jira.js 5.4.0: the same call through both, through the gateway form of the
 * path, compared by method, path, query and body.
 */
import { readFileSync } from 'node:fs';
import { Version3Client } from 'jira.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Arguments, JsonValue } from '../../src/connectors/framework.js';
import { markdownToDocument } from '../../src/connectors/jira/adf.js';
import { jiraConnector } from '../../src/connectors/jira/index.js';
import { objectOf, objectsIn } from '../../src/connectors/json.js';
import { isAllowed } from '../../src/net/request-guard.js';
import { call, callContext, functionNamed, MemoryFiles } from '../connectors/call-context.js';
import { type Comparison, essence, type Recorded, type Recorder, startRecorder } from './recorder.js';

const config = { site: 'https://example.atlassian.net' };
const functions = jiraConnector.functions(config);
const verified = JSON.parse(readFileSync(new URL('verified/jira.json', import.meta.url), 'utf8'));
const compared = new Set<string>();

const files = new MemoryFiles();
const file = files.add({ name: 'shot "1".png', type: 'image/png', bytes: Buffer.from([0, 1, 2, 255]) });
/** The document of one text, typed as jira.js types one. */
const doc = (text: string) => ({
  type: 'doc' as const,
  version: 1 as const,
  content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
});

let recorder: Recorder;
let theirs: Version3Client;

beforeAll(async () => {
  recorder = await startRecorder();
  recorder.answer = ({ path }) => {
    if (path !== '/oauth/token/accessible-resources') return { body: {} };
    return { body: [{ id: 'cloud-1', url: config.site }] };
  };
  theirs = new Version3Client({
    host: `${recorder.origin}/ex/jira/cloud-1`,
    authentication: { basic: { email: 'agents@siesta.example', apiToken: 'fake-secret-canary-1' } },
  });
  await ours('get_myself', {});
});
afterAll(() => recorder.close());

function ours(name: string, args: Arguments): Promise<JsonValue> {
  const context = callContext({ baseUrl: recorder.origin, config, files, executionId: 'exe_contract_1' });
  return call(functionNamed(functions, name), context, args);
}

/** Boundaries differ; what the form holds must not. */
async function formOf(request: Recorded | undefined): Promise<unknown> {
  const type = request?.headers['content-type'] ?? '';
  const form = await new Response(new Uint8Array(request?.body ?? []), {
    headers: { 'content-type': type },
  }).formData();
  return Promise.all(
    [...form].map(async ([name, value]) =>
      typeof value === 'string'
        ? [name, value]
        : [name, value.name, value.type, Buffer.from(await value.arrayBuffer()).toString('hex')],
    ),
  );
}

interface Case {
  readonly args: Arguments;
  readonly client: (client: Version3Client) => Promise<unknown>;
  readonly comparison?: Comparison;
}

const key = 'HELP-12';
const cases: Record<string, Case> = {
  search_issues: {
    args: { jql: 'project = HELP', fields: ['summary', 'status'], max_results: 7, page_token: 'CAEaAggB' },
    client: (jira) =>
      jira.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({
        jql: 'project = HELP',
        fields: ['summary', 'status'],
        maxResults: 7,
        nextPageToken: 'CAEaAggB',
      }),
  },
  count_issues: {
    args: { jql: 'project = HELP' },
    client: (jira) => jira.issueSearch.countIssues({ jql: 'project = HELP' }),
  },
  get_issue: {
    args: { key, fields: ['summary', 'description'], expand: ['names', 'editmeta'] },
    client: (jira) =>
      jira.issues.getIssue({
        issueIdOrKey: key,
        fields: ['summary', 'description'],
        expand: 'names,editmeta',
      }),
  },
  get_changelog: {
    args: { key, max_results: 10, page_token: '20' },
    client: (jira) => jira.issues.getChangeLogs({ issueIdOrKey: key, startAt: 20, maxResults: 10 }),
  },
  list_transitions: {
    args: { key },
    client: (jira) => jira.issues.getTransitions({ issueIdOrKey: key, expand: 'transitions.fields' }),
  },
  list_comments: {
    args: { key, max_results: 10, page_token: '20', newest_first: true },
    client: (jira) =>
      jira.issueComments.getComments({ issueIdOrKey: key, startAt: 20, maxResults: 10, orderBy: '-created' }),
  },
  list_projects: {
    args: { query: 'help desk', max_results: 10 },
    client: (jira) => jira.projects.searchProjects({ query: 'help desk', startAt: 0, maxResults: 10 }),
  },
  get_project: {
    args: { key: 'HELP' },
    client: (jira) => jira.projects.getProject({ projectIdOrKey: 'HELP' }),
  },
  get_create_fields: {
    args: { project: 'HELP', issue_type_id: '10001' },
    client: (jira) =>
      jira.issues.getCreateIssueMetaIssueTypeId({
        projectIdOrKey: 'HELP',
        issueTypeId: '10001',
        startAt: 0,
        maxResults: 200,
      }),
  },
  search_users: {
    args: { query: 'ada', max_results: 5, page_token: '5' },
    client: (jira) => jira.userSearch.findUsers({ query: 'ada', startAt: 5, maxResults: 5 }),
  },
  find_assignable_users: {
    args: { issue: key, query: 'ada', max_results: 5 },
    client: (jira) =>
      jira.userSearch.findAssignableUsers({ issueKey: key, query: 'ada', startAt: 0, maxResults: 5 }),
  },
  get_myself: { args: {}, client: (jira) => jira.myself.getCurrentUser() },
  get_attachment: {
    args: { id: '10000' },
    client: async (jira) => {
      await jira.issueAttachments.getAttachment('10000');
      await jira.issueAttachments.getAttachmentContent('10000');
    },
  },
  create_issue: {
    args: {
      project: 'HELP',
      issue_type: 'Task',
      summary: 'New',
      description: 'Text',
      fields: { labels: ['a'], customfield_1: { markdown: 'Text' } },
    },
    client: (jira) =>
      jira.issues.createIssue({
        fields: {
          labels: ['a'],
          customfield_1: doc('Text'),
          project: { key: 'HELP' },
          issuetype: { name: 'Task' },
          summary: 'New',
          description: doc('Text'),
        },
        properties: [{ key: 'siesta.execution', value: { id: 'exe_contract_1' } }],
      }),
  },
  update_issue: {
    args: { key, summary: 'Newer', description: 'Text', fields: { labels: ['a'] }, notify_users: false },
    client: (jira) =>
      jira.issues.editIssue({
        issueIdOrKey: key,
        notifyUsers: false,
        fields: { summary: 'Newer', description: doc('Text'), labels: ['a'] },
      }),
  },
  transition_issue: {
    args: { key, transition_id: '31', fields: { resolution: { name: 'Fixed' } }, comment: 'Text' },
    client: (jira) =>
      jira.issues.doTransition({
        issueIdOrKey: key,
        transition: { id: '31' },
        fields: { resolution: { name: 'Fixed' } },
        update: { comment: [{ add: { body: doc('Text') } }] },
      }),
  },
  assign_issue: {
    args: { key, account_id: null },
    client: (jira) => jira.issues.assignIssue({ issueIdOrKey: key, accountId: null }),
  },
  add_watcher: {
    args: { key, account_id: '712020:ada' },
    client: (jira) => jira.issueWatchers.addWatcher({ issueIdOrKey: key, accountId: '712020:ada' }),
  },
  link_issues: {
    args: { type: 'Blocks', from: key, to: 'HELP-13', comment: 'Text' },
    client: (jira) =>
      jira.issueLinks.linkIssues({
        type: { name: 'Blocks' },
        inwardIssue: { key },
        outwardIssue: { key: 'HELP-13' },
        comment: { body: doc('Text') },
      }),
  },
  add_comment: {
    args: { key, body: 'Text', visibility: { type: 'role', name: 'Administrators' } },
    client: (jira) =>
      jira.issueComments.addComment({
        issueIdOrKey: key,
        comment: doc('Text'),
        visibility: { type: 'role', value: 'Administrators' },
      }),
  },
  update_comment: {
    args: { key, comment_id: '9', body: 'Text', visibility: { type: 'group', name: 'staff' } },
    client: (jira) =>
      jira.issueComments.updateComment({
        issueIdOrKey: key,
        id: '9',
        body: doc('Text'),
        visibility: { type: 'group', value: 'staff' },
      }),
  },
  add_worklog: {
    args: {
      key,
      time_spent_seconds: 3_600,
      started: '2026-03-01T09:00:00Z',
      comment: 'Text',
      adjust_estimate: 'leave',
    },
    client: (jira) =>
      jira.issueWorklogs.addWorklog({
        issueIdOrKey: key,
        timeSpentSeconds: 3_600,
        started: '2026-03-01T09:00:00.000+0000',
        comment: doc('Text'),
        adjustEstimate: 'leave',
      }),
  },
  delete_comment: {
    args: { key, comment_id: '9' },
    client: (jira) => jira.issueComments.deleteComment({ issueIdOrKey: key, id: '9' }),
  },
  delete_issue: {
    args: { key, delete_subtasks: true },
    client: (jira) => jira.issues.deleteIssue({ issueIdOrKey: key, deleteSubtasks: true }),
  },
  add_attachment: {
    args: { key, file },
    client: (jira) =>
      jira.issueAttachments.addAttachment({
        issueIdOrKey: key,
        attachment: { filename: 'shot "1".png', file: Buffer.from([0, 1, 2, 255]), mimeType: 'image/png' },
      }),
    comparison: { headers: ['x-atlassian-token'], body: () => null },
  },
};

describe('the same request as jira.js', () => {
  it.each(Object.entries(cases))('%s', async (name, { args, client, comparison }) => {
    const mine = await recorder.during(() => ours(name, args));
    const vendor = await recorder.during(() => client(theirs));
    expect(mine.length).toBeGreaterThan(0);
    expect(mine.map((request) => essence(request, comparison))).toEqual(
      vendor.map((request) => essence(request, comparison)),
    );
    if (name === 'add_attachment') expect(await formOf(mine[0])).toEqual(await formOf(vendor[0]));
    const allowed = jiraConnector.egress(config, recorder.origin);
    for (const { path } of mine) expect(isAllowed(new URL(path, recorder.origin), allowed), path).toBe(true);
    compared.add(name);
  });

  it('lists issue types as jira.js does', async () => {
    const [mine] = await recorder.during(() =>
      ours('get_create_fields', { project: 'HELP', page_token: '200' }),
    );
    const [vendor] = await recorder.during(() =>
      theirs.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: 'HELP', startAt: 200, maxResults: 200 }),
    );
    expect(essence(mine)).toEqual(essence(vendor));
  });

  it('looks for our marker as jira.js searches', async () => {
    const args = { project: 'HELP', issue_type: 'Task', summary: 'New' };
    const context = callContext({ baseUrl: recorder.origin, config, executionId: 'exe_contract_1' });
    const [mine] = await recorder.during(async () =>
      functionNamed(functions, 'create_issue').reconcile?.(context, args),
    );
    const jql = 'project = "HELP" AND creator = currentUser() AND created >= -7d ORDER BY created DESC';
    const [vendor] = await recorder.during(() =>
      theirs.issueSearch.searchForIssuesUsingJqlEnhancedSearchPost({
        jql,
        fields: ['summary'],
        properties: ['siesta.execution'],
        maxResults: 100,
      }),
    );
    expect(essence(mine)).toEqual(essence(vendor));
  });

  it('writes a text as jira.js writes one', async () => {
    const vendor = await recorder.during(() =>
      theirs.issueComments.addComment({ issueIdOrKey: key, comment: 'Text' }),
    );
    const written = JSON.parse(vendor[0]?.body.toString() ?? '').body;
    expect(markdownToDocument('Text')).toEqual(written);
    expect(objectsIn(objectOf(written).content)).toHaveLength(1);
  });
});

describe('what is verified', () => {
  it('is what was compared here, and names every function', () => {
    expect([...compared].sort()).toEqual([...verified.checked].sort());
    const named = [...verified.checked, ...Object.keys(verified.unchecked)];
    expect(named.sort()).toEqual(functions.map(({ name }) => name).sort());
  });
});
