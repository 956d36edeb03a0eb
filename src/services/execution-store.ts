/** Executions at rest. Every change of state is one compare-and-set here, allowed by the table beside the model. */
import type { QueryFilter } from 'mongoose';
import { assertTransition, isTerminal } from '../../models/state-machines.js';
import type { ExecutionDocument, ExecutionStatus } from '../../models/types.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { AppError } from '../errors.js';
import type { Dependencies } from './dependencies.js';

export interface ExecutionQuery {
  readonly connectionIds?: readonly string[];
  readonly requesterId?: string;
  /** The member the calls were made for. */
  readonly onBehalfOf?: string;
  readonly status?: ExecutionStatus;
  readonly before?: { readonly createdAt: Date; readonly id: string };
  readonly limit: number;
}

/** Of a record about which nothing has happened yet. */
export function untouched(now: Date) {
  return {
    rev: 1,
    approvalId: null,
    bindingHash: null,
    attempt: null,
    error: null,
    note: null,
    truncated: false,
    createdAt: now,
    updatedAt: now,
    decidedAt: null,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    nextActionAt: null,
    delay: null,
  };
}

export class ExecutionStore {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'signals'>) {}

  async get(id: string): Promise<ExecutionDocument | null> {
    return this.deps.models.executions.findOne({ _id: id, workspaceId: this.deps.workspaceId }).lean();
  }

  async byIdempotencyKey(callerId: string, idempotencyKey: string): Promise<ExecutionDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.executions.findOne({ workspaceId, callerId, idempotencyKey }).lean();
  }

  /** False when the caller used this idempotency key before. */
  async insert(execution: ExecutionDocument): Promise<boolean> {
    try {
      await this.deps.models.executions.create([execution]);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /**
   * Moves an execution to another state if it still is in the state and revision that was read.
   * Null when somebody else was first. @throws Error when the table forbids the change
   */
  async transition(
    from: Pick<ExecutionDocument, '_id' | 'status' | 'rev' | 'approvalId'>,
    to: ExecutionStatus,
    change: Partial<ExecutionDocument>,
    guard: QueryFilter<ExecutionDocument> = {},
  ): Promise<ExecutionDocument | null> {
    assertTransition(from.status, to);
    const { models, workspaceId, clock, signals } = this.deps;
    const updated = await models.executions
      .findOneAndUpdate(
        { _id: from._id, workspaceId, status: from.status, rev: from.rev, ...guard },
        {
          $set: { ...news(from, to), ...change, status: to, updatedAt: clock.now() },
          $inc: { rev: 1 },
        },
        { returnDocument: 'after' },
      )
      .lean();
    if (updated) signals.emit('changed', updated._id);
    return updated;
  }

  /** What a sweeper should look at: in this state, and due. */
  async due(status: ExecutionStatus, limit = 100): Promise<ExecutionDocument[]> {
    const { models, workspaceId, clock } = this.deps;
    const filter = { workspaceId, status, nextActionAt: { $lte: clock.now() } };
    return models.executions.find(filter).sort({ nextActionAt: 1 }).limit(limit).lean();
  }

  /** Not a change of state: when to look next. */
  async lookAgain(id: string, status: ExecutionStatus, nextActionAt: Date | null): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.executions.updateOne({ _id: id, workspaceId, status }, { $set: { nextActionAt } });
  }

  /** Not a change of state: when it ends by itself. */
  async endsAt(id: string, status: ExecutionStatus, expiresAt: Date): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.executions.updateOne({ _id: id, workspaceId, status }, { $set: { expiresAt } });
  }

  /** How many calls of this caller wait for people, counted up to the limit. @param besides are not counted */
  /**
   * Not a change of state: why it does not run yet, and when to try again.
   * @returns whether that is news, for whoever shows it
   */
  async delay(
    { _id, delay }: Pick<ExecutionDocument, '_id' | 'delay'>,
    why: string,
    nextActionAt: Date,
  ): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const isNews = delay !== why;
    const news = { $set: { delay: why, nextActionAt, updatedAt: clock.now() }, $inc: { rev: 1 } };
    const done = await models.executions.updateOne(
      { _id, workspaceId, status: 'queued' },
      isNews ? news : { $set: { nextActionAt } },
    );
    return isNews && done.modifiedCount === 1;
  }

  async pendingOf(callerId: string, limit: number, besides: readonly string[] = []): Promise<number> {
    const { models, workspaceId } = this.deps;
    const status = { $in: ['pending_approval', 'pending_authorization'] as ExecutionStatus[] };
    const counted = besides.length === 0 ? {} : { _id: { $nin: [...besides] } };
    return models.executions.countDocuments({ workspaceId, status, callerId, ...counted }).limit(limit);
  }

  async waitingFor(memberId: string, connectionId?: string, callerId?: string): Promise<ExecutionDocument[]> {
    const { models, workspaceId } = this.deps;
    return models.executions
      .find({
        workspaceId,
        status: 'pending_authorization',
        onBehalfOf: memberId,
        ...(connectionId === undefined ? {} : { connectionId }),
        ...(callerId === undefined ? {} : { callerId }),
      })
      .sort({ createdAt: 1 })
      .limit(200)
      .lean();
  }

  /** A member's calls on a connection that her consent did not reach to. Newest first. */
  async lackingScopes(
    memberId: string,
    connectionId: string,
    since: Date,
    limit: number,
  ): Promise<ExecutionDocument[]> {
    const { models, workspaceId } = this.deps;
    const filter: QueryFilter<ExecutionDocument> = {
      workspaceId,
      onBehalfOf: member(memberId),
      createdAt: { $gt: since },
      connectionId,
      'error.code': 'needs_more_scopes',
    };
    return models.executions.find(filter).sort({ createdAt: -1, _id: -1 }).limit(limit).lean();
  }

  /** Newest first, by keyset: a page costs the same however deep it is. */
  async list(query: ExecutionQuery): Promise<ExecutionDocument[]> {
    const { models, workspaceId } = this.deps;
    const filter: QueryFilter<ExecutionDocument> = { workspaceId };
    if (query.status) filter.status = query.status;
    if (query.onBehalfOf !== undefined) filter.onBehalfOf = member(query.onBehalfOf);
    if (query.connectionIds && query.requesterId) {
      filter.$and = [
        { $or: [{ connectionId: { $in: [...query.connectionIds] } }, { requesterId: query.requesterId }] },
      ];
    } else if (query.requesterId) filter.requesterId = query.requesterId;
    if (query.before) {
      const { createdAt, id } = query.before;
      // The bound is what the index is entered at; without it every page before this one is read again.
      filter.createdAt = { $lte: createdAt };
      filter.$or = [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }];
    }
    return models.executions.find(filter).sort({ createdAt: -1, _id: -1 }).limit(query.limit).lean();
  }

  /**
   * Takes back a record whose caller was told that nothing was executed, whether it has arrived, is still on its way or
   * never left: its id is taken by one that has ended, and its idempotency key is free again.
   * False when a repeat of the request was given its id meanwhile: then it stands.
   */
  async withdraw(record: ExecutionDocument): Promise<boolean> {
    const message = 'The call could not be recorded in time; its caller was told that nothing was executed.';
    const end: Partial<ExecutionDocument> = {
      ...ended(this.deps.clock.now(), { code: 'unavailable', message }),
      idempotencyKey: `withdrawn:${record._id}`,
      told: true,
      approvalStatus: record.approvalStatus === 'pending' ? 'cancelled' : record.approvalStatus,
    };
    const status = record.status === 'executing' ? 'failed' : 'cancelled';
    if (await this.insert({ ...record, ...end, status })) return true;
    return (await this.transition(record, status, end, { handedOut: { $ne: true } })) !== null;
  }

  /** Its id is about to be given to a repeat of the request, so it can no longer be withdrawn. False when it was. */
  async handOut(record: ExecutionDocument): Promise<boolean> {
    if (record.handedOut || isTerminal(record.status)) return true;
    const { models, workspaceId } = this.deps;
    const done = await models.executions.updateOne(
      { _id: record._id, workspaceId, idempotencyKey: record.idempotencyKey },
      { $set: { handedOut: true } },
    );
    return done.matchedCount === 1;
  }

  /** Ends in `cancelled`, `denied` or `expired` what still waits for an authorization; `told`: nobody has to hear of it. */
  async endWaiting(
    execution: ExecutionDocument,
    to: 'cancelled' | 'denied' | 'expired',
    error: { code: 'cancelled' | 'needs_authorization' | 'expired'; message: string },
    told = false,
  ): Promise<ExecutionDocument | null> {
    return this.transition(execution, to, { ...ended(this.deps.clock.now(), error), told });
  }
}

