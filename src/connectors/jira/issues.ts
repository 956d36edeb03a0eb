/** Jira functions that create, change and delete issues. */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type JsonValue,
  type ObservedField,
  type Reconciled,
} from '../framework.js';
import { compact, type JsonObject, objectOf, objectsIn, textOf } from '../json.js';
import { browseUrl, callJira } from './api.js';
import {
  DELETE,
  documentOf,
  fieldsBody,
  fieldsCard,
  fieldValues,
  issueKey,
  markdown,
  numericId,
  projectKey,
  WRITE,
} from './fields.js';
import { issueLine, readableField } from './issue.js';

const summary = oneLine(255);
const newIssue = input(
  z.strictObject({
    project: projectKey,
    issue_type: oneLine(100).describe('Name or id of the type, for example Task.'),
    summary,
    description: z.exactOptional(markdown),
    fields: fieldValues(['project', 'issuetype', 'summary', 'description']).default({}),
  }),
);
const changedIssue = input(
  z
    .strictObject({
      key: issueKey,
      summary: z.exactOptional(summary),
      description: z.exactOptional(markdown),
      fields: fieldValues(['summary', 'description']).default({}),
      notify_users: z
        .boolean()
        .default(true)
        .describe('False tells nobody; only an admin of the project may say so.'),
    })
    .refine(
      (issue) =>
        issue.summary !== undefined ||
        issue.description !== undefined ||
        Object.keys(issue.fields).length > 0,
      'changes nothing',
    ),
);
const transition = input(
  z.strictObject({
    key: issueKey,
    transition_id: numericId.describe('As list_transitions names it.'),
    fields: fieldValues([]).default({}),
    comment: z.exactOptional(markdown),
  }),
);
const deletedIssue = input(z.strictObject({ key: issueKey, delete_subtasks: z.boolean().default(false) }));

/** Our marker on an issue: an entity property, which no one sees and no label list grows by. */
const MARKER = 'siesta.execution';
/** A lost answer is looked into within minutes; a week is more than any outage. */
const RECONCILE_WINDOW = '-7d';
const RECONCILE_PAGES = 3;

function createdResult(context: CallContext, issue: JsonObject): JsonObject {
  const key = textOf(issue.key);
  return { id: textOf(issue.id), key, url: browseUrl(context, key) };
}

/**
 * Looks through what this account created in the project of late, for our marker. The index of JQL knows properties
 * only of apps that declare them, so they are compared here. A search may miss what was just created (swagger, "Search
 * for issues using JQL enhanced search"), and an issue may have moved on: none found is no proof that there is none.
 */
async function findCreated(context: CallContext, project: string): Promise<Reconciled> {
  const jql = `project = "${project}" AND creator = currentUser() AND created >= ${RECONCILE_WINDOW} ORDER BY created DESC`;
  let token: string | undefined;
  for (let page = 0; page < RECONCILE_PAGES; page += 1) {
    const answer = await callJira(context, 'POST', ['search', 'jql'], {
      json: compact({
        jql,
        fields: ['summary'],
        properties: [MARKER],
        maxResults: 100,
        nextPageToken: token,
      }),
    });
    const ours = objectsIn(answer.issues).find(
      (issue) => objectOf(objectOf(issue.properties)[MARKER]).id === context.executionId,
    );
    if (ours) return { status: 'applied', result: createdResult(context, ours) };
    token = textOf(answer.nextPageToken) || undefined;
    if (token === undefined) return { status: 'unknown', reason: 'No such issue is found so far.' };
  }
  return {
    status: 'unknown',
    reason: 'The account created too many issues of late to look through them all.',
  };
}

type ChangedIssue = ReturnType<typeof changedIssue.read>;

/** The fields that a change writes, as typed; a text of markdown stays one. */
function typedFields(change: ChangedIssue): Record<string, JsonValue> {
  return compact({ summary: change.summary, description: change.description, ...change.fields });
}

async function observeChange(context: CallContext, change: ChangedIssue) {
  const typed = typedFields(change);
  const query = { fields: ['summary', ...Object.keys(typed)].join(','), expand: 'names' };
  const issue = await callJira(context, 'GET', ['issue', change.key], { query });
  const names = objectOf(issue.names);
  const fields = Object.entries(typed).map(([id, value]): ObservedField => {
    const before = readableField(objectOf(issue.fields)[id]);
    const after = readableField(value);
    const kind = `${before}${after}`.includes('\n') || id === 'description' ? 'long' : 'short';
    return { label: textOf(names[id]) || id, value: before, after, kind };
  });
  return { fields: [...short('Issue', issueLine(issue)), ...fields], version: '' };
}

/** Where a transition leads, as far as the account may take it. */
async function observeTransition(context: CallContext, key: string, transitionId: string) {
  const [issue, answer] = await Promise.all([
    callJira(context, 'GET', ['issue', key], { query: { fields: 'summary,status' } }),
    callJira(context, 'GET', ['issue', key, 'transitions'], { query: { transitionId } }),
  ]);
  const found = objectsIn(answer.transitions).find(({ id }) => id === transitionId);
  const status: ObservedField = {
    label: 'Status',
    value: readableField(objectOf(issue.fields).status),
    after: textOf(objectOf(found?.to).name) || `transition ${transitionId}, which is not offered now`,
    kind: 'short',
  };
  return { fields: [...short('Issue', issueLine(issue)), status], version: '' };
}

