/** Items of Drive as callers name them and get them. Pure. */
import { z } from 'zod';
import { short } from '../fields.js';
import type { CardField, JsonValue } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textOf, textOrNull, textsIn } from '../json.js';
import type { Access } from './access.js';

export const FOLDER = 'application/vnd.google-apps.folder';
export const SHORTCUT = 'application/vnd.google-apps.shortcut';
const WORKSPACE = 'application/vnd.google-apps.';

/** Words that stand for other endpoints where an id stands: `DELETE files/trash` empties the trash. */
const RESERVED: readonly string[] = ['trash', 'generateIds', 'generateCseToken', 'watch'];

/** Id of a file, a folder or a shared drive; `root` is the top of My Drive. */
export const itemId = z
  .string()
  .regex(/^[\w-]{4,200}$/, 'is not an id of Google Drive')
  .refine((id) => !RESERVED.includes(id), 'is not an id of Google Drive');

export const mediaType = z
  .string()
  .max(200)
  .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/, 'is not a media type such as text/plain');

/** Everything that results show; fixed, so that no caller can ask for more. */
export const ITEM_FIELDS = [
  'id',
  'name',
  'mimeType',
  'parents',
  'driveId',
  'size',
  'createdTime',
  'modifiedTime',
  'trashed',
  'description',
  'webViewLink',
  'owners(emailAddress)',
  'shortcutDetails(targetId)',
] as const;

export const ITEM_OUTPUT =
  '{id, name, mime_type, parent_id, drive_id, size, created_at, modified_at, trashed, description, owners, target_id, link}';

/** `ITEM_OUTPUT`; sizes in bytes, null where Drive says nothing. */
export function itemOf(file: JsonObject, access: Access): JsonObject {
  const id = textOf(file.id);
  return {
    id,
    name: textOf(file.name),
    mime_type: textOf(file.mimeType),
    parent_id: access.hasVisibleParent(id) ? (textsIn(file.parents)[0] ?? null) : null,
    drive_id: textOrNull(file.driveId),
    size: sizeOf(file),
    created_at: textOrNull(file.createdTime),
    modified_at: textOrNull(file.modifiedTime),
    trashed: file.trashed === true,
    description: textOf(file.description),
    owners: objectsIn(file.owners).map((owner) => textOf(owner.emailAddress)),
    target_id: textOrNull(objectOf(file.shortcutDetails).targetId),
    link: textOrNull(file.webViewLink),
  };
}

/** Drive writes sizes as text (int64). */
export function sizeOf(file: JsonObject): number | null {
  const size = textOf(file.size);
  return /^\d{1,15}$/.test(size) ? Number(size) : null;
}

/** Docs, Sheets and the like have no bytes of their own: they are exported. */
export function isWorkspaceDocument(mimeType: string): boolean {
  return mimeType.startsWith(WORKSPACE) && mimeType !== FOLDER && mimeType !== SHORTCUT;
}

/** What an approver is told about an item. */
export const TARGET_FIELDS = [
  'id',
  'name',
  'mimeType',
  'parents',
  'driveId',
  'modifiedTime',
  'headRevisionId',
] as const;

export function targetFields(file: JsonObject): CardField[] {
  return [...short('Name', textOf(file.name)), ...short('Kind', kindOf(file))];
}

/** The content as it is: its head revision, or for what has none the time of its last change. */
export function versionOf(file: JsonObject): string {
  return textOf(file.headRevisionId) || textOf(file.modifiedTime);
}

function kindOf(file: JsonObject): string {
  const mimeType = textOf(file.mimeType);
  // Its top folder has its id; Drive calls each of them just "Drive".
  if (file.driveId !== undefined && file.driveId === file.id) return 'Whole shared drive';
  if (mimeType === FOLDER) return 'Folder';
  if (mimeType.startsWith(WORKSPACE)) return `Google ${mimeType.slice(WORKSPACE.length)}`;
  return mimeType;
}

export function pageEnd(answer: JsonObject): { next_page_token: JsonValue } {
  return { next_page_token: textOrNull(answer.nextPageToken) };
}
