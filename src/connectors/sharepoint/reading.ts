/** SharePoint functions that find sites, libraries and the files in them. */
import { z } from 'zod';
import { input, oneLine, pageSize, short } from '../fields.js';
import { defineFunction, type FunctionDefinition } from '../framework.js';
import { compact, type JsonObject, numberOf, objectOf, objectsIn, textOf, textOrNull } from '../json.js';
import { at, graphPageToken, pageOf, pageQuery, skipOf, skipToken } from '../microsoft/graph.js';
import { callSharePoint, fetchItem, ITEM_MEMBERS, itemOf, personOf, SCOPES } from './api.js';
import { anyItemId, driveId, folderPath, itemId, pathSegments, siteId } from './fields.js';

const page = { max_results: pageSize(200), page_token: z.exactOptional(graphPageToken) };

const sites = input(
  z.strictObject({ search: oneLine(256).describe('Words of the title or address of a site.'), ...page }),
);
const oneSite = input(
  z.strictObject({
    site_id: siteId,
    path: z
      .exactOptional(folderPath)
      .describe('With a host name as site_id: the path of the site, for example sites/marketing.'),
  }),
);
const siteDrives = input(z.strictObject({ site_id: siteId, ...page }));
const folder = input(
  z
    .strictObject({
      drive_id: driveId,
      folder_id: z.exactOptional(anyItemId),
      path: z.exactOptional(folderPath).describe('Instead of folder_id: a path such as Plans/May.'),
      ...page,
    })
    .refine(
      (args) => args.folder_id === undefined || args.path === undefined,
      'takes folder_id or path, not both',
    ),
);
const oneItem = input(z.strictObject({ drive_id: driveId, item_id: itemId }));
const driveSearch = input(
  z.strictObject({
    drive_id: driveId,
    query: oneLine(256)
      .regex(/^[^/\\]*$/, 'must not hold a slash')
      .describe('Words of the name, the properties or the content of a file.'),
    ...page,
  }),
);
/** `size` of a search: at most 500 there, 50 here. */
const content = input(
  z.strictObject({
    query: z.string().min(1).max(1_024).describe('A KQL query, for example: budget AND filetype:xlsx'),
    entity_types: z
      .array(z.enum(['driveItem', 'listItem', 'list', 'site', 'drive']))
      .min(1)
      .max(5)
      .default(['driveItem']),
    max_results: pageSize(50),
    page_token: z.exactOptional(graphPageToken),
  }),
);

function siteOf(site: JsonObject): JsonObject {
  return {
    id: textOf(site.id),
    title: textOf(site.displayName) || textOf(site.name),
    description: textOf(site.description),
    url: textOf(site.webUrl),
    modified_at: textOrNull(site.lastModifiedDateTime),
  };
}

function driveOf(drive: JsonObject): JsonObject {
  return {
    drive_id: textOf(drive.id),
    name: textOf(drive.name),
    type: textOf(drive.driveType),
    description: textOf(drive.description),
    url: textOf(drive.webUrl),
  };
}

/** A hit's summary marks what matched: `<c0>budget</c0> of <ddd/>`. */
function hitOf(hit: JsonObject): JsonObject {
  const resource = objectOf(hit.resource);
  const parent = objectOf(resource.parentReference);
  return {
    type: textOf(resource['@odata.type']).replace('#microsoft.graph.', ''),
    id: textOf(resource.id) || textOf(hit.hitId),
    drive_id: textOrNull(parent.driveId),
    site_id: textOrNull(parent.siteId),
    name: textOf(resource.name) || textOf(resource.displayName),
    url: textOf(resource.webUrl),
    summary: textOf(hit.summary)
      .replace(/<ddd ?\/>/g, '…')
      .replace(/<\/?c\d+>/g, ''),
    modified_by: personOf(resource.lastModifiedBy),
    modified_at: textOrNull(resource.lastModifiedDateTime),
  };
}

const READ = {
  risk: 'read',
  approval: 'auto',
  idempotency: 'natural',
  scopes: [SCOPES.readFiles],
} as const satisfies Partial<FunctionDefinition>;
const ITEM =
  '{drive_id, id, name, type, size, mime_type, child_count, folder, url, modified_by, modified_at, etag}';

