/** Functions that upload, copy and delete blobs. Operations: @azure/storage-blob 12.30 and Microsoft's REST reference. */
import { z } from 'zod';
import { input, long, oneLine, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FileContent,
  type FunctionDefinition,
  fileReference,
} from '../framework.js';
import { callAzure, refusalOf, urlOf } from './api.js';
import {
  ABSENT,
  blobFields,
  headIfAny,
  headOf,
  isOurs,
  metadataHeaders,
  observeBlob,
  observeTarget,
  sinceAsked,
  sinceSeen,
  targetCondition,
  written,
} from './blobs.js';
import { blobCard, blobName, container, etag, MARKER, metadata, pairsCard, WRITE } from './fields.js';

const upload = input(
  z
    .strictObject({
      container,
      name: blobName,
      content: z.exactOptional(z.string().max(64 * 1_024)).describe('The content as text.'),
      file: z.exactOptional(fileReference).describe('Or an uploaded file.'),
      content_type: z
        .exactOptional(
          oneLine(200).regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w."-]+)*$/, 'is not a media type'),
        )
        .describe("Default: the file's own, or text/plain."),
      overwrite: z
        .boolean()
        .default(false)
        .describe('Replace a blob of that name; otherwise it is an error.'),
      etag: z.exactOptional(etag).describe('With overwrite: only if the blob still has this etag.'),
      metadata: z.exactOptional(metadata),
    })
    .refine(
      (args) => (args.content === undefined) !== (args.file === undefined),
      'needs either content or file',
    )
    .refine((args) => args.etag === undefined || args.overwrite, 'an etag needs overwrite: true'),
);
const copy = input(
  z.strictObject({
    source_container: container.describe('In the same storage account.'),
    source_name: blobName,
    container,
    name: blobName,
    overwrite: z.boolean().default(false).describe('Replace a blob of that name; otherwise it is an error.'),
  }),
);
const deletion = input(
  z.strictObject({
    container,
    name: blobName,
    snapshots: z
      .exactOptional(z.enum(['include', 'only']))
      .describe('include: its snapshots too (needed where it has some); only: just the snapshots.'),
  }),
);

async function contentOf(
  context: CallContext,
  args: ReturnType<typeof upload.read>,
): Promise<Pick<FileContent, 'type' | 'bytes'>> {
  const { bytes, type } =
    args.file === undefined
      ? { bytes: Buffer.from(args.content ?? ''), type: 'text/plain; charset=utf-8' }
      : await context.files.read(args.file);
  return { bytes, type: args.content_type ?? type };
}

/** The result of an upload whose answer was lost, from the blob itself. */
function uploaded(address: { container: string; name: string }, found: Readonly<Record<string, string>>) {
  const size = Number(found['content-length'] ?? 0);
  return { ...written(address, found), size, content_type: found['content-type'] ?? '' };
}

