/**
 * Usable credentials. An expired access token is refreshed by one process only (G9): a lease on the credential says
 * who, the version says whether somebody else was faster, and whoever waits reads the new one.
 */
import type { ConnectionDocument, CredentialDocument, Subject } from '../../models/types.js';
import type { ConnectorDefinition } from '../connectors/framework.js';
import { GrantRefused, type OAuthClient, type TokenSet } from '../credentials/oauth-client.js';
import type { CredentialService, Secret } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf, missingScopes, neededScopes } from './functions.js';
import type { OAuthApps } from './oauth-apps.js';

/** A token is not used in its last minute: the call has to arrive with it. */
const EARLY_MS = 60_000;
const REFRESH_LEASE_MS = 15_000;
const POLL_MS = 50;
/** A provider that does not answer is asked again after 5 s, 10 s, 20 s … and at most every ten minutes. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** For a provider that does not say how long its token lives. */
const MINTED_LIFETIME_SECONDS = 3_600;

export type Usable =
  | { readonly ok: true; readonly credential: CredentialDocument }
  | {
      readonly ok: false;
      readonly code: 'needs_reauth' | 'upstream_unavailable';
      readonly message: string;
      readonly retryAfter?: number;
    };

export class TokenService {
  private readonly refreshing = new Map<string, Promise<Usable>>();

  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'processId' | 'connector' | 'endpoints' | 'log'
    >,
    private readonly credentials: CredentialService,
    private readonly oauth: OAuthClient,
    private readonly apps: OAuthApps,
    private readonly on: {
      /** Said once, to whoever can reconnect. */
      readonly needsReauth: (connection: ConnectionDocument, subject: Subject) => Promise<void>;
      /** The provider does not answer, or answers again: an outage disables nothing. */
      readonly failing: (connection: ConnectionDocument, failing: boolean) => Promise<void>;
    },
  ) {}

  /** The credential of a connection's identity, fresh enough for a call. */
  async usable(connection: ConnectionDocument, subject: Subject): Promise<Usable> {
    const credential = await this.credentials.find(connection._id, subject);
    if (!credential) return needsReauth(connection);
    return this.fresh(connection, credential);
  }

  /** The outside system refused the credential (401). Said once, to whoever can reconnect. */
  async rejected(connection: ConnectionDocument, credential: CredentialDocument): Promise<void> {
    if (await this.credentials.markNeedsReauth(credential))
      await this.on.needsReauth(connection, credential.subject);
  }

  private async fresh(connection: ConnectionDocument, credential: CredentialDocument): Promise<Usable> {
    if (credential.status === 'needs_reauth') return needsReauth(connection);
    if (credential.kind === 'secret') return { ok: true, credential };
    const connector = await this.deps.connector(connection.connector);
    if (this.isUsable(connector, connection, credential)) return { ok: true, credential };
    const running = this.refreshing.get(credential._id);
    if (running) return running;
    const refresh = this.refresh(connector, connection, credential).finally(() =>
      this.refreshing.delete(credential._id),
    );
    this.refreshing.set(credential._id, refresh);
    return refresh;
  }

  /** A token that was minted for fewer functions than are on now is fetched again; consent has to be asked for. */
  private isUsable(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    { kind, scopes, expiresAt }: CredentialDocument,
  ): boolean {
    if (kind === 'minted' && missingScopes(neededScopes(connector, connection), scopes).length > 0)
      return false;
    return expiresAt === null || expiresAt.getTime() - EARLY_MS > this.deps.clock.now().getTime();
  }

  private async refresh(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    seen: CredentialDocument,
  ): Promise<Usable> {
    const giveUpAt = performance.now() + REFRESH_LEASE_MS + 5_000;
    let credential: CredentialDocument | null = seen;
    while (credential && performance.now() < giveUpAt) {
      if (credential.status === 'needs_reauth') return needsReauth(connection);
      if (this.isUsable(connector, connection, credential)) return { ok: true, credential };
      const pause = this.pauseOf(credential);
      if (pause > 0) return unavailable(pause);
      const leased = await this.lease(credential);
      if (leased) return this.refreshUnderLease(connector, connection, leased);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      credential = await this.credentials.find(connection._id, seen.subject);
    }
    return credential ? unavailable(FIRST_PAUSE_MS) : needsReauth(connection);
  }

  /** Milliseconds until a provider that did not answer is asked again. */
  private pauseOf({ failing }: CredentialDocument): number {
    return failing ? failing.until.getTime() - this.deps.clock.now().getTime() : 0;
  }

  private async lease(credential: CredentialDocument): Promise<CredentialDocument | null> {
    const { models, workspaceId, clock, processId } = this.deps;
    const now = clock.now();
    return models.credentials
      .findOneAndUpdate(
        {
          _id: credential._id,
          workspaceId,
          version: credential.version,
          $or: [{ refresh: null }, { 'refresh.until': { $lte: now } }],
        },
        { $set: { refresh: { owner: processId, until: new Date(now.getTime() + REFRESH_LEASE_MS) } } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  private async refreshUnderLease(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): Promise<Usable> {
    try {
      const secret = this.credentials.open(credential);
      const renewed = await this.renew(connector, connection, secret);
      if (!renewed) {
        await this.release(credential);
        return needsReauth(connection);
      }
      await this.storeHard(credential, renewed);
      if (credential.failing) await this.on.failing(connection, false);
      const stored = await this.credentials.find(connection._id, credential.subject);
      return stored ? { ok: true, credential: stored } : needsReauth(connection);
    } catch (error) {
      if (error instanceof GrantRefused && isFinal(credential, error.reason)) {
        await this.rejected(connection, credential);
        return needsReauth(connection);
      }
      this.deps.log.warn({ err: error, connection: connection._id }, 'token not refreshed');
      return unavailable(await this.backOff(connection, credential));
    }
  }

  /** New tokens from the provider; null when there is nothing to ask it with. @throws GrantRefused | UpstreamError */
  private async renew(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    secret: Secret,
  ): Promise<Renewed | null> {
    const method = authMethodOf(connector, connection);
    const now = this.deps.clock.now();
    if (method?.kind === 'minted') {
      const { endpoints } = this.deps;
      const scopes = neededScopes(connector, connection);
      const endpoint = (key: string, otherwise: string) => endpoints[key]?.replace(/\/+$/, '') ?? otherwise;
      const tokens = await this.oauth.mint(method.mint(secret, configOf(connection), scopes, endpoint), now);
      const lifetime = { ...tokens, expiresInSeconds: tokens.expiresInSeconds ?? MINTED_LIFETIME_SECONDS };
      // What a minted token may do is the provider's administrator's to say, not in its answer.
      const fields = { ...secret, access_token: tokens.accessToken };
      return { fields, expiresAt: expiryOf(lifetime, now), scopes };
    }
    if (method?.kind !== 'oauth' || !secret.refresh_token) return null;
    const provider = this.apps.provider(method, connection);
    const app = await this.apps.app(provider, connection);
    if (!app) return null;
    const tokens = await this.oauth.refresh(provider, app, secret.refresh_token);
    return {
      fields: tokenFields(tokens, secret.refresh_token),
      expiresAt: expiryOf(tokens, now),
      scopes: tokens.scopes.length > 0 ? tokens.scopes : null,
    };
  }

  /** The old refresh token is dead from now on: the new one is offered to the database until it takes it. */
  private async storeHard(credential: CredentialDocument, renewed: Renewed): Promise<void> {
    const { fields, expiresAt } = renewed;
    const scopes = renewed.scopes ?? credential.scopes;
    const giveUpAt = performance.now() + REFRESH_LEASE_MS;
    for (;;) {
      try {
        await this.credentials.replaceTokens(credential, { fields, expiresAt, scopes });
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  private async release(credential: CredentialDocument): Promise<void> {
    await this.endLease(credential, {});
  }

  /** Gives the lease back and says when the provider is asked again. @returns milliseconds until then */
  private async backOff(connection: ConnectionDocument, credential: CredentialDocument): Promise<number> {
    const count = (credential.failing?.count ?? 0) + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(count - 1, 10), LONGEST_PAUSE_MS);
    const until = new Date(this.deps.clock.now().getTime() + pause);
    await this.endLease(credential, { failing: { count, until } });
    if (count === 1) await this.on.failing(connection, true);
    return pause;
  }

  private async endLease(
    credential: CredentialDocument,
    change: Partial<Pick<CredentialDocument, 'failing'>>,
  ): Promise<void> {
    const { models, workspaceId, processId } = this.deps;
    await models.credentials.updateOne(
      { _id: credential._id, workspaceId, 'refresh.owner': processId },
      { $set: { refresh: null, ...change } },
    );
  }
}

/** What a renewal brings; `scopes` null where the provider did not say, which means the same as before. */
interface Renewed {
  readonly fields: Secret;
  readonly expiresAt: Date | null;
  readonly scopes: readonly string[] | null;
}

/**
 * Refusals that asking again does not change (RFC 6749, 5.2). A client that the provider no longer knows is the
 * credential itself where tokens are minted; elsewhere an admin mends it and the authorizations go on.
 */
function isFinal(credential: CredentialDocument, reason: string): boolean {
  const minted = ['invalid_client', 'unauthorized_client', 'invalid_scope'];
  return reason === 'invalid_grant' || (credential.kind === 'minted' && minted.includes(reason));
}

/** What is stored of a token set. A provider that sends no new refresh token means the old one (Google). */
export function tokenFields(tokens: TokenSet, oldRefreshToken: string | null): Record<string, string> {
  const refreshToken = tokens.refreshToken ?? oldRefreshToken;
  return { access_token: tokens.accessToken, ...(refreshToken ? { refresh_token: refreshToken } : {}) };
}

export function expiryOf(tokens: TokenSet, now: Date): Date | null {
  return tokens.expiresInSeconds === null ? null : new Date(now.getTime() + tokens.expiresInSeconds * 1_000);
}

function needsReauth(connection: ConnectionDocument): Usable {
  const message = `“${connection.name}” needs to be connected again; its owner has been told.`;
  return { ok: false, code: 'needs_reauth', message };
}

function unavailable(pauseMs: number): Usable {
  return {
    ok: false,
    code: 'upstream_unavailable',
    message: 'The sign-in service of the provider does not answer just now. Nothing was sent.',
    retryAfter: Math.max(1, Math.ceil(pauseMs / 1_000)),
  };
}
