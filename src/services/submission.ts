/** From a request of a caller to a recorded execution: what it needs, and whether it may go on. */

import { initialApprovalStatus, isTerminal } from '../../models/state-machines.js';
import type {
  CallerDocument,
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
  ExecutionStatus,
  GrantDocument,
  Settings,
} from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments, FunctionDefinition, JsonValue } from '../connectors/framework.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { crashAt } from '../kill-points.js';
import { type ApprovalService, CLAIM_WINDOW_MS } from './approvals.js';
import { bindingHash } from './binding.js';
import type { CallFacts } from './call-facts.js';
import type { CallLimits, Place } from './call-limits.js';
import type { ClaimsInFlight } from './claims-in-flight.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { type Examination, fateOf, grantWouldHelp, PENDING_LIMIT } from './fate.js';
import type { FileService } from './files.js';
import { missingFile } from './files.js';
import { definitionHashOf, enabledFunction, scopeGap } from './functions.js';
import type { GrantService } from './grants.js';
import type { MemberService } from './members.js';
import type { PayloadService } from './payloads.js';
import { personOf } from './person-caller-id.js';
import type { CallerIdentity } from './person-callers.js';
import { evaluate, limitOf, overLimit, type Verdict } from './policy.js';
import { hasAccess, stopped } from './recheck.js';
import { LEASE_MS, type Runner } from './runner.js';
import type { ScopeService } from './scopes.js';
import { SYSTEM_CALLER } from './second-look.js';
import type { SettingsService } from './settings.js';
import { targetQuestion } from './targets.js';
import type { WaitingCalls } from './waiting-calls.js';

/** PRODUCT.md, "Defaults": an authorization is waited for 24 hours. */
export const AUTHORIZATION_WINDOW_MS = 24 * 3_600_000;
const STOPPED = { code: 'paused', message: 'It is paused.' } as const;
/** How long a record that was refused too late is looked for. Longer than any outage that is not an incident. */
const TAKE_BACK_MS = 15 * 60_000;

export interface CallRequest {
  readonly connection: string;
  readonly function: string;
  readonly arguments: Readonly<Record<string, JsonValue>>;
  readonly onBehalfOf: string | null;
  readonly reason: string | null;
  readonly idempotencyKey: string;
  /** Fires when the caller has been told that the call was not accepted: then it must not be. */
  readonly tooLate?: AbortSignal;
}

export type { Examination } from './fate.js';

export interface Submitted {
  readonly execution: ExecutionDocument;
  /** The same request was made before under this idempotency key. */
  readonly repeated: boolean;
}

export interface Plan {
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
  readonly verdict: Verdict;
  readonly execution: ExecutionDocument;
  readonly tooLate: AbortSignal | undefined;
}

export interface Examined extends Examination {
  readonly plan: Plan;
}

