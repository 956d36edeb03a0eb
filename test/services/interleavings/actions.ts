/** How each step is made to happen. */
import { inspect } from 'node:util';
import type { ApprovalDocument, ExecutionDocument, PolicyRule } from '../../../models/types.js';
import { AppError } from '../../../src/errors.js';
import { shortHash } from '../../../src/services/binding.js';
import { DirectoryUnavailable } from '../../../src/services/directory.js';
import type { Services } from '../../../src/services/index.js';
import type { PauseTarget } from '../../../src/services/pauses.js';
import { MOODS } from './outside.js';
import { CALLS, type CallName, type Step } from './script.js';
import { Died } from './stage.js';
import { ADA, HOUR, MINUTE, type Process, SECOND, type World } from './world.js';

/** What the caller and the people were told; it has to be true at the end. */
export interface Told {
  /** Executions that a caller was given the id of, by the key that it asked with. */
  readonly accepted: Map<CallName, Set<string>>;
  /** With the digest that each was about, and the revision of the request that it made. */
  readonly decisions: ToldDecision[];
  readonly late: string[];
}

interface ToldDecision {
  readonly executionId: string;
  readonly userId: string;
  readonly digest: string;
  readonly rev: number;
  readonly isEdit: boolean;
}

export class Actions {
  readonly told: Told = { accepted: new Map(), decisions: [], late: [] };
  private readonly firstHash = new Map<string, string>();
  private readonly pauses: string[] = [];

  constructor(
    private readonly world: World,
    private readonly count: (what: string) => void,
  ) {}

  /** Never rejects. What is no answer to a person or a caller, but an error of the product's own, must never be. */
  async perform(step: Step): Promise<void> {
    const process = this.world.at(step.at);
    try {
      const outcome = await (process ? this.act(step, process) : this.happen(step)).catch(answer);
      this.count(`${step.do}: ${outcome}`);
    } catch (error) {
      if (!(error instanceof Died)) this.world.violations.push(`${step.do}: ${inspect(error)}`);
    }
  }

  private async act(step: Step, process: Process): Promise<string> {
    const { world } = this;
    const { services } = process;
    switch (step.do) {
      case 'go on':
        return this.goOn(step, process);
      case 'submit':
        return this.submit(step, services);
      case 'approve':
      case 'approve an old card':
        return this.decide(step, services, 'approved');
      case 'deny':
        return this.decide(step, services, 'denied');
      case 'edit, then approve':
        return this.edit(step, services);
      case 'cancel': {
        const execution = await this.current(step.call);
        if (!execution) return 'nothing there';
        return (await services.executions.cancel(execution, 'Never mind.')).status;
      }
      case 'settle':
        await services.recovery.settleApprovals();
        return 'done';
      case 'take': {
        const execution = await this.current(step.call);
        if (execution?.status !== 'queued') return 'nothing there';
        services.runner.take(execution._id);
        return 'done';
      }
      case 'sweep':
        await world.now(() => world.pass(20 * SECOND));
        await world.sweep(process);
        return 'done';
      case 'pause': {
        world.happened.paused = true;
        const target = this.target(step);
        const reason = `pause ${this.pauses.length}`;
        this.pauses.push(reason);
        await services.pauses.pause(ADA, target, reason, step.n % 4 === 3 ? 'cancel' : 'freeze');
        return target.kind;
      }
      case 'resume': {
        const target = this.target(step);
        await world.now(() => world.onResume(target));
        if (target.kind !== 'all') return services.pauses.resume(ADA, target);
        const seen = await services.pauses.ofAll();
        return seen ? services.pauses.resume(ADA, { kind: 'all', seen }) : 'nothing there';
      }
      case 'change the policy': {
        const connection = await services.connections.find(world.connectionId);
        if (!connection) return 'nothing there';
        const [name, rule] = this.otherRule(step.n);
        await services.connections.setPolicy(ADA, connection, [rule]);
        return name;
      }
      case 'make a grant': {
        world.happened.granted = true;
        const execution = await this.current(step.call);
        if (!execution) return 'nothing there';
        const terms =
          step.n % 2 === 0
            ? ({ kind: 'uses', uses: 1, chosen: [0] } as const)
            : ({ kind: 'day', chosen: [0] } as const);
        const approval = await services.approvals.ofExecution(execution._id);
        const card = { executionId: execution._id, hash: shortHash(approval?.bindingHash ?? '') };
        await services.grants.make(step.by, card, terms);
        return 'made';
      }
      case 'revoke a grant': {
        const [grant] = await services.grants.live();
        if (!grant) return 'nothing there';
        await services.grants.revoke(ADA.id, grant._id);
        return 'revoked';
      }
      case 'go away':
        world.happened.delegated = true;
        await services.delegations.set(
          'U0CLEO',
          'U0EVE',
          new Date(world.ground.clock.now().getTime() + 24 * HOUR),
        );
        return 'done';
      case 'come back':
        await services.delegations.end('U0CLEO');
        return 'done';
      case 'the member allows':
        await services.members.decideConsent('U0MIA', world.callerId, world.connectionId, 'allowed');
        return 'done';
      case 'the member refuses':
        await services.executions.refuseMember('U0MIA', world.connectionId, world.callerId);
        return 'done';
      case 'say what became of it': {
        const execution = await this.current(step.call);
        if (!execution) return 'nothing there';
        await services.outcomes.resolve(
          ADA.id,
          execution._id,
          step.n % 2 === 0 ? 'applied' : 'not_applied',
          null,
        );
        return 'said';
      }
      case 'ask again': {
        const execution = await this.current(step.call);
        if (!execution) return 'nothing there';
        await services.outcomes.askAgain(ADA.id, execution._id);
        return 'asked';
      }
      default:
        return this.happen(step);
    }
  }

