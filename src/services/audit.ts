import type { ClientSession } from 'mongoose';
import type { Actor } from '../../models/types.js';
import { newId } from '../ids.js';
import type { Dependencies } from './dependencies.js';

export interface AuditEntry {
  readonly actor: Actor;
  /** `subject.verb`, e.g. `policy.changed`. */
  readonly action: string;
  readonly subject: { readonly kind: string; readonly id: string };
  /** What changed, without secrets and without payloads. */
  readonly details?: Record<string, unknown>;
}

/** Records what is not a tool execution. A change and its event are stored together or not at all. */
export class AuditService {
  constructor(private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId'>) {}

  async record(entry: AuditEntry, session?: ClientSession): Promise<void> {
    const event = {
      _id: newId('ev'),
      workspaceId: this.deps.workspaceId,
      at: this.deps.clock.now(),
      actor: entry.actor,
      action: entry.action,
      subject: { ...entry.subject },
      details: entry.details ?? {},
    };
    await this.deps.models.auditEvents.create([event], session ? { session } : {});
  }

  /** Runs a change and its audit event in one transaction: no record, no change. */
  async change<T>(entry: AuditEntry, change: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.deps.models.auditEvents.db.transaction(async (session) => {
      const result = await change(session);
      await this.record(entry, session);
      return result;
    });
  }
}
