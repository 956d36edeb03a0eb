/** What Jira answers, as its swagger describes it. */
import { jiraConnector } from '../../src/connectors/jira/index.js';
import type { Answer } from '../contract/recorder.js';

export const config = { site: 'https://example.atlassian.net' };
export const functions = jiraConnector.functions(config);
/** A stand-in that is the site itself: its base URL names a place below the host. */
export const site = { functions, config, place: '/site', prefix: '/rest/api/3' };

export const json = (body: object | null, status = 200): Answer =>
  body === null ? { status, body: '' } : { status, body };
export const doc = (text: string) => ({
  type: 'doc',
  version: 1,
  content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
});
export const user = (id: string, displayName: string) => ({
  self: 'x',
  accountId: id,
  displayName,
  active: true,
  avatarUrls: { '16x16': 'y' },
});

export const issue = {
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
