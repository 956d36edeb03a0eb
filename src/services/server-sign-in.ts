/**
 * Systems that say themselves how people sign in there (MCP servers): asked once, when an admin adds the connection,
 * and through the guard wherever they send us. Where they let anybody register, we do.
 */
import { type Actor, type ConnectionDocument, SHARED } from '../../models/types.js';
import type {
  ConnectorDefinition,
  GuardedFetch,
  JsonValue,
  OAuthApp,
  OAuthAuth,
} from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { AuditService } from './audit.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf } from './functions.js';
import type { OAuthApps } from './oauth-apps.js';
import type { RestImportService } from './rest-import.js';

type Config = Readonly<Record<string, JsonValue>>;

export interface ServerSignInParts {
  readonly apps: OAuthApps;
  readonly credentials: CredentialService;
  readonly restImport: RestImportService;
  readonly audit: AuditService;
}

export class ServerSignInService {
  constructor(
    private readonly deps: Pick<Dependencies, 'outbound' | 'publicUrl' | 'log' | 'connector'>,
    private readonly parts: ServerSignInParts,
  ) {}

  /** Whether the system itself is asked, which takes its time. */
  isAsked(connector: ConnectorDefinition, auth: string): boolean {
    return auth === 'oauth' && connector.findSignIn !== undefined;
  }

  /**
   * The config with what the system says.
   * @throws AppError `invalid_arguments` in words for an admin; UpstreamError for a server that does not answer
   */
  async find(
    connector: ConnectorDefinition,
    auth: string,
    config: Config,
  ): Promise<Record<string, JsonValue>> {
    if (!this.isAsked(connector, auth) || !connector.findSignIn) return { ...config };
    const found = await connector.findSignIn(config, this.send);
    const method = connector.auth.find(
      (each): each is OAuthAuth => each.kind === 'oauth' && each.id === auth,
    );
    if (typeof method?.provider !== 'function') return found;
    const { authorize, token, revoke } = method.provider(found);
    const endpoints = { authorize_url: authorize, token_url: token, ...(revoke && { revoke_url: revoke }) };
    await this.parts.restImport.checkEndpoints(auth, endpoints);
    return found;
  }

  /**
   * Our client at the connection's own server: the one that is there, else a new one. Null where somebody has to
   * register an app by hand: the server takes no registration, or not now.
   */
  async client(actor: Actor, connection: ConnectionDocument): Promise<OAuthApp | null> {
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    if (method?.kind !== 'oauth') return null;
    const { apps } = this.parts;
    const provider = apps.provider(method, connection);
    const known = await apps.app(provider, connection);
    if (known || !method.register) return known;
    try {
      const app = await method.register(configOf(connection), this.redirectUri, this.send);
      if (app) await this.keep(actor, apps.id(provider, connection), app, provider.title);
      return app;
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      this.deps.log.warn({ err: error, connection: connection._id }, 'no client was registered');
      return null;
    }
  }

  private async keep(actor: Actor, id: string, app: OAuthApp, server: string): Promise<void> {
    const { clientId, clientSecret, clientAuth } = app;
    const fields = {
      client_id: clientId,
      client_secret: clientSecret,
      ...(clientAuth !== undefined && { client_auth: clientAuth }),
    };
    const entry = {
      actor,
      action: 'credential.stored',
      subject: { kind: 'oauth_app', id: id.slice(id.indexOf(':') + 1) },
      details: { fields: Object.keys(fields), registeredAt: server },
    } as const;
    const stored = {
      kind: 'oauth_app',
      fields,
      connectionId: id,
      subject: SHARED,
      createdBy: actor.id,
    } as const;
    await this.parts.audit.change(entry, async (session) => {
      await this.parts.credentials.store(stored, session);
    });
  }

  private get redirectUri(): string {
    return `${this.deps.publicUrl}/oauth/callback`;
  }

  /** Each address allows itself and nothing else; whether it may be reached at all is the guard's to say. */
  private readonly send: GuardedFetch = (given, init) => {
    const { origin, pathname } = new URL(given);
    return outboundFetch(this.deps.outbound, { allow: [{ origin, pathPrefix: pathname }] })(given, init);
  };
}