/** Its index leaves out calls without a member, and MongoDB takes it only for a query that says so. */
function member(id: string) {
  return { $eq: id, $type: 'string' as const };
}

/**
 * An end of which no approval request keeps whether it was told: before anybody was asked to decide, or of a call that
 * nobody was asked about and of which nobody knows what became.
 */
function news(
  { status, approvalId }: Pick<ExecutionDocument, 'status' | 'approvalId'>,
  to: ExecutionStatus,
): Partial<ExecutionDocument> {
  const untold =
    status === 'pending_authorization' ? isTerminal(to) : to === 'outcome_unknown' && !approvalId;
  return untold ? { told: false } : {};
}

/** The fields that every end has. */
export function ended(
  now: Date,
  error: { code: string; message: string; retryAfter?: number | undefined } | null,
): Partial<ExecutionDocument> {
  return {
    finishedAt: now,
    nextActionAt: null,
    expiresAt: null,
    error: error ? { code: error.code, message: error.message, retryAfter: error.retryAfter ?? null } : null,
  };
}

/** Why a call that was decided does not run yet; null once it does, or has ended. */
export function delayOf({ status, delay }: Pick<ExecutionDocument, 'status' | 'delay'>): string | null {
  return status === 'queued' ? (delay ?? null) : null;
}

/** @throws AppError `not_found` */
export function required<T>(value: T | null, what: string): T {
  if (value === null) throw new AppError('not_found', `There is no such ${what}.`);
  return value;
}