export class SubmissionService {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'connector' | 'directory' | 'signals' | 'log' | 'processId'
    >,
    private readonly executions: ExecutionStore,
    private readonly payloads: PayloadService,
    private readonly approvals: ApprovalService,
    private readonly members: MemberService,
    private readonly credentials: CredentialService,
    private readonly settings: SettingsService,
    private readonly runner: Runner,
    private readonly waiting: WaitingCalls,
    private readonly connections: ConnectionService,
    private readonly files: FileService,
    private readonly scopes: ScopeService,
    private readonly facts: CallFacts,
    private readonly grants: GrantService,
    private readonly claims: ClaimsInFlight,
    private readonly limits: CallLimits,
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
    const [earlier, connection, settings] = await Promise.all([
      this.executions.byIdempotencyKey(caller._id, request.idempotencyKey),
      this.connections.find(request.connection),
      this.settings.get(),
    ]);
    if (earlier && (await this.executions.handOut(earlier))) return repeated(earlier, requestHash);
    const look = (isUsedUp?: true) => this.look(caller, request, requestHash, connection, settings, isUsedUp);
    const first = await look();
    const place = await this.takePlace(first);
    const examined = place === 'none_left' ? await look(true) : first;
    const submitted = await this.followUp(examined);
    // An error keeps its place: it may be on record all the same, and the hour gives it back.
    if (submitted.repeated && typeof place === 'object') await this.limits.giveBack(place);
    return submitted;
  }

  /** A call that would run directly under a limit has a place of its own, or is asked about like any over the limit. */
  private async takePlace(examined: Examined): Promise<Place | 'none_left' | undefined> {
    const limit = limitOf(examined.verdict);
    const fate = fateOf(examined, false);
    if (limit === null || !(fate === 'runs' || fate === 'waits_for_member')) return undefined;
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
      case 'too_many_pending': {
        const message = `This caller has ${PENDING_LIMIT} requests waiting for people. Wait for answers, or cancel some.`;
        throw new AppError('too_many_pending', message, { retryAfter: 60 });
      }
      case 'waits_for_member':
        return this.waitForMember(plan);
      case 'needs_more_scopes':
        return this.askForScopes(plan, gap);
      case 'asks':
        return this.askForApproval(plan);
      case 'granted':
        return this.runGranted(plan, grant);
      case 'runs':
        return this.runNow(plan);
    }
  }

  /**
   * Everything that decides what becomes of a request, with nothing recorded.
   * @throws AppError `not_found` | `invalid_arguments`
   */
  async examine(caller: CallerIdentity, request: CallRequest): Promise<Examined> {
    const [connection, settings] = await Promise.all([
      this.connections.find(request.connection),
      this.settings.get(),
    ]);
    return this.look(caller, request, '', connection, settings);
  }

  private async look(
    caller: CallerIdentity,
    request: CallRequest,
    requestHash: string,
    connection: ConnectionDocument | null,
    settings: Settings,
    isUsedUp?: true,
  ): Promise<Examined> {
    const named = connection?.access.some((each) => each.callerId === caller._id) ?? false;
    if (!connection || !(named || personOf(caller._id) !== null)) {
      throw new AppError(
        'not_found',
        `There is no connection “${request.connection}” that this caller may use.`,
        { path: '/connection' },
      );
    }
    const fn = enabledFunction(await this.deps.connector(connection.connector), connection, request.function);
    if (!fn || !hasAccess(connection, caller._id, fn.name)) {
      throw new AppError(
        'not_found',
        `“${connection.key}” has no function “${request.function}” that this caller may use.`,
        { path: '/function' },
      );
    }
    const args = parseArguments(fn, request.arguments);
    await this.checkFiles(caller, fn, args);
    const verdict = await this.verdict(caller, connection, fn, args, isUsedUp);
    const onBehalfOf = await this.member(request.onBehalfOf, connection);
    const [credential, allowed, pending] = await Promise.all([
      this.credentialOf(connection, onBehalfOf),
      onBehalfOf === null || this.members.allows(onBehalfOf, caller._id, connection),
      onBehalfOf === null && verdict.effect !== 'ask'
        ? 0
        : this.executions.pendingOf(caller._id, PENDING_LIMIT),
    ]);
    const execution = await this.compose(
      caller,
      connection,
      fn,
      verdict,
      onBehalfOf,
      request,
      requestHash,
      credential,
    );
    return {
      plan: { connection, fn, args, verdict, execution, tooLate: request.tooLate },
      verdict,
      stop: stopped(settings, connection, caller, { risk: verdict.risk, requirement: verdict.requirement }),
      onlyAsking: settings.paused !== null && settings.resuming === 'asks',
      allowed,
      pending,
      gap: scopeGap(fn, credential),
    };
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
    const credential = await this.credentialOf(connection, onBehalfOf);
    const execution = await this.compose(
      caller,
      connection,
      fn,
      verdict,
      onBehalfOf,
      request,
      hash,
      credential,
    );
    return (await this.runNow({ connection, fn, args, verdict, execution, tooLate: undefined })).execution;
  }

  private async compose(
    caller: Pick<CallerDocument, '_id' | 'name' | 'ownerId'>,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    verdict: Verdict,
    onBehalfOf: string | null,
    request: CallRequest,
    requestHash: string,
    credential: CredentialDocument | null,
  ): Promise<ExecutionDocument> {
    const subject = this.members.subjectFor(connection, onBehalfOf);
    const now = this.deps.clock.now();
    return {
      _id: newId('ex'),
      workspaceId: this.deps.workspaceId,
      rev: 1,
      status: 'queued',
      connectionId: connection._id,
      connectionKey: connection.key,
      connectionName: connection.name,
      connectionOwnerId: connection.ownerId,
      connector: connection.connector,
      function: fn.name,
      functionTitle: fn.title,
      risk: verdict.risk,
      callerId: caller._id,
      callerName: caller.name,
      callerOwnerId: caller.ownerId,
      requesterId: onBehalfOf ?? caller.ownerId,
      onBehalfOf,
      subject,
      reason: request.reason,
      requirement: verdict.requirement,
      approvalStatus: initialApprovalStatus(verdict.requirement),
      approvalId: null,
      policyVersion: connection.policy.version,
      definitionHash: definitionHashOf(await this.deps.connector(connection.connector), connection, fn),
      credentialGeneration: credential?.generation ?? 0,
      bindingHash: null,
      idempotencyKey: request.idempotencyKey,
      requestHash,
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
    };
  }

  private async credentialOf(
    connection: ConnectionDocument,
    onBehalfOf: string | null,
  ): Promise<CredentialDocument | null> {
    if (connection.auth === 'none') return null;
    return this.credentials.find(connection._id, this.members.subjectFor(connection, onBehalfOf));
  }

  /** What policy says; an allow with a limit becomes a question once the limit is used up. */
  private async verdict(
    caller: CallerIdentity,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    args: Arguments,
    isUsedUp?: true,
  ): Promise<Verdict> {
    const known = await this.facts.known(connection, connection.policy.rules, caller.name);
    const verdict = evaluate(connection, fn, args, known);
    const limit = limitOf(verdict);
    if (limit === null) return verdict;
    const call = { connectionId: connection._id, function: fn.name, callerId: caller._id };
    return isUsedUp || (await this.limits.isUsedUp(call, limit)) ? overLimit(verdict) : verdict;
  }

  /** @throws AppError `invalid_arguments` for a file that is not there, or not this caller's */
  private async checkFiles(caller: CallerIdentity, fn: FunctionDefinition, args: Arguments): Promise<void> {
    for (const reference of fn.files?.(args) ?? []) {
      if (await this.files.find(caller._id, reference)) continue;
      throw new AppError('invalid_arguments', missingFile(reference), { path: '/arguments' });
    }
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
    await this.approvals.insert(approval);
    const submitted = await this.accept(plan, 'pending_approval', {
      approvalId: approval._id,
      bindingHash: hash,
      expiresAt: approval.expiresAt,
      nextActionAt: new Date(this.deps.clock.now().getTime() + 2_000),
    });
    if (submitted.repeated) await this.approvals.discard(approval._id);
    else this.waiting.announce(submitted.execution);
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
      nextActionAt: new Date(now + 2_000),
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
    if (!submitted.repeated)
      this.runner.start(submitted.execution, plan.connection, plan.fn, plan.args, claimedAt);
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
    await this.payloads.storeArguments(execution, plan.args);
    plan.tooLate?.throwIfAborted();
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
    await this.payloads.discard(execution);
    const earlier = await this.executions.byIdempotencyKey(execution.callerId, execution.idempotencyKey);
    if (!earlier || !(await this.executions.handOut(earlier))) {
      throw new AppError('unavailable', 'The call could not be recorded. Try again.');
    }
    return repeated(earlier, execution.requestHash);
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

  /** `on_behalf_of` is a Slack user id or an email. */
  private async member(named: string | null, connection: ConnectionDocument): Promise<string | null> {
    if (named === null) {
      if (connection.identity === 'shared') return null;
      const message = `“${connection.name}” is private: say in on_behalf_of for which member the call is (a Slack user id or an email).`;
      throw new AppError('invalid_arguments', message, { path: '/on_behalf_of' });
    }
    const { directory } = this.deps;
    const person = named.includes('@') ? await directory.personByEmail(named) : await directory.person(named);
    if (person?.active && !person.isBot && !person.outsider) return person.id;
    const message = 'on_behalf_of names nobody who is an active member of this workspace.';
    throw new AppError('invalid_arguments', message, { path: '/on_behalf_of' });
  }
}

/** @throws AppError `invalid_arguments` with the path of the first problem */
export function parseArguments(
  fn: FunctionDefinition,
  given: Readonly<Record<string, JsonValue>>,
): Arguments {
  const parsed = fn.input.parse(given);
  if (parsed.ok) return parsed.value;
  const issue = parsed.issues[0];
  const path = `/arguments${issue?.path ?? ''}`;
  throw new AppError('invalid_arguments', `${path}: ${issue?.message ?? 'not valid'}`, { path });
}

function repeated(earlier: ExecutionDocument, requestHash: string): Submitted {
  if (earlier.requestHash === requestHash) return { execution: earlier, repeated: true };
  throw new AppError(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request. Use a new key.',
  );
}
