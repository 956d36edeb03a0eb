/** Claiming a queued execution, running it once, and recording how it ended (G1, G2, G5, G6). */
import type { ConnectionDocument, ExecutionDocument } from '../../models/types.js';
import { newId } from '../ids.js';
import { crashAt } from '../kill-points.js';
import type { ClaimsInFlight } from './claims-in-flight.js';
import type { ConnectionService } from './connections.js';
import type { Dependencies } from './dependencies.js';
import { DirectoryUnavailable } from './directory.js';
import { type ExecutionStore, ended } from './execution-store.js';
import { scopeGap } from './functions.js';
import { LEASE_MS, Lease } from './lease.js';
import { LostClaims } from './lost-claims.js';
import type { OutboxService } from './outbox.js';
import type { PayloadService } from './payloads.js';
import { type ReplacementService, successor } from './replacements.js';
import type { ScopeService } from './scopes.js';
import type { Checked, SecondLook } from './second-look.js';
import type { Hold, TargetService } from './targets.js';
import type { TokenService } from './tokens.js';
import type { Outcome, UpstreamCalls } from './upstream-call.js';

export { LEASE_MS } from './lease.js';

/** How long an outcome that cannot be stored is offered to the database again. */
const OUTCOME_RETRY_MS = 20_000;
/** The last use of a connection is known to the minute: a busy one is not written at every call. */
const NOTE_EVERY_MS = 60_000;
const SLACK_SILENT =
  'It has not run: Slack could not say whether those who approved it may still decide, and without that nothing is sent.';
/** Each asks the database a dozen questions: a backlog must not use up its connections, nor the time to send. */
const CLAIMS_AT_ONCE = 8;

interface Claimed {
  readonly checked: Checked;
  /** On the monotonic clock. */
  readonly claimedAt: number;
}

export interface RunnerParts {
  readonly secondLook: SecondLook;
  readonly executions: ExecutionStore;
  readonly payloads: PayloadService;
  readonly connections: ConnectionService;
  readonly tokens: TokenService;
  readonly calls: UpstreamCalls;
  readonly scopes: ScopeService;
  readonly outbox: OutboxService;
  readonly claims: ClaimsInFlight;
  readonly targets: TargetService;
  /** Comes later: it asks people, and whoever asks people needs to be able to run. */
  readonly replacements: () => Pick<ReplacementService, 'begin'>;
}

/** What came of a run, and how its target was held to what the approver saw. */
type Run = Outcome & { readonly targetHeld: Hold['held'] };

export class Runner {
  private readonly running = new Set<Promise<void>>();
  private readonly inLine = new Set<string>();
  private claiming = 0;
  /** Executions whose outcome could not be stored: their answers say so (G6). */
  readonly unrecorded = new Set<string>();
  private accepting = true;
  private readonly lostClaims: LostClaims;

  constructor(
    private readonly deps: Pick<
      Dependencies,
      'models' | 'clock' | 'workspaceId' | 'processId' | 'connector' | 'log'
    >,
    private readonly parts: RunnerParts,
  ) {
    this.lostClaims = new LostClaims(deps, parts.executions, parts.outbox);
  }

  /** Runs what was recorded and claimed in one step (nothing to ask). */
  start(checked: Checked, claimedAt: number): void {
    this.track(this.perform(checked, claimedAt));
  }

  /** Claims a queued execution and runs it. Harmless to ask for twice: the claim has one winner. */
  take(executionId: string): void {
    if (!this.accepting) return;
    this.inLine.add(executionId);
    this.claimNext();
  }

