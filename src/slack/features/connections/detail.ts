/** `/connections show KEY`, gathered for whoever looks. */
import type { View } from '@slack/types';
import {
  type ConnectionManagement,
  type ConnectionSummary,
  connectionDetailModal,
  FUNCTIONS_PER_PAGE,
  type FunctionLine,
} from '../../../../blocks/connections/detail.js';
import { group, person } from '../../../../blocks/parts/text.js';
import type { ConnectionDocument, CredentialDocument } from '../../../../models/types.js';
import { catalogueEntry } from '../../../connectors/catalogue.js';
import type { AuthMethod } from '../../../connectors/framework.js';
import { AppError } from '../../../errors.js';
import { definitionSource } from '../../../services/definition-review.js';
import {
  authMethodOf,
  enabledFunctions,
  missingScopes,
  neededScopes,
  plainScope,
} from '../../../services/functions.js';
import { evaluate } from '../../../services/policy.js';
import type { SlackEdge } from '../../edge.js';
import { grantsOn } from '../grants/rows.js';

const DAY_MS = 24 * 3_600_000;

export interface DetailOptions {
  /** mrkdwn of ours. */
  readonly notice?: string;
  readonly functionsFrom?: number;
}

/** @throws AppError `not_found`, also for what this person may not see */
export async function detailView(
  edge: SlackEdge,
  userId: string,
  keyOrId: string,
  { notice, functionsFrom = 0 }: DetailOptions = {},
): Promise<View> {
  const connection = await visible(edge, userId, keyOrId);
  const { roles, members } = edge.services;
  const [{ admin }, mine] = await Promise.all([
    roles.of(userId),
    connection.identity === 'private' ? members.authorization(connection._id, userId) : null,
  ]);
  const manages = admin || connection.ownerId === userId;
  return connectionDetailModal({
    summary: summaryOf(connection, mine?.status === 'active' ? { account: mine.account } : null),
    management: manages ? await managementOf(edge, connection, admin, functionsFrom) : null,
    notice: notice ?? null,
  });
}

/** @throws AppError `not_found` */
export async function visible(edge: SlackEdge, userId: string, keyOrId: string): Promise<ConnectionDocument> {
  const connection = await edge.services.connections.visibleTo(userId, keyOrId);
  if (connection) return connection;
  throw new AppError(
    'not_found',
    `There is no connection “${keyOrId}” that you can see. /connections lists them.`,
  );
}

function summaryOf(connection: ConnectionDocument, mine: ConnectionSummary['mine']): ConnectionSummary {
  const { _id, key, name, identity, purpose, ownerId, businessOwnerId, paused } = connection;
  return {
    id: _id,
    key,
    name,
    connector: catalogueEntry(connection.connector).title,
    identity,
    purpose,
    ownerId,
    businessOwnerId,
    status: connection.status === 'ready' ? 'ready' : 'draft',
    paused,
    mine,
  };
}

export async function authOf(
  edge: SlackEdge,
  connection: ConnectionDocument,
): Promise<AuthMethod | undefined> {
  return authMethodOf(await edge.deps.connector(connection.connector), connection);
}

/** Every function that is on, with what the policy says about it. */
export async function functionLines(
  edge: SlackEdge,
  connection: ConnectionDocument,
): Promise<FunctionLine[]> {
  const connector = await edge.deps.connector(connection.connector);
  return enabledFunctions(connector, connection).map((fn) => {
    const { risk, effect, rule } = evaluate(connection, fn);
    return { name: fn.name, title: fn.title, risk, effect, question: effect === 'ask' ? rule : null };
  });
}