export const readingFunctions: readonly FunctionDefinition[] = [
  defineFunction({
    ...READ,
    name: 'search_sites',
    title: 'Search sites',
    description: 'Finds SharePoint sites by words of their title or address.',
    scopes: [SCOPES.readSites],
    input: sites.schema,
    output: '{sites: [{id, title, description, url, modified_at}], next_page_token}',
    card: (args) => short('Search', sites.read(args).search),
    async run(context, args) {
      const { search, max_results: top, page_token: token } = sites.read(args);
      const query = { search, $top: String(top), ...pageQuery(token) };
      const { items, next_page_token } = pageOf(await callSharePoint(context, { path: '/sites', query }));
      return { sites: items.map(siteOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_site',
    title: 'Read a site',
    description: 'Title, address and id of a site, by its id or by host name and path.',
    scopes: [SCOPES.readSites],
    input: oneSite.schema,
    output: '{id, title, description, url, modified_at}',
    card: (args) => [...short('Site', oneSite.read(args).site_id), ...short('Path', oneSite.read(args).path)],
    async run(context, args) {
      const { site_id: site, path } = oneSite.read(args);
      const where = path === undefined ? at`/sites/${site}` : at`/sites/${site}:/${pathSegments(path)}`;
      return siteOf(await callSharePoint(context, { path: where }));
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_content',
    title: 'Search everywhere',
    description: 'Finds files, list items, lists and sites by what is in them, across all sites.',
    scopes: [SCOPES.readSites],
    input: content.schema,
    output:
      '{hits: [{type, id, drive_id, site_id, name, url, summary, modified_by, modified_at}], total, next_page_token}',
    card: (args) => [
      ...short('Search', content.read(args).query),
      ...short('For', content.read(args).entity_types),
    ],
    async run(context, args) {
      const { query, entity_types: entityTypes, max_results: size, page_token: token } = content.read(args);
      const from = skipOf(token);
      const region = textOf(context.config.region) || undefined;
      const request = compact({ entityTypes, query: { queryString: query }, from, size, region });
      const json = { requests: [request] };
      const answer = await callSharePoint(context, { method: 'POST', path: '/search/query', json });
      const [found = {}] = objectsIn(objectOf(objectsIn(answer.value)[0]).hitsContainers);
      return {
        hits: objectsIn(found.hits).map(hitOf),
        total: numberOf(found.total),
        next_page_token: found.moreResultsAvailable === true ? skipToken(from + size) : null,
      };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_drives',
    title: 'List libraries',
    description: 'The document libraries of a site.',
    input: siteDrives.schema,
    output: '{drives: [{drive_id, name, type, description, url}], next_page_token}',
    card: (args) => short('Site', siteDrives.read(args).site_id),
    async run(context, args) {
      const { site_id: site, max_results: top, page_token: token } = siteDrives.read(args);
      const query = { $top: String(top), ...pageQuery(token) };
      const answer = await callSharePoint(context, { path: at`/sites/${site}/drives`, query });
      const { items, next_page_token } = pageOf(answer);
      return { drives: items.map(driveOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'list_folder',
    title: 'List a folder',
    description: 'Files and folders in a folder of a library, by its id or its path; the top without either.',
    input: folder.schema,
    output: `{items: [${ITEM}], next_page_token}`,
    card: (args) => {
      const { folder_id: id, path } = folder.read(args);
      return short('Folder', path ?? id ?? 'root');
    },
    async run(context, args) {
      const {
        drive_id: drive,
        folder_id: id = 'root',
        path,
        max_results: top,
        page_token: token,
      } = folder.read(args);
      const where =
        path === undefined
          ? at`/drives/${drive}/items/${id}/children`
          : at`/drives/${drive}/root:/${pathSegments(path)}:/children`;
      const query = { $select: ITEM_MEMBERS, $top: String(top), ...pageQuery(token) };
      const { items, next_page_token } = pageOf(await callSharePoint(context, { path: where, query }));
      return { items: items.map(itemOf), next_page_token };
    },
  }),
  defineFunction({
    ...READ,
    name: 'get_item',
    title: 'Look at a file or folder',
    description: 'Name, size, place and version of a file or folder; not its content.',
    input: oneItem.schema,
    output: ITEM,
    card: (args) => short('Item', oneItem.read(args).item_id),
    async run(context, args) {
      const { drive_id: drive, item_id: item } = oneItem.read(args);
      return itemOf(await fetchItem(context, drive, item));
    },
  }),
  defineFunction({
    ...READ,
    name: 'search_drive',
    title: 'Search a library',
    description: 'Finds files and folders of one library by name or content.',
    input: driveSearch.schema,
    output: `{items: [${ITEM}], next_page_token}`,
    card: (args) => short('Search', driveSearch.read(args).query),
    async run(context, args) {
      const { drive_id: drive, query: words, max_results: top, page_token: token } = driveSearch.read(args);
      // A quote inside an OData string is written twice (OData 4.01, URL conventions, 5.1.1.14.1).
      const path = at`/drives/${drive}/root/search(q='${words.replaceAll("'", "''")}')`;
      const query = { $select: ITEM_MEMBERS, $top: String(top), ...pageQuery(token) };
      const { items, next_page_token } = pageOf(await callSharePoint(context, { path, query }));
      return { items: items.map(itemOf), next_page_token };
    },
  }),
];
