/** From a request of a caller to a recorded execution: what it needs, and whether it may go on. */

import { isTerminal } from '../../models/state-machines.js';
import type {
  ConnectionDocument,
  ExecutionDocument,
  ExecutionStatus,
  GrantDocument,
} from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { FunctionDefinition } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { crashAt } from '../kill-points.js';
import { type ApprovalService, CLAIM_WINDOW_MS } from './approvals.js';
import { bindingHash } from './binding.js';
import type { CallLimits, Place } from './call-limits.js';
import type { ClaimsInFlight } from './claims-in-flight.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { type CallRequest, type Examined, type Examiner, type Plan, parseArguments } from './examination.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { fateOf, grantWouldHelp, PENDING_LIMIT } from './fate.js';
import type { GrantService } from './grants.js';
import type { MemberService } from './members.js';
import type { PayloadService } from './payloads.js';
import type { PendingPlaces } from './pending-places.js';
import type { CallerIdentity } from './person-callers.js';
import { evaluate, limitOf } from './policy.js';
import { stopped } from './recheck.js';
import { LEASE_MS, type Runner } from './runner.js';
import type { ScopeService } from './scopes.js';
import { SYSTEM_CALLER } from './second-look.js';
import type { SettingsService } from './settings.js';
import { targetQuestion } from './targets.js';
import type { WaitingCalls } from './waiting-calls.js';

/** PRODUCT.md, "Defaults": an authorization is waited for 24 hours. */
export const AUTHORIZATION_WINDOW_MS = 24 * 3_600_000;
const STOPPED = { code: 'paused', message: 'It is paused.' } as const;
/**
 * Until then a granted call is claimed by the process that recorded it alone, at the signal that its record is there. Where
 * the record's acknowledgement is lost, the caller is told that nothing was executed, and no sweeper may claim the call
 * before it is taken back. Few enough that one whose process died still ends within 30 s (G8).
 */
const UNTAKEN_MS = 20_000;
/** How long a record that was refused too late is looked for. Longer than any outage that is not an incident. */
const TAKE_BACK_MS = 15 * 60_000;

export interface Submitted {
  readonly execution: ExecutionDocument;
  /** The same request was made before under this idempotency key. */
  readonly repeated: boolean;
}

