/**
 * People who run a function by hand. Such a call goes the way of every caller's: the same policy, the same approvals,
 * the same checks before it runs. Its caller is the person herself, under an id that no token has.
 *
 * On a shared connection that is for admins and the connection's owner: who sees that a connection exists may not
 * therefore use its account. A private connection is used by the member whose own account it is.
 */
import type { CallerDocument, ConnectionDocument } from '../../models/types.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import type { MemberService } from './members.js';
import { personCallerId } from './person-caller-id.js';
import type { RoleService } from './roles.js';

/** What a call has to know about who makes it. */
export type CallerIdentity = Pick<CallerDocument, '_id' | 'name' | 'ownerId' | 'stage' | 'status' | 'paused'>;

export class PersonCallers {
  constructor(
    private readonly deps: Pick<Dependencies, 'directory'>,
    private readonly connections: ConnectionService,
    private readonly members: MemberService,
    private readonly roles: RoleService,
  ) {}

  /** Connections whose functions she may run by hand, by name. @throws DirectoryUnavailable */
  async connectionsOf(userId: string): Promise<readonly ConnectionDocument[]> {
    const [visible, { admin }, authorizations] = await Promise.all([
      this.connections.list(userId),
      this.roles.of(userId),
      this.members.authorizationsOf(userId),
    ]);
    const own = new Set(authorizations.map(({ connectionId }) => connectionId));
    return visible.filter(({ _id, identity, ownerId }) =>
      identity === 'private' ? own.has(_id) : admin || ownerId === userId,
    );
  }

  /** Herself as a caller of this connection; null when she may not. @throws DirectoryUnavailable */
  async of(userId: string, connection: ConnectionDocument): Promise<CallerIdentity | null> {
    const person = await this.deps.directory.person(userId, 'decision');
    if (!person?.active || person.isBot || person.outsider) return null;
    if (!(await this.mayRun(userId, connection))) return null;
    return {
      _id: personCallerId(userId),
      name: `${person.name}, by hand`,
      ownerId: userId,
      // A draft is for whoever looks after it to try.
      stage: 'test',
      status: 'active',
      paused: null,
    };
  }

  private async mayRun(userId: string, connection: ConnectionDocument): Promise<boolean> {
    if (connection.identity === 'private') {
      return (await this.members.authorization(connection._id, userId))?.status === 'active';
    }
    return connection.ownerId === userId || (await this.roles.of(userId)).admin;
  }
}
