/** Slack functions about files. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, oneLine, pageSize, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FileContent,
  type FunctionDefinition,
  fileReference,
} from '../framework.js';
import { compact, objectOf, objectsIn, textOf } from '../json.js';
import { beforeWriting, expectOk } from '../upstream.js';
import { callSlack, nextCounted } from './api.js';
import { channelId, contentCard, fileId, pageNumber, timeBound, timestamp, userId } from './fields.js';
import { fileOf } from './shapes.js';
import { channelFields, channelNow, fileFields, observed } from './targets.js';

/** The catalogue's cap. */
const LARGEST_UPLOAD = 20 * 1_024 * 1_024;

const listing = input(
  z.strictObject({
    channel: z.exactOptional(channelId),
    user: z.exactOptional(userId),
    types: z.exactOptional(
      z
        .array(z.enum(['spaces', 'snippets', 'images', 'gdocs', 'zips', 'pdfs']))
        .min(1)
        .max(6),
    ),
    ts_from: z.exactOptional(timeBound),
    ts_to: z.exactOptional(timeBound),
    limit: pageSize(100),
    page_token: z.exactOptional(pageNumber),
  }),
);
const oneFile = input(z.strictObject({ file: fileId }));
const upload = input(
  z.strictObject({
    file: fileReference,
    channel: channelId,
    thread_ts: z.exactOptional(timestamp),
    title: z.exactOptional(oneLine(255)),
    initial_comment: z
      .exactOptional(z.string().min(1).max(4_000))
      .describe('The message that introduces it.'),
  }),
);

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  scopes: ['files:read'],
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;
const FILE = '{id, name, title, type, size, user, created, channels, permalink}';

function refuse(
  message: string,
  code: 'invalid_arguments' | 'upstream_rejected' = 'upstream_rejected',
): UpstreamError {
  return new UpstreamError(code, message, { definite: true });
}

/** Where the bytes go is Slack's to say, but only to a host of Slack's. @throws UpstreamError definite */
function uploadAddress(given: string, baseUrl: string): string {
  const url = URL.canParse(given) ? new URL(given) : null;
  const isSlack = url?.protocol === 'https:' && url.hostname.endsWith('.slack.com') && url.port === '';
  if (url && (isSlack || url.origin === new URL(baseUrl).origin)) return url.href;
  throw refuse('Slack named an address outside slack.com for the upload; nothing was sent there.');
}

/**
 * The first two of three steps (docs.slack.dev, files.getUploadURLExternal): the bytes lie at Slack, where nobody sees
 * them before the third.
 * @returns the id of the file
 */
async function depositBytes(context: CallContext, { name, bytes }: FileContent): Promise<string> {
  const place = await callSlack(context, 'files.getUploadURLExternal', {
    filename: name,
    length: bytes.byteLength,
  });
  const response = await context.fetch({
    method: 'POST',
    url: uploadAddress(textOf(place.upload_url), context.baseUrl),
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  });
  expectOk(response, 'Slack');
  return textOf(place.file_id);
}

export const fileFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_files',
    title: 'List files',
    description: 'Lists files that this account can see, newest first.',
    input: listing.schema,
    output: `{files: [${FILE}], next_page_token}`,
    async run(context, args) {
      const { limit: count, page_token: page, types, ...filter } = listing.read(args);
      const query = { ...filter, types: types?.join(','), count, page };
      const answer = await callSlack(context, 'files.list', query);
      return { files: objectsIn(answer.files).map(fileOf), ...nextCounted(objectOf(answer.paging)) };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_file',
    title: 'Look at a file',
    description: 'Tells what a file is called, how large it is, whose it is and where it was shared.',
    input: oneFile.schema,
    output: FILE,
    run: async (context, args) =>
      fileOf(objectOf((await callSlack(context, 'files.info', oneFile.read(args))).file)),
  }),
  defineFunction({
    name: 'upload_file',
    title: 'Share a file',
    description: 'Uploads a file of at most 20 MB and shares it in a channel.',
    reachesUnnamed: true,
    risk: 'destructive',
    approval: 'ask',
    scopes: ['files:write'],
    idempotency: 'none',
    input: upload.schema,
    output: FILE,
    files: (args) => [upload.read(args).file],
    card: (args) => {
      const { file, channel, thread_ts: thread, title, initial_comment: comment } = upload.read(args);
      return [
        ...short('Channel', channel),
        ...short('Thread', thread),
        ...short('File', file),
        ...short('Title', title),
        ...(comment === undefined ? [] : contentCard({ text: comment })),
      ];
    },
    observe: observed(async (context, args) => {
      const { channel, file } = upload.read(args);
      const [where, content] = await Promise.all([channelNow(context, channel), context.files.read(file)]);
      const size = `${content.name} (${content.type}, ${content.bytes.byteLength} bytes)`;
      return [...channelFields(where, channel), ...short('File', size)];
    }),
    async run(context, args) {
      const { file, channel, thread_ts: thread, title, initial_comment: comment } = upload.read(args);
      const content = await context.files.read(file);
      if (content.bytes.byteLength > LARGEST_UPLOAD)
        throw refuse('Files of more than 20 MB are not sent to Slack.', 'invalid_arguments');
      const id = await beforeWriting(() => depositBytes(context, content));
      const answer = await callSlack(context, 'files.completeUploadExternal', {
        files: [compact({ id, title })],
        channel_id: channel,
        thread_ts: thread,
        initial_comment: comment,
      });
      return fileOf({ name: content.name, ...(objectsIn(answer.files)[0] ?? { id }) });
    },
  }),
  defineFunction({
    name: 'delete_file',
    title: 'Delete a file',
    description: 'Deletes a file of this account everywhere it was shared, for good.',
    risk: 'destructive',
    approval: 'off',
    askEveryTime: true,
    scopes: ['files:write'],
    idempotency: 'natural',
    input: oneFile.schema,
    output: '{deleted, changed}: the id; changed is false when it was gone already',
    card: (args) => short('File', oneFile.read(args).file),
    observe: observed((context, args) => fileFields(context, oneFile.read(args).file)),
    async run(context, args) {
      const { file } = oneFile.read(args);
      const answer = await callSlack(context, 'files.delete', { file }, ['file_not_found', 'file_deleted']);
      return { deleted: file, changed: answer.ok === true };
    },
  }),
];
