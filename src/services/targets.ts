/**
 * What a write points at: read before the card is drawn, kept as the approver saw it, and held to when the call runs.
 * The digest binds the call; this binds its target.
 */
import type {
  ApprovalDocument,
  ConnectionDocument,
  CredentialDocument,
  ExecutionDocument,
} from '../../models/types.js';
import { canonicalHash } from '../canonical.js';
import type {
  Arguments,
  CallContext,
  FunctionDefinition,
  Observation,
  Observe,
  UpstreamRequest,
} from '../connectors/framework.js';
import { EnvelopeError } from '../credentials/envelope.js';
import { UpstreamError } from '../errors.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { enabledFunction } from './functions.js';
import type { KeptObservation, PayloadService } from './payloads.js';
import { targetCheckOf, type Verdict } from './policy.js';
import type { TokenService } from './tokens.js';
import type { UpstreamCalls } from './upstream-call.js';

/** A card waits this long for its target, and so does a call that is about to run. */
export const LOOK_LIMIT_MS = 5_000;

/** Said to callers and on the card: nothing was sent, whatever the reason. */
const CHANGED = 'What the call would change is no longer what the approver saw. Nothing was sent.';
const UNREADABLE =
  'What the call would change could not be read again just before sending. Nothing was sent.';

/** How a call may go on, or why it may not. `held`: what the record says of it. */
export type Hold =
  | {
      readonly ok: true;
      readonly held: NonNullable<ExecutionDocument['targetHeld']> | null;
      readonly condition?: string;
    }
  | {
      readonly ok: false;
      readonly code: 'target_changed' | 'upstream_unavailable';
      readonly message: string;
      readonly held: 'read_again' | null;
    };

const refused = (message: string): Hold => ({
  ok: false,
  code: 'target_changed',
  message,
  held: 'read_again',
});

type Question = Pick<ApprovalDocument, 'targetCheck' | 'target' | 'targetNote' | 'fingerprint'>;

/** How a request begins: what there is no way to look at is known before anybody looks. */
export function targetQuestion(fn: FunctionDefinition, verdict: Pick<Verdict, 'risk' | 'rule'>): Question {
  const targetCheck = targetCheckOf(verdict);
  const unchecked = (targetNote: string): Question => ({
    targetCheck,
    target: 'unchecked',
    targetNote,
    fingerprint: null,
  });
  if (targetCheck === 'off') return unchecked('The policy says that it need not be.');
  if (fn.observe === undefined) return unchecked('This function has no way to read it.');
  if ('none' in fn.observe) return unchecked(fn.observe.none);
  return { targetCheck, target: null, targetNote: null, fingerprint: null };
}

/** What the changed call asks of its target, where that is more than was asked when nobody had changed it. */
export function raisedCheck(
  fn: FunctionDefinition,
  verdict: Pick<Verdict, 'risk' | 'rule'>,
  { targetCheck: before }: Question,
): 'required' | 'best_effort' | null {
  const { targetCheck, target } = targetQuestion(fn, verdict);
  // Where there is no way to read it, nobody would be asked to.
  if (target === 'unchecked' || !targetCheck || targetCheck === 'off') return null;
  return before === 'required' || before === targetCheck ? null : targetCheck;
}

export function isRead(target: ApprovalDocument['target']): boolean {
  return target === 'bound' || target === 'best_effort';
}

/**
 * SHA-256 of what was read: the fields' values and the system's own version. Their order and what the call will make
 * of them are left out, so that another argument of the call alone is no other target; so are footprints.
 */
export function fingerprintOf({ fields, version }: Pick<Observation, 'fields' | 'version'>): string {
  const shown = held(fields)
    .map(({ label, value }) => JSON.stringify([label, value]))
    .sort();
  return canonicalHash({ shown, version });
}

function held(fields: Observation['fields']): Observation['fields'] {
  return fields.filter(({ footprint }) => !footprint);
}

/** It has to be read before anybody may approve, and it was not (yet). */
export function awaitsTarget({
  targetCheck,
  target,
}: Pick<ApprovalDocument, 'targetCheck' | 'target'>): boolean {
  return targetCheck === 'required' && !target;
}

function isOpen({ status, targetCheck, target }: ApprovalDocument): boolean {
  return status === 'pending' && Boolean(targetCheck) && !target;
}

/** One field of a target, as it was for an earlier request and as it is for this one. */
export interface Moved {
  readonly label: string;
  /** Null: it was not there. */
  readonly was: string | null;
  readonly now: string | null;
}

