/** Google Drive functions that find items and tell what they are. */
import { z } from 'zod';
import { input, oneLine, pageSize, pageToken } from '../fields.js';
import { type CallContext, defineFunction, type FunctionDefinition } from '../framework.js';
import { type JsonObject, objectsIn, textOf, textOrNull } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive, SCOPES } from './api.js';
import { ITEM_FIELDS, ITEM_OUTPUT, itemId, itemOf, mediaType, pageEnd } from './item.js';
import { type Criteria, LONGEST_QUERY, queryOf } from './query.js';

const ORDERS = {
  name: 'name_natural',
  newest: 'modifiedTime desc',
  oldest: 'modifiedTime',
  folders_first: 'folder,name_natural',
} as const;
const order = z.enum(['name', 'newest', 'oldest', 'folders_first']);

const pages = {
  page_size: pageSize(100),
  page_token: z.exactOptional(pageToken).describe('next_page_token of the page before.'),
};
const trashed = z.boolean().default(false).describe('Only what is in the trash.');

const folder = input(
  z.strictObject({
    folder_id: z
      .exactOptional(itemId)
      .describe(
        'A folder or a shared drive; left out: the chosen folders of the connection, else the top of My Drive.',
      ),
    order_by: order.default('folders_first'),
    trashed,
    ...pages,
  }),
);
const moment = z.iso.datetime({ offset: true });
const search = input(
  z
    .strictObject({
      text: z.exactOptional(oneLine(1_024)).describe('Words in the content, the name or the description.'),
      name: z.exactOptional(oneLine(255)).describe('Words that begin so in the name.'),
      mime_type: z
        .exactOptional(mediaType)
        .describe('For example application/pdf or application/vnd.google-apps.folder.'),
      modified_after: z.exactOptional(moment).describe('For example 2026-08-01T00:00:00Z'),
      modified_before: z.exactOptional(moment),
      folder_id: z.exactOptional(itemId).describe('Only directly in this folder.'),
      drive_id: z.exactOptional(itemId).describe('Only in this shared drive.'),
      order_by: z.exactOptional(order).describe('Left out: the best match first.'),
      trashed,
      ...pages,
    })
    .refine(
      (args) =>
        [args.text, args.name, args.mime_type, args.modified_after, args.modified_before].some(
          (criterion) => criterion !== undefined,
        ),
      'names nothing to search for: text, name, mime_type, modified_after or modified_before',
    )
    // Drive guide, "Search query terms": results of a text search are in order of relevance alone.
    .refine((args) => args.text === undefined || args.order_by === undefined, {
      path: ['order_by'],
      error: 'cannot be combined with text: the best match comes first',
    })
    .refine((args) => queryOf(criteriaOf(args)).length <= LONGEST_QUERY, 'is too long a search'),
);

type Search = {
  text?: string;
  name?: string;
  mime_type?: string;
  modified_after?: string;
  modified_before?: string;
  folder_id?: string;
  trashed: boolean;
};

function criteriaOf(args: Search): Criteria {
  const { text, name, mime_type, modified_after, modified_before, folder_id, trashed: inTrash } = args;
  return {
    trashed: inTrash,
    ...(text !== undefined && { text }),
    ...(name !== undefined && { name }),
    ...(mime_type !== undefined && { mimeType: mime_type }),
    ...(modified_after !== undefined && { modifiedAfter: modified_after }),
    ...(modified_before !== undefined && { modifiedBefore: modified_before }),
    ...(folder_id !== undefined && { folders: [folder_id] }),
  };
}

const item = input(z.strictObject({ id: itemId }));
const drives = input(z.strictObject(pages));

const LIST_OUTPUT = `{files: [${ITEM_OUTPUT}], incomplete, next_page_token}; a page may hold fewer files than asked for, or none, while there are more`;

/** One page of files.list, without what is outside the limits. */
async function listed(
  context: CallContext,
  access: Access,
  page: { page_size: number; page_token?: string },
  more: { q: string; orderBy?: string; corpora?: string; driveId?: string },
): Promise<JsonObject> {
  const answer = await callDrive(context, 'GET', ['files'], {
    query: {
      ...ALL_DRIVES,
      includeItemsFromAllDrives: 'true',
      fields: `nextPageToken,incompleteSearch,files(${ITEM_FIELDS.join(',')})`,
      pageSize: String(page.page_size),
      pageToken: page.page_token,
      ...more,
    },
  });
  const files = await access.visible(objectsIn(answer.files));
  return {
    files: files.map((file) => itemOf(file, access)),
    incomplete: answer.incompleteSearch === true || access.exhausted,
    ...pageEnd(answer),
  };
}

const READ = {
  risk: 'read',
  approval: 'auto',
  scopes: [SCOPES.metadata],
  idempotency: 'natural',
  card: () => [],
} as const satisfies Partial<FunctionDefinition>;

export const findingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_files',
    title: 'List a folder',
    description: 'Lists what is directly in a folder or at the top of a shared drive.',
    input: folder.schema,
    output: LIST_OUTPUT,
    async run(context, args) {
      const { folder_id: asked, order_by: orderBy, trashed: inTrash, ...page } = folder.read(args);
      const access = new Access(context);
      if (asked !== undefined) await access.require(asked);
      const chosen = access.limits ? [...access.limits.folders, ...access.limits.drives] : ['root'];
      const q = queryOf({ folders: asked === undefined ? chosen : [asked], trashed: inTrash });
      return listed(context, access, page, { q, orderBy: ORDERS[orderBy] });
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_files',
    title: 'Search files',
    description: 'Finds files and folders by their text, name, type or date, in every drive of the account.',
    input: search.schema,
    output: LIST_OUTPUT,
    async run(context, args) {
      const { drive_id: asked, order_by: orderBy, ...found } = search.read(args);
      const access = new Access(context);
      if (asked !== undefined) await access.require(asked);
      const driveId = asked ?? access.onlyDrive;
      if (found.folder_id !== undefined) await access.require(found.folder_id);
      return listed(context, access, found, {
        q: queryOf(criteriaOf(found)),
        corpora: driveId === undefined ? 'allDrives' : 'drive',
        ...(driveId !== undefined && { driveId }),
        ...(orderBy !== undefined && { orderBy: ORDERS[orderBy] }),
      });
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_file',
    title: 'Show a file',
    description: 'Tells the name, type, size, folder and owner of one file or folder.',
    input: item.schema,
    output: ITEM_OUTPUT,
    async run(context, args) {
      const access = new Access(context);
      return itemOf(await access.item(item.read(args).id, ITEM_FIELDS), access);
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_drives',
    title: 'List shared drives',
    description: 'Lists the shared drives that the account may use here.',
    scopes: [SCOPES.read],
    input: drives.schema,
    output: '{drives: [{id, name, created_at}], next_page_token}',
    async run(context, args) {
      const { page_size: size, page_token: token } = drives.read(args);
      const { limits } = new Access(context);
      const query = {
        fields: 'nextPageToken,drives(id,name,createdTime)',
        pageSize: String(size),
        pageToken: token,
      };
      const answer = await callDrive(context, 'GET', ['drives'], { query });
      const found = objectsIn(answer.drives)
        .filter(({ id }) => limits === null || limits.drives.includes(textOf(id)))
        .map((drive) => ({
          id: textOf(drive.id),
          name: textOf(drive.name),
          created_at: textOrNull(drive.createdTime),
        }));
      return { drives: found, ...pageEnd(answer) };
    },
  }),
];
