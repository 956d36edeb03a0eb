/** What a connection signs in to: provider, our client there, the scopes that are asked for, and whose account it is. */
import type { ConnectionDocument, CredentialDocument } from '../../models/types.js';
import type {
  CallContext,
  ConnectorDefinition,
  OAuthApp,
  OAuthAuth,
  OAuthProvider,
} from '../connectors/framework.js';
import type { OAuthClient } from '../credentials/oauth-client.js';
import { AppError } from '../errors.js';
import type { CredentialService, Secret } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf, enabledFunctions, missingScopes, neededScopes } from './functions.js';
import type { OAuthApps } from './oauth-apps.js';
import type { RoleService } from './roles.js';
import { SYSTEM_CALLER } from './second-look.js';
import type { TokenService } from './tokens.js';
import type { UpstreamCalls } from './upstream-call.js';

/** Where neither the provider nor the system tells. Two of these need not be the same. */
export const UNKNOWN_ACCOUNT = 'an account';

export interface SignIn {
  readonly connector: ConnectorDefinition;
  readonly method: OAuthAuth;
  readonly provider: OAuthProvider;
  readonly app: OAuthApp;
}

/** A scope, and the enabled functions that need it. */
export interface ScopeNeed {
  readonly scope: string;
  /** None where the settings or the server ask for it, and not a function. */
  readonly functions: readonly string[];
  /** It tells whose account it is, or keeps it connected, and does nothing else. */
  readonly base: boolean;
}

export class SignInService {
  constructor(
    private readonly deps: Pick<Dependencies, 'connector' | 'log'>,
    private readonly oauth: OAuthClient,
    private readonly apps: OAuthApps,
    private readonly credentials: CredentialService,
    private readonly tokens: TokenService,
    private readonly calls: UpstreamCalls,
    private readonly roles: RoleService,
    /** Where the server lets us: a client whose secret ended is replaced by whoever connects next. */
    private readonly register: (connection: ConnectionDocument) => Promise<OAuthApp | null>,
  ) {}

  /**
   * @param begins nobody has been sent there yet, so that a client may still be registered
   * @throws AppError `unavailable` when no OAuth client was entered yet, or none is needed
   */
  async of(connection: ConnectionDocument, begins = false): Promise<SignIn> {
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    if (method?.kind === 'oauth') {
      const provider = this.apps.provider(method, connection);
      const app =
        (await this.apps.app(provider, connection)) ?? (begins ? await this.register(connection) : null);
      if (app) return { connector, method, app, provider };
    }
    throw new AppError(
      'unavailable',
      `An admin has to enter the OAuth client for ${connector.title} first (/connections show ${connection.key}).`,
    );
  }

  /** Where nobody can tell whose account a shared connection had, only an admin says that it is the right one again. */
  async mayReconnect(connection: ConnectionDocument, userId: string): Promise<boolean> {
    const before = await this.credentials.find(connection._id);
    return before?.account !== UNKNOWN_ACCOUNT || (await this.roles.of(userId)).admin;
  }

  /** What is asked for, and why. */
  async scopeNeeds(connection: ConnectionDocument): Promise<ScopeNeed[]> {
    const connector = await this.deps.connector(connection.connector);
    const functions = enabledFunctions(connector, connection);
    const method = authMethodOf(connector, connection);
    const base = method?.kind === 'oauth' ? method.baseScopes : [];
    return neededScopes(connector, connection).map((scope) => ({
      scope,
      functions: functions.filter((fn) => fn.scopes.includes(scope)).map((fn) => fn.title),
      base: base.includes(scope),
    }));
  }

  /** Of the needed ones, those that were not granted; what only tells whose account it is does not count. */
  async missing(connection: ConnectionDocument, granted: readonly string[]): Promise<ScopeNeed[]> {
    const needs = await this.scopeNeeds(connection);
    return needs.filter(
      ({ scope, functions }) => functions.length > 0 && missingScopes([scope], granted).length > 0,
    );
  }

  /** The provider says whose account it is, whatever scopes were granted; otherwise the system itself. */
  async accountBehind(connection: ConnectionDocument, accessToken: string, userId: string): Promise<string> {
    const { connector, provider } = await this.of(connection);
    const email = await this.oauth.email(provider, accessToken).catch(() => null);
    if (email !== null || !connector.account) return email ?? UNKNOWN_ACCOUNT;
    return this.ask(connector, connection, { access_token: accessToken }, userId);
  }

  /**
   * Whose account a stored credential is, as the outside system says; kept with it. Null when it cannot tell, which
   * hinders nothing.
   */
  async noteAccount(connection: ConnectionDocument, credential: CredentialDocument): Promise<string | null> {
    const connector = await this.deps.connector(connection.connector);
    const method = authMethodOf(connector, connection);
    try {
      const secret = this.credentials.open(credential);
      const own = method?.kind === 'minted' ? method.accountOf?.(secret, configOf(connection)) : undefined;
      const account = own ?? (await this.accountOf(connector, connection, credential));
      if (account !== null) await this.credentials.noteAccount(credential, account);
      return account;
    } catch (error) {
      this.deps.log.info({ err: error, connection: connection._id }, 'whose account it is was not found out');
      return null;
    }
  }

  private async accountOf(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): Promise<string | null> {
    if (!connector.account) return null;
    const usable = await this.tokens.usable(connection, credential.subject);
    if (!usable.ok) return null;
    return this.ask(connector, connection, this.credentials.open(usable.credential), credential.createdBy);
  }

  private async ask(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    secret: Secret,
    userId: string,
  ): Promise<string> {
    const call = { _id: `account:${connection._id}`, callerId: `${SYSTEM_CALLER}:${userId}` };
    const look = async (context: CallContext) => (await connector.account?.(context)) ?? '';
    const account = await this.calls.lookUp(call, connection, secret, look);
    return account ? account.slice(0, 320) : UNKNOWN_ACCOUNT;
  }
}
