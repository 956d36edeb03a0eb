/** What an admin has entered so far while a connection is added or its functions are imported anew. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { ImportedOperation } from '../connectors/rest/index.js';
import { upserting } from '../database/duplicate-key.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { NewConnection } from './connections.js';
import type { Dependencies } from './dependencies.js';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** A form that lay open for longer is begun again. */
const LIFETIME_MS = 4 * 3_600_000;
/** A MongoDB document ends at 16 MB; GitHub's whole API takes one or two of these. */
const LARGEST_CONTENT = 15 * 1024 * 1024;

export interface ConnectionDraft {
  readonly id: string;
  /** The connection whose functions were read again; null for one that is being added. */
  readonly connectionId: string | null;
  /** The connection's own `rev` when it was compared; null for one that is being added. */
  readonly rev: number | null;
  readonly input: NewConnection;
  /** Every operation of an imported document; null where the connector brings its own functions. */
  readonly operations: readonly ImportedOperation[] | null;
  /** What the import could not use. */
  readonly notes: readonly string[];
  /** What an admin should know about signing in. */
  readonly remarks: readonly string[];
  readonly picked: readonly string[];
  /** A remark on the name. */
  readonly warning: string | null;
}

/** Drafts belong to whoever began them and are nobody else's to see. */
export class ConnectionDrafts {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>) {}

  /** @throws AppError `invalid_arguments` when the imported document is too large to keep */
  async save(
    userId: string,
    draft: Omit<ConnectionDraft, 'id'>,
    id = newId('draft'),
  ): Promise<ConnectionDraft> {
    const { models, workspaceId, clock } = this.deps;
    const content = (await pack(JSON.stringify(draft))).toString('base64');
    if (content.length > LARGEST_CONTENT) {
      const message =
        'The document describes more than can be kept. Import one with the operations that you need.';
      throw new AppError('invalid_arguments', message, { path: '/openapi' });
    }
    const expiresAt = new Date(clock.now().getTime() + LIFETIME_MS);
    const document = { _id: id, workspaceId, userId, content, expiresAt };
    await upserting(() =>
      models.connectionDrafts.replaceOne({ _id: id, workspaceId, userId }, document, { upsert: true }),
    );
    return { ...draft, id };
  }

  /** @throws AppError `not_found` when it is somebody else's, used or too old */
  async get(userId: string, id: string): Promise<ConnectionDraft> {
    const { models, workspaceId } = this.deps;
    const found = await models.connectionDrafts.findOne({ _id: id, workspaceId, userId }).lean();
    if (!found) {
      throw new AppError('not_found', 'This form has expired or was finished already. Begin again.');
    }
    const text = (await unpack(Buffer.from(found.content, 'base64'))).toString('utf8');
    return { ...(JSON.parse(text) as Omit<ConnectionDraft, 'id'>), id };
  }

  /** True for the one who takes it: a form that is sent twice makes one connection. */
  async take(userId: string, id: string): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    const gone = await models.connectionDrafts.deleteOne({ _id: id, workspaceId, userId });
    return gone.deletedCount === 1;
  }
}