  /** What needs no process. */
  private async happen(step: Step): Promise<string> {
    const { world } = this;
    const { people, outside } = world;
    const there = world.processes[step.at];
    switch (step.do) {
      case 'the process dies':
        there?.life.stopAfter(edgesOf(step), 'dead');
        return 'armed';
      case 'the process falls asleep':
        there?.life.stopAfter(edgesOf(step), 'sleeps');
        return 'armed';
      case 'the process wakes':
        if (there?.life.state !== 'sleeps') return 'it is awake';
        there.life.wake();
        return 'done';
      case 'another process starts':
        if (there?.life.state !== 'dead' && step.n > 3) return 'it runs';
        await world.now(() => world.start(step.at));
        await world.now(() => world.pass(20 * SECOND));
        await world.sweep(world.processes[step.at] ?? unreachable());
        return 'done';
      case 'expire': {
        const execution = await this.current(step.call);
        const { models, clock } = world.ground;
        const filter = {
          workspaceId: world.workspaceId,
          executionId: execution?._id ?? '',
          status: 'pending' as const,
        };
        const past = new Date(clock.now().getTime() - SECOND);
        const moved = await world.now(() =>
          models.approvals.updateOne(filter, { $set: { expiresAt: past } }),
        );
        return moved.modifiedCount === 1 ? 'done' : 'nothing there';
      }
      case 'time passes':
        await world.now(() =>
          world.pass([20 * SECOND, 16 * MINUTE, 61 * MINUTE, 25 * HOUR][step.n % 4] ?? SECOND),
        );
        return 'done';
      case 'replace the credential':
        await world.now(async () => {
          const { models } = world.ground;
          const current = await models.credentials.findOne({ workspaceId: world.workspaceId }).lean();
          await world.replaceCredential((current?.generation ?? 0) + 1);
        });
        return 'done';
      case 'the target changes':
        await world.now(async () => outside.change(CALLS[step.call].id));
        return 'done';
      case 'an approver leaves':
        if (people.left.size > 0) people.left.clear();
        else people.left.add(step.by);
        return people.left.size > 0 ? 'left' : 'back';
      case 'Slack is silent':
        people.silent = !people.silent;
        return people.silent ? 'silent' : 'back';
      case 'the outside system':
        outside.mood = MOODS[step.n % MOODS.length] ?? 'answers';
        return outside.mood;
      default:
        return 'no process runs';
    }
  }

  /** Whatever comes next for the call: it is asked for, allowed, approved, follows the approval, runs. */
  private async goOn(step: Step, process: Process): Promise<string> {
    const { services } = process;
    const execution = await this.current(step.call);
    switch (execution?.status) {
      case undefined:
        return `submitted, ${await this.submit(step, services)}`;
      case 'pending_authorization':
        await services.members.decideConsent(
          'U0MIA',
          this.world.callerId,
          this.world.connectionId,
          'allowed',
        );
        await services.authorizationFlow.resume('U0MIA', this.world.connectionId);
        return 'allowed';
      case 'pending_approval': {
        const approval = await services.approvals.ofExecution(execution._id);
        if (approval?.status === 'pending') {
          if (step.n % 5 === 4) return `edited, ${await this.edit(step, services)}`;
          const voted = approval.decisions.map(({ userId }) => userId);
          const by = (['U0BEN', 'U0CLEO', 'U0DANA'] as const).find((id) => !voted.includes(id)) ?? step.by;
          return `approved, ${await this.decide({ ...step, by }, services, 'approved')}`;
        }
        await services.recovery.settleApprovals();
        return 'settled';
      }
      case 'queued':
        services.runner.take(execution._id);
        return 'taken';
      default: {
        const call = (['a', 'b', 'c'] as const).find((name) => !this.told.accepted.has(name)) ?? step.call;
        return `submitted, ${await this.submit({ ...step, call }, services)}`;
      }
    }
  }

