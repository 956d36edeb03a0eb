/** Consent that does not reach: who is asked for more, and in which words. */
import { type ConnectionDocument, SHARED, type Subject } from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import type { Dependencies } from './dependencies.js';
import { plainScope } from './functions.js';
import type { MemberService } from './members.js';
import { isFirstWithin } from './once-in-a-while.js';
import type { OutboxService } from './outbox.js';

const QUIET_MS = 3_600_000;

export class ScopeService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId' | 'clock'>,
    private readonly members: MemberService,
    private readonly outbox: OutboxService,
  ) {}

  /** For the caller and whoever looks at the execution. */
  explain(
    connection: ConnectionDocument,
    fn: Pick<FunctionDefinition, 'title'>,
    gap: readonly string[],
  ): string {
    const scopes = gap.map((scope) =>
      plainScope(scope).replace(/^https:\/\/www\.googleapis\.com\/auth\//, ''),
    );
    const who = connection.identity === 'private' ? 'The member' : 'Its owner';
    return (
      `“${fn.title}” needs more scopes than “${connection.name}” was granted` +
      `${scopes.length > 0 ? ` (${scopes.join(', ')})` : ''}. ${who} has been asked to reconnect. Nothing was sent.`
    );
  }

  /**
   * A DM with a Reconnect button: to the member whose identity it is, or to the owner. Once an hour, however many calls;
   * what is missing after a new consent is news.
   */
  async ask(connection: ConnectionDocument, subject: Subject): Promise<void> {
    const { models, workspaceId } = this.deps;
    const identity = { workspaceId, connectionId: connection._id, subject };
    const consent = await models.credentials.findOne(identity, { generation: 1 }).lean();
    const what = `scopes:${connection._id}:${subject}:${consent?.generation ?? 0}`;
    if (!(await isFirstWithin(this.deps, QUIET_MS, what))) return;
    if (subject !== SHARED) {
      await this.members.ask(connection._id, subject, null);
      return;
    }
    const { key: connectionKey, ownerId } = connection;
    await this.outbox.notify(ownerId, { kind: 'needs_more_scopes', connectionKey });
  }
}
