/** The second look, just before a run: everything that was true when it was asked and answered, read again (G4, G5). */
import type { ApprovalDocument, ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import type { Arguments, FunctionDefinition } from '../connectors/framework.js';
import { EnvelopeError } from '../credentials/envelope.js';
import type { ApprovalService } from './approvals.js';
import type { AuditService } from './audit.js';
import { bindingHash } from './binding.js';
import type { CallerService } from './callers.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import type { EligibilityService } from './eligibility.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { definitionHashOf, enabledFunction } from './functions.js';
import type { GrantService } from './grants.js';
import type { MemberService } from './members.js';
import type { OutboxService } from './outbox.js';
import type { PayloadService } from './payloads.js';
import { personOf } from './person-caller-id.js';
import type { PersonCallers } from './person-callers.js';
import { reasonToRefuse, stopped } from './recheck.js';
import type { SettingsService } from './settings.js';

/** Who runs `/connections test`: not a registered caller, so it has no token, access or pause of its own. */
export const SYSTEM_CALLER = 'test';

/** A pause holds within 2 s, whatever a database or a provider takes: an older look is made again before anything is sent. */
const LOOK_HOLDS_MS = 1_500;

/** A call that may run, with all that it takes. */
export interface Checked {
  readonly execution: ExecutionDocument;
  readonly connection: ConnectionDocument;
  readonly fn: FunctionDefinition;
  readonly args: Arguments;
  /** On the monotonic clock: not later than what is paused was read. */
  readonly lookedAt: number;
}

export interface SecondLookParts {
  readonly executions: ExecutionStore;
  readonly payloads: PayloadService;
  readonly approvals: ApprovalService;
  readonly eligibility: EligibilityService;
  readonly settings: SettingsService;
  readonly callers: CallerService;
  readonly people: PersonCallers;
  readonly members: MemberService;
  readonly credentials: CredentialService;
  readonly grants: GrantService;
  readonly outbox: OutboxService;
  readonly audit: AuditService;
}

export class SecondLook {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'connector' | 'log'>,
    private readonly parts: SecondLookParts,
  ) {}

  /** Everything again, from the database (G4, G5). Null when the execution was refused. */
  async check(execution: ExecutionDocument): Promise<Checked | null> {
    const { settings, callers, credentials, approvals, members, payloads } = this.parts;
    const { models, workspaceId } = this.deps;
    const lookedAt = performance.now();
    const isSystemCaller = isTest(execution);
    const [connection, registered, credential, approval, currentSettings, args] = await Promise.all([
      models.connections.findOne({ _id: execution.connectionId, workspaceId }).lean(),
      callers.get(execution.callerId),
      credentials.find(execution.connectionId, execution.subject),
      approvals.ofExecution(execution._id),
      settings.get(),
      payloads.arguments(execution).catch(nullIfForged),
    ]);
    const connector = await this.deps.connector(execution.connector);
    const fn = connection ? enabledFunction(connector, connection, execution.function) : null;
    const personId = personOf(execution.callerId);
    const caller =
      personId === null || !connection ? registered : await this.parts.people.of(personId, connection);
    const memberAllows =
      execution.onBehalfOf === null || connection === null
        ? true
        : await members.allows(execution.onBehalfOf, execution.callerId, connection);
    const definitionHash = connection && fn ? definitionHashOf(connector, connection, fn) : null;
    const samePolicy = connection === null || connection.policy.version === execution.policyVersion;
    if (!args || !samePolicy || execution.bindingHash !== bindingHash(execution, args)) {
      const message =
        'The call is not the one that was approved (arguments, function, identity or policy changed). Nothing was sent.';
      this.deps.log.error({ execution: execution._id }, 'binding does not hold; refused');
      await this.refuse(execution, 'refused_binding', message);
      return null;
    }
    const facts = {
      settings: currentSettings,
      connection,
      caller,
      fn,
      definitionHash,
      credential,
      approval,
      memberAllows,
    };
    const reason =
      reasonToRefuse(execution, facts, isSystemCaller) ??
      (await this.voidApprovals(execution, approval, connection)) ??
      (connection && fn && (await this.parts.grants.reasonToRefuse(execution, connection, fn, args)));
    if (reason !== null) {
      const { why, approvers } = typeof reason === 'string' ? { why: reason, approvers: [] } : reason;
      const message = sentence(why);
      await this.refuse(execution, 'refused_recheck', message, approvers);
      return null;
    }
    return connection && fn ? { execution, connection, fn, args, lookedAt } : null;
  }

  /**
   * Why a claimed call is not sent after all: it was paused since the look, which is too long ago. Null: it may be.
   * For the audit, too. Asks nothing where the look is fresh.
   */
  async pausedSince({ execution, lookedAt }: Checked): Promise<string | null> {
    if (performance.now() - lookedAt < LOOK_HOLDS_MS) return null;
    const { models, workspaceId } = this.deps;
    const { callerId, connectionId } = execution;
    const [settings, connection, registered] = await Promise.all([
      this.parts.settings.get(),
      models.connections.findOne({ _id: connectionId, workspaceId }).lean(),
      this.parts.callers.get(callerId),
    ]);
    if (!connection) return this.refusal(execution, 'the connection was removed');
    // A person and a test by an admin are no registered callers: nobody pauses them.
    const caller = registered ?? { paused: null, stage: 'test' as const };
    const stop = stopped(settings, connection, caller, execution);
    return stop && this.refusal(execution, stop.message);
  }

  private async voidApprovals(
    execution: ExecutionDocument,
    approval: ApprovalDocument | null,
    connection: ConnectionDocument | null,
  ): Promise<{ readonly why: string; readonly approvers: readonly string[] } | null> {
    if (execution.requirement !== 'required' || !approval || !connection) return null;
    for (const decision of approval.decisions) {
      const eligible = await this.parts.eligibility.mayDecide(approval, connection, decision.userId);
      if (!eligible.ok) return { why: 'an approver may no longer decide', approvers: [decision.userId] };
    }
    const { decisions } = approval;
    if (decisions.length < 2 || (await this.parts.eligibility.areDistinct(decisions))) return null;
    const approvers = decisions.map(({ userId }) => userId);
    return { why: 'two of the approvals are one person’s', approvers };
  }

  /** @param approvers whose approvals no longer hold */
  private async refuse(
    execution: ExecutionDocument,
    code: string,
    message: string,
    approvers: readonly string[] = [],
  ): Promise<void> {
    const end = ended(this.deps.clock.now(), { code, message });
    const refused = await this.parts.executions.transition(execution, 'failed', end);
    if (!refused) return;
    await this.note(execution, { code, message, ...(approvers.length > 0 ? { approvers } : {}) });
    await this.parts.outbox.showEnd(refused);
  }

  private async refusal(execution: ExecutionDocument, why: string): Promise<string> {
    const message = sentence(why);
    await this.note(execution, { code: 'refused_recheck', message });
    return message;
  }

  private note(execution: ExecutionDocument, details: Record<string, unknown>): Promise<void> {
    return this.parts.audit.record({
      actor: { kind: 'system', id: 'recheck' },
      action: 'execution.refused',
      subject: { kind: 'execution', id: execution._id },
      details,
    });
  }
}

const sentence = (why: string): string =>
  `Checked again before running: ${why.replace(/\.$/, '')}. Nothing was sent.`;

function isTest({ callerId }: ExecutionDocument): boolean {
  return callerId.startsWith(`${SYSTEM_CALLER}:`);
}

/** A record that does not open was tampered with; one that cannot be read just now is read again later. */
function nullIfForged(error: unknown): null {
  if (error instanceof EnvelopeError) return null;
  throw error;
}
