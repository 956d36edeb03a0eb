/** SharePoint functions that carry the content of files, either way. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  fileReference,
  type Observation,
} from '../framework.js';
import { type JsonObject, numberOf, objectOf, textOf } from '../json.js';
import { at, sendGraph } from '../microsoft/graph.js';
import {
  callSharePoint,
  fetchItem,
  ITEM_MEMBERS,
  itemFields,
  itemOf,
  placeOf,
  SCOPES,
  SYSTEM,
} from './api.js';
import { driveId, fileName, folderId, itemId } from './fields.js';

/** Our cap each way (shared/CONNECTORS.md, 4.7); Graph itself takes 250 MB in one request. */
const MOST_BYTES = 10 * 1_024 * 1_024;
/** A text up to here stands in the result; a longer one, and everything else, is kept as a file. */
const LONGEST_TEXT = 100_000;
const TEXT_TYPE = /^text\/|^application\/(?:[\w.-]+\+)?(?:json|xml|yaml|javascript)$/;

const wanted = input(z.strictObject({ drive_id: driveId, item_id: itemId }));
const upload = input(
  z.strictObject({
    drive_id: driveId,
    folder_id: folderId,
    name: fileName.describe('Name of the file in SharePoint.'),
    file: fileReference.describe('The content, from POST /v1/files; at most 10 MB.'),
    if_exists: z
      .enum(['fail', 'rename', 'replace'])
      .default('fail')
      .describe(
        'What happens to a file of that name: nothing and the call fails, both stay, or a new version.',
      ),
  }),
);

type UploadArguments = ReturnType<typeof upload.read>;

function textIn(bytes: Uint8Array, type: string): string | undefined {
  if (!TEXT_TYPE.test(type)) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.length <= LONGEST_TEXT ? text : undefined;
  } catch {
    return undefined;
  }
}

/** @throws UpstreamError `upstream_rejected` for a folder, and for what is larger than we carry */
function refuseUnreadable(item: JsonObject): void {
  const size = numberOf(item.size) ?? 0;
  const problem =
    item.file === undefined
      ? 'That is not a file.'
      : size > MOST_BYTES
        ? `The file has ${size} bytes; files of at most ${MOST_BYTES} bytes are read.`
        : undefined;
  if (problem !== undefined) throw new UpstreamError('upstream_rejected', problem, { definite: true });
}

function namePath({ drive_id, folder_id, name }: UploadArguments): string {
  return at`/drives/${drive_id}/items/${folder_id}:/${name}:`;
}

/** The file that is to be replaced; null where there is none. */
async function fetchReplaced(context: CallContext, args: UploadArguments): Promise<JsonObject | null> {
  try {
    return await callSharePoint(context, { path: namePath(args), query: { $select: ITEM_MEMBERS } });
  } catch (error) {
    if (error instanceof UpstreamError && error.status === 404) return null;
    throw error;
  }
}

async function observeUpload(context: CallContext, args: UploadArguments): Promise<Observation> {
  const folder = await fetchItem(context, args.drive_id, args.folder_id);
  const replaced = args.if_exists === 'replace' ? await fetchReplaced(context, args) : null;
  const { modified_at: when, modified_by: who } = itemOf(replaced ?? {});
  return {
    fields: [
      ...itemFields(folder),
      ...(replaced === null ? [] : short('Replaces', placeOf(replaced))),
      ...(replaced === null ? [] : short('Last changed', `${textOf(when)} by ${textOf(who)}`)),
    ],
    version: textOf(replaced?.eTag),
  };
}

export const contentFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'read_file',
    title: 'Read a file',
    description:
      'The content of a file of at most 10 MB: as text where it is one, else as a file to download.',
    risk: 'read',
    approval: 'auto',
    idempotency: 'natural',
    scopes: [SCOPES.readFiles],
    input: wanted.schema,
    output: '{id, name, type, size, etag} and text, or file and sha256',
    card: (args) => short('File', wanted.read(args).item_id),
    async run(context, args) {
      const { drive_id: drive, item_id: id } = wanted.read(args);
      const item = await fetchItem(context, drive, id);
      refuseUnreadable(item);
      const { body } = await sendGraph(context, SYSTEM, {
        path: at`/drives/${drive}/items/${id}/content`,
        downloadRedirect: true,
        maxBytes: MOST_BYTES,
      });
      const name = textOf(item.name);
      const type = textOf(objectOf(item.file).mimeType).split(';')[0]?.trim() || 'application/octet-stream';
      const about = { id, name, type, size: body.byteLength, etag: textOf(item.eTag) };
      const text = textIn(body, type);
      if (text !== undefined) return { ...about, text };
      return { ...about, ...(await context.files.save({ name, type, bytes: body })) };
    },
  }),
  defineFunction({
    name: 'upload_file',
    title: 'Upload a file',
    description: 'Puts a file of at most 10 MB into a folder of a library.',
    risk: 'write',
    approval: 'ask',
    // With `rename` a repeat makes a second file, and with `fail` nothing tells our file from another's.
    idempotency: 'none',
    scopes: [SCOPES.writeFiles],
    input: upload.schema,
    output: '{drive_id, id, name, type, size, mime_type, folder, url, modified_by, modified_at, etag}',
    files: (args) => [upload.read(args).file],
    card: (args) => {
      const { folder_id: folder, name, file, if_exists: exists } = upload.read(args);
      return [
        ...short('Name', name),
        ...short('Folder', folder),
        ...short('Content', file),
        ...short('If it exists', exists),
      ];
    },
    observe: { condition: null, read: (context, args) => observeUpload(context, upload.read(args)) },
    async run(context, args) {
      const given = upload.read(args);
      const { bytes, type } = await context.files.read(given.file);
      if (bytes.byteLength > MOST_BYTES) {
        throw new UpstreamError(
          'invalid_arguments',
          `The file has ${bytes.byteLength} bytes; at most ${MOST_BYTES} are uploaded.`,
          { definite: true, path: '/file' },
        );
      }
      const created = await callSharePoint(context, {
        method: 'PUT',
        path: `${namePath(given)}/content`,
        query: { '@microsoft.graph.conflictBehavior': given.if_exists },
        headers: { 'Content-Type': type },
        body: bytes,
      });
      return itemOf(created);
    },
  }),
];
