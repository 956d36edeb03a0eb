/**
 * Usable credentials. An expired access token is refreshed by one process only (G9): a lease on the credential says
 * who, the version says whether somebody else was faster, and whoever waits reads the new one.
 */
import {
  type ConnectionDocument,
  type CredentialDocument,
  SHARED,
  type Subject,
} from '../../models/types.js';
import { GrantRefused, type OAuthApp, type OAuthClient, type TokenSet } from '../credentials/oauth-client.js';
import { type CredentialService, oauthAppId } from './credentials.js';
import type { Dependencies } from './dependencies.js';

/** A token is not used in its last minute: the call has to arrive with it. */
const EARLY_MS = 60_000;
const REFRESH_LEASE_MS = 15_000;
const POLL_MS = 50;

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
      'models' | 'clock' | 'workspaceId' | 'processId' | 'connector' | 'log'
    >,
    private readonly credentials: CredentialService,
    private readonly oauth: OAuthClient,
    private readonly onNeedsReauth: (connection: ConnectionDocument, subject: Subject) => Promise<void>,
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
      await this.onNeedsReauth(connection, credential.subject);
  }

  private async fresh(connection: ConnectionDocument, credential: CredentialDocument): Promise<Usable> {
    if (credential.status === 'needs_reauth') return needsReauth(connection);
    if (credential.kind !== 'oauth' || !this.isExpired(credential)) return { ok: true, credential };
    const running = this.refreshing.get(credential._id);
    if (running) return running;
    const refresh = this.refresh(connection, credential).finally(() =>
      this.refreshing.delete(credential._id),
    );
    this.refreshing.set(credential._id, refresh);
    return refresh;
  }

  private isExpired(credential: CredentialDocument): boolean {
    return (
      credential.expiresAt !== null &&
      credential.expiresAt.getTime() - EARLY_MS <= this.deps.clock.now().getTime()
    );
  }

  private async refresh(connection: ConnectionDocument, seen: CredentialDocument): Promise<Usable> {
    const giveUpAt = performance.now() + REFRESH_LEASE_MS + 5_000;
    let credential: CredentialDocument | null = seen;
    while (credential && performance.now() < giveUpAt) {
      if (credential.status === 'needs_reauth') return needsReauth(connection);
      if (!this.isExpired(credential)) return { ok: true, credential };
      const leased = await this.lease(credential);
      if (leased) return this.refreshUnderLease(connection, leased);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      credential = await this.credentials.find(connection._id, seen.subject);
    }
    return credential ? unavailable() : needsReauth(connection);
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
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): Promise<Usable> {
    const method = this.deps.connector(connection.connector).auth.find((each) => each.id === connection.auth);
    const app = method?.kind === 'oauth' ? await this.app(method.provider) : null;
    if (method?.kind !== 'oauth' || !app) return needsReauth(connection);
    const secret = this.credentials.open(credential);
    try {
      const provider = this.oauth.provider(method.provider);
      const tokens = await this.oauth.refresh(provider, app, secret.refresh_token ?? '');
      await this.storeHard(credential, tokens, secret.refresh_token ?? '');
      const stored = await this.credentials.find(connection._id, credential.subject);
      return stored ? { ok: true, credential: stored } : needsReauth(connection);
    } catch (error) {
      if (error instanceof GrantRefused && error.reason === 'invalid_grant') {
        await this.rejected(connection, credential);
        return needsReauth(connection);
      }
      this.deps.log.warn({ err: error, connection: connection._id }, 'token not refreshed');
      await this.release(credential);
      return unavailable();
    }
  }

  /** The old refresh token is dead from now on: the new one is offered to the database until it takes it. */
  private async storeHard(
    credential: CredentialDocument,
    tokens: TokenSet,
    oldRefreshToken: string,
  ): Promise<void> {
    const next = tokenFields(tokens, oldRefreshToken);
    const expiresAt = expiryOf(tokens, this.deps.clock.now());
    const scopes = tokens.scopes.length > 0 ? tokens.scopes : credential.scopes;
    const giveUpAt = performance.now() + REFRESH_LEASE_MS;
    for (;;) {
      try {
        await this.credentials.replaceTokens(credential, { fields: next, expiresAt, scopes });
        return;
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  private async release(credential: CredentialDocument): Promise<void> {
    const { models, workspaceId, processId } = this.deps;
    await models.credentials.updateOne(
      { _id: credential._id, workspaceId, 'refresh.owner': processId },
      { $set: { refresh: null } },
    );
  }

  /** The OAuth client that an admin entered for a provider. */
  async app(provider: string): Promise<OAuthApp | null> {
    const stored = await this.credentials.find(oauthAppId(provider), SHARED);
    if (!stored) return null;
    const { client_id: clientId = '', client_secret: clientSecret = '' } = this.credentials.open(stored);
    return { clientId, clientSecret };
  }
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

function unavailable(): Usable {
  return {
    ok: false,
    code: 'upstream_unavailable',
    message: 'The access token could not be refreshed just now. Nothing was sent.',
    retryAfter: 30,
  };
}
