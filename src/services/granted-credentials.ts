/** What a provider granted, stored: a member's own authorization, or the shared identity of a connection. */
import {
  type ConnectionDocument,
  type OAuthStateDocument,
  SHARED,
  type Subject,
} from '../../models/types.js';
import type { TokenSet } from '../credentials/oauth-client.js';
import type { AuditService } from './audit.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import type { MemberService } from './members.js';
import { UNKNOWN_ACCOUNT } from './sign-in.js';
import { expiryOf, tokenFields } from './tokens.js';

export type Granted = Pick<OAuthStateDocument, 'subject' | 'userId' | 'scopes'> & {
  readonly account: string;
};

export class GrantedCredentials {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock'>,
    private readonly credentials: CredentialService,
    private readonly members: MemberService,
    private readonly audit: AuditService,
  ) {}

  /** Credential, authorization, consents and audit event: all or nothing. */
  async store(
    granted: Granted,
    connection: ConnectionDocument,
    tokens: TokenSet,
    callerIds: readonly string[],
    furtherHash: string | null = null,
  ): Promise<void> {
    const { subject, userId, account, scopes } = granted;
    const old =
      tokens.refreshToken === null ? await this.oldRefreshToken(connection, subject, account) : null;
    const fields = tokenFields(tokens, old);
    const expiresAt = expiryOf(tokens, this.deps.clock.now());
    const credential = { kind: 'oauth' as const, fields, scopes, account, expiresAt };
    if (subject !== SHARED) {
      await this.members.authorize(connection, userId, credential, callerIds, furtherHash);
      return;
    }
    const entry = {
      actor: { kind: 'user', id: userId } as const,
      action: 'credential.connected',
      subject: { kind: 'connection', id: connection._id },
      details: { account, scopes },
    };
    const owner = { connectionId: connection._id, subject, createdBy: userId };
    await this.audit.change(entry, (session) => this.credentials.store({ ...credential, ...owner }, session));
  }

  /** A provider that sends no new one to an account that it knows means the old one (Google): if it is that account's. */
  private async oldRefreshToken(
    connection: ConnectionDocument,
    subject: Subject,
    account: string,
  ): Promise<string | null> {
    const previous = await this.credentials.find(connection._id, subject);
    if (previous?.kind !== 'oauth' || previous.account !== account || account === UNKNOWN_ACCOUNT)
      return null;
    return this.credentials.open(previous).refresh_token ?? null;
  }
}
