/** The functions that a caller may use, as shared/CONTRACT.md lists them. */
import type { CallerDocument } from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import { enabledFunctions } from './functions.js';
import { evaluate } from './policy.js';
import { hasAccess } from './recheck.js';

export interface ListedFunction {
  readonly name: string;
  readonly connection: string;
  readonly function: string;
  readonly title: string;
  readonly description: string;
  readonly risk: 'read' | 'write' | 'destructive';
  readonly requirement: 'none' | 'required' | 'blocked';
  readonly input_schema: Readonly<Record<string, unknown>>;
}

export async function functionsOf(
  caller: CallerDocument,
  deps: Pick<Dependencies, 'models' | 'workspaceId' | 'connector'>,
): Promise<ListedFunction[]> {
  const connections = await deps.models.connections
    .find({
      workspaceId: deps.workspaceId,
      status: { $in: caller.stage === 'production' ? ['ready'] : ['draft', 'ready'] },
      'access.callerId': caller._id,
    })
    .sort({ key: 1 })
    .lean();
  const loaded = await Promise.all(
    connections.map(async (connection) => ({
      connection,
      connector: await deps.connector(connection.connector),
    })),
  );
  return loaded.flatMap(({ connection, connector }) =>
    enabledFunctions(connector, connection)
      .filter((fn) => hasAccess(connection, caller._id, fn.name))
      .map((fn) => {
        const { risk, effect } = evaluate(connection, fn);
        return {
          name: `${connection.key}__${fn.name}`,
          connection: connection.key,
          function: fn.name,
          title: fn.title,
          description: fn.description,
          risk,
          requirement: ({ allow: 'none', ask: 'required', deny: 'blocked' } as const)[effect],
          input_schema: fn.input.jsonSchema,
        };
      }),
  );
}
