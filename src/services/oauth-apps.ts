/** The OAuth server of a connection, and our client there: one per family of providers, or the connection's own. */
import type { ConnectionDocument } from '../../models/types.js';
import type { ClientAuth, OAuthApp, OAuthAuth, OAuthProvider } from '../connectors/framework.js';
import type { OAuthClient } from '../credentials/oauth-client.js';
import { type CredentialService, oauthAppId } from './credentials.js';
import { configOf } from './functions.js';

/** A provider whose client belongs to one connection (REST with OAuth). */
const OWN = 'connection';

export class OAuthApps {
  constructor(
    private readonly oauth: OAuthClient,
    private readonly credentials: CredentialService,
  ) {}

  /** After the operator's overrides. @throws Error for a provider that is not in the catalogue */
  provider(method: OAuthAuth, connection: ConnectionDocument): OAuthProvider {
    return typeof method.provider === 'function'
      ? method.provider(configOf(connection))
      : this.oauth.provider(method.provider);
  }

  /** Where the client is kept: `oauth_app:google`, or `oauth_app:con_…`. */
  id(provider: OAuthProvider, connection: Pick<ConnectionDocument, '_id'>): string {
    return oauthAppId(provider.family === OWN ? connection._id : provider.family);
  }

  /** The client that an admin entered; null while nobody has. */
  async app(provider: OAuthProvider, connection: Pick<ConnectionDocument, '_id'>): Promise<OAuthApp | null> {
    const stored = await this.credentials.find(this.id(provider, connection));
    if (!stored) return null;
    const {
      client_id: clientId = '',
      client_secret: clientSecret = '',
      client_auth: clientAuth = clientSecret === '' ? 'none' : undefined,
      tenant_id: tenantId,
    } = this.credentials.open(stored);
    return { clientId, clientSecret, clientAuth: clientAuth as ClientAuth | undefined, tenantId };
  }
}
