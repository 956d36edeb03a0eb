/** Google Drive functions that make something new, and the one that replaces what is in a file. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, long, manyLines, oneLine, short } from '../fields.js';
import {
  type Arguments,
  type CallContext,
  type CardField,
  defineFunction,
  type FileContent,
  type FunctionDefinition,
  fileReference,
} from '../framework.js';
import { compact, textOf, textsIn } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive, MOST_UPLOADED, SCOPES, uploadContent, uploadNew } from './api.js';
import {
  FOLDER,
  ITEM_FIELDS,
  ITEM_OUTPUT,
  isWorkspaceDocument,
  itemId,
  itemOf,
  mediaType,
  SHORTCUT,
  TARGET_FIELDS,
  targetFields,
  versionOf,
} from './item.js';
import { createOnce, markerOf, reconcileCreated } from './once.js';
import { destinationFields, placedFields } from './place.js';

const name = oneLine(255);
const parent = z
  .exactOptional(itemId)
  .describe('The folder it goes into; left out: the first chosen folder, else the top of My Drive.');
const content = z
  .exactOptional(manyLines())
  .describe('As text, at most 64 KiB; larger ones are given as file.');
const file = z.exactOptional(fileReference).describe('An uploaded file, at most 5 MB.');

const newFile = input(
  z
    .strictObject({
      name,
      mime_type: z
        .exactOptional(
          mediaType.refine((type) => type !== FOLDER && type !== SHORTCUT, 'is not a type of files'),
        )
        .describe(
          'What it becomes; application/vnd.google-apps.document makes a Google Doc of the content. Left out: text/plain, or the type of the uploaded file.',
        ),
      parent_id: parent,
      content,
      file,
    })
    .refine(one, 'takes content or file, not both'),
);
const newFolder = input(z.strictObject({ name, parent_id: parent }));
const copy = input(
  z.strictObject({
    id: itemId,
    name: z.exactOptional(name).describe('Left out: Drive names it after the original.'),
    parent_id: z.exactOptional(itemId).describe('The folder it goes into; left out: beside the original.'),
  }),
);
const replacement = input(
  z
    .strictObject({
      id: itemId,
      content,
      file,
      mime_type: z
        .exactOptional(mediaType)
        .describe('Type of content given as text; left out: the type of the file as it is.'),
    })
    .refine(one, 'takes content or file, not both')
    .refine(
      ({ content: text, file: reference }) => text !== undefined || reference !== undefined,
      'has no content',
    ),
);

interface Content {
  content?: string;
  file?: string;
}

function one({ content: text, file: reference }: Content): boolean {
  return text === undefined || reference === undefined;
}

function contentCard({ content: text, file: reference }: Content): CardField[] {
  return [...short('File', reference), ...long('Content', text)];
}

function filesOf(args: Arguments): readonly string[] {
  return typeof args.file === 'string' ? [args.file] : [];
}

/** @throws UpstreamError `invalid_arguments`, definite, for a file that is gone or too large */
async function contentIn(
  context: CallContext,
  { content: text, file: reference }: Content,
  textType: string,
): Promise<Pick<FileContent, 'type' | 'bytes'> | null> {
  if (text !== undefined) {
    const charset = textType.startsWith('text/') ? '; charset=UTF-8' : '';
    return { type: `${textType}${charset}`, bytes: Buffer.from(text) };
  }
  if (reference === undefined) return null;
  const uploaded = await context.files.read(reference);
  if (uploaded.bytes.byteLength > MOST_UPLOADED) {
    const message = 'The file is larger than 5 MB, which is the most that goes to Drive in one request.';
    throw new UpstreamError('invalid_arguments', message, { definite: true, path: '/arguments/file' });
  }
  return uploaded;
}

/** Nothing is there yet; what can be looked at is the folder, and who sees what is in it. */
const OBSERVE_FOLDER: NonNullable<FunctionDefinition['observe']> = {
  condition: null,
  async read(context, args) {
    const access = new Access(context);
    const asked = typeof args.parent_id === 'string' ? args.parent_id : undefined;
    const folder = await access.parentFor(asked);
    return { fields: await destinationFields(context, access, folder), version: '' };
  },
};

const QUERY = { ...ALL_DRIVES, fields: ITEM_FIELDS.join(',') };
const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.own],
  output: ITEM_OUTPUT,
} as const satisfies Partial<FunctionDefinition>;
/** Every run reserves another id, so a second run is no repeat: first the marker is looked for. */
const CREATE = { ...WRITE, idempotency: 'reconcile', reconcile: reconcileCreated } as const;

