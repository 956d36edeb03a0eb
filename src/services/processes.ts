/** The app's processes: each says every second that it lives, and up to which pause it has followed the kill switch. */
import type { ClaimsInFlight } from './claims-in-flight.js';
import type { Dependencies } from './dependencies.js';
import type { SettingsService } from './settings.js';

/** A pause has to hold everywhere within 2 s. */
const BEAT_MS = 500;
/** Nobody waits for one that was silent this long: whatever it wakes up to, it asks the database before a claim. */
const SILENT_MS = 10_000;

export interface Confirmation {
  /** Processes that live. */
  readonly processes: number;
  readonly confirmed: number;
  readonly all: boolean;
}

export class ProcessService {
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'processId' | 'log'>,
    private readonly settings: SettingsService,
    private readonly claims: ClaimsInFlight,
  ) {}

  /** Begins the heartbeat: from now on this process counts. */
  async start(): Promise<void> {
    await this.beat();
    this.next();
  }

  /** It claims nothing any more, and nobody waits for it. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.beating;
    const { models, workspaceId, processId } = this.deps;
    await models.processes.deleteOne({ _id: processId, workspaceId }).catch(() => undefined);
  }

  /** One heartbeat: what is paused is read first, and confirmed once the claims from before that are over. */
  async beat(): Promise<void> {
    const { models, workspaceId, processId, clock } = this.deps;
    const { pauseVersion = 0 } = await this.settings.get();
    await this.claims.settled();
    await models.processes.updateOne(
      { _id: processId, workspaceId },
      { $set: { at: clock.now() }, $max: { pauseVersion } },
      { upsert: true },
    );
  }

  /** Which of the living processes have followed the kill switch up to this version. */
  async confirmation(version: number): Promise<Confirmation> {
    const { models, workspaceId, clock } = this.deps;
    const since = new Date(clock.now().getTime() - SILENT_MS);
    const living = await models.processes.find({ workspaceId, at: { $gt: since } }).lean();
    const confirmed = living.filter(({ pauseVersion }) => pauseVersion >= version).length;
    return { processes: living.length, confirmed, all: confirmed === living.length };
  }

  private next(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.beating = this.beat()
        .catch((error: unknown) =>
          this.deps.log.warn({ err: error }, 'no sign of life; the next one follows'),
        )
        .finally(() => this.next());
    }, BEAT_MS);
    this.timer.unref();
  }
}
