/**
 * Creating once: every new item carries the id of the execution that made it, so that a repeat of the request is
 * recognized and an execution whose answer was lost can find what it made.
 */
import { UpstreamError } from '../../errors.js';
import type { CallContext, Reconciled } from '../framework.js';
import { type JsonObject, objectOf, objectsIn, textsIn } from '../json.js';
import { Access } from './access.js';
import { ALL_DRIVES, callDrive } from './api.js';
import { ITEM_FIELDS, isWorkspaceDocument, itemOf } from './item.js';
import { markedQuery } from './query.js';

/** Private to this app; key and value together hold at most 124 bytes (Drive guide, "Add custom file properties"). */
const MARKER = 'siestaExecution';

/** What `createOnce` needs among the metadata. */
export function markerOf(context: CallContext): JsonObject {
  return { appProperties: { [MARKER]: context.executionId } };
}

/**
 * Creates with an id that Drive reserved for us, so that the same request arriving twice creates one item: the
 * second is refused with 409, and what is there is recognized by our marker. Google's own documents take no such
 * id (Drive guide, "Use a pre-generated ID").
 * @throws UpstreamError
 */
export async function createOnce(
  context: CallContext,
  mimeType: string,
  create: (id: string | undefined) => Promise<JsonObject>,
): Promise<JsonObject> {
  if (isWorkspaceDocument(mimeType)) return create(undefined);
  const query = { count: '1', space: 'drive' };
  const id = textsIn((await callDrive(context, 'GET', ['files', 'generateIds'], { query })).ids)[0];
  if (id === undefined) {
    throw new UpstreamError('upstream_rejected', 'Google Drive reserved no id for the new file.', {
      definite: true,
    });
  }
  try {
    return await create(id);
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.status !== 409) throw error;
    return ours(context, id, error);
  }
}

async function ours(context: CallContext, id: string, conflict: UpstreamError): Promise<JsonObject> {
  const query = { ...ALL_DRIVES, fields: [...ITEM_FIELDS, 'appProperties'].join(',') };
  try {
    const found = await callDrive(context, 'GET', ['files', id], { query });
    if (objectOf(found.appProperties)[MARKER] === context.executionId) return found;
  } catch (cause) {
    const message = 'Google Drive says that the item exists already, and it could not be read.';
    throw new UpstreamError('upstream_unavailable', message, { definite: false, cause });
  }
  throw conflict;
}

/** Finds what the execution created by its marker. Drive's search may lag, so finding nothing proves nothing. */
export async function reconcileCreated(context: CallContext): Promise<Reconciled> {
  const { files } = await callDrive(context, 'GET', ['files'], {
    query: {
      ...ALL_DRIVES,
      includeItemsFromAllDrives: 'true',
      corpora: 'allDrives',
      // A later copy of it, made by anybody, carries the marker too.
      orderBy: 'createdTime',
      pageSize: '1',
      q: markedQuery(MARKER, context.executionId),
      fields: `files(${ITEM_FIELDS.join(',')})`,
    },
  });
  const access = new Access(context);
  const [found] = await access.visible(objectsIn(files));
  if (found) return { status: 'applied', result: itemOf(found, access) };
  return { status: 'unknown', reason: 'Google Drive finds no item with the mark of this call (yet).' };
}
