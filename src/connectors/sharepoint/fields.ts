/** Arguments that several SharePoint functions share. */
import { z } from 'zod';
import { hasControls } from '../fields.js';

/** Of a site: `contoso.sharepoint.com,GUID,GUID`, its host name, or `root`. */
export const siteId = z
  .string()
  .regex(/^[A-Za-z0-9][\w.,-]{0,511}$/, 'is not a site id')
  .describe('id of the site, from search_sites; root for the top site.');
export const driveId = z
  .string()
  .regex(/^[\w!-]{1,512}$/, 'is not a drive id')
  .describe('drive_id of the library, from list_drives.');
export const anyItemId = z.string().regex(/^[\w!-]{1,512}$/, 'is not an item id');
export const itemId = anyItemId.describe('id of the file or folder.');
export const folderId = anyItemId
  .default('root')
  .describe('id of the folder; root for the top of the library.');
export const listId = z.string().regex(/^[\w-]{1,128}$/, 'is not a list id');
export const listItemId = z.string().regex(/^[\w-]{1,64}$/, 'is not a list item id');
export const permissionId = z.string().regex(/^[\w=!-]{1,512}$/, 'is not a permission id');

/**
 * "Restrictions and limitations in OneDrive and SharePoint" (Microsoft support): these characters, spaces at the ends
 * and a closing dot are refused there; a path has at most 400 characters.
 */
function isName(text: string): boolean {
  return !/["*:<>?/\\|]|^\s|[\s.]$|^$/.test(text) && !hasControls(text);
}
const BAD_NAME =
  'must not hold " * : < > ? / \\ | or control characters, nor begin with a space or end with a space or dot';

export const fileName = z.string().min(1).max(255).refine(isName, BAD_NAME);
export const folderPath = z
  .string()
  .min(1)
  .max(400)
  .refine((path) => pathSegments(path).every(isName), `is a path such as Plans/May; its names ${BAD_NAME}`);

export function pathSegments(path: string): string[] {
  return path.replace(/^\/|\/$/g, '').split('/');
}
