/** SharePoint functions that sort files and folders: create, rename, move, copy, delete. */
import { z } from 'zod';
import { input, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { compact, numberOf, textOf, textOrNull } from '../json.js';
import { at, graphPageToken, ifMatch, pageOf, pageQuery, sendGraph, versionOf } from '../microsoft/graph.js';
import { beforeWriting } from '../upstream.js';
import {
  callSharePoint,
  fetchItem,
  folderOf,
  itemFields,
  itemOf,
  personOf,
  placeOf,
  SCOPES,
  SYSTEM,
} from './api.js';
import { anyItemId, driveId, fileName, folderId, itemId } from './fields.js';

const item = { drive_id: driveId, item_id: itemId };
const oneItem = input(z.strictObject(item));
/** It takes no page size (driveItem: list versions). */
const versions = input(z.strictObject({ ...item, page_token: z.exactOptional(graphPageToken) }));
const newFolder = input(z.strictObject({ drive_id: driveId, folder_id: folderId, name: fileName }));
const changed = input(
  z
    .strictObject({
      ...item,
      name: z.exactOptional(fileName).describe('The new name.'),
      folder_id: z.exactOptional(anyItemId).describe('id of the folder it moves to, in the same library.'),
    })
    .refine(
      (args) => args.name !== undefined || args.folder_id !== undefined,
      'names neither name nor folder_id',
    ),
);
const copied = input(
  z.strictObject({
    ...item,
    to_drive_id: z.exactOptional(driveId).describe('Another library; else the copy stays in this one.'),
    to_folder_id: folderId,
    name: z.exactOptional(fileName).describe('Name of the copy, if another.'),
  }),
);

type ChangedArguments = ReturnType<typeof changed.read>;

async function observeChange(context: CallContext, args: ChangedArguments) {
  const found = await fetchItem(context, args.drive_id, args.item_id);
  const target =
    args.folder_id === undefined ? undefined : await fetchItem(context, args.drive_id, args.folder_id);
  const fields: ObservedField[] = [
    ...short('Name', textOf(found.name)).map((field) => withAfter(field, args.name)),
    ...short('Folder', folderOf(found) || '/').map((field) => withAfter(field, target && placeOf(target))),
    ...short('Address', textOf(found.webUrl)),
  ];
  return { fields, ...versionOf(found) };
}

function withAfter(field: ObservedField, after: string | undefined): ObservedField {
  return after === undefined ? field : { ...field, after };
}

/**
 * The folder as the body of a request names it: by its own id, for `root` is none there (driveItem: move).
 * @throws UpstreamError, definite
 */
async function parentReference(context: CallContext, driveId: string, folder: string) {
  if (folder !== 'root') return { driveId, id: folder };
  const root = await beforeWriting(() => fetchItem(context, driveId, folder));
  return { driveId, id: textOf(root.id) };
}

const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.writeFiles],
} as const satisfies Partial<FunctionDefinition>;
const ITEM =
  '{drive_id, id, name, type, size, mime_type, child_count, folder, url, modified_by, modified_at, etag}';

