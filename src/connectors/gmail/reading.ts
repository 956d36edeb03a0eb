/** Gmail functions that only read. */
import { z } from 'zod';
import { input, pageToken, plainCard } from '../fields.js';
import { defineFunction, type FunctionDefinition, type UpstreamRequest } from '../framework.js';
import { type JsonObject, mapTen, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { callGmail, SCOPES } from './api.js';
import { bodyMaxChars, id, maxResults, searchQuery } from './fields.js';
import { messageOf, summaryOf } from './message.js';
import { fetchSummary } from './summary.js';

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.readonly],
  idempotency: 'natural',
  card: plainCard,
} as const satisfies Partial<FunctionDefinition>;

const listing = {
  label_ids: z.exactOptional(z.array(id).max(20)).describe('Only what has all of these labels.'),
  max_results: maxResults,
  page_token: z.exactOptional(pageToken).describe('next_page_token of the page before.'),
  include_spam_trash: z.boolean().default(false),
};

const search = input(z.strictObject({ q: z.exactOptional(searchQuery), ...listing }));
const oneMessage = input(
  z.strictObject({
    id,
    format: z.enum(['full', 'metadata', 'minimal', 'raw']).default('full'),
    body_max_chars: bodyMaxChars,
  }),
);
const oneThread = input(z.strictObject({ id, body_max_chars: bodyMaxChars }));
const drafts = input(
  z.strictObject({
    q: z.exactOptional(searchQuery),
    max_results: maxResults,
    page_token: z.exactOptional(pageToken),
  }),
);
const oneDraft = input(z.strictObject({ id, body_max_chars: bodyMaxChars }));
const nothing = input(z.strictObject({}));

type Page = {
  q?: string;
  label_ids?: string[];
  max_results: number;
  page_token?: string;
  include_spam_trash?: boolean;
};

function pageQuery(page: Page): NonNullable<UpstreamRequest['query']> {
  return {
    q: page.q,
    labelIds: page.label_ids,
    maxResults: String(page.max_results),
    pageToken: page.page_token,
    includeSpamTrash: page.include_spam_trash ? 'true' : undefined,
  };
}

function pageEnd(answer: JsonObject): JsonObject {
  return {
    next_page_token: textOrNull(answer.nextPageToken),
    total_estimate: Number(answer.resultSizeEstimate ?? 0),
  };
}

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'search_messages',
    title: 'Search mails',
    description:
      'Finds mails with a Gmail search. Returns who wrote what and when, newest first, without the texts.',
    input: search.schema,
    output:
      '{messages: [{id, thread_id, label_ids, from, to, cc, subject, date, snippet}], next_page_token, total_estimate}',
    async run(context, args) {
      const answer = await callGmail(context, 'GET', ['messages'], { query: pageQuery(search.read(args)) });
      const messages = await mapTen(objectsIn(answer.messages), (message) =>
        fetchSummary(context, textOf(message.id)),
      );
      return { messages, ...pageEnd(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_message',
    title: 'Read a mail',
    description: 'Reads one mail: its headers, its text and the list of its attachments.',
    input: oneMessage.schema,
    output:
      '{id, thread_id, label_ids, from, to, cc, bcc, reply_to, subject, date, snippet, message_id, body_text, truncated, attachments: [{filename, mime_type, size, attachment_id}]}; format raw: {id, thread_id, raw, truncated}',
    async run(context, args) {
      const { id: messageId, format, body_max_chars: most } = oneMessage.read(args);
      const message = await callGmail(context, 'GET', ['messages', messageId], { query: { format } });
      if (format === 'metadata' || format === 'minimal') return summaryOf(message);
      if (format === 'full') return messageOf(message, most);
      const raw = Buffer.from(textOf(message.raw), 'base64url').toString('utf8');
      return {
        id: textOf(message.id),
        thread_id: textOf(message.threadId),
        raw: raw.slice(0, most),
        truncated: raw.length > most,
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_thread',
    title: 'Read a conversation',
    description: 'Reads all mails of one conversation, oldest first.',
    input: oneThread.schema,
    output: '{id, messages: [as get_message]}',
    async run(context, args) {
      const { id: threadId, body_max_chars: most } = oneThread.read(args);
      const thread = await callGmail(context, 'GET', ['threads', threadId], { query: { format: 'full' } });
      return {
        id: textOf(thread.id),
        messages: objectsIn(thread.messages).map((message) => messageOf(message, most)),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_threads',
    title: 'List conversations',
    description: 'Lists conversations, newest first, optionally those that match a Gmail search.',
    input: search.schema,
    output: '{threads: [{id, snippet}], next_page_token, total_estimate}',
    async run(context, args) {
      const answer = await callGmail(context, 'GET', ['threads'], { query: pageQuery(search.read(args)) });
      const threads = objectsIn(answer.threads).map((thread) => ({
        id: textOf(thread.id),
        snippet: textOf(thread.snippet),
      }));
      return { threads, ...pageEnd(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_labels',
    title: 'List labels',
    description: 'Lists the labels of the mailbox with their ids.',
    input: nothing.schema,
    output: '{labels: [{id, name, type}]}',
    async run(context) {
      const { labels } = await callGmail(context, 'GET', ['labels']);
      return {
        labels: objectsIn(labels).map((label) => ({
          id: textOf(label.id),
          name: textOf(label.name),
          type: textOf(label.type),
        })),
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_drafts',
    title: 'List drafts',
    description: 'Lists the drafts of the mailbox: to whom, about what.',
    input: drafts.schema,
    output:
      '{drafts: [{id, message: {id, thread_id, to, cc, subject, date, snippet, …}}], next_page_token, total_estimate}',
    async run(context, args) {
      const answer = await callGmail(context, 'GET', ['drafts'], { query: pageQuery(drafts.read(args)) });
      const found = await mapTen(objectsIn(answer.drafts), async (draft) => ({
        id: textOf(draft.id),
        message: await fetchSummary(context, textOf(objectOf(draft.message).id)),
      }));
      return { drafts: found, ...pageEnd(answer) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_draft',
    title: 'Read a draft',
    description: 'Reads one draft with its text.',
    input: oneDraft.schema,
    output: '{id, message: as get_message}',
    async run(context, args) {
      const { id: draftId, body_max_chars: most } = oneDraft.read(args);
      const draft = await callGmail(context, 'GET', ['drafts', draftId], { query: { format: 'full' } });
      return { id: textOf(draft.id), message: messageOf(objectOf(draft.message), most) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_profile',
    title: 'Show the account',
    description: 'Tells whose mailbox this is and how much is in it.',
    input: nothing.schema,
    output: '{email, messages_total, threads_total}',
    async run(context) {
      const profile = await callGmail(context, 'GET', ['profile']);
      return {
        email: textOf(profile.emailAddress),
        messages_total: Number(profile.messagesTotal ?? 0),
        threads_total: Number(profile.threadsTotal ?? 0),
      };
    },
  }),
];
