/** Calls that wait for people: asking them, and going on once they have answered. */
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import type { Arguments, ConnectorDefinition, FunctionDefinition } from '../connectors/framework.js';
import { type ApprovalService, CLAIM_WINDOW_MS } from './approvals.js';
import { bindingHash } from './binding.js';
import type { CallFacts } from './call-facts.js';
import type { CallLimits } from './call-limits.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { definitionHashOf, enabledFunction, scopeGap } from './functions.js';
import type { GrantService } from './grants.js';
import type { MemberService } from './members.js';
import type { PauseRecord } from './pause-record.js';
import type { PayloadService } from './payloads.js';
import { evaluate, limitOf, overLimit, type Verdict } from './policy.js';
import type { ScopeService } from './scopes.js';
import { type TargetService, targetQuestion } from './targets.js';

/** Longer than a card waits for its target: whoever looks at it is not overtaken by the sweeper. */
const LOOKING_MS = 10_000;

/** What a call that waited for its member goes on with. */
interface Allowed {
  readonly connection: ConnectionDocument;
  readonly connector: ConnectorDefinition;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
}

export class WaitingCalls {
  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'connector' | 'signals' | 'log'
    >,
    private readonly executions: ExecutionStore,
    private readonly payloads: PayloadService,
    private readonly approvals: ApprovalService,
    private readonly members: MemberService,
    private readonly credentials: CredentialService,
    private readonly connections: ConnectionService,
    private readonly scopes: ScopeService,
    private readonly targets: TargetService,
    private readonly facts: CallFacts,
    private readonly grants: GrantService,
    private readonly pauses: PauseRecord,
    private readonly limits: CallLimits,
  ) {}

  /** Posting takes Slack's time; the caller's answer does not wait for it. What fails here, the sweeper repeats. */
  announce(execution: ExecutionDocument): void {
    this.ask(execution).catch((error: unknown) => {
      this.deps.log.warn(
        { err: error, execution: execution._id },
        'cards not queued yet; the sweeper repeats it',
      );
    });
  }

  /** The target is looked at first: no card is drawn before it is known what it can show. Doing it twice is harmless. */
  async ask(execution: ExecutionDocument): Promise<void> {
    const until = new Date(this.deps.clock.now().getTime() + LOOKING_MS);
    if (await this.targets.awaitsLook(execution)) {
      await this.executions.lookAgain(execution._id, 'pending_approval', until);
      await this.targets.look(execution);
    }
    await this.approvals.announce(execution);
  }

  askMember(execution: ExecutionDocument): void {
    const ask = async () => {
      if (execution.onBehalfOf === null) return;
      await this.members.ask(execution.connectionId, execution.onBehalfOf, execution.callerId);
      const at = this.deps.clock.now().getTime() + 60_000;
      await this.executions.lookAgain(execution._id, 'pending_authorization', new Date(at));
    };
    ask().catch((error: unknown) => {
      this.deps.log.warn(
        { err: error, execution: execution._id },
        'member not asked yet; the sweeper repeats it',
      );
    });
  }

  /** The sweeper's turn: whatever was not asked, is asked; whatever was allowed meanwhile, goes on. */
  async revive(waiting: ExecutionDocument): Promise<void> {
    if (!waiting.frozenAt && waiting.expiresAt && waiting.expiresAt <= this.deps.clock.now()) {
      const message = 'The member neither allowed nor refused within 24 hours.';
      const expired = await this.executions.endWaiting(waiting, 'expired', { code: 'expired', message });
      if (expired?.onBehalfOf) await this.members.refreshDms(expired.connectionId, expired.onBehalfOf);
      return;
    }
    await this.resume(waiting);
    const current = await this.executions.get(waiting._id);
    if (current?.status !== 'pending_authorization') return;
    const neverAsked =
      waiting.nextActionAt !== null && waiting.nextActionAt.getTime() - waiting.createdAt.getTime() < 10_000;
    if (neverAsked) this.askMember(waiting);
    else
      await this.executions.lookAgain(
        waiting._id,
        'pending_authorization',
        new Date(this.deps.clock.now().getTime() + 60_000),
      );
  }

  /** A member has allowed what a call waited for: it goes on, to its approval or to its run; under a pause, later. */
  async resume(waiting: ExecutionDocument): Promise<void> {
    const connection = await this.connections.find(waiting.connectionId);
    if (!connection || waiting.onBehalfOf === null) return;
    if (!(await this.members.allows(waiting.onBehalfOf, waiting.callerId, connection))) return;
    const connector = await this.deps.connector(connection.connector);
    const fn = enabledFunction(connector, connection, waiting.function);
    const args = await this.payloads.arguments(waiting);
    if (!fn || !args) {
      await this.executions.endWaiting(waiting, 'cancelled', {
        code: 'cancelled',
        message: 'The function was turned off while the call was waiting.',
      });
      return;
    }
    const known = await this.facts.known(connection, connection.policy.rules, waiting.callerName);
    const now = evaluate(connection, fn, args, known);
    // Asked for when the limit was used up already: waiting does not change that.
    const verdict = waiting.requirement === 'required' && limitOf(now) !== null ? overLimit(now) : now;
    await this.goOn(waiting, { connection, connector, fn, args }, verdict);
  }

  /** As the policy says now; where the hour has no place left for it, somebody is asked. */
  private async goOn(waiting: ExecutionDocument, allowed: Allowed, verdict: Verdict): Promise<void> {
    const { connection, connector, fn, args } = allowed;
    const { callerId } = waiting;
    if (waiting.frozenAt || (await this.pauses.over(connection, { callerId, ...verdict }))) return;
    const credential = await this.credentials.find(connection._id, waiting.subject);
    const current: ExecutionDocument = {
      ...waiting,
      risk: verdict.risk,
      requirement: verdict.requirement,
      policyVersion: connection.policy.version,
      definitionHash: definitionHashOf(connector, connection, fn),
      credentialGeneration: credential?.generation ?? 0,
    };
    current.bindingHash = bindingHash(current, args);
    const { risk, requirement, policyVersion, definitionHash, credentialGeneration } = current;
    const change = {
      risk,
      requirement,
      policyVersion,
      definitionHash,
      credentialGeneration,
      bindingHash: current.bindingHash,
    };
    const soon = new Date(this.deps.clock.now().getTime() + 2_000);
    if (verdict.effect === 'deny') {
      const message = `The policy of “${connection.name}” blocks “${fn.title}”.`;
      const end = ended(this.deps.clock.now(), { code: 'policy_blocked', message });
      await this.executions.transition(waiting, 'denied', {
        ...change,
        approvalStatus: 'not_required',
        ...end,
      });
      return;
    }
    if (verdict.effect === 'allow') {
      const limit = limitOf(verdict);
      const place = limit === null ? undefined : await this.limits.take(waiting, limit);
      if (place === null) return this.goOn(waiting, allowed, overLimit(verdict));
      const queued = await this.executions.transition(waiting, 'queued', {
        ...change,
        approvalStatus: 'not_required',
        expiresAt: null,
        nextActionAt: soon,
      });
      if (queued) this.deps.signals.emit('queued', queued._id);
      else if (place) await this.limits.giveBack(place);
      return;
    }
    const gap = scopeGap(fn, credential);
    if (gap.length > 0) {
      // Nobody is asked to approve what her consent, just given, leaves out; and nobody has denied it.
      const end = ended(this.deps.clock.now(), {
        code: 'needs_more_scopes',
        message: this.scopes.explain(connection, fn, gap),
      });
      await this.executions.transition(waiting, 'cancelled', {
        ...change,
        approvalStatus: 'not_required',
        ...end,
      });
      await this.scopes.ask(connection, waiting.subject);
      return;
    }
    const grant = await this.grants.take({ execution: current, connection, fn, args, verdict });
    if (grant) {
      const queued = await this.executions.transition(waiting, 'queued', {
        ...change,
        requirement: 'granted',
        approvalStatus: 'not_required',
        grantId: grant._id,
        expiresAt: new Date(this.deps.clock.now().getTime() + CLAIM_WINDOW_MS),
        nextActionAt: soon,
      });
      if (queued) this.deps.signals.emit('queued', queued._id);
      else await this.grants.giveBack(grant);
      return;
    }
    const approval = await this.approvals.prepare({
      ...this.approvals.draft(current, connection, verdict, current.bindingHash),
      ...targetQuestion(fn, verdict),
    });
    const asking = await this.executions.transition(waiting, 'pending_approval', {
      ...change,
      approvalStatus: 'pending',
      approvalId: approval._id,
      expiresAt: approval.expiresAt,
      nextActionAt: soon,
    });
    if (asking) this.announce(asking);
    else await this.withdraw(waiting, approval);
  }

  /** Another process went on with it at the same time, and perhaps asks nobody. */
  private async withdraw({ _id }: ExecutionDocument, approval: ApprovalDocument): Promise<void> {
    const now = await this.executions.get(_id);
    if (now?.status !== 'pending_authorization' && now?.approvalId !== approval._id)
      await this.approvals.discard(approval._id);
  }
}
