/** Jira functions that tie issues to people and to one another. */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { objectOf } from '../json.js';
import { callJira, SCOPES } from './api.js';
import { accountId, documentOf, issueKey, markdown, observeIssue, WRITE } from './fields.js';
import { issueLine, readableField } from './issue.js';

const assignment = input(
  z.strictObject({
    key: issueKey,
    account_id: accountId.nullable().describe('Who gets the issue; null takes it from whoever has it.'),
  }),
);
const watcher = input(z.strictObject({ key: issueKey, account_id: accountId }));
const issueLink = input(
  z.strictObject({
    type: oneLine(100).describe('Name of a link type, for example Blocks or Duplicate.'),
    from: issueKey.describe('With Blocks: the issue that blocks.'),
    to: issueKey.describe('With Blocks: the issue that is blocked.'),
    comment: z.exactOptional(markdown).describe('Also written as a comment.'),
  }),
);

/** People as an approver knows them, not as account ids. */
async function nameOf(context: CallContext, account: string): Promise<string> {
  return readableField(await callJira(context, 'GET', ['user'], { query: { accountId: account } }));
}

async function lineOf(context: CallContext, key: string): Promise<string> {
  return issueLine(await callJira(context, 'GET', ['issue', key], { query: { fields: 'summary' } }));
}

export const relationFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'assign_issue',
    title: 'Assign an issue',
    description: 'Gives an issue to a person, or to nobody.',
    reachesUnnamed: (args) => args.account_id !== null,
    scopes: [...WRITE.scopes, SCOPES.user],
    idempotency: 'natural',
    input: assignment.schema,
    output: '{key, account_id}',
    card: (args) => {
      const { key, account_id: account } = assignment.read(args);
      return [...short('Issue', key), ...short('Assignee', account ?? 'Nobody')];
    },
    observe: {
      async read(context, args) {
        const { key, account_id: account } = assignment.read(args);
        const issue = await callJira(context, 'GET', ['issue', key], {
          query: { fields: 'summary,assignee' },
        });
        const assignee: ObservedField = {
          label: 'Assignee',
          value: readableField(objectOf(issue.fields).assignee) || 'Nobody',
          after: account === null ? 'Nobody' : await nameOf(context, account),
          kind: 'short',
        };
        return { fields: [...short('Issue', issueLine(issue)), assignee], version: '' };
      },
      condition: null,
    },
    async run(context, args) {
      const { key, account_id: account } = assignment.read(args);
      await callJira(context, 'PUT', ['issue', key, 'assignee'], { json: { accountId: account } });
      return { key, account_id: account };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'add_watcher',
    title: 'Add a watcher',
    description: 'Makes a person watch an issue: Jira tells her about every change.',
    reachesUnnamed: true,
    scopes: [...WRITE.scopes, SCOPES.user],
    idempotency: 'natural',
    input: watcher.schema,
    output: '{key, account_id}',
    card: (args) => {
      const { key, account_id: account } = watcher.read(args);
      return [...short('Issue', key), ...short('Watcher', account)];
    },
    observe: {
      async read(context, args) {
        const { key, account_id: account } = watcher.read(args);
        return observeIssue(context, key, short('Watcher', await nameOf(context, account)));
      },
      condition: null,
    },
    async run(context, args) {
      const { key, account_id: account } = watcher.read(args);
      await callJira(context, 'POST', ['issue', key, 'watchers'], { json: account });
      return { key, account_id: account };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'link_issues',
    title: 'Link two issues',
    description: 'Links two issues, for example: one blocks, duplicates or relates to the other.',
    // Jira keeps one link of a type between two issues (R), but a comment would be written again.
    idempotency: 'none',
    input: issueLink.schema,
    output: '{type, from, to}',
    card: (args) => {
      const { type, from, to, comment } = issueLink.read(args);
      return [
        ...short('From', from),
        ...short('Link', type),
        ...short('To', to),
        ...long('Comment', comment),
      ];
    },
    observe: {
      async read(context, args) {
        const { from, to } = issueLink.read(args);
        const [source, target] = await Promise.all([lineOf(context, from), lineOf(context, to)]);
        return { fields: [...short('From', source), ...short('To', target)], version: '' };
      },
      condition: null,
    },
    async run(context, args) {
      const { type, from, to, comment } = issueLink.read(args);
      await callJira(context, 'POST', ['issueLink'], {
        json: {
          type: { name: type },
          // The inward issue is the one that shows the outward words ("blocks"). (R)
          inwardIssue: issueReference(from),
          outwardIssue: issueReference(to),
          ...(comment !== undefined && { comment: { body: documentOf(comment) } }),
        },
      });
      return { type, from, to };
    },
  }),
];

function issueReference(key: string): { id: string } | { key: string } {
  return /^\d+$/.test(key) ? { id: key } : { key };
}
