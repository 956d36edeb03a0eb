/** Credentials at rest, and the only place where one is opened. */
import type { ClientSession } from 'mongoose';
import {
  type ConnectionDocument,
  type CredentialDocument,
  SHARED,
  type Subject,
} from '../../models/types.js';
import type { MintedAuth } from '../connectors/framework.js';
import { type EnvelopeContext, open, seal } from '../credentials/envelope.js';
import { newId } from '../ids.js';
import type { Dependencies } from './dependencies.js';
import { configOf } from './functions.js';

export type Secret = Readonly<Record<string, string>>;

export interface NewCredential {
  readonly connectionId: string;
  readonly subject: Subject;
  readonly kind: CredentialDocument['kind'];
  readonly fields: Secret;
  readonly scopes?: readonly string[];
  readonly account?: string | null;
  readonly expiresAt?: Date | null;
  readonly createdBy: string;
}

/** Where the client of an OAuth provider is kept: once per provider, not per connection. */
export function oauthAppId(provider: string): string {
  return `oauth_app:${provider}`;
}

export class CredentialService {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'keys'>) {}

  async find(connectionId: string, subject: Subject = SHARED): Promise<CredentialDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.credentials.findOne({ workspaceId, connectionId, subject }).lean();
  }

  /** Stores a new credential over an old one; the generation rises, which voids what was approved under the old. */
  async store(credential: NewCredential, session?: ClientSession): Promise<CredentialDocument> {
    const { models, workspaceId, clock } = this.deps;
    const { connectionId, subject } = credential;
    const options = session ? { session } : {};
    const filter = { workspaceId, connectionId, subject };
    const current = await models.credentials.findOne(filter, null, options).lean();
    const now = clock.now();
    // A member's may have been revoked and deleted: what was approved for that one must not fit this one.
    const first = subject === SHARED ? 1 : now.getTime();
    const generation = current ? current.generation + 1 : first;
    const next: CredentialDocument = {
      _id: current?._id ?? newId('cred'),
      workspaceId,
      connectionId,
      subject,
      kind: credential.kind,
      generation,
      version: (current?.version ?? 0) + 1,
      fields: this.sealFields(credential.fields, { connectionId, subject, generation }),
      scopes: [...(credential.scopes ?? [])],
      account: credential.account ?? null,
      expiresAt: credential.expiresAt ?? null,
      status: 'active',
      refresh: null,
      failing: null,
      createdBy: credential.createdBy,
      createdAt: current?.createdAt ?? now,
      rotatedAt: now,
      renewedAt: now,
    };
    if (current) {
      const written = await models.credentials.replaceOne(
        { ...filter, version: current.version },
        next,
        options,
      );
      if (written.matchedCount !== 1) throw new Error('the credential changed at the same time');
    } else {
      await models.credentials.create([next], options);
    }
    return next;
  }

  /** The secret itself, for one call. Never kept, logged or put on an error. @throws EnvelopeError */
  open(credential: CredentialDocument): Secret {
    return Object.fromEntries(
      Object.entries(credential.fields).map(([field, record]) => [
        field,
        open(this.deps.keys, record, this.context(credential, field)).toString('utf8'),
      ]),
    );
  }

  sealFields(
    fields: Secret,
    owner: { connectionId: string; subject: Subject; generation: number },
  ): CredentialDocument['fields'] {
    return Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [
        field,
        seal(this.deps.keys, value, this.context(owner, field)),
      ]),
    );
  }

  /** Compare-and-set on the version: whoever read an older one writes nothing. */
  async replaceTokens(
    credential: CredentialDocument,
    tokens: { fields: Secret; expiresAt: Date | null; scopes: readonly string[] },
  ): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const result = await models.credentials.updateOne(
      { _id: credential._id, workspaceId, version: credential.version, generation: credential.generation },
      {
        $set: {
          fields: this.sealFields(tokens.fields, credential),
          expiresAt: tokens.expiresAt,
          scopes: [...tokens.scopes],
          status: 'active',
          refresh: null,
          failing: null,
          renewedAt: clock.now(),
        },
        $inc: { version: 1 },
      },
    );
    return result.modifiedCount === 1;
  }

  /** Whose account it is, found out after it was stored; for the generation that was asked about only. */
  async noteAccount(
    { _id, generation }: Pick<CredentialDocument, '_id' | 'generation'>,
    account: string,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.credentials.updateOne({ _id, workspaceId, generation }, { $set: { account } });
  }

  /** What was entered for another address is not sent to this one. */
  async askAgain(connectionId: string, session: ClientSession): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.credentials.updateMany(
      { workspaceId, connectionId, status: 'active' },
      { $set: { status: 'needs_reauth', refresh: null }, $inc: { version: 1 } },
      { session },
    );
  }

  /** The next call renews it; for the version that was refused only. */
  async expire({ _id, version }: Pick<CredentialDocument, '_id' | 'version'>): Promise<void> {
    const { models, workspaceId } = this.deps;
    const filter = { _id, workspaceId, version, status: 'active' as const };
    await models.credentials.updateOne(filter, { $set: { expiresAt: new Date(0) }, $inc: { version: 1 } });
  }

  async markNeedsReauth(credential: Pick<CredentialDocument, '_id' | 'version'>): Promise<boolean> {
    const { models, workspaceId } = this.deps;
    const result = await models.credentials.updateOne(
      { _id: credential._id, workspaceId, version: credential.version, status: 'active' },
      { $set: { status: 'needs_reauth', refresh: null }, $inc: { version: 1 } },
    );
    return result.modifiedCount === 1;
  }

  /**
   * The settings or functions are others now: the next call fetches a token for them, also where the old ones were
   * refused, and a refresh under way is not stored. The secret, and with it the generation, is the same.
   */
  async mintAnew(
    connection: ConnectionDocument,
    { accountOf }: Pick<MintedAuth, 'accountOf'>,
    session: ClientSession,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    const filter = { workspaceId, connectionId: connection._id, kind: 'minted' as const };
    for (const credential of await models.credentials.find(filter, null, { session }).lean()) {
      const account = accountOf?.(this.open(credential), configOf(connection)) ?? null;
      const change = {
        account,
        expiresAt: new Date(0),
        status: 'active',
        refresh: null,
        failing: null,
      } as const;
      const { _id, version } = credential;
      await models.credentials.updateOne(
        { _id, workspaceId, version },
        { $set: change, $inc: { version: 1 } },
        { session },
      );
    }
  }

  async remove(connectionId: string, subject?: Subject, session?: ClientSession): Promise<void> {
    const { models, workspaceId } = this.deps;
    const filter = { workspaceId, connectionId, ...(subject === undefined ? {} : { subject }) };
    await models.credentials.deleteMany(filter, session ? { session } : {});
  }

  /** Unless it was replaced since. */
  async removeExactly({ _id, version }: Pick<CredentialDocument, '_id' | 'version'>): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.credentials.deleteOne({ _id, workspaceId, version });
  }

  private context(
    owner: { connectionId: string; subject: Subject; generation: number },
    field: string,
  ): EnvelopeContext {
    const { connectionId, subject, generation } = owner;
    return { workspaceId: this.deps.workspaceId, connectionId, subject, generation, field };
  }
}
