/** Where an item is and who sees what is there, as an approver reads it: with reads of their own. */
import { UpstreamError } from '../../errors.js';
import { short } from '../fields.js';
import type { CallContext, CardField } from '../framework.js';
import { type JsonObject, objectsIn, textOf, textsIn } from '../json.js';
import type { Access } from './access.js';
import { ALL_DRIVES, callDrive } from './api.js';
import { targetFields } from './item.js';
import { granteeOf, PERMISSION_FIELDS } from './permission.js';

/** Drive lists as many at once; a folder with more is told to have more. */
const MOST_LISTED = 100;
const MY_DRIVE = 'My Drive';
/** The widest first: whom a reader should not miss. */
const WIDEST: readonly string[] = ['anyone', 'domain', 'group', 'user'];

/** Undefined for what does not exist, or may not be read. */
async function unlessRefused<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UpstreamError && (error.status === 404 || error.code === 'forbidden_upstream'))
      return undefined;
    throw error;
  }
}

/** The name of a folder; its id where the account may not read it. @throws UpstreamError outside the limits, too */
export async function folderName(access: Access, id: string): Promise<string> {
  try {
    return nameOf(await access.item(id, ['id', 'name', 'driveId']));
  } catch (error) {
    if (error instanceof UpstreamError && error.status === 404) return id;
    throw error;
  }
}

/** Drive calls the top folder of each shared drive just "Drive". */
function nameOf({ id, name, driveId }: JsonObject): string {
  return driveId !== undefined && driveId === id ? `Top of the shared drive (${textOf(name)})` : textOf(name);
}

/** The folders that hold the item, by name; nothing of one that the connection may not see. */
export async function whereFields(access: Access, file: JsonObject): Promise<CardField[]> {
  const id = textOf(file.id);
  if (!access.hasVisibleParent(id) || file.driveId === id) return [];
  const parents = textsIn(file.parents);
  if (parents.length === 0) return short('Folder', 'None that this account sees');
  const names = await Promise.all(parents.map((each) => unlessRefused(folderName(access, each))));
  return short(
    'Folder',
    names.map((name) => name ?? 'one that this connection does not see'),
  );
}

/** An item as it is, and where. @param file with `TARGET_FIELDS` */
export async function placedFields(access: Access, file: JsonObject): Promise<CardField[]> {
  return [...targetFields(file), ...(await whereFields(access, file))];
}

/** Who sees what is in a folder; of no folder (the top of My Drive), nobody but the account. */
async function seenBy(context: CallContext, folder: string | undefined): Promise<string> {
  if (folder === undefined) return 'Nobody but this account, until it is shared';
  const answer = await unlessRefused(
    callDrive(context, 'GET', ['files', folder, 'permissions'], {
      query: {
        ...ALL_DRIVES,
        fields: `nextPageToken,permissions(${PERMISSION_FIELDS})`,
        pageSize: String(MOST_LISTED),
      },
    }),
  );
  if (!answer) return 'Drive does not tell this account who';
  const widest = ({ type }: JsonObject): number => WIDEST.indexOf(textOf(type));
  const people = objectsIn(answer.permissions)
    .toSorted((one, other) => widest(one) - widest(other) || (granteeOf(one) < granteeOf(other) ? -1 : 1))
    .map((permission) => `${granteeOf(permission)} (${textOf(permission.role)})`);
  const more = answer.nextPageToken === undefined ? [] : ['… and more'];
  return [...people, ...more].join(', ') || 'Drive lists nobody';
}

/** Where something new goes, and who will see it there. @param id undefined: the top of My Drive */
export async function destinationFields(
  context: CallContext,
  access: Access,
  id: string | undefined,
): Promise<CardField[]> {
  const [name, people] = await Promise.all([
    id === undefined ? MY_DRIVE : folderName(access, id),
    seenBy(context, id),
  ]);
  return [...short('Folder', name), ...short('Seen by', people)];
}
