/** A connection to records, and callers that may use it. */
import type { PolicyRule } from '../../models/types.js';
import type { Connected } from '../../src/bootstrap.js';
import { importOpenApi } from '../../src/connectors/rest/index.js';
import type { Records } from './records.js';
import { RECORDS_DOCUMENT } from './records.js';

const ADA = { kind: 'user', id: 'U0ADA' } as const;

export interface SeededRecords {
  readonly connectionId: string;
  readonly key: string;
  readonly callerId: string;
  readonly token: string;
}

export async function seedRecords(
  { services }: Pick<Connected, 'services'>,
  records: Records,
  name: string,
  rule: Partial<PolicyRule> = {},
): Promise<SeededRecords> {
  const { operations, documentHash } = await importOpenApi(RECORDS_DOCUMENT);
  const connection = await services.connections.create(ADA, {
    connector: 'rest',
    identity: 'shared',
    name,
    purpose: 'Agents keep records',
    ownerId: 'U0ADA',
    businessOwnerId: 'U0DANA',
    auth: 'none',
    config: {
      base_url: records.origin,
      operations: operations.map((operation) => ({ ...operation })),
      document_hash: documentHash,
    },
    enabledFunctions: operations.map((operation) => operation.name),
    rules: [
      {
        id: 'writes',
        functions: null,
        risks: ['write', 'destructive'],
        effect: 'ask',
        approvers: { users: ['U0BEN'], usergroups: [], connectionOwner: false },
        quorum: 1,
        route: null,
        expiresInMinutes: 60,
        ...rule,
      },
    ],
  });
  const { caller, token } = await services.callers.create(ADA, {
    name: `${name} agent`,
    kind: 'agent',
    ownerId: 'U0ADA',
    stage: 'test',
  });
  const current = await services.connections.find(connection._id);
  if (!current) throw new Error('the connection is gone');
  await services.connections.setAccess(ADA, current, [{ callerId: caller._id, functions: null }]);
  return { connectionId: connection._id, key: connection.key, callerId: caller._id, token };
}
