/** Calls of Microsoft Graph on sites, their libraries and lists, and the items they answer with. */

import { short } from '../fields.js';
import type { CallContext, CardField, Observation } from '../framework.js';
import { type JsonObject, numberOf, objectOf, textOf, textOrNull } from '../json.js';
import { at, callGraph, type GraphRequest } from '../microsoft/graph.js';

export const SYSTEM = 'SharePoint';

/**
 * The `.All` scopes, although the reference names `Files.Read` and `Files.ReadWrite` as the least: those reach the
 * signed-in person's own OneDrive ("the signed-in user's files"), and this connector works on the libraries of sites.
 */
export const SCOPES = {
  readFiles: 'Files.Read.All',
  writeFiles: 'Files.ReadWrite.All',
  readSites: 'Sites.Read.All',
  writeSites: 'Sites.ReadWrite.All',
} as const;

/** One request, its answer as an object. @throws UpstreamError */
export function callSharePoint(context: CallContext, request: GraphRequest): Promise<JsonObject> {
  return callGraph(context, SYSTEM, request);
}

/** Without `@microsoft.graph.downloadUrl`: it needs no sign-in, so nobody gets to see it. */
export const ITEM_MEMBERS =
  'id,name,size,file,folder,package,parentReference,webUrl,lastModifiedBy,lastModifiedDateTime,eTag';

/** @throws UpstreamError */
export function fetchItem(context: CallContext, driveId: string, itemId: string): Promise<JsonObject> {
  const path = at`/drives/${driveId}/items/${itemId}`;
  return callSharePoint(context, { path, query: { $select: ITEM_MEMBERS } });
}

/** `{drive_id, id, name, type, size, mime_type, child_count, folder, url, modified_by, modified_at, etag}` */
export function itemOf(item: JsonObject): JsonObject {
  const folder = objectOf(item.folder);
  return {
    drive_id: textOf(objectOf(item.parentReference).driveId),
    id: textOf(item.id),
    name: textOf(item.name),
    type: item.folder !== undefined ? 'folder' : item.package !== undefined ? 'package' : 'file',
    size: numberOf(item.size),
    mime_type: textOrNull(objectOf(item.file).mimeType),
    child_count: numberOf(folder.childCount),
    folder: folderOf(item),
    url: textOf(item.webUrl),
    modified_by: personOf(item.lastModifiedBy),
    modified_at: textOrNull(item.lastModifiedDateTime),
    etag: textOf(item.eTag),
  };
}

/** Where an item lies inside its library: `/Plans/May`, `/` for the top. Empty for the top folder itself. */
export function folderOf(item: JsonObject): string {
  const [, path] = textOf(objectOf(item.parentReference).path).split(/\/root:?/, 2);
  if (path === undefined) return '';
  try {
    return decodeURIComponent(path) || '/';
  } catch {
    return path;
  }
}

/** An item and where it is: `/Plans/May.docx`. */
export function placeOf(item: JsonObject): string {
  const folder = folderOf(item);
  if (folder === '') return '/';
  return `${folder === '/' ? '' : folder}/${textOf(item.name)}`;
}

/** Name and address where the identity has them (identitySet): `Cleo Marchetti <cleo@siesta.example>`. */
export function personOf(identities: JsonObject[string] | undefined): string | null {
  const set = objectOf(identities);
  const one = objectOf(set.user ?? set.group ?? set.siteGroup ?? set.siteUser ?? set.application);
  const name = textOf(one.displayName);
  const address = textOf(one.email);
  if (address === '' || address === name) return name || address || null;
  return name === '' ? address : `${name} <${address}>`;
}

/** The item that a write is about, as its approver sees it. */
export async function observeItem(
  context: CallContext,
  { drive_id: driveId, item_id: itemId }: { drive_id: string; item_id: string },
): Promise<Observation> {
  return { fields: itemFields(await fetchItem(context, driveId, itemId)), version: '' };
}

export function itemFields(item: JsonObject): CardField[] {
  return [
    ...short(item.folder === undefined ? 'File' : 'Folder', placeOf(item)),
    ...short('Address', textOf(item.webUrl)),
  ];
}
