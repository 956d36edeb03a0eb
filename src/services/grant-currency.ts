/** Which grants still answer something: those made under what holds now. */
import type { ConnectionDocument, GrantDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import { definitionHashOf, enabledFunction } from './functions.js';

type Needs = Pick<Dependencies, 'models' | 'workspaceId' | 'connector'>;

export const MOST_LISTED = 200;

/** Neither revoked, nor over, nor used up. */
export function usableAt(at: Date) {
  return {
    revokedAt: null,
    expiresAt: { $gt: at },
    $or: [{ usesLeft: null }, { usesLeft: { $gt: 0 } }],
  };
}

/** Those of these that still answer something, newest first; three questions to the database, however many there are. */
export async function liveGrants(
  of: Partial<Pick<GrantDocument, 'grantedBy' | 'connectionId' | 'callerId' | 'function' | 'executionId'>>,
  deps: Needs & Pick<Dependencies, 'clock'>,
): Promise<GrantDocument[]> {
  const { models, workspaceId, clock } = deps;
  const found = await models.grants
    .find({ workspaceId, ...of, ...usableAt(clock.now()) })
    .sort({ createdAt: -1 })
    .limit(MOST_LISTED)
    .lean();
  return stillCurrent(found, deps);
}

/** In their order. */
async function stillCurrent(found: readonly GrantDocument[], deps: Needs): Promise<GrantDocument[]> {
  if (found.length === 0) return [];
  const { models, workspaceId } = deps;
  const ids = [...new Set(found.map(({ connectionId }) => connectionId))];
  const subjects = [...new Set(found.map(({ subject }) => subject ?? ''))];
  const [connections, credentials] = await Promise.all([
    models.connections.find({ workspaceId, _id: { $in: ids } }).lean(),
    models.credentials
      .find(
        { workspaceId, connectionId: { $in: ids }, subject: { $in: subjects } },
        { connectionId: 1, subject: 1, generation: 1 },
      )
      .lean(),
  ]);
  const byId = new Map(connections.map((each) => [each._id, each]));
  const generations = new Map(
    credentials.map((each) => [`${each.connectionId}|${each.subject}`, each.generation]),
  );
  const standing = await Promise.all(
    found.map((grant) => {
      const connection = byId.get(grant.connectionId);
      const generation = generations.get(`${grant.connectionId}|${grant.subject ?? ''}`) ?? 0;
      return connection ? isCurrent(grant, connection, generation, deps) : false;
    }),
  );
  return found.filter((_, index) => standing[index]);
}

async function isCurrent(
  grant: GrantDocument,
  connection: ConnectionDocument,
  generation: number,
  { connector: load }: Needs,
): Promise<boolean> {
  if (connection.status === 'removed' || connection.policy.version !== grant.policyVersion) return false;
  const connector = await load(connection.connector);
  const fn = enabledFunction(connector, connection, grant.function);
  if (!fn || definitionHashOf(connector, connection, fn) !== grant.definitionHash) return false;
  return (connection.auth === 'none' ? 0 : generation) === grant.credentialGeneration;
}
