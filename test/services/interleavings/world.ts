/** One workspace of its own, two processes of the app in it, and time that passes when the test says so. */
import { createModels, ensureIndexes, type Models } from '../../../models/index.js';
import type { ApprovalDocument, ExecutionDocument, PolicyRule } from '../../../models/types.js';
import type { KeyProvider } from '../../../src/credentials/key-ring.js';
import { parseKeyRing } from '../../../src/credentials/key-ring.js';
import type { Clock } from '../../../src/database/clock.js';
import type { Database } from '../../../src/database/connect.js';
import { CredentialService } from '../../../src/services/credentials.js';
import type { Dependencies } from '../../../src/services/dependencies.js';
import { createServices, type Services } from '../../../src/services/index.js';
import type { PauseTarget } from '../../../src/services/pauses.js';
import { Signals } from '../../../src/services/signals.js';
import { silentLog } from '../../setup/database.js';
import { caller, connection, rule } from '../documents.js';
import { Journal } from './journal.js';
import { Outside, People, recordsConnector } from './outside.js';
import { Life, modelsOf, Stage } from './stage.js';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const ADA = { kind: 'user', id: 'U0ADA' } as const;

/** Two connectors for all: a target under a condition, and one that can only be read again. */
const CONNECTORS = { condition: recordsConnector(true), 'read again': recordsConnector(false) };
const KEYS = parseKeyRing(`test:${Buffer.alloc(32, 7).toString('base64')}`);

/** What all interleavings have in common: a database, and what it tells of itself. */
export interface Ground {
  /** On the connection that waits: a busy machine is no outage. */
  readonly models: Models;
  readonly clock: Clock;
  readonly keys: KeyProvider;
  readonly journal: Journal;
}

export async function openGround(database: Database): Promise<Ground> {
  const models = createModels(database.background);
  await ensureIndexes(models);
  const journal = new Journal(models);
  await journal.open();
  return { models, clock: database.clock, keys: KEYS, journal };
}

export interface Setting {
  readonly quorum: 1 | 2;
  readonly target: keyof typeof CONNECTORS;
  readonly targetCheck: NonNullable<PolicyRule['targetCheck']>;
  /** Which process moves next; see `Stage`. */
  readonly choices: readonly number[];
}

export interface Process {
  readonly id: string;
  readonly life: Life;
  readonly services: Services;
}

let workspaces = 0;

export class World {
  readonly workspaceId = `T${++workspaces}`;
  readonly connectionId = `con_${workspaces}`;
  readonly callerId = `cal_${workspaces}`;
  readonly people = new People();
  readonly stage: Stage;
  readonly outside: Outside;
  /** What must never be. */
  readonly violations: string[] = [];
  /** Called at each write that the outside system receives, with the record of its call. */
  onWrite: (record: ExecutionDocument | null) => void = () => {};
  /** Called before anybody lifts a pause. */
  onResume: (target: PauseTarget) => Promise<void> = async () => {};
  readonly processes: Process[] = [];
  /** What need not be looked at where it never happened. */
  readonly happened = { granted: false, delegated: false, paused: false };
  private readonly gone: Process[] = [];
  private started = 0;

  constructor(
    readonly ground: Ground,
    readonly setting: Setting,
  ) {
    this.stage = new Stage(setting.choices);
    this.outside = new Outside(ground.clock, async (executionId) => {
      const record = await ground.models.executions.findOne({ _id: executionId }).lean();
      this.onWrite(record);
      return record;
    });
  }

  /** The rule that writes fall under at first, and what a change of it may make of it. */
  writes(given: Partial<PolicyRule> = {}): PolicyRule {
    const approvers = {
      users: ['U0BEN', 'U0BENNY', 'U0CLEO', 'U0DANA'],
      usergroups: [],
      connectionOwner: true,
    };
    const { quorum, targetCheck } = this.setting;
    return rule({ id: 'writes', approvers, quorum, targetCheck, rememberable: true, ...given });
  }

  /** The connection, its credential and its caller; then two processes. */
  async begin(): Promise<void> {
    const { models } = this.ground;
    const { workspaceId, connectionId, callerId } = this;
    await Promise.all([
      models.connections.create([
        connection({
          _id: connectionId,
          workspaceId,
          key: 'records',
          connector: 'records',
          auth: 'key',
          enabledFunctions: ['change_record'],
          policy: { version: 1, rules: [this.writes()] },
          access: [{ callerId, functions: null }],
        }),
      ]),
      models.callers.create([caller({ _id: callerId, workspaceId, stage: 'test', tokenHash: callerId })]),
      this.replaceCredential(1),
    ]);
    await Promise.all([this.start(0), this.start(1)]);
  }

  replaceCredential(generation: number): Promise<unknown> {
    const { ground, workspaceId, connectionId } = this;
    const fields = { key: secretOf(generation) };
    return new CredentialService({ ...ground, workspaceId }).store({
      connectionId,
      subject: 'shared',
      kind: 'secret',
      fields,
      createdBy: ADA.id,
    });
  }

  /** Another process in this place; the one that was there is gone. */
  async start(place: 0 | 1): Promise<Process> {
    const old = this.processes[place];
    if (old) {
      old.life.state = 'dead';
      this.gone.push(old);
    }
    const life = new Life();
    const id = `${this.workspaceId}-${++this.started}`;
    const process = { id, life, services: createServices(this.dependencies(id, life)) };
    this.processes[place] = process;
    // As its first heartbeat would: from now on a pause waits for it.
    const { models, clock } = this.ground;
    const at = clock.now();
    await models.processes.create([{ _id: id, workspaceId: this.workspaceId, pauseVersion: 0, at }]);
    return process;
  }

