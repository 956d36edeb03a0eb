/** Gathers what the DMs about a member's own identity show, as plain data for `blocks/`. */
import type { AuthorizationDm } from '../../blocks/authorization.js';
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import type { Dependencies } from '../services/dependencies.js';
import { authMethodOf } from '../services/functions.js';
import { coversFurther, furtherHash, furtherLists } from '../services/further-approvers.js';
import type { Services } from '../services/index.js';
import { LINK_LIFETIME_MS } from '../services/links.js';
import { pauseOver } from '../services/recheck.js';
import { REMOVED } from '../services/removed-connections.js';

/** What the DM about one member, connection and caller shows now. A new link is made with each drawing. */
export async function authorizationDm(
  subject: string,
  services: Services,
  deps: Dependencies,
): Promise<AuthorizationDm | null> {
  const [connectionId = '', memberId = '', caller = '-'] = subject.split('|');
  const callerId = caller === '-' ? null : caller;
  const { models, workspaceId } = deps;
  const [connection, authorization, credential, waiting, callerDocument, consent] = await Promise.all([
    models.connections.findOne({ _id: connectionId, workspaceId }).lean(),
    services.members.authorization(connectionId, memberId),
    services.credentials.find(connectionId, memberId),
    services.members.waiting(memberId, connectionId, callerId),
    callerId === null ? null : services.callers.get(callerId),
    callerId === null ? null : services.members.consent(memberId, callerId, connectionId),
  ]);
  if (!connection) return null;
  const connector = await deps.connector(connection.connector);
  const isPrivate = connection.identity === 'private';
  const connected = !isPrivate || (authorization?.status === 'active' && credential?.status === 'active');
  const account = isPrivate ? (authorization?.account ?? null) : null;
  const wanted = callerId === null || waiting.length > 0;
  const frozen = waiting.find(({ frozenAt }) => frozenAt);
  const pause = frozen ? pauseOver(await services.settings.get(), connection, callerDocument, frozen) : null;
  const covers = consent?.status === 'allowed' && coversFurther(consent.furtherHash, connection);
  const state = async (): Promise<AuthorizationDm['state']> => {
    if (connection.status === 'removed') return { kind: 'over', because: REMOVED };
    if (consent?.status === 'refused' && waiting.length === 0) return { kind: 'refused' };
    if (connected && (callerId === null || covers || (consent?.status === 'allowed' && !wanted))) {
      const since = callerId === null ? credential?.rotatedAt : undefined;
      const failed = since ? await services.executions.lackingScopes(memberId, connectionId, since) : [];
      return {
        kind: 'connected',
        account,
        callerAllowed: covers,
        uncovered: await uncoveredFunctions(services, connection, credential),
        failed: failed.map(({ callerName, functionTitle }) => ({ callerName, functionTitle })),
      };
    }
    if (!wanted)
      return { kind: 'over', because: await services.members.lastEnd(memberId, connectionId, callerId) };
    if (connected) return { kind: 'consent', account };
    const link = await connectLink(services, deps, connection, memberId);
    return { kind: 'connect', ...link, again: authorization?.status === 'active' };
  };
  return {
    connectionName: connection.name,
    connectionKey: connection.key,
    connectorTitle: connector.title,
    isPrivate,
    further: furtherLists(connection),
    furtherHash: furtherHash(connection),
    callerName: callerId === null ? null : (callerDocument?.name ?? 'A caller'),
    subject,
    paused: frozen ? { by: pause?.by ?? 'an admin', reason: pause?.reason ?? '' } : null,
    waiting: waiting.map(({ _id, functionTitle, reason }) => ({ executionId: _id, functionTitle, reason })),
    state: await state(),
  };
}

/** A new one-time link at each call: to sign in at the provider, or to type a secret of her own. */
export async function connectLink(
  services: Services,
  deps: Pick<Dependencies, 'connector' | 'clock'>,
  connection: ConnectionDocument,
  memberId: string,
): Promise<{ url: string; expiresAt: Date }> {
  const method = authMethodOf(await deps.connector(connection.connector), connection);
  const purpose = method?.kind === 'oauth' ? 'oauth' : 'secret';
  const url = await services.links.create({ purpose, userId: memberId, connectionId: connection._id });
  return { url, expiresAt: new Date(deps.clock.now().getTime() + LINK_LIFETIME_MS) };
}

/**
 * Titles of the enabled functions that a person's consent left out. Whoever typed a secret answers for what it may
 * do, so nothing is known to be missing there.
 */
export async function uncoveredFunctions(
  services: Pick<Services, 'signIns'>,
  connection: ConnectionDocument,
  credential: Pick<CredentialDocument, 'kind' | 'scopes'> | null,
): Promise<string[]> {
  if (credential?.kind !== 'oauth') return [];
  const missing = await services.signIns.missing(connection, credential.scopes);
  return [...new Set(missing.flatMap(({ functions }) => functions))];
}
