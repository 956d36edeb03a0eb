/** What members allow: authorizations of private connections, and which caller may act for them. */
import type { ClientSession } from 'mongoose';
import {
  type Actor,
  type AuthorizationDocument,
  type ConnectionDocument,
  type ConsentDocument,
  type ExecutionDocument,
  SHARED,
  type Subject,
} from '../../models/types.js';
import { newId } from '../ids.js';
import type { AuditService } from './audit.js';
import type { CredentialService, NewCredential } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import type { ExecutionStore } from './execution-store.js';
import { coversFurther } from './further-approvers.js';
import type { OutboxService } from './outbox.js';
import { personOf } from './person-caller-id.js';

/** Names the DM about one member, connection and caller (`-` when she connects without a caller asking). */
export function authorizationSubject(
  connectionId: string,
  memberId: string,
  callerId: string | null,
): string {
  return `${connectionId}|${memberId}|${callerId ?? '-'}`;
}

export class MemberService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly audit: AuditService,
    private readonly credentials: CredentialService,
    private readonly outbox: OutboxService,
    private readonly executions: ExecutionStore,
  ) {}

  /** Calls that wait for her: for one caller, or (null) for any. */
  async waiting(
    memberId: string,
    connectionId: string,
    callerId: string | null,
  ): Promise<ExecutionDocument[]> {
    return this.executions.waitingFor(memberId, connectionId, callerId ?? undefined);
  }

  /** What became of the last call of a caller that waited for her and ended without her, in words. */
  async lastEnd(memberId: string, connectionId: string, callerId: string | null): Promise<string | null> {
    if (callerId === null) return null;
    const { models, workspaceId } = this.deps;
    const call = {
      workspaceId,
      onBehalfOf: { $eq: memberId, $type: 'string' as const },
      connectionId,
      callerId,
    };
    const unasked = {
      status: { $in: ['cancelled' as const, 'expired' as const] },
      approvalId: null,
      startedAt: null,
    };
    const last = await models.executions
      .findOne({ ...call, ...unasked }, { error: 1 })
      .sort({ createdAt: -1 })
      .lean();
    return last?.error?.message ?? null;
  }

  async authorization(connectionId: string, memberId: string): Promise<AuthorizationDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.authorizations.findOne({ workspaceId, connectionId, memberId }).lean();
  }

  async authorizationsOf(memberId: string): Promise<AuthorizationDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.authorizations.find({ workspaceId, memberId, status: 'active' }).lean();
  }

  async authorizationCount(connectionId: string): Promise<number> {
    const { models, workspaceId } = this.deps;
    return models.authorizations.countDocuments({ workspaceId, connectionId, status: 'active' });
  }

  async consent(memberId: string, callerId: string, connectionId: string): Promise<ConsentDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.consents.findOne({ workspaceId, memberId, callerId, connectionId }).lean();
  }

  async consentsOf(memberId: string): Promise<ConsentDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.consents.find({ workspaceId, memberId, status: 'allowed' }).lean();
  }

  /** Both halves: she allows the caller, and a private connection has her own authorization. Never anybody else's. */
  async allows(memberId: string, callerId: string, connection: ConnectionDocument): Promise<boolean> {
    const isPrivate = connection.identity === 'private';
    const [consent, authorization] = await Promise.all([
      this.consent(memberId, callerId, connection._id),
      isPrivate ? this.authorization(connection._id, memberId) : null,
    ]);
    // By hand she acts herself: there is nobody whom she would have to allow it.
    const consented = consent?.status === 'allowed' && coversFurther(consent.furtherHash, connection);
    const allowed = consented || personOf(callerId) === memberId;
    return allowed && (!isPrivate || authorization?.status === 'active');
  }

  /** The identity a call uses. On a private connection it is the member's own and nothing else. */
  subjectFor(connection: ConnectionDocument, onBehalfOf: string | null): Subject {
    return connection.identity === 'private' && onBehalfOf ? onBehalfOf : SHARED;
  }

  /** @param furtherHash of the further approvers that she was told of: another than is required now allows nothing */
  async decideConsent(
    memberId: string,
    callerId: string,
    connectionId: string,
    status: ConsentDocument['status'],
    furtherHash: string | null = null,
    session?: ClientSession,
  ): Promise<void> {
    const subject = { kind: 'connection', id: connectionId };
    const actor: Actor = { kind: 'user', id: memberId };
    const details = { callerId, ...(furtherHash === null ? {} : { furtherHash }) };
    const entry = { actor, action: `consent.${status}`, subject, details };
    const write = async (inside: ClientSession) => {
      const { models, workspaceId, clock } = this.deps;
      await models.consents.updateOne(
        { workspaceId, memberId, callerId, connectionId },
        { $set: { status, furtherHash, decidedAt: clock.now() }, $setOnInsert: { _id: newId('cons') } },
        { upsert: true, session: inside },
      );
      await this.audit.record(entry, inside);
    };
    if (session) await write(session);
    else await this.deps.models.consents.db.transaction(write);
  }

  /**
   * Stores what a member proved in the browser: credential, authorization and the callers she ticked; all or nothing,
   * with whatever `also` does in the same transaction (using her link up).
   */
  async authorize(
    connection: ConnectionDocument,
    memberId: string,
    credential: Omit<NewCredential, 'connectionId' | 'subject' | 'createdBy'> & { account: string },
    callerIds: readonly string[],
    furtherHash: string | null = null,
    also?: (session: ClientSession) => Promise<unknown>,
  ): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const entry = {
      actor: { kind: 'user', id: memberId } as const,
      action: 'authorization.granted',
      subject: { kind: 'connection', id: connection._id },
      details: { account: credential.account, scopes: credential.scopes, callers: callerIds },
    };
    await this.audit.change(entry, async (session) => {
      await also?.(session);
      const owner = { connectionId: connection._id, subject: memberId, createdBy: memberId };
      await this.credentials.store({ ...credential, ...owner }, session);
      const now = clock.now();
      await models.authorizations.updateOne(
        { workspaceId, connectionId: connection._id, memberId },
        {
          $set: {
            account: credential.account,
            scopes: [...(credential.scopes ?? [])],
            status: 'active',
            updatedAt: now,
          },
          $setOnInsert: { _id: newId('auth'), createdAt: now },
        },
        { upsert: true, session },
      );
      for (const callerId of callerIds) {
        await this.decideConsent(memberId, callerId, connection._id, 'allowed', furtherHash, session);
      }
    });
  }

  /** Revokes her authorization: the credential is deleted at once, so that the next call cannot use it. */
  async revoke(connection: ConnectionDocument, memberId: string): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const entry = {
      actor: { kind: 'user', id: memberId } as const,
      action: 'authorization.revoked',
      subject: { kind: 'connection', id: connection._id },
    };
    const revoked = await this.audit.change(entry, async (session) => {
      const done = await models.authorizations.updateOne(
        { workspaceId, connectionId: connection._id, memberId, status: 'active' },
        { $set: { status: 'revoked', updatedAt: clock.now() } },
        { session },
      );
      await this.credentials.remove(connection._id, memberId, session);
      await models.consents.updateMany(
        { workspaceId, memberId, connectionId: connection._id, status: 'allowed' },
        { $set: { status: 'revoked', decidedAt: clock.now() } },
        { session },
      );
      return done.modifiedCount === 1;
    });
    await this.refreshDms(connection._id, memberId);
    return revoked;
  }

  /** Asks the member, in her DM and nowhere else. A question that stands there already gets the new call added. */
  async ask(connectionId: string, memberId: string, callerId: string | null): Promise<void> {
    const subject = authorizationSubject(connectionId, memberId, callerId);
    const waiting = callerId === null ? [] : await this.waiting(memberId, connectionId, callerId);
    if (waiting.length > 1) {
      await this.outbox.show('authorization', subject, memberId, null);
      await this.outbox.refresh('authorization', subject);
    } else {
      await this.outbox.showAgain('authorization', subject, memberId);
    }
  }

  /** Every DM about this member and connection, whichever caller asked, shows the new state. */
  async refreshDms(connectionId: string, memberId: string): Promise<void> {
    const { models, workspaceId } = this.deps;
    // Anchored and escaped: only so is it a range of the index, and not a look at every message.
    const begins = `^${escapePattern(authorizationSubject(connectionId, memberId, ''))}`;
    const rows = await models.outbox
      .find({ workspaceId, subjectId: { $regex: begins }, view: 'authorization' }, { subjectId: 1 })
      .lean();
    const subjects = new Set(rows.map(({ subjectId }) => subjectId));
    if (subjects.size > 0) await this.outbox.refresh('authorization', [...subjects]);
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
