/** What callers and people do with executions after they are recorded: wait, look, cancel. */
import { isTerminal } from '../../models/state-machines.js';
import type { CallerDocument, ExecutionDocument, Resolution } from '../../models/types.js';
import type { Arguments, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { delayOf, type ExecutionQuery, type ExecutionStore, required } from './execution-store.js';
import type { MemberService } from './members.js';
import type { OutboxService } from './outbox.js';
import type { PayloadService } from './payloads.js';
import type { RoleService } from './roles.js';
import type { Runner } from './runner.js';

/** Changes made by this process are seen at once; those of others by looking, more slowly the longer it takes. */
const FIRST_POLL_MS = 200;
const SLOWEST_POLL_MS = 1_000;

const DAY_MS = 86_400_000;
const LACKING_SHOWN = 20;

/** An execution as shared/CONTRACT.md gives it to callers. */
export interface ExecutionView {
  readonly id: string;
  readonly status: ExecutionDocument['status'];
  readonly connection: string;
  readonly function: string;
  readonly requirement: ExecutionDocument['requirement'];
  readonly approval: {
    readonly status: ExecutionDocument['approvalStatus'];
    readonly decided_at?: string;
    readonly expires_at?: string;
    readonly note?: string;
  };
  readonly result?: JsonValue;
  readonly truncated?: boolean;
  /** What ran instead of what was asked for: an approver changed it before she approved. */
  readonly edited_arguments?: Arguments;
  readonly error?: { readonly code: string; readonly message: string; readonly retry_after?: number };
  readonly outcome_recorded: boolean;
  /** The execution that asks again, because this one's target changed or its outcome stayed unknown. */
  readonly replaced_by?: string;
  /** The one that this asks again for. */
  readonly replaces?: string;
  /** What a person found out about an unknown outcome. */
  readonly resolution?: {
    readonly outcome: 'applied' | 'not_applied';
    readonly at: string;
    readonly note?: string;
  };
  readonly created_at: string;
  readonly finished_at?: string;
  readonly url: string;
}

export interface Payloads {
  readonly arguments: Arguments | null;
  /** As they were asked for, where an approver changed them. */
  readonly original: Arguments | null;
  readonly result: JsonValue | null;
}

export class ExecutionService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'signals' | 'publicUrl'>,
    private readonly store: ExecutionStore,
    private readonly payloads: PayloadService,
    private readonly approvals: ApprovalService,
    private readonly roles: RoleService,
    private readonly connections: ConnectionService,
    private readonly members: MemberService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly runner: Runner,
  ) {}

  /** The caller's own, and no other's. @throws AppError `not_found` */
  async ofCaller(caller: CallerDocument, id: string): Promise<ExecutionDocument> {
    const execution = await this.store.get(id);
    return required(execution?.callerId === caller._id ? execution : null, 'execution');
  }

  /**
   * Waits until the execution has ended, or the time is over; the latest state either way, also when the database goes
   * away meanwhile: what was accepted stays accepted.
   */
  async wait(
    execution: ExecutionDocument,
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<ExecutionDocument> {
    let current = execution;
    const until = performance.now() + milliseconds;
    let poll = FIRST_POLL_MS;
    while (!isTerminal(current.status) && performance.now() < until && !signal?.aborted) {
      await this.nextChange(current._id, Math.min(poll, until - performance.now()));
      poll = Math.min(SLOWEST_POLL_MS, poll * 1.5);
      if (this.runner.unrecorded.has(current._id)) break;
      const latest = await this.store.get(current._id).catch(() => 'unknown' as const);
      if (latest === 'unknown') break;
      current = latest ?? current;
    }
    return current;
  }

  async view(execution: ExecutionDocument): Promise<ExecutionView> {
    const result = execution.status === 'succeeded' ? await this.payloads.result(execution) : null;
    const edited = execution.editedBy ? await this.payloads.arguments(execution) : null;
    const { error } = execution;
    const expiresAt = execution.status === 'pending_approval' ? execution.expiresAt : null;
    const note = delayOf(execution) ?? execution.note;
    return {
      id: execution._id,
      status: execution.status,
      connection: execution.connectionKey,
      function: execution.function,
      requirement: execution.requirement,
      approval: {
        status: execution.approvalStatus,
        ...(execution.decidedAt ? { decided_at: execution.decidedAt.toISOString() } : {}),
        ...(expiresAt ? { expires_at: expiresAt.toISOString() } : {}),
        ...(note ? { note } : {}),
      },
      ...(execution.status === 'succeeded' ? { result } : {}),
      ...(execution.truncated ? { truncated: true } : {}),
      ...(edited ? { edited_arguments: edited } : {}),
      ...(error
        ? {
            error: {
              code: error.code,
              message: error.message,
              ...(error.retryAfter ? { retry_after: error.retryAfter } : {}),
            },
          }
        : {}),
      ...(execution.replacedBy ? { replaced_by: execution.replacedBy } : {}),
      ...(execution.replaces ? { replaces: execution.replaces } : {}),
      ...(execution.resolution ? { resolution: resolutionView(execution.resolution) } : {}),
      outcome_recorded: !this.runner.unrecorded.has(execution._id),
      created_at: execution.createdAt.toISOString(),
      ...(execution.finishedAt ? { finished_at: execution.finishedAt.toISOString() } : {}),
      url: `${this.deps.publicUrl}/v1/executions/${execution._id}`,
    };
  }

  /** Its caller takes back what has not begun to run, and needs no news of it. What runs or has ended stays as it is. */
  async cancel(execution: ExecutionDocument, why: string): Promise<ExecutionDocument> {
    const error = { code: 'cancelled', message: why } as const;
    if (execution.status === 'pending_approval') {
      const approval = await this.approvals.ofExecution(execution._id);
      if (approval && !(await this.approvals.end(approval, 'cancelled', why, true))) {
        // Somebody was first: what was decided is followed, so that the caller is told that and not "still pending".
        const decided = await this.approvals.ofExecution(execution._id);
        if (decided && decided.status !== 'pending') await this.approvals.settle(decided);
        const latest = await this.store.get(execution._id);
        if (latest?.status === 'queued') return this.cancel(latest, why);
      }
    } else if (execution.status === 'pending_authorization') {
      await this.store.endWaiting(execution, 'cancelled', error, true);
      if (execution.onBehalfOf) await this.members.refreshDms(execution.connectionId, execution.onBehalfOf);
    } else if (execution.status === 'queued') {
      const now = this.deps.clock.now();
      const end = {
        error: { ...error, retryAfter: null },
        finishedAt: now,
        nextActionAt: null,
        expiresAt: null,
      };
      const done = await this.store.transition(execution, 'cancelled', end);
      if (done) await this.approvals.needsNoTelling(done);
      await this.outbox.showEnd(done);
    }
    return (await this.store.get(execution._id)) ?? execution;
  }

  /** She refuses the caller: everything of it that waits for her ends as denied (shared/CONTRACT.md). */
  async refuseMember(memberId: string, connectionId: string, callerId: string): Promise<void> {
    await this.members.decideConsent(memberId, callerId, connectionId, 'refused');
    const message = 'The member refused to let this caller act for her.';
    for (const waiting of await this.store.waitingFor(memberId, connectionId, callerId)) {
      await this.store.endWaiting(waiting, 'denied', { code: 'needs_authorization', message });
    }
    await this.members.refreshDms(connectionId, memberId);
  }

  /** Newest first. Admins and auditors see all of the workspace, others their own and those of connections they own. */
  async list(
    viewerId: string,
    query: Omit<ExecutionQuery, 'connectionIds' | 'requesterId'>,
  ): Promise<ExecutionDocument[]> {
    const roles = await this.roles.of(viewerId);
    if (roles.admin || roles.auditor) return this.store.list(query);
    const owned = (await this.connections.list(viewerId)).filter((each) => each.ownerId === viewerId);
    return this.store.list({ ...query, requesterId: viewerId, connectionIds: owned.map((each) => each._id) });
  }

  /** What was done in a member's name, by every caller and on every connection: for herself. Newest first. */
  async inNameOf(
    memberId: string,
    query: Pick<ExecutionQuery, 'before' | 'limit'>,
  ): Promise<ExecutionDocument[]> {
    return this.store.list({ ...query, onBehalfOf: memberId });
  }

  /** Of the last day and since then: her calls on a connection that her consent did not reach to. Newest first. */
  async lackingScopes(memberId: string, connectionId: string, since: Date): Promise<ExecutionDocument[]> {
    const yesterday = this.deps.clock.now().getTime() - DAY_MS;
    const from = new Date(Math.max(yesterday, since.getTime()));
    return this.store.lackingScopes(memberId, connectionId, from, LACKING_SHOWN);
  }

  /** Everything of the workspace, for the operator. Newest first. */
  async all(query: ExecutionQuery): Promise<ExecutionDocument[]> {
    return this.store.list(query);
  }

  /** One of them, for the operator. @throws AppError `not_found` */
  async record(id: string): Promise<ExecutionDocument> {
    return required(await this.store.get(id), 'execution');
  }

  /** The record itself (metadata). @throws AppError `not_found`, also when it is not the viewer's business */
  async visibleTo(viewerId: string, id: string): Promise<ExecutionDocument> {
    const execution = await this.store.get(id);
    const message = `There is no execution ${id}. /executions lists the latest.`;
    if (!execution) throw new AppError('not_found', message);
    const roles = await this.roles.of(viewerId);
    const connection =
      roles.admin || roles.auditor ? null : await this.connections.find(execution.connectionId);
    const allowed =
      roles.admin ||
      roles.auditor ||
      connection?.ownerId === viewerId ||
      (await this.concerns(viewerId, execution));
    if (!allowed) throw new AppError('not_found', message, { refusal: 'hidden' });
    return execution;
  }

  /**
   * Arguments and result, for whom PRODUCT.md names: auditors, the requester, the member, those asked to decide.
   * Null for anybody else. Every look is an audit event, stored before the answer.
   */
  async payloadsFor(viewerId: string, execution: ExecutionDocument): Promise<Payloads | null> {
    if (!(await this.maySeePayloads(viewerId, execution))) return null;
    return this.openPayloads({ kind: 'user', id: viewerId }, execution);
  }

  /** A list says a little of the arguments of these, to one whom all of them wait for: one event names them. */
  async noteListed(viewerId: string, executionIds: readonly string[]): Promise<void> {
    if (executionIds.length === 0) return;
    await this.audit.record({
      actor: { kind: 'user', id: viewerId },
      action: 'payload.listed',
      subject: { kind: 'member', id: viewerId },
      details: { executionIds },
    });
  }

  /** Whom PRODUCT.md names: auditors, the requester, the member concerned, and those who were asked to decide. */
  async maySeePayloads(viewerId: string, execution: ExecutionDocument): Promise<boolean> {
    return (await this.roles.of(viewerId)).auditor || (await this.concerns(viewerId, execution));
  }

  async openPayloads(
    actor: { kind: 'user' | 'operator'; id: string },
    execution: ExecutionDocument,
  ): Promise<Payloads> {
    await this.audit.record({
      actor,
      action: 'payload.viewed',
      subject: { kind: 'execution', id: execution._id },
    });
    return {
      arguments: await this.payloads.arguments(execution),
      original: execution.editedBy ? await this.payloads.originalArguments(execution) : null,
      result: execution.status === 'succeeded' ? await this.payloads.result(execution) : null,
    };
  }

  private async concerns(viewerId: string, execution: ExecutionDocument): Promise<boolean> {
    if ([execution.requesterId, execution.onBehalfOf].includes(viewerId)) return true;
    return execution.approvalId !== null && this.approvals.wasAsked(viewerId, execution);
  }

  private async nextChange(id: string, milliseconds: number): Promise<void> {
    const { signals } = this.deps;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signals.off('changed', onChange);
        resolve();
      };
      const onChange = (changed: string) => {
        if (changed === id) done();
      };
      const timer = setTimeout(done, Math.max(1, milliseconds));
      signals.on('changed', onChange);
    });
  }
}

function resolutionView({ outcome, at, note }: Resolution): NonNullable<ExecutionView['resolution']> {
  return { outcome, at: at.toISOString(), ...(note ? { note } : {}) };
}
