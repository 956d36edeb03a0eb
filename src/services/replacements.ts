/**
 * A call that asks again: because its target changed after the yes, or because a person wants so after an unknown
 * outcome. The old execution names the new one in the same write that ends it (or that asks), so nobody is told of an
 * end without what follows; the new one is then made from the old, at once or, after a crash, by the sweeper.
 */
import type { Edit, ExecutionDocument } from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type { Arguments } from '../connectors/framework.js';
import { newId } from '../ids.js';
import type { ApprovalService } from './approvals.js';
import { bindingHash } from './binding.js';
import type { CallFacts } from './call-facts.js';
import type { ConnectionService } from './connections.js';
import type { CredentialService } from './credentials.js';
import type { Dependencies } from './dependencies.js';
import { type ExecutionStore, ended, untouched } from './execution-store.js';
import { definitionHashOf, enabledFunction } from './functions.js';
import type { PayloadService } from './payloads.js';
import { evaluate, type Verdict } from './policy.js';
import { targetQuestion } from './targets.js';
import type { WaitingCalls } from './waiting-calls.js';

/** When the sweeper looks whether the new one is there. */
const LOOK_AFTER_MS = 5_000;

/** What the old execution is given when it names its successor; the sweeper looks until that one is there. */
export function successor(now: Date): Pick<ExecutionDocument, 'nextActionAt'> & { replacedBy: string } {
  return { replacedBy: newId('ex'), nextActionAt: new Date(now.getTime() + LOOK_AFTER_MS) };
}

/** No caller can use such a key: a header's has no spaces (shared/CONTRACT.md). One successor for each. */
const keyFor = (old: Pick<ExecutionDocument, '_id'>): string => `replace ${old._id}`;

export class ReplacementService {
  constructor(
    private readonly deps: Pick<Dependencies, 'clock' | 'connector' | 'log'>,
    private readonly executions: ExecutionStore,
    private readonly payloads: PayloadService,
    private readonly approvals: ApprovalService,
    private readonly connections: ConnectionService,
    private readonly credentials: CredentialService,
    private readonly waiting: Pick<WaitingCalls, 'announce'>,
    private readonly facts: Pick<CallFacts, 'known'>,
  ) {}

  /** Makes the execution that the old one names. Doing it twice changes nothing. */
  async make(old: ExecutionDocument): Promise<void> {
    const { replacedBy } = old;
    if (!replacedBy) return;
    if (!(await this.executions.get(replacedBy))) await this.ask(old, replacedBy);
    await this.executions.lookAgain(old._id, old.status, null);
  }

  /** As `make`; what fails, the sweeper repeats. */
  begin(old: ExecutionDocument): void {
    this.make(old).catch((error: unknown) => {
      this.deps.log.warn({ err: error, execution: old._id }, 'not asked again yet; the sweeper repeats it');
    });
  }

  private async ask(old: ExecutionDocument, id: string): Promise<void> {
    const connection = await this.connections.find(old.connectionId);
    const connector = connection ? await this.deps.connector(connection.connector) : null;
    const fn = connection && connector ? enabledFunction(connector, connection, old.function) : null;
    const args = await this.payloads.arguments(old);
    const plain = this.fresh(old, id);
    if (!connection || !connector || !fn || !args) {
      const message = 'It could not be asked again: the connection, the function or the arguments are gone.';
      return this.record(plain, 'cancelled', {
        ...ended(plain.createdAt, { code: 'cancelled', message }),
        told: false,
      });
    }
    const credential = await this.credentials.find(connection._id, old.subject);
    const known = await this.facts.known(connection, connection.policy.rules, old.callerName);
    const verdict = asking(evaluate(connection, fn, args, known));
    const execution: ExecutionDocument = {
      ...plain,
      risk: verdict.risk,
      policyVersion: connection.policy.version,
      definitionHash: definitionHashOf(connector, connection, fn),
      credentialGeneration: credential?.generation ?? 0,
    };
    const hash = bindingHash(execution, args);
    const edited = await this.keepArguments(old, execution, hash, args);
    const call = { bindingHash: hash, ...(edited ? { editedBy: edited.by } : {}) };
    if (verdict.effect === 'deny') {
      const message = `The policy of “${connection.name}” blocks “${fn.title}”.`;
      const end = ended(plain.createdAt, { code: 'policy_blocked', message });
      return this.record(execution, 'denied', { ...call, ...end, requirement: 'blocked', told: false });
    }
    const draft = this.approvals.draft(execution, connection, verdict, hash);
    const approval = await this.approvals.prepare({ ...draft, edited, ...targetQuestion(fn, verdict) });
    await this.record(execution, 'pending_approval', {
      ...call,
      approvalStatus: 'pending',
      approvalId: approval._id,
      expiresAt: approval.expiresAt,
      nextActionAt: new Date(plain.createdAt.getTime() + 2_000),
    });
    const asked = await this.executions.get(id);
    if (asked) this.waiting.announce(asked);
  }

  /**
   * As they were asked for, and as an approver of the old one made them: whoever decides anew is shown the difference,
   * and the caller is told it. Null where nobody changed anything.
   */
  private async keepArguments(
    old: ExecutionDocument,
    execution: ExecutionDocument,
    hash: string,
    args: Arguments,
  ): Promise<Edit | null> {
    const original = old.editedBy ? await this.payloads.originalArguments(old) : null;
    await this.payloads.keepArguments(execution, original ?? args);
    if (!old.editedBy || !original) return null;
    await this.payloads.storeEdited(execution, hash, args);
    const at = (await this.approvals.ofExecution(old._id))?.edited?.at ?? old.decidedAt ?? old.createdAt;
    return { by: old.editedBy, at, risk: execution.risk, voided: [] };
  }

  private async record(
    execution: ExecutionDocument,
    status: ExecutionDocument['status'],
    change: Partial<ExecutionDocument>,
  ): Promise<void> {
    await this.executions.insert({ ...execution, ...change, status });
  }

  /** The same call by the same caller for the same member, with nothing decided about it. */
  private fresh(old: ExecutionDocument, id: string): ExecutionDocument {
    const { handedOut: _, editedBy: __, told: ___, ...same } = old;
    return {
      ...same,
      ...untouched(this.deps.clock.now()),
      _id: id,
      status: 'pending_approval',
      requirement: 'required',
      approvalStatus: 'not_required',
      idempotencyKey: keyFor(old),
      requestHash: canonicalHash({ replaces: old._id }),
      grantId: null,
      replaces: old._id,
      replacedBy: null,
      targetHeld: null,
      resolution: null,
    };
  }
}

/** A person is asked, also where policy would let the call run directly: no yes is taken over from the old one. */
function asking(verdict: Verdict): Verdict {
  return verdict.effect === 'allow' ? { ...verdict, effect: 'ask', requirement: 'required' } : verdict;
}