async function managementOf(
  edge: SlackEdge,
  connection: ConnectionDocument,
  admin: boolean,
  from: number,
): Promise<ConnectionManagement> {
  const { connections, credentials, members, apps } = edge.services;
  const connector = await edge.deps.connector(connection.connector);
  const auth = authMethodOf(connector, connection);
  const isPrivate = connection.identity === 'private';
  const provider = auth?.kind === 'oauth' ? apps.provider(auth, connection) : null;
  const entersClient =
    provider !== null && admin && (apps.isOwn(provider) || (await apps.app(provider, connection)) === null);
  const [credential, authorizations, readiness, access] = await Promise.all([
    isPrivate ? null : credentials.find(connection._id),
    isPrivate ? members.authorizationCount(connection._id) : 0,
    connections.readiness(connection),
    accessLines(edge, connection),
  ]);
  const functions = await functionLines(edge, connection);
  const functionsFrom = from < functions.length ? from : 0;
  // What only tells whose account it is, or keeps it connected, is no function's need.
  const base = auth?.kind === 'oauth' ? [...auth.baseScopes, 'offline_access'].map(plainScope) : [];
  const ofFunctions = (scopes: readonly string[]) =>
    scopes.map(plainScope).filter((scope) => !base.includes(scope));
  const needed = ofFunctions(neededScopes(connector, connection));
  const granted = auth?.kind === 'oauth' && credential ? ofFunctions(credential.scopes) : null;
  const isRefused = connection.health === 'needs_reauth' || credential?.status === 'needs_reauth';
  const isLess = granted !== null && missingScopes(needed, granted).length > 0;
  return {
    admin,
    account: credential?.account ?? null,
    signIn: auth?.title ?? connection.auth,
    hasCredential: auth?.kind === 'none' || isPrivate || credential !== null,
    entersCredential: auth?.kind !== 'none' && (!isPrivate || entersClient),
    credential: credential ? ageOf(credential, edge.deps.clock.now()) : null,
    needsReconnect: isRefused ? 'refused' : isLess ? 'scopes' : null,
    health: HEALTH[connection.health],
    lastUsedAt: connection.lastUsedAt,
    authorizations,
    personalAccountOf: await personBehind(edge, credential),
    scopes: { needed, granted },
    scopesReviewedAt: connection.scopesReviewedAt,
    functions: functions.slice(functionsFrom, functionsFrom + FUNCTIONS_PER_PAGE),
    functionsFrom,
    functionsTotal: functions.length,
    functionsFromSource: definitionSource(connector) ?? null,
    access,
    visibility: visibilityText(connection),
    readiness,
    grants: await grantsOn(edge, connection._id),
  };
}

const HEALTH: Record<ConnectionDocument['health'], string> = {
  unknown: 'not known yet',
  ok: 'ok',
  needs_reauth: 'needs reconnect',
  temporarily_failing: 'failing for the moment',
};

function ageOf(credential: CredentialDocument, now: Date): ConnectionManagement['credential'] {
  const { rotatedAt, createdBy } = credential;
  const ageDays = Math.max(0, Math.floor((now.getTime() - rotatedAt.getTime()) / DAY_MS));
  return { since: rotatedAt, ageDays, by: createdBy };
}

/** The member whose own account this is; null also when Slack cannot say. */
async function personBehind(edge: SlackEdge, credential: CredentialDocument | null): Promise<string | null> {
  const account = credential?.account ?? '';
  if (!account.includes('@')) return null;
  const found = await edge.deps.directory.personByEmail(account).catch(() => null);
  return found?.id ?? null;
}

async function accessLines(
  edge: SlackEdge,
  connection: ConnectionDocument,
): Promise<ConnectionManagement['access']> {
  const callers = new Map((await edge.services.callers.list()).map((caller) => [caller._id, caller]));
  return connection.access.flatMap(({ callerId, functions }) => {
    const caller = callers.get(callerId);
    if (!caller) return [];
    const { name, kind, stage } = caller;
    return [{ caller: name, kind, stage, functions: functions?.length ?? null }];
  });
}

function visibilityText({ visibility, status, identity }: ConnectionDocument): string {
  const { everyone, users, usergroups } = visibility;
  const named = [...users.map(person), ...usergroups.map(group)];
  const shown = named.slice(0, 20).join(', ') + (named.length > 20 ? ` and ${named.length - 20} more` : '');
  const who = everyone
    ? 'Everybody in this workspace'
    : `Admins, its owners${named.length > 0 ? `, ${shown}` : ''}`;
  return status === 'draft' && identity === 'shared'
    ? `${who}; while it is a draft, only admins and its owners`
    : who;
}
