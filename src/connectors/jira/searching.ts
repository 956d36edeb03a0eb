/** Jira functions that read issues. */
import { z } from 'zod';
import { input, pageToken } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { browseUrl, callJira } from './api.js';
import { issueKey, jql, nextOffset, offsetToken, READ, textMax } from './fields.js';
import { commentOf, fieldsMeta, issueOf } from './issue.js';

const fieldNames = (initial: string[]) =>
  z
    .array(z.string().regex(/^[-*]?[A-Za-z][\w.]{0,99}$/, 'is not the id of a field'))
    .min(1)
    .max(100)
    .default(initial)
    .describe('Ids of fields; *all and *navigable stand for many, a minus takes one out.');

const OVERVIEW = [
  'summary',
  'status',
  'issuetype',
  'priority',
  'assignee',
  'reporter',
  'labels',
  'created',
  'updated',
];
const DETAIL = [
  ...OVERVIEW,
  'description',
  'project',
  'parent',
  'components',
  'fixVersions',
  'duedate',
  'resolution',
  'issuelinks',
  'subtasks',
  'attachment',
];

/** The API gives up to 5,000 where only ids are asked for; 100 whole issues are a full answer. */
const search = input(
  z.strictObject({
    jql,
    fields: fieldNames(OVERVIEW),
    max_results: z.int().min(1).max(100).default(50).describe('How many, at most 100.'),
    page_token: z.exactOptional(pageToken).describe('next_page_token of the page before.'),
    text_max_chars: textMax,
  }),
);
const count = input(z.strictObject({ jql }));
const one = input(
  z.strictObject({
    key: issueKey,
    fields: fieldNames(DETAIL),
    expand: z
      .array(z.enum(['names', 'schema', 'editmeta', 'operations']))
      .max(4)
      .default([])
      .describe('names: what fields are called. editmeta: what can be edited, with allowed values.'),
    text_max_chars: textMax,
  }),
);
const pageOfIssue = {
  key: issueKey,
  max_results: z.int().min(1).max(100).default(50).describe('How many, at most 100.'),
  page_token: z.exactOptional(offsetToken),
};
const changelog = input(z.strictObject(pageOfIssue));
const transitions = input(z.strictObject({ key: issueKey }));
const comments = input(
  z.strictObject({
    ...pageOfIssue,
    newest_first: z.boolean().default(false),
    text_max_chars: textMax,
  }),
);

export const searchingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'search_issues',
    title: 'Search issues',
    description: 'Finds issues with JQL. The JQL must restrict the search, for example by project or date.',
    input: search.schema,
    output: '{issues: [{id, key, url, fields}], truncated, next_page_token}; there is no total',
    async run(context, args) {
      const {
        jql: query,
        fields,
        max_results: maxResults,
        page_token: token,
        text_max_chars: most,
      } = search.read(args);
      const answer = await callJira(context, 'POST', ['search', 'jql'], {
        json: { jql: query, fields, maxResults, ...(token !== undefined && { nextPageToken: token }) },
      });
      const cut = { most, truncated: false };
      const issues = objectsIn(answer.issues).map((issue) => ({
        ...issueOf(issue, cut),
        url: browseUrl(context, textOf(issue.key)),
      }));
      return { issues, truncated: cut.truncated, next_page_token: textOrNull(answer.nextPageToken) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'count_issues',
    title: 'Count issues',
    description: 'Says about how many issues a JQL search finds. The JQL must restrict the search.',
    input: count.schema,
    output: '{count}: approximate',
    async run(context, args) {
      const answer = await callJira(context, 'POST', ['search', 'approximate-count'], {
        json: { jql: count.read(args).jql },
      });
      return { count: numberOf(answer.count) ?? 0 };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_issue',
    title: 'Read an issue',
    description: 'Reads one issue: its fields, its description as markdown, its links and attachments.',
    input: one.schema,
    output: '{id, key, url, fields, truncated, expanded?}: fields and expanded under Jira’s own names',
    async run(context, args) {
      const { key, fields, expand, text_max_chars: most } = one.read(args);
      const issue = await callJira(context, 'GET', ['issue', key], {
        query: { fields: fields.join(','), expand: expand.length > 0 ? expand.join(',') : undefined },
      });
      const cut = { most, truncated: false };
      const read = {
        ...issueOf(issue, cut),
        url: browseUrl(context, textOf(issue.key)),
        truncated: cut.truncated,
      };
      if (expand.length === 0) return read;
      const expanded: JsonObject = Object.fromEntries(expand.map((name) => [name, issue[name] ?? null]));
      return { ...read, expanded };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_changelog',
    title: 'Read the history of an issue',
    description: 'Lists who changed which fields of an issue and when, oldest first.',
    input: changelog.schema,
    output: '{changes: [{id, author, created, items: [{field, from, to}]}], next_page_token}',
    async run(context, args) {
      const { key, max_results: maxResults, page_token: start } = changelog.read(args);
      const answer = await callJira(context, 'GET', ['issue', key, 'changelog'], {
        query: { startAt: start ?? '0', maxResults: String(maxResults) },
      });
      const changes = objectsIn(answer.values).map((change) => ({
        id: textOf(change.id),
        author: textOf(objectOf(change.author).displayName),
        created: textOrNull(change.created),
        items: objectsIn(change.items).map((item) => ({
          field: textOf(item.field),
          from: textOrNull(item.fromString),
          // `item.toString` would be every object's own method where Jira leaves the member out.
          to: textOrNull(new Map(Object.entries(item)).get('toString')),
        })),
      }));
      return { changes, next_page_token: nextOffset(start, changes.length, answer.isLast === false) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_transitions',
    title: 'List transitions',
    description: 'Lists the ways an issue can go on from its status, and the fields each one asks for.',
    input: transitions.schema,
    output: '{transitions: [{id, name, to, fields: [{id, name, required, type, allowed_values}]}]}',
    async run(context, args) {
      const answer = await callJira(context, 'GET', ['issue', transitions.read(args).key, 'transitions'], {
        query: { expand: 'transitions.fields' },
      });
      return {
        transitions: objectsIn(answer.transitions).map((transition) => ({
          id: textOf(transition.id),
          name: textOf(transition.name),
          to: textOf(objectOf(transition.to).name),
          fields: fieldsMeta(
            Object.entries(objectOf(transition.fields)).map(([key, field]) => ({ key, ...objectOf(field) })),
          ),
        })),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_comments',
    title: 'List comments',
    description: 'Lists the comments of an issue, oldest first unless asked otherwise.',
    input: comments.schema,
    output:
      '{comments: [{id, author, body, created, updated, visible_to, shown_to_customer?}], total, truncated, next_page_token}',
    async run(context, args) {
      const {
        key,
        max_results: maxResults,
        page_token: start,
        newest_first: newest,
        text_max_chars: most,
      } = comments.read(args);
      const answer = await callJira(context, 'GET', ['issue', key, 'comment'], {
        query: {
          startAt: start ?? '0',
          maxResults: String(maxResults),
          orderBy: newest ? '-created' : 'created',
        },
      });
      const cut = { most, truncated: false };
      const found = objectsIn(answer.comments).map((comment) => commentOf(comment, cut));
      const total = numberOf(answer.total) ?? found.length;
      const more = Number(start ?? 0) + found.length < total;
      return {
        comments: found,
        total,
        truncated: cut.truncated,
        next_page_token: nextOffset(start, found.length, more),
      };
    },
  }),
];