export const writingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'upload_blob',
    title: 'Upload a blob',
    description:
      'Stores a text or an uploaded file as a blob. An existing blob is replaced only with overwrite.',
    input: upload.schema,
    output: '{container, name, etag, last_modified, size, content_type}',
    files: (args) => [upload.read(args).file ?? []].flat(),
    card(args) {
      const given = upload.read(args);
      return [
        ...blobCard(given),
        ...short('If it exists', given.overwrite ? 'It is replaced' : 'Nothing is written'),
        ...short('Only with etag', given.etag),
        ...short('Type', given.content_type),
        ...short('File', given.file),
        ...long('Content', given.content),
        ...pairsCard('Metadata', given.metadata),
      ];
    },
    observe: { condition: 'If-Match', read: (context, args) => observeTarget(context, upload.read(args)) },
    async reconcile(context, args) {
      const given = upload.read(args);
      const found = await headIfAny(context, given);
      if (found === null) return { status: 'not_applied' };
      if (isOurs(context, found)) return { status: 'applied', result: uploaded(given, found) };
      return { status: 'unknown', reason: 'There is a blob of that name without the mark of this call.' };
    },
    async run(context, args) {
      const given = upload.read(args);
      const { container, name } = given;
      const { bytes, type } = await contentOf(context, given);
      try {
        const { headers } = await callAzure(context, {
          method: 'PUT',
          container,
          name,
          body: bytes,
          headers: {
            ...metadataHeaders(given.metadata),
            [`x-ms-meta-${MARKER}`]: context.executionId,
            ...targetCondition(context.condition, given),
            'content-type': 'application/octet-stream',
            'x-ms-blob-type': 'BlockBlob',
            'x-ms-blob-content-type': type,
          },
        });
        return { ...written(given, headers), size: bytes.byteLength, content_type: type };
      } catch (error) {
        if (!['BlobAlreadyExists', 'ConditionNotMet'].includes(refusalOf(error))) throw error;
        const found = await headIfAny(context, given);
        if (isOurs(context, found)) return uploaded(given, found);
        throw sinceAsked(sinceSeen(error, context.condition, given.overwrite), given.etag);
      }
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'copy_blob',
    title: 'Copy a blob',
    description: 'Copies a blob inside the storage account, with its metadata.',
    input: copy.schema,
    output: '{container, name, etag, last_modified, copy_id, copy_status: success or pending}',
    card(args) {
      const given = copy.read(args);
      return [
        ...short('From', `${given.source_container}/${given.source_name}`),
        ...blobCard(given),
        ...short('If it exists', given.overwrite ? 'It is replaced' : 'Nothing is copied'),
      ];
    },
    observe: {
      condition: 'If-Match',
      async read(context, args) {
        const given = copy.read(args);
        const source = await headOf(context, { container: given.source_container, name: given.source_name });
        const target = await observeTarget(context, given);
        const version = `${source.etag ?? ''} ${target.condition ?? ABSENT}`;
        return {
          fields: [
            ...blobFields(source).map((field) => ({ ...field, label: `Source: ${field.label}` })),
            ...target.fields.map((field) => ({ ...field, label: `Target: ${field.label}` })),
          ],
          version,
          condition: version,
        };
      },
    },
    async run(context, args) {
      const given = copy.read(args);
      const [source, target] = context.condition?.split(' ') ?? [];
      const { headers } = await callAzure(context, {
        method: 'PUT',
        container: given.container,
        name: given.name,
        headers: {
          'x-ms-copy-source': urlOf(context, given.source_container, given.source_name),
          ...(source !== undefined && { 'x-ms-source-if-match': source }),
          ...targetCondition(target, given),
        },
      }).catch((error: unknown) => {
        throw sinceSeen(error, target, given.overwrite);
      });
      return {
        ...written(given, headers),
        copy_id: headers['x-ms-copy-id'] ?? '',
        copy_status: headers['x-ms-copy-status'] ?? '',
      };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_blob',
    title: 'Delete a blob',
    description: 'Deletes a blob; for good, unless the account keeps deleted blobs for a while.',
    risk: 'destructive',
    askEveryTime: true,
    input: deletion.schema,
    output: '{container, name, deleted}: deleted is blob, blob_and_snapshots or snapshots',
    card(args) {
      const given = deletion.read(args);
      const what = { include: 'The blob and its snapshots', only: 'Only its snapshots' };
      return [
        ...blobCard(given),
        ...short('Deletes', given.snapshots === undefined ? 'The blob' : what[given.snapshots]),
      ];
    },
    observe: { condition: 'If-Match', read: (context, args) => observeBlob(context, deletion.read(args)) },
    async run(context, args) {
      const { snapshots, ...address } = deletion.read(args);
      await callAzure(context, {
        method: 'DELETE',
        ...address,
        headers: {
          ...(snapshots !== undefined && { 'x-ms-delete-snapshots': snapshots }),
          ...(context.condition !== undefined && { 'if-match': context.condition }),
        },
      });
      const deleted = { include: 'blob_and_snapshots', only: 'snapshots' };
      return { ...address, deleted: snapshots === undefined ? 'blob' : deleted[snapshots] };
    },
  }),
];
