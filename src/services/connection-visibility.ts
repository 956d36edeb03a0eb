import type { ConnectionDocument } from '../../models/types.js';
import type { Directory } from './directory.js';

/**
 * Whether somebody who is no admin sees a connection: its owners always, others when it is ready and they are among those
 * it was narrowed to. A private one is seen before, because members authorize it first.
 * @throws DirectoryUnavailable
 */
export async function maySee(
  connection: ConnectionDocument,
  userId: string,
  directory: Pick<Directory, 'groupMembers'>,
): Promise<boolean> {
  if (connection.ownerId === userId || connection.businessOwnerId === userId) return true;
  if (connection.status !== 'ready' && connection.identity === 'shared') return false;
  const { everyone, users, usergroups } = connection.visibility;
  if (everyone || users.includes(userId)) return true;
  for (const group of usergroups) {
    if ((await directory.groupMembers(group)).includes(userId)) return true;
  }
  return false;
}
