/**
 * What became of a call whose answer was lost. The outside system is asked for our own marker, a person says what it
 * came to, and, where it did not happen, the call may be asked for again. Nothing here repeats a call.
 */
import type {
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
  Resolution,
} from '../../models/types.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { AppError, UpstreamError } from '../errors.js';
import type { AuditService } from './audit.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, required } from './execution-store.js';
import type { ExecutionService } from './executions.js';
import { enabledFunction } from './functions.js';
import { SEND_BUDGET_MS } from './lease.js';
import type { OutboxService } from './outbox.js';
import type { PayloadService } from './payloads.js';
import { type ReplacementService, successor } from './replacements.js';
import type { TokenService } from './tokens.js';
import type { UpstreamCalls } from './upstream-call.js';

/** A person waits in front of a window for it. */
export const FIND_OUT_LIMIT_MS = 20_000;

/** What the outside system says. `reason`: why it cannot tell, in words. */
export type Finding =
  | { readonly status: 'applied' | 'not_applied' }
  | { readonly status: 'unknown'; readonly reason: string };

export interface OutcomeParts {
  readonly executions: ExecutionStore;
  readonly views: Pick<ExecutionService, 'maySeePayloads'>;
  readonly payloads: PayloadService;
  readonly connections: ConnectionService;
  readonly tokens: TokenService;
  readonly calls: UpstreamCalls;
  readonly replacements: Pick<ReplacementService, 'make'>;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
}