export const fileFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    name: 'list_versions',
    title: 'List versions',
    description: 'Earlier versions of a file, and who made them.',
    risk: 'read',
    approval: 'auto',
    idempotency: 'natural',
    scopes: [SCOPES.readFiles],
    input: versions.schema,
    output: '{versions: [{id, size, modified_by, modified_at}], next_page_token}',
    card: (args) => short('File', versions.read(args).item_id),
    async run(context, args) {
      const { drive_id: drive, item_id: id, page_token: token } = versions.read(args);
      const path = at`/drives/${drive}/items/${id}/versions`;
      const query = pageQuery(token);
      const { items, next_page_token } = pageOf(await callSharePoint(context, { path, query }));
      const found = items.map((version) => ({
        id: textOf(version.id),
        size: numberOf(version.size),
        modified_by: personOf(version.lastModifiedBy),
        modified_at: textOrNull(version.lastModifiedDateTime),
      }));
      return { versions: found, next_page_token };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'create_folder',
    title: 'Create a folder',
    description: 'Creates a folder in a library. Fails where the name is taken.',
    // A repeat is refused, but nothing tells our folder from one that somebody else made.
    idempotency: 'none',
    input: newFolder.schema,
    output: ITEM,
    card: (args) => {
      const { folder_id: folder, name } = newFolder.read(args);
      return [...short('Name', name), ...short('In folder', folder)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const { drive_id: drive, folder_id: folder } = newFolder.read(args);
        const parent = await fetchItem(context, drive, folder);
        return { fields: short('In folder', placeOf(parent)), version: '' };
      },
    },
    async run(context, args) {
      const { drive_id: drive, folder_id: folder, name } = newFolder.read(args);
      const path = at`/drives/${drive}/items/${folder}/children`;
      const json = { name, folder: {}, '@microsoft.graph.conflictBehavior': 'fail' };
      return itemOf(await callSharePoint(context, { method: 'POST', path, json }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_item',
    title: 'Rename or move',
    description: 'Gives a file or folder another name, or moves it to another folder of its library.',
    idempotency: 'natural',
    input: changed.schema,
    output: ITEM,
    card: (args) => {
      const { item_id: id, name, folder_id: folder } = changed.read(args);
      return [...short('Item', id), ...short('New name', name), ...short('To folder', folder)];
    },
    observe: { condition: 'If-Match', read: (context, args) => observeChange(context, changed.read(args)) },
    async run(context, args) {
      const { drive_id: drive, item_id: id, name, folder_id: folder } = changed.read(args);
      const parent = folder === undefined ? undefined : await parentReference(context, drive, folder);
      const json = compact({ name, parentReference: parent && { id: parent.id } });
      const path = at`/drives/${drive}/items/${id}`;
      const headers = ifMatch(context);
      return itemOf(await callSharePoint(context, { method: 'PATCH', path, json, headers }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'copy_item',
    title: 'Copy',
    description:
      'Copies a file or folder, also to another library. Goes on after the call; list the folder to see it.',
    idempotency: 'none',
    input: copied.schema,
    output: '{accepted}: true when SharePoint has begun to copy',
    card: (args) => {
      const { item_id: id, to_drive_id: drive, to_folder_id: folder, name } = copied.read(args);
      return [
        ...short('Item', id),
        ...short('To library', drive),
        ...short('To folder', folder),
        ...short('Name', name),
      ];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const {
          drive_id: drive,
          item_id: id,
          to_drive_id: to = drive,
          to_folder_id: folder,
        } = copied.read(args);
        const [found, target] = [await fetchItem(context, drive, id), await fetchItem(context, to, folder)];
        return { fields: [...itemFields(found), ...short('To folder', placeOf(target))], version: '' };
      },
    },
    async run(context, args) {
      const {
        drive_id: drive,
        item_id: id,
        to_drive_id: to = drive,
        to_folder_id: folder,
        name,
      } = copied.read(args);
      const path = at`/drives/${drive}/items/${id}/copy`;
      const json = compact({ parentReference: await parentReference(context, to, folder), name });
      // 202; its Location tells anyone who has it how far the copy is, so it stays here.
      await sendGraph(context, SYSTEM, { method: 'POST', path, json });
      return { accepted: true };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_item',
    title: 'Delete a file or folder',
    description: 'Puts a file, or a folder with all that is in it, into the recycle bin of its site.',
    risk: 'destructive',
    idempotency: 'natural',
    input: oneItem.schema,
    output: '{deleted}: the id',
    card: (args) => short('Item', oneItem.read(args).item_id),
    observe: {
      condition: 'If-Match',
      async read(context, args) {
        const { drive_id: drive, item_id: id } = oneItem.read(args);
        const found = await fetchItem(context, drive, id);
        return { fields: itemFields(found), ...versionOf(found) };
      },
    },
    async run(context, args) {
      const { drive_id: drive, item_id: id } = oneItem.read(args);
      const path = at`/drives/${drive}/items/${id}`;
      await callSharePoint(context, { method: 'DELETE', path, headers: ifMatch(context) });
      return { deleted: id };
    },
  }),
];
