/**
 * Usable credentials. An expired access token is refreshed by one process only (G9): a lease on the credential says
 * who, the version says whether somebody else was faster, and whoever waits reads the new one.
 */
import type { ConnectionDocument, CredentialDocument, Subject } from '../../models/types.js';
import { sha256Hex } from '../canonical.js';
import type { ConnectorDefinition, Mint, MintedAuth } from '../connectors/framework.js';
import { GrantRefused, type OAuthClient, type TokenSet } from '../credentials/oauth-client.js';
import type { CredentialService, Secret } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { authMethodOf, configOf, neededScopes } from './functions.js';
import type { OAuthApps } from './oauth-apps.js';

/** A token is not used in its last minute: the call has to arrive with it. */
const EARLY_MS = 60_000;
/** Longer than a provider is waited for (`TOKEN_TIMEOUT_SECONDS`). */
export const REFRESH_LEASE_MS = 15_000;
const POLL_MS = 50;
/** A token that is refused so soon after it was fetched is not mended by fetching another. */
const FRESH_MS = 60_000;
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

  /**
   * The outside system refused the credential (401). A token that can be fetched anew is, once, at the next call: it
   * may have ended before its time. @returns whether that is so; otherwise whoever can reconnect was told
   */
  async rejected(connection: ConnectionDocument, credential: CredentialDocument): Promise<boolean> {
    const age = this.deps.clock.now().getTime() - (credential.renewedAt?.getTime() ?? 0);
    const renewable = credential.kind === 'minted' || credential.fields.refresh_token !== undefined;
    if (renewable && age > FRESH_MS) {
      await this.credentials.expire(credential);
      return true;
    }
    await this.refusedForGood(connection, credential);
    return false;
  }

  private async refusedForGood(
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): Promise<void> {
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

  /** A token that was minted for other functions or settings than now is fetched again; consent has to be asked for. */
  private isUsable(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    credential: CredentialDocument,
  ): boolean {
    const { expiresAt } = credential;
    if (expiresAt !== null && expiresAt.getTime() - EARLY_MS <= this.deps.clock.now().getTime()) return false;
    const method = authMethodOf(connector, connection);
    if (method?.kind !== 'minted') return true;
    const secret = this.credentials.open(credential);
    try {
      return secret.minted_for === purposeOf(this.mintOf(method, connector, connection, secret));
    } catch {
      // What cannot be asked for with it is said where it is asked for.
      return false;
    }
  }

  private mintOf(
    method: MintedAuth,
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    secret: Secret,
  ): Mint {
    const { endpoints } = this.deps;
    const endpoint = (key: string, otherwise: string) => endpoints[key]?.replace(/\/+$/, '') ?? otherwise;
    return method.mint(secret, configOf(connection), neededScopes(connector, connection), endpoint);
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
      await this.storeHard(credential, renewed);
      if (renewed.account !== null && renewed.account !== credential.account)
        await this.credentials.noteAccount(credential, renewed.account);
      if (credential.failing) await this.on.failing(connection, false);
      const stored = await this.credentials.find(connection._id, credential.subject);
      return stored ? { ok: true, credential: stored } : needsReauth(connection);
    } catch (error) {
      if (error instanceof GrantRefused && isFinal(credential, error.reason)) {
        await this.refusedForGood(connection, credential);
        return needsReauth(connection);
      }
      this.deps.log.warn({ err: error, connection: connection._id }, 'token not refreshed');
      return unavailable(await this.backOff(connection, credential));
    }
  }

  /** New tokens from the provider. @throws GrantRefused | UpstreamError; Error while our own client there is missing */
  private async renew(
    connector: ConnectorDefinition,
    connection: ConnectionDocument,
    secret: Secret,
  ): Promise<Renewed> {
    const method = authMethodOf(connector, connection);
    const now = this.deps.clock.now();
    if (method?.kind === 'minted') {
      const mint = this.mintOf(method, connector, connection, secret);
      const tokens = await this.oauth.mint(mint, now);
      const lifetime = { ...tokens, expiresInSeconds: tokens.expiresInSeconds ?? MINTED_LIFETIME_SECONDS };
      // What a minted token may do is the provider's administrator's to say, not in its answer.
      const fields = { ...secret, access_token: tokens.accessToken, minted_for: purposeOf(mint) };
      const account = method.accountOf?.(secret, configOf(connection)) ?? null;
      const scopes = neededScopes(connector, connection);
      return { fields, expiresAt: expiryOf(lifetime, now), scopes, account };
    }
    // A provider that gives no refresh tokens wants the person herself to come again.
    if (method?.kind !== 'oauth' || !secret.refresh_token) throw new GrantRefused('no_refresh_token');
    const provider = this.apps.provider(method, connection);
    const app = await this.apps.app(provider, connection);
    if (!app && method.register) throw new GrantRefused(CLIENT_GONE);
    // An admin mends that, and the authorizations go on.
    if (!app) throw new Error(`there is no OAuth client for ${provider.title}`);
    const tokens = await this.oauth.refresh(provider, app, secret.refresh_token).catch(async (error) => {
      // Servers forget clients that registered themselves; whoever connects again gets a new one.
      const isGone = await this.apps.noteRefusal(provider, connection, app, error);
      throw isGone ? new GrantRefused(CLIENT_GONE) : error;
    });
    return {
      fields: tokenFields(tokens, secret.refresh_token),
      expiresAt: expiryOf(tokens, now),
      scopes: tokens.scopes.length > 0 ? tokens.scopes : null,
      account: null,
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

/** What a renewal brings; null where the provider did not say, which means the same as before. */
interface Renewed {
  readonly fields: Secret;
  readonly expiresAt: Date | null;
  readonly scopes: readonly string[] | null;
  readonly account: string | null;
}

/** Whom and what a minted token is for, and where it comes from: all of the request but the secret that proves it. */
function purposeOf(mint: Mint): string {
  const { grant, token, scopes } = mint;
  const rest =
    mint.grant === 'client_credentials'
      ? [mint.clientId, mint.clientAuth, mint.parameters ?? null]
      : [mint.issuer, mint.audience, mint.subject ?? null, mint.keyId ?? null];
  return sha256Hex(JSON.stringify([grant, token, scopes, ...rest]));
}

/** Ours: what was granted was granted to a client that was registered, and is not known any more. */
const CLIENT_GONE = 'client_gone';
/**
 * Refusals that asking again does not change: RFC 6749 (5.2), Slack's `oauth.v2.access`, HubSpot's token endpoint.
 * `unauthorized_client`: the consent was given to another client than the one that an admin has entered since.
 */
const OVER = [
  'invalid_grant',
  'invalid_refresh_token',
  'bad_refresh_token',
  'no_refresh_token',
  'unauthorized_client',
  CLIENT_GONE,
];
/**
 * The same, of the client: where tokens are minted it is the credential itself; elsewhere an admin mends it and the
 * authorizations go on.
 */
const MINTING_OVER = ['invalid_client', 'invalid_scope', 'unusable_key'];

function isFinal({ kind }: CredentialDocument, reason: string): boolean {
  return OVER.includes(reason) || (kind === 'minted' && MINTING_OVER.includes(reason));
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