export class OutcomeService {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'connector' | 'signals' | 'log'
    >,
    private readonly parts: OutcomeParts,
  ) {}

  /** An execution whose outcome is unknown, for those who may see its payloads. @throws AppError `not_found` */
  async open(viewerId: string, executionId: string): Promise<ExecutionDocument> {
    const execution = required(await this.parts.executions.get(executionId), 'execution');
    if (!(await this.parts.views.maySeePayloads(viewerId, execution))) {
      const message = 'Only those who may see its arguments and result can say what became of this call.';
      throw new AppError('forbidden', message);
    }
    if (execution.status !== 'outcome_unknown') {
      throw new AppError('invalid_arguments', 'The outcome of this call is known.');
    }
    return execution;
  }

  /** Whether the function can look for its own traces in the outside system. */
  async canFindOut(execution: Pick<ExecutionDocument, 'connectionId' | 'function'>): Promise<boolean> {
    return (await this.functionOf(execution))?.fn.reconcile !== undefined;
  }

  /**
   * Looks in the outside system for what the call would have left there, as the identity of the call, and changes
   * nothing. Takes at most 20 s. That somebody looked is on record.
   * @throws AppError `not_found` | `forbidden` | `invalid_arguments`
   */
  async findOut(viewerId: string, executionId: string): Promise<Finding> {
    const execution = await this.open(viewerId, executionId);
    this.assertOver(execution);
    const found = await this.look(execution);
    await this.note(viewerId, executionId, 'outcome.looked_up', { found: found.status });
    return found;
  }

  /**
   * A person says what became of it; the first one counts.
   * @throws AppError `not_found` | `forbidden` | `invalid_arguments` when somebody was first
   */
  async resolve(
    viewerId: string,
    executionId: string,
    outcome: Resolution['outcome'],
    note: string | null,
  ): Promise<ExecutionDocument> {
    const execution = await this.open(viewerId, executionId);
    const { models, workspaceId, clock, signals } = this.deps;
    const resolution: Resolution = { outcome, by: viewerId, at: clock.now(), note };
    const entry = {
      actor: { kind: 'user', id: viewerId },
      action: 'outcome.resolved',
      subject: { kind: 'execution', id: executionId },
      details: { outcome },
    } as const;
    const open = { _id: executionId, workspaceId, status: 'outcome_unknown', resolution: null } as const;
    const updated = await this.parts.audit.change(entry, async (session) => {
      const done = await models.executions
        .findOneAndUpdate(
          open,
          { $set: { resolution, updatedAt: resolution.at }, $inc: { rev: 1 } },
          { returnDocument: 'after', session },
        )
        .lean();
      if (done) return done;
      const by = (await this.parts.executions.get(executionId))?.resolution?.by ?? execution.requesterId;
      throw new AppError('invalid_arguments', `<@${by}> has said already what became of it.`);
    });
    signals.emit('changed', executionId);
    await this.parts.outbox.refresh('approval', executionId);
    return updated;
  }

  /**
   * The same call as a new execution that waits for a person; once for each.
   * @returns its id
   * @throws AppError `not_found` | `forbidden` | `invalid_arguments` where it happened, or is asked again already
   */
  async askAgain(viewerId: string, executionId: string): Promise<string> {
    const execution = await this.open(viewerId, executionId);
    this.assertOver(execution);
    const { models, workspaceId, clock, signals } = this.deps;
    const next = successor(clock.now());
    const entry = {
      actor: { kind: 'user', id: viewerId },
      action: 'outcome.asked_again',
      subject: { kind: 'execution', id: executionId },
      details: { replacedBy: next.replacedBy },
    } as const;
    const open = {
      _id: executionId,
      workspaceId,
      status: 'outcome_unknown',
      replacedBy: null,
      'resolution.outcome': { $ne: 'applied' },
    } as const;
    const updated = await this.parts.audit.change(entry, async (session) => {
      const done = await models.executions
        .findOneAndUpdate(
          open,
          { $set: { ...next, updatedAt: clock.now() }, $inc: { rev: 1 } },
          { returnDocument: 'after', session },
        )
        .lean();
      if (done) return done;
      const current = await this.parts.executions.get(executionId);
      const message = current?.replacedBy
        ? `It is asked again already, as ${current.replacedBy}.`
        : 'It happened: asking again would do it a second time.';
      throw new AppError('invalid_arguments', message);
    });
    signals.emit('changed', executionId);
    await this.parts.replacements.make(updated);
    await this.parts.outbox.refresh('approval', executionId);
    return next.replacedBy;
  }

  /** Whoever sent it may still be sending: until its time is over, that nothing is there says nothing. */
  private assertOver({ attempt }: ExecutionDocument): void {
    const over = (attempt?.leaseUntil.getTime() ?? 0) + SEND_BUDGET_MS;
    if (this.deps.clock.now().getTime() >= over) return;
    const message = 'The call may still be on its way. Look again in half a minute.';
    throw new AppError('invalid_arguments', message);
  }

  private async look(execution: ExecutionDocument): Promise<Finding> {
    const unknown = (reason: string): Finding => ({ status: 'unknown', reason });
    const found = await this.functionOf(execution);
    const args = await this.parts.payloads.arguments(execution);
    const reconcile = found?.fn.reconcile;
    if (!found || !reconcile || !args) return unknown('This function has no way to find out.');
    const { connection } = found;
    let credential: CredentialDocument | null = null;
    if (connection.auth !== 'none') {
      const usable = await this.parts.tokens.usable(connection, execution.subject);
      if (!usable.ok) return unknown(usable.message);
      credential = usable.credential;
    }
    const look = { connection, credential, limitMs: FIND_OUT_LIMIT_MS };
    try {
      return await this.parts.calls.look(execution, look, async (context, mask) => {
        const said = await reconcile(context, args);
        return said.status === 'unknown' ? unknown(mask(said.reason)) : { status: said.status };
      });
    } catch (error) {
      this.deps.log.info({ err: error, execution: execution._id }, 'what became of it was not found out');
      return unknown(
        error instanceof UpstreamError ? error.message : 'The outside system could not be asked.',
      );
    }
  }

  private async functionOf(
    execution: Pick<ExecutionDocument, 'connectionId' | 'function'>,
  ): Promise<{ readonly connection: ConnectionDocument; readonly fn: FunctionDefinition } | null> {
    const connection = await this.parts.connections.find(execution.connectionId);
    if (!connection) return null;
    const connector = await this.deps.connector(connection.connector);
    const fn = enabledFunction(connector, connection, execution.function);
    return fn && { connection, fn };
  }

  private async note(
    viewerId: string,
    executionId: string,
    action: string,
    details: Record<string, unknown>,
  ): Promise<void> {
    const subject = { kind: 'execution', id: executionId };
    await this.parts.audit.record({ actor: { kind: 'user', id: viewerId }, action, subject, details });
  }
}
