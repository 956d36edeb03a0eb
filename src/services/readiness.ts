/** The readiness list of PRODUCT.md: a connection is a draft until every line is done. Pure. */
import type { ConnectionDocument } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { hasApprover, limitOf, mayDecide, riskOf, type Verdict } from './policy.js';

export interface ReadinessItem {
  readonly id:
    | 'owners'
    | 'purpose'
    | 'credential'
    | 'functions'
    | 'scopes'
    | 'approvers'
    | 'read_test'
    | 'write_test';
  readonly label: string;
  readonly done: boolean;
  /** What to do about it. */
  readonly next: string;
}

export function readiness(
  connection: ConnectionDocument,
  enabled: readonly FunctionDefinition[],
  hasCredential: boolean,
): readonly ReadinessItem[] {
  const decisions = enabled.map((fn) => ({ fn, possible: mayDecide(connection, fn) }));
  const reads = decisions.filter(
    ({ fn, possible }) =>
      riskOf(connection, fn) === 'read' && possible.some(({ effect }) => effect !== 'deny'),
  );
  const asked = decisions.filter(({ possible }) => possible.some(isAskedWrite));
  const unattended = decisions.filter(
    ({ possible }) =>
      connection.identity === 'shared' &&
      // Beyond its limit an allow asks, too.
      possible.some((each) => (isAskedWrite(each) || limitOf(each) !== null) && !hasApprover(each.rule)),
  );
  const item = (id: ReadinessItem['id'], label: string, done: boolean, next: string): ReadinessItem => ({
    id,
    label,
    done,
    next,
  });
  return [
    item(
      'owners',
      'Owner and business owner are named',
      connection.businessOwnerId !== null,
      'Edit the connection',
    ),
    item('purpose', 'Purpose is written', connection.purpose.trim() !== '', 'Edit the connection'),
    item('functions', 'At least one function is turned on', enabled.length > 0, 'Pick functions'),
    item('credential', 'Credential is entered', hasCredential, 'Enter the credential'),
    item(
      'scopes',
      'Scopes were reviewed',
      connection.scopesReviewedAt !== null,
      'Compare granted and needed, then confirm',
    ),
    item(
      'approvers',
      'Every write function has an approver or is blocked',
      unattended.length === 0,
      `Name approvers for ${unattended
        .map(({ fn }) => fn.name)
        .slice(0, 3)
        .join(', ')}`,
    ),
    item(
      'read_test',
      'A read function was tested',
      reads.length === 0 || connection.readTestedAt !== null,
      'Use Test',
    ),
    item(
      'write_test',
      'An approval-protected write was tested end to end',
      asked.length === 0 || connection.writeTestedAt !== null,
      'Let a test caller ask for a write, and approve it',
    ),
  ];
}

function isAskedWrite({ risk, effect }: Pick<Verdict, 'risk' | 'effect'>): boolean {
  return risk !== 'read' && effect === 'ask';
}

export function isReady(items: readonly ReadinessItem[]): boolean {
  return items.every((item) => item.done);
}
