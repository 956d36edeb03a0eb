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
  OAuthProvider,
} from '../connectors/framework.js';
import { UpstreamError } from '../errors.js';
import { outboundFetch } from '../net/fetch-outbound.js';
import type { AuditService } from './audit.js';
import { checkConfig } from './connection-input.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf } from './functions.js';
import { fieldsOf, type OAuthApps, redirectUriOf } from './oauth-apps.js';
import type { RestImportService } from './rest-import.js';

type Config = Readonly<Record<string, JsonValue>>;

export interface ServerSignInParts {
  readonly apps: OAuthApps;
  readonly connections: ConnectionService;
  readonly credentials: CredentialService;
  readonly restImport: RestImportService;
  readonly audit: AuditService;
}

export class ServerSignInService {
  constructor(
    private readonly deps: Pick<Dependencies, 'outbound' | 'publicUrl' | 'log' | 'connector' | 'clock'>,
    private readonly parts: ServerSignInParts,
  ) {}

  /** Whether the system itself is asked, which takes its time. */
  isAsked(connector: ConnectorDefinition, auth: string): boolean {
    return questionOf(connector, auth) !== undefined;
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
    const ask = questionOf(connector, auth);
    if (!ask) return { ...config };
    const checked = checkConfig(connector, { ...config });
    const isInside = this.isInside(connector, auth, checked);
    const found = await ask(checked, this.sendFor(isInside));
    const method = connector.auth.find(({ id }) => id === auth);
    if (method?.kind !== 'oauth' || typeof method.provider !== 'function') return found;
    const { authorize, token, revoke } = method.provider(found);
    const endpoints = { authorize_url: authorize, token_url: token, ...(revoke && { revoke_url: revoke }) };
    for (const url of Object.values(endpoints)) this.checkInside(new URL(url), isInside);
    await this.parts.restImport.checkEndpoints(auth, endpoints);
    return found;
  }

  /**
   * Our client at the connection's own server: the one that is there, else a new one. Null where somebody has to
   * enter one: the server takes no registration, or not now.
   */
  async client(actor: Actor, connection: ConnectionDocument): Promise<OAuthApp | null> {
    const place = await this.placeOf(connection);
    if (!place) return null;
    const { connector, method, provider } = place;
    const { apps } = this.parts;
    const known = await apps.app(provider, connection);
    if (known || !method.register) return known;
    try {
      const config = configOf(connection);
      const send = this.sendFor(this.isInside(connector, connection.auth, config));
      const app = await method.register(config, redirectUriOf(this.deps.publicUrl), send);
      return app && (await this.keep(actor, connection, provider, this.lasting(app)));
    } catch (error) {
      // Whoever asked can go on: with one that somebody else brought meanwhile, or by entering one.
      this.deps.log.warn({ err: error, connection: connection._id }, 'no client was registered');
      return apps.app(provider, connection);
    }
  }

  /** Instead of the client that we registered before, which may not be known there any more. */
  async registerAgain(actor: Actor, connection: ConnectionDocument): Promise<void> {
    const place = await this.placeOf(connection);
    if (!place) return;
    const { apps } = this.parts;
    const known = await apps.app(place.provider, connection);
    if (known) await apps.forget(place.provider, connection, known);
    await this.client(actor, connection);
  }

  /** Null where nobody signs in with OAuth. */
  private async placeOf(connection: ConnectionDocument) {
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    if (method?.kind !== 'oauth') return null;
    return { connector, method, provider: this.parts.apps.provider(method, connection) };
  }

  /** @returns the client that counts: somebody may have entered or registered one meanwhile. Null: the connection is gone */
  private async keep(
    actor: Actor,
    connection: ConnectionDocument,
    provider: OAuthProvider,
    app: OAuthApp,
  ): Promise<OAuthApp | null> {
    const { apps, credentials, connections, audit } = this.parts;
    const id = apps.id(provider, connection);
    const fields = fieldsOf(app);
    const entry = {
      actor,
      action: 'credential.stored',
      subject: { kind: 'oauth_app', id: connection._id },
      details: { fields: Object.keys(fields), registeredAt: new URL(provider.issuer).host },
    } as const;
    const stored = {
      kind: 'oauth_app',
      fields,
      connectionId: id,
      subject: SHARED,
      createdBy: actor.id,
    } as const;
    const other = await apps.app(provider, connection);
    if (other) return other;
    const current = await connections.find(connection._id);
    if (!current || current.status === 'removed') return null;
    await audit.change(entry, async (session) => {
      await credentials.store(stored, session);
    });
    return app;
  }

  /** An end that is past when we hear of it is no end: a lifetime in seconds, or a clock that is wrong. */
  private lasting(app: OAuthApp): OAuthApp {
    const { registeredUntil: until } = app;
    return until && until <= this.deps.clock.now() ? { ...app, registeredUntil: null } : app;
  }

  /** Each address allows itself and nothing else; whether it may be reached at all is the guard's to say. */
  private sendFor(isInside: boolean): GuardedFetch {
    return async (given, init) => {
      const url = new URL(given);
      this.checkInside(url, isInside);
      const allow = [{ origin: url.origin, pathPrefix: url.pathname }];
      return outboundFetch(this.deps.outbound, { allow })(given, init);
    };
  }

  /** Whether the system itself is one that the operator lets be private. */
  private isInside({ baseUrl }: ConnectorDefinition, auth: string, config: Config): boolean {
    const base = typeof baseUrl === 'function' ? baseUrl(config, auth) : baseUrl;
    return base !== undefined && URL.canParse(base) && this.deps.outbound.mayBePrivate(new URL(base));
  }

  /** What the operator lets admins reach on the inside is not for a server outside to choose from. */
  private checkInside(url: URL, isInside: boolean): void {
    if (isInside || !this.deps.outbound.mayBePrivate(url)) return;
    const message = `${url.host} was not called: a server outside may not send us to an address inside.`;
    throw new UpstreamError('forbidden_upstream', message, { definite: true });
  }
}

function questionOf({ findSignIn }: ConnectorDefinition, auth: string): ConnectorDefinition['findSignIn'] {
  return auth === 'oauth' ? findSignIn : undefined;
}
