/** Google Drive functions that rename, move and throw away. */
import { z } from 'zod';
import { UpstreamError } from '../../errors.js';
import { input, oneLine, short } from '../fields.js';
import {
  type Arguments,
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { type JsonObject, objectsIn, textOf, textsIn } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive, SCOPES } from './api.js';
import { ITEM_FIELDS, ITEM_OUTPUT, itemId, itemOf, TARGET_FIELDS, targetFields, versionOf } from './item.js';
import { destinationFields, placedFields, whereFields } from './place.js';
import { queryOf } from './query.js';

const item = input(z.strictObject({ id: itemId }));
const renamed = input(z.strictObject({ id: itemId, name: oneLine(255) }));
const moved = input(z.strictObject({ id: itemId, parent_id: itemId.describe('The folder it goes into.') }));
const trash = input(
  z.strictObject({
    drive_id: z
      .exactOptional(itemId)
      .describe('The shared drive whose trash is emptied; left out: My Drive.'),
  }),
);

const QUERY = { ...ALL_DRIVES, fields: ITEM_FIELDS.join(',') };

async function patch(
  context: CallContext,
  access: Access,
  id: string,
  json: JsonObject,
  query: Readonly<Record<string, string>> = {},
): Promise<JsonObject> {
  const changed = await callDrive(context, 'PATCH', ['files', id], { query: { ...QUERY, ...query }, json });
  return itemOf(changed, access);
}

/** The target as it is; and whether it will be in the trash, where that changes. */
function observing(trashedAfter?: 'Yes' | 'No'): NonNullable<FunctionDefinition['observe']> {
  return {
    condition: null,
    async read(context: CallContext, args: Arguments) {
      const { id } = item.read(args);
      const access = new Access(context);
      const target = await access.changeable(id, [...TARGET_FIELDS, 'trashed']);
      const trashed: ObservedField = {
        label: 'In the trash',
        value: target.trashed === true ? 'Yes' : 'No',
        kind: 'short',
        ...(trashedAfter !== undefined && { after: trashedAfter }),
      };
      const changed = short('Last changed', textOf(target.modifiedTime));
      const fields = [...(await placedFields(access, target)), ...changed, trashed];
      return { fields, version: versionOf(target) };
    },
  };
}

const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.own],
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const FOR_GOOD = {
  risk: 'destructive',
  approval: 'off',
  askEveryTime: true,
  idempotency: 'natural',
} as const satisfies Partial<FunctionDefinition>;
const ONE = { input: item.schema, card: (args: Arguments) => short('File', item.read(args).id) } as const;