  /** The process of that place, or the other one; null when neither runs. */
  at(place: 0 | 1): Process | null {
    const [here, there] = [this.processes[place], this.processes[1 - place]];
    return [here, there].find((each) => each?.life.state === 'runs') ?? null;
  }

  running(): readonly Process[] {
    return this.processes.filter(({ life }) => life.state === 'runs');
  }

  /** A move of the world itself: nobody else moves meanwhile. */
  now<T>(work: () => PromiseLike<T>): Promise<T> {
    return this.stage.move(null, work);
  }

  async executions(): Promise<ExecutionDocument[]> {
    return this.ground.models.executions
      .find({ workspaceId: this.workspaceId })
      .sort({ createdAt: 1, _id: 1 })
      .lean();
  }

  async approvals(): Promise<ApprovalDocument[]> {
    return this.ground.models.approvals.find({ workspaceId: this.workspaceId }).lean();
  }

  /**
   * Time passes: every moment that the workspace has written down, of what has not ended, lies so much further back. A
   * process that runs renews its leases meanwhile; of one that is gone they run out.
   */
  async pass(milliseconds: number): Promise<void> {
    const { workspaceId } = this;
    const { models } = this.ground;
    const { alive, dead } = this.livingAndDead();
    const back = (at: string) => ({ $subtract: [at, milliseconds] });
    const all = (...moments: string[]) => Object.fromEntries(moments.map((at) => [at, back(`$${at}`)]));
    const shift = (model: Models[keyof Models], filter: object, $set: object) =>
      model.collection.updateMany({ workspaceId, ...filter }, [{ $set }]);
    const shifts = [
      shift(models.executions, {}, executionLater(all, back, alive, dead)),
      shift(
        models.approvals,
        { status: 'pending' },
        {
          ...all('createdAt', 'expiresAt', 'frozenAt', 'nextReminderAt', 'escalateAt'),
          remindersLeft: { $map: { input: '$remindersLeft', as: 'at', in: back('$$at') } },
        },
      ),
    ];
    const { granted, delegated, paused } = this.happened;
    if (granted) shifts.push(shift(models.grants, {}, all('createdAt', 'expiresAt')));
    if (delegated) shifts.push(shift(models.delegations, {}, all('createdAt', 'until')));
    if (dead.length > 0) shifts.push(shift(models.processes, { _id: { $in: dead } }, all('at')));
    if (paused) {
      for (const model of [models.settings, models.connections, models.callers])
        shifts.push(shift(model, { paused: { $ne: null } }, all('paused.at')));
    }
    await Promise.all(shifts);
  }

  /** What every other workspace's sweepers would have to look past. */
  async end(): Promise<void> {
    this.stage.bury();
    const { models } = this.ground;
    const { workspaceId } = this;
    const alike = [models.connections, models.callers, models.settings, models.processes];
    await Promise.all(alike.map((model) => model.collection.deleteMany({ workspaceId })));
  }

  /** Everything that the sweepers of a process do, once. */
  async sweep({ services }: Process): Promise<void> {
    const { recovery, pauses, reminders } = services;
    await recovery.claimQueued();
    await recovery.endAbandoned();
    await recovery.announcePending();
    await recovery.settleApprovals();
    await pauses.reconcile();
    await reminders.sweep();
  }

  private livingAndDead() {
    const named = (which: readonly Process[]) => which.map(({ id }) => id);
    const isDead = ({ life }: Process): boolean => life.state === 'dead';
    return {
      alive: named(this.processes.filter((each) => !isDead(each))),
      dead: named([...this.gone, ...this.processes.filter(isDead)]),
    };
  }

  private dependencies(processId: string, life: Life): Dependencies {
    const { ground, stage, workspaceId, setting } = this;
    return {
      workspaceId,
      processId,
      publicUrl: 'http://127.0.0.1:1',
      models: modelsOf(ground.models, stage, life),
      clock: ground.clock,
      keys: ground.keys,
      outbound: this.outside.reachedFrom(stage, life),
      directory: this.people,
      signals: new Signals(),
      log: silentLog,
      endpoints: {},
      commands: {},
      connector: async () => CONNECTORS[setting.target],
      companySignIn: null,
      configuredRoles: { admins: [ADA.id], adminGroup: null, auditors: [], auditorGroup: null },
    };
  }
}

export const secretOf = (generation: number): string => `fake-key-canary-${generation}`;

/** What of an execution lies further back; the lease only of one whose process renews it no more. */
function executionLater(
  all: (...moments: string[]) => Readonly<Record<string, object>>,
  back: (at: string) => object,
  alive: readonly string[],
  dead: readonly string[],
) {
  const is = (...statuses: string[]) => ({ $in: ['$status', statuses] });
  const by = (processes: readonly string[]) => ({ $in: [{ $ifNull: ['$attempt.process', ''] }, processes] });
  const where = (condition: object, moments: Readonly<Record<string, object>>) =>
    Object.fromEntries(
      Object.entries(moments).map(([at, moved]) => [at, { $cond: [condition, moved, `$${at}`] }]),
    );
  const open = is('pending_authorization', 'pending_approval', 'queued', 'executing');
  const isRenewed = { $and: [is('executing'), by(alive)] };
  const isOver = { $or: [is('outcome_unknown'), { $and: [is('executing'), by(dead)] }] };
  const lease = { $mergeObjects: ['$attempt', { leaseUntil: back('$attempt.leaseUntil') }] };
  return {
    ...where(open, all('createdAt', 'expiresAt', 'frozenAt')),
    ...where({ $not: [isRenewed] }, all('nextActionAt')),
    ...where({ $and: [isOver, { $ne: ['$attempt', null] }] }, { attempt: lease }),
  };
}