/** What moved between two looks; empty where only the system's version tells them apart, or nothing does. */
export function movedBetween(before: Observation, after: Observation): Moved[] {
  const now = new Map(held(after.fields).map(({ label, value }) => [label, value]));
  const was = new Map(held(before.fields).map(({ label, value }) => [label, value]));
  const labels = [...new Set([...now.keys(), ...was.keys()])];
  return labels
    .map((label) => ({ label, was: was.get(label) ?? null, now: now.get(label) ?? null }))
    .filter((each) => each.was !== each.now);
}

export class TargetService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId' | 'connector' | 'log'>,
    private readonly payloads: PayloadService,
    private readonly connections: ConnectionService,
    private readonly tokens: TokenService,
    private readonly calls: UpstreamCalls,
  ) {}

  /**
   * Reads the target of a call that waits for approval, once: what is kept first is what every card shows and what
   * the run is held to. Takes at most as long as a card waits; says afterwards on the request what is missing.
   * @param again to read what had to be read and could not be
   */
  async look(execution: ExecutionDocument, again = false): Promise<void> {
    const approval = await this.question(execution._id);
    if (!approval || !isOpen(approval) || (approval.targetNote && !again)) return;
    const seen = await this.observe(execution);
    if (typeof seen === 'string') return this.note(approval, seen);
    const kept = await this.payloads.keepObservation(execution, seen);
    await this.answer(approval, {
      target: approval.targetCheck === 'required' ? 'bound' : 'best_effort',
      targetNote: null,
      fingerprint: fingerprintOf(kept),
    });
  }

  /** Nobody has looked at its target yet. */
  async awaitsLook(execution: Pick<ExecutionDocument, '_id'>): Promise<boolean> {
    const approval = await this.question(execution._id);
    return approval !== null && isOpen(approval) && !approval.targetNote;
  }

  /** The target as the approver saw it, and, for a call that asks again, what moved since the one before. */
  async seen(
    execution: Pick<ExecutionDocument, '_id' | 'replaces'>,
  ): Promise<{ readonly observation: Observation | null; readonly moved: readonly Moved[] | null }> {
    const observation = await this.payloads.observation(execution).catch(() => null);
    if (!observation || !execution.replaces) return { observation, moved: null };
    const before = await this.payloads.observation({ _id: execution.replaces }).catch(() => null);
    return { observation, moved: before && movedBetween(before, observation) };
  }

  /** Why a call asks again for that execution. */
  async askedAgainFor(id: string): Promise<{ id: string; why: 'target_changed' | 'outcome_unknown' }> {
    const { models, workspaceId } = this.deps;
    const old = await models.executions.findOne({ _id: id, workspaceId }, { status: 1 }).lean();
    return { id, why: old?.status === 'outcome_unknown' ? 'outcome_unknown' : 'target_changed' };
  }

  /**
   * Whether the call with other arguments would still change what the card shows, as the card shows it: an approver
   * who edits may not point it at something that nobody has seen. False too when it cannot be told in that time.
   */
  async pointsAtSame(
    execution: ExecutionDocument,
    { target, targetCheck, targetNote, fingerprint }: Question,
    args: Arguments,
    milliseconds: number,
  ): Promise<boolean> {
    if (!targetCheck || target === 'unchecked') return true;
    if (!isRead(target)) return Boolean(targetNote);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), milliseconds);
    });
    try {
      const look = Promise.all([this.observeNow(execution, args), this.payloads.observation(execution)]);
      const [now, kept] = (await Promise.race([look, late])) ?? [null, null];
      if (now === null || typeof now === 'string') return false;
      // Two targets may look the same: what is read has to be the same one, too.
      return fingerprintOf(now) === fingerprint && kept?.addressed === now.addressed;
    } catch (error) {
      this.deps.log.info({ err: error, execution: execution._id }, 'target of an edited call not read');
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Just before a call is sent: is its target still what the approver saw? Sends nothing but reads. */
  async hold(
    execution: ExecutionDocument,
    connection: ConnectionDocument,
    fn: FunctionDefinition,
    args: Arguments,
    credential: CredentialDocument | null,
  ): Promise<Hold> {
    if (execution.requirement !== 'required') return { ok: true, held: null };
    const approval = await this.question(execution._id);
    if (!approval?.targetCheck) return { ok: true, held: null };
    const observe = fn.observe && 'read' in fn.observe ? fn.observe : null;
    const mustHold = approval.targetCheck === 'required';
    if (!isRead(approval.target)) {
      return mustHold && approval.target !== 'unchecked'
        ? refused(UNREADABLE)
        : { ok: true, held: 'unchecked' };
    }
    const kept = await this.payloads.observation(execution).catch(nullIfForged);
    // What is kept, and the request that was approved, have to tell of the same target.
    if (!kept || fingerprintOf(kept) !== approval.fingerprint) return refused(CHANGED);
    if (!observe) return refused(UNREADABLE);
    if (observe.condition !== null && kept.condition !== undefined)
      return { ok: true, held: 'condition', condition: kept.condition };
    const now = await this.read(observe, execution, connection, args, credential).catch((error: unknown) => {
      this.deps.log.info({ err: error, execution: execution._id }, 'target not read again');
      return null;
    });
    if (!now) return mustHold ? refused(UNREADABLE) : { ok: true, held: 'unchecked' };
    return fingerprintOf(now) === approval.fingerprint ? { ok: true, held: 'read_again' } : refused(CHANGED);
  }

  /** The target, or why it cannot be told, as a sentence. */
  private async observe(execution: ExecutionDocument): Promise<KeptObservation | string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('The system did not answer in time.'), LOOK_LIMIT_MS);
    });
    try {
      return await Promise.race([this.observeNow(execution), late]);
    } catch (error) {
      this.deps.log.info({ err: error, execution: execution._id }, 'target not read');
      return error instanceof UpstreamError ? error.message : 'It could not be read.';
    } finally {
      clearTimeout(timer);
    }
  }

  private async observeNow(
    execution: ExecutionDocument,
    given?: Arguments,
  ): Promise<KeptObservation | string> {
    const connection = await this.connections.find(execution.connectionId);
    if (!connection) return 'The connection was removed.';
    const fn = enabledFunction(
      await this.deps.connector(connection.connector),
      connection,
      execution.function,
    );
    const args = given ?? (await this.payloads.arguments(execution));
    if (!args || !fn?.observe || 'none' in fn.observe) return 'There is nothing to read it with any more.';
    let credential: CredentialDocument | null = null;
    if (connection.auth !== 'none') {
      const usable = await this.tokens.usable(connection, execution.subject);
      if (!usable.ok) return usable.message;
      if (usable.credential.generation !== execution.credentialGeneration)
        return 'The credential was replaced.';
      credential = usable.credential;
    }
    return this.read(fn.observe, execution, connection, args, credential);
  }

  private async read(
    observe: Observe,
    execution: ExecutionDocument,
    connection: ConnectionDocument,
    args: Arguments,
    credential: CredentialDocument | null,
  ): Promise<KeptObservation> {
    const asked: string[] = [];
    const look = { connection, credential, limitMs: LOOK_LIMIT_MS };
    return this.calls.look(execution, look, async (context, mask) => {
      const fetch: CallContext['fetch'] = (request) => {
        asked.push(addressOf(request));
        return context.fetch(request);
      };
      const { fields, ...version } = await observe.read({ ...context, fetch }, args);
      return {
        ...version,
        addressed: canonicalHash(asked.sort()),
        fields: fields.map(({ label, value, kind, after, footprint }) => ({
          label: mask(label),
          value: mask(value),
          kind,
          ...(after === undefined ? {} : { after: mask(after) }),
          ...(footprint && { footprint }),
        })),
      };
    });
  }

  private async note(approval: ApprovalDocument, targetNote: string): Promise<void> {
    const target = approval.targetCheck === 'required' ? null : 'unchecked';
    await this.answer(approval, { target, targetNote, fingerprint: null });
  }

  /** Only what nobody has answered yet, and only while people can still see it. */
  private async answer(
    { _id }: ApprovalDocument,
    change: Pick<ApprovalDocument, 'target' | 'targetNote' | 'fingerprint'>,
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    await models.approvals.updateOne(
      { _id, workspaceId, status: 'pending', target: null },
      { $set: change, $inc: { rev: 1 } },
    );
  }

  private async question(executionId: string): Promise<ApprovalDocument | null> {
    const { models, workspaceId } = this.deps;
    return models.approvals.findOne({ workspaceId, executionId }).lean();
  }
}

/** What a request reads, and nothing of how it is sent. */
function addressOf({ method, url, query, json, body }: UpstreamRequest): string {
  const sent = typeof body === 'object' ? Buffer.from(body).toString('base64') : (body ?? null);
  return JSON.stringify([method, url, query ?? null, json ?? null, sent]);
}

/** A record that does not open was tampered with; one that cannot be read just now is another matter. */
function nullIfForged(error: unknown): null {
  if (error instanceof EnvelopeError) return null;
  throw error;
}