export const organisingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...WRITE,
    name: 'rename_file',
    title: 'Rename a file',
    description: 'Gives a file or a folder another name.',
    input: renamed.schema,
    output: ITEM_OUTPUT,
    card: (args) => {
      const { id, name } = renamed.read(args);
      return [...short('File', id), ...short('New name', name)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const { id, name } = renamed.read(args);
        const access = new Access(context);
        const target = await access.changeable(id, TARGET_FIELDS);
        const [before, ...rest] = await placedFields(access, target);
        return { fields: before ? [{ ...before, after: name }, ...rest] : rest, version: '' };
      },
    },
    async run(context, args) {
      const { id, name } = renamed.read(args);
      const access = new Access(context);
      if (access.limits) await access.changeable(id, ['id']);
      return patch(context, access, id, { name });
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'move_file',
    title: 'Move a file',
    description:
      'Moves a file or a folder into another folder. Who may see that folder may see it from then on.',
    input: moved.schema,
    output: ITEM_OUTPUT,
    card: (args) => {
      const { id, parent_id: folder } = moved.read(args);
      return [...short('File', id), ...short('To folder', folder)];
    },
    observe: {
      condition: null,
      async read(context, args) {
        const { id, parent_id: folder } = moved.read(args);
        const access = new Access(context);
        const target = await access.changeable(id, TARGET_FIELDS);
        const [from] = await whereFields(access, target);
        const [to, ...seenBy] = await destinationFields(context, access, folder);
        const value = from?.value ?? 'None that this account sees';
        const place = { label: 'Folder', value, kind: 'short', after: to?.value ?? folder } as const;
        return { fields: [...targetFields(target), place, ...seenBy], version: '' };
      },
    },
    async run(context, args) {
      const { id, parent_id: folder } = moved.read(args);
      const access = new Access(context);
      const target = await access.changeable(id, ['id', 'parents']);
      await access.require(folder);
      const parents = textsIn(target.parents);
      const before = parents.filter((each) => each !== folder);
      return patch(
        context,
        access,
        id,
        {},
        {
          ...(!parents.includes(folder) && { addParents: folder }),
          ...(before.length > 0 && { removeParents: before.join(',') }),
        },
      );
    },
  }),
  defineFunction({
    ...WRITE,
    ...ONE,
    name: 'trash_file',
    title: 'Put a file into the trash',
    description:
      'Puts a file, or a folder with all that is in it, into the trash. It can be restored for 30 days.',
    output: ITEM_OUTPUT,
    observe: observing('Yes'),
    async run(context, args) {
      const { id } = item.read(args);
      const access = new Access(context);
      if (access.limits) await access.changeable(id, ['id']);
      return patch(context, access, id, { trashed: true });
    },
  }),
  defineFunction({
    ...WRITE,
    ...ONE,
    name: 'restore_file',
    title: 'Take a file out of the trash',
    description: 'Takes a file or a folder out of the trash again.',
    output: ITEM_OUTPUT,
    observe: observing('No'),
    async run(context, args) {
      const { id } = item.read(args);
      const access = new Access(context);
      if (access.limits) await access.changeable(id, ['id']);
      return patch(context, access, id, { trashed: false });
    },
  }),
  defineFunction({
    ...FOR_GOOD,
    ...ONE,
    name: 'delete_file_permanently',
    title: 'Delete a file for good',
    description:
      'Deletes a file, or a folder with all that is in it, past the trash. Nothing brings it back.',
    scopes: [SCOPES.own],
    output: '{deleted}: the id',
    observe: observing(),
    async run(context, args) {
      const { id } = item.read(args);
      const access = new Access(context);
      if (access.limits) await access.changeable(id, ['id']);
      await callDrive(context, 'DELETE', ['files', id], { query: ALL_DRIVES });
      return { deleted: id };
    },
  }),
  defineFunction({
    ...FOR_GOOD,
    name: 'empty_trash',
    title: 'Empty the trash',
    description:
      'Deletes everything in the trash for good. Not possible where the connection is limited to folders.',
    scopes: [SCOPES.all],
    input: trash.schema,
    output: '{emptied}: the id of the shared drive, or "my_drive"',
    card: (args) => short('Trash of', trash.read(args).drive_id ?? 'My Drive'),
    observe: {
      condition: null,
      async read(context, args) {
        refuseLimited(new Access(context));
        const { drive_id: driveId } = trash.read(args);
        const { files, nextPageToken } = await callDrive(context, 'GET', ['files'], {
          query: {
            ...ALL_DRIVES,
            fields: 'nextPageToken,files(name)',
            pageSize: '100',
            ...(driveId === undefined
              ? { q: `${queryOf({ trashed: true })} and 'me' in owners` }
              : {
                  q: queryOf({ trashed: true }),
                  corpora: 'drive',
                  driveId,
                  includeItemsFromAllDrives: 'true',
                }),
          },
        });
        const names = objectsIn(files).map((file) => textOf(file.name));
        const value = [...names, ...(nextPageToken === undefined ? [] : ['… and more'])].join('\n');
        return { fields: [{ label: 'In the trash', value: value || 'Nothing', kind: 'long' }], version: '' };
      },
    },
    async run(context, args) {
      refuseLimited(new Access(context));
      const { drive_id: driveId } = trash.read(args);
      await callDrive(context, 'DELETE', ['files', 'trash'], { query: { driveId } });
      return { emptied: driveId ?? 'my_drive' };
    },
  }),
];

/** The trash holds what was in any folder. @throws UpstreamError */
function refuseLimited({ limits }: Access): void {
  if (limits === null) return;
  const message = 'The trash holds files of other folders too; this connection is limited to chosen ones.';
  throw new UpstreamError('forbidden_upstream', message, { definite: true });
}
