/** Jira functions that write comments and log work. */
import { z } from 'zod';
import { input, long, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { type JsonObject, numberOf, objectOf, textOf } from '../json.js';
import { beforeWriting } from '../upstream.js';
import { callJira } from './api.js';
import {
  DELETE,
  documentOf,
  issueKey,
  markdown,
  numericId,
  observeIssue,
  visibility,
  visibilityBody,
  visibilityCard,
  WRITE,
} from './fields.js';
import { commentOf, visibilityText } from './issue.js';

const newComment = input(
  z
    .strictObject({
      key: issueKey,
      body: markdown,
      visibility: z.exactOptional(visibility),
      internal: z
        .boolean()
        .default(false)
        .describe('On a service desk: for its agents only. Otherwise the customer sees the comment.'),
    })
    .refine(
      (comment) => !(comment.internal && comment.visibility),
      'is either internal or for a role or group',
    ),
);
const changedComment = input(
  z.strictObject({
    key: issueKey,
    comment_id: numericId,
    body: markdown,
    visibility: z.exactOptional(visibility).describe('Left out, who sees the comment stays as it is.'),
  }),
);
const oldComment = input(z.strictObject({ key: issueKey, comment_id: numericId }));
/** Jira's shortest unit is a minute; a thousand hours in one entry is a slip. */
const worklog = input(
  z.strictObject({
    key: issueKey,
    time_spent_seconds: z.int().min(60).max(3_600_000),
    started: z
      .exactOptional(z.iso.datetime({ offset: true }))
      .describe('When the work began, for example 2026-03-01T09:00:00+01:00. Left out: now.'),
    comment: z.exactOptional(markdown),
    adjust_estimate: z
      .enum(['auto', 'leave'])
      .default('auto')
      .describe('auto: takes the time from the estimate.'),
  }),
);

/** Jira Service Management keeps "internal" in this property of a comment (its documentation on comments). */
const INTERNAL = { properties: [{ key: 'sd.public.comment', value: { internal: true } }] };
const WHOLE = 1_000_000;

function fetchComment(context: CallContext, key: string, id: string): Promise<JsonObject> {
  return callJira(context, 'GET', ['issue', key, 'comment', id]);
}

async function observeComment(
  context: CallContext,
  key: string,
  id: string,
  after?: { body: string; visible?: string },
) {
  const comment = await fetchComment(context, key, id);
  const text: ObservedField = {
    label: 'Text',
    value: textOf(commentOf(comment, { most: WHOLE, truncated: false }).body),
    kind: 'long',
    ...(after && { after: after.body }),
  };
  const visible: ObservedField = {
    label: 'Only for',
    value: visibilityText(comment.visibility) || 'Everybody',
    kind: 'short',
    ...(after?.visible !== undefined && { after: after.visible }),
  };
  return {
    fields: [
      ...short('Issue', key),
      ...short('By', textOf(objectOf(comment.author).displayName)),
      text,
      visible,
    ],
    version: textOf(comment.updated),
  };
}

/** Jira wants milliseconds and an offset without a colon. */
function jiraTime(time: string): string {
  return new Date(time).toISOString().replace('Z', '+0000');
}

function spent(seconds: number): string {
  const hours = Math.floor(seconds / 3_600);
  return `${hours > 0 ? `${hours} h ` : ''}${Math.round((seconds % 3_600) / 60)} min`;
}

export const commentFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'add_comment',
    title: 'Write a comment',
    description:
      'Writes a comment on an issue. On a service desk the customer sees it, unless it is internal.',
    reachesUnnamed: (args) => args.internal !== true,
    idempotency: 'none',
    input: newComment.schema,
    output: '{id, author, body, created, updated, visible_to, shown_to_customer?}',
    card: (args) => {
      const { key, body, visibility: who, internal } = newComment.read(args);
      return [
        ...short('Issue', key),
        ...long('Comment', body),
        ...visibilityCard(who),
        ...(internal ? short('Only for', 'Agents of the service desk') : []),
      ];
    },
    observe: { read: (context, args) => observeIssue(context, newComment.read(args).key), condition: null },
    async run(context, args) {
      const { key, body, visibility: who, internal } = newComment.read(args);
      const comment = await callJira(context, 'POST', ['issue', key, 'comment'], {
        json: { body: documentOf(body), ...visibilityBody(who), ...(internal && INTERNAL) },
      });
      return commentOf(comment, { most: WHOLE, truncated: false });
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_comment',
    title: 'Change a comment',
    description: 'Replaces the text of a comment. Who sees it stays as it is unless named.',
    reachesUnnamed: true,
    idempotency: 'natural',
    input: changedComment.schema,
    output: '{id, author, body, created, updated, visible_to, shown_to_customer?}',
    card: (args) => {
      const { key, comment_id: id, body, visibility: who } = changedComment.read(args);
      return [...short('Issue', key), ...short('Comment', id), ...long('Text', body), ...visibilityCard(who)];
    },
    observe: {
      read: (context, args) => {
        const { key, comment_id: id, body, visibility: who } = changedComment.read(args);
        return observeComment(context, key, id, { body, ...(who && { visible: `${who.type} ${who.name}` }) });
      },
      condition: null,
    },
    async run(context, args) {
      const { key, comment_id: id, body, visibility: who } = changedComment.read(args);
      // A comment that is sent without its restriction loses it, so the present one is sent along.
      const kept = who ? undefined : (await beforeWriting(() => fetchComment(context, key, id))).visibility;
      const comment = await callJira(context, 'PUT', ['issue', key, 'comment', id], {
        json: {
          body: documentOf(body),
          ...(kept === undefined ? visibilityBody(who) : { visibility: kept }),
        },
      });
      return commentOf(comment, { most: WHOLE, truncated: false });
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'add_worklog',
    title: 'Log work',
    description: 'Notes time that was spent on an issue.',
    idempotency: 'none',
    input: worklog.schema,
    output: '{id, time_spent_seconds, started}',
    card: (args) => {
      const {
        key,
        time_spent_seconds: seconds,
        started,
        comment,
        adjust_estimate: adjust,
      } = worklog.read(args);
      return [
        ...short('Issue', key),
        ...short('Time', spent(seconds)),
        ...short('Started', started ?? 'Now'),
        ...short('Estimate', adjust === 'auto' ? 'Less by that time' : 'Stays'),
        ...long('Comment', comment),
      ];
    },
    observe: { read: (context, args) => observeIssue(context, worklog.read(args).key), condition: null },
    async run(context, args) {
      const {
        key,
        time_spent_seconds: seconds,
        started,
        comment,
        adjust_estimate: adjust,
      } = worklog.read(args);
      const logged = await callJira(context, 'POST', ['issue', key, 'worklog'], {
        query: { adjustEstimate: adjust },
        json: {
          timeSpentSeconds: seconds,
          ...(started !== undefined && { started: jiraTime(started) }),
          ...(comment !== undefined && { comment: documentOf(comment) }),
        },
      });
      return {
        id: textOf(logged.id),
        time_spent_seconds: numberOf(logged.timeSpentSeconds) ?? seconds,
        started: textOf(logged.started),
      };
    },
  }),
  defineFunction({
    ...DELETE,
    name: 'delete_comment',
    title: 'Delete a comment',
    description: 'Deletes a comment, for good.',
    input: oldComment.schema,
    output: '{deleted}: the id',
    card: (args) => {
      const { key, comment_id: id } = oldComment.read(args);
      return [...short('Issue', key), ...short('Comment', id)];
    },
    observe: {
      read: (context, args) => {
        const { key, comment_id: id } = oldComment.read(args);
        return observeComment(context, key, id);
      },
      condition: null,
    },
    async run(context, args) {
      const { key, comment_id: id } = oldComment.read(args);
      await callJira(context, 'DELETE', ['issue', key, 'comment', id]);
      return { deleted: id };
    },
  }),
];
