/** Who may be given a part: owner, approver, admin. */
import { AppError } from '../errors.js';
import type { Directory } from './directory.js';

/**
 * Everybody named is a present member of this workspace: no bot, no guest, nobody of another workspace.
 * @throws AppError `invalid_arguments` with `path`; DirectoryUnavailable
 */
export async function requireMembers(
  directory: Directory,
  ids: readonly string[],
  path: string,
): Promise<void> {
  const people = await Promise.all(
    [...new Set(ids)].map(async (id) => ({ id, person: await directory.person(id) })),
  );
  for (const { id, person } of people) {
    if (person?.active && !person.isBot && !person.outsider) continue;
    const name = person?.name ?? id;
    const why = person?.isBot
      ? 'is an app'
      : person?.outsider
        ? 'is a guest or of another workspace'
        : 'is not active here any more';
    throw new AppError('invalid_arguments', `${name} ${why}. Choose somebody else.`, { path });
  }
}
