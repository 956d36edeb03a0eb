/** While away: who decides instead. One delegate for each member, until a day that she chose. */
import type { Actor, DelegationDocument } from '../../models/types.js';
import { AppError } from '../errors.js';
import type { AuditService } from './audit.js';
import type { Dependencies } from './dependencies.js';
import { requireMembers } from './people.js';

const DAY_MS = 86_400_000;
/** A delegation that nobody remembers is an approver that nobody chose. */
export const LONGEST_ABSENCE_DAYS = 90;

export class DelegationService {
  constructor(
    private readonly deps: Pick<Dependencies, 'models' | 'clock' | 'workspaceId' | 'directory'>,
    private readonly audit: AuditService,
  ) {}

  /**
   * Names who decides for a member until a moment; replaces whom she named before.
   * @throws AppError `invalid_arguments` with `path` `/delegate` or `/until`; DirectoryUnavailable
   */
  async set(memberId: string, delegateId: string, until: Date): Promise<DelegationDocument> {
    const { models, workspaceId, clock, directory } = this.deps;
    if (delegateId === memberId) {
      throw new AppError('invalid_arguments', 'Choose somebody else than yourself.', { path: '/delegate' });
    }
    await requireMembers(directory, [delegateId], '/delegate');
    const now = clock.now();
    const last = new Date(now.getTime() + (LONGEST_ABSENCE_DAYS + 1) * DAY_MS);
    if (!(until > now && until <= last)) {
      const message = `Give a day from today on, at most ${LONGEST_ABSENCE_DAYS} days ahead.`;
      throw new AppError('invalid_arguments', message, { path: '/until' });
    }
    const delegation: DelegationDocument = {
      _id: `${workspaceId}:${memberId}`,
      workspaceId,
      memberId,
      delegateId,
      until,
      createdAt: now,
      followed: false,
    };
    const details = { delegateId, until: until.toISOString() };
    await this.audit.change(this.entry(memberId, 'delegation.set', details), (session) =>
      models.delegations.replaceOne({ _id: delegation._id, workspaceId }, delegation, {
        upsert: true,
        session,
      }),
    );
    return delegation;
  }

  /** She is back. Nothing happens when she was not away. The record goes once the cards have followed. */
  async end(memberId: string): Promise<void> {
    const { models, workspaceId, clock } = this.deps;
    const current = await this.of(memberId);
    if (!current) return;
    await this.audit.change(
      this.entry(memberId, 'delegation.ended', { delegateId: current.delegateId }),
      (session) =>
        models.delegations.updateOne(
          { workspaceId, memberId },
          { $set: { until: clock.now(), followed: false } },
          { session },
        ),
    );
  }

  /** Who decides for this member at present. */
  async of(memberId: string): Promise<DelegationDocument | null> {
    const { models, workspaceId, clock } = this.deps;
    return models.delegations.findOne({ workspaceId, memberId, until: { $gt: clock.now() } }).lean();
  }

  /** For whom of these somebody else decides at present. */
  async among(memberIds: readonly string[]): Promise<DelegationDocument[]> {
    const { models, workspaceId, clock } = this.deps;
    const filter = { workspaceId, memberId: { $in: [...memberIds] }, until: { $gt: clock.now() } };
    return models.delegations.find(filter).limit(100).lean();
  }

  /** Who is away and named this person. */
  async awayFor(delegateId: string): Promise<readonly string[]> {
    const { models, workspaceId, clock } = this.deps;
    const filter = { workspaceId, delegateId, until: { $gt: clock.now() } };
    return (await models.delegations.find(filter).limit(50).lean()).map(({ memberId }) => memberId);
  }

  private entry(memberId: string, action: string, details: Record<string, unknown>) {
    const actor: Actor = { kind: 'user', id: memberId };
    return { actor, action, subject: { kind: 'member', id: memberId }, details };
  }
}

/**
 * The end of a day as a person means it: midnight at her place.
 * @param day `2026-03-12`
 * @returns null for what is no day
 */
export function endOfDay(day: string, timeZone: string): Date | null {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(day)
    ? new Date(`${day}T00:00:00Z`).getTime() + DAY_MS
    : Number.NaN;
  if (Number.isNaN(midnight)) return null;
  // Twice, because the offset at the first guess may be that of the other side of a clock change.
  const guess = midnight - offsetAt(midnight, timeZone);
  return new Date(midnight - offsetAt(guess, timeZone));
}

/** How far local time is ahead of UTC, in milliseconds. */
function offsetAt(moment: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(moment);
  const at = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0);
  const local = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'));
  return local - Math.floor(moment / 1_000) * 1_000;
}
