/** Which pauses are in force, and which of them a call stands under. */
import type {
  CallerDocument,
  ConnectionDocument,
  ExecutionDocument,
  Pause,
  Settings,
} from '../../models/types.js';
import type { Dependencies } from './dependencies.js';
import { freezingPause, pauseOver } from './recheck.js';
import type { SettingsService } from './settings.js';

type Call = Pick<ExecutionDocument, 'callerId' | 'risk' | 'requirement'>;

/** What may stand under a pause: anything, or what is of these. */
export type Covered =
  | 'all'
  | { readonly connectionIds: readonly string[]; readonly callerIds: readonly string[] };

export class PauseRecord {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'workspaceId'>,
    private readonly settings: SettingsService,
  ) {}

  /** The pause that keeps this call from going on now. */
  async over(connection: ConnectionDocument, call: Call): Promise<Pause | null> {
    const { models, workspaceId } = this.deps;
    const [settings, caller] = await Promise.all([
      this.settings.get(),
      models.callers.findOne({ _id: call.callerId, workspaceId }, { paused: 1 }).lean(),
    ]);
    return pauseOver(settings, connection, caller, call);
  }

  async all(): Promise<PausesInForce> {
    const { models, workspaceId } = this.deps;
    const [settings, connections, callers] = await Promise.all([
      this.settings.get(),
      models.connections.find({ workspaceId, paused: { $ne: null } }).lean(),
      models.callers.find({ workspaceId, paused: { $ne: null } }).lean(),
    ]);
    return new PausesInForce(settings, connections, callers);
  }
}

export class PausesInForce {
  readonly all: readonly Pause[];
  private readonly connections: ReadonlyMap<string, ConnectionDocument>;
  private readonly callers: ReadonlyMap<string, CallerDocument>;

  constructor(
    private readonly settings: Settings,
    connections: readonly ConnectionDocument[],
    callers: readonly CallerDocument[],
  ) {
    this.connections = new Map(connections.map((each) => [each._id, each]));
    this.callers = new Map(callers.map((each) => [each._id, each]));
    this.all = [settings, ...connections, ...callers].flatMap(({ paused }) => (paused ? [paused] : []));
  }

  get any(): boolean {
    return this.all.length > 0;
  }

  /** Of which requests that wait for an approver one of them may be over. */
  get overRequests(): Covered {
    return freezingPause(this.settings, null, null) === null ? this.named : 'all';
  }

  /** The same of calls that wait for their member. How far "all" is lifted, each of them has to be asked. */
  get overCalls(): Covered {
    return this.settings.paused ? 'all' : this.named;
  }

  private get named(): Covered {
    return { connectionIds: [...this.connections.keys()], callerIds: [...this.callers.keys()] };
  }

  /** Over a request that waits for an approver. */
  overRequest(connectionId: string, callerId: string | null): Pause | null {
    return freezingPause(this.settings, this.connections.get(connectionId) ?? null, this.caller(callerId));
  }

  /** Over a call that waits for its member: it goes on with the stage in which it could run or ask. */
  overCall(call: Call & Pick<ExecutionDocument, 'connectionId'>): Pause | null {
    const connection = this.connections.get(call.connectionId) ?? null;
    return pauseOver(this.settings, connection, this.caller(call.callerId), call);
  }

  private caller(id: string | null): CallerDocument | null {
    return id === null ? null : (this.callers.get(id) ?? null);
  }
}
