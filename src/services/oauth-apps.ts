/** The OAuth server of a connection, and our client there: one per family of providers, or the connection's own. */
import type { ConnectionDocument } from '../../models/types.js';
import type { ClientAuth, OAuthApp, OAuthAuth, OAuthProvider } from '../connectors/framework.js';
import { GrantRefused, type OAuthClient } from '../credentials/oauth-client.js';
import type { Clock } from '../database/clock.js';
import { type CredentialService, oauthAppId, type Secret } from './credentials.js';
import { configOf } from './functions.js';

/** A provider whose client belongs to one connection (REST with OAuth, MCP). */
const OWN = 'connection';

/** Where providers send people back; to be registered there. */
export function redirectUriOf(publicUrl: string): string {
  return `${publicUrl}/oauth/callback`;
}

export class OAuthApps {
  constructor(
    private readonly oauth: OAuthClient,
    private readonly credentials: CredentialService,
    private readonly clock: Clock,
  ) {}

  /** After the operator's overrides. @throws Error for a provider that is not in the catalogue */
  provider(method: OAuthAuth, connection: ConnectionDocument): OAuthProvider {
    return typeof method.provider === 'function'
      ? method.provider(configOf(connection))
      : this.oauth.provider(method.provider);
  }

  /** Whether our client there is the connection's alone. */
  isOwn(provider: OAuthProvider): boolean {
    return provider.family === OWN;
  }

  /** Where the client is kept: `oauth_app:google`, or `oauth_app:con_…`. */
  id(provider: OAuthProvider, connection: Pick<ConnectionDocument, '_id'>): string {
    return oauthAppId(this.isOwn(provider) ? connection._id : provider.family);
  }

  /** The client that an admin entered, or that was registered and has not ended; null while there is none. */
  async app(provider: OAuthProvider, connection: Pick<ConnectionDocument, '_id'>): Promise<OAuthApp | null> {
    const stored = await this.credentials.find(this.id(provider, connection));
    const app = stored && appOf(this.credentials.open(stored));
    return app && !hasEnded(app, this.clock.now()) ? app : null;
  }

  /** @returns whether the server refused a client that it had registered: it is forgotten here, too */
  async noteRefusal(
    provider: OAuthProvider,
    connection: Pick<ConnectionDocument, '_id'>,
    app: OAuthApp,
    error: unknown,
  ): Promise<boolean> {
    const isUnknown = error instanceof GrantRefused && error.reason === 'invalid_client';
    if (!isUnknown || app.registeredUntil === undefined) return false;
    await this.forget(provider, connection, app);
    return true;
  }

  /** A client that was registered and that the server does not know any more; one that replaced it meanwhile stays. */
  async forget(
    provider: OAuthProvider,
    connection: Pick<ConnectionDocument, '_id'>,
    app: OAuthApp,
  ): Promise<void> {
    const id = this.id(provider, connection);
    const stored = await this.credentials.find(id);
    const known = stored && appOf(this.credentials.open(stored));
    const isSame = known?.clientId === app.clientId && known.clientSecret === app.clientSecret;
    if (stored && isSame && known.registeredUntil !== undefined) await this.credentials.removeExactly(stored);
  }
}

/** As they are sealed. */
export function fieldsOf({ clientId, clientSecret, clientAuth, registeredUntil: until }: OAuthApp): Secret {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    ...(clientAuth !== undefined && { client_auth: clientAuth }),
    ...(until !== undefined && { registered_until: until?.toISOString() ?? '' }),
  };
}

function appOf(fields: Secret): OAuthApp {
  const { client_id: clientId = '', client_secret: clientSecret = '', tenant_id: tenantId } = fields;
  const { client_auth: stored, registered_until: until } = fields;
  return {
    clientId,
    clientSecret,
    // Entered without a secret, it is a public one.
    clientAuth: (stored as ClientAuth | undefined) ?? (clientSecret === '' ? 'none' : undefined),
    registeredUntil: until === undefined ? undefined : until === '' ? null : new Date(until),
    tenantId,
  };
}

function hasEnded({ registeredUntil: until }: OAuthApp, now: Date): boolean {
  return until instanceof Date && until <= now;
}