export const issueFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'create_issue',
    title: 'Create an issue',
    description: 'Creates an issue in a project.',
    idempotency: 'reconcile',
    input: newIssue.schema,
    output: '{id, key, url}',
    card: (args) => {
      const issue = newIssue.read(args);
      return [
        ...short('Project', issue.project),
        ...short('Type', issue.issue_type),
        ...short('Summary', issue.summary),
        ...long('Description', issue.description),
        ...fieldsCard(issue.fields),
      ];
    },
    observe: { none: 'It creates something new; there is no target yet.' },
    reconcile: (context, args) => findCreated(context, newIssue.read(args).project),
    async run(context, args) {
      const { project, issue_type: type, summary: title, description, fields } = newIssue.read(args);
      const isId = (text: string) => /^\d+$/.test(text);
      const issue = await callJira(context, 'POST', ['issue'], {
        json: {
          fields: {
            ...fieldsBody(fields),
            project: isId(project) ? { id: project } : { key: project },
            issuetype: isId(type) ? { id: type } : { name: type },
            summary: title,
            ...(description !== undefined && { description: documentOf(description) }),
          },
          properties: [{ key: MARKER, value: { id: context.executionId } }],
        },
      });
      return createdResult(context, issue);
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_issue',
    title: 'Change an issue',
    description: 'Changes fields of an issue. What is not named stays as it is.',
    idempotency: 'natural',
    input: changedIssue.schema,
    output: '{key, changed: [field id]}',
    card: (args) => {
      const change = changedIssue.read(args);
      return [
        ...short('Issue', change.key),
        ...short('Summary', change.summary),
        ...long('Description', change.description),
        ...fieldsCard(change.fields),
        ...short('Tells watchers', change.notify_users ? 'Yes' : 'No'),
      ];
    },
    observe: { read: (context, args) => observeChange(context, changedIssue.read(args)), condition: null },
    async run(context, args) {
      const change = changedIssue.read(args);
      const { key, description, notify_users: notify } = change;
      const body = fieldsBody({
        ...typedFields(change),
        ...(description !== undefined && { description: { markdown: description } }),
      });
      await callJira(context, 'PUT', ['issue', key], {
        query: { notifyUsers: notify ? undefined : 'false' },
        json: { fields: body },
      });
      return { key, changed: Object.keys(body) };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'transition_issue',
    title: 'Move an issue to another status',
    description: 'Takes an issue through a transition of its workflow, with fields and a comment if wanted.',
    reachesUnnamed: (args) => args.comment !== undefined,
    // Mostly refused the second time, but a transition may lead back to its own status, and a comment would repeat.
    idempotency: 'none',
    input: transition.schema,
    output: '{key, transition_id}',
    card: (args) => {
      const { key, transition_id: id, fields, comment } = transition.read(args);
      return [
        ...short('Issue', key),
        ...short('Transition', id),
        ...fieldsCard(fields),
        ...long('Comment', comment),
      ];
    },
    observe: {
      read: (context, args) => {
        const { key, transition_id: id } = transition.read(args);
        return observeTransition(context, key, id);
      },
      condition: null,
    },
    async run(context, args) {
      const { key, transition_id: id, fields, comment } = transition.read(args);
      await callJira(context, 'POST', ['issue', key, 'transitions'], {
        json: {
          transition: { id },
          ...(Object.keys(fields).length > 0 && { fields: fieldsBody(fields) }),
          ...(comment !== undefined && { update: { comment: [{ add: { body: documentOf(comment) } }] } }),
        },
      });
      return { key, transition_id: id };
    },
  }),
  defineFunction({
    ...DELETE,
    name: 'delete_issue',
    title: 'Delete an issue',
    description: 'Deletes an issue with its comments and attachments, for good.',
    input: deletedIssue.schema,
    output: '{deleted}: the key',
    card: (args) => {
      const { key, delete_subtasks: subtasks } = deletedIssue.read(args);
      return [...short('Issue', key), ...short('Subtasks', subtasks ? 'Deleted too' : 'It must have none')];
    },
    observe: {
      async read(context, args) {
        const query = { fields: 'summary,issuetype,status,reporter,subtasks,updated' };
        const issue = await callJira(context, 'GET', ['issue', deletedIssue.read(args).key], { query });
        const fields = objectOf(issue.fields);
        return {
          fields: [
            ...short('Issue', issueLine(issue)),
            ...short('Type', readableField(fields.issuetype) || undefined),
            ...short('Status', readableField(fields.status) || undefined),
            ...short('Reporter', readableField(fields.reporter) || undefined),
            ...short('Subtasks', objectsIn(fields.subtasks).map(issueLine)),
          ],
          version: textOf(fields.updated),
        };
      },
      condition: null,
    },
    async run(context, args) {
      const { key, delete_subtasks: subtasks } = deletedIssue.read(args);
      await callJira(context, 'DELETE', ['issue', key], { query: { deleteSubtasks: String(subtasks) } });
      return { deleted: key };
    },
  }),
];