export const creatingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...CREATE,
    name: 'create_file',
    title: 'Create a file',
    description: 'Creates a file from text or from an uploaded file, or an empty one.',
    input: newFile.schema,
    files: filesOf,
    card: (args) => {
      const { name: called, mime_type: type, parent_id: folder, ...given } = newFile.read(args);
      return [
        ...short('Name', called),
        ...short('Kind', type),
        ...short('Folder', folder),
        ...contentCard(given),
      ];
    },
    observe: OBSERVE_FOLDER,
    async run(context, args) {
      const { name: called, mime_type: asked, parent_id: folder, ...given } = newFile.read(args);
      const access = new Access(context);
      const parentId = await access.parentFor(folder);
      const textType = asked === undefined || isWorkspaceDocument(asked) ? 'text/plain' : asked;
      const bytes = await contentIn(context, given, textType);
      const mimeType = asked ?? (given.content === undefined ? bytes?.type : undefined) ?? 'text/plain';
      const created = await createOnce(context, mimeType, (id) => {
        const parents = parentId === undefined ? undefined : [parentId];
        const metadata = compact({ id, name: called, mimeType, parents, ...markerOf(context) });
        if (bytes) return uploadNew(context, metadata, QUERY, bytes);
        return callDrive(context, 'POST', ['files'], { query: QUERY, json: metadata });
      });
      return itemOf(created, access);
    },
  }),
  defineFunction({
    ...CREATE,
    name: 'create_folder',
    title: 'Create a folder',
    description: 'Creates an empty folder.',
    input: newFolder.schema,
    card: (args) => {
      const { name: called, parent_id: folder } = newFolder.read(args);
      return [...short('Name', called), ...short('Folder', folder)];
    },
    observe: OBSERVE_FOLDER,
    async run(context, args) {
      const { name: called, parent_id: folder } = newFolder.read(args);
      const access = new Access(context);
      const parentId = await access.parentFor(folder);
      const created = await createOnce(context, FOLDER, (id) => {
        const parents = parentId === undefined ? undefined : [parentId];
        const json = compact({ id, name: called, mimeType: FOLDER, parents, ...markerOf(context) });
        return callDrive(context, 'POST', ['files'], { query: QUERY, json });
      });
      return itemOf(created, access);
    },
  }),
  defineFunction({
    ...CREATE,
    name: 'copy_file',
    title: 'Copy a file',
    description: 'Makes a copy of a file. Folders cannot be copied.',
    input: copy.schema,
    card: (args) => {
      const { id, name: called, parent_id: folder } = copy.read(args);
      return [...short('Original', id), ...short('Name of the copy', called), ...short('Folder', folder)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const { id, parent_id: folder } = copy.read(args);
        const access = new Access(context);
        const original = await access.item(id, TARGET_FIELDS);
        const isBeside = folder === undefined && access.hasVisibleParent(id);
        const parentId = isBeside ? textsIn(original.parents)[0] : await access.parentFor(folder);
        const place = await destinationFields(context, access, parentId);
        return { fields: [...targetFields(original), ...place], version: versionOf(original) };
      },
    },
    async run(context, args) {
      const { id: originalId, name: called, parent_id: folder } = copy.read(args);
      const access = new Access(context);
      const original = await access.item(originalId, ['id', 'mimeType', 'parents']);
      // Named also where it stays beside the original: left to itself, Drive may put it into My Drive.
      const beside = access.limits === null ? undefined : textsIn(original.parents)[0];
      const isBeside = folder === undefined && access.hasVisibleParent(originalId);
      const parentId = isBeside ? beside : await access.parentFor(folder);
      const created = await createOnce(context, textOf(original.mimeType), (id) => {
        const parents = parentId === undefined ? undefined : [parentId];
        const json = compact({ id, name: called, parents, ...markerOf(context) });
        return callDrive(context, 'POST', ['files', originalId, 'copy'], { query: QUERY, json });
      });
      return itemOf(created, access);
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_content',
    title: 'Replace what is in a file',
    description: 'Replaces the whole content of a file. Drive keeps the old one as a version for a while.',
    idempotency: 'natural',
    input: replacement.schema,
    files: filesOf,
    card: (args) => {
      const { id, mime_type: type, ...given } = replacement.read(args);
      return [...short('Target', id), ...short('Type', type), ...contentCard(given)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const access = new Access(context);
        const target = await access.item(replacement.read(args).id, TARGET_FIELDS);
        const changed = short('Last changed', textOf(target.modifiedTime));
        return { fields: [...(await placedFields(access, target)), ...changed], version: versionOf(target) };
      },
    },
    async run(context, args) {
      const { id, mime_type: type, ...given } = replacement.read(args);
      const access = new Access(context);
      const own = textOf((await access.item(id, ['mimeType'])).mimeType);
      // The type of what is uploaded becomes the type of the file, unless it is converted into a Google document.
      const textType = type ?? (isWorkspaceDocument(own) ? 'text/plain' : own);
      const sent = await contentIn(context, given, textType);
      if (sent === null) throw new Error('the schema asks for content');
      return itemOf(await uploadContent(context, id, QUERY, sent), access);
    },
  }),
];