  private async submit({ call }: Step, services: Services): Promise<string> {
    const { world } = this;
    const caller = await services.callers.get(world.callerId);
    if (!caller) return 'nothing there';
    const { onBehalfOf, ...args } = CALLS[call];
    const { execution, repeated } = await services.submissions.submit(caller, {
      connection: world.connectionId,
      function: 'change_record',
      arguments: args,
      onBehalfOf,
      reason: null,
      idempotencyKey: call,
    });
    const ids = this.told.accepted.get(call) ?? new Set();
    this.told.accepted.set(call, ids.add(execution._id));
    return repeated ? 'again' : `${execution.status}, ${execution.requirement}`;
  }

  private async decide(step: Step, services: Services, decision: 'approved' | 'denied'): Promise<string> {
    const hash = await this.hash(step);
    if (!hash) return 'nothing there';
    const { executionId, now, first } = hash;
    const shown = step.do === 'approve an old card' ? (first === now ? 'ffffffff' : first) : now;
    const click = { executionId, hash: shown, userId: step.by, decision, reason: null };
    const outcome = await services.decisions.decide(click);
    if (outcome.kind === 'recorded') {
      if (shown !== now) this.world.violations.push(`a click on an old card of ${executionId} counted`);
      this.decided(step, outcome.approval);
      if (outcome.approval.status !== 'pending' && step.n % 3 !== 0)
        await services.approvals.settle(outcome.approval);
    }
    if (outcome.kind === 'too_late') this.told.late.push(executionId);
    return outcome.kind;
  }

  private async edit(step: Step, services: Services): Promise<string> {
    const hash = await this.hash(step);
    if (!hash) return 'nothing there';
    const { executionId } = hash;
    const { id } = CALLS[step.call];
    const elsewhere = step.n % 8 === 7 ? 'r3' : id;
    const target = { executionId, hash: hash.now, userId: step.by };
    const outcome = await services.edits.submit(target, { id: elsewhere, title: `edited ${step.n}` });
    if (outcome.kind === 'recorded') this.decided(step, outcome.approval, true);
    if (outcome.kind === 'too_late') this.told.late.push(executionId);
    return outcome.kind;
  }

  private decided({ by }: Step, approval: ApprovalDocument, isEdit = false): void {
    const { executionId, bindingHash: digest, rev } = approval;
    this.told.decisions.push({ executionId, userId: by, digest, rev, isEdit });
  }

  /** The digest on the card as it is now, and as it was at first. */
  private async hash({ call }: Step) {
    const execution = await this.current(call);
    if (!execution?.approvalId) return null;
    const { models } = this.world.ground;
    const filter = { workspaceId: this.world.workspaceId, executionId: execution._id };
    const approval = await this.world.now(() => models.approvals.findOne(filter).lean());
    if (!approval) return null;
    const now = shortHash(approval.bindingHash);
    const first = this.firstHash.get(execution._id) ?? now;
    this.firstHash.set(execution._id, first);
    return { executionId: execution._id, now, first };
  }

  /** The execution of a call (of another, where that was not asked for), or the one that asks again for it. */
  private async current(call: CallName): Promise<ExecutionDocument | null> {
    const { models } = this.world.ground;
    const all = await this.world.now(() =>
      models.executions.find({ workspaceId: this.world.workspaceId }).lean(),
    );
    const byId = new Map(all.map((each) => [each._id, each]));
    let found =
      all.find(({ idempotencyKey }) => idempotencyKey === call) ??
      all.find(({ replaces }) => !replaces) ??
      null;
    for (let next = found; next; next = byId.get(next.replacedBy ?? '') ?? null) found = next;
    return found;
  }

  private target({ n }: Step): PauseTarget {
    const { connectionId, callerId } = this.world;
    if (n % 3 === 0) return { kind: 'all' };
    return n % 3 === 1 ? { kind: 'connection', id: connectionId } : { kind: 'caller', id: callerId };
  }

  private otherRule(n: number): readonly [string, PolicyRule] {
    const { world } = this;
    const other = world.setting.quorum === 1 ? 2 : 1;
    const ways = [
      ['the same', world.writes()],
      ['another quorum', world.writes({ quorum: other })],
      ['runs directly', world.writes({ effect: 'allow' })],
      ['blocked', world.writes({ effect: 'deny' })],
      ['asks every time', world.writes({ rememberable: false })],
    ] as const;
    return ways[[0, 0, 1, 2, 2, 3, 4, 0][n % 8] ?? 0] ?? ways[0];
  }
}

/** Each move has two: before it takes effect, and after. A run has about sixty. */
const edgesOf = ({ n, at }: Step): number => n * 3 + at;

/** What a person or a caller is answered instead; anything else is nobody's answer. */
function answer(error: unknown): string {
  if (error instanceof AppError) return error.code;
  if (error instanceof DirectoryUnavailable) return 'Slack is silent';
  throw error;
}

function unreachable(): never {
  throw new Error('there is no such process');
}
