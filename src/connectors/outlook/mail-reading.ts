/** Outlook functions that read mails. */
import { z } from 'zod';
import { input, oneLine, pageSize, short } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition, type JsonValue } from '../framework.js';
import { type JsonObject, numberOf, textOf } from '../json.js';
import { at, graphPageToken, pageOf, pageQuery } from '../microsoft/graph.js';
import { callOutlook, SCOPES } from './api.js';
import { id, moment } from './fields.js';
import { attachmentOf, fetchMessage, messageOf, SUMMARY, summaryOf, WHOLE } from './message.js';

const page = { max_results: pageSize(100), page_token: z.exactOptional(graphPageToken) };
const folder = z.exactOptional(id).describe('id of a folder, or inbox, archive, sentitems, drafts …');

const search = input(
  z.strictObject({
    query: oneLine(1_024).describe('A KQL query, for example: from:ben AND subject:invoice'),
    folder_id: folder,
    ...page,
  }),
);
const listing = input(
  z.strictObject({
    folder_id: folder,
    received_after: z.exactOptional(moment),
    received_before: z.exactOptional(moment),
    unread_only: z.boolean().default(false),
    ...page,
  }),
);
const oneMessage = input(
  z.strictObject({
    id,
    body_max_chars: z
      .int()
      .min(1)
      .max(100_000)
      .default(20_000)
      .describe('The text of a mail is cut after so many characters.'),
  }),
);
const attached = input(z.strictObject({ id, ...page }));
const folders = input(
  z.strictObject({
    parent_id: z.exactOptional(id).describe('Folders in this one; else the top ones.'),
    ...page,
  }),
);

type Listing = ReturnType<typeof listing.read>;

/**
 * What is sorted by must come first in the filter, or Exchange refuses it as too complex (user: list messages,
 * "Using filter and orderby in the same query"). Without a filter any order goes.
 */
function filterOf({
  received_after: after,
  received_before: before,
  unread_only: unread,
}: Listing): string | undefined {
  const parts = [
    ...(after === undefined ? [] : [`receivedDateTime ge ${after}`]),
    ...(before === undefined ? [] : [`receivedDateTime lt ${before}`]),
  ];
  if (parts.length === 0 && unread) parts.push('receivedDateTime ge 1900-01-01T00:00:00Z');
  if (unread) parts.push('isRead eq false');
  return parts.length === 0 ? undefined : parts.join(' and ');
}

async function listMessages(
  context: CallContext,
  folderId: string | undefined,
  query: Record<string, string | undefined>,
): Promise<JsonValue> {
  const path = folderId === undefined ? '/messages' : at`/mailFolders/${folderId}/messages`;
  const answer = await callOutlook(context, { path, query: { ...query, $select: SUMMARY } });
  const { items, next_page_token } = pageOf(answer);
  return { messages: items.map(summaryOf), next_page_token };
}

function folderOf(found: JsonObject): JsonObject {
  return {
    id: textOf(found.id),
    name: textOf(found.displayName),
    parent_id: textOf(found.parentFolderId),
    child_folders: numberOf(found.childFolderCount),
    total: numberOf(found.totalItemCount),
    unread: numberOf(found.unreadItemCount),
  };
}

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const MESSAGE =
  '{id, conversation_id, folder_id, from, to, cc, subject, date, is_read, is_draft, has_attachments, importance, flag, categories}';

export const mailReadingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_messages',
    title: 'List mails',
    description: 'The newest mails of the mailbox or of one folder, without their text.',
    scopes: [SCOPES.readBasicMail],
    input: listing.schema,
    output: `{messages: [${MESSAGE}], next_page_token}`,
    card: (args) => short('Folder', listing.read(args).folder_id ?? 'All'),
    async run(context, args) {
      const given = listing.read(args);
      return listMessages(context, given.folder_id, {
        $filter: filterOf(given),
        $orderby: 'receivedDateTime desc',
        $top: String(given.max_results),
        ...pageQuery(given.page_token),
      });
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_messages',
    title: 'Search mails',
    description: 'Finds mails by what is in them, best match first.',
    // It looks into the texts, which Mail.ReadBasic does not show.
    scopes: [SCOPES.readMail],
    input: search.schema,
    output: `{messages: [${MESSAGE}], next_page_token}`,
    card: (args) => [
      ...short('Search', search.read(args).query),
      ...short('Folder', search.read(args).folder_id),
    ],
    async run(context, args) {
      const { query: words, folder_id: folderId, max_results: top, page_token: token } = search.read(args);
      // $search takes the whole query between double quotes (Graph, "Use the $search query parameter").
      const $search = `"${words.replace(/["\\]/g, '\\$&')}"`;
      return listMessages(context, folderId, { $search, $top: String(top), ...pageQuery(token) });
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_message',
    title: 'Read a mail',
    description: 'A mail with its text.',
    scopes: [SCOPES.readMail],
    input: oneMessage.schema,
    output: `${MESSAGE} and {bcc, reply_to, message_id, url, body_text, truncated}`,
    card: (args) => short('Mail', oneMessage.read(args).id),
    async run(context, args) {
      const { id: messageId, body_max_chars: most } = oneMessage.read(args);
      return messageOf(await fetchMessage(context, messageId, WHOLE), most);
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_attachments',
    title: 'List attachments',
    description: 'Names, types and sizes of what is attached to a mail.',
    scopes: [SCOPES.readMail],
    input: attached.schema,
    output: '{attachments: [{id, name, mime_type, size, is_inline, kind}], next_page_token}',
    card: (args) => short('Mail', attached.read(args).id),
    async run(context, args) {
      const { id: messageId, max_results: top, page_token: token } = attached.read(args);
      const query = { $select: 'id,name,contentType,size,isInline', $top: String(top), ...pageQuery(token) };
      const answer = await callOutlook(context, { path: at`/messages/${messageId}/attachments`, query });
      const { items, next_page_token } = pageOf(answer);
      return { attachments: items.map(attachmentOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_folders',
    title: 'List mail folders',
    description: 'The folders of the mailbox, with how many mails each holds.',
    scopes: [SCOPES.readBasicMail],
    input: folders.schema,
    output: '{folders: [{id, name, parent_id, child_folders, total, unread}], next_page_token}',
    card: (args) => short('In folder', folders.read(args).parent_id),
    async run(context, args) {
      const { parent_id: parent, max_results: top, page_token: token } = folders.read(args);
      const path = parent === undefined ? '/mailFolders' : at`/mailFolders/${parent}/childFolders`;
      const answer = await callOutlook(context, { path, query: { $top: String(top), ...pageQuery(token) } });
      const { items, next_page_token } = pageOf(answer);
      return { folders: items.map(folderOf), next_page_token };
    },
  }),
];