export class SubmissionService {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'signals' | 'log' | 'processId'>,
    private readonly executions: ExecutionStore,
    private readonly payloads: PayloadService,
    private readonly approvals: ApprovalService,
    private readonly members: MemberService,
    private readonly settings: SettingsService,
    private readonly examiner: Examiner,
    private readonly runner: Runner,
    private readonly waiting: WaitingCalls,
    private readonly connections: ConnectionService,
    private readonly scopes: ScopeService,
    private readonly grants: GrantService,
    private readonly claims: ClaimsInFlight,
    private readonly limits: CallLimits,
    private readonly places: PendingPlaces,
  ) {}

  /**
   * Records the call and sets it going. Everything that can be refused is refused before anything is stored, except
   * what has to be on record (blocked, paused, not ready).
   * @throws AppError `not_found` | `invalid_arguments` | `idempotency_conflict` | `too_many_pending`
   */
  submit(caller: CallerIdentity, request: CallRequest): Promise<Submitted> {
    return this.claims.during(() => this.record(caller, request));
  }

  private async record(caller: CallerIdentity, request: CallRequest): Promise<Submitted> {
    const requestHash = canonicalHash({
      connection: request.connection,
      function: request.function,
      arguments: request.arguments,
      onBehalfOf: request.onBehalfOf,
      reason: request.reason,
    });
    const lookedAt = performance.now();
    const [earlier, connection, settings] = await Promise.all([
      this.executions.byIdempotencyKey(caller._id, request.idempotencyKey),
      this.connections.find(request.connection),
      this.settings.get(),
    ]);
    if (earlier && (await this.executions.handOut(earlier))) return repeated(earlier, requestHash);
    const look = (isUsedUp?: true) =>
      this.examiner.look(caller, request, { requestHash, connection, settings, lookedAt }, isUsedUp);
    const first = await look();
    const place = await this.takePlace(first);
    const examined = place === 'none_left' ? await look(true) : first;
    const submitted = await this.followUp(examined);
    // An error keeps its place: it may be on record all the same, and the hour gives it back.
    if (submitted.repeated && typeof place === 'object') await this.limits.giveBack(place);
    return submitted;
  }

  /**
   * A call that would run directly under a limit has a place of its own, or is asked about like any over the limit. One
   * that waits for its member takes its place in the hour in which it goes on (`WaitingCalls`).
   */
  private async takePlace(examined: Examined): Promise<Place | 'none_left' | undefined> {
    const limit = limitOf(examined.verdict);
    if (limit === null || fateOf(examined, false) !== 'runs') return undefined;
    return (await this.limits.take(examined.plan.execution, limit)) ?? 'none_left';
  }

  private async followUp(examined: Examined): Promise<Submitted> {
    const { plan, verdict, stop, gap } = examined;
    const { fn } = plan;
    const grant = grantWouldHelp(examined) ? await this.grants.take(plan) : null;
    switch (fateOf(examined, grant !== null)) {
      case 'stopped':
        return this.refuse(plan, stop ?? STOPPED, verdict.requirement);
      case 'blocked': {
        const message = `The policy of “${plan.connection.name}” blocks “${fn.title}”.`;
        return this.refuse(plan, { code: 'policy_blocked', message }, 'blocked');
      }
      case 'too_many_pending':
        throw tooManyPending();
      case 'waits_for_member':
        return this.inPlace(plan, () => this.waitForMember(plan));
      case 'needs_more_scopes':
        return this.askForScopes(plan, gap);
      case 'asks':
        return this.inPlace(plan, () => this.askForApproval(plan));
      case 'granted':
        return this.runGranted(plan, grant);
      case 'runs':
        return this.runNow(plan);
    }
  }

  /**
   * A test by an admin or owner: a read that policy lets run directly, without arguments, recorded like any call. On
   * a private connection it acts as whoever tests, and as nobody else.
   * @throws AppError `paused` | `needs_authorization` | `forbidden`
   */
  async submitTest(
    tester: { readonly id: string; readonly name: string },
    connection: ConnectionDocument,
    fn: FunctionDefinition,
  ): Promise<ExecutionDocument> {
    const args = parseArguments(fn, {});
    const verdict = evaluate(connection, fn, args);
    if (verdict.risk !== 'read' || verdict.effect !== 'allow') {
      throw new AppError('forbidden', 'Only a read that runs directly can be tested like this.');
    }
    const lookedAt = performance.now();
    const stop = stopped(await this.settings.get(), connection, { paused: null, stage: 'test' }, verdict);
    if (stop) throw new AppError(stop.code, stop.message);
    const isPrivate = connection.identity === 'private';
    if (isPrivate && (await this.members.authorization(connection._id, tester.id))?.status !== 'active') {
      const message = `Connect your own account first: /connections connect ${connection.key}`;
      throw new AppError('needs_authorization', message);
    }
    const request = {
      connection: connection._id,
      function: fn.name,
      arguments: {},
      onBehalfOf: null,
      reason: null,
      idempotencyKey: newId('test'),
    } satisfies CallRequest;
    const caller = {
      _id: `${SYSTEM_CALLER}:${tester.id}`,
      name: `Test by ${tester.name}`,
      ownerId: tester.id,
    };
    const onBehalfOf = isPrivate ? tester.id : null;
    const hash = canonicalHash({ ...request, onBehalfOf });
    const credential = await this.examiner.credentialOf(connection, onBehalfOf);
    const call = { connection, fn, verdict, onBehalfOf, credential };
    const execution = await this.examiner.compose(caller, request, hash, call);
    const plan = { connection, fn, args, verdict, execution, lookedAt, tooLate: undefined };
    return (await this.runNow(plan)).execution;
  }

  /** Nobody is asked to approve what could not run: whoever can consent is asked to instead. */
  private async askForScopes(plan: Plan, gap: readonly string[]): Promise<Submitted> {
    const message = this.scopes.explain(plan.connection, plan.fn, gap);
    const end = ended(this.deps.clock.now(), { code: 'needs_more_scopes', message });
    const submitted = await this.accept(plan, 'failed', { approvalStatus: 'not_required', ...end });
    if (!submitted.repeated) await this.scopes.ask(plan.connection, plan.execution.subject);
    return submitted;
  }

  private async refuse(
    plan: Plan,
    error: { code: 'paused' | 'not_ready' | 'policy_blocked'; message: string },
    requirement: ExecutionDocument['requirement'],
  ): Promise<Submitted> {
    return this.accept(plan, 'denied', {
      requirement,
      approvalStatus: 'not_required',
      ...ended(this.deps.clock.now(), error),
    });
  }

  /** However many come at once, only so many wait. */
  private async inPlace(plan: Plan, record: () => Promise<Submitted>): Promise<Submitted> {
    const submitted = await this.places.during(plan.execution, PENDING_LIMIT, record);
    if (submitted === null) throw tooManyPending();
    return submitted;
  }

  private async waitForMember(plan: Plan): Promise<Submitted> {
    const now = this.deps.clock.now().getTime();
    const submitted = await this.accept(plan, 'pending_authorization', {
      expiresAt: new Date(now + AUTHORIZATION_WINDOW_MS),
      nextActionAt: new Date(now + 2_000),
    });
    if (!submitted.repeated) this.waiting.askMember(submitted.execution);
    return submitted;
  }

  private async askForApproval(plan: Plan): Promise<Submitted> {
    const hash = bindingHash(plan.execution, plan.args);
    const approval = {
      ...this.approvals.draft(plan.execution, plan.connection, plan.verdict, hash),
      ...targetQuestion(plan.fn, plan.verdict),
    };
    crashAt('before_intent');
    const approvalId = approval._id;
    await this.approvals.insert(approval).catch((error: unknown) => {
      this.leaveNothing({ ...plan.execution, approvalId });
      throw error;
    });
    const submitted = await this.accept(plan, 'pending_approval', {
      approvalId,
      bindingHash: hash,
      expiresAt: approval.expiresAt,
      nextActionAt: new Date(this.deps.clock.now().getTime() + 2_000),
    });
    if (!submitted.repeated) this.waiting.announce(submitted.execution);
    return submitted;
  }

  /** A grant has answered: it runs by way of the queue, so that the grant is checked again at the claim. */
  private async runGranted(plan: Plan, grant: GrantDocument | null): Promise<Submitted> {
    const now = this.deps.clock.now().getTime();
    const submitted = await this.accept(plan, 'queued', {
      requirement: 'granted',
      approvalStatus: 'not_required',
      grantId: grant?._id ?? null,
      bindingHash: bindingHash(plan.execution, plan.args),
      expiresAt: new Date(now + CLAIM_WINDOW_MS),
      nextActionAt: new Date(now + UNTAKEN_MS),
    });
    if (!submitted.repeated) this.deps.signals.emit('queued', submitted.execution._id);
    else if (grant) await this.grants.giveBack(grant);
    return submitted;
  }

  /** Nothing to ask: the record of the intent and the claim are one insert. */
  private async runNow(plan: Plan): Promise<Submitted> {
    const hash = bindingHash(plan.execution, plan.args);
    const now = this.deps.clock.now();
    const leaseUntil = new Date(now.getTime() + LEASE_MS);
    const claimedAt = performance.now();
    const submitted = await this.accept(plan, 'executing', {
      bindingHash: hash,
      startedAt: now,
      attempt: { id: newId('at'), process: this.deps.processId, claimedAt: now, leaseUntil },
      nextActionAt: leaseUntil,
    });
    if (!submitted.repeated) this.runner.start({ ...plan, execution: submitted.execution }, claimedAt);
    return submitted;
  }

  /** The record. From here on the call is accepted, and no crash loses it. */
  private async accept(
    plan: Plan,
    status: ExecutionStatus,
    change: Partial<ExecutionDocument>,
  ): Promise<Submitted> {
    const execution: ExecutionDocument = { ...plan.execution, ...change, status };
    crashAt('before_intent');
    try {
      await this.payloads.storeArguments(execution, plan.args);
      plan.tooLate?.throwIfAborted();
    } catch (error) {
      this.leaveNothing(execution);
      throw error;
    }
    const inserted = await this.executions.insert(execution).catch((error: unknown) => {
      this.takeBack(execution);
      throw error;
    });
    if (inserted) {
      crashAt('after_intent');
      if (plan.tooLate?.aborted) this.takeBack(execution);
      plan.tooLate?.throwIfAborted();
      return { execution, repeated: false };
    }
    await this.discard(execution);
    const earlier = await this.executions.byIdempotencyKey(execution.callerId, execution.idempotencyKey);
    if (!earlier || !(await this.executions.handOut(earlier))) {
      throw new AppError('unavailable', 'The call could not be recorded. Try again.');
    }
    return repeated(earlier, execution.requestHash);
  }

  /** It is not on record and will not be: neither is what it asks, nor its arguments. */
  private async discard(execution: ExecutionDocument): Promise<void> {
    if (execution.approvalId) await this.approvals.discard(execution.approvalId);
    await this.payloads.discard(execution);
  }

  /** As well as can be; nobody waits for it. A request that stays behind all the same ends with its time. */
  private leaveNothing(execution: ExecutionDocument): void {
    this.discard(execution).catch((error: unknown) => {
      this.deps.log.warn(
        { err: error, execution: execution._id },
        'a request without a call may stay behind',
      );
    });
  }

  /**
   * The caller is told that nothing was executed, and perhaps the record is there all the same (its acknowledgement was
   * lost, or came too late). This makes what the caller was told stay true once the database answers again.
   */
  private takeBack(execution: ExecutionDocument): void {
    if (isTerminal(execution.status)) return;
    const giveUpAt = performance.now() + TAKE_BACK_MS;
    const withdraw = async (): Promise<void> => {
      try {
        const withdrawn = await this.executions.withdraw(execution);
        if (withdrawn && execution.approvalId) await this.approvals.discard(execution.approvalId);
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500).unref());
        await withdraw();
      }
    };
    withdraw().catch((error: unknown) => {
      this.deps.log.error({ err: error, execution: execution._id }, 'a refused call may still be on record');
    });
  }
}

function tooManyPending(): AppError {
  const message = `This caller has ${PENDING_LIMIT} requests waiting for people. Wait for answers, or cancel some.`;
  return new AppError('too_many_pending', message, { retryAfter: 60 });
}

function repeated(earlier: ExecutionDocument, requestHash: string): Submitted {
  if (earlier.requestHash === requestHash) return { execution: earlier, repeated: true };
  throw new AppError(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request. Use a new key.',
  );
}
