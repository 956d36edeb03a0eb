/** SharePoint functions on lists and their items. */
import { z } from 'zod';
import { input, long, oneLine, pageSize, short } from '../fields.js';
import {
  type CallContext,
  defineFunction,
  type FunctionDefinition,
  type ObservedField,
} from '../framework.js';
import { type JsonObject, objectOf, textOf, textOrNull } from '../json.js';
import { readableLines } from '../lines.js';
import { at, graphPageToken, ifMatch, pageOf, pageQuery, versionOf } from '../microsoft/graph.js';
import { callSharePoint, personOf, SCOPES } from './api.js';
import { listId, listItemId, siteId } from './fields.js';

const page = { max_results: pageSize(200), page_token: z.exactOptional(graphPageToken) };

/** Columns by their internal names; a value is a scalar, or several texts for a column that takes several. */
const columns = z
  .record(
    z.string().regex(/^[A-Za-z_][\w@.]{0,127}$/, 'is not the internal name of a column'),
    z.union([z.string().max(64 * 1_024), z.number(), z.boolean(), z.null(), z.array(oneLine(255)).max(100)]),
  )
  .refine((fields) => Object.keys(fields).length > 0, 'names no column')
  .refine((fields) => Object.keys(fields).length <= 100, 'names more than 100 columns')
  .describe('Internal column name → value, at most 100. Title is the title.');

const list = { site_id: siteId, list_id: listId.describe('id of the list, from list_lists.') };
const item = { ...list, item_id: listItemId.describe('id of the item, from list_list_items.') };
const siteLists = input(z.strictObject({ site_id: siteId, ...page }));
const listItems = input(z.strictObject({ ...list, ...page }));
const newItem = input(z.strictObject({ ...list, fields: columns }));
const changedItem = input(z.strictObject({ ...item, fields: columns }));
const oldItem = input(z.strictObject(item));

type ItemArguments = ReturnType<typeof oldItem.read>;

function listOf(found: JsonObject): JsonObject {
  return {
    id: textOf(found.id),
    name: textOf(found.displayName) || textOf(found.name),
    template: textOf(objectOf(found.list).template),
    description: textOf(found.description),
    url: textOf(found.webUrl),
  };
}

function listItemOf(found: JsonObject): JsonObject {
  const { '@odata.etag': _, ...fields } = objectOf(found.fields);
  return {
    id: textOf(found.id),
    fields,
    url: textOf(found.webUrl),
    modified_by: personOf(found.lastModifiedBy),
    modified_at: textOrNull(found.lastModifiedDateTime),
    etag: textOf(found.eTag),
  };
}

function fetchListItem(
  context: CallContext,
  { site_id, list_id, item_id }: ItemArguments,
): Promise<JsonObject> {
  const path = at`/sites/${site_id}/lists/${list_id}/items/${item_id}`;
  return callSharePoint(context, { path, query: { $expand: 'fields' } });
}

async function fetchListName(
  context: CallContext,
  { site_id, list_id }: { site_id: string; list_id: string },
) {
  const path = at`/sites/${site_id}/lists/${list_id}`;
  return textOf((await callSharePoint(context, { path, query: { $select: 'displayName' } })).displayName);
}

function columnLines(fields: JsonObject): string {
  return readableLines(fields).join('\n');
}

/** The columns that a call changes, as they are and as they will be. */
function changedColumns(found: JsonObject, fields: JsonObject): ObservedField[] {
  const now = objectOf(found.fields);
  return Object.entries(fields).map(([name, after]) => ({
    label: name,
    value: columnLines({ [name]: now[name] ?? null }),
    after: columnLines({ [name]: after }),
    kind: 'long',
  }));
}

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  scopes: [SCOPES.readSites],
} as const satisfies Partial<FunctionDefinition>;
const WRITE = {
  risk: 'write',
  approval: 'ask',
  scopes: [SCOPES.writeSites],
} as const satisfies Partial<FunctionDefinition>;
const ITEM = '{id, fields, url, modified_by, modified_at, etag}';

