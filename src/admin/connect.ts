/** How the operator's command line reaches the services: the app's own database, keys and rules, beside the app. */
import { type Connected, connectServices, openDatabase } from '../bootstrap.js';
import type { Config, SlackConfig } from '../config.js';
import type { Database } from '../database/connect.js';
import { runningMongodUri } from '../database/embedded.js';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { type Directory, DirectoryUnavailable } from '../services/directory.js';
import { createClients } from '../slack/clients.js';
import { SlackDirectory } from '../slack/directory.js';

/** A person waits at the terminal; the app itself would wait on. */
const DATABASE_WAIT_MS = 15_000;
/** The playground's only workspace. */
const PLAYGROUND_WORKSPACE = 'T0SIESTA';

/**
 * Services of one workspace. Joins the embedded database of a running app; starts it for the time of the command when
 * none runs.
 * @param workspaceId the one asked for, if any
 * @throws AppError `unavailable` | `invalid_arguments`
 */
export async function connect(config: Config, workspaceId: string | null, log: Logger): Promise<Connected> {
  const mongodbUri = config.mongodbUri ?? (await runningMongodUri(config.dataDir));
  const opened = await openDatabase({ ...config, mongodbUri }, log, patience()).catch((error: unknown) => {
    if (!(error instanceof DOMException)) throw error;
    throw new AppError('unavailable', 'The database cannot be reached.', { cause: error });
  });
  try {
    const workspace = await workspaceOf(config, workspaceId, opened.database);
    const connected = await connectServices(config, opened.database, workspace, log);
    const close = async (): Promise<void> => {
      await connected.close();
      await opened.close();
    };
    return { ...connected, close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function patience(): AbortSignal {
  return AbortSignal.timeout(DATABASE_WAIT_MS);
}

async function workspaceOf(
  config: Config,
  asked: string | null,
  database: Database,
): Promise<{ id: string; directory: Directory }> {
  if (config.slack) {
    const { fast } = createClients(config.slack);
    const id = asked ?? (await teamOf(config.slack));
    return { id, directory: new SlackDirectory(fast, id) };
  }
  return { id: asked ?? (await onlyWorkspace(database)), directory: new NoDirectory() };
}

async function teamOf(slack: SlackConfig): Promise<string> {
  const problem = 'Slack does not say which workspace the token is for. Name it with --workspace.';
  const answer = await createClients(slack)
    .patient.auth.test()
    .catch((cause: unknown) => {
      throw new AppError('unavailable', problem, { cause });
    });
  if (answer.team_id) return answer.team_id;
  throw new AppError('unavailable', problem);
}

/** Without Slack, the database says which workspace it serves. */
async function onlyWorkspace({ connection }: Database): Promise<string> {
  const collections = ['settings', 'connections', 'callers'].map((name) => connection.collection(name));
  const found = await Promise.all(collections.map((each) => each.distinct('workspaceId')));
  const ids = [...new Set(found.flat().map(String))];
  if (ids.length > 1) {
    const message = `The database holds several workspaces (${ids.join(', ')}). Name one with --workspace.`;
    throw new AppError('invalid_arguments', message, { path: '/workspace' });
  }
  return ids[0] ?? PLAYGROUND_WORKSPACE;
}

/** Without Slack tokens nobody can be asked who is who; what needs to know refuses. */
class NoDirectory implements Directory {
  person(id: string): Promise<never> {
    return Promise.reject(new DirectoryUnavailable(`the user ${id}`));
  }
  personByEmail(): Promise<never> {
    return Promise.reject(new DirectoryUnavailable('a user by email'));
  }
  groupMembers(groupId: string): Promise<never> {
    return Promise.reject(new DirectoryUnavailable(`the members of the group ${groupId}`));
  }
  managerOf(userId: string): Promise<never> {
    return Promise.reject(new DirectoryUnavailable(`the manager of ${userId}`));
  }
}