  /** Stops claiming and waits for what runs, up to the given time (G14). */
  async drain(milliseconds: number): Promise<void> {
    this.accepting = false;
    this.inLine.clear();
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());
    const done = async (): Promise<void> => {
      while (this.running.size > 0) await Promise.all(this.running);
    };
    await Promise.race([done(), deadline]);
  }

  /** What is claimed runs for as long as it needs; only the claiming is done a few at a time. */
  private claimNext(): void {
    for (const executionId of this.inLine) {
      if (this.claiming >= CLAIMS_AT_ONCE) return;
      this.inLine.delete(executionId);
      this.claiming += 1;
      const claim = this.parts.claims
        .during(() => this.claim(executionId))
        .finally(() => {
          this.claiming -= 1;
          this.claimNext();
        });
      this.track(
        claim.then((claimed) => (claimed ? this.perform(claimed.checked, claimed.claimedAt) : undefined)),
      );
    }
  }

  private track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.deps.log.error({ err: error }, 'run failed; recovery takes it over'))
      .finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  private async claim(executionId: string): Promise<Claimed | null> {
    const execution = await this.parts.executions.get(executionId);
    if (execution?.status !== 'queued') return null;
    if (execution.expiresAt && execution.expiresAt <= this.deps.clock.now()) {
      const late = 'The approval was given too long before the call could run.';
      const message = execution.delay ? `${late} ${execution.delay}` : late;
      const end = ended(this.deps.clock.now(), { code: 'expired', message });
      await this.parts.outbox.showEnd(await this.parts.executions.transition(execution, 'expired', end));
      return null;
    }
    let checked: Checked | null;
    try {
      checked = await this.parts.secondLook.check(execution);
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      // G7: a look-up that fails leaves the execution queued, and says so; the sweeper tries until its time is over.
      const again = new Date(this.deps.clock.now().getTime() + 3_000);
      const isNews = await this.parts.executions.delay(execution, SLACK_SILENT, again);
      if (isNews) await this.parts.outbox.showEnd(execution);
      return null;
    }
    if (!checked) return null;
    crashAt('before_claim');
    const now = this.deps.clock.now();
    const claimedAt = performance.now();
    const leaseUntil = new Date(now.getTime() + LEASE_MS);
    const attempt = { id: newId('at'), process: this.deps.processId, claimedAt: now, leaseUntil };
    const claimed = await this.parts.executions
      .transition(checked.execution, 'executing', {
        attempt,
        startedAt: now,
        expiresAt: null,
        nextActionAt: leaseUntil,
      })
      .catch((error: unknown) => {
        this.deps.log.warn({ err: error, execution: executionId }, 'not known whether a claim is ours');
        return this.lostClaims.settle(checked.execution, attempt.id, claimedAt);
      });
    if (!claimed) return null;
    crashAt('after_claim');
    return { checked: { ...checked, execution: claimed }, claimedAt };
  }

  private async perform(checked: Checked, claimedAt: number): Promise<void> {
    const { execution, connection } = checked;
    const { attempt } = execution;
    if (!attempt) throw new Error('an execution runs only under an attempt');
    const lease = new Lease(this.deps, execution._id, attempt.id, claimedAt);
    try {
      const outcome = await this.call(checked, lease);
      crashAt('before_outcome');
      await this.record(execution, outcome);
      crashAt('after_outcome');
      if (outcome.status === 'succeeded') await this.noteSuccess(execution, connection);
      // Once it is on record: the DM names the call that lacked them.
      else if (outcome.code === 'needs_more_scopes') await this.askForScopes(connection, execution);
    } finally {
      lease.end();
    }
  }

  private async call(checked: Checked, lease: Lease): Promise<Run> {
    const { execution, connection, fn, args } = checked;
    const { calls, targets, tokens } = this.parts;
    let credential = null;
    if (connection.auth !== 'none') {
      const usable = await tokens.usable(connection, execution.subject).catch(this.unusable);
      if (!usable.ok)
        return {
          status: 'failed',
          code: usable.code,
          message: usable.message,
          retryAfter: usable.retryAfter,
          targetHeld: null,
        };
      if (usable.credential.generation !== execution.credentialGeneration) {
        return {
          status: 'failed',
          code: 'refused_recheck',
          message: 'The credential was replaced. Nothing was sent.',
          targetHeld: null,
        };
      }
      credential = usable.credential;
      const gap = scopeGap(fn, credential);
      if (gap.length > 0) {
        const message = this.parts.scopes.explain(connection, fn, gap);
        return { status: 'failed', code: 'needs_more_scopes', message, targetHeld: null };
      }
    }
    const pausedBefore = await this.pausedMeanwhile(checked);
    if (pausedBefore) return { ...pausedBefore, targetHeld: null };
    const hold = await targets.hold(execution, connection, fn, args, credential).catch(this.unheld);
    if (!hold.ok)
      return {
        status: 'failed',
        code: hold.code,
        message: hold.message,
        asksAgain: hold.code === 'target_changed',
        targetHeld: hold.held,
      };
    const paused = await this.pausedMeanwhile(checked);
    if (paused) return { ...paused, targetHeld: hold.held };
    const outcome = await calls.run(execution, connection, fn, args, credential, lease, hold.condition);
    if (outcome.status === 'failed' && outcome.code === 'needs_reauth' && credential) {
      const renews = await tokens.rejected(connection, credential).catch((error: unknown) => {
        this.deps.log.warn({ err: error, connection: connection._id }, 'refused credential not marked');
        return false;
      });
      if (renews) {
        const message = `The access token of “${connection.name}” was no longer accepted; the next call fetches a new one. Nothing happened. Ask again.`;
        return {
          status: 'failed',
          code: 'upstream_unavailable',
          message,
          retryAfter: 1,
          targetHeld: hold.held,
        };
      }
    }
    if (outcome.status === 'failed' && outcome.code === 'target_changed' && hold.condition !== undefined)
      return { ...outcome, asksAgain: true, targetHeld: hold.held };
    return { ...outcome, targetHeld: hold.held };
  }

  /** A credential or a target that takes long to come does not carry a call past the kill switch. */
  private async pausedMeanwhile(checked: Checked): Promise<Outcome | null> {
    try {
      const message = await this.parts.secondLook.pausedSince(checked);
      return message === null ? null : { status: 'failed', code: 'refused_recheck', message };
    } catch (error) {
      this.deps.log.warn({ err: error }, 'not known whether a claimed call is paused');
      const message = 'Nothing was sent: whether it is paused could not be read in time. Ask again.';
      return { status: 'failed', code: 'upstream_unavailable', message };
    }
  }

  private async askForScopes(connection: ConnectionDocument, { subject }: ExecutionDocument): Promise<void> {
    await this.parts.scopes.ask(connection, subject).catch((error: unknown) => {
      this.deps.log.warn({ err: error, connection: connection._id }, 'nobody was asked for more scopes');
    });
  }

  /** Whatever goes wrong before a byte is sent is a known end, not an unknown one. */
  private readonly unusable = (error: unknown) => {
    this.deps.log.warn({ err: error }, 'no credential for a claimed call');
    const message = 'Nothing was sent: the credential could not be read in time. Ask again.';
    return { ok: false, code: 'upstream_unavailable', message, retryAfter: undefined } as const;
  };

  private readonly unheld = (error: unknown): Hold => {
    this.deps.log.warn({ err: error }, 'the target of a claimed call could not be compared');
    const message = 'Nothing was sent: what the approver saw could not be read in time. Ask again.';
    return { ok: false, code: 'upstream_unavailable', message, held: null };
  };

  /** The outcome is offered to the database until it takes it; meanwhile no answer says success (G6). */
  private async record(execution: ExecutionDocument, outcome: Run): Promise<void> {
    const giveUpAt = performance.now() + OUTCOME_RETRY_MS;
    for (;;) {
      try {
        if (outcome.status === 'succeeded') await this.parts.payloads.storeResult(execution, outcome.value);
        const truncated = outcome.status === 'succeeded' && outcome.truncated;
        const now = this.deps.clock.now();
        const next = outcome.status !== 'succeeded' && outcome.asksAgain ? successor(now) : null;
        const error =
          outcome.status === 'succeeded' ? null : next ? saying(outcome, next.replacedBy) : outcome;
        const done = await this.parts.executions.transition(
          execution,
          outcome.status,
          {
            ...ended(now, error),
            truncated,
            targetHeld: outcome.targetHeld,
            ...next,
          },
          { 'attempt.id': execution.attempt?.id ?? '' },
        );
        this.unrecorded.delete(execution._id);
        if (done && next) {
          crashAt('after_target_changed');
          this.parts.replacements().begin(done);
        }
        await this.parts.outbox.showEnd(done);
        return;
      } catch (error) {
        this.unrecorded.add(execution._id);
        if (performance.now() > giveUpAt) throw error;
        this.deps.log.warn({ err: error, execution: execution._id }, 'outcome not recorded yet');
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
  }

  private async noteSuccess(execution: ExecutionDocument, connection: ConnectionDocument): Promise<void> {
    const read = execution.risk === 'read' && connection.readTestedAt === null;
    const write = execution.requirement === 'required' && connection.writeTestedAt === null;
    const now = this.deps.clock.now().getTime();
    const isNoted =
      connection.health === 'ok' && now - (connection.lastUsedAt?.getTime() ?? 0) < NOTE_EVERY_MS;
    if (isNoted && !read && !write) return;
    try {
      await this.parts.connections.noteUse(connection._id, { read, write, health: 'ok' });
    } catch (error) {
      this.deps.log.warn({ err: error, connection: connection._id }, 'last use not noted');
    }
  }
}

function saying<Failed extends { readonly message: string }>(outcome: Failed, replacedBy: string): Failed {
  return { ...outcome, message: `${outcome.message} It is asked again as ${replacedBy}.` };
}