export const listFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'list_lists',
    title: 'List lists',
    description: 'The lists of a site.',
    input: siteLists.schema,
    output: '{lists: [{id, name, template, description, url}], next_page_token}',
    card: (args) => short('Site', siteLists.read(args).site_id),
    async run(context, args) {
      const { site_id: site, max_results: top, page_token: token } = siteLists.read(args);
      const query = { $top: String(top), ...pageQuery(token) };
      const answer = await callSharePoint(context, { path: at`/sites/${site}/lists`, query });
      const { items, next_page_token } = pageOf(answer);
      return { lists: items.map(listOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_list_items',
    title: 'List items of a list',
    description: 'The items of a list with all their columns.',
    input: listItems.schema,
    output: `{items: [${ITEM}], next_page_token}`,
    card: (args) => short('List', listItems.read(args).list_id),
    async run(context, args) {
      const { site_id: site, list_id: id, max_results: top, page_token: token } = listItems.read(args);
      const query = { $expand: 'fields', $top: String(top), ...pageQuery(token) };
      const answer = await callSharePoint(context, { path: at`/sites/${site}/lists/${id}/items`, query });
      const { items, next_page_token } = pageOf(answer);
      return { items: items.map(listItemOf), next_page_token };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'create_list_item',
    title: 'Add an item to a list',
    description: 'Adds an item with the given columns to a list.',
    idempotency: 'none',
    input: newItem.schema,
    output: ITEM,
    card: (args) => {
      const { list_id: id, fields } = newItem.read(args);
      return [...short('List', id), ...long('Columns', columnLines(fields))];
    },
    observe: {
      condition: null,
      async read(context, args) {
        return { fields: short('List', await fetchListName(context, newItem.read(args))), version: '' };
      },
    },
    async run(context, args) {
      const { site_id: site, list_id: id, fields } = newItem.read(args);
      const path = at`/sites/${site}/lists/${id}/items`;
      return listItemOf(await callSharePoint(context, { method: 'POST', path, json: { fields } }));
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'update_list_item',
    title: 'Change an item of a list',
    description: 'Changes the given columns of an item of a list; the others stay.',
    idempotency: 'natural',
    input: changedItem.schema,
    output: '{id, fields}: the columns as they are now',
    card: (args) => {
      const { list_id: list, item_id: id, fields } = changedItem.read(args);
      return [...short('List', list), ...short('Item', id), ...long('Columns', columnLines(fields))];
    },
    observe: {
      condition: 'If-Match',
      async read(context, args) {
        const changed = changedItem.read(args);
        const found = await fetchListItem(context, changed);
        return { fields: changedColumns(found, changed.fields), ...versionOf(found) };
      },
    },
    async run(context, args) {
      const { site_id: site, list_id: list, item_id: id, fields: json } = changedItem.read(args);
      const path = at`/sites/${site}/lists/${list}/items/${id}/fields`;
      const request = { method: 'PATCH', path, json, headers: ifMatch(context) } as const;
      const { fields } = listItemOf({ fields: await callSharePoint(context, request) });
      return { id, fields: fields ?? {} };
    },
  }),
  defineFunction({
    ...WRITE,
    name: 'delete_list_item',
    title: 'Delete an item of a list',
    description: 'Puts an item of a list into the recycle bin of its site.',
    risk: 'destructive',
    idempotency: 'natural',
    input: oldItem.schema,
    output: '{deleted}: the id',
    card: (args) => {
      const { list_id: list, item_id: id } = oldItem.read(args);
      return [...short('List', list), ...short('Item', id)];
    },
    observe: {
      condition: 'If-Match',
      async read(context, args) {
        const found = await fetchListItem(context, oldItem.read(args));
        const title = textOf(objectOf(found.fields).Title) || undefined;
        const fields = [...short('Title', title), ...short('Address', textOf(found.webUrl))];
        return { fields, ...versionOf(found) };
      },
    },
    async run(context, args) {
      const { site_id: site, list_id: list, item_id: id } = oldItem.read(args);
      const path = at`/sites/${site}/lists/${list}/items/${id}`;
      await callSharePoint(context, { method: 'DELETE', path, headers: ifMatch(context) });
      return { deleted: id };
    },
  }),
];
