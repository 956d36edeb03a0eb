/** Grants as the lists show them. Values of arguments are not in them: admins see none. */
import type { GrantList, GrantRow } from '../../../../blocks/grants.js';
import type { GrantDocument } from '../../../../models/types.js';
import { allFunctions } from '../../../services/functions.js';
import { argumentName } from '../../../services/grant-scope.js';
import type { SlackEdge } from '../../edge.js';

/** Those that this person made; an admin sees all. */
export async function grantsFor(edge: SlackEdge, userId: string): Promise<GrantList> {
  const { admin } = await edge.services.roles.of(userId);
  const found = await edge.services.grants.live(admin ? {} : { grantedBy: userId });
  return { rows: await grantRows(edge, found), everybodys: admin };
}

export async function grantsOn(edge: SlackEdge, connectionId: string): Promise<GrantRow[]> {
  return grantRows(edge, await edge.services.grants.live({ connectionId }));
}

async function grantRows(edge: SlackEdge, found: readonly GrantDocument[]): Promise<GrantRow[]> {
  if (found.length === 0) return [];
  const { models, workspaceId, connector } = edge.deps;
  const _id = { $in: [...new Set(found.map(({ connectionId }) => connectionId))] };
  const [connections, callers] = await Promise.all([
    models.connections.find({ workspaceId, _id }).lean(),
    edge.services.callers.list(),
  ]);
  const byId = new Map(connections.map((connection) => [connection._id, connection]));
  const names = new Map(callers.map((caller) => [caller._id, caller.name]));
  return Promise.all(
    found.map(async (grant): Promise<GrantRow> => {
      const connection = byId.get(grant.connectionId);
      const functions = connection ? allFunctions(await connector(connection.connector), connection) : [];
      const scope = (grant.scope ?? []).filter(({ path }) => path !== '');
      return {
        id: grant._id,
        functionTitle: functions.find(({ name }) => name === grant.function)?.title ?? grant.function,
        connectionName: connection?.name ?? grant.connectionId,
        callerName: names.get(grant.callerId) ?? grant.callerId,
        same: scope.flatMap(({ path, kind }) => (kind === 'equals' ? [argumentName(path)] : [])),
        domains: scope.flatMap(({ path, kind, value }) =>
          kind === 'domain' ? [{ name: argumentName(path), domain: value }] : [],
        ),
        grantedBy: grant.grantedBy,
        expiresAt: grant.expiresAt,
        usesLeft: grant.usesLeft,
      };
    }),
  );
}
