import type { Actor, Pause, Settings } from '../../models/types.js';
import { upserting } from '../database/duplicate-key.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';

/** Arguments and results are kept this long unless an admin says otherwise. */
const DEFAULT_RETENTION_DAYS = 90;

export type SettingsChange = Partial<
  Pick<
    Settings,
    | 'admins'
    | 'auditors'
    | 'approvalsChannel'
    | 'retentionDays'
    | 'setupDoneAt'
    | 'reportTo'
    | 'companyDomains'
    | 'soleOperator'
  >
>;

/** How the kill switch for everything stands: which pause it is, and how far it is lifted. */
export interface PauseOfAll {
  readonly at: Date;
  readonly lifted: 'reads' | 'asks' | null;
}

class StandsElsewhere extends Error {}

/** Settings of the workspace: one document, made at start. */
export class SettingsService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>,
    private readonly audit: AuditService,
  ) {}

  async get(): Promise<Settings> {
    const { models, workspaceId } = this.deps;
    const found = await models.settings.findOne({ _id: workspaceId, workspaceId }).lean();
    return found ?? this.defaults();
  }

  async change(actor: Actor, change: SettingsChange): Promise<void> {
    await this.audit.change(
      { actor, action: 'settings.changed', subject: this.subject(), details: { ...change } },
      (session) => this.write(change, session),
    );
  }

  /** The kill switch for everything: nothing is claimed while it is set. */
  async pause(actor: Actor, pause: Pause | null): Promise<void> {
    const action = pause ? 'workspace.paused' : 'workspace.resumed';
    await this.audit.change(
      { actor, action, subject: this.subject(), details: pause ? { reason: pause.reason } : {} },
      (session) => this.write({ paused: pause, resuming: null }, session),
    );
  }

  /**
   * Lifts one more step of the kill switch for everything. False, with nothing changed or on record, where it stands
   * elsewhere by now than that person saw.
   */
  async lift(actor: Actor, seen: PauseOfAll, to: 'reads' | 'asks' | 'done'): Promise<boolean> {
    const { models, workspaceId, clock } = this.deps;
    const change = to === 'done' ? { paused: null, resuming: null } : { resuming: to };
    const entry = {
      actor,
      action: to === 'done' ? 'workspace.resumed' : 'workspace.resuming',
      subject: this.subject(),
      details: to === 'done' ? {} : { stage: to },
    };
    try {
      await this.audit.change(entry, async (session) => {
        const { modifiedCount } = await models.settings.updateOne(
          { _id: workspaceId, workspaceId, 'paused.at': seen.at, resuming: seen.lifted },
          { $set: { ...change, updatedAt: clock.now() } },
          { session },
        );
        if (modifiedCount === 0) throw new StandsElsewhere();
      });
      return true;
    } catch (error) {
      if (error instanceof StandsElsewhere) return false;
      throw error;
    }
  }

  /** After every pause and resume: the number that processes confirm. */
  async nextPauseVersion(): Promise<number> {
    const { models, workspaceId } = this.deps;
    const { _id, workspaceId: _, ...defaults } = this.defaults();
    const found = await upserting(() =>
      models.settings
        .findOneAndUpdate(
          { _id, workspaceId },
          { $inc: { pauseVersion: 1 }, $setOnInsert: defaults },
          { upsert: true, returnDocument: 'after' },
        )
        .lean(),
    );
    return found.pauseVersion ?? 0;
  }

  /** The app was removed from Slack, or installed again. */
  async setSlack(state: Settings['slack'], reason: string): Promise<void> {
    const actor: Actor = { kind: 'system', id: 'slack' };
    await this.audit.change(
      { actor, action: `slack.${state}`, subject: this.subject(), details: { reason } },
      (session) => this.write({ slack: state }, session),
    );
  }

  private subject() {
    return { kind: 'workspace', id: this.deps.workspaceId };
  }

  private async write(
    change: SettingsChange & Partial<Pick<Settings, 'paused' | 'resuming' | 'slack'>>,
    session: Parameters<Parameters<AuditService['change']>[1]>[0],
  ): Promise<void> {
    const { models, workspaceId } = this.deps;
    const current = await models.settings.findOne({ _id: workspaceId, workspaceId }).session(session).lean();
    const next: Settings = { ...(current ?? this.defaults()), ...change, updatedAt: this.deps.clock.now() };
    await models.settings.replaceOne({ _id: workspaceId, workspaceId }, next, { upsert: true, session });
  }

  private defaults(): Settings {
    return {
      _id: this.deps.workspaceId,
      workspaceId: this.deps.workspaceId,
      admins: [],
      auditors: [],
      approvalsChannel: null,
      retentionDays: DEFAULT_RETENTION_DAYS,
      setupDoneAt: null,
      paused: null,
      slack: 'active',
      updatedAt: this.deps.clock.now(),
    };
  }
}
